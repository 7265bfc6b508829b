//! What a CRM has done as a component: it subscribes to the changes of activities, acknowledges them, and fetches
//! changes and activities.

use super::operations::{id_from, with_page};
use super::wire::{LISTED_NOTES_BYTES_MAX, NS};
use super::{feed, find, journal};
use crate::config::ComponentRole;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Act, Field, ForComponents, Kind, Outcome, Visitor};
use crate::contact_center::values::Values;
use crate::domain::activity::Rejection as Unread;
use crate::domain::activity::follower::Rejection;
use crate::proto::Condition;
use crate::proto::common::rsm::{Page, PageFrom};
use crate::xml::Element;

/// What a component of a CRM may have done.
pub(in crate::contact_center) const FOR_COMPONENTS: &[ForComponents] = &[
    ForComponents {
        name: "subscribe",
        fields: &[Field::required("after", CURSOR, "Behind which change").optional()],
        run: |visitor, values| Box::pin(subscribe(visitor, values)),
        ..SET
    },
    ForComponents {
        name: "unsubscribe",
        run: |visitor, _| Box::pin(unsubscribe(visitor)),
        ..SET
    },
    ForComponents {
        name: "acknowledge",
        fields: &[Field::required("cursor", CURSOR, "Up to which change")],
        run: |visitor, values| Box::pin(acknowledge(visitor, values)),
        ..SET
    },
    ForComponents {
        name: "changes",
        act: Act::Get,
        fields: &[PAGE],
        run: |visitor, values| Box::pin(changes(visitor, values)),
        ..SET
    },
    ForComponents {
        name: "activity",
        act: Act::Get,
        fields: &[Field::required("id", Kind::Id, "Which one"), PAGE],
        run: |visitor, values| Box::pin(activity(visitor, values)),
        ..SET
    },
];

/// What most of them have.
const SET: ForComponents = ForComponents {
    ns: NS,
    name: "",
    act: Act::Set,
    role: ComponentRole::Crm,
    fields: &[],
    run: |_, _| Box::pin(async { Err(Rejection::NotSubscribed.into()) }),
};

const PAGE: Field = Field::required("set", Kind::Page, "Page").optional();

const CURSOR: Kind = Kind::Line {
    chars_max: CURSOR_CHARS_MAX,
};

/// Digits of the greatest place.
const CURSOR_CHARS_MAX: usize = 19;

/// Changes of one answer: with the last notes of the activities they fit into a stanza.
const CHANGES_MAX: u32 = 20;

fn cursor(text: &str) -> Result<i64, Refused> {
    let place = text.parse::<i64>().ok().filter(|place| *place >= 0);
    place.ok_or_else(|| malformed("field-malformed", "A cursor is a number."))
}

/// Where the journal of the host is: its name, its oldest and its last place.
async fn ends(visitor: &Visitor) -> Result<(String, Option<i64>, i64), Refused> {
    let name = journal(visitor.place.host.as_str());
    let journals = visitor.services.store.journals();
    let first = journals.first(&name).await?;
    let last = journals.last(&name).await?;
    Ok((name, first, last))
}

/// Whether everything behind that place is there.
fn check(place: i64, first: Option<i64>, last: i64) -> Result<(), Rejection> {
    // Where nothing is kept, nothing is behind the last.
    let first = first.unwrap_or_else(|| last.saturating_add(1));
    if place > last {
        return Err(Rejection::CursorUnknown { last });
    }
    if place < first.saturating_sub(1) {
        return Err(Rejection::CursorGone { first });
    }
    Ok(())
}

/// From now on the CRM is sent every change: behind the one that it names, behind the last that it has acknowledged, or
/// those to come.
async fn subscribe(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let (name, first, last) = ends(&visitor).await?;
    let journals = visitor.services.store.journals();
    let known = journals.follower(&name, &visitor.component).await?;
    let after = match (values.optional_text("after"), known) {
        (Some(text), _) => {
            let after = cursor(text)?;
            check(after, first, last)?;
            journals.follow(&name, &visitor.component, after).await?;
            after
        }
        (None, Some(known)) => known.acknowledged,
        (None, None) => {
            journals.follow(&name, &visitor.component, last).await?;
            last
        }
    };
    let host = visitor.place.host.as_str();
    visitor.center.feed.again(host, &visitor.component);
    let answer = Element::new(NS, "subscribed")
        .attr("after", after.to_string())
        .attr_opt("first", first.map(|first| first.to_string()))
        .attr("last", last.to_string())
        // What it has not acknowledged was forgotten, for it was away too long: it has to look itself what there was.
        .attr_opt("gap", check(after, first, last).is_err().then_some("true"));
    Ok(Outcome::default().with(answer))
}

async fn unsubscribe(visitor: Visitor) -> Result<Outcome, Refused> {
    let name = journal(visitor.place.host.as_str());
    let journals = visitor.services.store.journals();
    journals.unfollow(&name, &visitor.component).await?;
    visitor.center.feed.wake();
    Ok(Outcome::default())
}

async fn acknowledge(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let place = cursor(values.text("cursor")?)?;
    let (name, _, last) = ends(&visitor).await?;
    let journals = visitor.services.store.journals();
    let known = journals.follower(&name, &visitor.component).await?;
    known.ok_or(Rejection::NotSubscribed)?;
    if place > last {
        return Err(Rejection::CursorUnknown { last }.into());
    }
    journals
        .acknowledge(&name, &visitor.component, place)
        .await?;
    visitor.center.feed.wake();
    Ok(Outcome::default())
}

/// A page of the changes, the oldest first; their ids are the cursors. Nothing is acknowledged by it.
async fn changes(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let (name, first, last) = ends(&visitor).await?;
    let oldest = first
        .unwrap_or_else(|| last.saturating_add(1))
        .saturating_sub(1);
    let after = match &values.page().from {
        PageFrom::First => oldest,
        PageFrom::After(text) => {
            let after = cursor(text)?;
            check(after, first, last)?;
            after
        }
        // A cursor goes forward.
        PageFrom::Before(_) | PageFrom::Last | PageFrom::Index(_) => {
            return Err(Condition::FeatureNotImplemented.into());
        }
    };
    let max = values.page().max.unwrap_or(CHANGES_MAX).min(CHANGES_MAX);
    let entries = match max {
        0 => Vec::new(),
        max => {
            let journals = visitor.services.store.journals();
            journals.after(&name, after, max).await?
        }
    };
    let now = visitor.services.clock.now();
    let mut changes = Vec::with_capacity(entries.len());
    for entry in &entries {
        let Ok(id) = entry.id.parse() else { continue };
        if let Some(activity) = find(&visitor.services, &id).await? {
            changes.push(feed::change(
                (entry.place, &activity),
                LISTED_NOTES_BYTES_MAX,
                now,
            ));
        }
    }
    let ends = entries.first().zip(entries.last());
    let page = Page {
        ends: ends.map(|(first, last)| (first.place.to_string(), last.place.to_string())),
        index: None,
        count: u64::try_from(last.saturating_sub(oldest)).ok(),
    };
    let answer = Element::new(NS, "changes")
        .children_from(changes)
        .child(page.to_element());
    Ok(Outcome::default().with(answer))
}

async fn activity(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let id = id_from(values.text("id")?)?;
    let found = find(&visitor.services, &id).await?;
    let host = visitor.place.host.as_str();
    let here = |it: &_| super::agent_of(it).is_some_and(|agent| agent.host() == host);
    let found = found.filter(here).ok_or(Unread::Unknown)?;
    let now = visitor.services.clock.now();
    let element = with_page(&found, values.page(), now)?;
    Ok(Outcome::default().with(element))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_where_everything_behind_it_is_there() {
        for (place, first, last, expected) in [
            (0, None, 0, Ok(())),
            (1, None, 0, Err(Rejection::CursorUnknown { last: 0 })),
            (0, Some(1), 3, Ok(())),
            (3, Some(1), 3, Ok(())),
            (4, Some(1), 3, Err(Rejection::CursorUnknown { last: 3 })),
            (6, Some(7), 9, Ok(())),
            (5, Some(7), 9, Err(Rejection::CursorGone { first: 7 })),
            (9, None, 9, Ok(())),
            (8, None, 9, Err(Rejection::CursorGone { first: 10 })),
        ] {
            assert_eq!(
                check(place, first, last),
                expected,
                "{place} {first:?} {last}"
            );
        }
    }
}
