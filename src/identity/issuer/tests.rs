//! Whole tokens: signed by keys made on the spot, checked by sets in a file and at a URL.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::Config;
use crate::config::JwksUrl;

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((NOW + seconds) * 1_000_000)
}

/// A key of the issuer.
struct Signer {
    kid: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Signer {
    fn new(kid: &'static str, algorithm: Algorithm) -> Self {
        let (kind, read): (&'static SignatureAlgorithm, fn(&[u8]) -> _) = match algorithm {
            Algorithm::ES256 => (&PKCS_ECDSA_P256_SHA256, EncodingKey::from_ec_pem),
            _ => (&PKCS_RSA_SHA256, EncodingKey::from_rsa_pem),
        };
        let pair = KeyPair::generate_for(kind).unwrap();
        Self {
            kid,
            algorithm,
            key: read(pair.serialize_pem().as_bytes()).unwrap(),
        }
    }

    fn jwk(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    fn token(&self, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.to_owned());
        change(&mut header);
        encode(&header, &claims(), &self.key).unwrap()
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://login.example.org",
        "aud": "parlour",
        "exp": NOW + 7200,
        "preferred_username": "anna",
    })
}

fn set(signers: &[&Signer]) -> String {
    let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

fn config() -> Oauth {
    Oauth {
        issuer: "https://login.example.org".to_owned(),
        audiences: vec!["parlour".to_owned()],
        ..Oauth::default()
    }
}

/// An issuer whose keys stand in a file.
fn issuer(config: Oauth, keys: &str) -> (Issuer, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, keys).unwrap();
    let config = Oauth {
        jwks_file: Some(file),
        ..config
    };
    (Issuer::new(&config).unwrap(), folder)
}

async fn judged(issuer: &Issuer, token: &str, seconds: i64) -> Result<String, Flaw> {
    let host = BareJid::new("example.org").unwrap();
    let judged = issuer.judge(&host, token, at(seconds)).await.unwrap();
    judged.map(|person| person.account.to_string())
}

#[tokio::test]
async fn a_token_of_each_kind_of_key_is_taken() {
    let signers = [
        Signer::new("e", Algorithm::ES256),
        Signer::new("r", Algorithm::RS256),
        Signer::new("p", Algorithm::PS256),
    ];
    let config = Oauth {
        algorithms: vec![
            JwtAlgorithm::Es256,
            JwtAlgorithm::Rs256,
            JwtAlgorithm::Ps256,
        ],
        ..config()
    };
    let (issuer, _folder) = issuer(config, &set(&signers.each_ref()));
    for signer in &signers {
        let found = judged(&issuer, &signer.token(|_| {}), 0).await;
        assert_eq!(found.as_deref(), Ok("anna@example.org"), "{}", signer.kid);
        // The only key of its kind needs no name.
        let nameless = signer.token(|header| header.kid = None);
        assert!(judged(&issuer, &nameless, 0).await.is_ok());
    }
}

/// The example of RFC 8037 appendix A.4, whose payload is no JSON: that is looked at once the signature is
/// found to be right.
#[tokio::test]
async fn ed25519_is_checked() {
    const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let config = Oauth {
        algorithms: vec![JwtAlgorithm::EdDsa],
        ..config()
    };
    let (issuer, _folder) = issuer(config, KEYS);
    assert_eq!(judged(&issuer, TOKEN, 0).await, Err(Flaw::Malformed));
    let changed = TOKEN.replace(".hgyY", ".hgyX");
    assert_eq!(judged(&issuer, &changed, 0).await, Err(Flaw::Signature));
}

#[tokio::test]
async fn what_the_issuer_did_not_sign_is_refused() {
    let signer = Signer::new("e", Algorithm::ES256);
    let other = Signer::new("e", Algorithm::ES256);
    let rsa = Signer::new("r", Algorithm::RS256);
    let (issuer, _folder) = issuer(config(), &set(&[&signer, &rsa]));
    let good = signer.token(|_| {});
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        panic!("{good}");
    };
    // "eyJhbGciOiJub25lIn0" is {"alg":"none"}.
    let mut shared = Header::new(Algorithm::HS256);
    shared.kid = Some("r".to_owned());
    let public = rsa.jwk()["n"].as_str().unwrap().to_owned();
    let confused = encode(
        &shared,
        &claims(),
        &EncodingKey::from_secret(public.as_bytes()),
    );
    for (token, flaw) in [
        (String::new(), Flaw::Missing),
        ("token".to_owned(), Flaw::Malformed),
        (format!("{head}.{body}"), Flaw::Malformed),
        (format!("{head}.{body}.{signature}.x"), Flaw::Malformed),
        (format!("eyJhbGciOiJub25lIn0.{body}."), Flaw::Malformed),
        (format!("{head}.{body}."), Flaw::Signature),
        (
            format!("{head}.{}.{signature}", body.replacen("eyJ", "", 1)),
            Flaw::Signature,
        ),
        (other.token(|_| {}), Flaw::Signature),
        (confused.unwrap(), Flaw::Algorithm),
        (
            signer.token(|it| it.crit = Some(vec!["b64".to_owned()])),
            Flaw::Critical,
        ),
        (signer.token(|it| it.kid = Some("x".to_owned())), Flaw::Key),
        // A key of another kind does not fit, whatever it is called.
        (signer.token(|it| it.kid = Some("r".to_owned())), Flaw::Key),
        // The key that comes along is nobody's.
        (
            other.token(|it| it.jwk = serde_json::from_value(other.jwk()).ok()),
            Flaw::Signature,
        ),
    ] {
        assert_eq!(judged(&issuer, &token, 0).await, Err(flaw), "{token}");
    }
    assert_eq!(
        judged(&issuer, &good, 7229).await.as_deref(),
        Ok("anna@example.org")
    );
    assert_eq!(judged(&issuer, &good, 7230).await, Err(Flaw::Expired));
}

/// RFC 7628 §3.2.2.
#[tokio::test]
async fn a_refusal_says_where_to_get_a_token() {
    let signer = Signer::new("e", Algorithm::ES256);
    let scoped = Oauth {
        scope: "xmpp".to_owned(),
        ..config()
    };
    let (issuer, _folder) = issuer(scoped, &set(&[&signer]));
    let host = BareJid::new("example.org").unwrap();
    for (token, status) in [
        (String::new(), "invalid_token"),
        (signer.token(|_| {}), "insufficient_scope"),
    ] {
        let refusal = issuer
            .token(&host, &token, at(0))
            .await
            .unwrap()
            .unwrap_err();
        let answer: Value = serde_json::from_slice(&refusal.answer).unwrap();
        assert_eq!(
            answer,
            json!({
                "status": status,
                "scope": "xmpp",
                "openid-configuration":
                    "https://login.example.org/.well-known/openid-configuration",
            })
        );
    }
}

/// A server that tells a set of keys, and how often it was asked.
struct Site {
    url: String,
    text: Arc<std::sync::Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Site {
    async fn start(text: String) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", socket.local_addr().unwrap());
        let text = Arc::new(std::sync::Mutex::new(text));
        let asked = Arc::new(AtomicUsize::new(0));
        let (told, count) = (Arc::clone(&text), Arc::clone(&asked));
        let serve = async move {
            while let Ok((mut socket, _)) = socket.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                count.fetch_add(1, Ordering::SeqCst);
                let answer = told.lock().unwrap().clone();
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        };
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(serve);
        Self { url, text, asked }
    }

    fn tell(&self, text: String) {
        *self.text.lock().unwrap() = text;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn issuer(&self) -> Issuer {
        crate::net::tls::install_provider();
        let text = format!("[auth.oauth]\njwks_url = '{}'", self.url);
        let read = Config::parse("p.toml", &text, std::iter::empty()).unwrap();
        let url: Option<JwksUrl> = read.auth.oauth.jwks_url;
        Issuer::new(&Oauth {
            jwks_url: url,
            ..config()
        })
        .unwrap()
    }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn keys_are_fetched_again_for_a_new_one_once_a_minute_and_after_a_while() {
    let old = Signer::new("old", Algorithm::ES256);
    let new = Signer::new("new", Algorithm::ES256);
    let site = Site::start(ok(&set(&[&old]))).await;
    let issuer = site.issuer();
    let (with_old, with_new) = (old.token(|_| {}), new.token(|_| {}));
    assert!(judged(&issuer, &with_old, 0).await.is_ok());
    assert_eq!(site.asked(), 1);

    // Somebody makes names up: the issuer is not asked for each.
    for second in 1..60 {
        assert_eq!(judged(&issuer, &with_new, second).await, Err(Flaw::Key));
    }
    assert_eq!(site.asked(), 1);
    site.tell(ok(&set(&[&old, &new])));
    assert!(judged(&issuer, &with_new, 60).await.is_ok());
    assert!(judged(&issuer, &with_old, 61).await.is_ok());
    assert_eq!(site.asked(), 2);

    // A key that was taken back counts until the keys are fetched again.
    site.tell(ok(&set(&[&new])));
    assert!(judged(&issuer, &with_old, 60 + 3599).await.is_ok());
    assert_eq!(site.asked(), 2);
    assert_eq!(judged(&issuer, &with_old, 60 + 3600).await, Err(Flaw::Key));
    assert_eq!(site.asked(), 3);
}

#[tokio::test]
async fn what_cannot_be_fetched_leaves_the_keys_that_there_are() {
    let signer = Signer::new("e", Algorithm::ES256);
    let token = signer.token(|_| {});
    let host = BareJid::new("example.org").unwrap();
    let long = format!("{{\"keys\":[]{}}}", " ".repeat(2 * 1024 * 1024));
    for answer in [
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
        "HTTP/1.1 302 Off\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
            .to_owned(),
        ok("<html/>"),
        ok(&long),
        String::new(),
    ] {
        let site = Site::start(answer).await;
        let issuer = site.issuer();
        assert!(issuer.token(&host, &token, at(0)).await.is_err());
        // Who tries at once does not make it ask again.
        assert!(issuer.token(&host, &token, at(4)).await.is_err());
        assert_eq!(site.asked(), 1);
        let bad = site.text.lock().unwrap().clone();
        site.tell(ok(&set(&[&signer])));
        assert!(judged(&issuer, &token, 5).await.is_ok());
        site.tell(bad);
        assert!(judged(&issuer, &token, 3605 - 60).await.is_ok());
        assert!(issuer.load(at(3600)).await.is_err());
        assert!(judged(&issuer, &token, 3601).await.is_ok());
    }
}
