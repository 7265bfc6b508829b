//! Whom the server as a whole does not talk to, and whom alone it talks to (XEP-0133 §4.11, §4.12).
//!
//! Entries are addresses or domains. Nothing passes between accounts of this server and who is on the
//! blacklist, wherever that is. While the whitelist is empty it says nothing; else accounts of this server talk
//! to those outside of it only who are on it. The extension `access` sees to that.

use std::collections::HashSet;

use arc_swap::ArcSwap;
use serde_json::json;

use super::arguments::Arguments;
use super::operation::{Argument, Count, Face, Handler, Kind, Operation, own, standard};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::hooks::Services;
use crate::proto::{BareJid, Jid};
use crate::store::{Store, StoreError};

/// The list of those who are kept out.
pub const BLACKLIST: &str = "blacklist";

/// The list of those who alone are let in.
pub const WHITELIST: &str = "whitelist";

/// Entries of one list: as many as a form takes, and few enough to be held in memory.
const ENTRIES_MAX: usize = 1_000;

const ENTRIES: Argument = Argument::optional(
    "jid",
    Kind::Address,
    "addresses or domains; none empties the list",
)
.count(Count::All);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "blacklist set",
        "Replaces the list of those whom the server does not talk to.",
        Face::new(standard!("edit-blacklist"), "Edit the blacklist"),
        &[ENTRIES.var("blacklistjids")],
        |operator, arguments| Box::pin(set(operator, arguments, BLACKLIST)),
    )
    .of_the_server()
    .prefilled(|operator| Box::pin(prefill(operator, BLACKLIST))),
    shown(
        "blacklist list",
        "Lists those whom the server does not talk to.",
        Face::new(own!("blacklist-list"), "Show the blacklist"),
        |operator, _| Box::pin(list(operator, BLACKLIST)),
    ),
    Operation::new(
        "whitelist set",
        "Replaces the list of those outside whom alone the server talks to.",
        Face::new(standard!("edit-whitelist"), "Edit the whitelist"),
        &[ENTRIES.var("whitelistjids")],
        |operator, arguments| Box::pin(set(operator, arguments, WHITELIST)),
    )
    .of_the_server()
    .prefilled(|operator| Box::pin(prefill(operator, WHITELIST))),
    shown(
        "whitelist list",
        "Lists those outside whom alone the server talks to.",
        Face::new(own!("whitelist-list"), "Show the whitelist"),
        |operator, _| Box::pin(list(operator, WHITELIST)),
    ),
];

const fn shown(name: &'static str, about: &'static str, face: Face, run: Handler) -> Operation {
    Operation::new(name, about, face, &[], run)
        .of_the_server()
        .only_looking()
}

/// Both lists in memory, among [`crate::hooks::Hooks::offers`].
#[derive(Debug, Default)]
pub struct AccessRules(ArcSwap<Lists>);

#[derive(Debug, Default)]
struct Lists {
    black: HashSet<String>,
    white: HashSet<String>,
}

impl AccessRules {
    /// Reads both lists from the database.
    ///
    /// # Errors
    /// When the database fails; the rules stay as they were.
    pub async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let lists = store.access_lists();
        let texts = |jids: Vec<BareJid>| jids.iter().map(ToString::to_string).collect();
        let black = texts(lists.load(BLACKLIST).await?);
        let white = texts(lists.load(WHITELIST).await?);
        self.0.store(std::sync::Arc::new(Lists { black, white }));
        Ok(())
    }

    /// Whether nothing may pass between accounts of this server and that address.
    #[must_use]
    pub fn forbid(&self, other: &Jid, services: &Services) -> bool {
        let lists = self.0.load();
        let on = |list: &HashSet<String>| {
            !list.is_empty()
                && (list.contains(other.domain()) || list.contains(other.bare().as_str()))
        };
        if on(&lists.black) {
            return true;
        }
        if lists.white.is_empty() || on(&lists.white) {
            return false;
        }
        let domain = other.domain();
        let is_service = || {
            let service = BareJid::new(domain);
            service.is_ok_and(|domain| services.hooks.find_service(domain.as_str()).is_some())
        };
        !services.serves(domain) && !is_service()
    }
}

async fn set(
    operator: Operator,
    arguments: Arguments,
    list: &'static str,
) -> Result<Outcome, Refusal> {
    let entries: Vec<BareJid> = arguments.addresses("jid").cloned().collect();
    if entries.len() > ENTRIES_MAX {
        let text = format!("the list holds at most {ENTRIES_MAX} entries");
        return Err(Refusal::NotAcceptable(text));
    }
    let own = entries.iter().find(|entry| {
        let mut hosts = operator.config.hosts.iter();
        hosts.any(|host| host.domain.as_str() == entry.as_str())
    });
    if let (Some(own), BLACKLIST) = (own, list) {
        let text = format!("{own} is a host of this server; nobody on it could talk any more");
        return Err(Refusal::NotAcceptable(text));
    }
    operator
        .store
        .access_lists()
        .replace(list, &entries)
        .await?;
    if let Some(services) = &operator.services
        && let Some(rules) = services.hooks.offers().find::<AccessRules>()
    {
        rules.load(&operator.store).await?;
    }
    let count = entries.len();
    let text = format!("The {list} has {count} entries.\n");
    Ok(Outcome::told(json!({ "entries": count }), text))
}

async fn prefill(
    operator: Operator,
    list: &'static str,
) -> Result<Vec<(&'static str, String)>, Refusal> {
    let entries = operator.store.access_lists().load(list).await?;
    Ok(entries
        .iter()
        .map(|entry| ("jid", entry.to_string()))
        .collect())
}

async fn list(operator: Operator, list: &'static str) -> Result<Outcome, Refusal> {
    let entries = operator.store.access_lists().load(list).await?;
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    let text = format!("{} in all.\n", entries.len());
    let rows = entries.iter().map(|entry| [entry.clone()]).collect();
    Ok(Outcome::told(json!({ "entries": entries }), text).with(Table::new(["ENTRY"], rows)))
}
