//! An agent's sessions: its list, and what forms offer of it.

use super::{KIND, LISTED, OF, PAGE, find, other, wire};
use crate::contact_center::errors::{Refused, by_number};
use crate::contact_center::operation::{Caller, Outcome, Shown, Table};
use crate::contact_center::record;
use crate::contact_center::values::Values;
use crate::domain::ids::{AgentId, ImSessionId};
use crate::domain::im_session::ImSession;
use crate::proto::common::rsm::{Page, PageFrom};
use crate::store::{ListOrder, StoredRecord};
use crate::xml::Element;

/// Which sessions of a list are meant.
pub(super) type Fits = fn(&ImSession, &AgentId) -> bool;

/// Whether it is of the caller's time: what an earlier account of the same name took part in is not its own.
fn is_since(caller: &Caller, session: &ImSession) -> bool {
    session.invited_at.is_none_or(|at| at >= caller.since)
}

/// The session of that id, if the caller takes part in it.
pub(super) async fn own(caller: &Caller, id: &ImSessionId) -> Result<Option<ImSession>, Refused> {
    let found = find(&caller.services, id).await?;
    Ok(found.filter(|it| it.has(&caller.agent) && is_since(caller, it)))
}

/// The caller's sessions in those lists that are meant, the newest of each first.
pub(super) async fn candidates(
    caller: &Caller,
    lists: &[&'static str],
    fits: Fits,
) -> Result<Vec<ImSession>, Refused> {
    let records = caller.services.store.records();
    let own = caller.agent.jid().as_str();
    let mut found = Vec::new();
    for list in lists {
        let order = ListOrder::Descending;
        let page = records.listed(KIND, (list, own), None, order, PAGE).await?;
        for stored in page {
            let session: ImSession = record::read(&stored)?;
            if is_since(caller, &session) && fits(&session, &caller.agent) {
                found.push(session);
            }
        }
    }
    Ok(found)
}

/// The same as the options of the field `id`; the only one is chosen already.
pub(super) async fn offered(
    caller: Caller,
    lists: &'static [&'static str],
    fits: Fits,
) -> Result<Shown, Refused> {
    let sessions = candidates(&caller, lists, fits).await?;
    let option = |session: &ImSession| {
        let with = other(session, &caller.agent).logon();
        let status = session.status(&caller.agent).name();
        let at = session
            .invited_at
            .map(|at| at.to_string())
            .unwrap_or_default();
        let id = session.id.to_string();
        ("id", id, format!("{with}, {status}, {at}"))
    };
    let only = match sessions.as_slice() {
        [only] => vec![("id", only.id.to_string())],
        _ => vec![],
    };
    Ok(Shown {
        options: sessions.iter().map(option).collect(),
        values: only,
        ..Shown::default()
    })
}

/// Above the columns of the list.
const COLUMNS: &[(&str, &str)] = &[
    ("id", "Session"),
    ("with", "Colleague"),
    ("status", "Status"),
    ("since", "Since"),
];

/// The caller's list, the oldest first.
pub(super) async fn sessions(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let list = if values.flag("all") { OF } else { LISTED };
    let (page, count, index) = read_page(&caller, list, &values).await?;
    let mut sessions = Vec::with_capacity(page.len());
    for stored in page {
        sessions.push(record::read::<ImSession>(&stored)?);
    }
    sessions.retain(|session| is_since(&caller, session));
    let ends = sessions.first().zip(sessions.last());
    let ends = ends.map(|(first, last)| (first.id.to_string(), last.id.to_string()));
    let count = Some(count);
    let set = Page { ends, index, count }.to_element();
    let elements = sessions.iter().map(|it| wire::session(it, &caller.agent));
    let listed = Element::new(wire::NS, "sessions")
        .children_from(elements)
        .child(set);
    Ok(Outcome::told(format!("{} IM sessions.", sessions.len()))
        .with(listed)
        .listing(table(&caller, &sessions)))
}

fn table(caller: &Caller, sessions: &[ImSession]) -> Table {
    let row = |session: &ImSession| {
        let seen = wire::session(session, &caller.agent);
        let cell = |(name, _): &(&str, &str)| seen.attribute(name).unwrap_or_default().to_owned();
        COLUMNS.iter().map(cell).collect()
    };
    Table {
        columns: COLUMNS,
        rows: sessions.iter().map(row).collect(),
    }
}

/// A page of the caller's list (XEP-0059 §2), the length of the list, and the place of the page in it.
async fn read_page(
    caller: &Caller,
    list: &'static str,
    values: &Values,
) -> Result<(Vec<StoredRecord>, u64, Option<u64>), Refused> {
    let records = caller.services.store.records();
    let list = (list, caller.agent.jid().as_str());
    let asked = values.page();
    // What is older is of another account, whose name the caller has.
    let oldest = crate::id::floor(caller.since);
    let former = records.count_before(KIND, list, &oldest).await?;
    let count = records.count(KIND, list).await?.saturating_sub(former);
    let max = asked.max.unwrap_or(PAGE).min(PAGE);
    let (from, order) = match &asked.from {
        PageFrom::First => (Some(oldest.as_str()), ListOrder::Ascending),
        PageFrom::After(id) => (Some(oldest.as_str().max(id)), ListOrder::Ascending),
        PageFrom::Before(id) => (Some(id.as_str()), ListOrder::Descending),
        PageFrom::Last => (None, ListOrder::Descending),
        // The list may change between two pages: places in it mean nothing (§2.4).
        PageFrom::Index(_) => return Err(by_number().into()),
    };
    if max == 0 {
        return Ok((Vec::new(), count, None));
    }
    let mut page = records.listed(KIND, list, from, order, max).await?;
    if order == ListOrder::Descending {
        page.retain(|stored| stored.id > oldest);
        page.reverse();
    }
    let index = match page.first() {
        Some(first) => {
            let before = records.count_before(KIND, list, &first.id).await?;
            Some(before.saturating_sub(former))
        }
        None => None,
    };
    Ok((page, count, index))
}
