//! What waits of a stream that is passed on no more is taken back: nothing that was said before goes to the customer when that is switched
//! on again, but what is said then, and nothing of it takes the room of what can go. Whoever sends does this, so that nothing is
//! sent and taken back at the same time.

use std::sync::Arc;

use super::{DELIVER, about};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::interactions::CONNECTOR_NS;
use crate::contact_center::message_streams::find;
use crate::contact_center::outbox;
use crate::domain::ids::{MessageId, StreamId};
use crate::domain::message_stream::Pass;
use crate::hooks::Services;
use crate::proto::ns;
use crate::store::Outgoing;

/// Stanzas that are read at once: each can have 64 KiB of text.
const PAGE: u32 = 20;

/// Takes back what waits of the stream, if it is still passed on no more.
pub(super) async fn recall(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &StreamId,
) -> Result<(), Refused> {
    let attempt = async |mut draft: Draft| {
        let Some(before) = find(services, place, id).await? else {
            return Ok((draft, ()));
        };
        // Behind the stream: what is added later changes that, too.
        let waiting = Box::pin(waiting(services, id)).await?;
        let messages: Vec<_> = waiting.iter().map(|it| it.1.clone()).collect();
        if let Some(recalled) = before.recall(services.clock.now(), &messages) {
            draft.change(&before, &[recalled])?;
            waiting.into_iter().for_each(|(id, _)| draft.withdraw(id));
        }
        Ok((draft, ()))
    };
    Box::pin(center.save(services, attempt)).await
}

/// What waits of the stream: its id in the outbox, the message, and how it was to be passed on.
async fn waiting(
    services: &Services,
    id: &StreamId,
) -> Result<Vec<(String, (MessageId, Pass))>, Refused> {
    let records = services.store.records();
    let mut after = String::new();
    let mut found = Vec::new();
    loop {
        let page = records.outbox(&after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after.clone_from(&last.id);
        found.extend(page.into_iter().filter_map(|it| of(id, it)));
    }
}

fn of(id: &StreamId, waiting: Outgoing) -> Option<(String, (MessageId, Pass))> {
    let stanza = outbox::read(waiting.stanza)?;
    let payload = stanza.find(CONNECTOR_NS, DELIVER)?;
    let payload = payload.to_element(ns::CLIENT).ok()?;
    let (_, message) = about(stanza.id.as_deref()?).filter(|(stream, _)| stream == id)?;
    let how = match payload.attribute("corrects") {
        Some(_) => Pass::Correction,
        None => Pass::New,
    };
    Some((waiting.id, (message, how)))
}
