//! The other server's stream to us: a machine without IO (RFC 6120 §4.3, XEP-0178 §3, XEP-0220 §2, XEP-0288).
//!
//! It answers everything but stanzas, knows which domains the other server has proved to be, and says so of
//! each stanza ([`Receiving::admits`]). It lives as long as the stream, for a proof can come at any time
//! (XEP-0220 §2.6).

use super::dialback::{self, Pair, Secret, Verdict};
use super::initiating::Policy;
use super::wire;
use crate::proto::{Condition, Stanza, StreamCondition, StreamError, ns};
use crate::xml::{Element, Opening};

/// How many domains of the other server may come over one stream.
const PAIRS_MAX: usize = 100;

/// How many of these may be being asked for at once.
const ASKED_MAX: usize = 10;

/// How often it may fail to prove who it is; of dialback only what fails before it has proved anything.
const FAILURES_MAX: u8 = 3;

/// What the machine has to know of the house and of the connection.
pub(super) trait Surroundings {
    /// Whether that is a domain of ours.
    fn serves(&self, domain: &str) -> bool;
    /// Whether stanzas are exchanged with that domain.
    fn permits(&self, domain: &str) -> bool;
    /// Whether the certificate that was shown is valid for that domain.
    ///
    /// # Errors
    /// Why not.
    fn certificate(&self, domain: &str) -> Result<(), String>;
    /// An identifier that nobody can guess.
    fn stream_id(&self) -> String;
}

/// What happened.
#[derive(Debug)]
pub(super) enum Input<'a> {
    /// A header.
    Header(&'a Opening),
    /// An element that is no stanza.
    Element(&'a Element),
    /// TLS is there: from the first byte, or because it was asked for.
    Encrypted,
    /// What came of [`Next::Verify`].
    Verified(Pair, Verdict),
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Read on.
    Read,
    /// Do the handshake, then say [`Input::Encrypted`].
    StartTls,
    /// Expect a new header.
    Restart,
    /// Stanzas of that pair are taken from now on.
    Admitted(Pair),
    /// Ask the domain whether the key is its own (XEP-0220 §2.1.2), and go on meanwhile.
    Verify {
        /// Whose.
        pair: Pair,
        /// The id of this stream.
        id: String,
        /// The key.
        key: String,
    },
    /// Stream management begins (XEP-0198); the answer is written.
    Manage,
    /// The element is one of stream management.
    Managed,
    /// The stream ends; the error and the end of the stream are written.
    Close(StreamError),
}

/// What to send, and what to do then.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) bytes: Vec<u8>,
    pub(super) next: Next,
}

/// The machine.
#[derive(Debug)]
pub(super) struct Receiving {
    policy: Policy,
    secret: Secret,
    encrypted: bool,
    /// Their header came; what they said, as prepared domains.
    opened: bool,
    from: Option<String>,
    to: Option<String>,
    id: String,
    /// EXTERNAL was offered, and was used.
    external: External,
    bidi: bool,
    managed: bool,
    pairs: Vec<Pair>,
    asked: Vec<Pair>,
    failures: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum External {
    NotOffered,
    Offered,
    Succeeded,
}

impl Receiving {
    pub(super) const fn new(policy: Policy, secret: Secret) -> Self {
        Self {
            policy,
            secret,
            encrypted: false,
            opened: false,
            from: None,
            to: None,
            id: String::new(),
            external: External::NotOffered,
            bidi: false,
            managed: false,
            pairs: Vec::new(),
            asked: Vec::new(),
            failures: 0,
        }
    }

    /// Whether stanzas may go the other way, too (XEP-0288).
    pub(super) const fn bidi(&self) -> bool {
        self.bidi
    }

    /// Whether anybody has proved anything.
    pub(super) const fn is_admitted(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// Whether the stream is encrypted.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Who the other server says that it is.
    pub(super) fn claimed(&self) -> Option<&str> {
        self.from.as_deref()
    }

    /// For which domain of ours the stream is.
    pub(super) fn wanted(&self) -> Option<&str> {
        self.to.as_deref()
    }

    /// Whether a stanza may come over this stream (RFC 6120 §8.1.1.2, §8.1.2.2): from a domain that was
    /// proved, to one of ours.
    ///
    /// # Errors
    /// The end of the stream.
    pub(super) fn admits(
        &self,
        stanza: &Stanza,
        house: &dyn Surroundings,
    ) -> Result<(), StreamError> {
        if self.pairs.is_empty() {
            return Err(StreamCondition::NotAuthorized.into());
        }
        let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else {
            return Err(StreamError::new(StreamCondition::ImproperAddressing)
                .text("a stanza between servers needs 'from' and 'to'"));
        };
        if !self.pairs.iter().any(|pair| pair.remote == from.domain()) {
            return Err(StreamError::new(StreamCondition::InvalidFrom)
                .text("you have not proved to be this domain"));
        }
        if !house.serves(to.domain()) {
            return Err(StreamCondition::HostUnknown.into());
        }
        Ok(())
    }

    /// Takes what happened.
    pub(super) fn handle(&mut self, input: Input<'_>, house: &dyn Surroundings) -> Output {
        let mut bytes = Vec::new();
        let next = self.step(input, house, &mut bytes);
        let next = next.unwrap_or_else(|error| self.fail(error, house, &mut bytes));
        Output { bytes, next }
    }

    /// Ends the stream, after a header of ours where there was none yet (RFC 6120 §4.9.1.2).
    pub(super) fn fail(
        &mut self,
        error: StreamError,
        house: &dyn Surroundings,
        out: &mut Vec<u8>,
    ) -> Next {
        if !self.opened {
            self.answer_header(house, out);
        }
        wire::fail(out, &error);
        Next::Close(error)
    }

    fn step(
        &mut self,
        input: Input<'_>,
        house: &dyn Surroundings,
        out: &mut Vec<u8>,
    ) -> Result<Next, StreamError> {
        match input {
            Input::Encrypted => {
                self.encrypted = true;
                Ok(Next::Read)
            }
            Input::Header(opening) => self.header(opening, house, out),
            Input::Element(element) => self.element(element, house, out),
            Input::Verified(pair, verdict) => self.verified(pair, verdict, out),
        }
    }

    fn header(
        &mut self,
        opening: &Opening,
        house: &dyn Surroundings,
        out: &mut Vec<u8>,
    ) -> Result<Next, StreamError> {
        self.opened = false;
        let header = wire::header(opening)?;
        let Some(to) = header.to else {
            return Err(StreamError::new(StreamCondition::ImproperAddressing)
                .text("the header needs 'to', a domain of this server"));
        };
        if !house.serves(&to) {
            return Err(StreamCondition::HostUnknown.into());
        }
        if let Some(from) = &header.from {
            if house.serves(from) {
                return Err(StreamCondition::InvalidFrom.into());
            }
            if !house.permits(from) {
                return Err(StreamError::new(StreamCondition::PolicyViolation)
                    .text("this server does not exchange stanzas with your domain"));
            }
        }
        let same = header.from == self.from && Some(&to) == self.to.as_ref();
        if self.external == External::Succeeded && !same {
            return Err(StreamError::new(StreamCondition::InvalidFrom)
                .text("the stream is not the one that was authenticated"));
        }
        (self.from, self.to) = (header.from, Some(to));
        self.answer_header(house, out);
        self.features(house, out)
    }

    fn answer_header(&mut self, house: &dyn Surroundings, out: &mut Vec<u8>) {
        self.opened = true;
        self.id = house.stream_id();
        let own = self.to.as_deref().unwrap_or_default();
        wire::open(out, own, self.from.as_deref(), Some(&self.id));
    }

    /// What is offered: what will succeed, and nothing else.
    fn features(
        &mut self,
        house: &dyn Surroundings,
        out: &mut Vec<u8>,
    ) -> Result<Next, StreamError> {
        if self.external == External::Succeeded {
            wire::features(out, [Element::new(ns::STREAM_MANAGEMENT, "sm")]);
            let pairs = self.from.clone().zip(self.to.clone());
            let pair = pairs.map(|(remote, local)| Pair { local, remote });
            return Ok(match pair {
                Some(pair) => self.admit(pair),
                None => Next::Read,
            });
        }
        let mut features = Vec::new();
        if !self.encrypted {
            let required = Element::new(ns::TLS, "required");
            let required = self.policy.require_tls.then_some(required);
            features.push(Element::new(ns::TLS, "starttls").child_opt(required));
        }
        let judged = self.judged(house);
        if self.encrypted && judged.is_ok() {
            self.external = External::Offered;
            let external = Element::new(ns::SASL, "mechanism").text("EXTERNAL");
            features.push(Element::new(ns::SASL, "mechanisms").child(external));
        }
        if self.policy.dialback && (self.encrypted || !self.policy.require_tls) {
            let errors = Element::new(ns::DIALBACK_FEATURE, "errors");
            features.push(Element::new(ns::DIALBACK_FEATURE, "dialback").child(errors));
        }
        if self.encrypted {
            features.push(Element::new(ns::BIDI_FEATURE, "bidi"));
            if judged.is_err() && !self.policy.dialback {
                // Nothing that could be offered would succeed.
                wire::features(out, []);
                return Err(StreamError::new(StreamCondition::NotAuthorized)
                    .text("your certificate is not valid for your domain, or was not shown"));
            }
        }
        wire::features(out, features);
        Ok(Next::Read)
    }

    fn judged(&self, house: &dyn Surroundings) -> Result<(), String> {
        match &self.from {
            Some(from) => house.certificate(from),
            None => Err("the header has no 'from'".to_owned()),
        }
    }

    fn element(
        &mut self,
        element: &Element,
        house: &dyn Surroundings,
        out: &mut Vec<u8>,
    ) -> Result<Next, StreamError> {
        match (element.ns(), element.name()) {
            (ns::TLS, "starttls") if !self.encrypted => {
                wire::element(out, &Element::new(ns::TLS, "proceed"));
                // What was said before it does not count (RFC 6120 §5.4.3.3).
                self.opened = false;
                (self.from, self.to) = (None, None);
                Ok(Next::StartTls)
            }
            _ if !self.encrypted && self.policy.require_tls => {
                Err(StreamError::new(StreamCondition::PolicyViolation).text("TLS is required"))
            }
            (ns::SASL, "auth" | "response") => self.auth(element, out),
            (ns::BIDI, "bidi") if self.encrypted && self.pairs.is_empty() => {
                self.bidi = true;
                Ok(Next::Read)
            }
            (ns::DIALBACK, "result") if element.attribute("type").is_none() => {
                self.result(element, house, out)
            }
            (ns::DIALBACK, "verify") if element.attribute("type").is_none() => {
                self.verify(element, house, out);
                Ok(Next::Read)
            }
            // An answer to nothing that went over this stream.
            (ns::DIALBACK, "result" | "verify") => Ok(Next::Read),
            (ns::STREAM_MANAGEMENT, "enable") => Ok(self.enable(out)),
            (ns::STREAM_MANAGEMENT, "r" | "a") if self.managed => Ok(Next::Managed),
            _ if self.pairs.is_empty() => Err(StreamCondition::NotAuthorized.into()),
            _ => Err(StreamCondition::UnsupportedStanzaType.into()),
        }
    }

    /// XEP-0178 §3: the certificate has been judged when EXTERNAL was offered.
    fn auth(&mut self, element: &Element, out: &mut Vec<u8>) -> Result<Next, StreamError> {
        let refused = if element.name() == "response" || self.external == External::Succeeded {
            return Err(StreamError::new(StreamCondition::PolicyViolation)
                .text("there is nothing to respond to"));
        } else if element.attribute("mechanism") != Some("EXTERNAL")
            || self.external == External::NotOffered
        {
            "invalid-mechanism"
        } else {
            match wire::authzid(&element.text_content()) {
                Ok(None) => return Ok(self.succeed(out)),
                Ok(Some(domain)) if Some(&domain) == self.from.as_ref() => {
                    return Ok(self.succeed(out));
                }
                Ok(Some(_)) => "invalid-authzid",
                Err(condition) => condition,
            }
        };
        let failure = Element::new(ns::SASL, "failure").child(Element::new(ns::SASL, refused));
        wire::element(out, &failure);
        self.failed()
    }

    fn failed(&mut self) -> Result<Next, StreamError> {
        self.failures += 1;
        if self.failures < FAILURES_MAX {
            return Ok(Next::Read);
        }
        Err(StreamError::new(StreamCondition::PolicyViolation)
            .text("too many failed authentications"))
    }

    fn succeed(&mut self, out: &mut Vec<u8>) -> Next {
        self.external = External::Succeeded;
        self.opened = false;
        wire::element(out, &Element::new(ns::SASL, "success"));
        Next::Restart
    }

    /// XEP-0220 §2.1.1: they ask to be believed.
    fn result(
        &mut self,
        element: &Element,
        house: &dyn Surroundings,
        out: &mut Vec<u8>,
    ) -> Result<Next, StreamError> {
        let pair = dialback::addressed(element)?;
        let refusal = if !house.serves(&pair.local) {
            Some(Condition::ItemNotFound)
        } else if !house.permits(&pair.remote) || house.serves(&pair.remote) {
            Some(Condition::NotAllowed)
        } else if self.pairs.len() + self.asked.len() >= PAIRS_MAX || self.asked.len() >= ASKED_MAX
        {
            Some(Condition::ResourceConstraint)
        } else {
            None
        };
        // A certificate that is valid for the domain says more than any key (XEP-0344 §2).
        let certified = self.encrypted && house.certificate(&pair.remote).is_ok();
        let verdict = match refusal {
            Some(condition) => Verdict::Error(condition),
            None if self.pairs.contains(&pair) => Verdict::Valid,
            None if !self.policy.dialback => Verdict::Error(Condition::NotAuthorized),
            None if certified => Verdict::Valid,
            None if self.asked.contains(&pair) => return Ok(Next::Read),
            None => {
                self.asked.push(pair.clone());
                return Ok(Next::Verify {
                    pair,
                    id: self.id.clone(),
                    key: element.text_content().trim().to_owned(),
                });
            }
        };
        self.verified(pair, verdict, out)
    }

    fn verified(
        &mut self,
        pair: Pair,
        verdict: Verdict,
        out: &mut Vec<u8>,
    ) -> Result<Next, StreamError> {
        self.asked.retain(|asked| *asked != pair);
        dialback::answer(out, "result", &pair.local, &pair.remote, None, verdict);
        match verdict {
            Verdict::Valid => Ok(self.admit(pair)),
            // A stream that is good for one pair is not worse for another that fails.
            Verdict::Invalid | Verdict::Error(_) if self.is_admitted() => Ok(Next::Read),
            Verdict::Invalid | Verdict::Error(_) => self.failed(),
        }
    }

    /// XEP-0220 §2.1.2: they ask whether a key is ours.
    fn verify(&self, element: &Element, house: &dyn Surroundings, out: &mut Vec<u8>) {
        let said = |name: &str| element.attribute(name).unwrap_or_default();
        let (from, to, id) = (said("from"), said("to"), said("id"));
        let verdict = match dialback::addressed(element) {
            Ok(pair) if house.serves(&pair.local) => {
                let key = element.text_content();
                if self.secret.verifies(&key, &pair.remote, &pair.local, id) {
                    Verdict::Valid
                } else {
                    Verdict::Invalid
                }
            }
            Ok(_) | Err(_) => Verdict::Error(Condition::ItemNotFound),
        };
        dialback::answer(out, "verify", to, from, Some(id), verdict);
    }

    fn enable(&mut self, out: &mut Vec<u8>) -> Next {
        if self.pairs.is_empty() || self.managed {
            let failed = crate::stream::management::failed(Condition::UnexpectedRequest, None);
            wire::element(out, &failed);
            return Next::Read;
        }
        self.managed = true;
        wire::element(out, &crate::stream::management::enabled(None));
        Next::Manage
    }

    fn admit(&mut self, pair: Pair) -> Next {
        if !self.pairs.contains(&pair) {
            self.pairs.push(pair.clone());
        }
        Next::Admitted(pair)
    }
}
