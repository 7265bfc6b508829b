//! What agents want of the interactions that they take part in.

use super::change::{self, Work};
use super::{access, active, connector, find, is_open, states, wire, words};
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::im;
use crate::contact_center::operation::{Caller, Outcome, Shown};
use crate::contact_center::values::Values;
use crate::domain::ids::{AgentId, InteractionId, RequestId};
use crate::domain::interaction::{Access, Command, Interaction, Rejection, Target, Verb};

/// Where the caller has something done.
pub(super) fn work(caller: &Caller) -> Work<'_> {
    Work {
        center: &caller.center,
        services: &caller.services,
        place: &caller.place,
    }
}

/// The interaction that an operation is about.
pub(super) fn id(values: &Values) -> Result<InteractionId, Refused> {
    connector::id(values)
}

/// The interaction of that id, if the caller is asked, takes part or writes up.
pub(super) async fn own(caller: &Caller, id: &InteractionId) -> Result<Interaction, Refused> {
    let found = find(&caller.services, id).await?;
    let found = found.filter(|it| is_open(it, &caller.agent));
    Ok(found.ok_or(Rejection::Unknown)?)
}

/// That the caller may change what belongs to the interaction: who is consulted only reads (S1-36).
pub(super) async fn require_write(caller: &Caller, id: &InteractionId) -> Result<(), Refused> {
    let found = find(&caller.services, id).await?;
    let interaction = found.ok_or(Rejection::Unknown)?;
    match access(&caller.services, &interaction, &caller.agent).await? {
        Access::None => Err(Rejection::Unknown.into()),
        Access::Read => Err(Rejection::ReadOnly.into()),
        Access::Write => Ok(()),
    }
}

/// What came of an operation, with the interaction as it is now.
pub(super) async fn outcome(
    caller: &Caller,
    interaction: &Interaction,
    told: &str,
) -> Result<Outcome, Refused> {
    let access = access(&caller.services, interaction, &caller.agent).await?;
    Ok(seen(caller, interaction, access, told))
}

/// The same to one of that access.
pub(super) fn seen(
    caller: &Caller,
    interaction: &Interaction,
    access: Access,
    told: &str,
) -> Outcome {
    let line = wire::line(interaction.line);
    let whom = words::sentence(&words::with_whom(interaction));
    let told = match told {
        "" => format!("{whom}: {line}."),
        told => format!("{told} {whom}: {line}."),
    };
    Outcome::told(told).with(wire::interaction(interaction, &caller.agent, access))
}

/// Asks the connector for what needs no more words.
pub(super) async fn plain(caller: Caller, values: Values, verb: Verb) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    want(&caller, &id, verb).await
}

async fn want(caller: &Caller, id: &InteractionId, verb: Verb) -> Result<Outcome, Refused> {
    let told = format!("Asked for: {}.", wire::verb(&verb).replace('-', " "));
    let request = RequestId::made(caller.now());
    let by = caller.agent.clone();
    let command = Command::Want { by, verb, request };
    let after = change::command(work(caller), id, command).await?;
    outcome(caller, &after, &told).await
}

/// To a colleague or to a queue (S2-15, S2-32).
pub(super) async fn transfer(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let colleague = values.agents("colleague").next();
    let to = match (colleague, values.optional_text("queue")) {
        (Some(agent), None) => Target::Agent(agent.clone()),
        (None, Some(queue)) => Target::Queue(queue.to_owned()),
        _ => {
            let text = "Name either a colleague or a queue.";
            return Err(malformed("field-missing", text));
        }
    };
    want(&caller, &id(&values)?, Verb::Transfer { to }).await
}

/// By voice; the one who is consulted by instant messages is meant where nobody is named (S1-41, S1-42).
pub(super) async fn consult(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    let named = values.agents("colleague").next().cloned();
    let with = match named {
        Some(with) => with,
        None => {
            own(&caller, &id).await?;
            let consulted = consulted(&caller, &id).await?.into_iter().next();
            let missing = || malformed("field-missing", "colleague is missing.");
            consulted.ok_or_else(missing)?
        }
    };
    want(&caller, &id, Verb::Consult { with }).await
}

/// Whom the caller consults about it by instant messages, the last one first (S1-38, S1-40).
async fn consulted(caller: &Caller, id: &InteractionId) -> Result<Vec<AgentId>, Refused> {
    let sessions = im::consulting(&caller.services, id).await?;
    let own = sessions.into_iter().filter(|it| it.inviter == caller.agent);
    Ok(own.map(|session| session.invitee).collect())
}

/// The one who is consulted, or a colleague who is named (S2-34).
pub(super) async fn conference(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let with = values.agents("colleague").next().cloned();
    want(&caller, &id(&values)?, Verb::Conference { with }).await
}

/// Data is attached; in a form one name with its value.
pub(super) async fn attach(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    require_write(&caller, &id).await?;
    let mut data = connector::data(&values)?;
    if let Some(name) = values.optional_text("name") {
        let value = values.optional_text("value").unwrap_or_default();
        data.insert(name.to_owned(), value.to_owned());
    }
    let by = caller.agent.clone();
    let after = change::command(work(&caller), &id, Command::Attach { by, data }).await?;
    outcome(&caller, &after, "Attached.").await
}

/// What there was to write up is written. After the last one the agent is available again.
pub(super) async fn finish_wrap_up(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let by = caller.agent.clone();
    let command = Command::FinishWrapUp { by };
    let after = change::command(work(&caller), &id(&values)?, command).await?;
    states::end_wrap_up(work(&caller), &caller.agent).await?;
    let access = after.access(&caller.agent);
    Ok(seen(&caller, &after, access, "Written up."))
}

/// What a form offers: the caller's open interactions, of which the active one is chosen.
pub(super) async fn offered(caller: Caller) -> Result<Shown, Refused> {
    let all = active::open(&caller).await?;
    let active = active::of(&caller).await?;
    let option = |it: &Interaction| {
        let part = it.part(&caller.agent);
        let leg = part.map(|part| wire::leg(part.leg)).unwrap_or_default();
        let whom = words::sentence(&words::with_whom(it));
        let label = format!("{whom} ({leg})");
        ("interaction", it.id.to_string(), label)
    };
    let chosen = active.map(|it| ("interaction", it.id.to_string()));
    Ok(Shown {
        options: all.iter().map(option).collect(),
        values: chosen.into_iter().collect(),
        ..Shown::default()
    })
}

/// The same with the colleague who is consulted by instant messages about the active one.
pub(super) async fn offered_with_colleague(caller: Caller) -> Result<Shown, Refused> {
    let mut shown = offered(caller.clone()).await?;
    if let Some(active) = active::of(&caller).await? {
        let consulted = consulted(&caller, &active.id).await?;
        let value = consulted.first().map(|it| ("colleague", it.to_string()));
        shown.values.extend(value);
    }
    Ok(shown)
}
