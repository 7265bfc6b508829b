//! Objects of interactions in the lists of those who deal with them (S0-28).

use super::{change_list, recent_of};
use crate::contact_center::center::Place;
use crate::contact_center::customers;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::domain::context::attached::{attached, of_customer};
use crate::domain::interaction::{Event, Interaction};
use crate::hooks::Services;

/// Puts into the lists what the events of an interaction put into its agents' hands. Once in a draft, with all events of the
/// decision.
pub(in crate::contact_center) async fn follow(
    services: &Services,
    place: &Place,
    draft: &mut Draft,
    after: &Interaction,
    events: &[Event],
) -> Result<(), Refused> {
    let lists = attached(after, events);
    let customer = match after.customer.as_ref() {
        Some(id) if lists.values().any(|it| it.customer) => {
            customers::find(services, place, id).await?
        }
        _ => None,
    };
    let customer = customer.and_then(|it| of_customer(&it, customers::title(&it)));
    for (owner, objects) in lists {
        let before = recent_of(services, &owner).await?;
        let commands = objects.touched(customer.as_ref()).collect();
        change_list(draft, &before, commands, services.clock.now())?;
    }
    Ok(())
}
