//! The unauthenticated stream: STARTTLS (RFC 6120 §5) and SASL (§6.4), and requests that
//! extensions answer before either is done.

use super::{Negotiation, Opened, State};
use crate::proto::{BareJid, IqType, Kind, StreamCondition, StreamError, ns, reading};
use crate::stream::interface::{Admission, Next, Output, Tls};
use crate::stream::sasl::{self, Exchange, Failure, Penalty, SaslCondition, Step};
use crate::xml::{Element, Parsed};

impl Negotiation {
    /// What the client chose of the features.
    pub(super) fn chosen(&mut self, opened: Opened, parsed: Parsed) -> Output {
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
            (ns::SASL, "abort") => self.failed(opened, &SaslCondition::Aborted.into()),
            (ns::SASL, _) => self.failed(opened, &SaslCondition::MalformedRequest.into()),
            (ns::CLIENT, "iq") if self.tls != Tls::Required => self.request(opened, parsed),
            (ns::STREAM_MANAGEMENT, "enable" | "resume") => self.too_early(State::Offered(opened)),
            _ => self.unexpected(&parsed),
        }
    }

    /// What is no step of the negotiation: a stanza comes too early (RFC 6120 §4.9.3.12),
    /// another element never fits (§4.9.3.24).
    fn unexpected(&mut self, parsed: &Parsed) -> Output {
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

    pub(super) fn responded(
        &mut self,
        opened: Opened,
        exchange: Exchange,
        parsed: &Parsed,
    ) -> Output {
        let step = match (parsed.tag.ns(), parsed.tag.name()) {
            (ns::SASL, "response") => match sasl::decode(&parsed.text()) {
                Ok(message) => exchange.respond(&message),
                Err(condition) => Step::Failure(condition.into()),
            },
            (ns::SASL, "abort") => Step::Failure(SaslCondition::Aborted.into()),
            (ns::SASL, _) => Step::Failure(SaslCondition::MalformedRequest.into()),
            _ => return self.unexpected(parsed),
        };
        self.step(opened, step)
    }

    pub(super) fn step(&mut self, opened: Opened, step: Step) -> Output {
        match step {
            Step::Challenge { data, next } => {
                let out = self.element(&sasl_element("challenge", Some(&data)));
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
            Step::Success { account, data } => {
                let next = Next::Admit {
                    account: account.clone(),
                };
                let state = State::Admitting {
                    opened,
                    account,
                    data,
                };
                let out = self.outbox();
                self.to(state, out, next)
            }
            Step::Failure(failure) => self.failed(opened, &failure),
        }
    }

    pub(super) fn admitted(
        &mut self,
        opened: Opened,
        account: BareJid,
        data: Option<&[u8]>,
        admission: Admission,
    ) -> Output {
        match admission {
            Admission::Granted => {
                self.header_sent = false;
                let out = self.element(&sasl_element("success", data));
                self.to(State::Authenticated { account }, out, Next::Restart)
            }
            Admission::Disabled => self.failed(opened, &SaslCondition::AccountDisabled.into()),
            Admission::Unknown => self.failed(opened, &SaslCondition::NotAuthorized.into()),
        }
    }

    /// RFC 6120 §6.4.5: the client may try again, but not for ever.
    pub(super) fn failed(&mut self, opened: Opened, failure: &Failure) -> Output {
        let failure_element = Element::new(ns::SASL, "failure")
            .child(Element::new(ns::SASL, failure.condition.name()));
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

fn sasl_element(name: &str, data: Option<&[u8]>) -> Element {
    let mut element = Element::new(ns::SASL, name);
    if let Some(data) = data {
        element.push_text(sasl::encode(data));
    }
    element
}
