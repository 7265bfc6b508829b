//! `<priority/>` of a presence (RFC 6121 §4.7.2.3): pure.

use crate::proto::{Stanza, StanzaError, ns};

/// The priority; 0 where there is none.
///
/// # Errors
/// `bad-request` when it is no whole number from -128 to 127.
pub(crate) fn read(presence: &Stanza) -> Result<i8, StanzaError> {
    match presence.find(ns::CLIENT, "priority") {
        None => Ok(0),
        Some(priority) => {
            priority.text().trim().parse().map_err(|_| {
                StanzaError::bad_request("a priority is a whole number from -128 to 127")
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::PresenceType;
    use crate::xml::Element;

    #[test]
    fn a_priority_is_a_byte() {
        for (text, expected) in [
            ("0", Some(0)),
            ("5", Some(5)),
            ("+5", Some(5)),
            ("-1", Some(-1)),
            (" 127\n", Some(127)),
            ("-128", Some(-128)),
            ("128", None),
            ("-129", None),
            ("1.5", None),
            ("high", None),
            ("", None),
        ] {
            let element = Element::new(ns::CLIENT, "priority").text(text);
            let presence = Stanza::presence(PresenceType::Available).child(&element);
            assert_eq!(read(&presence).ok(), expected, "{text:?}");
        }
        assert_eq!(
            read(&Stanza::presence(PresenceType::Available)).ok(),
            Some(0)
        );
    }
}
