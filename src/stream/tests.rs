//! Dialogues with the machine, played from the client's side without a socket.

mod authentication;
mod binding;
mod early;
mod opening;
mod resumption;
mod sasl2;
mod tasks;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;

use super::sasl::{Decoys, PlainWithoutTls, Policy, Security, TlsVersion};
use super::{Admission, Framing, Input, Negotiation, Next, Output, Rules, StreamFeatures, Tls};
use crate::proto::BareJid;
use crate::xml::{Element, Frame, Framer, Limits, Scope, parse};

const HEADER: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xml:lang='en' \
    from='example.com' id='nonce'>";
const OPEN: &str = "<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='example.com'>";
const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
/// `\0alice\0secret`.
const PLAIN: &str =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFsaWNlAHNlY3JldA==</auth>";
const RIGHT: Input = Input::Verdict(super::sasl::PasswordVerdict::Right);
const WRONG: Input = Input::Verdict(super::sasl::PasswordVerdict::Wrong);

struct Extensions;

impl StreamFeatures for Extensions {
    fn negotiation(&self, _: &BareJid) -> Vec<Element> {
        vec![Element::new("urn:before", "before")]
    }

    fn authenticated(&self, _: &BareJid) -> Vec<Element> {
        vec![Element::new("urn:after", "after")]
    }

    fn bind_inline(&self) -> Vec<&'static str> {
        vec!["urn:inline"]
    }
}

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

fn rules(tls: Tls) -> Rules {
    Rules {
        hosts: vec![jid("example.com"), jid("example.net")],
        tls,
        sasl: Policy::default(),
        attempts_max: 3,
        tokens: true,
        decoys: Decoys::new([7; 32], 4096),
        features: Box::new(Extensions),
    }
}

const fn cleartext() -> Security {
    Security::Cleartext {
        plain: PlainWithoutTls::Refused,
    }
}

/// TLS without anything to bind to, as behind a proxy.
fn encrypted() -> Security {
    Security::tls(TlsVersion::V1_3, None, None, vec![])
}

/// A client at one end, the machine at the other.
struct Dialogue {
    machine: Option<Negotiation>,
    framer: Framer,
    scope: Scope,
}

impl Dialogue {
    fn new(rules: Rules, security: Security) -> Self {
        Self {
            machine: Some(Negotiation::new(
                Arc::new(rules),
                Framing::Stream,
                security,
                || "nonce".into(),
            )),
            framer: Framer::new(Limits::default()),
            scope: Scope::default(),
        }
    }

    /// A stream that is open already.
    fn opened(tls: Tls, security: Security) -> Self {
        let mut dialogue = Self::new(rules(tls), security);
        dialogue.say(OPEN);
        dialogue
    }

    /// A stream whose client has logged in and opened it anew.
    fn authenticated() -> Self {
        let mut dialogue = Self::opened(Tls::Absent, encrypted());
        dialogue.say(PLAIN);
        dialogue.tell(RIGHT);
        dialogue.tell(Input::Admission(Admission::Granted));
        dialogue.say(OPEN);
        dialogue
    }

    /// The client sends one header or one element.
    fn say(&mut self, xml: &str) -> Output {
        let mut buffer = BytesMut::from(xml);
        let frame = self.framer.next(&mut buffer).unwrap();
        assert!(buffer.is_empty(), "more than one frame");
        let input = match frame.unwrap() {
            Frame::Open(opening) => {
                self.scope = opening.scope.clone();
                Input::Open(opening)
            }
            Frame::Element(bytes) => {
                Input::Element(parse(bytes, &self.scope, &Limits::default()).unwrap())
            }
            Frame::Close => panic!("the end of the stream is for the driver"),
        };
        self.tell(input)
    }

    /// The driver reports what came of the machine's wish.
    fn tell(&mut self, input: Input) -> Output {
        let (machine, output) = self.machine.take().unwrap().handle(input);
        if matches!(output.next, Next::Restart) {
            self.framer.restart();
        }
        if matches!(output.next, Next::StartTls) {
            assert_eq!(output.delay, Duration::ZERO);
        }
        self.machine = Some(machine);
        output
    }
}

/// What was sent.
fn sent(output: &Output) -> &str {
    str::from_utf8(output.out.bytes()).unwrap()
}

/// `<failure/>` of SASL.
fn failure(condition: &str) -> String {
    format!("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><{condition}/></failure>")
}

/// Checks that the output ends the stream with nothing but an error, and gives its condition.
fn stream_error(output: &Output) -> &str {
    assert!(matches!(output.next, Next::Close), "{output:?}");
    condition(sent(output))
}

/// The condition of what is nothing but a stream error.
fn condition(error: &str) -> &str {
    let error = error.strip_prefix("<stream:error><").unwrap();
    let error = error
        .strip_suffix("</stream:error></stream:stream>")
        .unwrap();
    let (condition, rest) = error.split_once(' ').unwrap();
    assert!(rest.starts_with("xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"));
    assert!(!rest.contains("stream:stream"), "a header is sent once");
    condition
}
