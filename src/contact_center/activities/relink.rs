//! What becomes of the activities with a customer who turned out to be another (merged records).

use std::sync::Arc;

use super::{CUSTOMER, KIND, change, find, of_host};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::domain::activity::{Activity, Command, decide};
use crate::domain::ids::{ActivityId, CustomerId};
use crate::hooks::Services;

/// Activities that are read at once.
const PAGE: u32 = 100;

/// From now on they are with the other one, so that its history has them. Whatever is left of it when it is interrupted, the
/// same call does later.
pub(in crate::contact_center) async fn relink(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    (from, to): (&CustomerId, &CustomerId),
) -> Result<(), Refused> {
    let owner = of_host(place.host.as_str(), from.as_str());
    let records = services.store.records();
    let mut walk = records.walk_list(KIND, (CUSTOMER, &owner), PAGE);
    while let Some(stored) = walk.next().await? {
        if let Ok(id) = stored.id.parse() {
            relink_one(center, services, &id, (from, to)).await?;
        }
    }
    Ok(())
}

/// One that is with somebody else by now stays so.
async fn relink_one(
    center: &Center,
    services: &Arc<Services>,
    id: &ActivityId,
    (from, to): (&CustomerId, &CustomerId),
) -> Result<(), Refused> {
    let with = |it: &Activity| {
        let subject = it.subject.as_ref();
        subject.is_some_and(|subject| subject.customer.as_ref() == Some(from))
    };
    let decided = async |mut draft: Draft| {
        if let Some(before) = find(services, id).await?.filter(with) {
            let command = Command::Link(to.clone());
            let events = decide(&before, command, services.clock.now())?;
            change(&mut draft, &before, &events)?;
        }
        Ok((draft, ()))
    };
    center.save(services, decided).await
}
