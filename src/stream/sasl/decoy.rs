//! Keys for accounts that do not exist, so that nobody can find out which ones do
//! (RFC 6120 §13.11, RFC 5802 §9).
//!
//! The same name always gets the same salt, as a real account would. What still differs are
//! accounts whose keys were made elsewhere, with another length of salt or another number of
//! iterations.

use std::fmt;

use crate::proto::jid::BareJid;
use crate::proto::scram::{SALT_BYTES, ScramHash, ScramKeys};

/// Makes keys that look real and that no password fits.
#[derive(Clone)]
pub struct Decoys {
    secret: [u8; 32],
    iterations: u32,
}

impl Decoys {
    /// `secret` is random, known to nobody, and the same after a restart (else the salts of
    /// unknown accounts change then, and only theirs); `iterations` is what new accounts get.
    #[must_use]
    pub const fn new(secret: [u8; 32], iterations: u32) -> Self {
        Self { secret, iterations }
    }

    /// How often a password is hashed when it is set.
    #[must_use]
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// What stands for a text without telling it, in 16 hexadecimal digits: the same for the same
    /// text, as long as the secret lasts.
    #[must_use]
    pub fn pseudonym(&self, text: &str) -> String {
        let label = format!("pseudonym\0{text}");
        let hash = ScramHash::Sha256.hmac(&self.secret, label.as_bytes());
        let digits = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
        digits.collect()
    }

    /// The keys that `account` has not got. To refuse PLAIN for it in the usual time, check the
    /// password against these.
    #[must_use]
    pub fn keys(&self, account: &BareJid, hash: ScramHash) -> ScramKeys {
        let part = |purpose: &str| {
            let label = format!("{purpose}\0{}\0{account}", hash.name());
            hash.hmac(&self.secret, label.as_bytes())
        };
        let mut salt = part("salt");
        salt.truncate(SALT_BYTES);
        ScramKeys {
            hash,
            salt,
            iterations: self.iterations.max(1),
            stored_key: part("stored key"),
            server_key: part("server key"),
        }
    }
}

impl fmt::Debug for Decoys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoys")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoys_are_steady_and_differ_by_account_hash_and_server() {
        let decoys = Decoys::new([1; 32], 4096);
        let jid = |text: &str| BareJid::new(text).unwrap();
        let alice = decoys.keys(&jid("alice@example.com"), ScramHash::Sha256);
        assert_eq!(
            alice,
            decoys.keys(&jid("ALICE@example.com"), ScramHash::Sha256)
        );
        for other in [
            decoys.keys(&jid("bob@example.com"), ScramHash::Sha256),
            decoys.keys(&jid("alice@example.net"), ScramHash::Sha256),
            decoys.keys(&jid("alice@example.com"), ScramHash::Sha512),
            Decoys::new([2; 32], 4096).keys(&jid("alice@example.com"), ScramHash::Sha256),
        ] {
            assert_ne!(alice.salt, other.salt);
            assert_ne!(alice.stored_key, other.stored_key);
        }
    }

    #[test]
    fn pseudonyms_are_steady_and_tell_nothing() {
        let decoys = Decoys::new([1; 32], 4096);
        let one = decoys.pseudonym("d4565fa7");
        assert_eq!(one, decoys.pseudonym("d4565fa7"));
        assert_eq!(one.len(), 16);
        assert_ne!(one, decoys.pseudonym("d4565fa8"));
        assert_ne!(one, Decoys::new([2; 32], 4096).pseudonym("d4565fa7"));
    }

    #[test]
    fn decoys_have_the_shape_of_real_keys() {
        let decoys = Decoys::new([1; 32], 10);
        let account = BareJid::new("nobody@example.com").unwrap();
        for hash in ScramHash::ALL {
            let real = ScramKeys::derive("x", hash, vec![0; SALT_BYTES], 10).unwrap();
            let decoy = decoys.keys(&account, hash);
            assert_eq!(decoy.salt.len(), real.salt.len());
            assert_eq!(decoy.stored_key.len(), real.stored_key.len());
            assert_eq!(decoy.iterations, real.iterations);
            assert!(!decoy.verify_password("x"));
        }
    }
}
