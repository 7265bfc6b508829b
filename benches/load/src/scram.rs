//! The client's half of SCRAM (RFC 5802, RFC 7677) without channel binding.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::ValueEnum;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

/// The mechanisms a login can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Mechanism {
    #[value(name = "SCRAM-SHA-1")]
    Sha1,
    #[value(name = "SCRAM-SHA-256")]
    Sha256,
    #[value(name = "SCRAM-SHA-512")]
    Sha512,
}

impl Mechanism {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    const fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    fn digest(self, data: &[u8]) -> digest::Digest {
        digest::digest(self.hmac().digest_algorithm(), data)
    }

    fn sign(self, key: &[u8], data: &[u8]) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(self.hmac(), key), data)
    }
}

/// Passwords already salted, by salt and iteration count.
///
/// A client that logs in twice keeps this too; without it the generator would spend more
/// processor time on key derivation than most servers on the login. It holds at most one entry for each account.
#[derive(Debug, Default)]
pub(crate) struct SaltedPasswords(Mutex<HashMap<Salt, Vec<u8>>>);

/// The salt and the iteration count.
type Salt = (Vec<u8>, u32);

impl SaltedPasswords {
    fn salted(
        &self,
        mechanism: Mechanism,
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Vec<u8>> {
        let key = (salt.to_vec(), iterations);
        if let Some(known) = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
        {
            return Ok(known.clone());
        }
        let rounds = NonZeroU32::new(iterations).context("the server asks for no iterations")?;
        let mut salted = vec![0; mechanism.hmac().digest_algorithm().output_len()];
        pbkdf2::derive(
            mechanism.pbkdf2(),
            rounds,
            salt,
            password.as_bytes(),
            &mut salted,
        );
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, salted.clone());
        Ok(salted)
    }
}

/// One exchange: made with a nonce, it knows what to send first.
#[derive(Debug)]
pub(crate) struct Exchange {
    mechanism: Mechanism,
    nonce: String,
    first_bare: String,
}

impl Exchange {
    pub(crate) fn new(mechanism: Mechanism, account: &str) -> Result<Self> {
        let mut random = [0; 18];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| anyhow!("no randomness"))?;
        Ok(Self::with_nonce(mechanism, account, BASE64.encode(random)))
    }

    fn with_nonce(mechanism: Mechanism, account: &str, nonce: String) -> Self {
        let first_bare = format!("n={account},r={nonce}");
        Self {
            mechanism,
            nonce,
            first_bare,
        }
    }

    /// client-first-message, in Base64.
    pub(crate) fn first(&self) -> String {
        BASE64.encode(format!("n,,{}", self.first_bare))
    }

    /// client-final-message for the server's challenge, and the server's answer to expect; all in Base64.
    pub(crate) fn last(
        &self,
        challenge: &str,
        password: &str,
        known: &SaltedPasswords,
    ) -> Result<(String, String)> {
        let challenge = String::from_utf8(BASE64.decode(challenge)?)?;
        let field = |name: char| {
            challenge
                .split(',')
                .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
                .with_context(|| format!("the challenge has no {name}"))
        };
        let (nonce, salt, iterations) = (
            field('r')?,
            BASE64.decode(field('s')?)?,
            field('i')?.parse()?,
        );
        ensure!(
            nonce.starts_with(&self.nonce),
            "the server's nonce does not continue ours"
        );
        let salted = known.salted(self.mechanism, password, &salt, iterations)?;
        let client_key = self.mechanism.sign(&salted, b"Client Key");
        let stored_key = self.mechanism.digest(client_key.as_ref());
        let without_proof = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{challenge},{without_proof}", self.first_bare);
        let signature = self
            .mechanism
            .sign(stored_key.as_ref(), auth_message.as_bytes());
        let proof: Vec<u8> = client_key
            .as_ref()
            .iter()
            .zip(signature.as_ref())
            .map(|(a, b)| a ^ b)
            .collect();
        let server_key = self.mechanism.sign(&salted, b"Server Key");
        let verifier = self
            .mechanism
            .sign(server_key.as_ref(), auth_message.as_bytes());
        Ok((
            BASE64.encode(format!("{without_proof},p={}", BASE64.encode(proof))),
            BASE64.encode(format!("v={}", BASE64.encode(verifier))),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_5802_section_5_comes_out() {
        let exchange = Exchange::with_nonce(
            Mechanism::Sha1,
            "user",
            "fyko+d2lbbFgONRv9qkxdawL".to_owned(),
        );
        let challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
        let (last, verifier) = exchange
            .last(
                &BASE64.encode(challenge),
                "pencil",
                &SaltedPasswords::default(),
            )
            .unwrap();
        let expected =
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
        assert_eq!(last, BASE64.encode(expected));
        assert_eq!(verifier, BASE64.encode("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
    }
}
