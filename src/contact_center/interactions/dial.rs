//! Calls to customers (S2-8, S2-9), and to colleagues.

use tracing::debug;

use super::change;
use super::connector::{address, medium};
use super::{streams, wanted};
use crate::config::ComponentRole;
use crate::contact_center::customers;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::values::Values;
use crate::domain::agent_state::State;
use crate::domain::customer::{self, Customer};
use crate::domain::ids::{CustomerId, InteractionId, RequestId};
use crate::domain::interaction::{Command, Direction, Interaction, Medium, Rejection};
use crate::domain::rights::Right;

/// Calls an address, or a customer at its first one.
pub(super) async fn dial(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    allowed(&caller, values.optional_text("object"))?;
    let medium = medium(values.optional_text("medium").unwrap_or_default());
    let named = match values.optional_text("customer") {
        Some(id) => Some(known(&caller, id).await?),
        None => None,
    };
    let called = match (values.optional_text("address"), &named) {
        (Some(address), _) => address,
        (None, Some(customer)) => address_of(customer, medium).ok_or(Rejection::NoAddress)?,
        (None, None) => {
            let text = "Name an address or a customer.";
            return Err(malformed("field-missing", text));
        }
    };
    let address = address(&caller.services, medium, called)?;
    let connector = connector(&caller, values.optional_text("connector"))?;
    if !streams::is_there(&caller.services, &connector) {
        return Err(Rejection::Interrupted.into());
    }
    let after = Box::pin(place(&caller, connector, (medium, address), named.as_ref())).await?;
    wanted::outcome(&caller, &after, "The customer is being called.").await
}

/// Calls a colleague for the caller (S0-4, S0-23): for whoever takes part in interactions at the moment, by a connector that is
/// there. `None` where the caller has to do it itself.
pub(in crate::contact_center) async fn colleague(
    caller: &Caller,
    telephone: &str,
) -> Result<Option<InteractionId>, Refused> {
    let state = caller.center.agents.agent(&caller.agent).state();
    if state == State::LoggedOut || !caller.rights.has(Right::Interaction) {
        return Ok(None);
    }
    let connector = connector(caller, None).ok();
    let connector = connector.filter(|it| streams::is_there(&caller.services, it));
    let Some(connector) = connector else {
        return Ok(None);
    };
    let address = (Medium::Voice, telephone.to_owned());
    match Box::pin(place(caller, connector, address, None)).await {
        Ok(after) => Ok(Some(after.id)),
        Err(Refused::Rule(refusal)) => {
            debug!(%refusal, agent = %caller.agent, "a colleague is not called");
            Ok(None)
        }
        Err(refused) => Err(refused),
    }
}

/// Asks the connector for the call.
async fn place(
    caller: &Caller,
    connector: String,
    (medium, address): (Medium, String),
    named: Option<&Customer>,
) -> Result<Interaction, Refused> {
    let now = caller.now();
    let id = InteractionId::made(now);
    let request = RequestId::made(now);
    let outbound = (medium, Direction::Outbound);
    let fresh = Interaction::new(id.clone(), connector, outbound, address);
    let commands = |_: &Interaction| {
        let by = caller.agent.clone();
        let request = request.clone();
        let dial = Command::Dial { by, request };
        let customer = named.map(|it| it.id.clone());
        let identify = customer.map(|customer| Command::Identify { by: None, customer });
        Ok(std::iter::once(dial).chain(identify).collect())
    };
    let work = wanted::work(caller);
    change::all(work, &id, (Some(fresh), Some(&caller.agent)), &commands).await
}

/// Calls may be limited to some types of business objects.
fn allowed(caller: &Caller, object: Option<&str>) -> Result<(), Refused> {
    let types = &caller.services.config.contact_center.dial_from;
    let allowed = types.is_empty() || types.iter().any(|it| Some(it.as_str()) == object);
    match allowed {
        true => Ok(()),
        false => Err(Rejection::DialFrom.into()),
    }
}

async fn known(caller: &Caller, id: &str) -> Result<Customer, Refused> {
    let id: CustomerId = id
        .parse()
        .map_err(|_| malformed("field-malformed", "customer must be an id."))?;
    let known = customers::find(&caller.services, &caller.place, &id).await?;
    Ok(known.ok_or(customer::Rejection::Unknown)?)
}

fn address_of(customer: &Customer, medium: Medium) -> Option<&str> {
    let profile = &customer.profile;
    let addresses = match medium {
        Medium::Voice => &profile.telephones,
        Medium::Chat | Medium::Email => &profile.emails,
    };
    addresses.first().map(String::as_str)
}

/// The connector that calls: the one that is named, else the configured one, else the only one.
fn connector(caller: &Caller, named: Option<&str>) -> Result<String, Refused> {
    let host = caller.place.host.as_str();
    let config = &caller.services.config;
    let all = config.components.iter();
    let own = all.filter(|it| it.role == ComponentRole::Connector && it.acts_for(host));
    let own: Vec<&str> = own.map(|it| it.domain.as_str()).collect();
    let usual = config
        .contact_center
        .dial_connector
        .as_ref()
        .map(|it| it.as_str());
    let found = match (named.or(usual), own.as_slice()) {
        (Some(named), own) => own.iter().find(|it| **it == named).copied(),
        (None, [only]) => Some(*only),
        (None, _) => None,
    };
    Ok(found.ok_or(Rejection::NoConnector)?.to_owned())
}
