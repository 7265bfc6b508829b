//! XEP-0401: Ad-hoc Account Invitation Generation, version 0.6.0, and XEP-0379: Pre-Authenticated Roster Subscription,
//! version 0.3.3: whoever holds a token of an inviter becomes a contact without being asked about.
//!
//! The commands that make invitations are in `commands`, over operations of `admin`; accounts are made with them in
//! `registration` (XEP-0445). Here the token in a subscription request is looked at. A request whose token is
//! not one of the server's goes its way unchanged: a client may have given the token.

use std::sync::Arc;

use tracing::{debug, warn};

use crate::admin;
use crate::config::Config;
use crate::extensions::subscription;
use crate::hooks::{Flow, Hooks, Passage, Services, Stage};
use crate::proto::document::Document;
use crate::proto::{BareJid, Kind, PresenceType, StanzaError, ns};
use crate::store::{Invitation, StoreError};

/// XEP-0379 §3.4.
pub(super) const PARS: &str = "urn:xmpp:pars:0";

/// The longest token that is looked at; those of the server have 32 digits.
pub(super) const TOKEN_BYTES_MAX: usize = 128;

/// For how long an invitation that has ended is remembered: a stream that showed it before may still use it.
const KEEP_SECONDS: i64 = 86_400;

/// Registers the hooks.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new(
        "XEP-0401",
        "Ad-hoc Account Invitation Generation",
        "0.6.0",
    ));
    hooks.document(Document::new(
        "XEP-0379",
        "Pre-Authenticated Roster Subscription",
        "0.3.3",
    ));
    hooks.incoming_presence(Stage::Rewrite, requested);
    hooks.daily(|services| async move {
        let before = services.clock.now().plus_seconds(-KEEP_SECONDS);
        if let Err(error) = services.store.invitations().expire(before).await {
            warn!(%error, "invitations that have ended are not deleted");
        }
    });
}

/// The invitation of that token for that host, if it can be used now.
pub(super) async fn usable(
    services: &Services,
    token: &str,
    host: &str,
) -> Result<Option<Invitation>, StoreError> {
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return Ok(None);
    }
    let id = admin::token_id(token);
    let found = services.store.invitations().find(&id).await?;
    let now = services.clock.now();
    Ok(found.filter(|it| it.host == host && it.uses_left > 0 && now < it.expires_at))
}

/// XEP-0379 §3.5: a request with a token is approved before it is handled, so that it is answered at once.
fn requested(passage: &mut Passage<'_>) -> Flow {
    if passage.stanza.kind != Kind::Presence(PresenceType::Subscribe) {
        return Flow::Continue;
    }
    let preauth = passage.stanza.find(PARS, "preauth");
    let preauth = preauth.and_then(|it| it.to_element(ns::CLIENT).ok());
    let token = preauth.as_ref().and_then(|it| it.attribute("token"));
    let (Some(token), Some(from)) = (token, &passage.stanza.from) else {
        return Flow::Continue;
    };
    let (services, token) = (Arc::clone(passage.services), token.to_owned());
    let (owner, contact) = (passage.account.clone(), from.bare().clone());
    if owner != contact {
        passage
            .effects
            .then(async move { Box::pin(welcome(&services, &token, &owner, &contact)).await });
    }
    Flow::Continue
}

async fn welcome(
    services: &Arc<Services>,
    token: &str,
    owner: &BareJid,
    contact: &BareJid,
) -> Result<(), StanzaError> {
    let found = usable(services, token, owner.domain()).await?;
    let Some(invitation) = found.filter(|it| it.subscribes && it.inviter.as_ref() == Some(owner))
    else {
        debug!("a request with a token that the server does not know");
        return Ok(());
    };
    let item = services.store.rosters().find(owner, contact).await?;
    if item.is_some_and(|item| item.subscription.has_from()) {
        // Nothing is left to be approved: the invitation stays for another.
        return Ok(());
    }
    let invitations = services.store.invitations();
    if !invitations.take_use(&invitation.token).await? {
        return Ok(());
    }
    subscription::act_for(services, owner, contact, PresenceType::Subscribed).await?;
    subscription::act_for(services, owner, contact, PresenceType::Subscribe).await
}

/// XEP-0401 §4.5: inviter and invited see each other. Each has agreed: one by inviting, the other by using the
/// invitation.
pub(super) async fn befriend(
    services: &Arc<Services>,
    inviter: &BareJid,
    invited: &BareJid,
) -> Result<(), StanzaError> {
    for kind in [PresenceType::Subscribed, PresenceType::Subscribe] {
        for (owner, contact) in [(inviter, invited), (invited, inviter)] {
            subscription::act_for(services, owner, contact, kind).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
