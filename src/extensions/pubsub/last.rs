//! Who comes online is shown the last items (XEP-0163 §4.3.4): of the own account and of the contacts, for
//! the nodes that the client wants to be told of.
//!
//! What a client wants is in its capabilities; where they are not known yet, the client is asked, and the items
//! come after its answer. A client whose answer does not make its hash is not asked again in the same session. Only
//! the first presence of a session has them sent (§4.3.3).

use std::sync::Arc;

use tracing::debug;

use super::access::{self, Affiliation, Viewer};
use super::config::{NodeConfig, SendLast};
use super::interest::{self, Caps, Names, Sorts};
use super::items::{self, Payload};
use super::notify;
use super::place::{Face, Place};
use super::remote;
use crate::config::Config;
use crate::hooks::{Account, Effects, Flow, Hooks, Passage, Services, Session, Stage};
use crate::proto::{BareJid, IqType, Jid, Kind, PresenceType, Stanza, StanzaError};
use crate::store::{ContactItem, LAST_NAMES_MAX, LastOf};

/// The capabilities that a session has announced last; in its slots.
#[derive(PartialEq, Eq)]
struct Announced(Caps);

/// The request for them that the session's client has not answered yet; in its slots. There is one
/// at most: what was announced later is what counts.
struct Asked(String);

/// Set on a session that was shown the last items.
struct Shown;

/// Registers the hooks. That of outgoing presence comes after the one that makes the session available.
pub(super) fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let max = usize::try_from(config.pubsub.client_sorts_max).unwrap_or(usize::MAX);
    let sorts = Arc::new(Sorts::new(max));
    remote::register(hooks, config, &sorts);
    hooks.outgoing_presence(Stage::Deliver, move |passage| {
        let (None, Some(session)) = (&passage.stanza.to, passage.session.cloned()) else {
            return Flow::Continue;
        };
        match passage.stanza.kind {
            Kind::Presence(PresenceType::Available) => announced(passage, &session, &sorts),
            Kind::Presence(PresenceType::Unavailable) => {
                interest::forget(&session);
                forget_asked(passage.services, &session);
                session.slots().clear::<Announced>();
                session.slots().clear::<Shown>();
            }
            Kind::Presence(_) | Kind::Message(_) | Kind::Iq(_) => {}
        }
        Flow::Continue
    });
    hooks.closed(|session, services| async move { forget_asked(&services, &session) });
    hooks.incoming_presence(Stage::Record, |passage| {
        if passage.stanza.kind == Kind::Presence(PresenceType::Subscribed) {
            approved(passage);
        }
        Flow::Continue
    });
}

/// Whoever is let see a contact's presence is shown its last items (§4.3.4). Whether it is in truth
/// is looked up in the contact's roster, which has changed by now.
fn approved(passage: &mut Passage<'_>) {
    let (Some(from), Some(account)) = (&passage.stanza.from, passage.online.cloned()) else {
        return;
    };
    if !passage.services.serves(from.domain()) {
        return;
    }
    let contact = Place::account(passage.services, from.bare());
    passage.effects.then_effects(async move {
        let mut effects = Effects::default();
        match Box::pin(of_new_contact(&contact, &account)).await {
            Ok(messages) => effects.route = messages,
            Err(error) => debug!(?error, "last items are not shown"),
        }
        Ok(effects)
    });
}

async fn of_new_contact(contact: &Place, account: &Account) -> Result<Vec<Stanza>, StanzaError> {
    let sessions = account.sessions();
    let curious = |node: &str| {
        let wants =
            |session: &&Arc<Session>| session.is_available() && interest::wants(session, node);
        let wanting = sessions
            .iter()
            .filter(wants)
            .map(|session| session.address());
        wanting.collect::<Vec<_>>()
    };
    of_nodes(contact, account.jid(), curious).await
}

/// The last item of each node that `viewer` may read, for those of its addresses that want to be told.
pub(super) async fn of_nodes(
    contact: &Place,
    viewer: &BareJid,
    curious: impl Fn(&str) -> Vec<Jid>,
) -> Result<Vec<Stanza>, StanzaError> {
    let mut messages = Vec::new();
    for node in contact.nodes().await? {
        let curious = curious(&node.name);
        if curious.is_empty() || !shows_last(&node.config) {
            continue;
        }
        let viewer = contact.viewer(&node, viewer).await?;
        if !viewer.presence || access::read(&node.config, &viewer).is_err() {
            continue;
        }
        if let Some(item) = items::last(contact, &node).await? {
            let payload = Payload::of(&node.config);
            let message = notify::last_message(&contact.address, &node.name, &item, payload)?;
            messages.extend(curious.into_iter().map(|to| message.clone().to(to)));
        }
    }
    Ok(messages)
}

/// Looks the client's capabilities up, or asks for them.
fn announced(passage: &mut Passage<'_>, session: &Arc<Session>, sorts: &Arc<Sorts>) {
    let Some(caps) = Caps::of(passage.stanza) else {
        return;
    };
    let before = session.slots().find::<Announced>();
    if before.is_some_and(|before| before.0 == caps) {
        return;
    }
    forget_asked(passage.services, session);
    if let Some(names) = sorts.find(&caps) {
        session.slots().set(Announced(caps));
        interest::note(session, names);
        show(passage, session);
        return;
    }
    if let Some(names) = interest::answered(session) {
        interest::note(session, names);
        show(passage, session);
        return;
    }
    let services = passage.services;
    let (asked, sorts, asker) = (caps.clone(), Arc::clone(sorts), Arc::clone(session));
    let id = crate::id::random();
    let request = Stanza::iq(IqType::Get, &id)
        .from(session.account().jid().clone())
        .to(session.address())
        .child(&caps.query());
    let remembered = services.requests.remember(
        &request,
        services.clock.now(),
        Box::new(move |answer| {
            Box::pin(async move {
                let current = asker.slots().find::<Announced>();
                let (Some(payload), true) =
                    (answer.payload, current.is_some_and(|now| now.0 == asked))
                else {
                    return Effects::default();
                };
                let learnt = sorts.learn(&asked, &payload);
                if !learnt.proven {
                    interest::keep_answer(&asker, &learnt.names);
                }
                interest::note(&asker, learnt.names);
                first_sight(&answer.services, &asker).await
            })
        }),
    );
    if remembered {
        session.slots().set(Announced(caps));
        session.slots().set(Asked(id));
        passage.effects.reply.push(Arc::new(request));
    } else {
        // Its next presence asks again.
        debug!("too many requests wait; the client is not asked what it wants");
    }
}

/// Waits no more for the answer to what the session's client was asked last.
fn forget_asked(services: &Services, session: &Session) {
    if let Some(asked) = session.slots().find::<Asked>() {
        services.requests.forget(&asked.0);
        session.slots().clear::<Asked>();
    }
}

fn show(passage: &mut Passage<'_>, session: &Arc<Session>) {
    let (services, session) = (Arc::clone(passage.services), Arc::clone(session));
    let work = async move { Ok(first_sight(&services, &session).await) };
    passage.effects.then_effects(work);
}

/// The last items, if the session is available and was not shown them before.
async fn first_sight(services: &Arc<Services>, session: &Arc<Session>) -> Effects {
    let mut effects = Effects::default();
    let (true, None, Some(names)) = (
        session.is_available(),
        session.slots().find::<Shown>(),
        interest::of(session),
    ) else {
        return effects;
    };
    session.slots().set(Shown);
    match collect(services, session, &names).await {
        Ok(messages) => effects.route = messages,
        Err(error) => debug!(?error, "last items are not shown"),
    }
    effects
}

async fn collect(
    services: &Arc<Services>,
    session: &Arc<Session>,
    names: &Names,
) -> Result<Vec<Stanza>, StanzaError> {
    let mut left = Budget {
        items: usize::try_from(services.config.pubsub.last_items_max).unwrap_or(usize::MAX),
        bytes: BYTES_MAX,
    };
    let (store, owner) = (services.store.pubsub(), session.account().jid());
    let mut messages = Vec::new();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for whose in [LastOf::Owner, LastOf::Contacts] {
        for batch in names.chunks(LAST_NAMES_MAX) {
            let max = u32::try_from(left.items).unwrap_or(u32::MAX);
            if max == 0 {
                break;
            }
            for last in store.last_items(owner, whose, batch, max).await? {
                if let Some(message) = message(services, &last)?
                    && left.take(last.item.payload.len())
                {
                    messages.push(message);
                }
            }
        }
    }
    let to = session.address();
    Ok(messages
        .into_iter()
        .map(|message| message.to(to.clone()))
        .collect())
}

/// What remains to be sent.
struct Budget {
    items: usize,
    bytes: usize,
}

impl Budget {
    fn take(&mut self, bytes: usize) -> bool {
        if self.items == 0 || self.bytes < bytes {
            return false;
        }
        self.items -= 1;
        self.bytes -= bytes;
        true
    }
}

fn shows_last(config: &NodeConfig) -> bool {
    config.send_last == SendLast::OnPresence && config.deliver_notifications
}

/// The message with the last item of a node, if it may be seen and is to be shown.
fn message(services: &Services, contact: &ContactItem) -> Result<Option<Stanza>, StanzaError> {
    let config = NodeConfig::from_bytes(&contact.config, Face::Account)?;
    let affiliation = contact
        .affiliation
        .as_deref()
        .and_then(Affiliation::from_name);
    let viewer = Viewer {
        affiliation: affiliation.unwrap_or(Affiliation::None),
        presence: contact.presence,
        groups: contact.groups.clone(),
        subscribed: false,
    };
    let fresh = config.item_expire.is_none_or(|seconds| {
        contact.item.published_at.plus_seconds(i64::from(seconds)) >= services.clock.now()
    });
    if !(fresh && shows_last(&config) && contact.presence && access::read(&config, &viewer).is_ok())
    {
        return Ok(None);
    }
    let message = notify::last_message(
        &contact.service,
        &contact.node,
        &contact.item,
        Payload::of(&config),
    );
    message.map(Some)
}

/// Payloads that are shown to one session when it comes online.
const BYTES_MAX: usize = 1 << 20;
