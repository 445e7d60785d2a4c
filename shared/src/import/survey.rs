//! Reads a file through before anything is written: what its columns become, how many rows it
//! has, which of them are about the same record.

use std::{
    collections::{HashMap, HashSet},
    io::{self, Read},
    sync::{Arc, Mutex},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{FileError, rejected::corrected};
use crate::{
    dataset::{Field, Target},
    decode::{self, Found, Hints, MAX_COLUMNS, Records},
    identity::RecordId,
    record::{UnknownColumns, Validator},
    store::jobs::{Column, Ignored},
};

/// What is known of a file after it was read through.
#[derive(Debug)]
pub struct Survey {
    /// How it is written.
    pub found: Found,
    /// What its columns became.
    pub columns: Vec<Column>,
    /// How many rows it has.
    pub rows: u64,
    /// How many of them will be refused.
    pub rejected: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Rows about the same record.
    pub repetitions: Repetitions,
}

/// Reads a whole file, or says why it cannot be imported.
pub fn survey(
    reader: impl Read + Send + 'static,
    hints: &Hints,
    validator: &mut Validator,
) -> Result<Survey, FileError> {
    let digest = Arc::new(Mutex::new(Sha256::new()));
    let hashing = HashingReader {
        inner: reader,
        digest: Arc::clone(&digest),
    };
    let records = corrected(decode::records(hashing, hints)?);
    let mut columns = Columns::default();
    // An event's members are its envelope.
    let of_events = validator.dataset().event().is_some();
    if let (Some(header), false) = (&records.header, of_events) {
        // First of all: the first row of a file without a header is somebody's data, and no
        // message may repeat it.
        check_required(header, validator)?;
        for name in header {
            if !name.is_empty() && columns.seen.contains(name) {
                let column = name.to_string();
                return Err(FileError::DuplicateColumn { column });
            }
            columns.see(name, validator)?;
        }
    }
    let Records {
        found,
        rows,
        header,
    } = records;
    let (mut count, mut rejected) = (0, 0);
    let mut repetitions = Repetitions {
        of_events,
        ..Repetitions::default()
    };
    for row in rows {
        let row = row?;
        count = row.row;
        if header.is_none() && !of_events {
            for (name, _) in &row.values {
                columns.see_key(name, count, validator)?;
            }
        }
        // A row that will be refused does not stand in for an earlier one.
        match validator.validate(row) {
            Ok(record) => repetitions.see(record.id(), count)?,
            Err(_) => rejected += 1,
        }
    }
    let sha256 = digest.lock().map(|digest| digest.clone().finalize());
    Ok(Survey {
        found,
        columns: columns.named,
        rows: count,
        rejected,
        sha256: HEXLOWER.encode(&sha256.map_err(|_| FileError::Unreadable)?),
        repetitions,
    })
}

/// The longest name of a column, in bytes: names are kept in the job and in row errors.
pub const MAX_HEADER_BYTES: usize = 255;
/// What a column that the dataset does not know becomes.
const CUSTOM: &str = "custom";

/// The columns seen so far.
#[derive(Default)]
struct Columns {
    seen: HashSet<Arc<str>>,
    named: Vec<Column>,
    fields: HashMap<usize, Arc<str>>,
}

impl Columns {
    /// A key of a JSON object: objects may spell one field differently, and keys that the
    /// dataset does not know are data, so that they do not belong in the job.
    fn see_key(
        &mut self,
        key: &Arc<str>,
        row: u64,
        validator: &mut Validator,
    ) -> Result<(), FileError> {
        if self.seen.contains(key) {
            return Ok(());
        }
        if self.seen.len() == MAX_COLUMNS {
            return Err(FileError::TooManyColumns { limit: MAX_COLUMNS });
        }
        // Before anything remembers it.
        self.check_length(key)?;
        match validator.target(key) {
            Target::Field(index) if self.fields.contains_key(&index) => {
                self.seen.insert(Arc::clone(key));
            }
            Target::Custom if validator.unknown_columns() == UnknownColumns::Reject => {
                return Err(FileError::UnknownKey { row });
            }
            _ => {
                self.see(key, validator)?;
                self.named
                    .retain(|column| column.field.as_deref() != Some(CUSTOM));
            }
        }
        Ok(())
    }

    fn check_length(&self, header: &str) -> Result<(), FileError> {
        match header.len() {
            0..=MAX_HEADER_BYTES => Ok(()),
            _ => Err(FileError::HeaderTooLong {
                column: self.seen.len() + 1,
                limit: MAX_HEADER_BYTES,
            }),
        }
    }

    fn see(&mut self, header: &Arc<str>, validator: &mut Validator) -> Result<(), FileError> {
        if self.seen.contains(header) {
            return Ok(());
        }
        self.check_length(header)?;
        self.seen.insert(Arc::clone(header));
        let target = validator.target(header);
        let dataset = Arc::clone(validator.dataset());
        let name = |index: usize| dataset.field(index).map(|field| field.name.clone());
        let mut ignored = None;
        let field = match target {
            Target::Field(index) => {
                if let Some(other) = self.fields.insert(index, Arc::clone(header)) {
                    return Err(FileError::SameField {
                        column: header.to_string(),
                        other: other.to_string(),
                    });
                }
                name(index)
            }
            Target::NearMiss { field, header: at } => {
                let meant = dataset.field(field).and_then(|field| field.header(at));
                return Err(FileError::NearMiss {
                    column: header.to_string(),
                    meant: meant.unwrap_or_default().to_owned(),
                });
            }
            Target::Custom => match validator.unknown_columns() {
                UnknownColumns::Keep => Some(CUSTOM.to_owned()),
                UnknownColumns::Drop => {
                    ignored = Some(Ignored::Unknown);
                    None
                }
                UnknownColumns::Reject => {
                    return Err(FileError::UnknownColumn {
                        column: header.to_string(),
                    });
                }
            },
            Target::Ignored(_) => {
                ignored = Some(Ignored::Autogenerated);
                None
            }
            Target::Unnamed => {
                ignored = Some(Ignored::Unnamed);
                None
            }
        };
        self.named.push(Column {
            header: header.to_string(),
            field,
            ignored,
        });
        Ok(())
    }
}

/// In a table, a required field without a column would refuse every row.
fn check_required(header: &[Arc<str>], validator: &mut Validator) -> Result<(), FileError> {
    let targets: Vec<Target> = header.iter().map(|name| validator.target(name)).collect();
    let missing = |(index, field): &(usize, &Field)| {
        validator.requires(field) && !targets.contains(&Target::Field(*index))
    };
    let fields = validator.dataset().fields().iter().enumerate();
    let missing: Vec<_> = fields
        .filter(missing)
        .map(|(_, f)| f.name.as_str())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(FileError::MissingColumn {
        columns: missing.join(", "),
    })
}

/// Which rows are about a record that a later row of the file is about too.
///
/// Two rows in a million usually share nothing, so every uid only marks one bit of 8 MiB; from
/// the second row at the same bit on, the uid's digest and last row are kept.
#[derive(Debug)]
pub struct Repetitions {
    seen: Box<[u64]>,
    last_rows: HashMap<[u8; 16], u64>,
    of_events: bool,
    /// Whether too many repeat to tell which.
    all_repeat: bool,
}

const SEEN_BITS: usize = 1 << 26;
/// The most uids that are kept: about 160 MB. As many share a bit in a file of 20 million
/// different records.
const MAX_REPETITIONS: usize = 3_500_000;

impl Default for Repetitions {
    fn default() -> Self {
        Self {
            seen: vec![0; SEEN_BITS / 64].into_boxed_slice(),
            last_rows: HashMap::new(),
            of_events: false,
            all_repeat: false,
        }
    }
}

impl Repetitions {
    fn see(&mut self, id: &RecordId, row: u64) -> Result<(), FileError> {
        let digest = uid_digest(id);
        let (word, bit) = place(&digest);
        let Some(word) = self.seen.get_mut(word) else {
            return Ok(());
        };
        if *word & bit != 0 {
            if !self.all_repeat {
                self.last_rows.insert(digest, row);
            }
            if self.last_rows.len() > MAX_REPETITIONS {
                if !self.of_events {
                    return Err(FileError::TooManyRepetitions { row });
                }
                // Events all count, so that nothing depends on which of them are alone.
                self.all_repeat = true;
                self.last_rows = HashMap::new();
            }
        }
        *word |= bit;
        Ok(())
    }

    /// The last row about a record, if a row is not the last. Of events, which all count, the last
    /// one about a customer whom several are about.
    pub fn later_row(&self, id: &RecordId, row: u64) -> Option<u64> {
        if self.all_repeat {
            return Some(row);
        }
        if self.last_rows.is_empty() {
            return None;
        }
        let last = self.last_rows.get(&uid_digest(id))?;
        (*last > row || self.of_events).then_some(*last)
    }
}

fn uid_digest(id: &RecordId) -> [u8; 16] {
    let digest = Sha256::digest(id.to_string().as_bytes());
    digest.first_chunk().copied().unwrap_or_default()
}

fn place(digest: &[u8; 16]) -> (usize, u64) {
    let head = digest.first_chunk::<4>().copied().unwrap_or_default();
    let position = u32::from_be_bytes(head) as usize % SEEN_BITS;
    (position / 64, 1 << (position % 64))
}

struct HashingReader<R> {
    inner: R,
    digest: Arc<Mutex<Sha256>>,
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let poisoned = |_| io::Error::other("the digest was lost");
        let mut digest = self.digest.lock().map_err(poisoned)?;
        digest.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    fn surveyed(text: &'static str) -> Result<Survey, FileError> {
        let mut validator = Validator::new(
            Dataset::customers(),
            crate::identity::OrganizationId::new(1).unwrap(),
            "generic".parse().unwrap(),
            crate::protection::OrganizationKeys::of_tests(),
            UnknownColumns::Keep,
            2026,
        );
        survey(text.as_bytes(), &Hints::default(), &mut validator)
    }

    fn id(external_id: &str) -> RecordId {
        let uid = format!("1-generic-{external_id}");
        RecordId::Customer(crate::identity::CustomerUid::parse(&uid).unwrap())
    }

    #[test]
    fn a_file_is_known_before_it_is_imported() {
        let text = "Customer ID,Telephone,village\n1,2,3\n4,5,6\n1,8,9\n";
        let survey = surveyed(text).unwrap();
        assert_eq!(survey.rows, 3);
        assert_eq!(survey.sha256, HEXLOWER.encode(&Sha256::digest(text)));
        let fields: Vec<_> = survey.columns.iter().map(|c| c.field.as_deref()).collect();
        assert_eq!(fields, [Some("external_id"), Some("phone"), Some("custom")]);
        assert_eq!(survey.repetitions.later_row(&id("1"), 1), Some(3));
        assert_eq!(survey.repetitions.later_row(&id("1"), 3), None);
        assert_eq!(survey.repetitions.later_row(&id("4"), 2), None);
    }

    #[test]
    fn a_row_that_is_refused_repeats_nothing() {
        let survey = surveyed("external_id,birth_year\n1,1990\n1,abc\n").unwrap();
        assert_eq!(survey.repetitions.later_row(&id("1"), 1), None);
    }

    #[test]
    fn json_objects_may_spell_a_field_differently_and_their_own_keys_stay_out_of_the_job() {
        let text =
            r#"[{"external_id": 1, "phone": 2, "+25670": 1}, {"Customer ID": 3, "Phone": 4}]"#;
        let survey = surveyed(text).unwrap();
        let headers: Vec<_> = survey.columns.iter().map(|c| c.header.as_str()).collect();
        assert_eq!(headers, ["external_id", "phone"]);
    }

    #[test]
    fn an_unusual_dialect_is_read_to_be_imported() {
        let table = [
            "external_id, name\n1, \"x, y\"\n2, z\n",
            "'external_id','name'\n'1','x, y'\n'2','z'\n",
            "external_id,name\n1,\"5\\\" x, y\"\n2,z\n",
        ];
        for text in table {
            let survey = surveyed(text).unwrap();
            let headers: Vec<_> = survey.columns.iter().map(|c| c.header.as_str()).collect();
            assert_eq!(headers, ["external_id", "name"], "{text:?}");
            assert_eq!((survey.rows, survey.rejected), (2, 0), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_imported_is_refused_whole() {
        let table = [
            ("name\nx\n", "missing_column"),
            // The first row of a file without a header.
            ("7,John,John\n8,Ann,Ann\n", "missing_column"),
            ("external_id,village,village\n1,2,3\n", "duplicate_column"),
            ("external_id,Telephon\n1,2\n", "near_miss"),
            (
                "external_id,phone,Phone Number\n1,2,3\n",
                "duplicate_column",
            ),
            ("[{\"external_id\": 1}, {\"Telephon\": 2}]", "near_miss"),
            ("external_id,name\n1,2\n3,\"4\n", "unclosed_quote"),
            // Another spelling of a field that is known, as long as a key must not be.
            (
                concat!(
                    "{\"external_id\": 1, \"name\": \"a\"}\n{\"external_id\": 2, \"n",
                    "------------------------------------------------------------------------",
                    "------------------------------------------------------------------------",
                    "------------------------------------------------------------------------",
                    "------------------------------------------------------------------------",
                    "ame\": \"b\"}\n",
                ),
                "header_too_long",
            ),
        ];
        for (text, code) in table {
            assert_eq!(surveyed(text).unwrap_err().code(), code, "{text:?}");
        }
    }
}
