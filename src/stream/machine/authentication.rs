//! The unauthenticated stream: STARTTLS (RFC 6120 §5) and SASL (§6.4), and requests that
//! extensions answer before either is done.

use super::completion::Proved;
use super::wishes::Wishes;
use super::{Negotiation, Opened, Profile, State};
use crate::proto::{IqType, Kind, StreamCondition, StreamError, ns, reading};
use crate::stream::interface::{Admission, Next, Output, Tls};
use crate::stream::sasl::{self, Exchange, Failure, Penalty, SaslCondition, Step, TokenMechanism};
use crate::xml::{Element, Parsed};

impl Negotiation {
    /// What the client chose of the features.
    pub(super) fn chosen(&mut self, mut opened: Opened, parsed: Parsed) -> Output {
        opened.profile = match parsed.tag.ns() {
            ns::SASL2 => Profile::Sasl2(Wishes::default()),
            _ => Profile::Sasl,
        };
        match (parsed.tag.ns(), parsed.tag.name()) {
            (ns::TLS, "starttls") if self.tls == Tls::Absent => {
                let mut out = self.element(&Element::new(ns::TLS, "failure"));
                out.close();
                self.to(State::Ended, out, Next::Close)
            }
            (ns::TLS, "starttls") => {
                let out = self.element(&Element::new(ns::TLS, "proceed"));
                self.to(State::Handshake, out, Next::StartTls)
            }
            (ns::SASL, "auth") => self.authenticate(opened, &parsed),
            (ns::SASL2, "authenticate") => self.authenticate2(opened, &parsed),
            (ns::SASL | ns::SASL2, "abort") => self.failed(opened, &SaslCondition::Aborted.into()),
            (ns::SASL | ns::SASL2, _) => {
                self.failed(opened, &SaslCondition::MalformedRequest.into())
            }
            (ns::CLIENT, "iq") if self.tls != Tls::Required => self.request(opened, parsed),
            (ns::STREAM_MANAGEMENT, "enable" | "resume") => self.too_early(State::Offered(opened)),
            _ => self.unexpected(&parsed),
        }
    }

    /// What is no step of the negotiation: a stanza comes too early (RFC 6120 §4.9.3.12),
    /// another element never fits (§4.9.3.24).
    pub(super) fn unexpected(&mut self, parsed: &Parsed) -> Output {
        let condition = match (parsed.tag.ns(), parsed.tag.name()) {
            (ns::CLIENT, "iq" | "message" | "presence") => StreamCondition::NotAuthorized,
            _ => StreamCondition::UnsupportedStanzaType,
        };
        self.fail(&condition.into())
    }

    fn authenticate(&mut self, opened: Opened, parsed: &Parsed) -> Output {
        if self.tls == Tls::Required {
            return self.failed(opened, &SaslCondition::EncryptionRequired.into());
        }
        let mechanism = parsed.tag.attribute("mechanism").unwrap_or_default();
        let step = match sasl::decode_initial(&parsed.text()) {
            Ok(initial) => Exchange::begin(
                &opened.offer,
                mechanism,
                (self.new_id)(),
                initial.as_deref(),
            ),
            Err(condition) => Step::Failure(condition.into()),
        };
        self.step(opened, step)
    }

    /// XEP-0388 §2.3.
    fn authenticate2(&mut self, mut opened: Opened, parsed: &Parsed) -> Output {
        if !opened.offer.is_private() || self.tls == Tls::Required {
            return self.failed(opened, &SaslCondition::EncryptionRequired.into());
        }
        let read = parsed.to_element();
        let read = read.map_err(|_| SaslCondition::MalformedRequest);
        let (initial, wishes) = match read.and_then(|element| Wishes::read(&element)) {
            Ok(read) => read,
            Err(condition) => return self.failed(opened, &condition.into()),
        };
        let name = parsed.tag.attribute("mechanism").unwrap_or_default();
        let by_token = TokenMechanism::parse(name);
        // XEP-0484 §3.4, §4.1: a token is announced, and belongs to a client that can be told.
        let announced = by_token.is_some() == wishes.fast.is_some();
        if !announced || (by_token.is_some() && wishes.agent.is_none()) {
            return self.failed(opened, &SaslCondition::MalformedRequest.into());
        }
        opened.profile = Profile::Sasl2(wishes);
        let (offer, initial) = (&opened.offer, initial.as_deref());
        let step = match by_token.filter(|_| self.rules.tokens) {
            Some(mechanism) => Exchange::begin_token(offer, mechanism, initial),
            None => Exchange::begin(offer, name, (self.new_id)(), initial),
        };
        self.step(opened, step)
    }

    pub(super) fn responded(
        &mut self,
        opened: Opened,
        exchange: Exchange,
        parsed: &Parsed,
    ) -> Output {
        let name = parsed.tag.name();
        let message = match (&opened.profile, parsed.tag.ns(), name) {
            (Profile::Sasl, ns::SASL, "response") => sasl::decode(&parsed.text()),
            (Profile::Sasl2(_), ns::SASL2, "response") => sasl::decode_text(&parsed.text()),
            (Profile::Sasl, ns::SASL, "abort") | (Profile::Sasl2(_), ns::SASL2, "abort") => {
                Err(SaslCondition::Aborted)
            }
            (Profile::Sasl, ns::SASL, _) => Err(SaslCondition::MalformedRequest),
            // XEP-0388 §2.4: whatever else comes ends the stream.
            (Profile::Sasl | Profile::Sasl2(_), ..) => return self.unexpected(parsed),
        };
        let step = match message {
            Ok(message) => exchange.respond(&message),
            Err(condition) => Step::Failure(condition.into()),
        };
        self.step(opened, step)
    }

    pub(super) fn step(&mut self, opened: Opened, step: Step) -> Output {
        match step {
            Step::Challenge { data, next } => {
                let out = self.element(&sasl_element(&opened, "challenge", Some(&data)));
                let state = State::Challenged {
                    opened,
                    exchange: next,
                };
                self.to(state, out, Next::Read)
            }
            Step::NeedKeys {
                account,
                hash,
                next,
            } => {
                let state = State::Fetching { opened, next };
                let out = self.outbox();
                self.to(state, out, Next::Keys { account, hash })
            }
            Step::NeedPasswordCheck {
                account,
                password,
                next,
            } => {
                let state = State::Checking { opened, next };
                let out = self.outbox();
                self.to(state, out, Next::Password { account, password })
            }
            Step::NeedBearerCheck { host, token, next } => {
                let state = State::Judging { opened, next };
                let out = self.outbox();
                self.to(state, out, Next::Bearer { host, token })
            }
            Step::NeedTokens { account, next } => {
                let agent = opened.agent().unwrap_or_default().to_owned();
                let state = State::Finding { opened, next };
                let out = self.outbox();
                self.to(state, out, Next::Tokens { account, agent })
            }
            Step::TokenProved {
                account,
                data,
                token,
            } => self.proved(Proved {
                opened,
                account,
                data: Some(data),
                token: Some(token),
            }),
            Step::Success { account, data } => self.proved(Proved {
                opened,
                account,
                data,
                token: None,
            }),
            Step::Failure(failure) => self.failed(opened, &failure),
        }
    }

    fn proved(&mut self, proved: Proved) -> Output {
        // XEP-0388 §2.3; RFC 6120 §4.7.1 believes nothing of it either way.
        let sasl2 = matches!(proved.opened.profile, Profile::Sasl2(_));
        let claimed = proved.opened.from.as_ref();
        if sasl2 && claimed.is_some_and(|from| *from != proved.account) {
            return self.failed(proved.opened, &SaslCondition::InvalidAuthzid.into());
        }
        let next = Next::Admit {
            account: proved.account.clone(),
        };
        let out = self.outbox();
        self.to(State::Admitting(proved), out, next)
    }

    pub(super) fn admitted(&mut self, proved: Proved, admission: Admission) -> Output {
        let condition = match (admission, &proved.opened.profile) {
            (Admission::Granted, Profile::Sasl2(_)) => return self.begin_completion(proved),
            (Admission::Granted, Profile::Sasl) => {
                self.header_sent = false;
                let data = proved.data.as_deref();
                let out = self.element(&sasl_element(&proved.opened, "success", data));
                let account = proved.account;
                return self.to(State::Authenticated { account }, out, Next::Restart);
            }
            (Admission::Disabled, _) => SaslCondition::AccountDisabled,
            (Admission::Unknown, _) => SaslCondition::NotAuthorized,
        };
        self.failed(proved.opened, &condition.into())
    }

    /// RFC 6120 §6.4.5: the client may try again, but not for ever.
    pub(super) fn failed(&mut self, opened: Opened, failure: &Failure) -> Output {
        self.failed_because(opened, failure, None)
    }

    /// The same with a condition of the application's (XEP-0388 §2.6.2).
    pub(super) fn failed_because(
        &mut self,
        mut opened: Opened,
        failure: &Failure,
        reason: Option<Element>,
    ) -> Output {
        let failure_element = Element::new(opened.profile.ns(), "failure")
            .child(Element::new(ns::SASL, failure.condition.name()))
            .child_opt(reason);
        opened.profile = Profile::Sasl;
        let mut out = self.element(&failure_element);
        let mut output = match self.attempts.failed(failure) {
            Penalty::Retry(delay) => {
                let mut output = self.to(State::Offered(opened), out, Next::Read);
                output.delay = delay;
                output
            }
            Penalty::Close(delay) => {
                let error = StreamError::new(StreamCondition::PolicyViolation)
                    .text("too many failures to authenticate");
                out.fail(&error);
                let mut output = self.to(State::Ended, out, Next::Close);
                output.delay = delay;
                output
            }
        };
        output.failed = Some(failure.condition);
        output
    }

    /// A request before authentication; whether anything answers it is not known here.
    fn request(&mut self, opened: Opened, parsed: Parsed) -> Output {
        let request = match reading::stanza(parsed, ns::CLIENT) {
            Ok(request) => request,
            Err(error) => return self.unreadable(error, State::Offered(opened)),
        };
        let first = request.payload.iter().next();
        let Some(Ok(payload)) = first.map(|child| child.to_element(ns::CLIENT)) else {
            return self.fail(&StreamCondition::NotAuthorized.into());
        };
        let Kind::Iq(kind @ (IqType::Get | IqType::Set)) = request.kind else {
            return self.fail(&StreamCondition::NotAuthorized.into());
        };
        let next = Next::Answer {
            host: opened.host.clone(),
            kind,
            payload,
        };
        let out = self.outbox();
        self.to(State::Answering { opened, request }, out, next)
    }
}

impl Opened {
    /// The installation of the client that SASL2 has told of.
    pub(super) fn agent(&self) -> Option<&str> {
        match &self.profile {
            Profile::Sasl => None,
            Profile::Sasl2(wishes) => wishes.agent.as_deref(),
        }
    }
}

impl Profile {
    const fn ns(&self) -> &'static str {
        match self {
            Self::Sasl => ns::SASL,
            Self::Sasl2(_) => ns::SASL2,
        }
    }
}

fn sasl_element(opened: &Opened, name: &str, data: Option<&[u8]>) -> Element {
    let mut element = Element::new(opened.profile.ns(), name);
    if let Some(data) = data {
        element.push_text(sasl::encode(data));
    }
    element
}
