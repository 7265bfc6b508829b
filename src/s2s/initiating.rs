//! Our side of a stream that we open: a machine without IO (RFC 6120 §4.3, XEP-0178 §3, XEP-0220 §2.1,
//! XEP-0288).
//!
//! It takes what happened and says what to send and what to do next. It ends when the stream is ready for
//! stanzas, when a key is verified or not, or with a [`Failure`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dialback::{self, Pair, Secret, Verdict};
use super::failure::{Failure, Step};
use super::wire;
use crate::proto::ns;
use crate::xml::{Element, Opening};

/// What the operator allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    /// `[s2s] dialback`.
    pub(super) dialback: bool,
    /// `[s2s] require_tls`.
    pub(super) require_tls: bool,
}

/// What the stream is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// Stanzas.
    Stanzas,
    /// To ask whether the other domain has made that key for a stream of that id (XEP-0220 §2.1.2).
    Verify {
        /// The id that we gave to their stream.
        id: String,
        /// The key that came over it.
        key: String,
    },
}

/// How far the encryption is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// None.
    Plain,
    /// TLS, and what the other server's certificate is worth: nothing is wrong, or what is.
    Tls(Result<(), String>),
}

/// What happened.
#[derive(Debug)]
pub(super) enum Input<'a> {
    /// The connection is there, or encrypted now: what the handshake found.
    Connected(Encryption),
    /// Their header.
    Header(&'a Opening),
    /// An element.
    Element(Element),
}

/// A stream that is ready for stanzas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    /// Stanzas go in both directions (XEP-0288).
    pub(super) bidi: bool,
    /// Stream management is offered (XEP-0198).
    pub(super) management: bool,
    /// The certificate was valid.
    pub(super) authenticated: bool,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Next {
    /// Read on.
    Read,
    /// Do the handshake, then say [`Input::Connected`].
    StartTls,
    /// Expect a new header, then read on.
    Restart,
    /// Exchange stanzas.
    Ready(Agreed),
    /// The answer about the key.
    Verified(Verdict),
    /// Nothing comes of it.
    Failed(Failure),
}

/// What to send, and what to do then.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    pub(super) next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Connecting,
    Header,
    Features,
    Proceed,
    Sasl,
    Dialback,
    Verifying,
    Over,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Initiating {
    pair: Pair,
    policy: Policy,
    purpose: Purpose,
    secret: Secret,
    state: State,
    encryption: Encryption,
    /// SASL has succeeded: the next features are the last.
    authenticated: bool,
    /// A challenge was answered.
    challenged: bool,
    bidi: bool,
    /// Dialback was offered with the features.
    dialback: bool,
    /// The id that they gave to the stream.
    id: Option<String>,
}

impl Initiating {
    pub(super) const fn new(pair: Pair, policy: Policy, purpose: Purpose, secret: Secret) -> Self {
        Self {
            pair,
            policy,
            purpose,
            secret,
            state: State::Connecting,
            encryption: Encryption::Plain,
            authenticated: false,
            challenged: false,
            bidi: false,
            dialback: false,
            id: None,
        }
    }

    /// Takes what happened.
    pub(super) fn handle(&mut self, input: Input<'_>) -> Output {
        let mut bytes = Vec::new();
        let next = self.step(input, &mut bytes);
        let next = next.unwrap_or_else(|failure| {
            self.state = State::Over;
            Next::Failed(failure)
        });
        Output { bytes, next }
    }

    fn step(&mut self, input: Input<'_>, out: &mut Vec<u8>) -> Result<Next, Failure> {
        match (self.state, input) {
            (State::Connecting, Input::Connected(encryption)) => {
                self.connected(encryption)?;
                self.open(out);
                Ok(Next::Read)
            }
            (State::Header, Input::Header(opening)) => {
                let header = wire::header(opening).map_err(|e| Failure::ours(Step::Stream, &e))?;
                self.id = header.id;
                self.state = State::Features;
                Ok(Next::Read)
            }
            (_, Input::Element(element)) if element.is(ns::STREAMS, "error") => {
                Err(Failure::told(self.doing(), &element))
            }
            (State::Features, Input::Element(element)) => self.features(&element, out),
            (State::Proceed, Input::Element(element)) => {
                if element.is(ns::TLS, "proceed") {
                    self.state = State::Connecting;
                    return Ok(Next::StartTls);
                }
                Err(Failure::passing(Step::Tls, "STARTTLS was refused"))
            }
            (State::Sasl, Input::Element(element)) => self.sasl(&element, out),
            (State::Dialback, Input::Element(element)) => self.result(&element),
            (State::Verifying, Input::Element(element)) => self.verified(&element),
            (_, Input::Connected(_) | Input::Header(_)) | (_, Input::Element(_)) => {
                Err(Failure::passing(self.doing(), "something unexpected came"))
            }
        }
    }

    fn connected(&mut self, encryption: Encryption) -> Result<(), Failure> {
        if let Encryption::Tls(Err(reason)) = &encryption
            && !self.policy.dialback
        {
            return Err(Failure::lasting(Step::Certificate, reason.clone()));
        }
        self.encryption = encryption;
        Ok(())
    }

    fn open(&mut self, out: &mut Vec<u8>) {
        wire::open(out, &self.pair.local, Some(&self.pair.remote), None);
        self.state = State::Header;
    }

    fn features(&mut self, element: &Element, out: &mut Vec<u8>) -> Result<Next, Failure> {
        if !element.is(ns::STREAMS, "features") {
            return Err(Failure::passing(Step::Stream, "no features came"));
        }
        if self.authenticated {
            let management = element.find(ns::STREAM_MANAGEMENT, "sm").is_some();
            return Ok(self.ready(management));
        }
        if self.encryption == Encryption::Plain {
            if element.find(ns::TLS, "starttls").is_some() {
                wire::element(out, &Element::new(ns::TLS, "starttls"));
                self.state = State::Proceed;
                return Ok(Next::Read);
            }
            if self.policy.require_tls {
                return Err(Failure::lasting(
                    Step::Tls,
                    "the other server does not offer TLS",
                ));
            }
        }
        if let Purpose::Verify { id, key } = &self.purpose {
            dialback::verify(out, &self.pair, id, key);
            self.state = State::Verifying;
            return Ok(Next::Read);
        }
        self.prove(element, out)
    }

    /// EXTERNAL where it is offered, for it will be taken then (XEP-0178 §3); otherwise dialback.
    fn prove(&mut self, features: &Element, out: &mut Vec<u8>) -> Result<Next, Failure> {
        let encrypted = self.encryption != Encryption::Plain;
        self.dialback = features.find(ns::DIALBACK_FEATURE, "dialback").is_some();
        if encrypted && features.find(ns::BIDI_FEATURE, "bidi").is_some() {
            wire::element(out, &Element::new(ns::BIDI, "bidi"));
            self.bidi = true;
        }
        let external = features.find(ns::SASL, "mechanisms").is_some_and(|all| {
            let mut names = all.children().map(Element::text_content);
            names.any(|name| name.trim() == "EXTERNAL")
        });
        if encrypted && external {
            let own = STANDARD.encode(&self.pair.local);
            let auth = Element::new(ns::SASL, "auth").attr("mechanism", "EXTERNAL");
            wire::element(out, &auth.text(own));
            self.state = State::Sasl;
            return Ok(Next::Read);
        }
        self.dial_back(Step::Sasl, "EXTERNAL is not offered to us", out)
    }

    fn dial_back(
        &mut self,
        step: Step,
        otherwise: &str,
        out: &mut Vec<u8>,
    ) -> Result<Next, Failure> {
        // Some servers take it without a word about it.
        let may = self.policy.dialback || (self.dialback && self.certified());
        let Some(id) = self.id.as_deref().filter(|_| may) else {
            return Err(Failure::passing(step, otherwise));
        };
        let key = self.secret.key(&self.pair.remote, &self.pair.local, id);
        dialback::result(out, &self.pair, &key);
        self.state = State::Dialback;
        Ok(Next::Read)
    }

    fn certified(&self) -> bool {
        self.encryption == Encryption::Tls(Ok(()))
    }

    fn sasl(&mut self, element: &Element, out: &mut Vec<u8>) -> Result<Next, Failure> {
        if element.is(ns::SASL, "success") {
            self.authenticated = true;
            self.open(out);
            return Ok(Next::Restart);
        }
        if element.is(ns::SASL, "challenge") {
            // One, where the initial response was not enough; EXTERNAL has nothing else to say.
            if std::mem::replace(&mut self.challenged, true) {
                return Err(Failure::passing(
                    Step::Sasl,
                    "EXTERNAL asks again and again",
                ));
            }
            let own = STANDARD.encode(&self.pair.local);
            wire::element(out, &Element::new(ns::SASL, "response").text(own));
            return Ok(Next::Read);
        }
        let named = element.children().find(|it| it.name() != "text");
        let condition = named.map_or("failure", Element::name).to_owned();
        self.dial_back(Step::Sasl, &format!("EXTERNAL failed: {condition}"), out)
    }

    fn result(&mut self, element: &Element) -> Result<Next, Failure> {
        if !self.answers(element, "result") {
            // Features that come late, and answers to others, are not for us.
            return Ok(Next::Read);
        }
        match Verdict::read(element) {
            None => Ok(Next::Read),
            Some(Verdict::Valid) => Ok(self.ready(false)),
            Some(Verdict::Invalid) => Err(Failure::passing(Step::Dialback, "our key is invalid")),
            Some(Verdict::Error(condition)) => Err(Failure::passing(
                Step::Dialback,
                format!("the other server answered with {}", condition.name()),
            )),
        }
    }

    fn verified(&mut self, element: &Element) -> Result<Next, Failure> {
        let Purpose::Verify { id, .. } = &self.purpose else {
            return Err(Failure::passing(Step::Dialback, "nothing was asked"));
        };
        if !self.answers(element, "verify") || element.attribute("id") != Some(id) {
            return Ok(Next::Read);
        }
        match Verdict::read(element) {
            None => Ok(Next::Read),
            Some(verdict) => {
                self.state = State::Over;
                Ok(Next::Verified(verdict))
            }
        }
    }

    fn answers(&self, element: &Element, name: &str) -> bool {
        let says = |attribute: &str| element.attribute(attribute).and_then(wire::domain);
        element.is(ns::DIALBACK, name)
            && says("from").as_ref() == Some(&self.pair.remote)
            && says("to").as_ref() == Some(&self.pair.local)
    }

    fn ready(&mut self, management: bool) -> Next {
        self.state = State::Over;
        Next::Ready(Agreed {
            bidi: self.bidi,
            management,
            authenticated: self.certified(),
        })
    }

    /// What is under way, for a failure that comes now.
    const fn doing(&self) -> Step {
        match self.state {
            State::Connecting | State::Header | State::Features | State::Over => Step::Stream,
            State::Proceed => Step::Tls,
            State::Sasl => Step::Sasl,
            State::Dialback | State::Verifying => Step::Dialback,
        }
    }
}
