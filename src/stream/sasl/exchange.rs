//! One exchange, from the client's choice of a mechanism to its end (RFC 6120 §6.4).

use super::bearer::{self, AwaitingBearer};
use super::external;
use super::hashed_token::{self, AwaitingTokens};
use super::plain::{self, AwaitingVerdict};
use super::scram::{self, AwaitingFinal, AwaitingKeys};
use super::{Failure, Mechanism, Offer, SaslCondition, Secret, TokenMechanism};
use crate::proto::jid::BareJid;
use crate::proto::scram::ScramHash;

/// The longest message of a client, decoded: room for a user name and an identity of 1023
/// bytes each, every byte escaped, and a password of full length.
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;

/// What comes next. The states inside are used up by the answer given to them.
#[derive(Debug)]
pub enum Step {
    /// Send `<challenge/>` and give the response to `next`.
    Challenge {
        /// Not yet in base64; may be empty.
        data: Vec<u8>,
        /// Waits for the response.
        next: Exchange,
    },
    /// Fetch the account's keys for this hash.
    NeedKeys {
        /// Who the client says it is.
        account: BareJid,
        /// Which keys are needed.
        hash: ScramHash,
        /// Waits for the keys.
        next: AwaitingKeys,
    },
    /// Check the password, away from tasks that serve others: it takes a derivation.
    /// For an account that does not exist, check against [`super::Decoys`].
    NeedPasswordCheck {
        /// Who the client says it is.
        account: BareJid,
        /// What the client sent, not prepared.
        password: Secret,
        /// Waits for the verdict.
        next: AwaitingVerdict,
    },
    /// Check a token that somebody else signed (RFC 7628).
    NeedBearerCheck {
        /// The host that the client wants to log in to.
        host: BareJid,
        /// What the client sent; empty when it has none.
        token: Secret,
        /// Waits for the verdict.
        next: AwaitingBearer,
    },
    /// Fetch the tokens that the client has for this account, the newest first.
    NeedTokens {
        /// Who the client says it is.
        account: BareJid,
        /// Waits for the tokens.
        next: AwaitingTokens,
    },
    /// The client has the token. Whether it may come in, and whether the token still counts, is not
    /// decided here.
    TokenProved {
        /// Who it is.
        account: BareJid,
        /// For `<additional-data/>`, not yet in base64.
        data: Vec<u8>,
        /// The token's id.
        token: String,
    },
    /// The client is who it says. Whether it may come in is not decided here.
    Success {
        /// Who it is.
        account: BareJid,
        /// For the text of `<success/>`, not yet in base64.
        data: Option<Vec<u8>>,
    },
    /// Send `<failure/>`.
    Failure(Failure),
}

impl From<Failure> for Step {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// An exchange that waits for the client. Dropped when the client aborts.
#[derive(Debug)]
pub struct Exchange(Box<Waiting>);

#[derive(Debug)]
enum Waiting {
    /// The mechanism begins with the client, which sent no initial response.
    First {
        mechanism: Mechanism,
        offer: Offer,
        server_nonce: String,
    },
    ScramFinal(AwaitingFinal),
    /// The client was told why it fails.
    Refused,
}

impl Exchange {
    /// Begins with the client's `<auth mechanism='…'/>`.
    ///
    /// `server_nonce` is new for each exchange, not guessable, and made of printable ASCII
    /// without a comma (RFC 5802 §5.1). `initial` is the initial response, decoded; `None` when
    /// there is none.
    #[must_use]
    pub fn begin(
        offer: &Offer,
        mechanism: &str,
        server_nonce: String,
        initial: Option<&[u8]>,
    ) -> Step {
        match (offer.select(mechanism), initial) {
            (Err(condition), _) => Failure::from(condition).into(),
            (Ok(mechanism), Some(message)) => first(mechanism, offer, &server_nonce, message),
            (Ok(mechanism), None) => Step::Challenge {
                data: Vec::new(),
                next: Self(Box::new(Waiting::First {
                    mechanism,
                    offer: offer.clone(),
                    server_nonce,
                })),
            },
        }
    }

    /// Begins with a mechanism that proves a token; it takes an initial response (XEP-0484 §3.1).
    #[must_use]
    pub fn begin_token(offer: &Offer, mechanism: TokenMechanism, initial: Option<&[u8]>) -> Step {
        let message = initial.ok_or_else(|| SaslCondition::MalformedRequest.into());
        let step = message.and_then(|message| hashed_token::respond(offer, mechanism, message));
        step.unwrap_or_else(Step::Failure)
    }

    /// The client hears the failure itself after whatever it says.
    pub(super) fn refused() -> Self {
        Self(Box::new(Waiting::Refused))
    }

    pub(super) fn scram_final(state: AwaitingFinal) -> Self {
        Self(Box::new(Waiting::ScramFinal(state)))
    }

    /// Goes on with the client's response, decoded.
    #[must_use]
    pub fn respond(self, message: &[u8]) -> Step {
        match *self.0 {
            Waiting::First {
                mechanism,
                offer,
                server_nonce,
            } => first(mechanism, &offer, &server_nonce, message),
            Waiting::ScramFinal(_) if message.len() > MESSAGE_BYTES_MAX => too_long(),
            Waiting::ScramFinal(state) => state.respond(message),
            Waiting::Refused => Failure::from(SaslCondition::NotAuthorized).into(),
        }
    }
}

fn first(mechanism: Mechanism, offer: &Offer, server_nonce: &str, message: &[u8]) -> Step {
    if message.len() > MESSAGE_BYTES_MAX {
        return too_long();
    }
    let step = match mechanism {
        Mechanism::External => external::respond(offer, message),
        Mechanism::Plain => plain::respond(offer, message),
        Mechanism::OauthBearer => bearer::respond(offer, message),
        Mechanism::Scram { hash, plus } => {
            scram::respond_first(offer, hash, plus, server_nonce, message)
        }
    };
    step.unwrap_or_else(Step::Failure)
}

fn too_long() -> Step {
    Failure::from(SaslCondition::MalformedRequest).into()
}

/// The account that a user name stands for (RFC 6120 §6.3.8: its localpart). A name that no
/// account can have fails like a wrong password.
pub(super) fn account(offer: &Offer, username: &str) -> Result<BareJid, Failure> {
    let prepared = stringprep::saslprep(username).map_err(|_| SaslCondition::NotAuthorized)?;
    let account = offer.host.domain().with_node_str(&prepared);
    Ok(account.map_err(|_| SaslCondition::NotAuthorized)?)
}

/// Checks that the identity to act as, where given, is the account itself: nobody acts for
/// another here (RFC 6120 §6.3.8).
pub(super) fn authorize(authzid: &str, account: &BareJid) -> Result<(), Failure> {
    match BareJid::new(authzid) {
        _ if authzid.is_empty() => Ok(()),
        Ok(asked) if asked == *account => Ok(()),
        Ok(_) | Err(_) => Err(SaslCondition::InvalidAuthzid.into()),
    }
}
