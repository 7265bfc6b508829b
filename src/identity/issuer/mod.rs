//! Whoever signs tokens (OAuth): whose token it is that a client shows (RFC 7519), and what a client is
//! told of one that is not taken (RFC 7628 §3.2.2).
//!
//! Only signatures by public keys are taken, and only by keys of the configured set: what a token says of
//! its key beside the key's name (`jwk`, `jku`, `x5u`) is not looked at. Encrypted tokens are not taken.

mod claims;
mod keys;

use jsonwebtoken::{Algorithm, Header, Validation};
use serde_json::{Map, Value, json};
use tracing::debug;

use super::{IdentityError, Person};
use crate::clock::Timestamp;
use crate::config::{JwtAlgorithm, Oauth};
use crate::proto::BareJid;
use keys::Keys;

/// The issuer of the configuration.
#[derive(Debug)]
pub(super) struct Issuer {
    config: Oauth,
    keys: Keys,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// The client has none, and asks where to get one.
    #[error("there is no token")]
    Missing,
    /// It is not a signed JSON Web Token.
    #[error("it is no signed token")]
    Malformed,
    /// It is signed in a way that is not allowed.
    #[error("its algorithm is not among [auth.oauth] algorithms")]
    Algorithm,
    /// It demands what is not known here (RFC 7515 §4.1.11).
    #[error("it demands an extension (crit)")]
    Critical,
    /// The key that it names is not among the issuer's.
    #[error("it is signed with a key that the issuer does not have")]
    Key,
    /// The signature is not that key's.
    #[error("its signature is wrong")]
    Signature,
    /// `exp` is missing or over.
    #[error("it has expired, or does not say when it will")]
    Expired,
    /// `nbf` is still to come.
    #[error("it is not good yet")]
    NotYet,
    /// `iss` is another.
    #[error("it is of another issuer")]
    Issuer,
    /// `aud` names others.
    #[error("it is for others than [auth.oauth] audiences")]
    Audience,
    /// The scope that is demanded is not there.
    #[error("it has not got [auth.oauth] scope")]
    Scope,
    /// It names nobody who can have an account on the host.
    #[error("[auth.oauth] user_claim names nobody who has an account on this host")]
    User,
}

impl Flaw {
    /// What the client is told of it (RFC 6750 §3.1).
    const fn status(self) -> &'static str {
        match self {
            Self::Scope => "insufficient_scope",
            Self::Missing
            | Self::Malformed
            | Self::Algorithm
            | Self::Critical
            | Self::Key
            | Self::Signature
            | Self::Expired
            | Self::NotYet
            | Self::Issuer
            | Self::Audience
            | Self::User => "invalid_token",
        }
    }
}

/// What a client is told of a token that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The JSON of RFC 7628 §3.2.2.
    pub answer: Vec<u8>,
    /// The reason, for the log.
    pub reason: String,
}

impl Refusal {
    fn new(flaw: Flaw, config: &Oauth) -> Self {
        let mut answer = json!({
            "status": flaw.status(),
            "openid-configuration": config.discovery(),
        });
        if !config.scope.is_empty()
            && let Some(answer) = answer.as_object_mut()
        {
            answer.insert("scope".to_owned(), json!(config.scope));
        }
        Self {
            answer: answer.to_string().into_bytes(),
            reason: flaw.to_string(),
        }
    }

    /// Where no tokens are taken at all.
    pub(super) fn unexpected() -> Self {
        Self {
            answer: json!({ "status": "invalid_token" })
                .to_string()
                .into_bytes(),
            reason: "no tokens are taken".to_owned(),
        }
    }
}

impl Issuer {
    pub(super) fn new(config: &Oauth) -> Result<Self, IdentityError> {
        Ok(Self {
            keys: Keys::new(config)?,
            config: config.clone(),
        })
    }

    /// Fetches the keys, and says how many there are.
    pub(super) async fn load(&self, now: Timestamp) -> Result<usize, IdentityError> {
        self.keys.load(now).await
    }

    /// Whose token it is.
    pub(super) async fn token(
        &self,
        host: &BareJid,
        token: &str,
        now: Timestamp,
    ) -> Result<Result<Person, Refusal>, IdentityError> {
        let judged = self.judge(host, token, now).await?;
        Ok(judged.map_err(|flaw| {
            debug!(%flaw, "token refused");
            Refusal::new(flaw, &self.config)
        }))
    }

    async fn judge(
        &self,
        host: &BareJid,
        token: &str,
        now: Timestamp,
    ) -> Result<Result<Person, Flaw>, IdentityError> {
        let header = match self.header(token) {
            Ok(header) => header,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let Some(key) = self.keys.find(&header, now).await? else {
            return Ok(Err(Flaw::Key));
        };
        Ok(claims_of(token, &key, header.alg)
            .and_then(|claims| claims::judge(&claims, host, &self.config, now)))
    }

    /// The head of a token that may be looked at further.
    fn header(&self, token: &str) -> Result<Header, Flaw> {
        if token.is_empty() {
            return Err(Flaw::Missing);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Flaw::Malformed)?;
        if header.crit.is_some() {
            return Err(Flaw::Critical);
        }
        let mut allowed = self.config.algorithms.iter();
        if !allowed.any(|it| algorithm(*it) == header.alg) {
            return Err(Flaw::Algorithm);
        }
        Ok(header)
    }
}

/// What a token says whose signature is that key's. Times and names are judged elsewhere, by the clock that
/// everything else goes by.
fn claims_of(
    token: &str,
    key: &jsonwebtoken::DecodingKey,
    algorithm: Algorithm,
) -> Result<Map<String, Value>, Flaw> {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let decoded = jsonwebtoken::decode(token, key, &validation);
    let decoded = decoded.map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::Json(_) | jsonwebtoken::errors::ErrorKind::Utf8(_) => {
            Flaw::Malformed
        }
        _ => Flaw::Signature,
    })?;
    Ok(decoded.claims)
}

const fn algorithm(configured: JwtAlgorithm) -> Algorithm {
    match configured {
        JwtAlgorithm::Rs256 => Algorithm::RS256,
        JwtAlgorithm::Rs384 => Algorithm::RS384,
        JwtAlgorithm::Rs512 => Algorithm::RS512,
        JwtAlgorithm::Ps256 => Algorithm::PS256,
        JwtAlgorithm::Ps384 => Algorithm::PS384,
        JwtAlgorithm::Ps512 => Algorithm::PS512,
        JwtAlgorithm::Es256 => Algorithm::ES256,
        JwtAlgorithm::Es384 => Algorithm::ES384,
        JwtAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests;
