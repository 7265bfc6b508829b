//! The directory: colleagues found by the beginnings of their names (S1-5).

use std::collections::BTreeSet;

use super::LIST;
use super::listed::{self, KINDS, Listed};
use super::page::Slice;
use crate::contact_center::errors::{Refused, no_place};
use crate::contact_center::operation::{Act, Caller, Field, Kind, Operation, Outcome};
use crate::contact_center::values::Values;
use crate::domain::agent_state::View;
use crate::domain::directory::Query;
use crate::domain::rights::Right;
use crate::proto::BareJid;
use crate::proto::common::rsm::PageRequest;
use crate::store::{DirectoryPlace, FoundColleague, ListOrder, directory_word};
use crate::xml::Element;

/// The namespace of the directory.
pub(super) const NS: &str = "urn:parlour:directory:0";

/// Rows that one search looks at. Who types a beginning that hundreds of names have, of whom nobody is online,
/// types one letter more.
const ROWS_MAX: u32 = 1_000;

/// Rows that are read at once.
const ROWS: u32 = 100;

/// Characters that are taken as a text at all; the domain has the true bound, and says so.
const TEXT_CHARS_MAX: usize = 1_000;

/// The views, by their names.
const VIEWS: &[&str] = &["online", "busy", "offline"];

/// What the operations are.
pub(super) const OPERATIONS: &[Operation] = &[Operation {
    ns: NS,
    name: "search",
    node: "urn:parlour:directory:0#search",
    act: Act::Get,
    title: "Search for a colleague",
    about: "The beginning of a name: three letters or more.",
    right: Right::Directory,
    fields: &[TEXT, VIEW, LIST],
    shown: None,
    present: None,
    run: |caller, values| Box::pin(search(caller, values)),
}];

const TEXT: Field = Field::required(
    "text",
    Kind::Line {
        chars_max: TEXT_CHARS_MAX,
    },
    "Name",
)
.as_child();

const VIEW: Field =
    Field::required("view", Kind::Word(VIEWS), "Only who is seen so").several(VIEWS.len());

/// What a search has found.
pub(super) struct Hits {
    pub(super) colleagues: Vec<Listed>,
    /// Whether there is nothing more in the direction that was asked for.
    pub(super) complete: bool,
}

/// The views of those names.
pub(super) fn views(names: &[&str]) -> BTreeSet<View> {
    let all = [View::Online, View::Busy, View::Offline];
    let of = |name: &str| all.into_iter().find(|view| view.name() == name);
    names.iter().copied().filter_map(of).collect()
}

/// The first colleagues that a text finds, each with what people call it (S4-11).
pub(in crate::contact_center) async fn suggested(
    caller: &Caller,
    text: &str,
) -> Result<Vec<(BareJid, String)>, Refused> {
    let query = Query::new(text, BTreeSet::new())?;
    let hits = find(caller, &query, &PageRequest::default()).await?;
    let named = |it: Listed| (it.account.clone(), it.title().to_owned());
    Ok(hits.colleagues.into_iter().map(named).collect())
}

async fn search(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let query = Query::new(values.text("text")?, views(&values.texts("view")))?;
    let hits = find(&caller, &query, values.page()).await?;
    let rows = &hits.colleagues;
    let answer = Element::new(NS, "search")
        .attr("complete", if hits.complete { "true" } else { "false" })
        .children_from(rows.iter().map(|row| row.element(NS)))
        .child(listed::page(rows, None, None));
    let told = match (rows.len(), hits.complete) {
        (0, true) => "Nobody is called so.".to_owned(),
        (count, true) => format!("Found: {count}."),
        (count, false) => format!("Found: {count}, and there may be more. Type more of the name."),
    };
    Ok(Outcome::told(told)
        .with(answer)
        .listing(listed::table(rows)))
}

/// One page of what the query finds, in the order of the words that were found.
pub(super) async fn find(
    caller: &Caller,
    query: &Query,
    page: &PageRequest,
) -> Result<Hits, Refused> {
    let slice = Slice::of(page)?;
    // The longest word is that of the fewest names.
    let word = query.words().iter().max_by_key(|word| word.len());
    let word = word.map(String::as_str).unwrap_or_default();
    let mut place = match &slice.from {
        Some(account) => Some(place_of(caller, account, word).await?),
        None => None,
    };
    let mut colleagues = Vec::new();
    let mut looked_at = 0;
    let max = usize::try_from(slice.max).unwrap_or(usize::MAX);
    let complete = 'rows: loop {
        let limit = ROWS.min(ROWS_MAX - looked_at);
        if limit == 0 {
            break false;
        }
        let rows = rows(caller, word, place.as_ref(), slice.order, limit).await?;
        let read = u32::try_from(rows.len()).unwrap_or(limit);
        looked_at += read;
        for row in rows {
            place = Some(row.place());
            let Some(hit) = hit(caller, query, word, row)? else {
                continue;
            };
            if colleagues.len() >= max {
                break 'rows false;
            }
            colleagues.push(hit);
        }
        if read < limit {
            break true;
        }
    };
    let colleagues = slice.in_order(colleagues);
    Ok(Hits {
        colleagues,
        complete,
    })
}

async fn rows(
    caller: &Caller,
    word: &str,
    place: Option<&DirectoryPlace>,
    order: ListOrder,
    limit: u32,
) -> Result<Vec<FoundColleague>, Refused> {
    let host = caller.place.host.as_str();
    let directory = caller.services.store.directory();
    let rows = directory.search(host, word, place, order, limit, KINDS);
    Ok(rows.await?)
}

/// Where the row of an account stands.
async fn place_of(
    caller: &Caller,
    account: &BareJid,
    word: &str,
) -> Result<DirectoryPlace, Refused> {
    // Of other hosts nothing can be found here.
    if account.domain() != caller.place.host.domain() {
        return Err(no_place().into());
    }
    let names = caller.services.store.directory().names(account).await?;
    let word = names.and_then(|names| directory_word(account, &names, word));
    let account = account.clone();
    let place = word.map(|word| DirectoryPlace { word, account });
    // XEP-0059 §2.2
    place.ok_or_else(|| no_place().into())
}

/// The colleague, if the query finds it and it was not found by an earlier word.
fn hit(
    caller: &Caller,
    query: &Query,
    word: &str,
    row: FoundColleague,
) -> Result<Option<Listed>, Refused> {
    if !row.is_first(word) {
        return Ok(None);
    }
    let colleague = Listed::seen_by(caller, row.colleague)?;
    let names = [
        Some(colleague.logon()),
        colleague.name.as_deref(),
        colleague.nickname.as_deref(),
    ];
    let names: Vec<&str> = names.into_iter().flatten().collect();
    let found = colleague.role.is_some() && query.finds(&names, colleague.view);
    Ok(found.then_some(colleague))
}
