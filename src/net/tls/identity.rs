//! Who a client certificate speaks for: its `xmppAddr` entries (XEP-0178 §2, RFC 6120
//! §13.7.1.4). The certificate has been verified by rustls when this is asked.
//!
//! Other names in it (e-mail, common name) are nobody's XMPP address and are not read.

use super::leaf::Leaf;
use crate::proto::jid::BareJid;

/// More entries than a person has accounts; the rest is ignored.
pub const IDENTITIES_MAX: usize = 16;

/// The accounts that the certificate names, prepared, without repeats, in their order.
/// A certificate that cannot be read, or names none, gives none.
#[must_use]
pub fn of(der: &[u8]) -> Vec<BareJid> {
    let Ok(leaf) = Leaf::read(der) else {
        return Vec::new();
    };
    let mut accounts: Vec<BareJid> = Vec::new();
    for address in leaf.xmpp_addresses.iter().take(IDENTITIES_MAX) {
        // A domain is a server's identity, not an account's.
        if let Ok(account) = BareJid::new(address)
            && account.node().is_some()
            && !accounts.contains(&account)
        {
            accounts.push(account);
        }
    }
    accounts
}
