//! Streams of ours.

use super::*;
use crate::proto::Condition;
use crate::s2s::failure::Step;
use crate::s2s::initiating::{self, Encryption, Initiating, Purpose};

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
