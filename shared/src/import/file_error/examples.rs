//! One of each error of a file, for the documentation.

use super::FileError;
use crate::{
    decode::{MAX_COLUMNS, MAX_ROW_BYTES},
    import::survey::MAX_HEADER_BYTES,
};

impl FileError {
    /// One of each, as somebody may meet it.
    pub fn examples() -> Vec<Self> {
        let text = str::to_owned;
        let row_limit = MAX_ROW_BYTES / 1024;
        vec![
            Self::Empty,
            Self::Unreadable,
            Self::NotText,
            Self::UnsupportedFormat {
                format: text("PDF"),
            },
            Self::NotUtf8 { line: 12 },
            Self::MixedEncodings { line: 12 },
            Self::ForeignEncoding {
                encoding: text("windows-1251"),
            },
            Self::BrokenGzip,
            Self::GzipOfOther,
            Self::GzipTooLarge { limit: 16 },
            Self::UnclosedQuote { line: 12 },
            Self::RowTooLong {
                line: 12,
                limit: row_limit,
            },
            Self::TooManyColumns { limit: MAX_COLUMNS },
            Self::HeaderTooLong {
                column: 3,
                limit: MAX_HEADER_BYTES,
            },
            Self::DuplicateColumn {
                column: text("phone"),
            },
            Self::SameField {
                column: text("Phone Number"),
                other: text("phone"),
            },
            Self::MissingColumn {
                columns: text("external_id"),
            },
            Self::NearMiss {
                column: text("Telephon"),
                meant: text("Telephone"),
            },
            Self::UnknownColumn {
                column: text("shoe_size"),
            },
            Self::UnknownKey { row: 11 },
            Self::TooManyRepetitions { row: 20_000_000 },
            Self::Json {
                line: 12,
                column: 7,
            },
            Self::JsonCut { line: 12 },
            Self::JsonShape,
            Self::JsonTooDeep {
                line: 12,
                column: 7,
                limit: 32,
            },
            Self::JsonRowTooLong {
                row: 11,
                line: 12,
                limit: row_limit,
            },
            Self::JsonTextTooLong {
                line: 12,
                limit: row_limit,
            },
            Self::WorkbookTooLarge { limit: 256 },
            Self::WorkbookExpandsTooFar { limit: 1024 },
            Self::SuspiciousCompression,
            Self::BrokenWorkbook,
            Self::PasswordProtected,
            Self::TooManyParts { limit: 10_000 },
            Self::TooManySheets { limit: 256 },
            Self::TooManyTexts {
                limit: 2_000_000,
                mebibytes: 64,
            },
            Self::TooManyStyles { limit: 131_072 },
            Self::HostileXml,
            Self::RowsOutOfOrder { line: 12 },
            Self::UnreadCellError {
                error: text("#FIELD!"),
                line: 12,
            },
            Self::FileTooLarge { limit: 5 },
            Self::RowsOfRequest { limit: 10_000 },
            Self::BytesOfRequest { limit: 64 },
            Self::UnknownMode,
            Self::Key {
                reason: text("it has another number of folders"),
            },
            Self::UnknownOrganization,
            Self::UnknownDataset {
                datasets: text("customers, meters, contacts, profiles, workspace"),
            },
            Self::NoWorkspaceFields,
            Self::SourceOfDataset {
                dataset: text("contacts"),
                source: text("external"),
            },
            Self::ReservedSource,
            Self::GroupOfOtherDataset {
                dataset: text("meters"),
            },
            Self::GroupOfOtherSource,
            Self::GroupDeleted {
                group: text("members"),
            },
            Self::ObjectGone,
            Self::Masked,
            Self::RowsRefused {
                rejected: 3,
                rows: 250,
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_example_of_each() {
        let codes: Vec<&str> = FileError::examples().iter().map(FileError::code).collect();
        assert_eq!(codes, FileError::CODES);
    }
}
