//! PLAIN: the password itself (RFC 4616).

use super::exchange::{account, authorize};
use super::{Failure, Offer, SaslCondition, Secret, Step};
use crate::proto::jid::BareJid;

/// Takes the client's only message: `[authzid] NUL authcid NUL passwd`.
pub(super) fn respond(offer: &Offer, message: &[u8]) -> Result<Step, Failure> {
    let text = std::str::from_utf8(message).map_err(|_| SaslCondition::MalformedRequest)?;
    let mut parts = text.split('\0');
    let (Some(authzid), Some(authcid), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslCondition::MalformedRequest.into());
    };
    if authcid.is_empty() || password.is_empty() {
        return Err(SaslCondition::MalformedRequest.into());
    }
    let account = account(offer, authcid)?;
    authorize(authzid, &account)?;
    Ok(Step::NeedPasswordCheck {
        account: account.clone(),
        password: Secret::from(password),
        next: AwaitingVerdict { account },
    })
}

/// What came out of [`Step::NeedPasswordCheck`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It is the account's password.
    Right,
    /// It is not, or there is no such account.
    Wrong,
}

/// An exchange that waits for the check of a password.
#[derive(Debug)]
pub struct AwaitingVerdict {
    account: BareJid,
}

impl AwaitingVerdict {
    /// Ends the exchange.
    #[must_use]
    pub fn resolve(self, verdict: PasswordVerdict) -> Step {
        match verdict {
            PasswordVerdict::Right => Step::Success {
                account: self.account,
                data: None,
            },
            PasswordVerdict::Wrong => Failure::from(SaslCondition::NotAuthorized).into(),
        }
    }
}
