//! `[auth.oauth]`: people who come with a signed token.

use std::path::PathBuf;

use super::address::Domain;
use super::auth::GivenRole;
use super::section::{section, words};
use super::units::Seconds;
use super::value::{Scalar, quoted};

section! {
    /// Logging in with a JSON Web Token of an identity provider (OAUTHBEARER, RFC 7628); offered
    /// when `[auth]` sources has "oauth". An account comes into being with the first login. A token that
    /// ends ends no session: it is looked at when somebody logs in, and tokens of `[fast]` go on
    /// counting for their own time.
    pub struct Oauth {
        /// Who signs, as the claim "iss" says it.
        issuer: String = String::new();
        /// For whom tokens are: one of these has to be in the claim "aud".
        audiences: Vec<String> = Vec::new();
        /// The provider's public keys, a JWK Set (RFC 7517): a file.
        jwks_file: Option<PathBuf> = None;
        /// The same at a URL.
        jwks_url: Option<JwksUrl> = None;
        /// The authorities whose certificates the server of jwks_url may show, PEM. Empty: those that
        /// this machine trusts.
        ca: Option<PathBuf> = None;
        /// After how long the keys are fetched again. Besides, a token that names a key that is not
        /// among them has them fetched, once a minute at most.
        jwks_refresh_seconds: Seconds = Seconds::new(3600),
            in Seconds::new(60)..=Seconds::new(604_800);
        /// How long the server of jwks_url may take.
        timeout_seconds: Seconds = Seconds::new(5), in Seconds::new(1)..=Seconds::new(60);
        /// How tokens may be signed; with a public key always.
        algorithms: Vec<JwtAlgorithm> = vec![JwtAlgorithm::Rs256, JwtAlgorithm::Es256];
        /// How far clocks may differ, for "exp" and "nbf".
        leeway_seconds: Seconds = Seconds::new(30), in Seconds::new(0)..=Seconds::new(300);
        /// The claim with the person's name: what stands before the @ of the account, or both with
        /// the @. It has to be one that people cannot choose themselves.
        user_claim: String = "preferred_username".to_owned();
        /// The domain behind the @ of that claim, when it is not that of the account.
        user_domain: Option<Domain> = None;
        /// A scope that a token has to have (claim "scope" or "scp"); empty for none.
        scope: String = String::new();
        /// The claim that holds the name for people, written into the vCard of a new account.
        name_claim: String = "name".to_owned();
        /// The claim that lists what the person is, for the roles below; dots lead into it:
        /// "realm_access.roles".
        role_claim: String = "roles".to_owned();
        /// Where clients learn how to get a token: the provider's document, told to who comes
        /// without a good one. Empty: the issuer with /.well-known/openid-configuration.
        openid_configuration: String = String::new();
        /// The hosts whose people these are; empty for all.
        hosts: Vec<Domain> = Vec::new();
    }
    arrays {
        roles: ClaimRole as "role" = Vec::new(), requires &["value", "role"];
    }
}

section! {
    /// The role that goes with a value of role_claim, set at each login. The highest counts; who has none
    /// of the values is a member. Without any such table roles are given by hand.
    pub struct ClaimRole {
        /// The value.
        value: String = String::new();
        /// The role.
        role: GivenRole = GivenRole::Agent;
    }
}

words! {
    /// How a token is signed (RFC 7518 §3.1, RFC 8037 §3.1): never with a shared key, never not at
    /// all.
    pub enum JwtAlgorithm {
        /// RSA PKCS #1 v1.5 with SHA-256.
        Rs256 = "RS256",
        /// RSA PKCS #1 v1.5 with SHA-384.
        Rs384 = "RS384",
        /// RSA PKCS #1 v1.5 with SHA-512.
        Rs512 = "RS512",
        /// RSA PSS with SHA-256.
        Ps256 = "PS256",
        /// RSA PSS with SHA-384.
        Ps384 = "PS384",
        /// RSA PSS with SHA-512.
        Ps512 = "PS512",
        /// P-256 with SHA-256.
        Es256 = "ES256",
        /// P-384 with SHA-384.
        Es384 = "ES384",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

impl Oauth {
    /// Where clients learn how to get a token.
    #[must_use]
    pub fn discovery(&self) -> String {
        if self.openid_configuration.is_empty() {
            let issuer = self.issuer.trim_end_matches('/');
            format!("{issuer}/.well-known/openid-configuration")
        } else {
            self.openid_configuration.clone()
        }
    }
}

/// `https://login.example.org/jwks`; `http` only at an address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksUrl(String);

impl JwksUrl {
    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for JwksUrl {
    fn expected() -> String {
        "a URL such as \"https://login.example.org/jwks\" (http on loopback addresses only)"
            .to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            Some(_) => return None,
            None => authority,
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/%?=&".contains(&byte);
        let good = !host.is_empty() && rest.bytes().all(allowed);
        let loopback = ["127.0.0.1", "localhost"].contains(&host);
        let good = good && (scheme == "https" || (scheme == "http" && loopback));
        good.then(|| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_over_https_or_from_this_machine() {
        for (text, good) in [
            ("https://login.example.org/realms/x/certs?v=1", true),
            ("https://login.example.org:8443/jwks", true),
            ("http://127.0.0.1:8080/jwks", true),
            ("http://login.example.org/jwks", false),
            ("http://127.0.0.1.example.org/jwks", false),
            ("http://127.0.0.1@login.example.org/", false),
            ("file:///etc/jwks", false),
            ("https://", false),
            ("https://:443/", false),
        ] {
            assert_eq!(JwksUrl::from_text(text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn no_algorithm_with_a_shared_key_can_be_configured() {
        for name in ["none", "HS256", "HS384", "HS512", "rs256", ""] {
            assert_eq!(JwtAlgorithm::from_text(name), None, "{name}");
        }
        assert_eq!(JwtAlgorithm::from_text("RS256"), Some(JwtAlgorithm::Rs256));
    }
}
