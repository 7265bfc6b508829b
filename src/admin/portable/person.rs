//! One `<user/>` put together (XEP-0227 §4.2).

use bytes::Bytes;

use super::contacts;
use super::credentials;
use super::document::{self, Place, USER};
use super::mail::{self, Past};
use super::nodes::Nodes;
use super::{PIE, PIE_MAM, PIE_SCRAM, PRIVACY, Rules, XINCLUDE};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::domain::rights::Role;
use crate::observe::Secret;
use crate::proto::common::kept;
use crate::proto::{BareJid, Stanza, ns};
use crate::store::{Arrival, ArrivedElement};
use crate::xml::{Child, Element, Parsed, Scope, parse};

/// A person who was read.
#[derive(Debug)]
pub(super) struct Person {
    /// All but the keys that are to be made of a password.
    pub(super) arrival: Arrival,
    /// The password, where the file has that instead of keys.
    pub(super) password: Option<Secret<String>>,
    /// What could not be taken over.
    pub(super) notes: Vec<String>,
}

/// What is needed to read one.
pub(super) struct Reader<'a> {
    pub(super) config: &'a Config,
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
}

/// What is gathered of a user.
struct Gathered {
    person: Person,
    nodes: Nodes,
    offline: Vec<Element>,
    past: Vec<Past>,
}

impl Reader<'_> {
    /// Reads the user of that address.
    ///
    /// # Errors
    /// Why there can be no such account.
    pub(super) fn person(
        &self,
        jid: BareJid,
        place: &Place,
        user: &Parsed,
    ) -> Result<Person, String> {
        let mut gathered = Gathered::new(jid);
        for child in user.content.iter() {
            if mail::is_archive(&child) {
                gathered.archive(&child, self.now)?;
                continue;
            }
            let element = child.to_element(PIE).map_err(|error| error.to_string())?;
            if element.is(XINCLUDE, "include") {
                let part = document::part(&place.file, &element)?;
                self.read(&mut gathered, &part)?;
            } else {
                self.read(&mut gathered, &element)?;
            }
        }
        let password = user
            .tag
            .attribute("password")
            .filter(|password| !password.is_empty());
        self.finish(gathered, password)
    }

    fn read(&self, gathered: &mut Gathered, element: &Element) -> Result<(), String> {
        let Gathered { person, nodes, .. } = gathered;
        let Person { arrival, notes, .. } = person;
        match (element.ns(), element.name()) {
            (PIE_SCRAM, "scram-credentials") => match credentials::read(element)? {
                Some(keys) if arrival.keys.iter().any(|known| known.hash == keys.hash) => {
                    return Err("credentials of one mechanism are there twice".to_owned());
                }
                Some(keys) => arrival.keys.push(keys),
                None => notes.push("credentials of an unknown mechanism are left out".to_owned()),
            },
            (ns::ROSTER, "query") => {
                arrival.roster = contacts::read_roster(element, &arrival.jid, notes)?;
            }
            (ns::CLIENT | PIE, "presence") => {
                match contacts::read_request(element, &arrival.jid, self.now) {
                    Ok(request) => arrival.requests.push(request),
                    Err(note) => notes.push(note),
                }
            }
            (ns::BLOCKING, "blocklist") => {
                arrival
                    .blocked
                    .extend(contacts::read_blocked(element, notes));
            }
            (PRIVACY, "query") => arrival
                .blocked
                .extend(contacts::read_privacy(element, notes)),
            (ns::VCARD, "vCard") => arrival.vcard = Some(kept::to_bytes(element)),
            (ns::PRIVATE, "query") => {
                arrival.private.extend(element.children().map(private));
            }
            (PIE, "offline-messages") => gathered.offline.extend(element.children().cloned()),
            (PIE_MAM, "archive") => {
                let results = element.children().cloned().collect::<Vec<_>>();
                gathered.results(&results, self.now);
            }
            (ns::MAM, "prefs") => arrival.preference = mail::read_preference(element),
            (ns::PUBSUB_OWNER, "pubsub") => nodes.read_owner(element, notes),
            (ns::PUBSUB, "pubsub") => nodes.read_items(element, &arrival.jid, notes),
            _ => notes.push(document::left_out(element)),
        }
        Ok(())
    }

    fn finish(&self, gathered: Gathered, password: Option<&str>) -> Result<Person, String> {
        let Gathered {
            mut person,
            nodes,
            offline,
            past,
        } = gathered;
        let Person { arrival, notes, .. } = &mut person;
        let jid = arrival.jid.clone();
        arrival.requests = contacts::distinct(std::mem::take(&mut arrival.requests))?;
        let words = |stanza: &Stanza| (self.rules.words)(&self.config.archive, &jid, stanza);
        let (archive, ids) = mail::arrange(past, &jid, words);
        arrival.archive = archive;
        for message in &offline {
            match mail::read_offline(message, &jid, &ids, self.now) {
                Some(message) => arrival.offline.push(message),
                None => notes.push("a message that waits is left out: it is none".to_owned()),
            }
        }
        arrival.offline.sort_by_key(|message| message.received_at);
        arrival.nodes = nodes.finish(self.rules, notes);
        if arrival.keys.is_empty() {
            person.password = password.map(|password| Secret::new(password.to_owned()));
            if person.password.is_none() {
                let text = "it has neither password nor credentials, and cannot log in until it is given one";
                person.notes.push(text.to_owned());
            }
        }
        Ok(person)
    }
}

fn private(element: &Element) -> ArrivedElement {
    ArrivedElement {
        ns: element.ns().to_owned(),
        name: element.name().to_owned(),
        xml: kept::to_bytes(element),
    }
}

impl Gathered {
    fn new(jid: BareJid) -> Self {
        Self {
            person: Person {
                arrival: Arrival {
                    jid,
                    role: Role::Member,
                    keys: Vec::new(),
                    roster: Vec::new(),
                    requests: Vec::new(),
                    vcard: None,
                    private: Vec::new(),
                    blocked: Vec::new(),
                    offline: Vec::new(),
                    nodes: Vec::new(),
                    archive: Vec::new(),
                    preference: None,
                },
                password: None,
                notes: Vec::new(),
            },
            nodes: Nodes::default(),
            offline: Vec::new(),
            past: Vec::new(),
        }
    }

    /// The archive, message by message: a tree of all of it would be many times as large.
    fn archive(&mut self, child: &Child<'_>, now: Timestamp) -> Result<(), String> {
        let bytes = Bytes::copy_from_slice(child.bytes());
        let archive =
            parse(bytes, &Scope::with_default(PIE), &USER).map_err(|error| error.to_string())?;
        for result in archive.content.iter() {
            let element = result
                .to_element(PIE_MAM)
                .map_err(|error| error.to_string())?;
            self.results(std::slice::from_ref(&element), now);
        }
        Ok(())
    }

    fn results(&mut self, results: &[Element], now: Timestamp) {
        let notes = &mut self.person.notes;
        for result in results {
            if !result.is(ns::MAM, "result") {
                notes.push(document::left_out(result));
                continue;
            }
            match mail::read_archived(result, &self.person.arrival.jid, now) {
                Ok(past) => self.past.push(past),
                Err(note) => notes.push(note),
            }
        }
    }
}
