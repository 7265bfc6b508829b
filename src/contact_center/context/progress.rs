//! How far a sending is at a recipient: delivered and opened (S0-30), from whichever of its devices it is learned.
//!
//! *Delivered* is what a device says: by a receipt (XEP-0184), a marker (XEP-0333 before version 0.4), or by fetching the context. That the
//! server has written a message to a socket is not taken for it, since nobody may be at the other
//! end any more. *Opened* is what the agent says with the operation, or a marker that the message was displayed.

use std::sync::{Arc, LazyLock};

use tracing::warn;

use super::{is_since, touch, wire};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::colleague::Colleague;
use crate::domain::context::Rejection;
use crate::domain::context::transfer::{Command, Facts, Transfer, decide};
use crate::domain::ids::{AgentId, ContextId};
use crate::domain::rights::Rights;
use crate::hooks::{Flow, Hooks, Passage, Services, Stage};
use crate::proto::{Kind, MessageType, ns};
use crate::store::StoreError;

/// What a recipient does with a sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A device has it.
    Deliver,
    /// The agent has opened it.
    Open,
}

/// What clients say of a message, and what that means.
const SAID: [(&str, &str, Step); 3] = [
    (ns::RECEIPTS, "received", Step::Deliver),
    (ns::CHAT_MARKERS, "received", Step::Deliver),
    (ns::CHAT_MARKERS, "displayed", Step::Open),
];

/// Notes what clients say of the messages that bring a context, and sees that only the server brings one.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    // Among the guards, which what the server says in the name of an account does not pass.
    hooks.outgoing_message(Stage::Guard, |passage| {
        let forged = |child: &crate::xml::Child<'_>| child.ns() == Some(wire::NS);
        if passage.stanza.payload.iter().any(|child| forged(&child)) {
            passage.stanza.payload.retain(|child| !forged(child));
        }
        Flow::Continue
    });
    let center = Arc::clone(center);
    hooks.outgoing_message(Stage::Record, move |passage| {
        note(&center, passage);
        Flow::Continue
    });
}

fn note(center: &Arc<Center>, passage: &mut Passage<'_>) {
    if passage.stanza.kind == Kind::Message(MessageType::Error) {
        return;
    }
    let Some((id, step)) = said(passage) else {
        return;
    };
    let Some(by) = AgentId::new(passage.account.clone()) else {
        return;
    };
    let (center, services) = (Arc::clone(center), Arc::clone(passage.services));
    passage.effects.then(async move {
        let Some(place) = center.place_of(by.host()) else {
            return Ok(());
        };
        match Box::pin(acknowledge(&center, &services, place, &id, (&by, step))).await {
            // What was never sent to them they cannot acknowledge; the message itself goes on.
            Ok(_) | Err(Refused::Rule(_)) => {}
            Err(refused) => warn!(%refused, "an acknowledgement of a context is lost"),
        }
        Ok(())
    });
}

/// Which context the message acknowledges, and how.
fn said(passage: &Passage<'_>) -> Option<(ContextId, Step)> {
    SAID.into_iter().find_map(|(namespace, name, step)| {
        let child = passage.stanza.find(namespace, name)?;
        let element = child.to_element(ns::CLIENT).ok()?;
        Some((wire::context_of(element.attribute("id")?)?, step))
    })
}

/// Writes down how far a sending is at that recipient, and tells the sender.
pub(super) async fn acknowledge(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &ContextId,
    (by, step): (&AgentId, Step),
) -> Result<Transfer, Refused> {
    // Many recipients acknowledge at the same moment.
    let _turn = center.turns.take(id.to_string()).await;
    let decided = async |mut draft: Draft| {
        let found = record::find::<Transfer>(&services.store, id.as_str()).await?;
        let before = found.ok_or(Rejection::NotRecipient)?;
        if !is_of(services, by, &before).await? {
            return Err(Rejection::NotRecipient.into());
        }
        let recipient = by.clone();
        let command = match step {
            Step::Deliver => Command::Deliver { recipient },
            Step::Open => Command::Open { recipient },
        };
        let events = decide(&before, command, services.clock.now(), &nobody(&before))?;
        let after = draft.change(&before, &events)?;
        touch(&mut draft, services, &after, &events).await?;
        // Who has opened it has it: of two steps at once the sender is told the second.
        if let (Some(_), Some(progress)) = (events.last(), after.recipients.get(by))
            && is_of(services, &after.sender, &after).await?
        {
            draft.tell(wire::progress(&place.address, &after, by, *progress));
        }
        Ok((draft, after))
    };
    Box::pin(center.save(services, decided)).await
}

/// Whether the account is the one that has sent it or was sent it, and not a later one of the same name.
async fn is_of(
    services: &Services,
    account: &AgentId,
    sending: &Transfer,
) -> Result<bool, StoreError> {
    let known = services.store.accounts().find(account.jid()).await?;
    Ok(known.is_some_and(|it| is_since(sending, it.created_at)))
}

/// Acknowledging asks nothing of the two accounts.
fn nobody(sending: &Transfer) -> Facts<'_> {
    static NOTHING: LazyLock<(Rights, ChatProfile)> = LazyLock::new(Default::default);
    Facts {
        sender: Colleague {
            id: &sending.sender,
            role: None,
            rights: &NOTHING.0,
            profile: &NOTHING.1,
        },
        recipients: &[],
    }
}
