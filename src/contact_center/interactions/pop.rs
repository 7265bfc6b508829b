//! Screen pops (S2-10 to S2-14, S2-16, S2-20, S2-33, S2-35, S2-44): whoever is asked to take part is told at the same moment who
//! the customer is.

use super::change::Work;
use super::customer::{self, Matches};
use super::wire::NS;
use crate::contact_center::customers;
use crate::contact_center::errors::Refused;
use crate::domain::customer::Customer;
use crate::domain::interaction::{Command, Event, Facts, Interaction, apply, decide};
use crate::xml::Element;

/// What is popped.
pub(super) struct Pop {
    /// For clients that know it.
    pub(super) element: Element,
    /// The same in a sentence.
    pub(super) sentence: String,
}

/// Makes what goes to those who are offered a part by these events; `None` where nobody is. The only match says who the customer
/// is, where nobody has said so yet.
pub(super) async fn made(
    work: Work<'_>,
    before: &Interaction,
    events: &mut Vec<Event>,
    matches: &Matches,
) -> Result<Option<Pop>, Refused> {
    if !events
        .iter()
        .any(|event| matches!(event, Event::Offered { .. }))
    {
        return Ok(None);
    }
    let mut after = before.clone();
    events.iter().for_each(|event| apply(&mut after, event));
    let ids = match &after.customer {
        Some(customer) => std::slice::from_ref(customer),
        None => matches.of(work, &after).await?,
    };
    let customers = customer::records(work, ids).await?;
    if let ([only], None) = (customers.as_slice(), &after.customer) {
        let customer = only.id.clone();
        let command = Command::Identify { by: None, customer };
        let now = work.services.clock.now();
        events.extend(decide(&after, command, now, &Facts::default())?);
    }
    let kind = match customers.len() {
        0 => "none",
        1 => "single",
        _ => "multiple",
    };
    let element = Element::new(NS, "screen-pop")
        .attr("interaction", after.id.as_str())
        .attr("match", kind)
        .attr("address", &after.address)
        .children_from(customers.iter().map(customers::element));
    let sentence = sentence(&customers);
    Ok(Some(Pop { element, sentence }))
}

/// Who it is, or can be.
fn sentence(customers: &[Customer]) -> String {
    let names: Vec<&str> = customers.iter().map(customers::title).collect();
    match customers {
        [] => "No customer is known by this address.".to_owned(),
        [only] => match only.profile.url.as_deref() {
            Some(url) => format!("The customer is {} ({url}).", names.join("")),
            None => format!("The customer is {}.", names.join("")),
        },
        _ => format!("The customer is one of these: {}.", names.join(", ")),
    }
}
