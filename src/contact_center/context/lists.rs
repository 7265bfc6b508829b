//! What agents look at: their recent objects, what they have sent and were sent, and one of it.

use super::progress::{Step, acknowledge};
use super::wire::{self, Extent, NS};
use super::{RECEIVED, SENT, change_list, is_since, objects, recent_of};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::newest;
use crate::contact_center::operation::{Caller, Outcome, Shown, Table};
use crate::contact_center::record;
use crate::contact_center::values::Values;
use crate::domain::context::Rejection;
use crate::domain::context::recent::{Command, Recent, Touch};
use crate::domain::context::transfer::{Progress, Transfer};
use crate::domain::ids::{AgentId, ContextId};
use crate::proto::common::rsm::{Page, PageRequest};
use crate::xml::Element;

/// Sendings of one page: with their objects they fit into a stanza.
const PAGE_MAX: u32 = 20;

/// The agent has an object in hand.
pub(super) async fn opened(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let recent = recent_of(&caller.services, &caller.agent).await?;
    let mut given = objects::all(&values)?.into_iter();
    let (Some(given), None) = (given.next(), given.next()) else {
        return Err(malformed("field-missing", "Which object was opened?"));
    };
    let object = given.whole(&recent)?;
    let title = object.title.clone();
    let touch = Touch::Opened;
    change(&caller, &Command::Touch { object, touch }).await?;
    Ok(Outcome::told(format!(
        "{title} is the first of your recent objects."
    )))
}

/// The agent takes an object off the list.
pub(super) async fn forget(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let given = objects::all(&values)?.into_iter().next();
    let given = given.ok_or_else(|| malformed("field-missing", "Which object?"))?;
    let key = given.key();
    change(&caller, &Command::Forget { key }).await?;
    Ok(Outcome::told("It is off your list of recent objects."))
}

async fn change(caller: &Caller, command: &Command) -> Result<Recent, Refused> {
    let Caller {
        services, agent, ..
    } = caller;
    let decided = async |mut draft: Draft| {
        let before = recent_of(services, agent).await?;
        let commands = vec![command.clone()];
        let after = change_list(&mut draft, &before, commands, caller.now())?;
        Ok((draft, after))
    };
    caller.center.save(services, decided).await
}

/// The recent objects, the newest first.
pub(super) async fn recent(caller: Caller) -> Result<Outcome, Refused> {
    let list = recent_of(&caller.services, &caller.agent).await?;
    let entries = list.entries.iter().map(wire::entry);
    let element = Element::new(NS, "recent").children_from(entries);
    let rows = list.entries.iter().map(|entry| {
        let object = &entry.object;
        vec![
            wire::named(object),
            object.key.id.clone(),
            object.url.clone().unwrap_or_default(),
            entry.touch.name().to_owned(),
            entry.at.to_string(),
        ]
    });
    let table = Table {
        columns: &[
            ("object", "Object"),
            ("id", "Id"),
            ("url", "Link"),
            ("touch", "How"),
            ("at", "When"),
        ],
        rows: rows.collect(),
    };
    let told = format!("{} recent objects.", list.entries.len());
    Ok(Outcome::told(told).with(element).listing(table))
}

/// To choose from: the recent objects.
pub(super) async fn recent_shown(caller: Caller) -> Result<Shown, Refused> {
    let list = recent_of(&caller.services, &caller.agent).await?;
    Ok(objects::offered(&list))
}

/// To choose from: what was sent to the agent last.
pub(super) async fn received_shown(caller: Caller) -> Result<Shown, Refused> {
    let (page, _) = page(&caller, RECEIVED, &PageRequest::default()).await?;
    let option = |sending: &Transfer| {
        let label = format!("{}: {}", sending.sender.logon(), wire::titles(sending));
        ("id", sending.id.to_string(), label)
    };
    Ok(Shown {
        options: page.iter().map(option).collect(),
        ..Shown::default()
    })
}

/// The agent has opened what it was sent.
pub(super) async fn open(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    let by = (&caller.agent, Step::Open);
    let (center, services) = (&caller.center, &caller.services);
    let sending = Box::pin(acknowledge(center, services, &caller.place, &id, by)).await?;
    Ok(shown(&caller, &sending))
}

/// One sending, to its sender and its recipients. A device of a recipient that asks for it has it then.
pub(super) async fn context(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    let Caller {
        center,
        services,
        agent,
        ..
    } = &caller;
    let found = record::find::<Transfer>(&services.store, id.as_str()).await?;
    let found = found.filter(|it| is_since(it, caller.since));
    let sending = found.ok_or(Rejection::NotRecipient)?;
    let sending = match sending.recipients.get(agent) {
        None if sending.sender != *agent => return Err(Rejection::NotRecipient.into()),
        Some(Progress::Sent) => {
            let by = (agent, Step::Deliver);
            Box::pin(acknowledge(center, services, &caller.place, &id, by)).await?
        }
        None | Some(Progress::Delivered { .. } | Progress::Opened { .. }) => sending,
    };
    Ok(shown(&caller, &sending))
}

fn id(values: &Values) -> Result<ContextId, Refused> {
    let id = values.text("id")?.parse::<ContextId>();
    id.map_err(|_| malformed("field-malformed", "id must be an id."))
}

/// All recipients to the sender, themselves to the others.
fn visible<'a>(
    caller: &Caller,
    sending: &'a Transfer,
) -> impl Iterator<Item = (&'a AgentId, &'a Progress)> {
    let (asker, all) = (caller.agent.clone(), sending.sender == caller.agent);
    let recipients = sending.recipients.iter();
    recipients.filter(move |(jid, _)| all || **jid == asker)
}

fn shown(caller: &Caller, sending: &Transfer) -> Outcome {
    let element = wire::context(sending, Extent::Whole, visible(caller, sending));
    let rows = sending.objects.iter().map(|object| {
        let fields = object.fields.iter();
        let fields: Vec<String> = fields
            .map(|it| format!("{}: {}", it.name, it.value))
            .collect();
        let url = object.url.clone().unwrap_or_default();
        vec![
            wire::named(object),
            object.key.id.clone(),
            url,
            fields.join(", "),
        ]
    });
    let table = Table {
        columns: &[
            ("object", "Object"),
            ("id", "Id"),
            ("url", "Link"),
            ("fields", "More"),
        ],
        rows: rows.collect(),
    };
    let note = sending.note.as_deref().unwrap_or_default();
    let steps = steps(caller, sending);
    let told = format!("From {}; {steps}. {note}", sending.sender.logon());
    Outcome::told(told.trim_end()).with(element).listing(table)
}

fn steps(caller: &Caller, sending: &Transfer) -> String {
    let step =
        |(jid, progress): (&AgentId, &Progress)| format!("{} {}", jid.logon(), progress.name());
    let steps: Vec<String> = visible(caller, sending).map(step).collect();
    steps.join(", ")
}

/// What the agent has sent or was sent, the newest first.
pub(super) async fn contexts(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let list = match values.text("list")? {
        SENT => SENT,
        _ => RECEIVED,
    };
    let (sendings, page) = page(&caller, list, values.page()).await?;
    let brief = |it| wire::context(it, Extent::Brief, visible(&caller, it));
    let element = Element::new(NS, "contexts")
        .attr("list", list)
        .children_from(sendings.iter().map(brief))
        .child(page.to_element());
    let rows = sendings.iter().map(|it| {
        let at = it.sent_at.map(|at| at.to_string());
        vec![
            at.unwrap_or_default(),
            it.sender.logon().to_owned(),
            wire::titles(it),
            steps(&caller, it),
            it.id.to_string(),
        ]
    });
    let table = Table {
        columns: &[
            ("at", "When"),
            ("sender", "From"),
            ("objects", "Objects"),
            ("progress", "How far"),
            ("id", "Id"),
        ],
        rows: rows.collect(),
    };
    let all = page.count.unwrap_or_default();
    let told = format!("{} of {all}.", sendings.len());
    Ok(Outcome::told(told).with(element).listing(table))
}

/// A page of a list that has the newest first.
async fn page(
    caller: &Caller,
    list: &'static str,
    asked: &PageRequest,
) -> Result<(Vec<Transfer>, Page), Refused> {
    let list = (list, caller.agent.jid().as_str());
    let since = Some(caller.since);
    newest::page(&caller.services, list, (asked, PAGE_MAX), since).await
}
