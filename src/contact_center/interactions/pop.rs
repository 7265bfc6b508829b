//! Screen pops (S2-10 to S2-14, S2-16, S2-20, S2-33, S2-35, S2-44): whoever is asked to take part is told at the same moment who
//! the customer is.

use super::change::Work;
use super::customer::{self, Matches};
use super::wire::NS;
use crate::contact_center::customers;
use crate::contact_center::errors::Refused;
use crate::domain::customer::{Customer, Profile};
use crate::domain::interaction::{Command, Event, Facts, Interaction, apply, decide};
use crate::xml::{Element, write};

/// Bytes of the customers in a pop who are shown whole: it goes beside what is attached, and both fit into a stanza.
const POP_BYTES_MAX: usize = 32 * 1024;

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
        .children_from(shown(&customers));
    let sentence = sentence(&customers);
    Ok(Some(Pop { element, sentence }))
}

/// The customers as they fit; of those behind only id and name, by which an agent can pick one.
fn shown(customers: &[Customer]) -> Vec<Element> {
    let mut bytes = 0;
    let one = |customer: &Customer| {
        let element = customers::element(customer);
        let mut written = Vec::new();
        write::element(&mut written, &element, NS);
        match bytes + written.len() <= POP_BYTES_MAX {
            true => {
                bytes += written.len();
                element
            }
            false => customers::element(&Customer {
                profile: Profile {
                    name: customer.profile.name.clone(),
                    company: customer.profile.company.clone(),
                    ..Profile::default()
                },
                ..customer.clone()
            }),
        }
    };
    customers.iter().map(one).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customer::{ADDRESSES_MAX, MATCHES_MAX};

    /// However many and however large: all can be picked, and the pop fits.
    #[test]
    fn a_pop_has_a_bound_in_bytes() {
        let customer = |number: usize| {
            let id = format!("k{number}").parse().unwrap();
            let mut customer = Customer::new(id, "localhost".to_owned());
            customer.profile.name = format!("Customer {number}");
            let email = |at: usize| format!("{at}{}@example.org", "x".repeat(200));
            customer.profile.emails = (0..ADDRESSES_MAX).map(email).collect();
            customer
        };
        let all: Vec<Customer> = (0..MATCHES_MAX).map(customer).collect();
        let shown = shown(&all);
        let mut written = Vec::new();
        for (at, element) in shown.iter().enumerate() {
            let id = format!("k{at}");
            assert_eq!(element.attribute("id"), Some(id.as_str()));
            write::element(&mut written, element, NS);
        }
        assert!(written.len() < 2 * POP_BYTES_MAX, "{}", written.len());
        let text = String::from_utf8(written).unwrap();
        let whole = text.matches("<email>").count() / ADDRESSES_MAX;
        assert!(whole > 2 && whole < MATCHES_MAX, "{whole}");
        assert!(text.contains("<name>Customer 19</name>"), "{text}");
    }
}
