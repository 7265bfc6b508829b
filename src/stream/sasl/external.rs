//! EXTERNAL with a client certificate (RFC 4422 Appendix A, XEP-0178: Best Practices for Use of
//! SASL EXTERNAL with Certificates, §2).
//!
//! The certificate was verified by TLS; the offer holds the accounts on this host that it names.

use super::{Failure, Offer, SaslCondition, Step};
use crate::proto::jid::BareJid;

/// Takes the client's only message: the identity to act as, or nothing when the certificate
/// leaves no choice.
pub(super) fn respond(offer: &Offer, message: &[u8]) -> Result<Step, Failure> {
    let authzid = std::str::from_utf8(message).map_err(|_| SaslCondition::MalformedRequest)?;
    let account = match (authzid, offer.identities.as_slice()) {
        ("", [only]) => Some(only),
        ("", _) => None,
        (asked, named) => {
            let asked = BareJid::new(asked).map_err(|_| SaslCondition::InvalidAuthzid)?;
            named.iter().find(|jid| **jid == asked)
        }
    };
    let account = account.ok_or(SaslCondition::InvalidAuthzid)?;
    Ok(Step::Success {
        account: account.clone(),
        data: None,
    })
}
