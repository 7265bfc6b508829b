//! What becomes of the follow-ups of a customer who turned out to be another (merged records).

use std::sync::Arc;

use super::{CUSTOMER, KIND, find, of_host};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::domain::follow_up::{Command, Facts, NO_CHANNEL, decide};
use crate::domain::ids::{CustomerId, FollowUpId};
use crate::hooks::Services;

/// Follow-ups that are read at once.
const PAGE: u32 = 20;

/// From now on they are of the other one, so that its overview has them. Whatever is left of it when it is interrupted, the
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
            relink_one(center, services, place, &id, (from, to)).await?;
        }
    }
    Ok(())
}

/// One that is of somebody else by now stays so.
async fn relink_one(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &FollowUpId,
    (from, to): (&CustomerId, &CustomerId),
) -> Result<(), Refused> {
    let settings = place.settings.load_full();
    let facts = Facts {
        permitted: &settings.permitted,
        channel: NO_CHANNEL,
        reasons: &[],
        note_types: &settings.note_types,
        responsible_is_agent: true,
    };
    let decided = async |mut draft: Draft| {
        if let Some(before) = find(services, id).await? {
            let (from, to) = (from.clone(), to.clone());
            let command = Command::Link { from, to };
            let happened = decide(&before, command, services.clock.now(), &facts)?;
            draft.change(&before, &happened)?;
        }
        Ok((draft, ()))
    };
    center.save(services, decided).await
}
