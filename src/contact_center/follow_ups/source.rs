//! What a follow-up refers to (S3-5, S3-13): that the agent has it in hand, on which channel, and what can be copied from
//! it (S3-11).
//!
//! Of an interaction these are its customer and what its attached data say under the names `subject`, `reason`, `start`, `end` and `due`;
//! of an object of the CRM, which is among the agent's recent ones, its title and its displayed fields of the names `customer`, `reason`, `start`,
//! `end` and `due`. What is said there and cannot be understood is not copied.

use crate::clock::Timestamp;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::Caller;
use crate::contact_center::values::Values;
use crate::contact_center::{activities, context, customers, interactions};
use crate::domain::context::ObjectKey;
use crate::domain::customer;
use crate::domain::follow_up::{NO_CHANNEL, Plan, Source, SourceKind, TITLE_CHARS_MAX};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{self, Interaction};
use crate::domain::reason_code::Kind as ReasonKind;
use crate::domain::rights::Right;
use crate::hooks::Services;

/// What is known of a source.
pub(super) struct Origin {
    /// The channel on which the agent works: the medium of the interaction, or the word for none.
    pub(super) channel: &'static str,
    /// What can be copied.
    pub(super) plan: Plan,
}

/// The key of a source in a form: no kind has a slash in it.
pub(super) fn key(kind: SourceKind, id: &str) -> String {
    format!("{}/{id}", kind.name())
}

/// The source that is named: chosen in a form, or written.
pub(super) fn named(values: &Values) -> Result<Option<Source>, Refused> {
    let typed = values
        .optional_text("source")
        .zip(values.optional_text("source-id"));
    let chosen = values.optional_text("from");
    let (kind, id) = match chosen.and_then(|it| it.split_once('/')).or(typed) {
        Some(named) => named,
        None if values.optional_text("source").is_none()
            && values.optional_text("source-id").is_none() =>
        {
            return Ok(None);
        }
        None => {
            let text = "Both source and source-id say what it is about.";
            return Err(malformed("field-missing", text));
        }
    };
    let kind = SourceKind::named(kind);
    let kind =
        kind.ok_or_else(|| malformed("field-malformed", "There is no such kind of source."))?;
    let id = id.to_owned();
    Ok(Some(Source { kind, id }))
}

/// What is known of the source, if the caller may plan something because of it.
pub(super) async fn look(caller: &Caller, source: &Source) -> Result<Origin, Refused> {
    match source.kind {
        SourceKind::InteractionRecord => Box::pin(of_interaction(caller, &source.id)).await,
        SourceKind::ServiceTicket
        | SourceKind::ServiceOrder
        | SourceKind::Complaint
        | SourceKind::Case => Box::pin(of_object(caller, source)).await,
    }
}

/// The channel of what was planned already, whoever asks.
pub(super) async fn channel_of(
    services: &Services,
    source: Option<&Source>,
) -> Result<&'static str, Refused> {
    let interaction = source.filter(|it| it.kind == SourceKind::InteractionRecord);
    let Some(Ok(id)) = interaction.map(|it| it.id.parse()) else {
        return Ok(NO_CHANNEL);
    };
    let found = interactions::find(services, &id).await?;
    Ok(found.map_or(NO_CHANNEL, |it| it.medium.name()))
}

/// The interaction of that id, if the caller has a part in it, or had one.
pub(super) async fn interaction(caller: &Caller, id: &str) -> Result<Interaction, Refused> {
    let unknown = || Refused::from(interaction::Rejection::Unknown);
    let id = id.parse().map_err(|_| unknown())?;
    let found = interactions::find(&caller.services, &id).await?;
    let found = found.ok_or_else(unknown)?;
    let mut parts = found.participants.iter();
    let had = parts.any(|it| it.agent == caller.agent && it.offered_at >= caller.since);
    match had || activities::has_part_in(caller, &id).await? {
        true => Ok(found),
        false => Err(unknown()),
    }
}

async fn of_interaction(caller: &Caller, id: &str) -> Result<Origin, Refused> {
    let interaction = interaction(caller, id).await?;
    let customer = match &interaction.customer {
        Some(id) => customers::find(&caller.services, &caller.place, id).await?,
        None => None,
    };
    let subject = interaction.data.get("subject").map(String::as_str);
    let name = customer.as_ref().map(customers::title);
    let titles = [subject, name, Some(interaction.address.as_str())];
    let title = titles
        .into_iter()
        .flatten()
        .find(|it| !it.trim().is_empty());
    let said = |name: &str| interaction.data.get(name).cloned();
    let mut plan = copied(caller, title.unwrap_or_default(), said);
    plan.customer = customer.map(|it| it.id);
    let channel = interaction.medium.name();
    Ok(Origin { channel, plan })
}

async fn of_object(caller: &Caller, source: &Source) -> Result<Origin, Refused> {
    let recent = context::recent_of(&caller.services, &caller.agent).await?;
    let key = ObjectKey {
        object_type: source.kind.name().to_owned(),
        id: source.id.clone(),
    };
    let channel = NO_CHANNEL;
    let Some(object) = recent.find(&key) else {
        let plan = copied(caller, "", |_| None);
        return Ok(Origin { channel, plan });
    };
    let said = |name: &str| {
        let mut fields = object.fields.iter();
        let field = fields.find(|it| it.name.trim().eq_ignore_ascii_case(name));
        field.map(|it| it.value.trim().to_owned())
    };
    let mut plan = copied(caller, &object.title, said);
    if let Some(named) = said("customer") {
        plan.customer = Box::pin(known(caller, &named)).await?;
    }
    Ok(Origin { channel, plan })
}

/// What is said of a source as a plan.
fn copied(caller: &Caller, title: &str, said: impl Fn(&str) -> Option<String>) -> Plan {
    let settings = caller.place.settings.load();
    let moment = |name: &str| said(name).and_then(|it| Timestamp::parse(it.trim()));
    let reason = said("reason").filter(|code| {
        let known = settings.reasons.find(ReasonKind::Interaction, code);
        known.is_some_and(|it| it.active)
    });
    let letters = title.trim().chars().filter(|it| !it.is_control());
    Plan {
        transaction_type: String::new(),
        title: letters.take(TITLE_CHARS_MAX).collect(),
        customer: None,
        start: moment("start"),
        end: moment("end"),
        due: moment("due"),
        reason,
        responsible: caller.agent.clone(),
    }
}

/// The customer of that id of ours or of the CRM, if the caller may know of it.
async fn known(caller: &Caller, named: &str) -> Result<Option<CustomerId>, Refused> {
    let store = caller.services.store.customers();
    let of_crm = store.by_crm(caller.place.host.as_str(), named).await?;
    let id = of_crm.map(|it| it.id).or_else(|| named.parse().ok());
    match id {
        Some(id) => match customer(caller, &id).await {
            Ok(id) => Ok(Some(id)),
            Err(Refused::Rule(_)) => Ok(None),
            Err(refused) => Err(refused),
        },
        None => Ok(None),
    }
}

/// The customer as whom that one is known now, if the caller may look customers up or deals with that one.
pub(super) async fn customer(caller: &Caller, id: &CustomerId) -> Result<CustomerId, Refused> {
    let found = customers::find(&caller.services, &caller.place, id).await?;
    let id = found.ok_or(customer::Rejection::Unknown)?.id;
    let sees = caller.rights.has(Right::CustomerShow)
        || activities::dealt_with(caller).await?.contains(&id);
    match sees {
        true => Ok(id),
        false => Err(customer::Rejection::Unknown.into()),
    }
}
