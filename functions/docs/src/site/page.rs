//! What every page has around its content.

use clientele::language::{Language, Text};
use uuid::Uuid;

use super::{Place, words};

/// The frame of a page: templates reach words and links through it.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Where the page is.
    pub(crate) place: Place,
    /// Whether somebody is signed in.
    pub(crate) signed_in: bool,
}

impl Page {
    /// A page for a visitor who need not have signed in.
    pub(crate) fn public(place: &Place) -> Self {
        Self {
            place: place.clone(),
            signed_in: false,
        }
    }

    /// A page for somebody who has signed in.
    pub(crate) fn signed_in(place: &Place) -> Self {
        Self {
            place: place.clone(),
            signed_in: true,
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.place.language
    }

    /// The language's tag, for `lang`.
    pub(crate) fn lang(&self) -> &'static str {
        self.place.lang()
    }

    /// A key for a form, which the API takes once however often the form is sent.
    pub(crate) fn once(&self) -> String {
        Uuid::new_v4().to_string()
    }

    /// A message.
    pub(crate) fn say(&self, id: &str) -> String {
        words::say(self.language(), id)
    }

    /// A text that has its words elsewhere, as of a dataset.
    pub(crate) fn text(&self, text: &Text) -> String {
        words::typeset(self.language(), text)
    }

    /// A message whose one gap is filled in.
    pub(crate) fn fill(&self, id: &str, name: &str, value: &str) -> String {
        words::say_with(self.language(), id, &[(name, value)])
    }

    /// A message about a number.
    pub(crate) fn count(&self, id: &str, count: &u64) -> String {
        words::count(self.language(), id, *count)
    }

    /// A number as people read it.
    pub(crate) fn number(&self, number: &u64) -> String {
        words::number(*number)
    }

    /// A time as people read it: to the second, in UTC.
    pub(crate) fn time(&self, timestamp: &str) -> String {
        let (date, time) = timestamp.split_once('T').unwrap_or((timestamp, ""));
        let time: String = time.chars().take("23:59:59".len()).collect();
        format!("{date} {time} UTC")
    }

    /// The address of another page.
    pub(crate) fn link(&self, path: &str) -> String {
        self.place.link(path)
    }

    /// `page` if a path of the navigation leads to where the visitor is, else empty: the value of
    /// `aria-current`.
    pub(crate) fn current(&self, path: &str) -> &'static str {
        let here = &self.place.path;
        let is_below = here
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let is_here = match path {
            "/console" => here == path,
            _ => is_below,
        };
        if is_here { "page" } else { "" }
    }

    /// `true` if the visitor is in a part of the site, which the navigation shows.
    pub(crate) fn section(&self, path: &str) -> &'static str {
        let here = &self.place.path;
        let is_reference = here.starts_with("/docs/api");
        match path {
            "/docs/api" if is_reference => "true",
            "/docs" if here.starts_with("/docs") && !is_reference => "true",
            "/console" if here.starts_with("/console") => "true",
            _ => "",
        }
    }

    /// The address of this page in the other language.
    pub(crate) fn in_english(&self) -> String {
        self.place.in_language(Language::English)
    }

    /// The address of this page in the other language.
    pub(crate) fn in_french(&self) -> String {
        self.place.in_language(Language::French)
    }
}
