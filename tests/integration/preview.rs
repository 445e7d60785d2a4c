//! What `clientele preview` prints.

use clientele_local::preview::{Preview, PreviewError};

/// The rows of a file as csv, and the notes, or why it is refused.
fn shown(
    name: &str,
    content: &[u8],
    csv: bool,
    rows: Option<usize>,
) -> Result<[String; 2], String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, content).unwrap();
    let dataset = "customers".to_owned();
    let (mut output, mut notes) = (Vec::new(), Vec::new());
    let preview = Preview {
        file,
        dataset,
        rows,
        csv,
    };
    match preview.show(&mut output, &mut notes) {
        Ok(()) => Ok([output, notes].map(|bytes| String::from_utf8(bytes).unwrap())),
        Err(PreviewError::Refused { message, .. }) => {
            assert!(output.is_empty(), "{name} is refused after a part of it");
            Err(message)
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_preview_as_csv_is_the_rows_as_rfc_4180_has_them() {
    let table: [(&str, &[u8], &str); 12] = [
        (
            "plain.csv",
            b"a,b\r\n1,\"x, \"\"y\"\"\"\r\n",
            "a,b\n1,\"x, \"\"y\"\"\"\n",
        ),
        ("semicolon.csv", b"a;b\n1,5;x\n", "a,b\n\"1,5\",x\n"),
        ("tab.txt", b"a\tb\n1\t2", "a,b\n1,2\n"),
        ("spaced.csv", b"a, b\n1, \"x, y\"\n", "a,b\n1,\"x, y\"\n"),
        ("single.csv", b"'a','b'\n'1','x, y'\n", "a,b\n1,\"x, y\"\n"),
        (
            "escaped.csv",
            b"a,b\n1,\"5\\\" pipe, long\"\n",
            "a,b\n1,\"5\"\" pipe, long\"\n",
        ),
        ("western.csv", b"nom\nZo\xeb\n", "nom\nZo\u{eb}\n"),
        ("wide.csv", b"a,b\n1,2,3\n4\n", "a,b\n1,2,3\n4\n"),
        (
            "preamble.csv",
            b"Report,,\n,,\na,b,c\n1,2,3\n",
            "Report,,\n,,\na,b,c\n1,2,3\n",
        ),
        ("cr.csv", b"a,b\r1,2\r", "a,b\n1,2\n"),
        (
            "array.json",
            br#"[{"a": 1, "b": "x"}, {"b": "y", "c": null}]"#,
            "a,b,c\n1,x,\n,y,\n",
        ),
        ("blank.csv", b"a\n\"\"\n1\n", "a\n\"\"\n1\n"),
    ];
    for (name, content, expected) in table {
        let [output, notes] = shown(name, content, true, None).unwrap();
        assert_eq!(output, expected, "{name}");
        assert_eq!(notes, "", "{name}");
    }
}

#[test]
fn a_stray_quote_is_shown_as_it_stands_with_a_note_that_an_import_refuses_it() {
    let content = b"a,b,c\n1,\"x,2\n3,\"y\",4\n";
    let [output, notes] = shown("stray.csv", content, true, None).unwrap();
    assert_eq!(output, "a,b,c\n1,\"\"\"x\",2\n3,y,4\n");
    let note = "a quote in the row that begins at line 2 is never closed: an import refuses the file; here such lines are shown as they stand\n";
    assert_eq!(notes, note);
}

#[test]
fn what_is_not_a_table_is_refused_before_anything_is_printed() {
    let table: [(&str, &[u8], &str); 3] = [
        ("empty.csv", b"", "the file is empty"),
        ("report.pdf", b"%PDF-1.7", "PDF"),
        (
            "mixed.csv",
            b"a\nZo\xc3\xab, Jos\xc3\xa9\nZo\xeb\n",
            "line 3 is not UTF-8",
        ),
    ];
    for (name, content, reason) in table {
        let message = shown(name, content, true, None).unwrap_err();
        assert!(message.contains(reason), "{name}: {message}");
    }
}

#[test]
fn a_preview_says_how_the_file_is_written_and_what_its_columns_become() {
    let content = b"external_id;Nom;colour\n1;Zo\xeb;red\n2;Ann;blue\n";
    let [output, _] = shown("clients.csv", content, false, Some(1)).unwrap();
    let expected = "\
format     csv
encoding   windows-1252
delimiter  ';'
gzip       no
columns    as customers
  \"external_id\" -> external_id
  \"Nom\" -> name
  \"colour\" -> custom

external_id,Nom,colour
1,Zoë,red
";
    assert_eq!(output, expected);
}

#[test]
fn a_preview_of_one_event_shows_its_envelope() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    let event = "{\n  \"eventType\": \"CUSTOMER\",\n  \"body\": {\"customerId\": \"C-1\"}\n}\n";
    std::fs::write(&file, event).unwrap();
    let preview = Preview {
        file,
        dataset: "profiles".to_owned(),
        rows: None,
        csv: false,
    };
    let (mut output, mut notes) = (Vec::new(), Vec::new());
    preview.show(&mut output, &mut notes).unwrap();
    let output = String::from_utf8(output).unwrap();
    assert!(
        output.contains("members of events, whose body is of profiles\n"),
        "{output}"
    );
    let row = "\neventType,body\nCUSTOMER,\"{\"\"customerId\"\":\"\"C-1\"\"}\"\n";
    assert!(output.ends_with(row), "{output}");
}
