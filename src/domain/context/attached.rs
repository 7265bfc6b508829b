//! Which business objects belong to an interaction, and into whose lists of recent ones its events put them (S0-28): those that
//! its attached data name, and its customer.
//!
//! Data names an object by its own name, `object/service-ticket/4711`; its value is the title and, on a line of its own, the
//! link. Whoever is consulted reads the interaction as long as that lasts and keeps nothing of it (S1-36).

use std::collections::BTreeMap;

use super::recent::Command;
use super::transfer::OBJECTS_MAX;
use super::{BusinessObject, ObjectKey, recent};
use crate::domain::customer::Customer;
use crate::domain::ids::AgentId;
use crate::domain::interaction::{Access, Event, Interaction, Leg};

/// The type of a customer as a business object.
pub const CUSTOMER_TYPE: &str = "customer";

/// Before type and id in the name of attached data.
const OBJECT: &str = "object/";

/// What an agent has in hand by the events of an interaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// What the data name, each one that can be shown.
    pub named: Vec<BusinessObject>,
    /// Whether the customer is among it.
    pub customer: bool,
}

impl Objects {
    /// What happens to the list of the one who has them in hand; the customer is the newest of it.
    pub fn touched(self, customer: Option<&BusinessObject>) -> impl Iterator<Item = Command> {
        let customer = customer.filter(|_| self.customer).cloned();
        let all = self.named.into_iter().rev().chain(customer);
        all.map(|object| Command::Touch {
            object,
            touch: recent::Touch::Attached,
        })
    }
}

/// What the events put into whose lists; `after` is the interaction behind them.
#[must_use]
pub fn attached(after: &Interaction, events: &[Event]) -> BTreeMap<AgentId, Objects> {
    let mut lists = BTreeMap::<AgentId, Objects>::new();
    for event in events {
        match event {
            // All of it, also where an agent takes over whom it has only advised.
            Event::Connected { agent, .. } | Event::RoleChanged { agent, .. } => {
                if deals_with(after, agent) {
                    let objects = lists.entry(agent.clone()).or_default();
                    objects.named.extend(named(&after.data));
                    objects.customer |= after.customer.is_some();
                }
            }
            Event::Attached { by, data, .. } => {
                for agent in everybody(after, by.as_ref()) {
                    let objects = lists.entry(agent.clone()).or_default();
                    objects.named.extend(named(data));
                }
            }
            Event::Identified { by, .. } => {
                for agent in everybody(after, by.as_ref()) {
                    lists.entry(agent.clone()).or_default().customer = true;
                }
            }
            Event::Began { .. }
            | Event::Offered { .. }
            | Event::Requested { .. }
            | Event::Confirmed { .. }
            | Event::Failed { .. }
            | Event::NotTaken { .. }
            | Event::Left { .. }
            | Event::LineChanged { .. }
            | Event::Interrupted { .. }
            | Event::Invited { .. }
            | Event::InviteAnswered { .. }
            | Event::PutOff { .. }
            | Event::WroteUp { .. } => {}
        }
    }
    lists.retain(|_, objects| *objects != Objects::default());
    lists
}

fn deals_with(interaction: &Interaction, agent: &AgentId) -> bool {
    let part = interaction.part(agent);
    part.is_some_and(|part| part.leg == Leg::Connected)
        && interaction.access(agent) == Access::Write
}

/// Who deals with the customer, and who has done it, each once.
fn everybody<'a>(
    interaction: &'a Interaction,
    by: Option<&'a AgentId>,
) -> std::collections::BTreeSet<&'a AgentId> {
    let parts = interaction.participants.iter().map(|part| &part.agent);
    let deal = parts.filter(|agent| deals_with(interaction, agent));
    deal.chain(by).collect()
}

/// The objects that the data name, as many as can be sent at once.
fn named(data: &BTreeMap<String, String>) -> impl Iterator<Item = BusinessObject> {
    let objects = data.iter().filter_map(|(name, value)| of_data(name, value));
    objects.take(OBJECTS_MAX)
}

/// What a piece of data names; `None` where it is no object, or cannot be shown as one.
fn of_data(name: &str, value: &str) -> Option<BusinessObject> {
    let (object_type, id) = name.strip_prefix(OBJECT)?.split_once('/')?;
    let mut lines = value.lines();
    let object = BusinessObject {
        key: ObjectKey {
            object_type: object_type.to_owned(),
            id: id.to_owned(),
        },
        title: lines.next()?.trim().to_owned(),
        url: lines.next().map(|url| url.trim().to_owned()),
        status: None,
        fields: Vec::new(),
    };
    object.checked().ok()
}

/// A customer as a business object; without its link where that leads to no page.
#[must_use]
pub fn of_customer(customer: &Customer, title: &str) -> Option<BusinessObject> {
    let letters = title.trim().chars().filter(|it| !it.is_control());
    let object = BusinessObject {
        key: ObjectKey {
            object_type: CUSTOMER_TYPE.to_owned(),
            id: customer.id.to_string(),
        },
        title: letters.take(super::object::TITLE_CHARS_MAX).collect(),
        url: None,
        status: None,
        fields: Vec::new(),
    };
    let url = customer.profile.url.clone();
    let whole = BusinessObject {
        url,
        ..object.clone()
    };
    whole.checked().or_else(|_| object.checked()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the data is text from outside.
    #[test]
    fn data_name_objects_by_type_and_id() {
        let shown = |name: &str, value: &str| {
            let it = of_data(name, value)?;
            let url = it.url.map(|url| format!(" {url}")).unwrap_or_default();
            Some(format!(
                "{} {}: {}{url}",
                it.key.object_type, it.key.id, it.title
            ))
        };
        for (name, value, expected) in [
            ("object/case/1", "Fire", Some("case 1: Fire")),
            (
                "object/service-ticket/4/7",
                "Fire\r\nhttps://crm.example/4",
                Some("service-ticket 4/7: Fire https://crm.example/4"),
            ),
            ("object/case/1", "Fire\njavascript:alert(1)", None),
            ("object/case/1", "", None),
            ("object/case/1", "\n", None),
            ("object/case/", "Fire", None),
            ("object/case", "Fire", None),
            ("object//1", "Fire", None),
            ("object/Case/1", "Fire", None),
            ("case/1", "Fire", None),
            ("order", "4711", None),
        ] {
            assert_eq!(shown(name, value).as_deref(), expected, "{name} {value}");
        }
    }

    #[test]
    fn a_customer_is_an_object_with_the_link_that_leads_to_a_page() {
        let mut customer = Customer::new("k1".parse().unwrap(), "localhost".to_owned());
        for (url, expected) in [
            (None, None),
            (Some("https://crm.example/1"), Some("https://crm.example/1")),
            (Some("ftp://crm.example/1"), None),
        ] {
            customer.profile.url = url.map(str::to_owned);
            let object = of_customer(&customer, "Eve\n").unwrap();
            assert_eq!(
                (object.title.as_str(), object.url.as_deref()),
                ("Eve", expected)
            );
        }
        assert_eq!(of_customer(&customer, " "), None);
    }
}
