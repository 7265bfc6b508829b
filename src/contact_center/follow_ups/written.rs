//! What was written of a follow-up into a request, and what the rules have to know of the host.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::Caller;
use crate::contact_center::people::Person;
use crate::contact_center::settings::Settings;
use crate::contact_center::values::Values;
use crate::domain::follow_up::{Facts, Plan};
use crate::domain::ids::{AgentId, CustomerId, FollowUpId};
use crate::domain::reason_code::Kind as ReasonKind;
use crate::domain::rights::Role;

use super::source;

/// What the rules have to know beside the follow-up.
pub(super) struct Ground {
    settings: Arc<Settings>,
    channel: &'static str,
    reasons: Vec<String>,
    responsible_is_agent: bool,
}

impl Ground {
    /// As it is now, of a follow-up on that channel that this one shall be responsible for.
    pub(super) async fn of(
        caller: &Caller,
        channel: &'static str,
        responsible: &AgentId,
    ) -> Result<Self, Refused> {
        let settings = caller.place.settings.load_full();
        let reasons = settings.reasons.choice(ReasonKind::Interaction);
        let reasons = reasons.map(|it| it.code.clone()).collect();
        let person = Person::find(&caller.place, &caller.services.store, responsible).await?;
        Ok(Self {
            settings,
            channel,
            reasons,
            responsible_is_agent: is_agent(&person),
        })
    }

    /// As the rules of the domain take it.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            permitted: &self.settings.permitted,
            channel: self.channel,
            reasons: &self.reasons,
            note_types: &self.settings.note_types,
            responsible_is_agent: self.responsible_is_agent,
        }
    }
}

/// Whether somebody can be responsible.
pub(super) fn is_agent(person: &Person) -> bool {
    person.role.is_some_and(|role| role >= Role::Agent)
}

/// The id of the follow-up that is meant.
pub(super) fn id(values: &Values) -> Result<FollowUpId, Refused> {
    let id = values.text("id")?.parse::<FollowUpId>();
    id.map_err(|_| malformed("field-malformed", "id must be an id."))
}

/// The version that was read.
pub(super) fn version(values: &Values) -> Result<Option<u64>, Refused> {
    let version = values.optional_text("version");
    let version = version.map(|it| it.trim().parse()).transpose();
    version.map_err(|_| malformed("field-malformed", "version must be a number."))
}

/// What is planned, as it was written. What it copies comes later. The customer that is known already may stay, whoever asks.
pub(super) async fn plan(
    caller: &Caller,
    values: &Values,
    (responsible, known): (AgentId, Option<&CustomerId>),
) -> Result<Plan, Refused> {
    let text = |name: &str| values.optional_text(name).map(str::to_owned);
    let customer = match values.optional_text("customer") {
        Some(id) => {
            let id = id.parse();
            let id = id.map_err(|_| malformed("field-malformed", "customer must be an id."))?;
            match known == Some(&id) {
                true => Some(id),
                false => Some(source::customer(caller, &id).await?),
            }
        }
        None => None,
    };
    Ok(Plan {
        transaction_type: values.text("type")?.to_owned(),
        title: text("title").unwrap_or_default(),
        customer,
        start: moment(values, "start")?,
        end: moment(values, "end")?,
        due: moment(values, "due")?,
        reason: text("reason"),
        responsible,
    })
}

fn moment(values: &Values, name: &str) -> Result<Option<Timestamp>, Refused> {
    let Some(text) = values.optional_text(name) else {
        return Ok(None);
    };
    let at = Timestamp::parse(text.trim());
    let expected = || format!("{name} must be a time such as 2026-01-31T18:00:00Z.");
    at.map(Some)
        .ok_or_else(|| malformed("field-malformed", expected()))
}
