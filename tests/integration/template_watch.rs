//! What of a deployment is watched: alarms, the dashboard, logs that end.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::template::{Resource, names_in, resources, resources_of};

const ALARM: &str = "AWS::CloudWatch::Alarm";

/// The resources that alarms on a metric are about.
fn watched(metric: &str) -> BTreeSet<String> {
    let alarms = resources_of(ALARM).into_iter();
    let alarms = alarms.filter(|alarm| alarm.property("MetricName") == metric);
    alarms
        .flat_map(|alarm| names_in(alarm.property("Dimensions")))
        .collect()
}

fn names(resources: &[Resource]) -> BTreeSet<String> {
    resources
        .iter()
        .map(|resource| resource.name.clone())
        .collect()
}

#[test]
fn errors_of_every_function_raise_an_alarm() {
    let functions = names(&resources_of("AWS::Serverless::Function"));
    assert_eq!(watched("Errors"), functions);
    // Whoever invokes the verify function by hand sees that it was refused.
    let invoked_by_others = functions
        .into_iter()
        .filter(|name| name != "VerifyFunction");
    assert_eq!(watched("Throttles"), invoked_by_others.collect());
}

#[test]
fn the_depth_and_the_age_of_every_queue_raise_an_alarm() {
    let queues = names(&resources_of("AWS::SQS::Queue"));
    assert_eq!(watched("ApproximateNumberOfMessagesVisible"), queues);
    assert_eq!(watched("ApproximateAgeOfOldestMessage"), queues);
}

/// A function that is invoked without anyone waiting keeps what it could not do, and somebody
/// hears of events that wait or cannot even be kept.
#[test]
fn what_nobody_waits_for_is_kept_and_watched() {
    let functions = resources_of("AWS::Serverless::Function");
    let has_other_events = |function: &&Resource| {
        let events = function.property("Events").as_object();
        let mut events = events.into_iter().flat_map(|events| events.values());
        events.any(|event| event["Type"] != "HttpApi")
    };
    let queues = names(&resources_of("AWS::SQS::Queue"));
    let mut asynchronous = BTreeSet::new();
    for function in functions.iter().filter(has_other_events) {
        let config = &function.property("EventInvokeConfig")["DestinationConfig"]["OnFailure"];
        let kept_in = names_in(&config["Destination"]);
        assert!(
            kept_in.len() == 1 && kept_in.is_subset(&queues),
            "{}",
            function.name
        );
        asynchronous.insert(function.name.clone());
    }
    assert_eq!(watched("AsyncEventAge"), asynchronous);
    assert_eq!(watched("DestinationDeliveryFailures"), asynchronous);
}

#[test]
fn every_alarm_says_what_is_wrong_and_tells_the_topic() {
    for alarm in resources_of(ALARM) {
        let description = alarm.property("AlarmDescription").as_str().unwrap();
        assert!(
            description.ends_with('.') && description.len() > 30,
            "{}",
            alarm.name
        );
        let told = names_in(alarm.property("AlarmActions"));
        assert!(told.contains("AlarmTopicArn"), "{}", alarm.name);
        // An alarm on something that may be left out is left out with it.
        let about = names_in(alarm.property("Dimensions"));
        let all = resources();
        let about = all.iter().filter(|resource| about.contains(&resource.name));
        for condition in about.filter_map(|it| it.whole.get("Condition")) {
            assert_eq!(
                alarm.whole.get("Condition"),
                Some(condition),
                "{}",
                alarm.name
            );
        }
    }
}

#[test]
fn logs_end_some_day_and_every_function_has_its_own() {
    for group in resources_of("AWS::Logs::LogGroup") {
        let days = names_in(group.property("RetentionInDays"));
        assert_eq!(Vec::from_iter(days), ["LogRetentionDays"], "{}", group.name);
    }
    let groups = names(&resources_of("AWS::Logs::LogGroup"));
    let mut used = BTreeSet::new();
    for function in resources_of("AWS::Serverless::Function") {
        let logging = function.property("LoggingConfig");
        // The lines are JSON with a level; in Lambda's text format they would be wrapped.
        assert_eq!(logging["LogFormat"], "JSON", "{}", function.name);
        let group = names_in(&logging["LogGroup"]);
        assert!(
            group.len() == 1 && group.is_subset(&groups),
            "{}",
            function.name
        );
        assert!(used.is_disjoint(&group), "{}", function.name);
        used.extend(group);
    }
}

#[test]
fn the_dashboard_is_json_about_every_function() {
    let [dashboard] = &resources_of("AWS::CloudWatch::Dashboard")[..] else {
        panic!("there is one dashboard");
    };
    let body = &dashboard.property("DashboardBody")["Fn::Sub"];
    let text = body[0].as_str().unwrap();
    let body_of: Value = serde_json::from_str(&text.replace("${", "{")).unwrap();
    let widgets = body_of["widgets"].as_array().unwrap();
    let mut places = BTreeSet::new();
    for widget in widgets {
        let place = (widget["y"].as_u64().unwrap(), widget["x"].as_u64().unwrap());
        assert!(places.insert(place), "{place:?} is taken");
        assert!(
            place.1 + widget["width"].as_u64().unwrap() <= 24,
            "{place:?}"
        );
        assert!(widget["properties"]["title"].is_string(), "{place:?}");
    }
    let shown = names_in(dashboard.property("DashboardBody"));
    for function in resources_of("AWS::Serverless::Function") {
        assert!(shown.contains(&function.name), "{}", function.name);
    }
}
