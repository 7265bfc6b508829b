//! XEP-0445: Pre-Authenticated In-Band Registration, version 0.2.0: who shows the token of an invitation may make an
//! account on that stream.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use super::pace::Pace;
use crate::admin;
use crate::extensions::invitations::{self, PARS};
use crate::hooks::{Hooks, IqAnswer, Services, StreamIq, StreamPhase};
use crate::proto::{BareJid, Condition, ErrorType, IqType, StanzaError};
use crate::store::Invitation;
use crate::xml::Element;

/// XEP-0445 §3.
const FEATURE: &str = "urn:xmpp:ibr-token:0";

/// The slot of a stream: the invitation that was shown, as it was then. It is not looked at again whether
/// it has ended (§4).
#[derive(Debug)]
struct Shown(Invitation);

pub(super) fn register(hooks: &mut Hooks, pace: &Arc<Mutex<Pace>>) {
    hooks.stream_feature(StreamPhase::Negotiation, |_| {
        Some(Element::new(FEATURE, "register"))
    });
    let pace = Arc::clone(pace);
    hooks.stream_iq(PARS, "preauth", move |iq| preauth(iq, Arc::clone(&pace)));
}

/// §4: the token is checked, and used when an account is made.
async fn preauth(iq: StreamIq, pace: Arc<Mutex<Pace>>) -> IqAnswer {
    super::encrypted(&iq)?;
    if iq.kind != IqType::Set {
        return Err(Condition::BadRequest.into());
    }
    let Some(token) = iq.payload.attribute("token") else {
        return Err(StanzaError::bad_request("the token is missing"));
    };
    let found = invitations::usable(&iq.services, token, iq.host.as_str()).await?;
    match found.filter(|invitation| invitation.registers) {
        Some(invitation) => {
            iq.slots.set(Shown(invitation));
            Ok(None)
        }
        None => {
            // Whoever guesses pays as for an account.
            let now = iq.services.clock.now();
            let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
            if !pace.admit(iq.peer, now) {
                return Err(StanzaError::new(Condition::ResourceConstraint)
                    .text("too many tokens from your address; try later"));
            }
            Err(StanzaError::new(Condition::ItemNotFound)
                .kind(ErrorType::Cancel)
                .text("the token is invalid or expired"))
        }
    }
}

/// The invitation that was shown on the stream.
pub(super) fn shown(iq: &StreamIq) -> Option<Invitation> {
    iq.slots.find::<Shown>().map(|shown| shown.0.clone())
}

/// Whether the account may be made: the invitation may name it, and others may be kept for others.
///
/// # Errors
/// `not-acceptable` when the invitation is for another, `conflict` when it is kept for somebody else.
pub(super) async fn allows(
    services: &Services,
    invitation: Option<&Invitation>,
    jid: &BareJid,
) -> Result<(), StanzaError> {
    let named = invitation.and_then(|it| it.account.as_ref());
    if named.is_some_and(|named| named != jid) {
        return Err(StanzaError::new(Condition::NotAcceptable)
            .text("the invitation is for another username"));
    }
    let own = invitation.map_or("", |it| it.token.as_str());
    let now = services.clock.now();
    if services.store.invitations().reserves(jid, own, now).await? {
        return Err(Condition::Conflict.into());
    }
    Ok(())
}

/// Makes the account by `make`, using the invitation once.
///
/// # Errors
/// `not-allowed` when the invitation is used up, or as `make`.
pub(super) async fn using(
    services: &Arc<Services>,
    invitation: &Invitation,
    jid: &BareJid,
    make: impl Future<Output = Result<(), admin::Refusal>>,
) -> Result<(), StanzaError> {
    let kept = services.store.invitations();
    if !kept.take_use(&invitation.token).await? {
        return Err(StanzaError::new(Condition::NotAllowed).text("the invitation is used up"));
    }
    if let Err(refusal) = make.await {
        if let Err(error) = kept.give_back_use(&invitation.token).await {
            warn!(%error, "the use of an invitation is lost");
        }
        return Err(refusal.into());
    }
    if let (true, Some(inviter)) = (invitation.subscribes, &invitation.inviter) {
        // The account is made all the same.
        if Box::pin(invitations::befriend(services, inviter, jid))
            .await
            .is_err()
        {
            warn!("inviter and invited are not contacts");
        }
    }
    Ok(())
}
