//! Who the customer is, by its address or because an agent says so (S2-10 to S2-13, S2-29 to S2-31).

use tokio::sync::OnceCell;

use super::change::{self, Work};
use super::wanted;
use crate::contact_center::customers;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Caller, Outcome, Shown};
use crate::contact_center::values::Values;
use crate::domain::customer::{self, Customer};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::{Command, Interaction};

/// The customers who are known under the address of an interaction.
#[derive(Debug, Default)]
pub(super) struct Matches(OnceCell<Vec<CustomerId>>);

impl Matches {
    /// Looks them up, at the first time.
    pub(super) async fn of(
        &self,
        work: Work<'_>,
        interaction: &Interaction,
    ) -> Result<&[CustomerId], Refused> {
        let found = self.0.get_or_try_init(|| async {
            let address = interaction.address.as_str();
            customers::look_up(work.center, work.services, work.place, address).await
        });
        Ok(found.await?)
    }
}

/// The records of those customers; one that has been merged is the other by now.
pub(super) async fn records(work: Work<'_>, ids: &[CustomerId]) -> Result<Vec<Customer>, Refused> {
    let mut found: Vec<Customer> = Vec::with_capacity(ids.len());
    for id in ids {
        let customer = customers::find(work.services, work.place, id).await?;
        if let Some(customer) = customer.filter(|it| found.iter().all(|known| known.id != it.id)) {
            found.push(customer);
        }
    }
    Ok(found)
}

/// The agent says who the customer is: one of those that the screen pop lists, or another of the host.
pub(super) async fn identify(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = wanted::id(&values)?;
    let customer: CustomerId = values
        .text("customer")?
        .parse()
        .map_err(|_| malformed("field-malformed", "customer must be an id."))?;
    let work = wanted::work(&caller);
    // Whether there is such a customer is for nobody to know who has nothing to do with the interaction.
    wanted::require_write(&caller, &id).await?;
    let known = customers::find(&caller.services, &caller.place, &customer).await?;
    let customer = known.ok_or(customer::Rejection::Unknown)?.id;
    let by = Some(caller.agent.clone());
    let after = change::command(work, &id, Command::Identify { by, customer }).await?;
    let told = "The interaction is with this customer now.";
    wanted::outcome(&caller, &after, told).await
}

/// What the form offers: the agent's interactions, and who is known under the address of the active one.
pub(super) async fn offered(caller: Caller) -> Result<Shown, Refused> {
    let mut shown = wanted::offered(caller.clone()).await?;
    let active = super::active::of(&caller).await?;
    if let Some(interaction) = active {
        let work = wanted::work(&caller);
        let matches = Matches::default();
        let ids = matches.of(work, &interaction).await?;
        for customer in records(work, ids).await? {
            let name = named(&customer);
            shown
                .options
                .push(("customer", customer.id.to_string(), name));
        }
    }
    Ok(shown)
}

/// What people call the customer.
pub(super) fn named(customer: &Customer) -> String {
    let profile = &customer.profile;
    match (profile.name.as_str(), &profile.company) {
        ("", Some(company)) => company.clone(),
        (name, Some(company)) => format!("{name}, {company}"),
        (name, None) => name.to_owned(),
    }
}
