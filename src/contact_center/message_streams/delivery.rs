//! What the customer gets of a stream (S4-17): each message, and each edit as a correction, through the connector that the operator
//! has named, where an agent has that switched on for the stream. Never anything of a whisper.
//!
//! What is passed on is written together with the stream, and waits in the database for the connector ([`sending`]). Where that is
//! switched off meanwhile, what waits is taken back ([`recalling`]). What the connector refuses is told to the author ([`refused`]).
//!
//! ```xml
//! <message id='0199…/0199…/0199…' from='center.example.org' to='mail.example.org'>
//!   <deliver xmlns='urn:parlour:connector:0' stream='0199…' message='0199…' customer='0199…' author='romeo@example.org' at='…'>
//!     <name>Ann Smith</name><address medium='email'>ann@example.org</address>
//!     <title>Call back</title><text>We call you tomorrow.</text>
//!   </deliver>
//! </message>
//! ```

mod linking;
mod recalling;
mod refused;
mod sending;
#[cfg(test)]
mod tests;

use crate::config::{Component, ComponentRole};
use crate::contact_center::center::Place;
use crate::contact_center::customers;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::interactions::CONNECTOR_NS;
use crate::contact_center::operation::Caller;
use crate::domain::customer::Customer;
use crate::domain::ids::{MessageId, StreamId};
use crate::domain::message_stream::{Attachment, Event, Message, Pass, Rejection, Stream};
use crate::hooks::Services;
use crate::proto::{MessageType, Stanza};
use crate::xml::Element;

pub(in crate::contact_center) use refused::take;
pub(super) use sending::register;
pub(in crate::contact_center) use sending::{Deliveries, is_delivery, run};

/// The element that a connector gets.
const DELIVER: &str = "deliver";

/// A file with it.
const ATTACHMENT: &str = "attachment";

/// What a file is found by, as long as it waits.
const SLOT: &str = "slot";

/// How the id of a correction ends: of a refusal often nothing but the id comes back.
const CORRECTS: &str = "/corrects";

/// Whom the operator wants to pass streams of that host to customers.
pub(super) fn connector<'a>(services: &'a Services, place: &Place) -> Option<&'a Component> {
    let config = &services.config;
    let domain = config.contact_center.delivery.as_ref()?;
    let mut components = config.components.iter();
    let named = components.find(|it| it.domain == *domain)?;
    let is_it = named.role == ComponentRole::Connector && named.acts_for(place.host.as_str());
    is_it.then_some(named)
}

/// Adds what the customer gets behind those events.
///
/// # Errors
/// When it is to get something, or shall from now on, and there is no connector that passes it on, or too much waits for that.
pub(super) async fn deliver(
    caller: &Caller,
    draft: &mut Draft,
    (before, after): (&Stream, &Stream),
    events: &[Event],
) -> Result<(), Refused> {
    let passed = after.to_pass(before, events);
    let switched_on = after.is_for_the_customer() && !before.is_for_the_customer();
    if passed.is_empty() && !switched_on {
        return Ok(());
    }
    let connector = connector(&caller.services, &caller.place).ok_or(Rejection::NotDelivered)?;
    require_room(caller, passed.len()).await?;
    let customer = match &after.customer {
        Some(id) => customers::find(&caller.services, &caller.place, id).await?,
        None => None,
    };
    for (message, how) in passed {
        let about = (after, customer.as_ref());
        let payload = element(about, (message, how));
        let mut stanza = Stanza::message(MessageType::Normal)
            .from(caller.place.address.clone())
            .to(connector.domain.to_jid())
            .child(&payload);
        let unique = crate::id::sorted(caller.now());
        let id = match how {
            Pass::New => format!("{}/{}/{unique}", after.id, message.id),
            Pass::Correction => format!("{}/{}/{unique}{CORRECTS}", after.id, message.id),
        };
        stanza.id = Some(id.into());
        draft.pass(stanza);
    }
    Ok(())
}

/// What waits for a connector that is away must not fill the database. Everything that is not sent counts, of which deliveries are
/// what can be many: the rest is sent within moments.
async fn require_room(caller: &Caller, more: usize) -> Result<(), Refused> {
    if more == 0 {
        return Ok(());
    }
    let max = caller.services.config.contact_center.deliveries_waiting_max;
    let waiting = caller.services.store.records().outbox_count(max).await?;
    let more = u32::try_from(more).unwrap_or(u32::MAX);
    match waiting.saturating_add(more) <= max {
        true => Ok(()),
        false => Err(Rejection::TooManyDeliveries.into()),
    }
}

/// Which message of which stream a delivery of that id was about.
fn about(id: &str) -> Option<(StreamId, MessageId)> {
    let (stream, rest) = id.split_once('/')?;
    let (message, _unique) = rest.split_once('/')?;
    Some((stream.parse().ok()?, message.parse().ok()?))
}

/// How that message went by a delivery of that id.
fn how(id: &str) -> Pass {
    match id.ends_with(CORRECTS) {
        true => Pass::Correction,
        false => Pass::New,
    }
}

fn element(
    (stream, customer): (&Stream, Option<&Customer>),
    (message, how): (&Message, Pass),
) -> Element {
    let child = |name: &str, text: &str| Element::new(CONNECTOR_NS, name).text(text);
    let profile = customer.map(|it| &it.profile);
    let address = |medium: &str, text: &str| child("address", text).attr("medium", medium);
    let emails = profile.into_iter().flat_map(|it| &it.emails);
    let telephones = profile.into_iter().flat_map(|it| &it.telephones);
    // The customer may have turned out to be another since.
    let known = customer.map(|it| &it.id).or(stream.customer.as_ref());
    let files = message.attachments.iter();
    Element::new(CONNECTOR_NS, DELIVER)
        .attr("stream", stream.id.as_str())
        .attr("message", message.id.as_str())
        .attr_opt("customer", known.map(|it| it.as_str()))
        .attr("author", message.author.to_string())
        .attr("at", message.at.to_string())
        .attr_opt("corrects", (how == Pass::Correction).then_some("true"))
        .child_opt(customer.map(|it| child("name", customers::title(it))))
        .children_from(emails.map(|it| address("email", it)))
        .children_from(telephones.map(|it| address("voice", it)))
        .child(child("title", &stream.title))
        .child(child("text", &message.text))
        .children_from(files.map(file))
}

/// A file as it waits: what it is found by stands in the place of a link, which is made when it is sent ([`linking`]).
fn file(attachment: &Attachment) -> Element {
    Element::new(CONNECTOR_NS, ATTACHMENT)
        .attr("name", &attachment.name)
        .attr("type", attachment.file_type.media_type())
        .attr("bytes", attachment.bytes.to_string())
        .attr(SLOT, &attachment.slot)
}
