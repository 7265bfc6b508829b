//! What becomes of the streams about a customer who turned out to be another (merged records).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::changes::Done;
use super::live::What;
use super::{KIND, find};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::customers;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::domain::ids::{CustomerId, StreamId};
use crate::domain::message_stream::{Command, Facts, Stream, decide};
use crate::domain::rights::{AccountGrants, Role, RoleGrants, effective};
use crate::hooks::Services;
use crate::store::STREAMS_ABOUT;

/// Streams that are read at once.
const PAGE: u32 = 50;

/// From now on they are about the other one, so that its list has them. Whatever is left of it when it is interrupted, the same
/// call does later.
pub(in crate::contact_center) async fn relink(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    (from, to): (&CustomerId, &CustomerId),
) -> Result<(), Refused> {
    let owner = format!("{} {from}", place.host);
    let records = services.store.records();
    let mut walk = records.walk_list(KIND, (STREAMS_ABOUT, &owner), PAGE);
    while let Some(stored) = walk.next().await? {
        if let Ok(id) = stored.id.parse::<StreamId>() {
            relink_one(center, services, place, &id, (from, to)).await?;
        }
    }
    Ok(())
}

/// One that is about somebody else by now stays so.
async fn relink_one(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &StreamId,
    (from, to): (&CustomerId, &CustomerId),
) -> Result<(), Refused> {
    let nothing = effective(
        Role::Member,
        &RoleGrants::default(),
        &AccountGrants::default(),
    );
    let facts = Facts {
        rights: &nothing,
        since: services.clock.now(),
        tags: &[],
        strangers: &BTreeSet::new(),
        attachment_bytes_max: 0,
    };
    let about = |it: &Stream| it.customer.as_ref() == Some(from);
    let attempt = async |mut draft: Draft| {
        let Some(before) = find(services, place, id).await?.filter(about) else {
            return Ok((draft, None));
        };
        // It may be part of a third one by now. Of one that is erased the erasure takes the streams, too.
        let Some(to) = customers::hold(&mut draft, services, place, to).await? else {
            return Ok((draft, None));
        };
        let command = Command::Move { customer: to.id };
        let events = decide(&before, command, services.clock.now(), &facts)?;
        let after = draft.change(&before, &events)?;
        let done = Done {
            before,
            after,
            events,
            what: What::Moved,
        };
        Ok((draft, Some(done)))
    };
    let done = Box::pin(center.save(services, attempt)).await?;
    if let Some(done) = done.filter(|it| !it.events.is_empty()) {
        center.streams.note(place, &done);
    }
    Ok(())
}
