//! XEP-0297: Stanza Forwarding, version 1.0: a stanza inside of another.

use crate::proto::common::delay::Delay;
use crate::proto::{Stanza, ns};
use crate::xml::{Element, Limits, document};

/// The element `<forwarded/>` with that stanza, and when it was received (§3.1).
///
/// `None` when the stanza is nested too deep to stand in another.
#[must_use]
pub fn forwarded(stanza: &Stanza, delay: Option<&Delay>) -> Option<Element> {
    let stanza = document(&stanza.to_document(), &Limits::STORED).ok()?;
    let forwarded = Element::new(ns::FORWARD, "forwarded");
    Some(
        forwarded
            .child_opt(delay.map(Delay::to_element))
            .child(stanza),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::proto::MessageType;

    #[test]
    fn a_forwarded_stanza_stands_in_its_own_namespace() {
        let body = Element::new(ns::CLIENT, "body").text("Hi");
        let message = Stanza::message(MessageType::Chat).child(&body);
        let delay = Delay {
            from: None,
            stamp: Timestamp::from_micros(1_031_699_305_000_000),
        };
        let element = forwarded(&message, Some(&delay)).unwrap();
        assert!(element.find(ns::DELAY, "delay").is_some());
        let inner = element.find(ns::CLIENT, "message").unwrap();
        assert_eq!(inner.child_text(ns::CLIENT, "body").as_deref(), Some("Hi"));
    }
}
