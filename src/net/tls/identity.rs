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

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::super::test_authority::xmpp_addr;
    use super::*;

    #[test]
    fn accounts_are_prepared_and_everything_else_is_passed_over() {
        let many: Vec<String> = (0..20).map(|n| format!("a{n}@example.com")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (addresses, accounts) in [
            (vec![], vec![]),
            (vec!["Anna@Example.COM"], vec!["anna@example.com"]),
            (vec!["a@b.c", "A@B.C", "d@b.c"], vec!["a@b.c", "d@b.c"]),
            (vec!["example.com", "a@b.c/desk", "@", "a@@b"], vec![]),
            (many.clone(), many[..IDENTITIES_MAX].to_vec()),
        ] {
            let mut params = CertificateParams::default();
            params.subject_alt_names = addresses.iter().map(|text| xmpp_addr(text)).collect();
            let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let found: Vec<String> = of(made.der()).iter().map(ToString::to_string).collect();
            assert_eq!(found, accounts, "{addresses:?}");
        }
        assert!(of(b"no certificate").is_empty());
    }
}
