//! What is wrong with a form, shown above it and at its inputs.

use clientele::language::Language;

use super::stop::Refusal;
use crate::{
    errors::catalog,
    site::{Page, words},
    visit::Visit,
};

/// Something wrong with a form.
#[derive(Debug, Clone)]
pub(crate) struct Mistake {
    /// The id of the input that it is about; empty for the form as a whole.
    pub(crate) input: String,
    /// What is wrong, and what to do.
    pub(crate) message: String,
    /// The tag of the message's language.
    pub(crate) lang: &'static str,
}

/// All that is wrong with a form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// A form without mistakes.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// One mistake that the console found itself.
    pub(crate) fn one(page: &Page, input: &str, message: &str) -> Self {
        let mut mistakes = Self::none();
        mistakes.add(page, input, page.say(message));
        mistakes
    }

    /// What the API refuses, at the input that `input` finds for its code.
    pub(crate) fn refused(
        page: &Page,
        refusal: &Refusal,
        input: impl Fn(&str) -> &'static str,
    ) -> Self {
        let mut mistakes = Self::none();
        let input = input(&refusal.code);
        mistakes.add_refused(page, input, &refusal.code, &refusal.detail);
        mistakes
    }

    /// Adds a message in the page's language.
    pub(crate) fn add(&mut self, page: &Page, input: &str, message: String) {
        self.0.push(Mistake {
            input: input.to_owned(),
            message,
            lang: page.lang(),
        });
    }

    /// Adds what the API says. It speaks English: in another language, what the code's own page
    /// says stands in its place.
    pub(crate) fn add_refused(&mut self, page: &Page, input: &str, code: &str, detail: &str) {
        match in_words(page.language(), code) {
            Some(message) => self.add(page, input, message),
            None => self.0.push(Mistake {
                input: input.to_owned(),
                message: detail.to_owned(),
                lang: "en",
            }),
        }
    }

    /// The same about something that the message is to name in any language.
    pub(crate) fn add_refused_of(
        &mut self,
        page: &Page,
        input: &str,
        of: Option<&str>,
        code: &str,
        detail: &str,
    ) {
        self.add_refused(page, input, code, detail);
        let (Some(of), Some(last)) = (of, self.0.last_mut()) else {
            return;
        };
        if !last.message.starts_with(of) {
            last.message = format!("{of}: {}", last.message);
        }
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, in their order.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }

    /// Those about an input.
    pub(crate) fn at(&self, input: &str) -> impl Iterator<Item = &Mistake> {
        self.0.iter().filter(move |mistake| mistake.input == input)
    }

    /// Whether something is wrong with an input: the value of its `aria-invalid`.
    pub(crate) fn is_at(&self, input: &str) -> bool {
        self.at(input).next().is_some()
    }

    /// The value of an input's `aria-describedby`: its hint, after what is wrong with it.
    pub(crate) fn described_by(&self, input: &str) -> String {
        match self.is_at(input) {
            true => format!("{input}-error {input}-hint"),
            false => format!("{input}-hint"),
        }
    }
}

/// What a code means: in the console's words if it has some, else by the code's page unless the
/// API says it in that language itself.
fn in_words(language: Language, code: &str) -> Option<String> {
    if let Some(words) = words::find(language, &format!("problem-{code}")) {
        return Some(words);
    }
    if language == Language::English {
        return None;
    }
    let words = catalog().get(code)?.words(language);
    Some(format!("{}. {}", words.title, words.remedy))
}

/// A text of a form without the blanks around it.
pub(crate) fn trimmed(visit: &Visit<'_>, name: &str) -> String {
    let text = visit.form(name).unwrap_or_default();
    text.trim().to_owned()
}
