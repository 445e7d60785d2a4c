//! A group's page: what it is, and its customers, a thousand at a time.

use askama::Template;
use clientele::{store::PAGE_SIZE, web::Scope};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    cell::Cell,
    group::Group,
    table::{Customer, Table},
};
use crate::{
    console::{
        Shown, Stop, User,
        mistakes::{Mistakes, trimmed},
        workspace::dataset_of,
    },
    site::{Page, html, no_store},
};

/// What `POST /v1/customer` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Customers {
    pub(super) customers: Vec<Customer>,
    next_cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "console/groups/members.html")]
struct Members {
    page: Page,
    group: Group,
    /// What was just done: the id of its words.
    done: Option<&'static str>,
    /// The page's number; people count from 1.
    number: u64,
    table: Option<Table>,
    /// The rest of a page whose records are too many for one reply.
    rest: Option<Rest>,
    /// Whether this is such a rest.
    is_rest: bool,
    is_revealed: bool,
    may_write: bool,
    may_delete_group: bool,
    may_reveal: bool,
    may_delete: bool,
    /// The name in the form for another one.
    name: String,
    mistakes: Mistakes,
}

/// Where the rest of a page begins, and how many customers it may have.
struct Rest {
    cursor: String,
    left: u64,
}

/// What of a group is asked for.
struct Wanted {
    number: u64,
    rest: Option<Rest>,
    reveal: bool,
}

impl Wanted {
    fn page(number: u64) -> Self {
        Self {
            number,
            rest: None,
            reveal: false,
        }
    }

    fn body(&self, group: &Group) -> Value {
        let (id, reveal) = (&group.id, self.reveal);
        match &self.rest {
            Some(rest) => json!({"customer_group_id": id, "cursor": rest.cursor, "reveal": reveal}),
            None => json!({"customer_group_id": id, "page": self.number - 1, "reveal": reveal}),
        }
    }

    fn most(&self) -> u64 {
        self.rest.as_ref().map_or(PAGE_SIZE, |rest| rest.left)
    }
}

/// A page by its number.
pub(super) async fn numbered(user: &User<'_>, id: &str) -> Shown {
    let group = Group::named(user, id).await?;
    let number = user.visit.query("page");
    let number = number.map_or(Ok(1), |number| number.trim().parse());
    let shown = match number {
        Ok(number) if number > 0 => members(user, group, Wanted::page(number)).await?,
        _ => {
            let mistakes = Mistakes::one(&user.page(), "page", "page-not-a-number");
            let shown = members(user, group, Wanted::page(1)).await?;
            Members { mistakes, ..shown }
        }
    };
    let done = user.visit.query("done");
    let done = done.and_then(|done| match done.as_str() {
        "created" => Some("group-created"),
        "renamed" => Some("group-renamed"),
        _ => None,
    });
    answer(&Members { done, ..shown })
}

/// A page with encrypted values in clear, or the rest of one: what is not to be in an address.
pub(super) async fn asked(user: &User<'_>, id: &str) -> Shown {
    let group = Group::named(user, id).await?;
    let visit = user.visit;
    let number = |name: &str| trimmed(visit, name).parse::<u64>().ok();
    let rest = visit.form("cursor").map(|cursor| Rest {
        cursor,
        left: number("left").unwrap_or(PAGE_SIZE).min(PAGE_SIZE),
    });
    let wanted = Wanted {
        number: number("page").filter(|page| *page > 0).unwrap_or(1),
        rest,
        reveal: visit.form("reveal").is_some(),
    };
    answer(&members(user, group, wanted).await?)
}

/// The first page, with a name in its form that the group cannot have.
pub(super) async fn misnamed(
    user: &User<'_>,
    group: Group,
    name: String,
    mistakes: Mistakes,
) -> Shown {
    let shown = members(user, group, Wanted::page(1)).await?;
    answer(&Members {
        name,
        mistakes,
        ..shown
    })
}

fn answer(members: &Members) -> Shown {
    let mut response = no_store(html(members)?);
    if !members.mistakes.is_empty() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

async fn members(user: &User<'_>, group: Group, wanted: Wanted) -> Result<Members, Stop> {
    let page = user.page();
    let claims = user.claims();
    let (mut table, mut rest) = (None, None);
    // Of a group without customers the API says that there is none.
    if wanted.number <= group.pages() {
        let dataset = dataset_of(user, &group.dataset).await?;
        let mut found: Customers = user.post("/v1/customer", wanted.body(&group)).await?;
        let most = wanted.most();
        let most_rows = usize::try_from(most).unwrap_or(usize::MAX);
        found.customers.truncate(most_rows);
        let left = most.saturating_sub(found.customers.len() as u64);
        let more = found.next_cursor.filter(|_| left > 0);
        rest = more.map(|cursor| Rest { cursor, left });
        let encrypted = page.say("badge-encrypted");
        let shown = Table::of(&dataset, &found.customers, wanted.reveal, &encrypted);
        table = Some(shown);
    }
    Ok(Members {
        done: None,
        number: wanted.number,
        table,
        rest,
        is_rest: wanted.rest.is_some(),
        is_revealed: wanted.reveal,
        may_write: claims.has(Scope::RecordsWrite),
        may_delete_group: claims.has(Scope::RecordsDelete),
        may_reveal: claims.has(Scope::PiiReveal),
        may_delete: claims.has(Scope::RecordsDelete) && group.dataset != "meters",
        name: group.name.clone(),
        mistakes: Mistakes::none(),
        page,
        group,
    })
}
