//! Personal contacts: adding a colleague, taking one away, and the list.

use std::sync::Arc;

use super::listed::{self, KINDS, Listed};
use super::page::Slice;
use super::{COLLEAGUE, LIST};
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Act, Caller, Operation, Outcome};
use crate::contact_center::people::{Person, between};
use crate::contact_center::values::Values;
use crate::domain::colleague::{Prerequisite, colleagues};
use crate::domain::ids::AgentId;
use crate::domain::personal_contact::{
    Command, Entry, Event, Facts, Rejection, Relation, Room, decide,
};
use crate::domain::reach::{self, Blocking};
use crate::domain::rights::Right;
use crate::extensions::roster::{Found, Pair, PairWish, Side, Write, together};
use crate::hooks::Services;
use crate::store::{ListOrder, RosterItem, Subscription};
use crate::xml::Element;

/// The namespace of personal contacts.
pub(super) const NS: &str = "urn:parlour:contact:0";

/// What the operations are.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        ns: NS,
        name: "contacts",
        node: "urn:parlour:contact:0#contacts",
        act: Act::Get,
        title: "Your personal contacts",
        about: "The colleagues you work with most, and who of them can be reached.",
        right: Right::PersonalContact,
        fields: &[LIST],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(list(caller, values)),
    },
    Operation {
        ns: NS,
        name: "add-contact",
        node: "urn:parlour:contact:0#add-contact",
        act: Act::Set,
        title: "Add a personal contact",
        about: "You have the colleague in your contact list, and the colleague has you.",
        right: Right::PersonalContact,
        fields: &[COLLEAGUE],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(add(caller, values)),
    },
    Operation {
        ns: NS,
        name: "remove-contact",
        node: "urn:parlour:contact:0#remove-contact",
        act: Act::Set,
        title: "Remove a personal contact",
        about: "The colleague leaves your contact list, and you the colleague's.",
        right: Right::PersonalContact,
        fields: &[COLLEAGUE],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(remove(caller, values)),
    },
];

async fn add(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let (own, other) = both(&caller, &values).await?;
    // First: of who can be nobody's contact nothing else is told, whether it blocks or not.
    colleagues(&own.colleague(), &other.colleague())?;
    match between(&caller.services, &own.id, &other.id).await? {
        Blocking::None => {}
        Blocking::ByYou => return Err(reach::Rejection::BlockedByYou.into()),
        // XEP-0191 §8: whoever is blocked shall not learn of it.
        Blocking::ByThem => return Err(Prerequisite::ImDisabledForThem.into()),
    }
    change(&caller.services, &own, &other, Command::Add).await??;
    let told = format!("{} is one of your personal contacts.", other.id);
    Ok(Outcome::told(told))
}

async fn remove(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let (own, other) = both(&caller, &values).await?;
    change(&caller.services, &own, &other, Command::Remove).await??;
    let told = format!("{} is none of your personal contacts any more.", other.id);
    Ok(Outcome::told(told))
}

async fn both(caller: &Caller, values: &Values) -> Result<(Person, Person), Refused> {
    let other = values.agent("colleague")?;
    let other = Person::find(&caller.place, &caller.services.store, other).await?;
    Ok((Person::caller(caller), other))
}

/// Makes of both rosters what comes of a command. Answers whether anything has changed.
pub(super) async fn change(
    services: &Arc<Services>,
    own: &Person,
    other: &Person,
    command: Command,
) -> Result<Result<bool, Rejection>, Refused> {
    let names = [
        name(services, &own.id).await?,
        name(services, &other.id).await?,
    ];
    let group = &services.config.contact_center.contacts_group;
    let pair = Pair {
        own: own.id.jid(),
        other: other.id.jid(),
        wish: match command {
            Command::Subscribe => PairWish::Asked,
            Command::Add | Command::Remove | Command::Unlist => PairWish::Told,
        },
    };
    let decide = |found: &Found| {
        let relation = Relation {
            own: own.id.clone(),
            other: other.id.clone(),
            own_entry: entry(&found.own),
            their_entry: entry(&found.other),
        };
        let facts = Facts {
            own: own.colleague(),
            other: other.colleague(),
            own_room: room(&found.own),
            their_room: room(&found.other),
        };
        let [own_name, other_name] = &names;
        let events = decide(&relation, command, services.clock.now(), &facts)?;
        let mut writes = [None, None];
        for event in events {
            let (owner, _) = ends(&event);
            let is_own = *owner == own.id;
            let [own_write, other_write] = &mut writes;
            let (slot, side, name) = match is_own {
                true => (own_write, &found.own, other_name),
                false => (other_write, &found.other, own_name),
            };
            *slot = Some(written(&event, side, name.as_deref(), group));
        }
        Ok(writes)
    };
    Ok(Box::pin(together(services, pair, decide)).await?)
}

/// What the directory calls somebody.
async fn name(services: &Services, id: &AgentId) -> Result<Option<String>, Refused> {
    let names = services.store.directory().names(id.jid()).await?;
    Ok(names.and_then(|names| names.full.or(names.nickname)))
}

fn entry(side: &Side) -> Entry {
    match &side.item {
        None => Entry::Absent,
        Some(item) if item.subscription == Subscription::Both => Entry::Mutual,
        Some(_) => Entry::Listed,
    }
}

const fn room(side: &Side) -> Room {
    match side.full {
        true => Room::Full,
        false => Room::Free,
    }
}

const fn ends(event: &Event) -> (&AgentId, &AgentId) {
    match event {
        Event::Entered { owner, contact, .. } | Event::Left { owner, contact, .. } => {
            (owner, contact)
        }
    }
}

/// What is written in the roster of the event's owner. What people have given an item, a name and groups, stays.
fn written(event: &Event, side: &Side, name: Option<&str>, group: &str) -> Write {
    let (_, contact) = ends(event);
    let contact = contact.jid().clone();
    match event {
        Event::Left { .. } => Write::Remove(contact),
        Event::Entered { .. } => {
            let new = || RosterItem {
                name: name.map(ToOwned::to_owned),
                groups: Some(group.to_owned())
                    .filter(|group| !group.is_empty())
                    .into_iter()
                    .collect(),
                ..RosterItem::new(contact)
            };
            Write::Put(RosterItem {
                subscription: Subscription::Both,
                ask: false,
                ..side.item.clone().unwrap_or_else(new)
            })
        }
    }
}

async fn list(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let slice = Slice::of(values.page())?;
    let directory = caller.services.store.directory();
    let owner = caller.agent.jid();
    let (from, max) = (slice.from.as_ref(), slice.max);
    let rows = match max {
        0 => Vec::new(),
        _ => {
            directory
                .contacts(owner, from, slice.order, max, KINDS)
                .await?
        }
    };
    let rows = rows.into_iter().map(|row| Listed::seen_by(&caller, row));
    let rows = slice.in_order(rows.collect::<Result<Vec<_>, _>>()?);
    let count = directory.count_contacts(owner, None).await?;
    let index = match (rows.first(), &slice.from, slice.order) {
        (None, ..) => None,
        (Some(_), None, ListOrder::Ascending) => Some(0),
        (Some(first), ..) => Some(
            directory
                .count_contacts(owner, Some(&first.account))
                .await?,
        ),
    };
    let answer = Element::new(NS, "contacts")
        .children_from(rows.iter().map(|row| row.element(NS)))
        .child(listed::page(&rows, index, Some(count)));
    let told = match count {
        0 => "You have no personal contacts yet.".to_owned(),
        count => format!("Personal contacts: {count}."),
    };
    Ok(Outcome::told(told)
        .with(answer)
        .listing(listed::table(&rows)))
}
