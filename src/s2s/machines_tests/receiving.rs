//! Streams of theirs.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::proto::{Condition, Stanza, StreamCondition};
use crate::s2s::receiving::{self, Receiving, Surroundings};

/// Our house: `a.example` and `rooms.a.example`; `bad.example` is denied, and only certificates
/// for `good.example` are valid.
#[derive(Default)]
struct House(AtomicU32);

impl Surroundings for House {
    fn serves(&self, domain: &str) -> bool {
        ["a.example", "rooms.a.example"].contains(&domain)
    }

    fn permits(&self, domain: &str) -> bool {
        domain != "bad.example"
    }

    fn certificate(&self, domain: &str) -> Result<(), String> {
        if domain.ends_with("good.example") {
            Ok(())
        } else {
            Err("self-signed".to_owned())
        }
    }

    fn stream_id(&self) -> String {
        format!("s{}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A stream of theirs, and what it was answered.
struct Incoming(Receiving, House, String);

impl Incoming {
    fn new(policy: Policy) -> Self {
        Self(
            Receiving::new(policy, secret()),
            House::default(),
            String::new(),
        )
    }

    fn take(&mut self, input: receiving::Input<'_>) -> receiving::Next {
        let output = self.0.handle(input, &self.1);
        self.2 = String::from_utf8(output.bytes).unwrap();
        output.next
    }

    fn header(&mut self, attributes: &str) -> receiving::Next {
        self.take(receiving::Input::Header(&opening(attributes)))
    }

    fn element(&mut self, text: &str) -> receiving::Next {
        self.take(receiving::Input::Element(&element(text)))
    }

    /// Up to the features after TLS.
    fn encrypted(policy: Policy, from: &str) -> (Self, receiving::Next) {
        let mut incoming = Self::new(policy);
        incoming.take(receiving::Input::Encrypted);
        let next = incoming.header(&format!("version='1.0' from='{from}' to='a.example'"));
        (incoming, next)
    }

    fn admits(&self, from: &str, to: &str) -> Result<(), StreamCondition> {
        let text = format!("<message from='{from}' to='{to}'/>");
        let scope = Scope::with_default(ns::SERVER);
        let parsed = parse(text.into(), &scope, &Limits::default()).unwrap();
        let stanza: Stanza = crate::proto::reading::stanza(parsed, ns::SERVER).unwrap();
        self.0
            .admits(&stanza, &self.1)
            .map_err(|error| error.condition)
    }
}

fn closed(next: &receiving::Next) -> StreamCondition {
    match next {
        receiving::Next::Close(error) => error.condition,
        other => panic!("{other:?}"),
    }
}

const AUTH: &str = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";

// RFC 6120 §5.3.1, XEP-0178 §3 step 7: offered only where it will succeed
#[test]
fn external_is_offered_to_those_whose_certificate_is_valid() {
    let mut plain = Incoming::new(DIALBACK);
    plain.header("version='1.0' from='good.example' to='a.example'");
    assert!(plain.2.contains("<required/>") && !plain.2.contains("EXTERNAL"));
    let (good, next) = Incoming::encrypted(STRICT, "good.example");
    assert_eq!(next, receiving::Next::Read);
    assert!(good.2.contains("EXTERNAL") && good.2.contains(BIDI));
    assert!(!good.2.contains("dialback'/>"));
    let (poor, next) = Incoming::encrypted(DIALBACK, "poor.example");
    assert_eq!(next, receiving::Next::Read);
    assert!(!poor.2.contains("EXTERNAL") && poor.2.contains("urn:xmpp:features:dialback"));
    let (_, next) = Incoming::encrypted(STRICT, "poor.example");
    assert_eq!(closed(&next), StreamCondition::NotAuthorized);
}

#[test]
fn who_has_proved_itself_sends_as_itself_only() {
    let (mut good, _) = Incoming::encrypted(STRICT, "good.example");
    let before = good.admits("x@good.example", "y@a.example");
    assert_eq!(before, Err(StreamCondition::NotAuthorized));
    assert_eq!(
        good.element("<bidi xmlns='urn:xmpp:bidi'/>"),
        receiving::Next::Read
    );
    assert_eq!(good.element(AUTH), receiving::Next::Restart);
    assert_eq!(
        good.2,
        "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
    );
    let next = good.header("version='1.0' from='good.example' to='a.example'");
    let admitted = Pair {
        local: "a.example".to_owned(),
        remote: "good.example".to_owned(),
    };
    assert_eq!(next, receiving::Next::Admitted(admitted));
    assert!(good.2.contains("urn:xmpp:sm:3") && good.0.bidi());
    for (from, to, expected) in [
        ("x@good.example/r", "y@a.example", Ok(())),
        ("good.example", "room@rooms.a.example", Ok(())),
        (
            "x@sub.good.example",
            "y@a.example",
            Err(StreamCondition::InvalidFrom),
        ),
        (
            "x@a.example",
            "y@a.example",
            Err(StreamCondition::InvalidFrom),
        ),
        (
            "x@good.example",
            "y@c.example",
            Err(StreamCondition::HostUnknown),
        ),
    ] {
        assert_eq!(good.admits(from, to), expected, "{from} {to}");
    }
    let enable = "<enable xmlns='urn:xmpp:sm:3'/>";
    assert_eq!(good.element(enable), receiving::Next::Manage);
    assert_eq!(
        good.element("<r xmlns='urn:xmpp:sm:3'/>"),
        receiving::Next::Managed
    );
    let again = good.element(AUTH);
    assert_eq!(closed(&again), StreamCondition::PolicyViolation);
}

#[test]
fn an_authenticated_stream_does_not_change_its_name() {
    let (mut good, _) = Incoming::encrypted(STRICT, "good.example");
    good.element(AUTH);
    let next = good.header("version='1.0' from='sub.good.example' to='a.example'");
    assert_eq!(closed(&next), StreamCondition::InvalidFrom);
}

#[test]
fn wrong_headers_are_told_what_is_wrong() {
    for (attributes, expected) in [
        (
            "from='b.example' to='a.example'",
            StreamCondition::UnsupportedVersion,
        ),
        (
            "version='1.0' from='b.example'",
            StreamCondition::ImproperAddressing,
        ),
        ("version='1.0' to='c.example'", StreamCondition::HostUnknown),
        (
            "version='1.0' to='x@a.example'",
            StreamCondition::HostUnknown,
        ),
        (
            "version='1.0' from='x@b.example' to='a.example'",
            StreamCondition::InvalidFrom,
        ),
        (
            "version='1.0' from='rooms.a.example' to='a.example'",
            StreamCondition::InvalidFrom,
        ),
        (
            "version='1.0' from='bad.example' to='a.example'",
            StreamCondition::PolicyViolation,
        ),
    ] {
        let mut incoming = Incoming::new(STRICT);
        let next = incoming.header(attributes);
        assert_eq!(closed(&next), expected, "{attributes}");
        // RFC 6120 §4.9.1.2: a header stands before the error, and the end after it.
        assert!(incoming.2.starts_with("<?xml"), "{}", incoming.2);
        assert!(incoming.2.ends_with("</stream:error></stream:stream>"));
    }
}

#[test]
fn nothing_is_taken_without_tls_or_before_a_proof() {
    let mut plain = Incoming::new(DIALBACK);
    plain.header("version='1.0' from='b.example' to='a.example'");
    let result = "<db:result from='b.example' to='a.example'>k</db:result>";
    let next = plain.element(result);
    assert_eq!(closed(&next), StreamCondition::PolicyViolation);
    let (mut early, _) = Incoming::encrypted(DIALBACK, "b.example");
    let next = early.element("<x xmlns='jabber:other'/>");
    assert_eq!(closed(&next), StreamCondition::NotAuthorized);
    let (mut early, _) = Incoming::encrypted(DIALBACK, "b.example");
    assert_eq!(
        early.element("<enable xmlns='urn:xmpp:sm:3'/>"),
        receiving::Next::Read
    );
    assert!(early.2.contains("<failed") && early.2.contains("unexpected-request"));
}

#[test]
fn external_is_refused_in_its_own_words_and_not_for_ever() {
    let other =
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>Yy5leGFtcGxl</auth>";
    let plain = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>";
    let broken = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>*</auth>";
    let (mut good, _) = Incoming::encrypted(DIALBACK, "good.example");
    for (auth, says) in [(other, "invalid-authzid"), (plain, "invalid-mechanism")] {
        assert_eq!(good.element(auth), receiving::Next::Read);
        assert!(good.2.contains(says), "{}", good.2);
    }
    let next = good.element(broken);
    assert!(good.2.contains("incorrect-encoding"));
    assert_eq!(closed(&next), StreamCondition::PolicyViolation);
    let (mut poor, _) = Incoming::encrypted(DIALBACK, "poor.example");
    poor.element(AUTH);
    assert!(poor.2.contains("invalid-mechanism"));
}

// XEP-0220 §2.1.1, §2.4, §2.6
#[test]
fn dialback_asks_the_domain_and_tells_what_it_said() {
    let (mut incoming, _) = Incoming::encrypted(DIALBACK, "b.example");
    let result = "<db:result from='b.example' to='a.example'>k</db:result>";
    let expected = receiving::Next::Verify {
        pair: pair(),
        id: "s0".to_owned(),
        key: "k".to_owned(),
    };
    assert_eq!(incoming.element(result), expected);
    // Asked again while it is being found out.
    assert_eq!(incoming.element(result), receiving::Next::Read);
    let error = Verdict::Error(Condition::RemoteServerTimeout);
    let next = incoming.take(receiving::Input::Verified(pair(), error));
    assert_eq!(next, receiving::Next::Read);
    assert!(incoming.2.contains("type='error'") && incoming.2.contains("remote-server-timeout"));
    assert_eq!(incoming.element(result), expected);
    let next = incoming.take(receiving::Input::Verified(pair(), Verdict::Valid));
    assert_eq!(next, receiving::Next::Admitted(pair()));
    assert_eq!(
        incoming.2,
        "<db:result from='a.example' to='b.example' type='valid'/>"
    );
    // Another pair over the same stream; one that the certificate proves needs no question.
    let other = "<db:result from='rooms.good.example' to='rooms.a.example'>k</db:result>";
    assert!(matches!(
        incoming.element(other),
        receiving::Next::Admitted(_)
    ));
    assert_eq!(
        incoming.admits("r@rooms.good.example", "y@a.example"),
        Ok(())
    );
    for (from, to, says) in [
        ("b.example", "c.example", "item-not-found"),
        ("bad.example", "a.example", "not-allowed"),
    ] {
        incoming.element(&format!("<db:result from='{from}' to='{to}'>k</db:result>"));
        assert!(incoming.2.contains(says), "{}", incoming.2);
    }
    let next = incoming.element("<db:result from='x@b.example' to='a.example'>k</db:result>");
    assert_eq!(closed(&next), StreamCondition::ImproperAddressing);
}

// XEP-0220 §2.6: one pair has nothing to do with the others
#[test]
fn failed_dialback_does_not_end_a_stream_that_is_admitted() {
    let (mut good, _) = Incoming::encrypted(STRICT, "good.example");
    good.element(AUTH);
    good.header("version='1.0' from='good.example' to='a.example'");
    for _ in 0..10 {
        let result = "<db:result from='rooms.b.example' to='a.example'>k</db:result>";
        assert_eq!(good.element(result), receiving::Next::Read);
        assert!(good.2.contains("type='error'"), "{}", good.2);
        let invalid = receiving::Input::Verified(pair(), Verdict::Invalid);
        assert_eq!(good.take(invalid), receiving::Next::Read);
        assert!(good.2.contains("type='invalid'"), "{}", good.2);
    }
    assert_eq!(good.admits("x@good.example", "y@a.example"), Ok(()));
    // Who is nobody yet has three tries.
    let (mut nobody, _) = Incoming::encrypted(DIALBACK, "b.example");
    let mut next = receiving::Next::Read;
    for _ in 0..3 {
        next = nobody.take(receiving::Input::Verified(pair(), Verdict::Invalid));
    }
    assert_eq!(closed(&next), StreamCondition::PolicyViolation);
}

#[test]
fn without_dialback_no_key_is_believed() {
    let (mut good, _) = Incoming::encrypted(STRICT, "good.example");
    for from in ["b.example", "good.example"] {
        good.element(&format!(
            "<db:result from='{from}' to='a.example'>k</db:result>"
        ));
        assert!(good.2.contains("not-authorized"), "{}", good.2);
        assert_eq!(
            good.admits(&format!("x@{from}"), "y@a.example"),
            Err(StreamCondition::NotAuthorized)
        );
    }
}

// XEP-0220 §2.1.2
#[test]
fn our_keys_are_told_from_others() {
    let (mut incoming, _) = Incoming::encrypted(DIALBACK, "b.example");
    let key = secret().key("b.example", "a.example", "x1");
    for (to, id, key, says) in [
        ("a.example", "x1", key.as_str(), "type='valid'"),
        ("a.example", "x2", &key, "type='invalid'"),
        ("a.example", "x1", "k", "type='invalid'"),
        ("c.example", "x1", &key, "item-not-found"),
    ] {
        let verify = format!("<db:verify from='b.example' to='{to}' id='{id}'>{key}</db:verify>");
        assert_eq!(incoming.element(&verify), receiving::Next::Read);
        assert!(incoming.2.contains(says), "{}", incoming.2);
        assert!(incoming.2.contains(&format!("id='{id}'")));
    }
}
