//! What is wrong with a form, shown above it and at its inputs.

use super::stop::Refusal;
use crate::{
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

    /// Adds what the API says: in the page's language if there are words for the code, else in the
    /// API's own, English.
    pub(crate) fn add_refused(&mut self, page: &Page, input: &str, code: &str, detail: &str) {
        match words::find(page.language(), &format!("problem-{code}")) {
            Some(message) => self.add(page, input, message),
            None => self.0.push(Mistake {
                input: input.to_owned(),
                message: detail.to_owned(),
                lang: "en",
            }),
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

/// A text of a form without the blanks around it.
pub(crate) fn trimmed(visit: &Visit<'_>, name: &str) -> String {
    let text = visit.form(name).unwrap_or_default();
    text.trim().to_owned()
}
