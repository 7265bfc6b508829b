//! Answers to probes (RFC 6121 §4.3.2).

use std::sync::Arc;

use super::broadcast::shown;
use super::withheld::is_withheld;
use crate::extensions::roster;
use crate::hooks::{Account, Effects, Passage, Services};
use crate::proto::{BareJid, Jid, PresenceType, Stanza, StanzaError};

/// A probe for an account of this server.
struct Probe {
    account: BareJid,
    online: Option<Arc<Account>>,
    from: Jid,
    to: Jid,
}

/// Has the probe answered.
pub(super) fn take(passage: &mut Passage<'_>) {
    let (Some(from), Some(to)) = (passage.stanza.from.clone(), passage.stanza.to.clone()) else {
        return;
    };
    let probe = Probe {
        account: passage.account.clone(),
        online: passage.online.cloned(),
        from,
        to,
    };
    let services = Arc::clone(passage.services);
    passage
        .effects
        .then_effects(async move { answer(&services, probe).await });
}

async fn answer(services: &Services, probe: Probe) -> Result<Effects, StanzaError> {
    let mut effects = Effects::default();
    if !allowed(services, &probe).await? {
        // The same for an account that does not exist: nobody learns which do.
        let refusal = Stanza::presence(PresenceType::Unsubscribed)
            .from(probe.account)
            .to(probe.from.to_bare());
        effects.route.push(refusal);
        return Ok(effects);
    }
    let own = *probe.from.bare() == probe.account;
    let sessions = probe
        .online
        .filter(|account| own || !is_withheld(account))
        .map(|account| account.sessions())
        .unwrap_or_default();
    let asked = sessions.iter().filter(|session| {
        probe
            .to
            .resource()
            .is_none_or(|resource| resource == session.resource())
    });
    effects
        .route
        .extend(asked.filter_map(|session| shown(session, &probe.from)));
    if effects.route.is_empty() {
        let nobody = Stanza::presence(PresenceType::Unavailable);
        effects.route.push(nobody.from(probe.to).to(probe.from));
    }
    Ok(effects)
}

async fn allowed(services: &Services, probe: &Probe) -> Result<bool, StanzaError> {
    let prober = probe.from.bare();
    if *prober == probe.account {
        return Ok(true);
    }
    if let Some(roster) = probe.online.as_deref().and_then(roster::loaded) {
        return Ok(roster.shows_presence_to(prober));
    }
    let found = services.store.rosters().find(&probe.account, prober).await;
    let found = found?;
    Ok(found.is_some_and(|item| item.subscription.has_from()))
}
