//! What each error code means, and what to do: where the `type` of a problem leads.

mod catalog;

use askama::Template;
use clientele::web::{Problem, Reply};
use http::StatusCode;

use crate::{
    site::{Page, html, no_store},
    visit::Visit,
};

pub use catalog::{Entry, Kind, Words, catalog};

impl Kind {
    /// The words that name the kind; with `-lead`, those that say where such codes are met.
    fn id(self) -> &'static str {
        match self {
            Self::Request => "errors-request",
            Self::Row => "errors-row",
            Self::File => "errors-file",
            Self::Field => "errors-field",
            Self::Job => "errors-job",
            Self::Warning => "errors-warning",
        }
    }
}

struct Section {
    id: &'static str,
    name: String,
    lead: String,
    codes: Vec<Listed>,
}

struct Listed {
    code: &'static str,
    title: &'static str,
    status: String,
}

#[derive(Template)]
#[template(path = "errors/index.html")]
struct Index {
    page: Page,
    /// A code that was asked for and is none.
    unknown: Option<String>,
    sections: Vec<Section>,
}

/// The longest code that is repeated in a page.
const MAX_TOLD: usize = 64;

/// Every code.
pub(crate) fn index(visit: &Visit<'_>) -> Reply {
    listing(visit, None)
}

fn listing(visit: &Visit<'_>, unknown: Option<String>) -> Reply {
    let page = Page::public(&visit.place);
    let sections = Kind::ALL.iter().map(|kind| section(&page, *kind)).collect();
    html(&Index {
        unknown,
        sections,
        page,
    })
}

fn section(page: &Page, kind: Kind) -> Section {
    let of_kind = catalog()
        .iter()
        .filter(|(code, entry)| entry.kinds(code).contains(&kind));
    let listed = |(code, entry): (&'static String, &'static Entry)| Listed {
        code,
        title: &entry.words(page.language()).title,
        status: match kind {
            Kind::Request => statuses(entry),
            _ => String::new(),
        },
    };
    Section {
        id: kind.id(),
        name: page.say(kind.id()),
        lead: page.say(&format!("{}-lead", kind.id())),
        codes: of_kind.map(listed).collect(),
    }
}

fn statuses(entry: &Entry) -> String {
    let statuses: Vec<String> = entry.status.iter().map(u16::to_string).collect();
    statuses.join(", ")
}

#[derive(Template)]
#[template(path = "errors/error.html")]
struct ErrorPage {
    page: Page,
    code: &'static str,
    words: &'static Words,
    status: String,
    /// Where the code is met.
    leads: Vec<String>,
    messages: Vec<String>,
}

/// One code; where there is none of that name, a page that lists them, for people.
pub(crate) fn page(visit: &Visit<'_>, code: &str) -> Reply {
    let Some((code, entry)) = catalog().get_key_value(code) else {
        if !visit.wants_html() {
            return Err(Problem::not_found("error code"));
        }
        let told: String = code.chars().take(MAX_TOLD).collect();
        let mut response = listing(visit, Some(told))?;
        *response.status_mut() = StatusCode::NOT_FOUND;
        // Programs are answered otherwise at the same address.
        return Ok(no_store(response));
    };
    let page = Page::public(&visit.place);
    let lead = |kind: &Kind| page.say(&format!("{}-lead", kind.id()));
    html(&ErrorPage {
        code,
        words: entry.words(page.language()),
        status: statuses(entry),
        leads: entry.kinds(code).iter().map(lead).collect(),
        messages: entry.messages(code, page.language()),
        page,
    })
}
