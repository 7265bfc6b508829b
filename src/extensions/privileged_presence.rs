//! XEP-0356: Privileged Entity, version 0.4.1, section 7: presence for components that may know it.
//!
//! A component is told of the presence of accounts (§7.1) and of their contacts (§7.4), as if it had been sent
//! to it directly; the accounts notice nothing. Presence that is there when it connects is told by
//! [`crate::component`]. "Initial" presence is taken to be every presence without a type, as section 7.4 says.
//! Contacts on other servers are not probed for a component that comes later (§8), and what one of them sends to several
//! accounts is told for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::debug;

use crate::config::{Component, Config, PresencePrivilege};
use crate::hooks::{Flow, Hooks, Passage, Services, Session, Stage};
use crate::proto::{BareJid, Jid, Kind, PresenceType, Stanza};

/// Whether components were told that the session is available.
#[derive(Default)]
struct Told(AtomicBool);

/// Registers the hooks, where a component has the privilege.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let granted = |wanted: &[PresencePrivilege]| {
        let mut components = config.components.iter();
        components.any(|it| wanted.contains(&it.privileges.presence))
    };
    if granted(&[PresencePrivilege::ManagedEntity, PresencePrivilege::Roster]) {
        // Behind the hook that refuses what is no presence.
        hooks.outgoing_presence(Stage::Deliver, outgoing);
        hooks.closed(|session, services| async move { closed(&session, &services) });
    }
    if granted(&[PresencePrivilege::Roster]) {
        hooks.incoming_presence(Stage::Copy, incoming);
    }
}

/// §7.1, §7.3.
fn outgoing(passage: &mut Passage<'_>) -> Flow {
    let (Some(session), None) = (passage.session, &passage.stanza.to) else {
        return Flow::Continue;
    };
    let told = session.slots().find_or(Told::default);
    match passage.stanza.kind {
        Kind::Presence(PresenceType::Available) => told.0.store(true, Ordering::Release),
        Kind::Presence(PresenceType::Unavailable) if told.0.swap(false, Ordering::AcqRel) => {}
        _ => return Flow::Continue,
    }
    tell(passage.services, session.account().jid(), passage.stanza);
    Flow::Continue
}

/// The server says so for a session that is gone without a word, unless another has taken its place.
fn closed(session: &Arc<Session>, services: &Services) {
    let told = session.slots().find::<Told>();
    if !told.is_some_and(|told| told.0.swap(false, Ordering::AcqRel)) {
        return;
    }
    let owner = session.account().jid();
    let account = services.online(owner);
    let successor = account.and_then(|account| account.session(session.resource()));
    if !successor.is_some_and(|it| it.is_available()) {
        let end = Stanza::presence(PresenceType::Unavailable).from(session.address());
        tell(services, owner, &end);
    }
}

/// To every component that may know the presence of that account.
fn tell(services: &Services, owner: &BareJid, presence: &Stanza) {
    let may_know = |it: &&Component| it.privileges.presence != PresencePrivilege::None;
    let components = services.config.components.iter().filter(may_know);
    for component in components.filter(|it| it.acts_for(owner.domain().as_str())) {
        give(services, component, presence);
    }
}

/// §7.4: presence of a contact, whether or not the account is online.
fn incoming(passage: &mut Passage<'_>) -> Flow {
    let told = matches!(
        passage.stanza.kind,
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable)
    );
    let Some(from) = passage.stanza.from.as_ref().filter(|_| told) else {
        return Flow::Continue;
    };
    let owner = passage.account;
    let hears = hearers(passage.services, owner, from).any(|it| {
        let mut gateways = passage.services.gateways.iter();
        gateways.any(|gateway| gateway.is_there(it.domain.as_str()))
    });
    if hears {
        let (services, owner) = (Arc::clone(passage.services), owner.clone());
        let (from, presence) = (from.clone(), passage.stanza.clone());
        passage.effects.then(async move {
            let item = services.store.rosters().find(&owner, from.bare()).await?;
            if item.is_some_and(|item| item.subscription.has_to()) {
                for component in hearers(&services, &owner, &from) {
                    give(&services, component, &presence);
                }
            }
            Ok(())
        });
    }
    Flow::Continue
}

/// The components that may know the presence of the owner's contacts, and do not know it from the contact itself.
fn hearers<'a>(
    services: &'a Services,
    owner: &'a BareJid,
    from: &'a Jid,
) -> impl Iterator<Item = &'a Component> {
    services.config.components.iter().filter(move |it| {
        it.privileges.presence == PresencePrivilege::Roster
            && it.acts_for(owner.domain().as_str())
            && !(services.serves(from.domain()) && it.acts_for(from.domain()))
    })
}

/// While it is away it is told of nothing: when it comes it is told of what there is then.
fn give(services: &Services, component: &Component, presence: &Stanza) {
    let domain = component.domain.as_str();
    let Some(gateway) = services.gateway(domain).filter(|it| it.is_there(domain)) else {
        return;
    };
    let presence = presence.clone().to(component.domain.to_jid());
    if gateway.send(Arc::new(presence)).is_err() {
        debug!("a component is not there for presence");
    }
}
