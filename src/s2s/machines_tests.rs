//! Both machines against tables of conversations: what comes, what is answered, what happens next.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::BytesMut;

use super::dialback::{Pair, Secret, Verdict};
use super::failure::Step;
use super::initiating::{self, Encryption, Initiating, Policy, Purpose};
use super::receiving::{self, Receiving, Surroundings};
use crate::proto::{Condition, Stanza, StreamCondition, ns};
use crate::xml::{Element, Frame, Framer, Limits, Opening, Scope, parse};

const STRICT: Policy = Policy {
    dialback: false,
    require_tls: true,
};
const DIALBACK: Policy = Policy {
    dialback: true,
    require_tls: true,
};

fn secret() -> Secret {
    Secret::new(b"secret")
}

fn pair() -> Pair {
    Pair {
        local: "a.example".to_owned(),
        remote: "b.example".to_owned(),
    }
}

fn opening(attributes: &str) -> Opening {
    let text = format!(
        "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' {attributes}>"
    );
    let mut bytes = BytesMut::from(text.as_bytes());
    match Framer::new(Limits::default()).next(&mut bytes) {
        Ok(Some(Frame::Open(opening))) => opening,
        other => panic!("{other:?}"),
    }
}

fn element(text: &str) -> Element {
    let scope: Scope = [
        ("", ns::SERVER),
        ("db", ns::DIALBACK),
        ("stream", ns::STREAMS),
    ]
    .into_iter()
    .collect();
    let parsed = parse(text.to_owned().into(), &scope, &Limits::default()).unwrap();
    parsed.to_element().unwrap()
}

const EXTERNAL: &str = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>EXTERNAL</mechanism></mechanisms>";
const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const BIDI: &str = "<bidi xmlns='urn:xmpp:features:bidi'/>";
const OFFERED: &str = "<dialback xmlns='urn:xmpp:features:dialback'/>";

fn features(inside: &[&str]) -> Element {
    element(&format!(
        "<stream:features>{}</stream:features>",
        inside.concat()
    ))
}

/// A stream of ours, and what it has sent.
struct Ours(Initiating, String);

impl Ours {
    fn new(policy: Policy, purpose: Purpose) -> Self {
        Self(
            Initiating::new(pair(), policy, purpose, secret()),
            String::new(),
        )
    }

    fn take(&mut self, input: initiating::Input<'_>) -> initiating::Next {
        let output = self.0.handle(input);
        self.1 = String::from_utf8(output.bytes).unwrap();
        output.next
    }

    fn header(&mut self) {
        let opening = opening("version='1.0' id='i1' from='b.example'");
        let next = self.take(initiating::Input::Header(&opening));
        assert!(matches!(next, initiating::Next::Read), "{next:?}");
    }

    fn element(&mut self, element: Element) -> initiating::Next {
        self.take(initiating::Input::Element(element))
    }

    /// Up to the features after TLS.
    fn encrypted(policy: Policy, certificate: Result<(), String>) -> Self {
        let mut ours = Self::new(policy, Purpose::Stanzas);
        let next = ours.take(initiating::Input::Connected(Encryption::Tls(certificate)));
        assert!(matches!(next, initiating::Next::Read), "{next:?}");
        ours.header();
        ours
    }
}

fn failed(next: initiating::Next) -> (Step, Condition) {
    match next {
        initiating::Next::Failed(failure) => (failure.step, failure.condition),
        other => panic!("{other:?}"),
    }
}

// RFC 6120 §5.4, XEP-0178 §3, XEP-0288, XEP-0198
#[test]
fn our_stream_asks_for_tls_proves_itself_and_is_ready() {
    let mut ours = Ours::new(STRICT, Purpose::Stanzas);
    ours.take(initiating::Input::Connected(Encryption::Plain));
    assert!(ours.1.contains(" from='a.example' to='b.example'"));
    ours.header();
    ours.element(features(&[STARTTLS, EXTERNAL]));
    assert_eq!(ours.1, STARTTLS);
    let proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    let next = ours.element(element(proceed));
    assert!(matches!(next, initiating::Next::StartTls));
    ours.take(initiating::Input::Connected(Encryption::Tls(Ok(()))));
    ours.header();
    ours.element(features(&[EXTERNAL, BIDI, OFFERED]));
    assert_eq!(
        ours.1,
        "<bidi xmlns='urn:xmpp:bidi'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>YS5leGFtcGxl</auth>"
    );
    let success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
    let next = ours.element(element(success));
    assert!(matches!(next, initiating::Next::Restart));
    ours.header();
    let next = ours.element(features(&["<sm xmlns='urn:xmpp:sm:3'/>"]));
    let initiating::Next::Ready(agreed) = next else {
        panic!("{next:?}");
    };
    assert!(agreed.bidi && agreed.management && agreed.authenticated);
}

#[test]
fn what_is_not_allowed_ends_our_stream_where_it_stands() {
    let no_tls = |policy| {
        let mut ours = Ours::new(policy, Purpose::Stanzas);
        ours.take(initiating::Input::Connected(Encryption::Plain));
        ours.header();
        ours.element(features(&[EXTERNAL, OFFERED]))
    };
    let not_found = Condition::RemoteServerNotFound;
    let timeout = Condition::RemoteServerTimeout;
    assert_eq!(failed(no_tls(STRICT)), (Step::Tls, not_found));
    assert_eq!(failed(no_tls(DIALBACK)), (Step::Tls, not_found));
    let mut ours = Ours::new(STRICT, Purpose::Stanzas);
    let bad = Encryption::Tls(Err("expired".to_owned()));
    let next = ours.take(initiating::Input::Connected(bad));
    assert_eq!(failed(next), (Step::Certificate, not_found));
    // Nothing is offered that we may use.
    let mut ours = Ours::encrypted(STRICT, Ok(()));
    let next = ours.element(features(&[]));
    assert_eq!(failed(next), (Step::Sasl, timeout));
    let mut ours = Ours::encrypted(STRICT, Ok(()));
    let error =
        "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
    let next = ours.element(element(error));
    assert_eq!(failed(next), (Step::Stream, not_found));
    // After its end the machine says so again.
    let next = ours.element(features(&[]));
    assert_eq!(failed(next).0, Step::Stream);
}

// RFC 6120 §6.4.3
#[test]
fn one_challenge_is_answered_and_no_more() {
    let mut ours = Ours::encrypted(STRICT, Ok(()));
    ours.element(features(&[EXTERNAL]));
    let challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
    let next = ours.element(element(challenge));
    assert!(matches!(next, initiating::Next::Read), "{next:?}");
    assert_eq!(
        ours.1,
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>YS5leGFtcGxl</response>"
    );
    assert_eq!(failed(ours.element(element(challenge))).0, Step::Sasl);
}

// XEP-0220 §2.1.1
#[test]
fn where_external_fails_dialback_is_tried() {
    let mut ours = Ours::encrypted(DIALBACK, Err("self-signed".to_owned()));
    ours.element(features(&[EXTERNAL]));
    assert!(ours.1.contains("<auth"));
    let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
    let next = ours.element(element(failure));
    assert!(matches!(next, initiating::Next::Read), "{next:?}");
    let key = secret().key("b.example", "a.example", "i1");
    assert_eq!(
        ours.1,
        format!("<db:result from='a.example' to='b.example'>{key}</db:result>")
    );
    // Somebody else's answer is not ours.
    let other = "<db:result from='c.example' to='a.example' type='valid'/>";
    assert!(matches!(
        ours.element(element(other)),
        initiating::Next::Read
    ));
    let valid = "<db:result from='b.example' to='a.example' type='valid'/>";
    let next = ours.element(element(valid));
    let initiating::Next::Ready(agreed) = next else {
        panic!("{next:?}");
    };
    assert!(!agreed.authenticated && !agreed.management);
    let mut ours = Ours::encrypted(DIALBACK, Ok(()));
    ours.element(features(&[OFFERED]));
    let invalid = "<db:result from='b.example' to='a.example' type='invalid'/>";
    assert_eq!(failed(ours.element(element(invalid))).0, Step::Dialback);
}

// XEP-0220 §2.1.2
#[test]
fn a_key_is_verified_by_the_domain_that_is_asked() {
    let purpose = Purpose::Verify {
        id: "theirs".to_owned(),
        key: "k".to_owned(),
    };
    let mut ours = Ours::new(DIALBACK, purpose);
    ours.take(initiating::Input::Connected(Encryption::Tls(Err(
        "self-signed".to_owned(),
    ))));
    ours.header();
    ours.element(features(&[EXTERNAL]));
    assert_eq!(
        ours.1,
        "<db:verify from='a.example' to='b.example' id='theirs'>k</db:verify>"
    );
    for foreign in [
        "<db:verify from='b.example' to='a.example' id='another' type='valid'/>",
        "<db:verify from='c.example' to='a.example' id='theirs' type='valid'/>",
    ] {
        let next = ours.element(element(foreign));
        assert!(matches!(next, initiating::Next::Read), "{foreign}");
    }
    let answer = "<db:verify from='b.example' to='a.example' id='theirs' type='invalid'/>";
    let next = ours.element(element(answer));
    assert!(matches!(next, initiating::Next::Verified(Verdict::Invalid)));
}

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
