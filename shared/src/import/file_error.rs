//! Why a file as a whole is refused, in words for the person who sent it.

mod examples;

use std::io;

use crate::language::Language;

macro_rules! file_errors {
    ($(
        $(#[$doc:meta])*
        $variant:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })?
        $code:literal $en:literal $fr:literal
    )+) => {
        /// What is wrong with a file. Nothing of it is imported. Codes are stable: clients may
        /// rely on them.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum FileError {
            $($(#[$doc])* $variant $({ $($(#[$field_doc])* $field: $type,)+ })?,)+
        }

        impl FileError {
            /// Every code; some are those of several variants.
            pub const CODES: &[&str] = &[$($code,)+];

            /// The stable code, for clients.
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant $({ $($field: _,)+ })? => $code,)+ }
            }

            /// What is wrong and what to do, in a person's language.
            pub fn message(&self, language: Language) -> String {
                match (self, language) {
                    $((Self::$variant $({ $($field,)+ })?, Language::English) => format!($en),
                      (Self::$variant $({ $($field,)+ })?, Language::French) => format!($fr),)+
                }
            }
        }
    };
}

file_errors! {
    /// It has no content.
    Empty "empty_file"
        "the file is empty; it needs a header row and data rows"
        "le fichier est vide ; il lui faut une ligne d'en-tête et des lignes de données"
    /// It could not be read to its end.
    Unreadable "unreadable"
        "the file could not be read to its end; send it again"
        "le fichier n'a pas pu être lu jusqu'au bout ; envoyez-le à nouveau"
    /// It holds bytes that are no text.
    NotText "not_text"
        "the file is neither text nor a spreadsheet that can be read; export it as csv in UTF-8 or as xlsx"
        "le fichier n'est ni du texte ni un classeur lisible ; exportez-le en csv UTF-8 ou en xlsx"
    /// It is of a format that is not read.
    UnsupportedFormat {
        /// The format's name.
        format: String,
    } "unsupported_format"
        "files of this format ({format}) are not read; export it as csv in UTF-8 or as xlsx"
        "les fichiers de ce format ({format}) ne sont pas lus ; exportez-le en csv UTF-8 ou en xlsx"
    /// A line is not of the encoding that the file began in.
    NotUtf8 {
        /// The 1-based line.
        line: u64,
    } "not_utf8"
        "line {line} is not UTF-8; export the file as csv in UTF-8"
        "la ligne {line} n'est pas en UTF-8 ; exportez le fichier en csv UTF-8"
    /// It began in UTF-8 and goes on in another encoding.
    MixedEncodings {
        /// The 1-based line where it does.
        line: u64,
    } "mixed_encodings"
        "line {line} is not UTF-8 and others are, so no encoding reads every name right; export the file as csv in UTF-8"
        "la ligne {line} n'est pas en UTF-8 alors que d'autres le sont, donc aucun encodage ne rend tous les noms ; exportez le fichier en csv UTF-8"
    /// It is in an encoding that is not read.
    ForeignEncoding {
        /// What it seems to be, as the WHATWG's Encoding Standard has it.
        encoding: String,
    } "foreign_encoding"
        "the text seems to be in {encoding}, which is not read; export the file as csv in UTF-8, so that names keep their letters"
        "le texte semble être en {encoding}, qui n'est pas lu ; exportez le fichier en csv UTF-8, afin que les noms gardent leurs lettres"
    /// Its compression is broken.
    BrokenGzip "broken_gzip"
        "the gzip file is damaged or was cut off; compress it and send it again"
        "le fichier gzip est endommagé ou incomplet ; compressez-le et envoyez-le à nouveau"
    /// Its content is compressed twice or is no text.
    GzipOfOther "gzip_of_other"
        "the gzip file holds something other than csv, json or ndjson; send what is inside it"
        "le fichier gzip contient autre chose que du csv, json ou ndjson ; envoyez son contenu"
    /// It expands beyond reason.
    GzipTooLarge {
        /// The limit in GiB.
        limit: u64,
    } "gzip_too_large"
        "the gzip file expands to more than {limit} GiB or far more than text does; send it uncompressed or in several files"
        "le fichier gzip dépasse {limit} Gio une fois décompressé, ou bien plus que du texte ; envoyez-le non compressé ou en plusieurs fichiers"
    /// A quote is never closed.
    UnclosedQuote {
        /// The 1-based line where its row begins.
        line: u64,
    } "unclosed_quote"
        "a quote in the row that begins at line {line} is never closed"
        "un guillemet de la ligne de données qui commence à la ligne {line} n'est jamais fermé"
    /// A row is too long.
    RowTooLong {
        /// The 1-based line where it begins.
        line: u64,
        /// The limit in KiB.
        limit: usize,
    } "row_too_long"
        "the row that begins at line {line} is longer than {limit} KiB; look for a missing quote"
        "la ligne de données qui commence à la ligne {line} dépasse {limit} Kio ; cherchez un guillemet manquant"
    /// The header has too many columns.
    TooManyColumns {
        /// The limit.
        limit: usize,
    } "too_many_columns"
        "the file has more than {limit} columns"
        "le fichier a plus de {limit} colonnes"
    /// A column's name is too long.
    HeaderTooLong {
        /// The 1-based column.
        column: usize,
        /// The limit in bytes.
        limit: usize,
    } "header_too_long"
        "the name of column {column} is longer than {limit} bytes"
        "le nom de la colonne {column} dépasse {limit} octets"
    /// Two columns have one name.
    DuplicateColumn {
        /// The name.
        column: String,
    } "duplicate_column"
        "the file has two columns named {column}; rename or remove one"
        "le fichier a deux colonnes nommées {column} ; renommez-en ou retirez-en une"
    /// Two columns mean the same field.
    SameField {
        /// The second column.
        column: String,
        /// The first column.
        other: String,
    } "duplicate_column"
        "the columns {other} and {column} mean the same field; remove one or join them"
        "les colonnes {other} et {column} désignent le même champ ; retirez-en une ou réunissez-les"
    /// A required field has no column.
    MissingColumn {
        /// The fields.
        columns: String,
    } "missing_column"
        "the header lacks a column for {columns}, which is required; check that the first row is the header"
        "l'en-tête n'a pas de colonne pour {columns}, qui est obligatoire ; vérifiez que la première ligne est l'en-tête"
    /// An unknown column has a name close to a protected field's.
    NearMiss {
        /// The column.
        column: String,
        /// The field's header that was probably meant.
        meant: String,
    } "near_miss"
        "the column {column} is unknown: did you mean {meant}? Rename it, so that nothing personal is stored unprotected"
        "la colonne {column} est inconnue : vouliez-vous dire {meant} ? Renommez-la, afin que rien de personnel ne soit enregistré sans protection"
    /// An unknown column, where the organisation refuses those.
    UnknownColumn {
        /// The column.
        column: String,
    } "unknown_column"
        "the column {column} is unknown, and your organization does not accept unknown columns"
        "la colonne {column} est inconnue, et votre organisation n'accepte pas les colonnes inconnues"
    /// A key of a JSON object is unknown, where the organisation refuses those. Its name may be
    /// anything, personal data as well.
    UnknownKey {
        /// The 1-based row.
        row: u64,
    } "unknown_column"
        "row {row} has a key that is unknown, and your organization does not accept unknown columns"
        "la ligne de données {row} a une clé inconnue, et votre organisation n'accepte pas les colonnes inconnues"
    /// Too many rows to tell which are about the same record.
    TooManyRepetitions {
        /// The 1-based row.
        row: u64,
    } "too_many_rows"
        "up to row {row}, the file has more rows than can be told apart (about 20 million, or 3 million that repeat earlier ones); send it in several files"
        "jusqu'à la ligne {row}, le fichier a plus de lignes que l'on ne peut distinguer (environ 20 millions, ou 3 millions qui en répètent d'autres) ; envoyez-le en plusieurs fichiers"
    /// A JSON document that does not parse.
    Json {
        /// The 1-based line.
        line: u64,
        /// The 1-based column in that line, in characters.
        column: u64,
    } "invalid_json"
        "the JSON is broken at line {line}, column {column}"
        "le JSON est incorrect à la ligne {line}, colonne {column}"
    /// A JSON document that ends too early.
    JsonCut {
        /// The 1-based last line.
        line: u64,
    } "invalid_json"
        "the JSON ends in the middle, at line {line}; send the whole file"
        "le JSON s'arrête au milieu, à la ligne {line} ; envoyez le fichier entier"
    /// JSON without rows where they are looked for.
    JsonShape "json_shape"
        "the JSON must be an array of objects, or an object with one array of them under \"data\", or one object on each line in a file named .ndjson"
        "le JSON doit être un tableau d'objets, ou un objet qui en contient un seul sous \"data\", ou un objet par ligne dans un fichier nommé .ndjson"
    /// A JSON document that is nested too deeply.
    JsonTooDeep {
        /// The 1-based line.
        line: u64,
        /// The 1-based column in that line, in characters.
        column: u64,
        /// The limit in levels.
        limit: usize,
    } "json_too_deep"
        "the JSON at line {line}, column {column} is nested deeper than {limit} levels; flatten it"
        "le JSON à la ligne {line}, colonne {column} dépasse {limit} niveaux d'imbrication ; aplatissez-le"
    /// A row of a JSON document is too long.
    JsonRowTooLong {
        /// The 1-based row.
        row: u64,
        /// The 1-based line where it begins.
        line: u64,
        /// The limit in KiB.
        limit: usize,
    } "row_too_long"
        "row {row}, which begins at line {line}, is longer than {limit} KiB; each element of the array must be one row"
        "la ligne de données {row}, qui commence à la ligne {line} du fichier, dépasse {limit} Kio ; chaque élément du tableau doit être une seule ligne de données"
    /// A text beside a JSON document's rows is too long.
    JsonTextTooLong {
        /// The 1-based line where its member begins.
        line: u64,
        /// The limit in KiB.
        limit: usize,
    } "text_too_long"
        "the JSON at line {line} has a text of more than {limit} KiB; remove it, or look for a missing quote"
        "le JSON à la ligne {line} contient un texte de plus de {limit} Kio ; retirez-le, ou cherchez un guillemet manquant"
    /// A workbook that is too large.
    WorkbookTooLarge {
        /// The limit in MiB.
        limit: u64,
    } "workbook_too_large"
        "a workbook may have {limit} MiB; export it as csv or send it in several files"
        "un classeur peut avoir {limit} Mio ; exportez-le en csv ou envoyez-le en plusieurs fichiers"
    /// A workbook whose content is too large once it is expanded.
    WorkbookExpandsTooFar {
        /// The limit in MiB.
        limit: u64,
    } "workbook_expands_too_far"
        "the workbook's content is larger than {limit} MiB once it is expanded; export it as csv or send it in several files"
        "le contenu du classeur dépasse {limit} Mio une fois décompressé ; exportez-le en csv ou envoyez-le en plusieurs fichiers"
    /// A workbook that is compressed as no spreadsheet is.
    SuspiciousCompression "suspicious_compression"
        "the workbook expands to many times its size, as no table does; export it as csv"
        "le classeur se décompresse en un multiple de sa taille, ce qu'aucun tableau ne fait ; exportez-le en csv"
    /// A workbook that is damaged, cut off or not one at all.
    BrokenWorkbook "broken_workbook"
        "the workbook is damaged or cut off; open it in a spreadsheet program, save it as xlsx and send it again"
        "le classeur est endommagé ou tronqué ; ouvrez-le dans un tableur, enregistrez-le en xlsx et renvoyez-le"
    /// A workbook that only opens with a password.
    PasswordProtected "password_protected"
        "the workbook is password-protected; save it without a password and send it again"
        "le classeur est protégé par un mot de passe ; enregistrez-le sans mot de passe et renvoyez-le"
    /// A workbook of too many parts.
    TooManyParts {
        /// The limit.
        limit: usize,
    } "too_many_parts"
        "the workbook consists of more than {limit} parts; copy the table to a new workbook, or export it as csv"
        "le classeur se compose de plus de {limit} parties ; copiez le tableau dans un nouveau classeur, ou exportez-le en csv"
    /// A workbook of too many sheets.
    TooManySheets {
        /// The limit.
        limit: usize,
    } "too_many_sheets"
        "the workbook has more than {limit} sheets; copy the table to a new workbook, or export it as csv"
        "le classeur a plus de {limit} feuilles ; copiez le tableau dans un nouveau classeur, ou exportez-le en csv"
    /// A workbook of too many different texts, which are held in memory.
    TooManyTexts {
        /// The most texts.
        limit: u64,
        /// Their size in MiB.
        mebibytes: u64,
    } "too_many_texts"
        "the workbook has more than {limit} different texts or {mebibytes} MiB of them; export it as csv or send it in several files"
        "le classeur a plus de {limit} textes différents ou {mebibytes} Mio de textes ; exportez-le en csv ou envoyez-le en plusieurs fichiers"
    /// A workbook of too many or too long cell formats.
    TooManyStyles {
        /// The limit.
        limit: usize,
    } "too_many_styles"
        "the workbook has more than {limit} cell formats, or formats that are too long; copy the values to a new workbook, or export it as csv"
        "le classeur a plus de {limit} formats de cellule, ou des formats trop longs ; copiez les valeurs dans un nouveau classeur, ou exportez-le en csv"
    /// A workbook whose XML is built to harm its reader.
    HostileXml "hostile_xml"
        "the workbook holds XML that no spreadsheet program writes; copy the table to a new workbook, or export it as csv"
        "le classeur contient du XML qu'aucun tableur n'écrit ; copiez le tableau dans un nouveau classeur, ou exportez-le en csv"
    /// A sheet whose rows or cells are repeated or out of their order.
    RowsOutOfOrder {
        /// The row's number in the spreadsheet.
        line: u64,
    } "rows_out_of_order"
        "the workbook is damaged: row {line} or a cell of it comes twice or out of order; save it again in a spreadsheet program"
        "le classeur est endommagé : la ligne {line} ou une de ses cellules apparaît deux fois ou dans le désordre ; enregistrez-le à nouveau dans un tableur"
    /// A cell shows an error that is not read.
    UnreadCellError {
        /// What the cell shows.
        error: String,
        /// The number of its row in the spreadsheet, or of one above.
        line: u64,
    } "unread_cell_error"
        "a cell in row {line} or below shows {error}; correct its formula, or paste the table as values, and send it again"
        "une cellule de la ligne {line} ou plus bas affiche {error} ; corrigez sa formule, ou collez le tableau en valeurs, et renvoyez-le"
    /// The file is too large.
    FileTooLarge {
        /// The limit in GiB.
        limit: u64,
    } "file_too_large"
        "a file may have {limit} GiB; send it in several files"
        "un fichier peut avoir {limit} Gio ; envoyez-le en plusieurs fichiers"
    /// More rows than a request may have.
    RowsOfRequest {
        /// The most rows.
        limit: u64,
    } "too_many_rows"
        "File cannot be larger than {limit} rows"
        "Le fichier ne peut pas dépasser {limit} lignes"
    /// More content than a request may have.
    BytesOfRequest {
        /// The limit in MiB.
        limit: u64,
    } "too_large_for_request"
        "the file's values have more than {limit} MiB; announce it with POST /v1/uploads"
        "les valeurs du fichier dépassent {limit} Mio ; annoncez-le avec POST /v1/uploads"
    /// There is no such mode of import.
    UnknownMode "unknown_mode"
        "there is no such mode; there are write, all_or_nothing and dry_run"
        "ce mode n'existe pas ; il y a write, all_or_nothing et dry_run"
    /// The object's key is not one of an import.
    Key {
        /// What is wrong with it.
        reason: String,
    } "bad_key"
        "the object's key is not inbox/{{organization}}/{{source}}/{{dataset}}/[{{group}}/]{{filename}}: {reason}"
        "la clé de l'objet n'est pas inbox/{{organisation}}/{{source}}/{{jeu de données}}/[{{groupe}}/]{{fichier}} : {reason}"
    /// There is no such organisation.
    UnknownOrganization "unknown_organization"
        "there is no such organization"
        "cette organisation n'existe pas"
    /// There is no such dataset.
    UnknownDataset {
        /// The datasets there are.
        datasets: String,
    } "unknown_dataset"
        "there is no such dataset; there are {datasets}"
        "ce jeu de données n'existe pas ; il y a {datasets}"
    /// The organisation has not defined its workspace.
    NoWorkspaceFields "no_workspace_fields"
        "your organization has not defined the fields of its workspace; define them (PUT /v1/workspace/fields) and send the file again"
        "votre organisation n'a pas défini les champs de son espace de travail ; définissez-les (PUT /v1/workspace/fields) et envoyez le fichier à nouveau"
    /// All the dataset's records are of another source.
    SourceOfDataset {
        /// The dataset.
        dataset: String,
        /// Its source.
        source: String,
    } "source_of_dataset"
        "records of {dataset} have the source {source}; send the file under {source}/{dataset}"
        "les fiches de {dataset} ont la source {source} ; envoyez le fichier sous {source}/{dataset}"
    /// The source belongs to a dialect.
    ReservedSource "reserved_source"
        "this source is kept for the records of another interface; name another one"
        "cette source est réservée aux fiches d'une autre interface ; choisissez-en une autre"
    /// The group exists and is of another dataset.
    GroupOfOtherDataset {
        /// The group's dataset.
        dataset: String,
    } "group_of_other_dataset"
        "the group exists already and is for {dataset}; name another group"
        "le groupe existe déjà et concerne {dataset} ; choisissez un autre groupe"
    /// The group is the one that all of another source's records are in.
    GroupOfOtherSource "group_of_other_source"
        "this group is kept for all the records of another source; name another group"
        "ce groupe est réservé à toutes les fiches d'une autre source ; choisissez un autre groupe"
    /// The group was deleted.
    GroupDeleted {
        /// The group.
        group: String,
    } "group_deleted"
        "the group {group} was deleted; name another group, or make it again once its deletion has ended"
        "le groupe {group} a été supprimé ; choisissez un autre groupe, ou recréez-le une fois sa suppression terminée"
    /// The object was replaced or deleted before it was read.
    ObjectGone "object_gone"
        "the file was replaced or deleted before it was read to its end; what was put in its place is not part of this job"
        "le fichier a été remplacé ou supprimé avant d'être lu jusqu'au bout ; ce qui a été mis à sa place ne fait pas partie de cette tâche"
    /// A corrected csv of rejected rows whose values were masked.
    Masked "masked_values"
        "some values of this file are masked as ***; correct a rejected.csv that was downloaded with the scope pii:reveal"
        "certaines valeurs de ce fichier sont masquées par *** ; corrigez un rejected.csv téléchargé avec le droit pii:reveal"
    /// A row was refused, and the file was to land whole or not at all.
    RowsRefused {
        /// Rows that were refused.
        rejected: u64,
        /// Rows of the file.
        rows: u64,
    } "rows_refused"
        "{rejected} of {rows} rows were refused and all or none were to be imported, so none was; correct them and send the whole file again"
        "{rejected} lignes sur {rows} ont été refusées et l'import devait être complet, donc rien n'a été importé ; corrigez-les et renvoyez tout le fichier"
}

impl FileError {
    /// What a reader's error means: decoders pass theirs on through [`FileError::into_io`].
    pub(crate) fn unreadable(error: io::Error) -> Self {
        match error.downcast::<Carried>() {
            Ok(Carried(error)) => error,
            Err(_) => Self::Unreadable,
        }
    }

    /// For a reader, which can only fail with an [`io::Error`].
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, Carried(self))
    }
}

/// A file's error on its way through readers.
#[derive(Debug, thiserror::Error)]
#[error("the file cannot be read on")]
struct Carried(FileError);
