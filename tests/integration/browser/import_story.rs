//! Bringing a file in: looking, trying, importing, correcting what was rejected.

use std::path::Path;

use fantoccini::Locator;
use serde_json::{Value, json};

use super::{
    ENGLISH, FRENCH, Setup, WITHOUT_SCRIPTS, browse, downloads::Downloads, files::Files,
    session::Browser, sign_in::sign_in,
};
use crate::stack::Stack;

/// Two people without fault, one born too early, one without an id.
const PEOPLE: &str = "external_id,Full Name,Phone Number,birth_year,village\n\
    s1,Ann Auma,+256700000101,1990,Kitgum\n\
    s2,Ben Okello,+256700000102,1820,Gulu\n\
    ,Cora Zulu,+256700000103,1991,Lira\n\
    s4,Dan Phiri,+256700000104,1992,Arua\n";

/// What is to be read on the way.
struct Words {
    language: &'static str,
    setup: Setup,
    import: &'static str,
    file: &'static str,
    preview: &'static str,
    pseudonym: &'static str,
    encrypted: &'static str,
    dry_run: &'static str,
    start: &'static str,
    /// Read, created, unchanged, rejected.
    counts: [&'static str; 4],
    nothing_written: &'static str,
    some_rejected: &'static str,
    completed: &'static str,
    out_of_range: &'static str,
    required: &'static str,
    rejected_rows: &'static str,
    job: &'static str,
}

const IN_ENGLISH: Words = Words {
    language: "en",
    setup: ENGLISH,
    import: "Import",
    file: "Drop a file here, or choose one",
    preview: "What its columns become",
    pseudonym: "p14n",
    encrypted: "encrypted",
    dry_run: "Dry run",
    start: "Import",
    counts: ["Rows read", "Created", "Unchanged", "Rejected"],
    nothing_written: "Nothing was written",
    some_rejected: "Completed, some rows rejected",
    completed: "Completed",
    out_of_range: "must be",
    required: "required",
    rejected_rows: "Download the rejected rows",
    job: "Jobs",
};

const IN_FRENCH: Words = Words {
    language: "fr",
    setup: FRENCH,
    import: "Importer",
    file: "Déposez un fichier ici, ou choisissez-en un",
    preview: "Ce que deviennent ses colonnes",
    pseudonym: "p14n",
    encrypted: "chiffré",
    dry_run: "Essai à blanc",
    start: "Importer",
    counts: ["Lignes lues", "Créées", "Inchangées", "Rejetées"],
    nothing_written: "Rien n'a été écrit",
    some_rejected: "Terminée, lignes rejetées",
    completed: "Terminée",
    out_of_range: "doit respecter",
    required: "obligatoire",
    rejected_rows: "Télécharger les lignes rejetées",
    job: "Tâches",
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_file_is_looked_at_tried_imported_and_its_rejected_rows_corrected() {
    tell(&IN_ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn the_import_is_as_well_told_in_french() {
    tell(&IN_FRENCH).await;
}

async fn tell(words: &Words) {
    let stack = Stack::start().await;
    let files = Files::new();
    browse(words.setup, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.visit(&format!("/{}/console", words.language)).await;
        browser.click_first(words.import).await;

        drop_file(browser, &files.write("people.csv", PEOPLE)).await;
        browser.find("heading", words.preview).await;
        let phone = browser.find("row", "Phone Number phone").await;
        assert!(phone.text().await.unwrap().contains(words.pseudonym));
        let village = browser.find("row", "village custom").await;
        assert!(village.text().await.unwrap().contains(words.encrypted));
        browser.assert_readable().await;

        browser.click_button(words.dry_run).await;
        browser.sees(words.nothing_written).await;
        words.sees_counts(browser, [4, 2, 0, 2]).await;
        assert_eq!(members(&stack).await, 0);

        browser.click_button(words.start).await;
        browser.sees(words.some_rejected).await;
        words.sees_counts(browser, [4, 2, 0, 2]).await;
        assert_eq!(members(&stack).await, 2);
        browser.assert_readable().await;
        for (row, said) in [
            ("2 3 birth_year", words.out_of_range),
            ("3 4", words.required),
        ] {
            let row = browser.find("row", row).await.text().await.unwrap();
            assert!(row.contains(said), "{row}");
            assert!(
                !row.contains("1820"),
                "the value itself is not shown: {row}"
            );
        }

        let downloads = Downloads::of(browser);
        browser.click(words.rejected_rows).await;
        let rejected = downloads.next(browser, ".csv").await;
        let rejected = std::fs::read_to_string(rejected).unwrap();
        assert_eq!(rejected.lines().count(), 3, "{rejected}");
        let corrected = rejected.replace("1820", "1982");
        let corrected = corrected.replace(",Cora Zulu", "s3,Cora Zulu");
        assert!(corrected.contains("s3,Cora Zulu"), "{corrected}");
        let corrected = files.write("corrected.csv", &corrected);

        drop_file(browser, &corrected).await;
        browser.find("heading", words.preview).await;
        browser.click_button(words.start).await;
        words.sees_counts(browser, [2, 2, 0, 0]).await;
        browser.sees(words.completed).await;
        assert_eq!(members(&stack).await, 4);

        // The same file once more.
        browser.click_button(words.start).await;
        words.sees_counts(browser, [2, 0, 2, 0]).await;

        browser.click(words.job).await;
        browser.find("heading", words.job).await;
        browser
            .find("row", &format!("people.csv {}", words.dry_run))
            .await;
        assert!(browser.has("row", "corrected.csv").await);
    })
    .await;
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_workbook_is_picked_and_imported() {
    let stack = Stack::start().await;
    browse(ENGLISH, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.visit("/en/console/import").await;
        let workbook = Files::of_the_repository("meters.xlsx");
        browser.choose("Dataset", "Meters").await;
        browser.fill("Source", "field_team").await;
        browser.pick(IN_ENGLISH.file, &workbook).await;
        browser.find("row", "serial_number serial_number").await;
        browser.click_button("Import").await;
        browser.sees("Completed").await;
        let job = stack.get("/v1/jobs").await.body["jobs"][0].clone();
        assert_eq!(
            (&job["filename"], &job["rejected"]),
            (&"meters.xlsx".into(), &0.into())
        );
        assert_eq!(job["source"], "field_team");
        let created = job["created"].as_u64().unwrap();
        assert!(created > 0);
        IN_ENGLISH
            .sees_counts(browser, [created, created, 0, 0])
            .await;
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_file_that_cannot_be_imported_is_refused_in_words() {
    let stack = Stack::start().await;
    let files = Files::new();
    let near_miss = Files::of_the_repository("customers_near_miss.csv");
    let no_id = Files::of_the_repository("customers_missing_required.csv");
    let not_a_workbook = files.write("people.xlsx", b"PK\x03\x04 but nothing more");
    // A file, what is said before it is sent, and after.
    let table = [
        (near_miss, "did you mean phone?", "Telephon"),
        (
            no_id,
            "No column was found for required fields: external_id",
            "external_id",
        ),
        (not_a_workbook, "What this error means", "xlsx"),
    ];
    browse(ENGLISH, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        for (file, before, after) in &table {
            browser.visit("/en/console/import").await;
            browser.pick(IN_ENGLISH.file, file).await;
            browser.sees(before).await;
            browser.click_button("Import").await;
            browser.sees("Failed").await;
            let alert = "return document.querySelector('#result [role=alert]')?.innerText";
            let alert = browser.script(alert).await;
            let alert = alert.as_str().unwrap_or_default();
            assert!(alert.contains(after), "{after}: {alert}");
            assert!(alert.contains("What this error means"), "{alert}");
            browser.assert_readable().await;
        }
    })
    .await;
    assert_eq!(members(&stack).await, 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn what_goes_with_a_dataset_follows_it() {
    let stack = Stack::start().await;
    // Too many to choose from.
    for n in 0..100 {
        let group = json!({"id": format!("g{n}"), "name": "G", "dataset": "customers"});
        assert_eq!(stack.post("/v1/groups", &group).await.status, 201);
    }
    let files = Files::new();
    browse(ENGLISH, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.visit("/en/console/import").await;
        browser.fill("Source", "field_team").await;
        let people = files.write("people.csv", PEOPLE);
        browser.pick(IN_ENGLISH.file, &people).await;
        browser.find("row", "Phone Number phone").await;
        browser.choose("Dataset", "Contacts").await;
        let source = "return document.getElementById('source').value";
        assert_eq!(browser.script(source).await, "external");
        browser.find("row", "Phone Number custom").await;
        browser.choose("Dataset", "Customers").await;
        assert_eq!(browser.script(source).await, "field_team");
        browser.find("row", "Phone Number phone").await;
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_file_is_imported_without_scripts() {
    let stack = Stack::start().await;
    let files = Files::new();
    browse(WITHOUT_SCRIPTS, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.click_first("Import").await;
        let people = files.write("people.csv", PEOPLE);
        browser.pick(IN_ENGLISH.file, &people).await;
        browser.click_button("Import").await;
        browser.find("heading", "people.csv").await;
        // The page asks for itself again until the job has ended.
        browser.sees(IN_ENGLISH.some_rejected).await;
        IN_ENGLISH.sees_counts(browser, [4, 2, 0, 2]).await;
    })
    .await;
    assert_eq!(members(&stack).await, 2);
    stack.stop().await;
}

impl Words {
    /// Waits for a finished job's counts.
    async fn sees_counts(&self, browser: &Browser<'_>, expected: [u64; 4]) {
        let what = format!("counts of {expected:?}");
        browser
            .until(&what, async || {
                let shown = browser.counts().await?;
                let number = |name: &str| shown.get(name).and_then(|text| text.parse::<u64>().ok());
                let is_as_expected = self
                    .counts
                    .iter()
                    .zip(expected)
                    .all(|(name, count)| number(name) == Some(count));
                Ok(is_as_expected.then_some(()))
            })
            .await;
    }
}

async fn drop_file(browser: &Browser<'_>, file: &Path) {
    let target = browser.driver.find(Locator::Css(".drop")).await;
    browser.drop_on(&target.unwrap(), file).await;
}

/// How many customers the source has.
async fn members(stack: &Stack) -> Value {
    stack.get("/api/v1/out/customers").await.body["total"].clone()
}
