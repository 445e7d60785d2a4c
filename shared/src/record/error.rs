//! What is wrong with a row, in words for the person who sent it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::language::Language;

/// One thing that is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The 1-based data row.
    pub row: u64,
    /// The 1-based line in the file, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The field, or nothing when the row as a whole is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What is wrong.
    pub code: RowErrorCode,
    /// A limit, a list or a corrected form; never the value of a protected field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Whether a row is refused for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The row is refused.
    Error,
    /// The sender should know.
    Warning,
}

macro_rules! row_error_codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $en:literal $fr:literal)+) => {
        /// The kinds of row errors. Codes are stable: clients may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum RowErrorCode {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl RowErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code, as clients see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            fn template(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::English) => $en,
                      (Self::$variant, Language::French) => $fr,)+
                }
            }
        }
    };
}

row_error_codes! {
    /// A required field is blank or missing.
    Required "required"
        "{column} is required"
        "{column} est obligatoire"
    /// A required field was set to null.
    RequiredUnset "required_unset"
        "{column} is required and cannot be null"
        "{column} est obligatoire et ne peut pas être null"
    /// Not text.
    TypeString "type_string"
        "{column} must be a text"
        "{column} doit être un texte"
    /// Not a whole number.
    TypeInteger "type_integer"
        "{column} must be a whole number, such as 4"
        "{column} doit être un nombre entier, par exemple 4"
    /// Not a number.
    TypeFloat "type_float"
        "{column} must be a number, such as 12.5"
        "{column} doit être un nombre, par exemple 12.5"
    /// Not a boolean.
    TypeBoolean "type_boolean"
        "{column} must be true or false"
        "{column} doit être true ou false"
    /// Not a date.
    TypeDate "type_date"
        "{column} must be an existing date[, written like {hint}]"
        "{column} doit être une date existante[, écrite comme {hint}]"
    /// Not a time.
    TypeDatetime "type_datetime"
        "{column} must be a time such as 2021-05-03T06:23:55Z"
        "{column} doit être une date et une heure, telles que 2021-05-03T06:23:55Z"
    /// A comma in a number.
    DecimalComma "decimal_comma"
        "{column} has a comma; numbers are written with a period and without thousands separators[: use {hint}]"
        "{column} contient une virgule ; les nombres s'écrivent avec un point et sans séparateur de milliers[ : écrivez {hint}]"
    /// Not a list of objects.
    TypeList "type_list"
        "{column} must be a list of objects"
        "{column} doit être une liste d'objets"
    /// Not an object.
    TypeObject "type_object"
        "{column} must be an object"
        "{column} doit être un objet"
    /// A list of too many elements.
    TooManyElements "too_many_elements"
        "{column} has more than {hint} elements"
        "{column} a plus de {hint} éléments"
    /// A value outside an enum.
    NotInEnum "not_in_enum"
        "{column} must be one of {hint}"
        "{column} doit être l'une des valeurs {hint}"
    /// A number outside its range.
    Range "range"
        "{column} must be {hint}"
        "{column} doit respecter : {hint}"
    /// A text that does not match.
    Pattern "pattern"
        "{column} does not have the form that is asked for"
        "{column} n'a pas la forme demandée"
    /// A text that is too long.
    TooLong "too_long"
        "{column} is longer than {hint} characters"
        "{column} dépasse {hint} caractères"
    /// A key that is too long.
    KeyTooLong "key_too_long"
        "{column} is longer than {hint} bytes of UTF-8"
        "{column} dépasse {hint} octets en UTF-8"
    /// A NUL or, in an identifier, any control character.
    ControlCharacter "control_character"
        "{column} holds a character that cannot be printed; retype the value"
        "{column} contient un caractère non imprimable ; saisissez la valeur à nouveau"
    /// Not an ISO 3166-1 alpha-2 code.
    UnknownCountry "unknown_country"
        "{column} must be a two-letter country code (ISO 3166-1) in capitals, such as UG"
        "{column} doit être un code de pays à deux lettres capitales (ISO 3166-1), par exemple UG"
    /// Not an ISO 4217 code.
    UnknownCurrency "unknown_currency"
        "{column} must be a three-letter currency code (ISO 4217), such as ZMW"
        "{column} doit être un code de monnaie à trois lettres (ISO 4217), par exemple ZMW"
    /// A spreadsheet rewrote the value.
    SpreadsheetDamage "spreadsheet_damage"
        "a spreadsheet has turned {column} into a rounded number or a date; format the column as text and export it again from the original"
        "un tableur a transformé {column} en nombre arrondi ou en date ; mettez la colonne au format texte et exportez à nouveau depuis l'original"
    /// A spreadsheet's formula that failed.
    SpreadsheetError "spreadsheet_error"
        "{column} shows the error {hint} in the spreadsheet; correct the formula or type the value"
        "{column} affiche l'erreur {hint} dans le tableur ; corrigez la formule ou saisissez la valeur"
    /// A JSON number that cannot be an identifier.
    IdentifierNumber "identifier_number"
        "{column} must be a text, or a whole number up to 2^53"
        "{column} doit être un texte, ou un nombre entier jusqu'à 2^53"
    /// More or fewer cells than the header.
    RaggedRow "ragged_row"
        "the row has another number of cells than the header ({hint}); look for a missing quote or separator"
        "la ligne n'a pas le même nombre de cellules que l'en-tête ({hint}) ; cherchez un guillemet ou un séparateur manquant"
    /// An unknown column with a name close to a protected field's.
    NearMiss "near_miss"
        "the column {column} is unknown: did you mean {hint}? Rename it, so that nothing personal is stored unprotected"
        "la colonne {column} est inconnue : vouliez-vous dire {hint} ? Renommez-la, afin que rien de personnel ne soit enregistré sans protection"
    /// An unknown column, where the organisation refuses those.
    UnknownColumn "unknown_column"
        "the column {column} is unknown, and your organization does not accept unknown columns"
        "la colonne {column} est inconnue, et votre organisation n'accepte pas les colonnes inconnues"
    /// Two columns for one field.
    DuplicateColumn "duplicate_column"
        "{column} and {hint} both mean the same field; keep one of them"
        "{column} et {hint} désignent le même champ ; gardez-en un seul"
    /// Not a JSON object.
    NotAnObject "not_an_object"
        "the row must be a JSON object"
        "la ligne doit être un objet JSON"
    /// A JSON object with a key twice.
    DuplicateKey "duplicate_key"
        "the row names a key twice"
        "la ligne nomme deux fois la même clé"
    /// A line of ndjson that is not JSON.
    InvalidJsonLine "invalid_json_line"
        "the line is not one JSON object; it breaks at column {hint}"
        "la ligne n'est pas un objet JSON ; l'erreur est à la colonne {hint}"
    /// A JSON row that is nested too deeply.
    JsonTooDeep "json_too_deep"
        "the row is nested too deeply; flatten it"
        "la ligne a trop de niveaux d'imbrication ; aplatissez-la"
    /// Half of an escaped character in a JSON text.
    LoneSurrogate "lone_surrogate"
        "a text of the row holds half of a character (such as \\ud83d alone); write the whole character"
        "un texte de la ligne contient la moitié d'un caractère (par exemple \\ud83d seul) ; écrivez le caractère entier"
    /// The record is too large.
    RecordTooLarge "record_too_large"
        "the row, or what it adds to the stored record, is larger than {hint} KiB"
        "la ligne, ou ce qu'elle ajoute à la fiche enregistrée, dépasse {hint} Kio"
    /// The customer was erased, and is not to come back by an import.
    ErasedSubject "erased_subject"
        "this customer was erased on request; if that request no longer holds, an administrator can release the customer, and the row can be sent again"
        "ce client a été effacé sur demande ; si cette demande ne vaut plus, un administrateur peut lever le blocage, puis la ligne peut être renvoyée"
    /// The row was to change a record, and there is none.
    NotFound "not_found"
        "no record of this group is the one that the row names; check its identifier, or upload the row as a new record"
        "aucune fiche de ce groupe n'est celle que nomme la ligne ; vérifiez son identifiant, ou envoyez la ligne comme nouvelle fiche"
    /// A later row of the file has the same uid.
    DuplicateInFile "duplicate_in_file"
        "row {hint} is about the same record; the last row wins and this one was left out"
        "la ligne {hint} concerne la même fiche ; la dernière l'emporte et celle-ci a été ignorée"
}

impl RowErrorCode {
    /// Whether a row is refused for it.
    pub fn severity(self) -> Severity {
        match self {
            Self::DuplicateInFile => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for RowErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl RowError {
    /// What is wrong and what to do, in a person's language.
    pub fn message(&self, language: Language) -> String {
        let template = self.code.template(language);
        // What stands in brackets is said only with a hint.
        let template = match (&self.hint, template.split_once('[')) {
            (None, Some((always, _))) => always.to_owned(),
            _ => template.replace(['[', ']'], ""),
        };
        template
            .replace("{column}", self.column.as_deref().unwrap_or_default())
            .replace("{hint}", self.hint.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_column_and_the_remedy() {
        let error = RowError {
            row: 7,
            line: Some(8),
            column: Some("household_size".to_owned()),
            code: RowErrorCode::Range,
            hint: Some("≥ 0".to_owned()),
        };
        insta::assert_snapshot!(error.message(Language::English), @"household_size must be ≥ 0");
        insta::assert_snapshot!(error.message(Language::French), @"household_size doit respecter : ≥ 0");
    }

    #[test]
    fn a_code_reads_back_from_what_it_is_written_as() {
        for code in RowErrorCode::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("{:?}", code.as_str()));
            assert_eq!(serde_json::from_str::<RowErrorCode>(&json).unwrap(), *code);
        }
    }
}
