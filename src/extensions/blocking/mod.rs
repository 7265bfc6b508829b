//! XEP-0191: Blocking Command, version 1.3; reports in it are those of XEP-0377.
//!
//! `guard.rs` stops what comes from a blocked address or goes to it, in memory (`known.rs`). Subscriptions stay as they
//! are (§4, polite blocking): presence is hidden, and shown again after unblocking. The account's own
//! addresses and the server's hosts cannot be blocked. To an occupant of a room, who is blocked by the full
//! address, nothing is answered: the room would take an error for the end of the blocking one.

mod guard;
mod known;
mod list;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use tracing::debug;

use crate::config::Config;
use crate::extensions::{presence, reporting, roster};
use crate::hooks::{Account, At, Hooks, Iq, IqAnswer, Passage, Services, Session, Stage};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, IqType, Jid, PresenceType, Stanza, StanzaError, ns};
use crate::store::Put;
use crate::xml::Element;
use known::{Held, Offline};
use list::Blocklist;

/// XEP-0191 §3.3: the condition of errors.
const ERRORS: &str = "urn:xmpp:blocking:errors";

/// Set on a session that has asked for the list: it is told of changes (§3.3).
struct Asked;

/// Registers the guards and the answers.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0191", "Blocking Command", "1.3"));
    hooks.feature(&[At::Host], ns::BLOCKING);
    let offline = Arc::new(Offline::default());
    let outgoing = || {
        let offline = Arc::clone(&offline);
        move |passage: &mut Passage<'_>| guard::outgoing(passage, &offline)
    };
    hooks.outgoing_message(Stage::Guard, outgoing());
    hooks.outgoing_presence(Stage::Guard, outgoing());
    hooks.outgoing_iq(Stage::Guard, outgoing());
    let incoming = || {
        let offline = Arc::clone(&offline);
        move |passage: &mut Passage<'_>| guard::incoming(passage, &offline)
    };
    hooks.incoming_message(Stage::Guard, incoming());
    hooks.incoming_presence(Stage::Guard, incoming());
    hooks.incoming_iq(Stage::Guard, incoming());
    hooks.iq_get(&[At::Own], ns::BLOCKING, "blocklist", blocklist);
    let items_max = config.blocking.items_max;
    let known = Arc::clone(&offline);
    hooks.iq_set(&[At::Own], ns::BLOCKING, "block", move |iq| {
        block(iq, Arc::clone(&known), items_max)
    });
    hooks.iq_set(&[At::Own], ns::BLOCKING, "unblock", move |iq| {
        unblock(iq, Arc::clone(&offline))
    });
}

/// Whether the account, which is online, blocks the address: nothing in its name goes there.
pub(crate) fn blocks(account: &Account, address: &BareJid) -> bool {
    known::held(account).is_some_and(|list| list.matches_parts(address, None))
}

/// Whether the account, which is online, gets nothing from that address: for what is handed to its sessions
/// past the hooks.
pub(in crate::extensions) fn stops(account: &Account, from: &Jid) -> bool {
    known::held(account).is_some_and(|list| list.matches(from))
}

/// Whether the account blocks the address, wherever its list is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn has_blocked(
    services: &Services,
    owner: &BareJid,
    address: &BareJid,
) -> Result<bool, StanzaError> {
    let online = services.online(owner);
    if let Some(list) = online.as_deref().and_then(known::held) {
        return Ok(list.matches_parts(address, None));
    }
    let addresses = services.store.blocked().list(owner).await?;
    Ok(Blocklist::new(&addresses).matches_parts(address, None))
}

/// §3.2.
async fn blocklist(iq: Iq) -> IqAnswer {
    let session = iq.session()?;
    let owner = session.account().jid();
    let held = Held::of(session.account());
    let _turn = held.turn.lock().await;
    let addresses = iq.services.store.blocked().list(owner).await?;
    session.slots().set(Asked);
    Ok(Some(element("blocklist", &addresses)))
}

/// `<block/>`, `<unblock/>` or `<blocklist/>` with those items.
fn element(name: &str, addresses: &[Jid]) -> Element {
    let item = |jid: &Jid| Element::new(ns::BLOCKING, "item").attr("jid", jid.to_string());
    Element::new(ns::BLOCKING, name).children_from(addresses.iter().map(item))
}

/// §3.3.
async fn block(iq: Iq, offline: Arc<Offline>, items_max: u32) -> IqAnswer {
    let account = iq.session()?.account();
    let owner = account.jid();
    let addresses = items(&iq.payload)?;
    if addresses.is_empty() {
        return Err(StanzaError::bad_request("there is nobody to be blocked"));
    }
    if let Some(address) = addresses.iter().find(|it| is_own(it, &iq)) {
        let text = format!("{address} cannot be blocked");
        return Err(StanzaError::new(Condition::NotAllowed).text(text));
    }
    let reports = reporting::read(&iq)?;
    let held = Held::of(account);
    let _turn = held.turn.lock().await;
    let before = held.load(&iq.services, owner).await?;
    let blocked = iq.services.store.blocked();
    match Box::pin(blocked.put(owner, &addresses, items_max)).await? {
        Put::Stored => {}
        Put::Full => {
            return Err(
                StanzaError::new(Condition::ResourceConstraint).text("too many are blocked")
            );
        }
    }
    let after = Blocklist::new(&blocked.list(owner).await?);
    let after = Arc::new(after);
    // First the list, so that no presence follows the last one, which alone still passes.
    held.set(Arc::clone(&after));
    offline.forget(owner);
    let hiding = Hiding::begin(&held);
    let hides = |jid: &Jid| after.matches(jid) && !before.matches(jid);
    for stanza in presence::hide(&iq.services, account, hides) {
        iq.services.route(stanza).await;
    }
    drop(hiding);
    push(account, &element("block", &addresses));
    Box::pin(reporting::take(&iq.services, reports)).await;
    Ok(None)
}

/// While it lives, the end of presence passes to who is blocked; also a task that is dropped ends it.
struct Hiding<'a>(&'a Held);

impl<'a> Hiding<'a> {
    fn begin(held: &'a Held) -> Self {
        held.set_hiding(true);
        Self(held)
    }
}

impl Drop for Hiding<'_> {
    fn drop(&mut self) {
        self.0.set_hiding(false);
    }
}

/// §3.4, §3.5.
async fn unblock(iq: Iq, offline: Arc<Offline>) -> IqAnswer {
    let account = iq.session()?.account();
    let owner = account.jid();
    let addresses = items(&iq.payload)?;
    let held = Held::of(account);
    {
        let _turn = held.turn.lock().await;
        let before = held.load(&iq.services, owner).await?;
        let blocked = iq.services.store.blocked();
        if addresses.is_empty() {
            blocked.clear(owner).await?;
        } else {
            Box::pin(blocked.delete(owner, &addresses)).await?;
        }
        let after = Blocklist::new(&blocked.list(owner).await?);
        let shown = again_seen(account, &before, &after);
        held.set(Arc::new(after));
        offline.forget(owner);
        push(account, &element("unblock", &addresses));
        for contact in shown {
            show(&iq.services, owner, &contact).await;
        }
    }
    Ok(None)
}

/// The contacts that were blocked and are not.
fn again_seen(account: &Account, before: &Blocklist, after: &Blocklist) -> Vec<BareJid> {
    let Some(roster) = roster::loaded(account) else {
        return Vec::new();
    };
    let contacts = roster.items().iter().map(|item| &item.contact);
    let seen =
        contacts.filter(|it| before.matches_parts(it, None) && !after.matches_parts(it, None));
    seen.cloned().collect()
}

/// §3.4: the account's presence goes to the contact again, and the contact is asked for its own.
async fn show(services: &Services, owner: &BareJid, contact: &BareJid) {
    let online = services.online(owner);
    let roster = online.as_deref().and_then(roster::loaded);
    let item = roster.and_then(|roster| roster.find(contact).cloned());
    let Some(item) = item else {
        return;
    };
    let mut stanzas = Vec::new();
    if item.subscription.has_from() {
        stanzas.extend(presence::current(services, owner, contact));
    }
    if item.subscription.has_to() {
        let probe = Stanza::presence(PresenceType::Probe);
        stanzas.push(probe.from(owner.clone()).to(contact.clone()));
    }
    for stanza in stanzas {
        services.route(stanza).await;
    }
}

/// Whether it is an address of the account itself, or of a host.
fn is_own(address: &Jid, iq: &Iq) -> bool {
    address.bare() == iq.from.bare()
        || (address.local().is_none() && iq.services.serves(address.domain()))
}

/// The addresses of the items, each once.
fn items(payload: &Element) -> Result<Vec<Jid>, StanzaError> {
    let mut addresses = Vec::new();
    let mut seen = HashSet::new();
    for item in payload.children().filter(|it| it.is(ns::BLOCKING, "item")) {
        let jid = item
            .attribute("jid")
            .ok_or_else(|| StanzaError::bad_request("an item has no jid"))?;
        let jid = Jid::parse(jid)
            .map_err(|error| StanzaError::new(Condition::JidMalformed).text(error.to_string()))?;
        if seen.insert(jid.clone()) {
            addresses.push(jid);
        }
    }
    Ok(addresses)
}

/// §3.3: to the sessions that have asked for the list.
fn push(account: &Account, change: &Element) {
    let sessions = account.sessions();
    let asked = |session: &&Arc<Session>| session.slots().find::<Asked>().is_some();
    for session in sessions.iter().filter(asked) {
        let push = Stanza::iq(IqType::Set, &crate::id::random())
            .to(session.address())
            .child(change);
        if session.deliver(Arc::new(push)).is_err() {
            debug!("a session is gone before it heard who is blocked");
        }
    }
}
