//! Sending business objects to colleagues (S0-27 to S0-29).

use super::wire::{self, Extent};
use super::{objects, recent_of, touch};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::im;
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::people::{Person, between};
use crate::contact_center::values::Values;
use crate::domain::colleague::colleagues;
use crate::domain::context::Rejection;
use crate::domain::context::transfer::{
    Command, Facts, OBJECTS_MAX, RECIPIENTS_MAX, Transfer, decide,
};
use crate::domain::ids::{AgentId, ContextId, ImSessionId};
use crate::domain::reach::{self, Blocking};

/// Bytes of the message that brings a context: half of what a stanza of a client may have by default, so that no device is sent what its
/// parser refuses.
const MESSAGE_BYTES_MAX: usize = 128 * 1024;

/// Sends objects to colleagues. One of them that cannot be sent anything, and nothing is sent.
pub(super) async fn send(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let command = command(&caller, &values).await?;
    let Command::Send { to, .. } = &command else {
        return Err(crate::proto::Condition::InternalServerError.into());
    };
    // More are refused in any case, and are not looked up for that.
    let mut people = Vec::new();
    let own = Person::caller(&caller);
    for id in to.iter().take(RECIPIENTS_MAX) {
        let person = Person::find(&caller.place, &caller.services.store, id).await?;
        let is_colleague = colleagues(&own.colleague(), &person.colleague()).is_ok();
        people.push(person);
        // Who can be sent nothing is refused below, whether it blocks or not.
        if !is_colleague {
            continue;
        }
        match between(&caller.services, &caller.agent, id).await? {
            Blocking::None => {}
            Blocking::ByYou => return Err(reach::Rejection::BlockedByYou.into()),
            // XEP-0191 §8: whoever is blocked shall not learn of it.
            Blocking::ByThem => return Err(Rejection::NotTheirs.into()),
        }
    }
    let id = ContextId::made(caller.now());
    let decided =
        async |draft: Draft| Box::pin(write(&caller, draft, &id, &command, &people)).await;
    let sent = Box::pin(caller.center.save(&caller.services, decided)).await?;
    let names: Vec<&str> = sent.recipients.keys().map(AgentId::logon).collect();
    let told = format!("{} is sent to {}.", wire::titles(&sent), names.join(", "));
    let element = wire::context(&sent, Extent::Whole, sent.recipients.iter());
    Ok(Outcome::told(told).with(element))
}

async fn command(caller: &Caller, values: &Values) -> Result<Command, Refused> {
    let given = objects::all(values)?;
    let recent = recent_of(&caller.services, &caller.agent).await?;
    let mut objects = Vec::with_capacity(given.len());
    for object in given.into_iter().take(OBJECTS_MAX + 1) {
        objects.push(object.whole(&recent)?);
    }
    let session = values
        .optional_text("session")
        .map(str::parse::<ImSessionId>);
    let session = session.transpose();
    Ok(Command::Send {
        to: values.agents("to").cloned().collect(),
        objects,
        note: values.optional_text("note").map(str::to_owned),
        session: session.map_err(|_| malformed("field-malformed", "session must be an id."))?,
    })
}

/// One decision: the sending, the lists that it touches, the session that it is part of, the messages.
async fn write(
    caller: &Caller,
    mut draft: Draft,
    id: &ContextId,
    command: &Command,
    people: &[Person],
) -> Result<(Draft, Transfer), Refused> {
    let before = Transfer::new(id.clone(), caller.agent.clone());
    let sender = Person::caller(caller);
    let recipients: Vec<_> = people.iter().map(Person::colleague).collect();
    let facts = Facts {
        sender: sender.colleague(),
        recipients: &recipients,
    };
    let events = decide(&before, command.clone(), caller.now(), &facts)?;
    let sent = draft.change(&before, &events)?;
    touch(&mut draft, &caller.services, &sent, &events).await?;
    if let Some(session) = &sent.session {
        im::share(caller, &mut draft, session, &sent).await?;
    }
    for to in sent.recipients.keys() {
        let message = wire::message(&sent, to);
        if message.to_document().len() > MESSAGE_BYTES_MAX {
            let text = format!("All together must not be longer than {MESSAGE_BYTES_MAX} bytes.");
            return Err(malformed("context-too-large", text));
        }
        draft.pass(message);
    }
    Ok((draft, sent))
}
