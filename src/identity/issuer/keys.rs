//! The public keys of whoever signs tokens: a JWK Set (RFC 7517) in a file or at a URL, read again after
//! a while and when a token names a key that is not among them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Mutex, MutexGuard};
use tracing::{info, warn};

use crate::clock::Timestamp;
use crate::config::Oauth;
use crate::identity::IdentityError;
use crate::net::tls::authorities;

/// The keys, and where they come from.
#[derive(Debug)]
pub(super) struct Keys {
    place: Place,
    refresh_seconds: i64,
    current: ArcSwap<Loaded>,
    /// Held while keys are read: when that was last tried.
    tried_at: Mutex<Option<Timestamp>>,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Url {
        url: String,
        client: reqwest::Client,
    },
    Nowhere,
}

#[derive(Debug, Default)]
struct Loaded {
    keys: Vec<Jwk>,
    at: Option<Timestamp>,
}

impl Keys {
    pub(super) fn new(config: &Oauth) -> Result<Self, IdentityError> {
        let place = match (&config.jwks_file, &config.jwks_url) {
            (Some(file), _) => Place::File(file.clone()),
            (None, Some(url)) => Place::Url {
                client: client(config)?,
                url: url.as_str().to_owned(),
            },
            (None, None) => Place::Nowhere,
        };
        Ok(Self {
            place,
            refresh_seconds: i64::from(config.jwks_refresh_seconds.as_u32()),
            current: ArcSwap::default(),
            tried_at: Mutex::default(),
        })
    }

    /// Reads the keys now, and says how many there are.
    pub(super) async fn load(&self, now: Timestamp) -> Result<usize, IdentityError> {
        let mut tried_at = self.tried_at.lock().await;
        Box::pin(self.read(&mut tried_at, now)).await?;
        Ok(self.current.load().keys.len())
    }

    /// The key that a token names; `None` when there is no such key.
    pub(super) async fn find(
        &self,
        header: &Header,
        now: Timestamp,
    ) -> Result<Option<DecodingKey>, IdentityError> {
        // One who comes does it; the others go on with the keys that there are.
        if self.is_old(now)
            && let Ok(mut tried_at) = self.tried_at.try_lock()
            && may_try(*tried_at, now, PAUSE_SECONDS)
            && let Err(error) = Box::pin(self.read(&mut tried_at, now)).await
        {
            warn!(%error, "the keys that there are go on counting");
        }
        if let Some(key) = self.pick(header) {
            return Ok(Some(key));
        }
        let mut tried_at = self.tried_at.lock().await;
        // Somebody may have read them while this one waited.
        if let Some(key) = self.pick(header) {
            return Ok(Some(key));
        }
        let there_are_some = self.current.load().at.is_some();
        let pause = if there_are_some {
            PAUSE_SECONDS
        } else {
            RETRY_SECONDS
        };
        if may_try(*tried_at, now, pause) {
            match Box::pin(self.read(&mut tried_at, now)).await {
                Ok(()) => return Ok(self.pick(header)),
                Err(error) if there_are_some => warn!(%error, "no newer keys"),
                Err(error) => return Err(error),
            }
        }
        if there_are_some {
            Ok(None)
        } else {
            Err(self.failed("they could not be read a moment ago"))
        }
    }

    fn is_old(&self, now: Timestamp) -> bool {
        let at = self.current.load().at;
        at.is_some_and(|at| now.seconds_since(at) >= self.refresh_seconds)
    }

    /// The key of that name, or the only one that fits where the token names none.
    fn pick(&self, header: &Header) -> Option<DecodingKey> {
        let current = self.current.load();
        let mut fitting = current.keys.iter().filter(|key| fits(key, header.alg));
        let key = match &header.kid {
            Some(kid) => fitting.find(|key| key.common.key_id.as_ref() == Some(kid)),
            None => {
                let first = fitting.next();
                first.filter(|_| fitting.next().is_none())
            }
        };
        DecodingKey::from_jwk(key?).ok()
    }

    async fn read(
        &self,
        tried_at: &mut MutexGuard<'_, Option<Timestamp>>,
        now: Timestamp,
    ) -> Result<(), IdentityError> {
        **tried_at = Some(now);
        let text = match &self.place {
            Place::File(file) => read_file(file).await,
            Place::Url { url, client } => fetch(client, url).await,
            Place::Nowhere => Err("no place is configured".to_owned()),
        };
        let keys = text.and_then(|text| parse(&text));
        let keys = keys.map_err(|cause| self.failed(&cause))?;
        info!(keys = keys.len(), "the keys of the issuer are read");
        let at = Some(now);
        self.current.store(Arc::new(Loaded { keys, at }));
        Ok(())
    }

    fn failed(&self, cause: &str) -> IdentityError {
        IdentityError::Keys {
            place: match &self.place {
                Place::File(file) => file.display().to_string(),
                Place::Url { url, .. } => url.clone(),
                Place::Nowhere => "the issuer".to_owned(),
            },
            cause: cause.to_owned(),
        }
    }
}

fn may_try(tried_at: Option<Timestamp>, now: Timestamp, pause_seconds: i64) -> bool {
    tried_at.is_none_or(|at| now.seconds_since(at) >= pause_seconds)
}

/// Redirects are not followed: keys come from where the operator says and from nowhere else.
fn client(config: &Oauth) -> Result<reqwest::Client, IdentityError> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(config.timeout_seconds.duration());
    if let Some(authorities) = &config.ca {
        builder = builder.tls_backend_preconfigured(authorities::client_config(authorities)?);
    }
    builder.build().map_err(|error| IdentityError::Keys {
        place: "[auth.oauth] jwks_url".to_owned(),
        cause: chain(&error),
    })
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let answer = client.get(url).send().await;
    let mut answer = answer.map_err(|error| chain(&error))?;
    if !answer.status().is_success() {
        return Err(format!("the server answers {}", answer.status()));
    }
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| chain(&error))? {
        if text.len().saturating_add(chunk.len()) > BYTES_MAX {
            return Err(format!("longer than {BYTES_MAX} bytes"));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

async fn read_file(file: &Path) -> Result<Vec<u8>, String> {
    let opened = tokio::fs::File::open(file).await;
    let opened = opened.map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let read = opened
        .take(BYTES_MAX as u64 + 1)
        .read_to_end(&mut text)
        .await;
    read.map_err(|error| error.to_string())?;
    if text.len() > BYTES_MAX {
        return Err(format!("longer than {BYTES_MAX} bytes"));
    }
    Ok(text)
}

/// An error with all its causes: of a failed connection the first says nothing.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// The keys of a set that this server can use; those of kinds that it does not know are passed over
/// (RFC 7517 §5).
fn parse(text: &[u8]) -> Result<Vec<Jwk>, String> {
    let set: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let keys = set.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or_else(|| "not a JWK Set (RFC 7517 §5)".to_owned())?;
    if keys.len() > KEYS_MAX {
        return Err(format!("more than {KEYS_MAX} keys"));
    }
    let read = keys
        .iter()
        .filter_map(|key| serde_json::from_value(key.clone()).ok());
    let usable: Vec<Jwk> = read
        .filter(|key| USABLE.iter().any(|algorithm| fits(key, *algorithm)))
        .collect();
    if usable.is_empty() {
        return Err("none of the keys can be used".to_owned());
    }
    Ok(usable)
}

/// Whether the key is for signatures of that algorithm: a public key is never taken for the secret of another
/// algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match (&key.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        ) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => {
            key.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => {
            key.curve == EllipticCurve::P384
        }
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => {
            key.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    let own = key.common.key_algorithm;
    let named = own.is_none_or(|own| own.to_string() == format!("{algorithm:?}"));
    let usage = key.common.public_key_use.as_ref();
    kind && named && usage.is_none_or(|usage| *usage == PublicKeyUse::Signature)
}

/// What can be configured.
const USABLE: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// A set of a dozen keys with certificates takes 50 KiB.
const BYTES_MAX: usize = 1024 * 1024;
/// Providers have two or three; those that serve many tenants some dozen.
const KEYS_MAX: usize = 256;
/// Between two times at which keys are read because of a token: anybody can make up the name of a key.
const PAUSE_SECONDS: i64 = 60;
/// The same while there are none at all, and nobody can log in.
const RETRY_SECONDS: i64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_kinds_and_uses_are_passed_over() {
        const RSA: &str = r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"r""#;
        for (text, usable) in [
            (format!(r#"{{"keys":[{RSA}}}]}}"#), Some(1)),
            (
                format!(r#"{{"keys":[{RSA},"alg":"RS256","use":"sig"}}]}}"#),
                Some(1),
            ),
            (
                format!(r#"{{"keys":[{RSA}}},{{"kty":"new"}},7]}}"#),
                Some(1),
            ),
            (format!(r#"{{"keys":[{RSA},"use":"enc"}}]}}"#), None),
            (format!(r#"{{"keys":[{RSA},"alg":"RSA-OAEP"}}]}}"#), None),
            (format!(r#"{{"keys":[{RSA},"alg":"HS256"}}]}}"#), None),
            (
                r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"s"}]}"#.to_owned(),
                None,
            ),
            (r#"{"keys":[]}"#.to_owned(), None),
            (r#"{"keys":{}}"#.to_owned(), None),
            ("[]".to_owned(), None),
            ("<html>".to_owned(), None),
        ] {
            let found = parse(text.as_bytes()).map(|keys| keys.len()).ok();
            assert_eq!(found, usable, "{text}");
        }
        let many = vec![r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#; KEYS_MAX + 1].join(",");
        assert!(parse(format!(r#"{{"keys":[{many}]}}"#).as_bytes()).is_err());
    }
}
