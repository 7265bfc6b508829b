//! What the connector does not pass on: its author is told, in words and for programs.

use std::sync::Arc;

use super::{about, connector};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors::{Asker, known};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::interactions::{says_nobody, why};
use crate::contact_center::message_streams::{NS, find};
use crate::contact_center::telling;
use crate::domain::ids::AgentId;
use crate::domain::message_stream::Stream;
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
    let Some((id, message)) = stanza.id.as_deref().and_then(about) else {
        return Ok(());
    };
    let Some(stream) = find(services, place, &id).await? else {
        return Ok(());
    };
    let Some(message) = stream.messages.iter().find(|it| it.id == message) else {
        return Ok(());
    };
    let author = &message.author;
    let Some(named) = named(center, place, services, (&stream, author)).await? else {
        return Ok(());
    };
    let why = match why(stanza) {
        none if none.is_empty() => "the connector does not say why".to_owned(),
        why => why,
    };
    let body = format!("{named} has not reached the customer: {why}");
    let payload = Element::new(NS, "not-delivered")
        .attr("id", stream.id.as_str())
        .attr("message", message.id.as_str())
        .text(why);
    let told = telling::message(&place.address, author, &body, &payload);
    let decided = async |mut draft: Draft| {
        draft.tell(told.clone());
        Ok((draft, ()))
    };
    center.save(services, decided).await
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
