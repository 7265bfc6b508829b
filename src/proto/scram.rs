//! What SCRAM keeps instead of a password (RFC 5802 §3, RFC 7677, and the SHA-512 form of
//! draft-melnikov-scram-sha-512), and the two checks made with it.
//!
//! Keys for one hash cannot be made from those for another, so [`derive_all`] makes all of
//! them while the password is at hand. Deriving costs a millisecond or more: not on a task
//! that serves others. The messages of the mechanism are part of stream negotiation.

use std::fmt;

use hmac::digest::Digest;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

/// Length of the salts that are made for new keys.
pub const SALT_BYTES: usize = 16;

/// The longest password, in bytes as typed; far above what people use, low enough that
/// preparing it costs nothing.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Why a password cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing is left after preparation.
    #[error("the password is empty")]
    Empty,
    /// It is over [`PASSWORD_BYTES_MAX`].
    #[error("the password is longer than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// SASLprep forbids it (RFC 4013 §2.3 to §2.5): controls, unassigned code points,
    /// mixed writing directions.
    #[error("the password holds characters that SASLprep (RFC 4013) does not allow")]
    Forbidden,
}

/// The hash function of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScramHash {
    /// RFC 5802; some clients know no other.
    Sha1,
    /// RFC 7677.
    Sha256,
    /// draft-melnikov-scram-sha-512.
    Sha512,
}

impl ScramHash {
    /// Every hash, the strongest first.
    pub const ALL: [Self; 3] = [Self::Sha512, Self::Sha256, Self::Sha1];

    /// The name that the store knows it by (`sha-256`), as in the registry of textual names
    /// for hash functions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }

    /// The hash of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// `HMAC(key, message)` of RFC 5802 §2.2.
    #[must_use]
    pub fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => hmac_with::<Sha1>(key, message),
            Self::Sha256 => hmac_with::<Sha256>(key, message),
            Self::Sha512 => hmac_with::<Sha512>(key, message),
        }
    }

    /// `H(data)` of RFC 5802 §2.2.
    #[must_use]
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    /// `Hi(password, salt, iterations)` of RFC 5802 §2.2: the salted password.
    #[must_use]
    pub fn salted(self, prepared: &str, salt: &[u8], iterations: u32) -> Vec<u8> {
        match self {
            Self::Sha1 => {
                pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(prepared.as_bytes(), salt, iterations)
                    .to_vec()
            }
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(prepared.as_bytes(), salt, iterations)
                    .to_vec()
            }
            Self::Sha512 => {
                pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(prepared.as_bytes(), salt, iterations)
                    .to_vec()
            }
        }
    }
}

/// What is stored of a password for one hash (RFC 5802 §3).
///
/// Who reads these can pretend to be the server and can guess passwords, but cannot log in.
/// They are secrets all the same: `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// The hash that they belong to.
    pub hash: ScramHash,
    /// Told to everyone who tries the account's name.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2; RFC 5802 §5.1 and RFC 7677 §4 ask for 4096 or more.
    pub iterations: u32,
    /// `H(HMAC(salted password, "Client Key"))`.
    pub stored_key: Vec<u8>,
    /// `HMAC(salted password, "Server Key")`.
    pub server_key: Vec<u8>,
}

impl ScramKeys {
    /// Derives the keys of a password. No iterations count as one.
    ///
    /// # Errors
    /// When the password may not be set; see [`PasswordError`].
    pub fn derive(
        password: &str,
        hash: ScramHash,
        salt: Vec<u8>,
        iterations: u32,
    ) -> Result<Self, PasswordError> {
        let prepared = prepare(password)?;
        Ok(Self::derive_prepared(&prepared, hash, salt, iterations))
    }

    /// The keys that belong to a salted password which the client has computed (XEP-0480 §3).
    #[must_use]
    pub fn from_salted(hash: ScramHash, salted: &[u8], salt: Vec<u8>, iterations: u32) -> Self {
        Self {
            hash,
            stored_key: hash.digest(&hash.hmac(salted, b"Client Key")),
            server_key: hash.hmac(salted, b"Server Key"),
            salt,
            iterations,
        }
    }

    fn derive_prepared(prepared: &str, hash: ScramHash, salt: Vec<u8>, iterations: u32) -> Self {
        let iterations = iterations.max(1);
        let salted = hash.salted(prepared, &salt, iterations);
        Self::from_salted(hash, &salted, salt, iterations)
    }

    /// Whether this is the password, for mechanisms that send it. Costs a derivation.
    #[must_use]
    pub fn verify_password(&self, password: &str) -> bool {
        let salt = self.salt.clone();
        Self::derive(password, self.hash, salt, self.iterations)
            .is_ok_and(|tried| tried.stored_key.ct_eq(&self.stored_key).into())
    }

    /// Checks a client's proof and signs in return (RFC 5802 §3): the server signature when
    /// the client knew the password, else nothing, so that nobody else ever gets one.
    #[must_use]
    pub fn verify_proof(&self, auth_message: &[u8], proof: &[u8]) -> Option<Vec<u8>> {
        let signature = self.hash.hmac(&self.stored_key, auth_message);
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(p, s)| p ^ s).collect();
        let matches: bool = self.hash.digest(&client_key).ct_eq(&self.stored_key).into();
        (proof.len() == signature.len() && matches)
            .then(|| self.hash.hmac(&self.server_key, auth_message))
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("hash", &self.hash)
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// The keys of a password for every hash, in the order of [`ScramHash::ALL`].
///
/// The salts must be random, and made for this password alone.
///
/// # Errors
/// When the password may not be set; see [`PasswordError`].
pub fn derive_all(
    password: &str,
    iterations: u32,
    salts: [[u8; SALT_BYTES]; ScramHash::ALL.len()],
) -> Result<Vec<ScramKeys>, PasswordError> {
    let prepared = prepare(password)?;
    let keys = ScramHash::ALL
        .into_iter()
        .zip(salts)
        .map(|(hash, salt)| ScramKeys::derive_prepared(&prepared, hash, salt.to_vec(), iterations));
    Ok(keys.collect())
}

/// SASLprep as for stored strings (RFC 4013 §2.5): unassigned code points are refused.
fn prepare(password: &str) -> Result<std::borrow::Cow<'_, str>, PasswordError> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::TooLong);
    }
    let prepared = stringprep::saslprep(password).map_err(|_| PasswordError::Forbidden)?;
    if prepared.is_empty() {
        return Err(PasswordError::Empty);
    }
    Ok(prepared)
}

#[expect(
    clippy::expect_used,
    reason = "HMAC takes keys of every length (RFC 2104 §2), so this cannot fail"
)]
fn hmac_with<D: EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<D>::new_from_slice(key).expect("a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    fn bytes(base64: &str) -> Vec<u8> {
        STANDARD.decode(base64).unwrap()
    }

    /// Keys, message, proof and signature of RFC 5802 §5 and RFC 7677 §3. The row of SHA-512
    /// was computed with another implementation, which also gave the other two rows.
    #[test]
    fn published_exchanges_are_verified() {
        for (hash, salt, stored_key, server_key, tail, proof, signature) in [
            (
                ScramHash::Sha1,
                "QSXCR+Q6sek8bf92",
                "6dlGYMOdZcOPutkcNY8U2g7vK9Y=",
                "D+CSWLOshSulAsxiupA+qs2/fTE=",
                ("fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j"),
                "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ),
            (
                ScramHash::Sha256,
                "W22ZaJ0SNY7soEsUEjb6gQ==",
                "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
                "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                ("rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),
                "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ),
            (
                ScramHash::Sha512,
                "Yzzn7F0Bv4ylBfWkL8dSlg==",
                "O4dgbAvf1zqeS/zx+RKCRRo4U7sUwOD8Y4DOCZAtu20QikGu8hdMCaFZ1Lj9NtZrb4GEpho8DXr8SkD26ICp1Q==",
                "Ii13qtt2ZwBK+F8K3N1wGod+3wuZCZqLTF8yM1tx9AJYK27RCBkQSkuQOWpecZO16lvGhWAvhmsCYx4iY/A6LA==",
                ("rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),
                "s8b3ZwExe0fMPAwJpQRd4UVS+02RoTgE3BJnDebTZJADU2HdmXie2Xl2JOzCFTaUVo8JQhlztzRO1LJf0Bi2nA==",
                "GR96UQkx0IYyHZZ6Ch5wUYbKhslNX9VA6V5m3LvFrTfT45uNpRqDzTYnJEL/aw2UZIfvjFfzJ2mRt+IwvwZRKw==",
            ),
        ] {
            let keys = ScramKeys::derive("pencil", hash, bytes(salt), 4096).unwrap();
            assert_eq!(keys.stored_key, bytes(stored_key), "{hash:?}");
            assert_eq!(keys.server_key, bytes(server_key), "{hash:?}");
            let (client, server) = tail;
            let auth_message = format!(
                "n=user,r={client},r={client}{server},s={salt},i=4096,c=biws,r={client}{server}"
            );
            let auth_message = auth_message.as_bytes();
            let mut proof = bytes(proof);
            assert_eq!(
                keys.verify_proof(auth_message, &proof),
                Some(bytes(signature)),
                "{hash:?}"
            );

            assert_eq!(keys.verify_proof(b"another", &proof), None);
            proof.push(0);
            assert_eq!(keys.verify_proof(auth_message, &proof), None, "too long");
            proof.truncate(proof.len() - 2);
            assert_eq!(keys.verify_proof(auth_message, &proof), None, "too short");
            assert_eq!(keys.verify_proof(auth_message, b""), None);
        }
    }

    #[test]
    fn all_hashes_are_derived_and_know_the_password() {
        let all = derive_all("pencil", 2, [[1; 16], [2; 16], [3; 16]]).unwrap();
        assert_eq!(
            all.iter().map(|keys| keys.hash).collect::<Vec<_>>(),
            ScramHash::ALL
        );
        for keys in all {
            assert!(keys.verify_password("pencil"));
            for wrong in ["Pencil", "pencil ", "", "\u{7}"] {
                assert!(!keys.verify_password(wrong), "{wrong:?}");
            }
            assert_eq!(
                ScramKeys::derive("pencil", keys.hash, keys.salt.clone(), 2),
                Ok(keys)
            );
        }
    }

    /// RFC 4013 §3, and what this server adds.
    #[test]
    fn passwords_are_prepared_before_use() {
        let keys = |password: &str| ScramKeys::derive(password, ScramHash::Sha1, vec![7; 16], 1);
        for (typed, same) in [
            ("I\u{AD}X", "IX"),
            ("\u{AA}", "a"),
            ("\u{2168}", "IX"),
            ("pass\u{A0}word", "pass word"),
            ("e\u{301}", "\u{E9}"),
        ] {
            assert_eq!(keys(typed), keys(same), "{typed:?}");
            assert!(keys(same).unwrap().verify_password(typed), "{typed:?}");
        }
        assert_ne!(keys("user"), keys("USER"));
        for (typed, error) in [
            ("", PasswordError::Empty),
            ("\u{AD}", PasswordError::Empty),
            ("\u{7}", PasswordError::Forbidden),
            ("\u{627}1", PasswordError::Forbidden),
            ("\u{1F98A}", PasswordError::Forbidden),
            (&"x".repeat(1025), PasswordError::TooLong),
        ] {
            assert_eq!(keys(typed), Err(error), "{typed:?}");
        }
    }

    #[test]
    fn stored_names_are_read_back() {
        for hash in ScramHash::ALL {
            assert_eq!(ScramHash::parse(hash.name()), Some(hash));
        }
        assert_eq!(ScramHash::parse("SHA-1"), None);
    }

    #[test]
    fn debug_output_shows_no_key() {
        let keys = ScramKeys::derive("pencil", ScramHash::Sha1, vec![222; 16], 1).unwrap();
        assert_eq!(
            format!("{keys:?}"),
            "ScramKeys { hash: Sha1, iterations: 1, .. }"
        );
    }
}
