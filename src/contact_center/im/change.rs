//! What is done in a session: decided, written, told.

use std::sync::Arc;

use super::parties::{self, Parties};
use super::{events, find, is_open, other, wire};
use crate::contact_center::center::Center;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::Caller;
use crate::contact_center::people::between;
use crate::domain::context::transfer::Transfer;
use crate::domain::ids::{AgentId, ImSessionId, InteractionId, MessageId};
use crate::domain::im_session::{Command, Event, ImSession, Rejection, Text, decide};
use crate::domain::reach::{self, Blocking};
use crate::hooks::Services;
use crate::proto::{Condition, Stanza};

/// What comes of a command to a session, written down. A message that carried what is said is passed on as
/// it is.
pub(super) async fn command(
    center: &Center,
    services: &Arc<Services>,
    id: &ImSessionId,
    command: Command,
    message: Option<Stanza>,
) -> Result<ImSession, Refused> {
    let decided = async |mut draft: Draft| {
        let before = find(services, id).await?;
        let before = before.ok_or(Rejection::NotInvited)?;
        // A host that is served no longer has nobody to tell.
        let place = center.place_of(before.inviter.host());
        let parties = match place.filter(|_| parties::matter(&before, &command)) {
            Some(place) => Parties::load(place, services, &before, &mut draft).await?,
            None => Parties::unread(&before),
        };
        let now = services.clock.now();
        let events = decide(&before, command.clone(), now, &parties.facts())?;
        if let Command::Say { by, .. } = &command {
            require_passage(services, by, other(&before, by)).await?;
        }
        let after = draft.change(&before, &events)?;
        for event in &events {
            if let Some(place) = place {
                let gone = removed(&command);
                events::tell(&mut draft, &place.address, &after, event, gone);
            }
            if let Event::Said { by, text, .. } = event {
                let said = wire::said(&after, by, text, message.clone());
                draft.pass(said);
            }
        }
        Ok((draft, after))
    };
    let after = Box::pin(center.save(services, decided)).await?;
    if !is_open(&after) {
        center.sessions.remove(&after);
    }
    Ok(after)
}

/// Puts a sending of business objects into a session of its sender, within the same decision: it goes to the other
/// participant and to nobody else.
pub(in crate::contact_center) async fn share(
    caller: &Caller,
    draft: &mut Draft,
    id: &ImSessionId,
    sent: &Transfer,
) -> Result<(), Refused> {
    let before = find(&caller.services, id).await?;
    // Whether there is one of others is for nobody to know.
    let before = before.filter(|it| it.has(&caller.agent));
    let before = before.ok_or(Rejection::NotInvited)?;
    let mut recipients = sent.recipients.keys();
    if !recipients.all(|to| before.has(to)) {
        let text = "In an IM session business context goes to the other participant alone.";
        return Err(malformed("context-beside-session", text));
    }
    let command = Command::Share {
        by: caller.agent.clone(),
        context: sent.id.clone(),
    };
    let facts = Parties::unread(&before);
    let events = decide(&before, command, caller.now(), &facts.facts())?;
    draft.change(&before, &events)?;
    Ok(())
}

/// What is said passes no block, whichever way it came: it is refused as any message is (XEP-0191 §3.2).
async fn require_passage(services: &Services, by: &AgentId, to: &AgentId) -> Result<(), Refused> {
    match between(services, by, to).await? {
        Blocking::None => Ok(()),
        Blocking::ByYou => Err(reach::Rejection::BlockedByYou.into()),
        Blocking::ByThem => Err(Condition::ServiceUnavailable.into()),
    }
}

fn removed(command: &Command) -> Option<&AgentId> {
    match command {
        Command::AccountRemoved { account } => Some(account),
        Command::Invite { .. }
        | Command::Accept { .. }
        | Command::Reject { .. }
        | Command::Cancel { .. }
        | Command::Say { .. }
        | Command::Share { .. }
        | Command::End { .. }
        | Command::Done { .. }
        | Command::TimeIsUp => None,
    }
}

/// Invites a colleague with a first message (S1-29, S1-31).
pub(super) async fn invite(
    caller: &Caller,
    colleague: &AgentId,
    body: String,
    about: Option<InteractionId>,
) -> Result<ImSession, Refused> {
    let Caller {
        center, services, ..
    } = caller;
    let id = ImSessionId::made(caller.now());
    let session = ImSession::new(id, caller.agent.clone(), colleague.clone());
    let text = words(caller, body);
    // Found by whoever answers at once.
    center.sessions.insert(&session);
    let invited =
        async |draft| Box::pin(invited(caller, &session, &text, about.as_ref(), draft)).await;
    let written = Box::pin(center.save(services, invited)).await;
    if written.is_err() {
        center.sessions.remove(&session);
    }
    written
}

async fn invited(
    caller: &Caller,
    session: &ImSession,
    text: &Text,
    about: Option<&InteractionId>,
    mut draft: Draft,
) -> Result<(Draft, ImSession), Refused> {
    let services = &caller.services;
    let parties = Parties::load(&caller.place, services, session, &mut draft).await?;
    parties.reach(services).await?;
    let command = Command::Invite {
        by: caller.agent.clone(),
        text: text.clone(),
        about: about.cloned(),
    };
    let events = decide(session, command, caller.now(), &parties.facts())?;
    let after = draft.change(session, &events)?;
    draft.pass(wire::invitation(&after, text));
    Ok((draft, after))
}

/// What somebody says who sends no message of its own: the server sends one.
pub(super) fn words(caller: &Caller, body: String) -> Text {
    Text {
        body,
        message: Some(MessageId::made(caller.now())),
    }
}
