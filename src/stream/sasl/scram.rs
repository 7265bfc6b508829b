//! SCRAM, the server's side (RFC 5802, RFC 7677), with channel binding (§6) where the mechanism
//! ends in -PLUS.
//!
//! An account that does not exist runs the same course with keys made up for it and fails at
//! the proof. Nothing is looked up before the client's first message is found in order, so that
//! every other failure depends on the message alone.
//!
//! XEP-0474: SASL SCRAM Downgrade Protection, version 0.5.0: the server's first message has the hash
//! of what was offered (`h=`). Being part of that message it is signed without more ado, and a
//! client that does not know it skips it, as RFC 5802 §5.1 demands.

use super::exchange::{account, authorize};
use super::scram_message::{BindingFlag, ClientFinal, ClientFirst};
use super::{
    ChannelBinding, Decoys, Exchange, Failure, Offer, SaslCondition, ScramError, Step, encode,
};
use crate::proto::jid::BareJid;
use crate::proto::scram::{ScramHash, ScramKeys};

/// Takes `client-first-message`.
pub(super) fn respond_first(
    offer: &Offer,
    hash: ScramHash,
    plus: bool,
    server_nonce: &str,
    message: &[u8],
) -> Result<Step, Failure> {
    let first = ClientFirst::parse(message)?;
    let channel = channel(offer, plus, first.flag)?;
    let account = account(offer, &first.username)?;
    authorize(&first.authzid, &account)?;
    let mut binding = first.header.as_bytes().to_vec();
    if let Some(channel) = channel {
        binding.extend_from_slice(&channel.data);
    }
    Ok(Step::NeedKeys {
        account: account.clone(),
        hash,
        next: AwaitingKeys {
            hash,
            account,
            binding,
            nonce: format!("{}{server_nonce}", first.nonce),
            client_first_bare: first.bare.to_owned(),
            offered: offer.downgrade_hash(hash),
        },
    })
}

/// The channel that the client's proof must name (RFC 5802 §6).
fn channel<'a>(
    offer: &'a Offer,
    plus: bool,
    flag: BindingFlag<'_>,
) -> Result<Option<&'a ChannelBinding>, ScramError> {
    match (flag, plus) {
        (BindingFlag::Used(kind), true) => {
            let mut bindings = offer.bindings.iter();
            bindings
                .find(|binding| binding.kind.name() == kind)
                .map(Some)
                .ok_or(ScramError::UnsupportedChannelBindingType)
        }
        (BindingFlag::Used(_), false) => Err(ScramError::ChannelBindingNotSupported),
        (BindingFlag::Unseen, _) if offer.plus_offered() => {
            Err(ScramError::ServerDoesSupportChannelBinding)
        }
        (BindingFlag::Unknown | BindingFlag::Unseen, true) => Err(ScramError::Syntax),
        (BindingFlag::Unknown | BindingFlag::Unseen, false) => Ok(None),
    }
}

/// An exchange that waits for the keys of its account.
#[derive(Debug)]
pub struct AwaitingKeys {
    hash: ScramHash,
    account: BareJid,
    binding: Vec<u8>,
    nonce: String,
    client_first_bare: String,
    /// The hash of the offer (XEP-0474 §5.1).
    offered: String,
}

impl AwaitingKeys {
    /// Goes on with the account's keys for the hash that was asked for, or without when there
    /// is no such account or it has none; the client will not see the difference.
    ///
    /// Keys for another hash end the exchange with `temporary-auth-failure`.
    #[must_use]
    pub fn resolve(self, keys: Option<ScramKeys>, decoys: &Decoys) -> Step {
        let keys = keys.unwrap_or_else(|| decoys.keys(&self.account, self.hash));
        if keys.hash != self.hash {
            return Failure::from(SaslCondition::TemporaryAuthFailure).into();
        }
        let server_first = format!(
            "r={},s={},i={},h={}",
            self.nonce,
            encode(&keys.salt),
            keys.iterations,
            self.offered
        );
        let signed = format!("{},{server_first},", self.client_first_bare);
        Step::Challenge {
            data: server_first.into_bytes(),
            next: Exchange::scram_final(AwaitingFinal {
                account: self.account,
                binding: self.binding,
                nonce: self.nonce,
                keys,
                signed,
            }),
        }
    }
}

/// An exchange that waits for `client-final-message`.
#[derive(Debug)]
pub(super) struct AwaitingFinal {
    account: BareJid,
    keys: ScramKeys,
    /// What `c=` must hold.
    binding: Vec<u8>,
    /// The client's and the server's, together.
    nonce: String,
    /// `AuthMessage` up to the message to come, with its comma.
    signed: String,
}

impl AwaitingFinal {
    pub(super) fn respond(self, message: &[u8]) -> Step {
        match self.verify(message) {
            Ok(signature) => Step::Success {
                account: self.account,
                data: Some(format!("v={}", encode(&signature)).into_bytes()),
            },
            Err(error) => Failure::from(error).into(),
        }
    }

    fn verify(&self, message: &[u8]) -> Result<Vec<u8>, ScramError> {
        let last = ClientFinal::parse(message)?;
        if last.nonce != self.nonce {
            return Err(ScramError::Nonce);
        }
        if last.binding != self.binding {
            return Err(ScramError::ChannelBindingsDontMatch);
        }
        let auth_message = format!("{}{}", self.signed, last.without_proof);
        self.keys
            .verify_proof(auth_message.as_bytes(), &last.proof)
            .ok_or(ScramError::InvalidProof)
    }
}
