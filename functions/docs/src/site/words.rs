//! The words of the pages, in both languages: Project Fluent's messages in `text/`.

use std::sync::LazyLock;

use clientele::language::{Language, Text};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

use super::typography::french;

type Bundle = FluentBundle<FluentResource>;

/// Compiled in, a language's files one after the other: a concern has a file in each.
macro_rules! texts {
    ($language:literal) => {
        [
            include_str!(concat!("../../text/", $language, "/site.ftl")),
            include_str!(concat!("../../text/", $language, "/console.ftl")),
            include_str!(concat!("../../text/", $language, "/jobs.ftl")),
            include_str!(concat!("../../text/", $language, "/import.ftl")),
            include_str!(concat!("../../text/", $language, "/datasets.ftl")),
            include_str!(concat!("../../text/", $language, "/errors.ftl")),
            include_str!(concat!("../../text/", $language, "/groups.ftl")),
            include_str!(concat!("../../text/", $language, "/sources.ftl")),
            include_str!(concat!("../../text/", $language, "/fields.ftl")),
        ]
    };
}

// Each read when a page in its language is first asked for.
static ENGLISH: LazyLock<Bundle> =
    LazyLock::new(|| bundle("en", texts!("en").map(str::to_owned).into()));
static FRENCH: LazyLock<Bundle> = LazyLock::new(|| bundle("fr", french_texts()));

/// The files of French words, as pages show them.
pub(super) fn french_texts() -> Vec<String> {
    texts!("fr").map(french).into()
}

/// A test reads every message, so what Fluent objects to does not get here.
fn bundle(tag: &str, texts: Vec<String>) -> Bundle {
    let language = tag.parse::<LanguageIdentifier>().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // The marks around what is filled in are for mixed directions of writing. Both languages
    // here are written from left to right.
    bundle.set_use_isolating(false);
    for text in texts {
        let resource = FluentResource::try_new(text);
        let resource = resource.unwrap_or_else(|(resource, errors)| {
            tracing::error!(?errors, "a file of words has errors");
            resource
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?errors, "two messages have one name");
        }
    }
    bundle
}

/// A message without anything to fill in.
pub(crate) fn say(language: Language, id: &str) -> String {
    format(language, id, None)
}

/// A message, if there is one of that id: for what the API may come to say.
pub(crate) fn find(language: Language, id: &str) -> Option<String> {
    let is_known = bundle_of(language).has_message(id);
    is_known.then(|| format(language, id, None))
}

/// A text that has its words elsewhere.
pub(crate) fn typeset(language: Language, text: &Text) -> String {
    match language {
        Language::English => text.in_language(language).to_owned(),
        Language::French => french(text.in_language(language)),
    }
}

/// A message with texts to fill in, by their names.
pub(crate) fn say_with(language: Language, id: &str, values: &[(&str, &str)]) -> String {
    let mut args = FluentArgs::new();
    for (name, value) in values {
        args.set(*name, FluentValue::from(*value));
    }
    format(language, id, Some(&args))
}

/// A message about a number: `$count` chooses singular or plural, `$number` is how it is written.
pub(crate) fn count(language: Language, id: &str, count: u64) -> String {
    let mut args = FluentArgs::new();
    args.set("count", FluentValue::from(count));
    args.set("number", FluentValue::from(number(count)));
    format(language, id, Some(&args))
}

/// A number in groups of three digits with thin spaces between them, as ISO 80000-1 has it: both
/// languages read it alike.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

fn bundle_of(language: Language) -> &'static Bundle {
    match language {
        Language::English => &ENGLISH,
        Language::French => &FRENCH,
    }
}

/// The message of that id; the id itself if there is none, which a test keeps from happening.
fn format(language: Language, id: &str, args: Option<&FluentArgs<'_>>) -> String {
    let bundle = bundle_of(language);
    let pattern = bundle.get_message(id).and_then(|message| message.value());
    let Some(pattern) = pattern else {
        tracing::error!(id, "a page lacks its words");
        return id.to_owned();
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, args, &mut errors);
    if !errors.is_empty() {
        tracing::error!(id, ?errors, "words could not be filled in");
    }
    text.into_owned()
}
