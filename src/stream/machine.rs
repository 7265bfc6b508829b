//! The states of a client's stream, from the first header to the bound resource.

mod authentication;
mod binding;
mod completion;
mod resumption;
mod wishes;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::features;
use super::header::{self, Header};
use super::interface::{Input, Next, Output, Rules, Tls};
use super::outbox::{Framing, Outbox};
use super::sasl::{
    Attempts, AwaitingBearer, AwaitingKeys, AwaitingTokens, AwaitingVerdict, Exchange, Offer,
    SaslCondition, Security,
};
use crate::proto::{BareJid, Stanza, StanzaError, StreamCondition, StreamError};
use crate::xml::{Element, Opening};
use completion::{Completion, Proved};
use wishes::Wishes;

/// A stream that is being negotiated. Every input consumes it.
pub struct Negotiation {
    rules: Arc<Rules>,
    new_id: fn() -> String,
    framing: Framing,
    security: Security,
    tls: Tls,
    attempts: Attempts,
    header_sent: bool,
    state: State,
}

/// What is known of an opened stream that is not authenticated.
struct Opened {
    host: BareJid,
    /// Who the client said it is.
    from: Option<BareJid>,
    offer: Offer,
    profile: Profile,
}

/// How SASL is spoken in the exchange that goes on.
enum Profile {
    /// RFC 6120 §6.
    Sasl,
    /// XEP-0388, with what the client asks for beside.
    Sasl2(Wishes),
}

enum State {
    /// Waits for the header of a stream that is not authenticated.
    Closed,
    /// Waits for STARTTLS, or for the client's choice of a mechanism.
    Offered(Opened),
    /// STARTTLS was accepted.
    Handshake,
    /// A request on the unauthenticated stream is being answered.
    Answering { opened: Opened, request: Stanza },
    /// Waits for `<response/>`.
    Challenged { opened: Opened, exchange: Exchange },
    /// Waits for keys.
    Fetching { opened: Opened, next: AwaitingKeys },
    /// Waits for the check of a password.
    Checking {
        opened: Opened,
        next: AwaitingVerdict,
    },
    /// Waits for the check of a token that somebody else signed.
    Judging {
        opened: Opened,
        next: AwaitingBearer,
    },
    /// Waits for the tokens of a client.
    Finding {
        opened: Opened,
        next: AwaitingTokens,
    },
    /// Waits for the admission of who has proved to be it.
    Admitting(Proved),
    /// Does what the client asked for together with SASL2, one thing after the other.
    Completing(Box<Completion>),
    /// Waits for the header of the authenticated stream.
    Authenticated { account: BareJid },
    /// Waits for the request to bind.
    Unbound { account: BareJid },
    /// Waits for the resource.
    Binding { account: BareJid, request: Stanza },
    /// Waits for the session that the client resumes.
    Resuming { account: BareJid, previd: String },
    /// Nothing more is expected.
    Ended,
}

impl Negotiation {
    /// A stream on a new connection. `new_id` makes stream ids and nonces: unique and not
    /// guessable (RFC 6120 §4.7.3).
    #[must_use]
    pub fn new(
        rules: Arc<Rules>,
        framing: Framing,
        security: Security,
        new_id: fn() -> String,
    ) -> Self {
        let tls = match security {
            Security::Cleartext { .. } => rules.tls,
            Security::Tls { .. } => Tls::Absent,
        };
        Self {
            attempts: Attempts::new(rules.attempts_max),
            rules,
            new_id,
            framing,
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
            (State::Offered(opened), Input::Element(parsed)) => self.chosen(opened, parsed),
            (State::Handshake, Input::Secured(security)) => {
                self.security = security;
                self.tls = Tls::Absent;
                self.header_sent = false;
                let out = self.outbox();
                self.to(State::Closed, out, Next::Restart)
            }
            (State::Answering { opened, request }, Input::Answered(answer)) => {
                let out = self.answer(&request, &answer);
                self.to(State::Offered(opened), out, Next::Read)
            }
            (State::Challenged { opened, exchange }, Input::Element(parsed)) => {
                self.responded(opened, exchange, &parsed)
            }
            (State::Fetching { opened, next }, Input::Keys(keys)) => {
                let step = next.resolve(keys, &self.rules.decoys);
                self.step(opened, step)
            }
            (State::Checking { opened, next }, Input::Verdict(verdict)) => {
                let step = next.resolve(verdict);
                self.step(opened, step)
            }
            (State::Judging { opened, next }, Input::Bearer(verdict)) => {
                self.step(opened, next.resolve(verdict))
            }
            (State::Finding { opened, next }, Input::Tokens(tokens)) => {
                self.step(opened, next.resolve(&tokens))
            }
            (State::Admitting(proved), Input::Admission(admission)) => {
                self.admitted(proved, admission)
            }
            (State::Completing(completion), input) => self.complete(*completion, input),
            (
                State::Fetching { opened, .. }
                | State::Checking { opened, .. }
                | State::Judging { opened, .. }
                | State::Finding { opened, .. }
                | State::Admitting(Proved { opened, .. }),
                Input::Unavailable,
            ) => self.failed(opened, &SaslCondition::TemporaryAuthFailure.into()),
            (State::Unbound { account }, Input::Element(parsed)) => self.bind(account, parsed),
            (State::Binding { account, request }, Input::Bound(bound)) => {
                self.bound(account, &request, bound)
            }
            (State::Resuming { account, previd }, Input::Resumed(resumed)) => {
                self.resumed(account, &previd, resumed)
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
        let mut out = self.outbox();
        if !self.header_sent {
            if let Some(host) = self.rules.hosts.first() {
                out.open(host, None, &(self.new_id)());
            }
            self.header_sent = true;
        }
        out.fail(error);
        self.to(State::Ended, out, Next::Close)
    }

    fn to(&mut self, state: State, out: Outbox, next: Next) -> Output {
        self.state = state;
        Output {
            delay: Duration::ZERO,
            out,
            next,
            failed: None,
        }
    }

    /// The header of a stream that is not authenticated.
    fn opened(&mut self, opening: &Opening) -> Output {
        let header = match header::check(opening, &self.rules.hosts) {
            Ok(header) => header,
            Err(error) => return self.fail(&error),
        };
        let mut out = self.header(&header);
        let Header { host, from } = header;
        let offer = Offer::new(&host, self.security.clone(), &self.rules.sasl);
        let extensions = &self.rules.features;
        let tokens = self.rules.tokens;
        let features = features::negotiation(
            self.tls,
            &offer,
            || features::authentication(&offer, tokens, &extensions.bind_inline()),
            || extensions.negotiation(&host),
        );
        out.stream_element(&features);
        let opened = Opened {
            host,
            from,
            offer,
            profile: Profile::Sasl,
        };
        self.to(State::Offered(opened), out, Next::Read)
    }

    /// The header of an authenticated stream.
    fn reopened(&mut self, account: BareJid, opening: &Opening) -> Output {
        let header = match header::check(opening, &self.rules.hosts) {
            Ok(header) if header.host.domain() == account.domain() => header,
            Ok(_) => return self.fail(&StreamCondition::HostUnknown.into()),
            Err(error) => return self.fail(&error),
        };
        let mut out = self.header(&header);
        let added = self.rules.features.authenticated(&header.host);
        let features = features::authenticated(added);
        out.stream_element(&features);
        self.to(State::Unbound { account }, out, Next::Read)
    }

    fn header(&mut self, asked: &Header) -> Outbox {
        let mut out = self.outbox();
        out.reserve(1024);
        out.open(&asked.host, asked.from.as_ref(), &(self.new_id)());
        self.header_sent = true;
        out
    }

    const fn outbox(&self) -> Outbox {
        Outbox::new(self.framing)
    }

    fn element(&self, element: &Element) -> Outbox {
        let mut out = self.outbox();
        out.element(element);
        out
    }

    fn answer(&self, request: &Stanza, answer: &Result<Option<Element>, StanzaError>) -> Outbox {
        let answer = match answer {
            Ok(payload) => Some(request.result(payload.as_ref())),
            Err(error) => request.refusal(error),
        };
        let mut out = self.outbox();
        if let Some(answer) = answer {
            out.stanza(&answer);
        }
        out
    }
}

impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiation").finish_non_exhaustive()
    }
}
