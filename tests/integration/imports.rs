//! Dropped files: good ones, bad ones, twice, five times at once.

use clientele::store::jobs::{Job, JobState};
use futures::future::join_all;

use crate::stack::{Stack, customers, file};

fn counts(job: &Job) -> [u64; 7] {
    let c = &job.counts;
    let parts = [
        c.created,
        c.updated,
        c.unchanged,
        c.superseded,
        c.duplicates,
        c.rejected,
    ];
    assert_eq!(
        parts.iter().sum::<u64>(),
        c.rows_read,
        "the parts are the whole"
    );
    [
        c.rows_read,
        c.created,
        c.updated,
        c.unchanged,
        c.superseded,
        c.duplicates,
        c.rejected,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_copied_into_the_folder_is_imported_and_removed() {
    let stack = Stack::start().await;
    let folder = stack.watched().join("inbox/1/generic/customers");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("été + hiver 2026.csv");
    std::fs::write(&path, file("customers.csv")).unwrap();
    let job = stack
        .until(|| async {
            let jobs = stack.get("/v1/jobs").await.body["jobs"].clone();
            let job = jobs.as_array()?.first()?.clone();
            (job["state"] == "completed").then_some(job)
        })
        .await;
    assert_eq!(job["created"], 250);
    assert_eq!(job["filename"], "été + hiver 2026.csv");
    assert_eq!(job["percent"], 100);
    stack
        .until(|| async { (!path.exists()).then_some(()) })
        .await;
    let answer = stack
        .post(
            "/v1/customer/pages",
            &serde_json::json!({"customer_group_id": "customers.generic"}),
        )
        .await;
    assert_eq!(answer.body["customers"], 250);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_gives_the_same_records_as_its_csv() {
    let stack = Stack::start().await;
    for (dataset, rows) in [("customers", 250), ("meters", 60)] {
        stack.import(dataset, file(&format!("{dataset}.csv"))).await;
        let job = stack
            .import(dataset, file(&format!("{dataset}.xlsx")))
            .await;
        assert_eq!(job.state, JobState::Completed, "{dataset}");
        assert_eq!(counts(&job), [rows, 0, 0, rows, 0, 0, 0], "{dataset}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_files_give_what_their_readme_says() {
    let stack = Stack::start().await;
    let table: [(&str, &str, JobState, Option<&str>, [u64; 7]); 8] = [
        (
            "customers",
            "customers.csv",
            JobState::Completed,
            None,
            [250, 250, 0, 0, 0, 0, 0],
        ),
        (
            "customers",
            "customers.csv",
            JobState::Completed,
            None,
            [250, 0, 0, 250, 0, 0, 0],
        ),
        (
            "meters",
            "meters.csv",
            JobState::Completed,
            None,
            [60, 60, 0, 0, 0, 0, 0],
        ),
        // Three customers came with their meters; the others are as they were.
        (
            "customers",
            "customers.csv",
            JobState::Completed,
            None,
            [250, 0, 0, 250, 0, 0, 0],
        ),
        (
            "customers",
            "customers_with_errors.csv",
            JobState::CompletedWithRejections,
            None,
            [12, 6, 0, 0, 0, 1, 5],
        ),
        (
            "customers",
            "customers_header_only.csv",
            JobState::Completed,
            None,
            [0; 7],
        ),
        (
            "customers",
            "customers_near_miss.csv",
            JobState::Failed,
            Some("near_miss"),
            [0; 7],
        ),
        (
            "customers",
            "customers_missing_required.csv",
            JobState::Failed,
            Some("missing_column"),
            [0; 7],
        ),
    ];
    for (dataset, name, state, error, expected) in table {
        let job = stack
            .import_key(&format!("inbox/1/generic/{dataset}/{name}"), file(name))
            .await;
        assert_eq!(job.state, state, "{name}");
        assert_eq!(job.error.as_ref().map(|e| e.code.as_str()), error, "{name}");
        assert_eq!(counts(&job), expected, "{name}");
    }
    let store = &stack.registry.store;
    for (group, members) in [("customers.generic", 259), ("meters.generic", 60)] {
        let group = group.parse().unwrap();
        let count = store
            .member_count(Stack::organization(), &group)
            .await
            .unwrap();
        assert_eq!(count, members, "{group}");
    }
    let french = stack
        .import_key("inbox/1/french/customers/f.csv", file("customers_fr.csv"))
        .await;
    assert_eq!(counts(&french), [5, 5, 0, 0, 0, 0, 0]);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_errors_say_where_and_why() {
    let stack = Stack::start().await;
    stack
        .import("customers", file("customers_with_errors.csv"))
        .await;
    let job = stack.latest_job().await;
    let errors = stack
        .registry
        .store
        .row_errors(Stack::organization(), job.id, 100)
        .await
        .unwrap();
    let shown: Vec<_> = errors
        .iter()
        .map(|e| {
            format!(
                "{} {} {}",
                e.row,
                e.column.as_deref().unwrap_or("-"),
                e.code
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "2 external_id required",
            "3 - duplicate_in_file",
            "4 household_size decimal_comma",
            "5 gender not_in_enum",
            "7 birth_year range",
            "7 country unknown_country",
            "9 phone spreadsheet_damage",
        ]
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_imported_fail_with_a_reason_and_are_put_aside() {
    let stack = Stack::start().await;
    let wide: Vec<String> = (0..1_001).map(|n| format!("c{n}")).collect();
    let table: [(&str, &str, Vec<u8>); 11] = [
        ("empty_file", "customers", vec![]),
        (
            "not_text",
            "customers",
            (0..=255).cycle().take(5_000).collect(),
        ),
        ("broken_workbook", "customers", b"PK\x03\x04xlsx".to_vec()),
        (
            "unsupported_format",
            "customers",
            b"\xd0\xcf\x11\xe0xls".to_vec(),
        ),
        (
            "unclosed_quote",
            "customers",
            b"external_id,name\n1,\"x\n2,y\n".to_vec(),
        ),
        ("too_many_columns", "customers", wide.join(",").into_bytes()),
        (
            "duplicate_column",
            "customers",
            b"external_id,Customer ID\n1,2\n".to_vec(),
        ),
        ("unknown_dataset", "clients", b"external_id\n1\n".to_vec()),
        (
            "invalid_json",
            "customers",
            b"[{\"external_id\": 1}".to_vec(),
        ),
        ("json_too_deep", "customers", b"[{\"a\": ".repeat(200_000)),
        ("json_shape", "customers", b"{\n\"rows\": []}".to_vec()),
    ];
    for (code, dataset, content) in table {
        let key = format!("inbox/1/generic/{dataset}/{code}.csv");
        let job = stack.import_key(&key, content).await;
        assert_eq!(job.state, JobState::Failed, "{code}");
        assert_eq!(job.error.map(|e| e.code).as_deref(), Some(code));
        assert!(!stack.has_object(&key).await, "{code} stays in the inbox");
        assert!(stack.has_failed(&key).await, "{code} is lost");
    }
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_line_of_ndjson_is_a_refused_row_among_imported_ones() {
    let stack = Stack::start().await;
    let lines = "{\"external_id\": \"1\", \"n\": 18446744073709551616}\n\
                 {\"external_id\": \"2\"\n\n\
                 {\"external_id\": \"3\"}";
    let job = stack
        .import_key("inbox/1/generic/customers/rows.ndjson", lines)
        .await;
    assert_eq!(job.state, JobState::CompletedWithRejections);
    assert_eq!(counts(&job), [3, 2, 0, 0, 0, 0, 1]);
    assert_eq!(job.format.as_deref(), Some("ndjson"));
    let path = format!("/v1/jobs/{}", job.id);
    let error = stack.job_at(&path).await["errors"][0].clone();
    assert_eq!(error["code"], "invalid_json_line");
    assert_eq!((&error["row"], &error["line"]), (&2.into(), &2.into()));
    let custom = &stack.record("customers", "1").await["custom"];
    assert_eq!(custom["n"], "18446744073709551616");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_not_ours_are_put_aside_without_a_job() {
    let stack = Stack::start().await;
    for key in [
        "inbox/reports/2026/quarterly.pdf",
        "inbox/7/generic/customers/a.csv",
    ] {
        let event = stack.put(key, "external_id\n1\n").await;
        stack.invoke(&event, "test").await.unwrap();
        assert!(stack.has_failed(key).await, "{key}");
    }
    let jobs = stack
        .registry
        .store
        .jobs(Stack::organization(), 10, None)
        .await
        .unwrap();
    assert!(jobs.is_empty());
    // Where the key says whose file it is, its owner learns why.
    for key in [
        "inbox/1/UPPER/customers/a.csv",
        "inbox/1/generic/customers/Bad Group/a.csv",
        "inbox/1/a.csv",
    ] {
        let job = stack.import_key(key, "external_id\n1\n").await;
        assert_eq!(
            job.error.map(|e| e.code).as_deref(),
            Some("bad_key"),
            "{key}"
        );
        assert!(stack.has_failed(key).await, "{key}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_columns_and_an_odd_key_are_no_trouble() {
    let stack = Stack::start().await;
    let unknown: Vec<String> = (0..299).map(|n| format!("c{n}")).collect();
    let values: Vec<String> = (0..299).map(|n| format!("v{n}")).collect();
    let content = format!(
        "external_id,{}\n1,{}\n",
        unknown.join(","),
        values.join(",")
    );
    let key = "inbox/1/generic/customers/north + south (été 2026) &=%.csv";
    let job = stack.import_key(key, content).await;
    assert_eq!(counts(&job), [1, 1, 0, 0, 0, 0, 0]);
    assert!(!stack.has_object(key).await);
    assert_eq!(
        stack.record("customers", "1").await["custom"]["c298"],
        "v298"
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_five_times_at_once_imports_once() {
    let stack = Stack::start().await;
    let event = stack
        .put(
            "inbox/1/generic/customers/a.csv",
            customers(0..3_000, "+2567"),
        )
        .await;
    let ids = ["a", "b", "c", "d", "e"];
    for result in join_all(ids.map(|id| stack.invoke(&event, id))).await {
        result.unwrap();
    }
    // Whoever came while another one worked left; a later repetition finds the job ended.
    stack.invoke(&event, "f").await.unwrap();
    let jobs = stack
        .registry
        .store
        .jobs(Stack::organization(), 10, None)
        .await
        .unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(counts(&jobs[0]), [3_000, 3_000, 0, 0, 0, 0, 0]);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_one_file_at_once_keep_every_count_exact() {
    let stack = Stack::start().await;
    let content = customers(0..2_000, "+2567");
    let first = stack
        .put("inbox/1/generic/customers/a.csv", content.clone())
        .await;
    let second = stack.put("inbox/1/generic/customers/b.csv", content).await;
    for result in join_all([stack.invoke(&first, "a"), stack.invoke(&second, "b")]).await {
        result.unwrap();
    }
    let jobs = stack
        .registry
        .store
        .jobs(Stack::organization(), 10, None)
        .await
        .unwrap();
    let created: u64 = jobs.iter().map(|job| counts(job)[1]).sum();
    assert_eq!(created, 2_000);
    let rest: u64 = jobs
        .iter()
        .map(|job| job.counts.unchanged + job.counts.superseded)
        .sum();
    assert_eq!(rest, 2_000);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_was_replaced_leaves_its_rows_to_the_new_one() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/a.csv";
    let old = stack.put(key, "external_id,profession\n1,farmer\n").await;
    let new = stack.put(key, "external_id,profession\n1,baker\n").await;
    stack.invoke(&new, "b").await.unwrap();
    stack.invoke(&old, "a").await.unwrap();
    assert_eq!(stack.record("customers", "1").await["profession"], "baker");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_be_and_writes_no_record() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..10, "+2567")).await;
    let before = stack.items().await.len();
    let content = customers(5..20, "+2568");
    let key = "inbox/1/generic/customers/dry.csv";
    let event = stack
        .put_with(key, content.clone(), &[("mode", "dry_run")])
        .await;
    stack.invoke(&event, "test").await.unwrap();
    let predicted = counts(&stack.latest_job().await);
    assert_eq!(predicted, [15, 10, 5, 0, 0, 0, 0]);
    // The job and its place in the list.
    assert_eq!(stack.items().await.len(), before + 2);
    assert_eq!(counts(&stack.import("customers", content).await), predicted);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_group_is_made_and_keeps_its_dataset() {
    let stack = Stack::start().await;
    let content = customers(0..30, "+2567");
    let key = "inbox/1/generic/customers/village.7/a.csv";
    assert_eq!(counts(&stack.import_key(key, content.clone()).await)[1], 30);
    assert_eq!(counts(&stack.import_key(key, content).await)[3], 30);
    let group = "village.7".parse().unwrap();
    let members = stack
        .registry
        .store
        .member_count(Stack::organization(), &group)
        .await
        .unwrap();
    assert_eq!(members, 30);
    let job = stack
        .import_key("inbox/1/generic/meters/village.7/m.csv", file("meters.csv"))
        .await;
    assert_eq!(
        job.error.map(|e| e.code).as_deref(),
        Some("group_of_other_dataset")
    );
    // Records that exist join a further group without being written otherwise.
    let later = "inbox/1/generic/customers/village.8/a.csv";
    let job = stack.import_key(later, customers(0..40, "+2567")).await;
    assert_eq!(counts(&job), [40, 10, 0, 30, 0, 0, 0]);
    let group = "village.8".parse().unwrap();
    let members = stack
        .registry
        .store
        .member_count(Stack::organization(), &group)
        .await
        .unwrap();
    assert_eq!(members, 40);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_name_that_fail_are_all_kept() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/daily.csv";
    for content in ["name\nfirst\n", "name\nsecond\n"] {
        let job = stack.import_key(key, content).await;
        assert_eq!(job.error.map(|e| e.code).as_deref(), Some("missing_column"));
    }
    let list = stack
        .local
        .clients
        .s3
        .list_objects_v2()
        .bucket("handlers")
        .prefix("failed/");
    assert_eq!(list.send().await.unwrap().contents().len(), 2);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_event_leaves_a_file_alone_that_was_put_again() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/a.csv";
    let content = "external_id,profession\n1,farmer\n";
    let first = stack.put(key, content).await;
    stack.invoke(&first, "a").await.unwrap();
    stack
        .import_key(key, "external_id,profession\n1,baker\n")
        .await;
    // Object times have whole seconds.
    let put_at = jiff::Timestamp::now().as_second();
    stack
        .until(|| async { (jiff::Timestamp::now().as_second() > put_at).then_some(()) })
        .await;
    let again = stack.put(key, content).await;
    stack.invoke(&first, "repeated").await.unwrap();
    assert!(
        stack.has_object(key).await,
        "the new file was deleted unread"
    );
    stack.invoke(&again, "b").await.unwrap();
    assert_eq!(stack.record("customers", "1").await["profession"], "farmer");
    assert!(!stack.has_object(key).await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_all_of_a_sources_records_takes_no_others() {
    let stack = Stack::start().await;
    let key = "inbox/1/alpha/customers/customers.beta/a.csv";
    let job = stack.import_key(key, "external_id\n1\n").await;
    assert_eq!(
        job.error.map(|e| e.code).as_deref(),
        Some("group_of_other_source")
    );
    let own = "inbox/1/alpha/customers/customers.alpha/a.csv";
    let job = stack.import_key(own, "external_id\n1\n").await;
    assert_eq!(job.counts.created, 1);
    stack.assert_verified().await;
    stack.stop().await;
}
