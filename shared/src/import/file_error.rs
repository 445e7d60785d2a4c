//! Why a file as a whole is refused, in words for the person who sent it.

use std::io;

use crate::language::Language;

/// What is wrong with a file. Nothing of it is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// It has no content.
    Empty,
    /// It could not be read to its end.
    Unreadable,
    /// It holds bytes that are no text.
    NotText,
    /// It is of a format that is not read.
    UnsupportedFormat(String),
    /// A line is not UTF-8.
    NotUtf8 {
        /// The 1-based line.
        line: u64,
    },
    /// A quote is never closed.
    UnclosedQuote {
        /// The 1-based line where its row begins.
        line: u64,
    },
    /// A row is too long.
    RowTooLong {
        /// The 1-based line where it begins.
        line: u64,
        /// The limit in KiB.
        limit: usize,
    },
    /// The header has too many columns.
    TooManyColumns {
        /// The limit.
        limit: usize,
    },
    /// A column's name is too long.
    HeaderTooLong {
        /// The 1-based column.
        column: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Two columns mean the same field.
    DuplicateColumn {
        /// The second column.
        column: String,
        /// The first column.
        other: String,
    },
    /// A required field has no column.
    MissingColumn {
        /// The fields.
        columns: String,
    },
    /// An unknown column has a name close to a protected field's.
    NearMiss {
        /// The column.
        column: String,
        /// The field's header that was probably meant.
        meant: String,
    },
    /// An unknown column, where the organisation refuses those.
    UnknownColumn {
        /// The column.
        column: String,
    },
    /// A JSON document that does not parse.
    Json {
        /// The 1-based line.
        line: usize,
        /// The 1-based column in that line.
        column: usize,
    },
    /// A JSON document without rows, or with rows that are nested too deeply.
    JsonShape {
        /// The limit in levels.
        depth: usize,
    },
    /// A JSON document that is too large.
    JsonTooLarge {
        /// The limit in MiB.
        limit: u64,
    },
    /// The object's key is not one of an import.
    Key(String),
    /// There is no such organisation.
    UnknownOrganization,
    /// There is no such dataset.
    UnknownDataset {
        /// The datasets there are.
        datasets: String,
    },
    /// The source belongs to a dialect.
    ReservedSource,
    /// The group exists and is of another dataset.
    GroupOfOtherDataset {
        /// The group's dataset.
        dataset: String,
    },
    /// The group is the one that all of another source's records are in.
    GroupOfOtherSource,
    /// The object was replaced or deleted before it was read.
    ObjectGone,
}

impl FileError {
    pub(crate) fn unreadable(_: io::Error) -> Self {
        Self::Unreadable
    }

    /// The stable code, for clients.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_file",
            Self::Unreadable => "unreadable",
            Self::NotText => "not_text",
            Self::UnsupportedFormat(_) => "unsupported_format",
            Self::NotUtf8 { .. } => "not_utf8",
            Self::UnclosedQuote { .. } => "unclosed_quote",
            Self::RowTooLong { .. } => "row_too_long",
            Self::TooManyColumns { .. } => "too_many_columns",
            Self::HeaderTooLong { .. } => "header_too_long",
            Self::DuplicateColumn { .. } => "duplicate_column",
            Self::MissingColumn { .. } => "missing_column",
            Self::NearMiss { .. } => "near_miss",
            Self::UnknownColumn { .. } => "unknown_column",
            Self::Json { .. } => "invalid_json",
            Self::JsonShape { .. } => "json_shape",
            Self::JsonTooLarge { .. } => "json_too_large",
            Self::Key(_) => "bad_key",
            Self::UnknownOrganization => "unknown_organization",
            Self::UnknownDataset { .. } => "unknown_dataset",
            Self::ReservedSource => "reserved_source",
            Self::GroupOfOtherDataset { .. } => "group_of_other_dataset",
            Self::GroupOfOtherSource => "group_of_other_source",
            Self::ObjectGone => "object_gone",
        }
    }

    /// What is wrong and what to do, in a person's language.
    pub fn message(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::French => self.french(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Empty => "the file is empty; it needs a header row and data rows".into(),
            Self::Unreadable => "the file could not be read to its end; send it again".into(),
            Self::NotText => "the file is not text; export it as csv in UTF-8".into(),
            Self::UnsupportedFormat(format) => {
                format!("files of this format ({format}) are not read; export it as csv in UTF-8")
            }
            Self::NotUtf8 { line } => {
                format!("line {line} is not UTF-8; export the file as csv in UTF-8")
            }
            Self::UnclosedQuote { line } => {
                format!("a quote in the row that begins at line {line} is never closed")
            }
            Self::RowTooLong { line, limit } => {
                format!("the row that begins at line {line} is longer than {limit} KiB; look for a missing quote")
            }
            Self::HeaderTooLong { column, limit } => {
                format!("the name of column {column} is longer than {limit} bytes")
            }
            Self::TooManyColumns { limit } => format!("the file has more than {limit} columns"),
            Self::DuplicateColumn { column, other } if column == other => {
                format!("the file has two columns named {column}; rename or remove one")
            }
            Self::DuplicateColumn { column, other } => {
                format!("the columns {other} and {column} mean the same field; remove one or join them")
            }
            Self::MissingColumn { columns } => {
                format!("the header lacks a column for {columns}, which is required; check that the first row is the header and cells are separated by commas")
            }
            Self::NearMiss { column, meant } => {
                format!("the column {column} is unknown: did you mean {meant}? Rename it, so that nothing personal is stored unprotected")
            }
            Self::UnknownColumn { column } => {
                format!("the column {column} is unknown, and your organization does not accept unknown columns")
            }
            Self::Json { line, column } => {
                format!("the JSON is broken at line {line}, column {column}")
            }
            Self::JsonShape { depth } => format!(
                "the JSON must be an array of objects, or an object with one under \"data\", nested no deeper than {depth} levels"
            ),
            Self::JsonTooLarge { limit } => {
                format!("a JSON document may have {limit} MiB; send a csv or several documents")
            }
            Self::Key(reason) => format!(
                "the object's key is not inbox/{{organization}}/{{source}}/{{dataset}}/[{{group}}/]{{filename}}: {reason}"
            ),
            Self::UnknownOrganization => "there is no such organization".into(),
            Self::UnknownDataset { datasets } => {
                format!("there is no such dataset; there are {datasets}")
            }
            Self::ReservedSource => {
                "this source is kept for the records of another interface; name another one".into()
            }
            Self::GroupOfOtherDataset { dataset } => {
                format!("the group exists already and is for {dataset}; name another group")
            }
            Self::GroupOfOtherSource => {
                "this group is kept for all the records of another source; name another group".into()
            }
            Self::ObjectGone => {
                "the file was replaced or deleted before it was read; the new one has a job of its own".into()
            }
        }
    }

    fn french(&self) -> String {
        match self {
            Self::Empty => "le fichier est vide ; il lui faut une ligne d'en-tête et des lignes de données".into(),
            Self::Unreadable => "le fichier n'a pas pu être lu jusqu'au bout ; envoyez-le à nouveau".into(),
            Self::NotText => "le fichier n'est pas du texte ; exportez-le en csv UTF-8".into(),
            Self::UnsupportedFormat(format) => {
                format!("les fichiers de ce format ({format}) ne sont pas lus ; exportez-le en csv UTF-8")
            }
            Self::NotUtf8 { line } => {
                format!("la ligne {line} n'est pas en UTF-8 ; exportez le fichier en csv UTF-8")
            }
            Self::UnclosedQuote { line } => {
                format!("un guillemet de la ligne de données qui commence à la ligne {line} n'est jamais fermé")
            }
            Self::RowTooLong { line, limit } => {
                format!("la ligne de données qui commence à la ligne {line} dépasse {limit} Kio ; cherchez un guillemet manquant")
            }
            Self::HeaderTooLong { column, limit } => {
                format!("le nom de la colonne {column} dépasse {limit} octets")
            }
            Self::TooManyColumns { limit } => format!("le fichier a plus de {limit} colonnes"),
            Self::DuplicateColumn { column, other } if column == other => {
                format!("le fichier a deux colonnes nommées {column} ; renommez-en ou retirez-en une")
            }
            Self::DuplicateColumn { column, other } => {
                format!("les colonnes {other} et {column} désignent le même champ ; retirez-en une ou réunissez-les")
            }
            Self::MissingColumn { columns } => {
                format!("l'en-tête n'a pas de colonne pour {columns}, qui est obligatoire ; vérifiez que la première ligne est l'en-tête et que les cellules sont séparées par des virgules")
            }
            Self::NearMiss { column, meant } => {
                format!("la colonne {column} est inconnue : vouliez-vous dire {meant} ? Renommez-la, afin que rien de personnel ne soit enregistré sans protection")
            }
            Self::UnknownColumn { column } => {
                format!("la colonne {column} est inconnue, et votre organisation n'accepte pas les colonnes inconnues")
            }
            Self::Json { line, column } => {
                format!("le JSON est incorrect à la ligne {line}, colonne {column}")
            }
            Self::JsonShape { depth } => format!(
                "le JSON doit être un tableau d'objets, ou un objet qui en contient un sous \"data\", sans dépasser {depth} niveaux"
            ),
            Self::JsonTooLarge { limit } => {
                format!("un document JSON peut avoir {limit} Mio ; envoyez un csv ou plusieurs documents")
            }
            Self::Key(reason) => format!(
                "la clé de l'objet n'est pas inbox/{{organisation}}/{{source}}/{{jeu de données}}/[{{groupe}}/]{{fichier}} : {reason}"
            ),
            Self::UnknownOrganization => "cette organisation n'existe pas".into(),
            Self::UnknownDataset { datasets } => {
                format!("ce jeu de données n'existe pas ; il y a {datasets}")
            }
            Self::ReservedSource => {
                "cette source est réservée aux fiches d'une autre interface ; choisissez-en une autre".into()
            }
            Self::GroupOfOtherDataset { dataset } => {
                format!("le groupe existe déjà et concerne {dataset} ; choisissez un autre groupe")
            }
            Self::GroupOfOtherSource => {
                "ce groupe est réservé à toutes les fiches d'une autre source ; choisissez un autre groupe".into()
            }
            Self::ObjectGone => {
                "le fichier a été remplacé ou supprimé avant d'être lu ; le nouveau a sa propre tâche".into()
            }
        }
    }
}
