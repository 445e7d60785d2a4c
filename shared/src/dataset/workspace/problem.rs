//! What may be wrong with a definition.

/// Something that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's 1-based place in the definition; nothing when the definition as a whole is meant.
    pub place: Option<usize>,
    /// The field's name, as far as it has one.
    pub field: Option<String>,
    /// What is wrong.
    pub code: ProblemCode,
    /// What is wrong, in words.
    pub message: String,
}

macro_rules! codes {
    ($(#[$of_all:meta])* $name:ident: $($(#[$doc:meta])* $variant:ident $code:literal)+) => {
        $(#[$of_all])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code, as clients see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

codes! {
    /// The kinds of problems. Codes are stable: clients may rely on them.
    ProblemCode:
    /// A field is not an object of the known members.
    Shape "field_shape"
    /// More fields than there may be.
    TooManyFields "too_many_fields"
    /// More than the store holds.
    TooLarge "definition_too_large"
    /// No unique identifier.
    NoIdentifier "no_unique_identifier"
    /// More than one unique identifier.
    SeveralIdentifiers "several_unique_identifiers"
    /// A unique identifier that is no text.
    IdentifierType "unique_identifier_type"
    /// No name.
    NameMissing "name_missing"
    /// A name that is too long.
    NameTooLong "name_too_long"
    /// A name without letters and digits, or with control characters.
    NameCharacters "name_characters"
    /// A name that the registry uses itself.
    NameReserved "name_reserved"
    /// Two fields that no header can tell apart.
    NameDuplicate "name_duplicate"
    /// No type of that name.
    UnknownType "unknown_type"
    /// A date or currency without a format.
    FormatMissing "format_missing"
    /// No format of that name.
    UnknownFormat "unknown_format"
    /// No currency of that code.
    UnknownCurrency "unknown_currency"
    /// A format where there are none.
    FormatNotAllowed "format_not_allowed"
    /// A pattern that does not compile, or is too large.
    InvalidPattern "invalid_pattern"
    /// A pattern for something other than text.
    PatternNotAllowed "pattern_not_allowed"
    /// An enum without values.
    ValuesMissing "values_missing"
    /// Values of something other than an enum.
    ValuesNotAllowed "values_not_allowed"
    /// A value that is empty, too long or has control characters.
    InvalidValue "invalid_value"
    /// A word that means two values.
    ValueDuplicate "value_duplicate"
}

codes! {
    /// What stored records keep from changing. Codes are stable: clients may rely on them.
    ChangeCode:
    /// A field is gone, or has another name.
    FieldRemoved "field_removed"
    /// A field has another type.
    TypeChanged "type_changed"
    /// Amounts have another currency.
    CurrencyChanged "currency_changed"
    /// A field turned from personal to not, or the other way.
    IsPiiChanged "is_pii_changed"
    /// Another field is the unique identifier.
    IdentifierChanged "unique_identifier_changed"
    /// An enum lacks values that it had.
    ValuesRemoved "values_removed"
}
