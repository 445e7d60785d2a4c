//! Rejected rows: downloaded, corrected, dropped again.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use clientele::store::jobs::{Job, JobState};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use crate::stack::{Stack, file};

/// A reply to a download.
pub(crate) struct Download {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Download {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }

    /// The csv without its byte order mark.
    pub(crate) fn csv(&self) -> String {
        let text = String::from_utf8(self.bytes.clone()).unwrap();
        assert!(text.starts_with('\u{feff}'), "{text}");
        text.trim_start_matches('\u{feff}').to_owned()
    }
}

async fn download(stack: &Stack, path: &str, token: &str, language: &str) -> Download {
    let url = format!("{}{path}", stack.local.endpoints.http);
    let request = reqwest::Client::new()
        .get(url)
        .bearer_auth(token)
        .header("accept-language", language);
    let response = request.send().await.unwrap();
    Download {
        status: response.status(),
        headers: response.headers().clone(),
        bytes: response.bytes().await.unwrap().into(),
    }
}

async fn rejected_csv(stack: &Stack, job: &Job) -> Download {
    // The handlers' bucket is not the one that the stack serves from.
    let path = format!("/v1/jobs/{}/rejected.csv", job.id);
    let token = stack.token(1);
    let download = handled(stack, &path, &token, "en").await;
    assert_eq!(download.status, 200, "{}", download.csv());
    download
}

/// Asks the handler itself, over the bucket that nobody watches.
pub(crate) async fn handled(stack: &Stack, path: &str, token: &str, language: &str) -> Download {
    use lambda_http::RequestExt;
    let (raw_path, _) = path.split_once('?').unwrap_or((path, ""));
    let request = http::Request::builder()
        .method(Method::GET)
        .uri(format!("https://example.com{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("accept-language", language)
        .body(lambda_http::Body::Empty)
        .unwrap()
        .with_raw_http_path(raw_path);
    let response = clientele_api::handle(&stack.registry, request).await;
    Download {
        status: response.status(),
        headers: response.headers().clone(),
        bytes: response.body().to_vec(),
    }
}

/// Drops a file into the watched folder and waits for its job.
async fn drop_file(stack: &Stack, name: &str, content: impl AsRef<[u8]>) -> Value {
    let folder = stack.watched().join("inbox/1/generic/customers");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), content).unwrap();
    stack
        .until(|| async {
            let jobs = stack.get("/v1/jobs").await.body["jobs"].clone();
            let job = jobs
                .as_array()?
                .iter()
                .find(|job| job["filename"] == name)?;
            let ended = !matches!(job["state"].as_str(), None | Some("queued" | "running"));
            ended.then(|| job.clone())
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_corrected_and_dropped_again_as_they_are() {
    let stack = Stack::start().await;
    let content = "Customer ID,name,phone,birth_year,village\n\
        A1,Ann,+256 712 345678,1990,Kumi\n\
        A2,=1+1,+256712345679,abc,@Mbale\n\
        A3,\"Zoé; \"\"Z\"\"\",-12.5,1850,\"two\nlines\"\n\
        ,'Tis,+1-202-555-0100,2000,'=kept\n\
        A5,Bob,+256,1980,Soroti,surplus,\n\
        A6,Eve\n";
    let job = drop_file(&stack, "été \"1\".csv", content).await;
    assert_eq!(
        [&job["created"], &job["rejected"]],
        [&json!(1), &json!(5)],
        "{job}"
    );
    let path = format!("/v1/jobs/{}/rejected.csv", job["id"].as_str().unwrap());
    let download = download(&stack, &path, &stack.token(1), "en").await;
    assert_eq!(download.status, 200);
    assert_eq!(download.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        download.header("content-disposition"),
        "attachment; filename=\"rejected-_t_ _1_.csv\"; filename*=UTF-8''rejected-%C3%A9t%C3%A9%20%221%22.csv"
    );
    assert_eq!(
        [download.header("x-parts"), download.header("link")],
        ["1", ""]
    );
    let csv = download.csv();
    let expected = [
        "Customer ID,name,phone,birth_year,village,error_surplus,error_row,error_column,error_code,error_message",
        "A2,'=1+1,+256712345679,abc,'@Mbale,,2,birth_year,type_integer,\"birth_year must be a whole number, such as 4\"",
        "A3,\"Zoé; \"\"Z\"\"\",-12.5,1850,\"two\nlines\",,3,birth_year,range,birth_year must be 1900 … 2026",
        ",'Tis,+1-202-555-0100,2000,''=kept,,4,external_id,required,external_id is required",
        "A5,Bob,+256,1980,Soroti,\"surplus,\",5,,ragged_row,\"the row has another number of cells than the header (7 ≠ 5); look for a missing quote or separator\"",
        "A6,Eve,,,,,6,,ragged_row,\"the row has another number of cells than the header (2 ≠ 5); look for a missing quote or separator\"",
        "",
    ];
    assert_eq!(csv, expected.join("\r\n"));

    // As it is, only the row that was too short lands: its missing cells are blank now.
    let again = drop_file(&stack, "uncorrected.csv", &download.bytes).await;
    assert_eq!(
        [&again["created"], &again["rejected"]],
        [&json!(1), &json!(4)],
        "{again}"
    );
    let corrected = csv
        .replace("abc", "1999")
        .replace("1850", "1950")
        .replace("\r\n,'Tis", "\r\nA4,'Tis")
        .replace("\"surplus,\"", "");
    let again = drop_file(&stack, "corrected.csv", format!("\u{feff}{corrected}")).await;
    assert_eq!(
        [&again["state"], &again["created"], &again["unchanged"]],
        [&json!("completed"), &json!(4), &json!(1)],
        "{again}"
    );
    for (id, village) in [("A2", "@Mbale"), ("A3", "two\nlines"), ("A4", "'=kept")] {
        let record = stack.record("customers", id).await;
        assert_eq!(record["custom"], json!({"village": village}), "{id}");
    }
    for (id, name) in [("A2", "=1+1"), ("A3", "Zoé; \"Z\""), ("A4", "'Tis")] {
        let record = stack.record("customers", id).await;
        assert_eq!(record["name"], crate::stack::sha256(name), "{id}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scope_no_protected_value_is_shown() {
    let stack = Stack::start().await;
    let content = "external_id,name,phone,country,birth_year,secret\n\
        C1,Canary Name,+256700000001,UG,abc,canary custom\n\
        C2,Canary Two,+256700000002\n\
        C3,Canary Three,,UG,1990,a,canary surplus\n";
    let job = stack.import("customers", content).await;
    let path = format!("/v1/jobs/{}/rejected.csv", job.id);
    let reader = stack.token_with(|t| t.scope = "records:read".to_owned());
    let masked = handled(&stack, &path, &reader, "fr").await.csv();
    let expected = [
        "external_id,name,phone,country,birth_year,secret,error_surplus,error_row,error_column,error_code,error_message",
        "C1,***,***,UG,abc,***,,1,birth_year,type_integer,\"birth_year doit être un nombre entier, par exemple 4\"",
        // Values of a ragged row may stand in another column than their own.
        "***,***,***,,,,,2,,ragged_row,\"la ligne n'a pas le même nombre de cellules que l'en-tête (3 ≠ 6) ; cherchez un guillemet ou un séparateur manquant\"",
        "***,***,,***,***,***,***,3,,ragged_row,\"la ligne n'a pas le même nombre de cellules que l'en-tête (7 ≠ 6) ; cherchez un guillemet ou un séparateur manquant\"",
        "",
    ];
    assert_eq!(masked, expected.join("\r\n"));

    let rows = r#"[{"external_id": "J1", "Canary Key": "canary", "birth_year": "x"}]"#;
    let job = stack.import("customers", rows).await;
    let path = format!("/v1/jobs/{}/rejected.csv", job.id);
    let shown = handled(&stack, &path, &reader, "en").await.csv();
    assert!(!shown.to_lowercase().contains("canary"), "{shown}");

    // What is masked cannot be taken for a value.
    let job = stack.import("customers", masked).await;
    assert_eq!(job.error.unwrap().code, "masked_values");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_encrypted_where_they_are_kept() {
    let stack = Stack::start().await;
    let job = stack
        .import("customers", "external_id,name,birth_year\n1,Canary,abc\n")
        .await;
    let listed = stack.registry.bucket.list("rejected/").await.unwrap();
    let keys: Vec<&str> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(
        keys,
        [format!("rejected/1/{}/00000000000000000001", job.id)]
    );
    let sealed = stack.registry.bucket.read(keys[0]).await.unwrap().unwrap();
    assert!(!sealed.windows(6).any(|bytes| bytes == b"Canary"));

    // Moved to another job, it does not open.
    let other = stack
        .import("customers", "external_id,name,birth_year\n2,Bob,abc\n")
        .await;
    let key = format!("rejected/1/{}/00000000000000000001", other.id);
    stack.registry.bucket.put(&key, sealed).await.unwrap();
    let path = format!("/v1/jobs/{}/rejected.csv", other.id);
    let moved = handled(&stack, &path, &stack.token(1), "en").await;
    assert_eq!(moved.status, 500);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_rows_come_out_with_their_columns_side_by_side() {
    let stack = Stack::start().await;
    let rows = json!([
        {"external_id": "J1", "phone": "+256", "birth_year": "x", "tags": ["a"]},
        {"Customer ID": "J2", "Phone": null, "birth_year": 1850, "area": "north"},
        {"external_id": "J3"},
        7,
    ]);
    let job = stack.import("customers", rows.to_string()).await;
    assert_eq!([job.counts.created, job.counts.rejected], [1, 3]);
    let csv = rejected_csv(&stack, &job).await.csv();
    let expected = [
        "birth_year,external_id,phone,tags,area,error_row,error_column,error_code,error_message",
        "x,J1,+256,\"[\"\"a\"\"]\",,1,birth_year,type_integer,\"birth_year must be a whole number, such as 4\"",
        "1850,J2,,,north,2,birth_year,range,birth_year must be 1900 … 2026",
        ",,,,,4,,not_an_object,\"the row must be a JSON object; its values are not repeated here, correct it in the original\"",
        "",
    ];
    assert_eq!(csv, expected.join("\r\n"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn formulas_are_inert_in_the_csv_and_unchanged_in_the_store() {
    let folder = std::env::var("CLIENTELE_VECTORS")
        .unwrap_or_else(|_| format!("{}/../../shared/vectors", env!("CARGO_MANIFEST_DIR")));
    let path = format!("{folder}/csv-injection-payloads/Intruder/csv-payload.txt");
    let Ok(payloads) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not there");
        return;
    };
    let stack = Stack::start().await;
    let rows = payloads.lines().enumerate().map(|(n, payload)| {
        let quoted = payload.replace('"', "\"\"");
        format!("p{n},\"{quoted}\",\"{quoted}\",abc\n")
    });
    let content = format!(
        "external_id,name,note,birth_year\n{}",
        rows.collect::<String>()
    );
    let job = stack.import("customers", content).await;
    let csv = rejected_csv(&stack, &job).await.csv();
    for cell in csv.split([',', '"', '\r', '\n']) {
        assert!(!cell.starts_with(['=', '@', '+', '-']), "{cell}");
    }
    let job = stack.import("customers", csv.replace("abc", "1990")).await;
    assert_eq!(job.state, JobState::Completed);
    for (n, payload) in payloads.lines().enumerate() {
        let record = stack.record("customers", &format!("p{n}")).await;
        assert_eq!(record["custom"], json!({"note": payload}));
        assert_eq!(record["name"], crate::stack::sha256(payload));
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rejected_rows_come_in_parts_that_a_reply_can_hold() {
    let stack = Stack::start().await;
    const ROWS: usize = 25_000;
    let note = "x".repeat(300);
    let rows = (0..ROWS).map(|n| format!("c{n},abc,{note}\n"));
    let content = format!("external_id,birth_year,note\n{}", rows.collect::<String>());
    let job = stack.import("customers", content).await;
    assert_eq!(job.counts.rejected, ROWS as u64);
    let mut path = format!("/v1/jobs/{}/rejected.csv", job.id);
    let mut ids = HashSet::new();
    let mut parts = 0;
    loop {
        let part = handled(&stack, &path, &stack.token(1), "fr").await;
        assert_eq!(part.status, 200);
        assert!(part.bytes.len() <= 4_500_000, "{} bytes", part.bytes.len());
        let csv = part.csv();
        let mut lines = csv.lines();
        assert!(
            lines
                .next()
                .unwrap()
                .starts_with("external_id,birth_year,note,error_row")
        );
        ids.extend(lines.map(|line| line.split(',').next().unwrap().to_owned()));
        parts += 1;
        let Some((next, _)) = part.header("link").split_once(">; rel=\"next\"") else {
            assert_eq!(part.header("x-parts"), parts.to_string());
            break;
        };
        path = next.trim_start_matches('<').to_owned();
    }
    assert!(parts > 1);
    assert_eq!(ids.len(), ROWS);
    let path = format!("/v1/jobs/{}/rejected.csv?part={}", job.id, parts + 1);
    assert_eq!(
        handled(&stack, &path, &stack.token(1), "en").await.status,
        404
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_and_reports_are_there_for_those_who_may_see_the_job() {
    let stack = Stack::start().await;
    let job = stack
        .import("customers", file("customers_with_errors.csv"))
        .await;
    let mine = stack.token(1);
    let foreign = stack.token(2);
    let writer = stack.token_with(|t| t.scope = "records:write".to_owned());
    let bound = stack.token_with(|t| t.groups = Some(vec!["customers.other".to_owned()]));
    for route in ["report", "rejected.csv"] {
        let path = format!("/v1/jobs/{}/{route}", job.id);
        let long = format!("/v1/jobs/host/1/import_customers/{}/{route}", job.id);
        let unknown = format!("/v1/jobs/{}/{route}", uuid::Uuid::new_v4());
        let table = [
            (&path, &mine, 200),
            (&long, &mine, 200),
            (&path, &foreign, 404),
            (&path, &bound, 404),
            (&path, &writer, 403),
            (&unknown, &mine, 404),
        ];
        for (path, token, status) in table {
            let reply = handled(&stack, path, token, "en").await;
            assert_eq!(reply.status, status, "{path}");
        }
    }
    let event = stack
        .put("inbox/1/generic/customers/queued.csv", "external_id\n1\n")
        .await;
    let queued = stack.register(&event).await;
    let path = format!("/v1/jobs/{queued}/rejected.csv");
    assert_eq!(handled(&stack, &path, &mine, "en").await.status, 409);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_gone_after_7_days() {
    let stack = Stack::start().await;
    let job = stack
        .import("customers", "external_id,birth_year\n1,abc\n")
        .await;
    let clean = stack
        .import("customers", "external_id,birth_year\n2,1990\n")
        .await;
    let csv = rejected_csv(&stack, &clean).await.csv();
    assert_eq!(
        csv,
        "external_id,birth_year,error_row,error_column,error_code,error_message\r\n"
    );
    let ended = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(7 * 24 + 1);
    let id = AttributeValue::S(job.id.to_string());
    let items = stack.items().await.into_iter();
    for mut item in items.filter(|item| item.get("id") == Some(&id)) {
        item.insert(
            "finished_at".to_owned(),
            AttributeValue::S(ended.to_string()),
        );
        let put = stack.local.clients.dynamodb.put_item();
        let put = put.table_name(&stack.registry.config.table);
        put.set_item(Some(item)).send().await.unwrap();
    }
    let path = format!("/v1/jobs/{}/rejected.csv", job.id);
    let reply = handled(&stack, &path, &stack.token(1), "en").await;
    assert_eq!(reply.status, 410);
    let listed = stack.registry.bucket.list("rejected/").await.unwrap();
    assert!(listed.is_empty(), "{listed:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_dies_and_is_retried_keeps_each_rejected_row_once() {
    let stack = Stack::start().await;
    let rows = (0..24_000).map(|n| match n % 3 {
        0 => format!("c{n},abc\n"),
        _ => format!("c{n},1990\n"),
    });
    let content = format!("external_id,birth_year\n{}", rows.collect::<String>());
    let event = stack
        .put("inbox/1/generic/customers/killed.csv", content)
        .await;
    let mut deaths = 0;
    for life in (0..).map(|n| std::time::Duration::from_millis(50).mul_f64(1.5_f64.powi(n))) {
        match tokio::time::timeout(life, stack.invoke(&event, "killed")).await {
            Ok(result) => {
                result.unwrap();
                break;
            }
            Err(_) => deaths += 1,
        }
    }
    assert!(deaths > 1, "the import was too quick to be killed");
    let job = stack.latest_job().await;
    let csv = rejected_csv(&stack, &job).await.csv();
    let ids: Vec<&str> = csv
        .lines()
        .skip(1)
        .map(|l| l.split(',').next().unwrap())
        .collect();
    let expected: Vec<String> = (0..8_000).map(|n| format!("c{}", n * 3)).collect();
    assert_eq!(ids, expected);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_what_is_wrong_and_how_often() {
    let stack = Stack::start().await;
    let content = "external_id,birth_year,country\n1,abc,UG\n2,abd,XX\n3,1990,UG\n";
    let job = stack.import("customers", content).await;
    let path = format!("/v1/jobs/{}/report", job.id);
    let report = handled(&stack, &path, &stack.token(1), "fr").await;
    let report: Value = serde_json::from_slice(&report.bytes).unwrap();
    let named = |group: &Value| {
        let rows = &group["first_rows"];
        format!(
            "{} {} {} {rows}",
            group["code"], group["column"], group["count"]
        )
    };
    let groups: Vec<String> = report["error_groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(named)
        .collect();
    assert_eq!(
        groups,
        [
            r#""type_integer" "birth_year" 2 [1,2]"#,
            r#""unknown_country" "country" 1 [2]"#
        ]
    );
    assert_eq!(
        [
            &report["created"],
            &report["rejected"],
            &report["errors_kept"],
            &report["errors_truncated"]
        ],
        [&json!(1), &json!(2), &json!(3), &json!(false)]
    );
    assert_eq!(report["columns"][1]["field"], "birth_year");
    assert_eq!(report["errors"].as_array().unwrap().len(), 3);
    let link = report["rejected_csv"]["url"].as_str().unwrap();
    assert_eq!(
        handled(&stack, link, &stack.token(1), "en").await.status,
        200
    );

    let rows = (0..600).map(|n| format!("m{n},abc\n")).collect::<String>();
    let job = stack
        .import("customers", format!("external_id,birth_year\n{rows}"))
        .await;
    let path = format!("/v1/jobs/{}/report", job.id);
    let report = handled(&stack, &path, &stack.token(1), "en").await;
    let report: Value = serde_json::from_slice(&report.bytes).unwrap();
    assert_eq!(
        [&report["errors_kept"], &report["errors_truncated"]],
        [&json!(500), &json!(true)]
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_corrected_is_refused_again() {
    let stack = Stack::start().await;
    let rows = json!([{"external_id": "1", "name": true}, {"external_id": "2", "name": "#N/A"}]);
    let job = drop_file(&stack, "a.json", rows.to_string()).await;
    // Only a csv's `#N/A` comes from a spreadsheet.
    assert_eq!([&job["created"], &job["rejected"]], [&json!(1), &json!(1)]);
    let path = format!("/v1/jobs/{}/rejected.csv", job["id"].as_str().unwrap());
    let csv = download(&stack, &path, &stack.token(1), "en").await.csv();
    assert!(csv.contains("\r\n1,#CELL! true,1,"), "{csv:?}");
    let job = drop_file(&stack, "again.csv", csv).await;
    assert_eq!([&job["created"], &job["rejected"]], [&json!(0), &json!(1)]);
    stack.stop().await;
}
