//! Follow-ups planned, edited, given to another, completed and cancelled (S3-1, S3-14, S3-18 to S3-20).

use super::access::{self, Way};
use super::notes::{self, NewNote};
use super::written::{Ground, id, version};
use super::{events, find, source, wire, written};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{self, Refused, malformed};
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::values::Values;
use crate::contact_center::{customers, trail};
use crate::domain::customer;
use crate::domain::follow_up::{Command, Event, FollowUp, Plan, Rejection, Source, Status, decide};
use crate::domain::ids::FollowUpId;
use crate::proto::StanzaError;
use crate::xml::Element;

/// The operation `plan`.
pub(super) async fn plan(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let source = source::named(&values)?;
    let source = source.ok_or_else(|| {
        malformed(
            "field-missing",
            "It is not said what it follows from: source and source-id are missing.",
        )
    })?;
    let origin = Box::pin(source::look(&caller, &source)).await?;
    let responsible = values.agents("responsible").next();
    let responsible = responsible.unwrap_or(&caller.agent).clone();
    let plan = Box::pin(written::plan(&caller, &values, (responsible, None))).await?;
    let rules = &caller.place.settings.load_full().copy_rules;
    let plan = rules.fill(source.kind, plan, &origin.plan);
    let ground = Ground::of(&caller, origin.channel, &plan.responsible).await?;
    let note = notes::new(&caller, &values, "note")?;
    let decided = async |draft: Draft| {
        let wanted = (source.clone(), plan.clone());
        Box::pin(planned(&caller, draft, wanted, note.as_ref(), &ground)).await
    };
    let made = Box::pin(caller.center.save(&caller.services, decided)).await?;
    Ok(done(&caller, &made, "It is planned."))
}

/// The follow-up as it is made, with its first note, if there is one.
pub(super) async fn planned(
    caller: &Caller,
    mut draft: Draft,
    (source, mut plan): (Source, Plan),
    note: Option<&NewNote>,
    ground: &Ground,
) -> Result<(Draft, FollowUp), Refused> {
    hold_customer(caller, &mut draft, &mut plan).await?;
    let before = FollowUp::new(FollowUpId::made(caller.now()));
    let by = caller.agent.clone();
    let mut commands = vec![Command::Plan { by, source, plan }];
    if let Some(note) = note {
        commands.push(note.command(caller, &mut draft).await?);
    }
    let happened = all(&before, commands, caller, ground)?;
    let after = draft.change(&before, &happened)?;
    events::tell(caller, &mut draft, (&before, &after), &happened).await?;
    trail::wrote(&mut draft, caller, "follow-up plan", after.id.as_str());
    Ok((draft, after))
}

/// The customer is there when the plan is written, and no part of another: what is about somebody who is erased at this moment
/// would outlive the erasure.
async fn hold_customer(caller: &Caller, draft: &mut Draft, plan: &mut Plan) -> Result<(), Refused> {
    let Some(id) = &plan.customer else {
        return Ok(());
    };
    let held = customers::hold(draft, &caller.services, &caller.place, id).await?;
    plan.customer = Some(held.ok_or(customer::Rejection::Unknown)?.id);
    Ok(())
}

/// What comes of commands one after the other.
fn all(
    before: &FollowUp,
    commands: Vec<Command>,
    caller: &Caller,
    ground: &Ground,
) -> Result<Vec<Event>, Refused> {
    let mut now = before.clone();
    let mut happened = Vec::new();
    for command in commands {
        for event in decide(&now, command, caller.now(), &ground.facts())? {
            crate::domain::follow_up::apply(&mut now, &event);
            happened.push(event);
        }
    }
    Ok(happened)
}

/// The operation `edit`: the plan is written anew.
pub(super) async fn edit(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    let read = version(&values)?;
    let read = read.ok_or_else(|| malformed("field-missing", "version is missing."))?;
    let decided = async |mut draft: Draft| {
        let (before, _) = Box::pin(open(&caller, &id)).await?;
        let known = before.plan.as_ref().ok_or(Rejection::Unknown)?;
        let kept = (known.responsible.clone(), known.customer.as_ref());
        let mut plan = Box::pin(written::plan(&caller, &values, kept)).await?;
        hold_customer(&caller, &mut draft, &mut plan).await?;
        let channel = source::channel_of(&caller.services, before.source.as_ref()).await?;
        let ground = Ground::of(&caller, channel, &plan.responsible).await?;
        let command = Command::Edit { read, plan };
        let what = ("follow-up edit", command);
        Box::pin(changed(&caller, draft, &before, what, &ground)).await
    };
    let after = Box::pin(caller.center.save(&caller.services, decided)).await?;
    Ok(done(&caller, &after, "It is planned so."))
}

/// The operation `reassign`.
pub(super) async fn reassign(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let to = values.agent("responsible")?.clone();
    let told = format!("{} is responsible.", to.logon());
    let read = version(&values)?;
    let command = Command::Reassign { read, to };
    step(&caller, &values, command, ("follow-up reassign", &told)).await
}

/// The operation `complete`.
pub(super) async fn complete(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let said = ("follow-up complete", "It is completed.");
    let read = version(&values)?;
    step(&caller, &values, Command::Complete { read }, said).await
}

/// The operation `cancel`.
pub(super) async fn cancel(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let said = ("follow-up cancel", "It is cancelled.");
    let read = version(&values)?;
    step(&caller, &values, Command::Cancel { read }, said).await
}

/// Has a command done to the follow-up that is meant.
async fn step(
    caller: &Caller,
    values: &Values,
    command: Command,
    (operation, told): (&'static str, &str),
) -> Result<Outcome, Refused> {
    let id = id(values)?;
    let decided = async |draft: Draft| {
        let (before, _) = Box::pin(open(caller, &id)).await?;
        let responsible = match &command {
            Command::Reassign { to, .. } => to,
            _ => &caller.agent,
        };
        let channel = crate::domain::follow_up::NO_CHANNEL;
        let ground = Ground::of(caller, channel, responsible).await?;
        let what = (operation, command.clone());
        Box::pin(changed(caller, draft, &before, what, &ground)).await
    };
    let after = Box::pin(caller.center.save(&caller.services, decided)).await?;
    Ok(done(caller, &after, told))
}

/// The follow-up of that id, if the caller may change it, and why.
pub(super) async fn open(caller: &Caller, id: &FollowUpId) -> Result<(FollowUp, Way), Refused> {
    let found = find(&caller.services, id).await?;
    let found = found.ok_or(Rejection::Unknown)?;
    let way = access::to_change(caller, &found).await?;
    Ok((found, way))
}

/// Decides, and drafts what comes of it with what others are told and who has done it, in the words of the audit trail.
pub(super) async fn changed(
    caller: &Caller,
    mut draft: Draft,
    before: &FollowUp,
    (operation, command): (&'static str, Command),
    ground: &Ground,
) -> Result<(Draft, FollowUp), Refused> {
    let happened = decide(before, command, caller.now(), &ground.facts());
    let happened = happened.map_err(|rejection| refused(caller, rejection, before))?;
    let after = draft.change(before, &happened)?;
    events::tell(caller, &mut draft, (before, &after), &happened).await?;
    if !happened.is_empty() {
        trail::wrote(&mut draft, caller, operation, after.id.as_str());
    }
    Ok((draft, after))
}

/// Whoever read an old version is given the present one with the refusal, so that nobody has to ask for it.
fn refused(caller: &Caller, rejection: Rejection, present: &FollowUp) -> Refused {
    if rejection != Rejection::Stale {
        return rejection.into();
    }
    let code = Element::new(errors::NS, rejection.code());
    let error = StanzaError::from(Refused::from(rejection));
    let words = wire::Words::of(caller);
    Refused::Stanza(error.application(code.child(wire::brief(present, &words))))
}

/// What was done, with the follow-up as it is now.
pub(super) fn done(caller: &Caller, after: &FollowUp, told: &str) -> Outcome {
    let words = wire::Words::of(caller);
    let sentence = format!("{told} {}", wire::sentence(after, &words));
    let element = wire::brief(after, &words);
    let due = after.plan.as_ref().and_then(|plan| plan.due);
    let passed = after.status == Status::Planned && due.is_some_and(|due| due < caller.now());
    let outcome = match passed {
        false => Outcome::told(sentence).with(element),
        true => Outcome::warned(format!("{sentence} Its due date has passed."))
            .with(element.attr("overdue", "true")),
    };
    outcome.listing(wire::table(std::slice::from_ref(after), &words))
}
