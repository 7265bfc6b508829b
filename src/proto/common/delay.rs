//! XEP-0203: Delayed Delivery, version 2.0: when a stanza was first received, and by whom.

use crate::clock::Timestamp;
use crate::proto::{Jid, ns};
use crate::xml::Element;

/// The stamp of an entity that kept a stanza.
///
/// ```xml
/// <delay xmlns='urn:xmpp:delay' from='example.com' stamp='2002-09-10T23:08:25Z'/>
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Who kept it.
    pub from: Option<Jid>,
    /// When it was received first (XEP-0082).
    pub stamp: Timestamp,
}

impl Delay {
    /// Reads a stamp; `None` when the element is none, or its time is no time.
    #[must_use]
    pub fn parse(element: &Element) -> Option<Self> {
        if !element.is(ns::DELAY, "delay") {
            return None;
        }
        let from = element.attribute("from").map(Jid::parse);
        Some(Self {
            from: from.transpose().ok()?,
            stamp: Timestamp::parse(element.attribute("stamp")?)?,
        })
    }

    /// The element `<delay/>`.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new(ns::DELAY, "delay")
            .attr_opt("from", self.from.as_ref().map(ToString::to_string))
            .attr("stamp", self.stamp.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_is_written() {
        let delay = Delay {
            from: Some(Jid::parse("example.com").unwrap()),
            stamp: Timestamp::from_micros(1_031_699_305_000_000),
        };
        let element = delay.to_element();
        assert_eq!(element.attribute("stamp"), Some("2002-09-10T23:08:25Z"));
        assert_eq!(Delay::parse(&element), Some(delay));
        assert_eq!(Delay::parse(&element.clone().attr("stamp", "noon")), None);
        assert_eq!(Delay::parse(&element.attr("from", "@")), None);
        assert_eq!(Delay::parse(&Element::new(ns::PING, "delay")), None);
    }
}
