//! What the connector does not pass on: its author is told, in words and for programs, and it counts as nothing that the customer has.

use std::sync::Arc;

use super::{about, connector, how};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors::{Asker, known};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::interactions::{says_nobody, why};
use crate::contact_center::message_streams::{NS, find};
use crate::contact_center::telling;
use crate::domain::ids::AgentId;
use crate::domain::message_stream::{Message, Stream};
use crate::hooks::{Effects, Parcel, Services};
use crate::proto::{Jid, Stanza, StanzaError};
use crate::xml::Element;

/// Takes an error. One that is about no delivery, or comes from another than the connector, is nobody's.
///
/// # Errors
/// When the database fails.
pub(in crate::contact_center) async fn take(
    center: &Arc<Center>,
    place: &Arc<Place>,
    parcel: Parcel,
) -> Result<Effects, StanzaError> {
    Box::pin(refused(center, place, &parcel.services, &parcel.stanza)).await?;
    Ok(Effects::default())
}

async fn refused(
    center: &Arc<Center>,
    place: &Arc<Place>,
    services: &Arc<Services>,
    stanza: &Stanza,
) -> Result<(), Refused> {
    let connector = connector(services, place).map(|it| it.domain.as_str());
    let from = stanza.from.as_ref().map(Jid::domain);
    // What the server itself gives back, for the connector has gone, is sent once more.
    if connector.is_none() || from != connector || says_nobody(stanza) {
        return Ok(());
    }
    let Some(sent) = stanza.id.as_deref() else {
        return Ok(());
    };
    let Some((id, message)) = about(sent) else {
        return Ok(());
    };
    let Some(stream) = find(services, place, &id).await? else {
        return Ok(());
    };
    let Some(message) = stream.messages.iter().find(|it| it.id == message) else {
        return Ok(());
    };
    let named = named(center, place, services, (&stream, &message.author)).await?;
    let told = named.map(|named| told(place, &named, (&stream, message), why(stanza)));
    let decided = async |mut draft: Draft| {
        if let Some(known) = find(services, place, &id).await? {
            let refused = known.refused(services.clock.now(), &message.id, how(sent));
            if let Some(refused) = refused {
                draft.change(&known, &[refused])?;
            }
        }
        if let Some(told) = &told {
            draft.tell(told.clone());
        }
        Ok((draft, ()))
    };
    Box::pin(center.save(services, decided)).await
}

/// What the author is told.
fn told(place: &Place, named: &str, (stream, message): (&Stream, &Message), why: String) -> Stanza {
    let why = match why {
        none if none.is_empty() => "the connector does not say why".to_owned(),
        why => why,
    };
    let body = format!("{named} has not reached the customer: {why}");
    let payload = Element::new(NS, "not-delivered")
        .attr("id", stream.id.as_str())
        .attr("message", message.id.as_str())
        .text(why);
    telling::message(&place.address, &message.author, &body, &payload)
}

/// What the author may know it by: whoever was taken off the stream since is told nothing of it but that. `None` for an account
/// that is gone.
async fn named(
    center: &Arc<Center>,
    place: &Arc<Place>,
    services: &Arc<Services>,
    (stream, author): (&Stream, &AgentId),
) -> Result<Option<String>, Refused> {
    let from = Jid::from(author.jid().clone());
    let asker = Asker {
        from: &from,
        language: None,
    };
    let caller = match known(center, place, services, asker).await {
        Ok(caller) => caller,
        Err(Refused::Store(error)) => return Err(error.into()),
        Err(Refused::Rule(_) | Refused::Contended | Refused::Stanza(_)) => return Ok(None),
    };
    Ok(Some(
        match stream.is_seen_by(author, caller.since, &caller.rights) {
            true => format!("Your message “{}”", stream.title),
            false => "A message of yours".to_owned(),
        },
    ))
}
