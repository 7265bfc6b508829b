//! HT, a hashed token (draft-schmaus-kitten-sasl-ht): the mechanisms of XEP-0484, which prove a
//! token that the server gave earlier and end after one message of the client.
//!
//! Left out: `UNIQ`, for the TLS library does not tell `tls-unique`, which TLS 1.3 has not got.

use std::fmt;

use subtle::ConstantTimeEq as _;

use super::exchange::{MESSAGE_BYTES_MAX, account};
use super::{BindingKind, Failure, Offer, SaslCondition, Secret, Step};
use crate::proto::jid::BareJid;
use crate::proto::scram::ScramHash;

/// A mechanism of HT, by what it ties the token to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenMechanism {
    /// `tls-exporter` (RFC 9266).
    Exporter,
    /// `tls-server-end-point` (RFC 5929).
    EndPoint,
    /// No channel: what a script in a browser can do.
    Unbound,
}

impl TokenMechanism {
    /// Every mechanism, the strongest first.
    pub const ALL: [Self; 3] = [Self::Exporter, Self::EndPoint, Self::Unbound];

    /// The name, as in `<mechanism/>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exporter => "HT-SHA-256-EXPR",
            Self::EndPoint => "HT-SHA-256-ENDP",
            Self::Unbound => "HT-SHA-256-NONE",
        }
    }

    /// The mechanism of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The name of the channel that goes into the hash; `None` where the stream has no such name.
    pub(super) fn binding(self, offer: &Offer) -> Option<&[u8]> {
        let kind = match self {
            Self::Exporter => BindingKind::TlsExporter,
            Self::EndPoint => BindingKind::TlsServerEndPoint,
            Self::Unbound => return Some(&[]),
        };
        let mut bindings = offer.bindings.iter();
        let found = bindings.find(|binding| binding.kind == kind);
        found.map(|binding| binding.data.as_slice())
    }
}

/// A token that the store has for an account and a client.
#[derive(Debug)]
pub struct Token {
    /// What the store knows it by.
    pub id: String,
    /// The one mechanism that it serves (XEP-0484 §3.4).
    pub mechanism: TokenMechanism,
    /// The token itself: both sides use it as the key of a hash.
    pub secret: Secret,
    /// Whether its time is over.
    pub expired: bool,
}

/// Takes the client's only message: `authcid NUL initiator-hashed-token`.
pub(super) fn respond(
    offer: &Offer,
    mechanism: TokenMechanism,
    message: &[u8],
) -> Result<Step, Failure> {
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(SaslCondition::MalformedRequest.into());
    }
    let binding = mechanism.binding(offer);
    let binding = binding.ok_or(SaslCondition::InvalidMechanism)?;
    let mut parts = message.splitn(2, |byte| *byte == 0);
    let (Some(authcid), Some(proof)) = (parts.next(), parts.next()) else {
        return Err(SaslCondition::MalformedRequest.into());
    };
    let authcid = std::str::from_utf8(authcid).map_err(|_| SaslCondition::MalformedRequest)?;
    if authcid.is_empty() || proof.len() != PROOF_BYTES {
        return Err(SaslCondition::MalformedRequest.into());
    }
    let account = account(offer, authcid)?;
    Ok(Step::NeedTokens {
        account: account.clone(),
        next: AwaitingTokens {
            account,
            mechanism,
            binding: binding.to_vec(),
            proof: proof.to_vec(),
        },
    })
}

/// An exchange that waits for the tokens of its account and client.
pub struct AwaitingTokens {
    account: BareJid,
    mechanism: TokenMechanism,
    binding: Vec<u8>,
    proof: Vec<u8>,
}

impl AwaitingTokens {
    /// Ends the exchange. The first token that fits counts, so the newest stands first; an account
    /// that does not exist has none.
    #[must_use]
    pub fn resolve(self, tokens: &[Token]) -> Step {
        let mut tokens = tokens.iter();
        let found = tokens.find(|token| self.is_proof_of(token));
        match found {
            None => Failure::from(SaslCondition::NotAuthorized).into(),
            // XEP-0484 §4.2; told only to who has the token.
            Some(token) if token.expired => Failure::from(SaslCondition::CredentialsExpired).into(),
            Some(token) => Step::TokenProved {
                data: self.hash(token, b"Responder"),
                account: self.account,
                token: token.id.clone(),
            },
        }
    }

    fn is_proof_of(&self, token: &Token) -> bool {
        let right: bool = self
            .hash(token, b"Initiator")
            .ct_eq(self.proof.as_slice())
            .into();
        right && token.mechanism == self.mechanism
    }

    fn hash(&self, token: &Token, side: &[u8]) -> Vec<u8> {
        let message = [side, self.binding.as_slice()].concat();
        ScramHash::Sha256.hmac(token.secret.expose().as_bytes(), &message)
    }
}

impl fmt::Debug for AwaitingTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwaitingTokens")
            .field("account", &self.account)
            .field("mechanism", &self.mechanism)
            .finish_non_exhaustive()
    }
}

/// Length of HMAC-SHA-256.
const PROOF_BYTES: usize = 32;
