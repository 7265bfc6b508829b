//! What is said on a stream before authentication and is no part of it.

use super::*;
use crate::proto::{Condition, IqType, StanzaError};

const ASK: &str = "<iq type='get' id='1' to='example.com'><query xmlns='urn:q'/></iq>";

/// RFC 6120 §4.9.3.12, §4.9.3.24: too early, or never.
#[test]
fn a_stanza_before_authentication_ends_the_stream() {
    let challenged = || {
        let mut dialogue = Dialogue::opened(Tls::Absent, encrypted());
        dialogue.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>");
        dialogue
    };
    let both = |said: &str, condition: &str| {
        for mut dialogue in [
            Dialogue::opened(Tls::Required, cleartext()),
            Dialogue::opened(Tls::Absent, encrypted()),
            challenged(),
        ] {
            assert_eq!(stream_error(&dialogue.say(said)), condition, "{said}");
        }
    };
    both(
        "<message to='bob@example.com'><body>Hi</body></message>",
        "not-authorized",
    );
    both("<presence/>", "not-authorized");
    both("<iq type='result' id='1'/>", "not-authorized");
    both("<enable xmlns='urn:xmpp:sm:2'/>", "unsupported-stanza-type");
    both("<note/>", "unsupported-stanza-type");
    both(
        "<message xmlns='jabber:server'/>",
        "unsupported-stanza-type",
    );
    both(
        "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "unsupported-stanza-type",
    );
    for mut dialogue in [Dialogue::opened(Tls::Required, cleartext()), challenged()] {
        assert_eq!(stream_error(&dialogue.say(ASK)), "not-authorized");
    }
}

/// Whether anything answers a request before authentication is for the extensions.
#[test]
fn a_request_is_handed_on_and_answered_on_the_same_stream() {
    let mut dialogue = Dialogue::opened(Tls::Optional, cleartext());
    let output = dialogue.say(ASK);
    assert_eq!(sent(&output), "");
    let Next::Answer {
        host,
        kind,
        payload,
    } = output.next
    else {
        panic!("{output:?}");
    };
    assert_eq!((host, kind), (jid("example.com"), IqType::Get));
    assert_eq!(payload, Element::new("urn:q", "query"));
    let answer = Element::new("urn:q", "query").text("yes");
    let output = dialogue.tell(Input::Answered(Ok(Some(answer))));
    assert_eq!(
        sent(&output),
        "<iq from='example.com' type='result' id='1'><query xmlns='urn:q'>yes</query></iq>"
    );
    dialogue.say(ASK);
    let refusal = StanzaError::new(Condition::NotAuthorized);
    let output = dialogue.tell(Input::Answered(Err(refusal)));
    assert!(sent(&output).starts_with("<iq from='example.com' type='error' id='1'>"));
    assert!(matches!(output.next, Next::Read));
    assert!(matches!(dialogue.say(STARTTLS).next, Next::StartTls));
}

/// RFC 6120 §8.2.3: a request that is not one is refused, and the stream goes on.
#[test]
fn a_malformed_request_is_refused_by_itself() {
    for said in [
        "<iq type='get' id='1'/>",
        "<iq type='get'><query xmlns='urn:q'/></iq>",
        "<iq type='ask' id='1'><query xmlns='urn:q'/></iq>",
        "<iq type='get' id='1' to='@'><query xmlns='urn:q'/></iq>",
    ] {
        let mut dialogue = Dialogue::opened(Tls::Absent, encrypted());
        let output = dialogue.say(said);
        assert!(
            sent(&output).starts_with("<iq type='error'"),
            "{said}: {output:?}"
        );
        assert!(matches!(output.next, Next::Read), "{said}");
        assert!(matches!(dialogue.say(PLAIN).next, Next::Password { .. }));
    }
    let mut dialogue = Dialogue::opened(Tls::Absent, encrypted());
    let output = dialogue.say("<iq type='get' id='1' from='@'><query xmlns='urn:q'/></iq>");
    assert_eq!(stream_error(&output), "invalid-from");
}

/// A driver that answers what was not asked has a fault, and nobody gets in by it.
#[test]
fn an_answer_that_nobody_asked_for_ends_the_stream() {
    for input in [
        RIGHT,
        Input::Keys(None),
        Input::Admission(Admission::Granted),
        Input::Secured(encrypted()),
        Input::Unavailable,
        Input::Bound("alice@example.com/desk".parse().map_err(|_| unreachable!())),
        Input::Answered(Ok(None)),
    ] {
        let mut dialogue = Dialogue::opened(Tls::Required, cleartext());
        assert_eq!(stream_error(&dialogue.tell(input)), "internal-server-error");
    }
}
