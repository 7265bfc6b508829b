//! The states of a client's stream, from the first header to the bound resource.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;

use super::header;
use super::sasl::{
    self, Attempts, AwaitingKeys, AwaitingVerdict, Decoys, Exchange, Failure, Offer,
    PasswordVerdict, Penalty, SaslCondition, Secret, Security, Step,
};
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::proto::{
    BareJid, FullJid, IqType, Kind, Stanza, StanzaError, StreamCondition, StreamError, ns, reading,
};
use crate::xml::{Element, Opening, Parsed, write};

/// What extensions add to `<stream:features/>`.
pub trait StreamFeatures: Send + Sync {
    /// Beside STARTTLS and the SASL mechanisms.
    fn negotiation(&self, host: &BareJid) -> Vec<Element>;
    /// Beside resource binding.
    fn authenticated(&self, host: &BareJid) -> Vec<Element>;
}

/// What is the same for every stream of a listener.
pub struct Rules {
    /// The hosts served.
    pub hosts: Vec<BareJid>,
    /// What TLS means before the handshake.
    pub tls: Tls,
    /// Which mechanisms the operator allows.
    pub sasl: sasl::Policy,
    /// How many failures end a stream.
    pub attempts_max: u32,
    /// Keys for accounts that do not exist.
    pub decoys: Decoys,
    /// What extensions offer.
    pub features: Box<dyn StreamFeatures>,
}

/// Whether STARTTLS is offered (RFC 6120 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// There is no certificate, or TLS is on already.
    Absent,
    /// Offered.
    Optional,
    /// Offered, and nothing else before it.
    Required,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The client's stream header.
    Open(Opening),
    /// An element.
    Element(Parsed),
    /// The TLS handshake is done; the client opens a new stream.
    Secured(Security),
    /// The keys that [`Next::Keys`] asked for; none when there is no such account.
    Keys(Option<ScramKeys>),
    /// The answer to [`Next::Password`].
    Verdict(PasswordVerdict),
    /// The answer to [`Next::Admit`].
    Admission(Admission),
    /// The store could not answer.
    Unavailable,
    /// The answer to [`Next::Bind`].
    Bound(Result<FullJid, StanzaError>),
    /// The answer to [`Next::Answer`].
    Answered(Result<Option<Element>, StanzaError>),
}

/// Whether an account whose owner has proved to be it may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Granted,
    /// It has been disabled.
    Disabled,
    /// There is no such account (a certificate can name one that was removed).
    Unknown,
}

/// What to do next, after sending [`Output::bytes`].
#[derive(Debug)]
pub enum Next {
    /// Read the next element.
    Read,
    /// Read a new stream header.
    Restart,
    /// Do the TLS handshake; bytes that came in before it are to be refused.
    StartTls,
    /// Fetch SCRAM keys.
    Keys {
        /// Of this account.
        account: BareJid,
        /// For this hash.
        hash: ScramHash,
    },
    /// Check a password, off the tasks that serve others.
    Password {
        /// Of this account.
        account: BareJid,
        /// What the client sent.
        password: Secret,
    },
    /// See whether the account may come in.
    Admit {
        /// The account.
        account: BareJid,
    },
    /// Bind a resource.
    Bind {
        /// The authenticated account.
        account: BareJid,
        /// What the client asked for; not checked.
        resource: Option<String>,
    },
    /// Answer a request on the unauthenticated stream.
    Answer {
        /// The host of the stream.
        host: BareJid,
        /// Get or set.
        kind: IqType,
        /// The request.
        payload: Element,
    },
    /// The session begins.
    Ready(FullJid),
    /// Close the connection.
    Close,
}

/// What a step of the machine wants.
#[derive(Debug)]
pub struct Output {
    /// How long to wait first (RFC 6120 §13.11: guessing must be slow).
    pub delay: Duration,
    /// To be sent.
    pub bytes: Vec<u8>,
    /// To be done after sending.
    pub next: Next,
}

/// A stream that is being negotiated. Every input consumes it.
pub struct Negotiation {
    rules: Arc<Rules>,
    new_id: fn() -> String,
    security: Security,
    tls: Tls,
    attempts: Attempts,
    header_sent: bool,
    state: State,
}

enum State {
    /// Waits for the header of a stream that is not authenticated.
    Closed,
    /// Waits for STARTTLS, or for the client's choice of a mechanism.
    Offered { host: BareJid, offer: Offer },
    /// STARTTLS was accepted.
    Handshake,
    /// A request on the unauthenticated stream is being answered.
    Answering {
        host: BareJid,
        offer: Offer,
        request: Stanza,
    },
    /// Waits for `<response/>`.
    Challenged {
        host: BareJid,
        offer: Offer,
        exchange: Exchange,
    },
    /// Waits for keys.
    Fetching {
        host: BareJid,
        offer: Offer,
        next: AwaitingKeys,
    },
    /// Waits for the check of a password.
    Checking {
        host: BareJid,
        offer: Offer,
        next: AwaitingVerdict,
    },
    /// Waits for the admission of who has proved to be it.
    Admitting {
        host: BareJid,
        offer: Offer,
        account: BareJid,
        data: Option<Vec<u8>>,
    },
    /// Waits for the header of the authenticated stream.
    Authenticated { account: BareJid },
    /// Waits for the request to bind.
    Unbound { account: BareJid },
    /// Waits for the resource.
    Binding { account: BareJid, request: Stanza },
    /// Nothing more is expected.
    Ended,
}

impl Negotiation {
    /// A stream on a new connection. `new_id` makes stream ids and nonces: unique and not
    /// guessable (RFC 6120 §4.7.3).
    #[must_use]
    pub fn new(rules: Arc<Rules>, security: Security, new_id: fn() -> String) -> Self {
        let tls = match security {
            Security::Cleartext { .. } => rules.tls,
            Security::Tls { .. } => Tls::Absent,
        };
        Self {
            attempts: Attempts::new(rules.attempts_max),
            rules,
            new_id,
            security,
            tls,
            header_sent: false,
            state: State::Closed,
        }
    }

    /// Takes what happened; gives the machine's next state and what it wants. An input that
    /// the state does not expect is a fault of the driver and ends the stream.
    #[must_use]
    pub fn handle(mut self, input: Input) -> (Self, Output) {
        let state = std::mem::replace(&mut self.state, State::Ended);
        let output = match (state, input) {
            (State::Closed, Input::Open(opening)) => self.opened(&opening),
            (State::Authenticated { account }, Input::Open(opening)) => {
                self.reopened(account, &opening)
            }
            (State::Offered { host, offer }, Input::Element(parsed)) => {
                self.chosen(host, offer, parsed)
            }
            (State::Handshake, Input::Secured(security)) => {
                self.security = security;
                self.tls = Tls::Absent;
                self.header_sent = false;
                self.to(State::Closed, Vec::new(), Next::Restart)
            }
            (
                State::Answering {
                    host,
                    offer,
                    request,
                },
                Input::Answered(answer),
            ) => {
                let bytes = answer_bytes(&request, &answer);
                self.to(State::Offered { host, offer }, bytes, Next::Read)
            }
            (
                State::Challenged {
                    host,
                    offer,
                    exchange,
                },
                Input::Element(parsed),
            ) => self.responded(host, offer, exchange, &parsed),
            (State::Fetching { host, offer, next }, Input::Keys(keys)) => {
                let step = next.resolve(keys, &self.rules.decoys);
                self.step(host, offer, step)
            }
            (State::Checking { host, offer, next }, Input::Verdict(verdict)) => {
                let step = next.resolve(verdict);
                self.step(host, offer, step)
            }
            (
                State::Admitting {
                    host,
                    offer,
                    account,
                    data,
                },
                Input::Admission(admission),
            ) => self.admitted(host, offer, account, data.as_deref(), admission),
            (
                State::Fetching { host, offer, .. }
                | State::Checking { host, offer, .. }
                | State::Admitting { host, offer, .. },
                Input::Unavailable,
            ) => self.failed(host, offer, &SaslCondition::TemporaryAuthFailure.into()),
            (State::Unbound { account }, Input::Element(parsed)) => self.bind(account, parsed),
            (State::Binding { account, request }, Input::Bound(bound)) => {
                self.bound(account, &request, bound)
            }
            (_, Input::Open(_) | Input::Element(_)) => {
                self.fail(&StreamCondition::NotAuthorized.into())
            }
            _ => self.fail(&StreamCondition::InternalServerError.into()),
        };
        (self, output)
    }

    /// Ends the stream with an error, sending a header first if none was sent
    /// (RFC 6120 §4.9.1.2).
    pub fn fail(&mut self, error: &StreamError) -> Output {
        let mut bytes = Vec::new();
        if !self.header_sent {
            if let Some(host) = self.rules.hosts.first() {
                header::open(&mut bytes, host, &(self.new_id)());
            }
            self.header_sent = true;
        }
        header::fail(&mut bytes, error);
        self.to(State::Ended, bytes, Next::Close)
    }

    fn to(&mut self, state: State, bytes: Vec<u8>, next: Next) -> Output {
        self.state = state;
        Output {
            delay: Duration::ZERO,
            bytes,
            next,
        }
    }

    /// The header of a stream that is not authenticated.
    fn opened(&mut self, opening: &Opening) -> Output {
        let host = match header::check(opening, &self.rules.hosts) {
            Ok(header) => header.host,
            Err(error) => return self.fail(&error),
        };
        let mut bytes = self.header(&host);
        let offer = Offer::new(&host, self.security.clone(), &self.rules.sasl);
        let features = self.features(&host, &offer);
        header::stream_element(&mut bytes, &features);
        self.to(State::Offered { host, offer }, bytes, Next::Read)
    }

    /// The header of an authenticated stream.
    fn reopened(&mut self, account: BareJid, opening: &Opening) -> Output {
        let host = match header::check(opening, &self.rules.hosts) {
            Ok(header) if header.host.domain() == account.domain() => header.host,
            Ok(_) => return self.fail(&StreamCondition::HostUnknown.into()),
            Err(error) => return self.fail(&error),
        };
        let mut bytes = self.header(&host);
        let features = Element::new(ns::STREAMS, "features")
            .child(Element::new(ns::BIND, "bind"))
            .children_from(self.rules.features.authenticated(&host));
        header::stream_element(&mut bytes, &features);
        self.to(State::Unbound { account }, bytes, Next::Read)
    }

    fn header(&mut self, host: &BareJid) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1024);
        header::open(&mut bytes, host, &(self.new_id)());
        self.header_sent = true;
        bytes
    }

    /// RFC 6120 §5.4.1, §6.4.1, XEP-0440 §3.
    fn features(&self, host: &BareJid, offer: &Offer) -> Element {
        let features = Element::new(ns::STREAMS, "features");
        let starttls = Element::new(ns::TLS, "starttls");
        let features = match self.tls {
            Tls::Required => {
                return features.child(starttls.child(Element::new(ns::TLS, "required")));
            }
            Tls::Optional => features.child(starttls),
            Tls::Absent => features,
        };
        let names = offer.mechanisms().iter();
        let mechanisms = Element::new(ns::SASL, "mechanisms").children_from(
            names.map(|mechanism| Element::new(ns::SASL, "mechanism").text(mechanism.name())),
        );
        let kinds: Vec<_> = offer
            .binding_kinds()
            .map(|kind| {
                Element::new(ns::CHANNEL_BINDING, "channel-binding").attr("type", kind.name())
            })
            .collect();
        let bindings = (!kinds.is_empty()).then(|| {
            Element::new(ns::CHANNEL_BINDING, "sasl-channel-binding").children_from(kinds)
        });
        features
            .child(mechanisms)
            .child_opt(bindings)
            .children_from(self.rules.features.negotiation(host))
    }

    /// What the client chose of the features.
    fn chosen(&mut self, host: BareJid, offer: Offer, parsed: Parsed) -> Output {
        match (parsed.tag.ns(), parsed.tag.name()) {
            (ns::TLS, "starttls") if self.tls == Tls::Absent => {
                let mut bytes = b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".to_vec();
                header::close(&mut bytes);
                self.to(State::Ended, bytes, Next::Close)
            }
            (ns::TLS, "starttls") => {
                let bytes = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".to_vec();
                self.to(State::Handshake, bytes, Next::StartTls)
            }
            (ns::SASL, "auth") => self.authenticate(host, offer, &parsed),
            (ns::SASL, "abort") => self.failed(host, offer, &SaslCondition::Aborted.into()),
            (ns::SASL, _) => self.failed(host, offer, &SaslCondition::MalformedRequest.into()),
            (ns::CLIENT, "iq") if self.tls != Tls::Required => self.request(host, offer, parsed),
            (ns::CLIENT, "iq" | "message" | "presence") => {
                self.fail(&StreamCondition::NotAuthorized.into())
            }
            _ => self.fail(&StreamCondition::UnsupportedStanzaType.into()),
        }
    }

    fn authenticate(&mut self, host: BareJid, offer: Offer, parsed: &Parsed) -> Output {
        if self.tls == Tls::Required {
            return self.failed(host, offer, &SaslCondition::EncryptionRequired.into());
        }
        let mechanism = parsed.tag.attribute("mechanism").unwrap_or_default();
        let step = match text(parsed).and_then(|text| sasl::decode_initial(&text)) {
            Ok(initial) => Exchange::begin(&offer, mechanism, (self.new_id)(), initial.as_deref()),
            Err(condition) => Step::Failure(condition.into()),
        };
        self.step(host, offer, step)
    }

    fn responded(
        &mut self,
        host: BareJid,
        offer: Offer,
        exchange: Exchange,
        parsed: &Parsed,
    ) -> Output {
        let step = match (parsed.tag.ns(), parsed.tag.name()) {
            (ns::SASL, "response") => match text(parsed).and_then(|text| sasl::decode(&text)) {
                Ok(message) => exchange.respond(&message),
                Err(condition) => Step::Failure(condition.into()),
            },
            (ns::SASL, "abort") => Step::Failure(SaslCondition::Aborted.into()),
            (ns::SASL, _) => Step::Failure(SaslCondition::MalformedRequest.into()),
            _ => return self.fail(&StreamCondition::NotAuthorized.into()),
        };
        self.step(host, offer, step)
    }

    fn step(&mut self, host: BareJid, offer: Offer, step: Step) -> Output {
        match step {
            Step::Challenge { data, next } => {
                let bytes = sasl_element("challenge", Some(&data));
                let state = State::Challenged {
                    host,
                    offer,
                    exchange: next,
                };
                self.to(state, bytes, Next::Read)
            }
            Step::NeedKeys {
                account,
                hash,
                next,
            } => {
                let state = State::Fetching { host, offer, next };
                self.to(state, Vec::new(), Next::Keys { account, hash })
            }
            Step::NeedPasswordCheck {
                account,
                password,
                next,
            } => {
                let state = State::Checking { host, offer, next };
                self.to(state, Vec::new(), Next::Password { account, password })
            }
            Step::Success { account, data } => {
                let next = Next::Admit {
                    account: account.clone(),
                };
                let state = State::Admitting {
                    host,
                    offer,
                    account,
                    data,
                };
                self.to(state, Vec::new(), next)
            }
            Step::Failure(failure) => self.failed(host, offer, &failure),
        }
    }

    fn admitted(
        &mut self,
        host: BareJid,
        offer: Offer,
        account: BareJid,
        data: Option<&[u8]>,
        admission: Admission,
    ) -> Output {
        match admission {
            Admission::Granted => {
                self.header_sent = false;
                let bytes = sasl_element("success", data);
                self.to(State::Authenticated { account }, bytes, Next::Restart)
            }
            Admission::Disabled => self.failed(host, offer, &SaslCondition::AccountDisabled.into()),
            Admission::Unknown => self.failed(host, offer, &SaslCondition::NotAuthorized.into()),
        }
    }

    /// RFC 6120 §6.4.5: the client may try again, but not for ever.
    fn failed(&mut self, host: BareJid, offer: Offer, failure: &Failure) -> Output {
        let failure_element = Element::new(ns::SASL, "failure")
            .child(Element::new(ns::SASL, failure.condition.name()));
        let mut bytes = Vec::new();
        write::element(&mut bytes, &failure_element, ns::CLIENT);
        match self.attempts.failed(failure) {
            Penalty::Retry(delay) => {
                let mut output = self.to(State::Offered { host, offer }, bytes, Next::Read);
                output.delay = delay;
                output
            }
            Penalty::Close(delay) => {
                let error = StreamError::new(StreamCondition::PolicyViolation)
                    .text("too many failures to authenticate");
                header::fail(&mut bytes, &error);
                let mut output = self.to(State::Ended, bytes, Next::Close);
                output.delay = delay;
                output
            }
        }
    }

    /// A request before authentication; whether anything answers it is not known here.
    fn request(&mut self, host: BareJid, offer: Offer, parsed: Parsed) -> Output {
        let request = match reading::stanza(parsed, ns::CLIENT) {
            Ok(request) => request,
            Err(error) => return self.unreadable(error, State::Offered { host, offer }),
        };
        let first = request.payload.iter().next();
        let Some(Ok(payload)) = first.map(|child| child.to_element(ns::CLIENT)) else {
            return self.fail(&StreamCondition::NotAuthorized.into());
        };
        let Kind::Iq(kind @ (IqType::Get | IqType::Set)) = request.kind else {
            return self.fail(&StreamCondition::NotAuthorized.into());
        };
        let next = Next::Answer {
            host: host.clone(),
            kind,
            payload,
        };
        self.to(
            State::Answering {
                host,
                offer,
                request,
            },
            Vec::new(),
            next,
        )
    }

    /// RFC 6120 §7.6.
    fn bind(&mut self, account: BareJid, parsed: Parsed) -> Output {
        let request = match reading::stanza(parsed, ns::CLIENT) {
            Ok(request) => request,
            Err(error) => return self.unreadable(error, State::Unbound { account }),
        };
        let bind = request
            .find(ns::BIND, "bind")
            .map(|child| child.to_element(ns::CLIENT));
        let (Kind::Iq(IqType::Set), Some(Ok(bind))) = (request.kind, bind) else {
            // §7.1: nothing may be sent before the resource is bound.
            return self.fail(&StreamCondition::NotAuthorized.into());
        };
        let resource = bind
            .child_text(ns::BIND, "resource")
            .filter(|text| !text.is_empty());
        let next = Next::Bind {
            account: account.clone(),
            resource,
        };
        self.to(State::Binding { account, request }, Vec::new(), next)
    }

    fn bound(
        &mut self,
        account: BareJid,
        request: &Stanza,
        bound: Result<FullJid, StanzaError>,
    ) -> Output {
        match bound {
            Ok(jid) => {
                let bind = Element::new(ns::BIND, "bind")
                    .child(Element::new(ns::BIND, "jid").text(jid.to_string()));
                let bytes = answer_bytes(request, &Ok(Some(bind)));
                self.to(State::Ended, bytes, Next::Ready(jid))
            }
            Err(error) => {
                let bytes = answer_bytes(request, &Err(error));
                self.to(State::Unbound { account }, bytes, Next::Read)
            }
        }
    }

    fn unreadable(&mut self, error: reading::ReadError, back: State) -> Output {
        match error {
            reading::ReadError::NotAStanza => {
                self.fail(&StreamCondition::UnsupportedStanzaType.into())
            }
            reading::ReadError::From => self.fail(&StreamCondition::InvalidFrom.into()),
            reading::ReadError::Refused(stanza, error) if matches!(stanza.kind, Kind::Iq(_)) => {
                let bytes = answer_bytes(&stanza, &Err(error));
                self.to(back, bytes, Next::Read)
            }
            reading::ReadError::Refused(..) => self.fail(&StreamCondition::NotAuthorized.into()),
        }
    }
}

impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation").finish_non_exhaustive()
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

fn text(parsed: &Parsed) -> Result<CompactString, SaslCondition> {
    let element = parsed
        .to_element()
        .map_err(|_| SaslCondition::MalformedRequest)?;
    Ok(element.text_content().into())
}

fn sasl_element(name: &str, data: Option<&[u8]>) -> Vec<u8> {
    let mut element = Element::new(ns::SASL, name);
    if let Some(data) = data {
        element.push_text(sasl::encode(data));
    }
    let mut bytes = Vec::new();
    write::element(&mut bytes, &element, ns::CLIENT);
    bytes
}

fn answer_bytes(request: &Stanza, answer: &Result<Option<Element>, StanzaError>) -> Vec<u8> {
    let answer = match answer {
        Ok(payload) => Some(request.result(payload.as_ref())),
        Err(error) => request.refusal(error),
    };
    let mut bytes = Vec::new();
    if let Some(answer) = answer {
        answer.write(&mut bytes, None);
    }
    bytes
}
