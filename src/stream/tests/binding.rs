//! Resource binding (RFC 6120 §7).

use super::*;
use crate::proto::{Condition, FullJid, StanzaError};

const NS: &str = "xmlns='urn:ietf:params:xml:ns:xmpp-bind'";

fn ask(inside: &str) -> String {
    format!("<iq type='set' id='b1'><bind {NS}>{inside}</bind></iq>")
}

fn full(text: &str) -> FullJid {
    text.parse().unwrap()
}

/// RFC 6120 §7.6, §7.7: the client asks for a resource, or leaves the choice.
#[test]
fn the_resource_asked_for_is_handed_on_and_the_one_given_is_told() {
    for (inside, resource) in [
        ("", None),
        ("<resource/>", None),
        ("<resource>desk</resource>", Some("desk")),
        ("<resource>a &amp; b</resource>", Some("a & b")),
    ] {
        let mut dialogue = Dialogue::authenticated();
        let output = dialogue.say(&ask(inside));
        assert_eq!(sent(&output), "");
        let Next::Bind {
            account,
            resource: asked,
        } = output.next
        else {
            panic!("{output:?}");
        };
        assert_eq!(account, jid("alice@example.com"));
        assert_eq!(asked.as_deref(), resource, "{inside}");
        let output = dialogue.tell(Input::Bound(Ok(full("alice@example.com/other"))));
        let told = format!("<bind {NS}><jid>alice@example.com/other</jid></bind>");
        assert_eq!(
            sent(&output),
            format!("<iq type='result' id='b1'>{told}</iq>")
        );
        assert!(matches!(output.next, Next::Ready(jid) if jid == full("alice@example.com/other")));
    }
}

/// RFC 6120 §7.7.2: the client may ask for another.
#[test]
fn a_refused_resource_leaves_the_stream_open() {
    let mut dialogue = Dialogue::authenticated();
    for condition in [
        Condition::Conflict,
        Condition::BadRequest,
        Condition::ResourceConstraint,
    ] {
        dialogue.say(&ask("<resource>desk</resource>"));
        let output = dialogue.tell(Input::Bound(Err(StanzaError::new(condition))));
        assert!(
            sent(&output).starts_with("<iq type='error' id='b1'>"),
            "{output:?}"
        );
        assert!(sent(&output).contains(&format!("<{} ", condition.name())));
        assert!(matches!(output.next, Next::Read));
    }
    assert!(matches!(dialogue.say(&ask("")).next, Next::Bind { .. }));
}

/// RFC 6120 §7.1: nothing is sent before the resource is bound.
#[test]
fn anything_but_binding_ends_the_stream() {
    for (said, condition) in [
        ("<message to='bob@example.com'/>", "not-authorized"),
        ("<message to='@'/>", "not-authorized"),
        ("<presence/>", "not-authorized"),
        (
            "<iq type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>",
            "not-authorized",
        ),
        (
            "<iq type='get' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
            "not-authorized",
        ),
        ("<iq type='result' id='1'/>", "not-authorized"),
        ("<iq type='result' id='1'><a/><b/></iq>", "not-authorized"),
        (
            "<iq type='set' id='1' from='@'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
            "invalid-from",
        ),
        (PLAIN, "unsupported-stanza-type"),
        (STARTTLS, "unsupported-stanza-type"),
        ("<enable xmlns='urn:xmpp:sm:2'/>", "unsupported-stanza-type"),
        (
            "<a xmlns='urn:xmpp:sm:3' h='0'/>",
            "unsupported-stanza-type",
        ),
        ("<r xmlns='urn:xmpp:sm:3'/>", "unsupported-stanza-type"),
    ] {
        let output = Dialogue::authenticated().say(said);
        assert_eq!(stream_error(&output), condition, "{said}");
    }
}

/// RFC 6120 §8.2.3.
#[test]
fn a_malformed_request_to_bind_is_refused_by_itself() {
    for said in [
        "<iq type='set' id='1'/>",
        "<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "<iq type='bind' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
    ] {
        let mut dialogue = Dialogue::authenticated();
        let output = dialogue.say(said);
        assert!(sent(&output).starts_with("<iq type='error'"), "{said}");
        assert!(sent(&output).contains("<bad-request "), "{said}");
        assert!(
            matches!(dialogue.say(&ask("")).next, Next::Bind { .. }),
            "{said}"
        );
    }
}
