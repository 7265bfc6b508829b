//! The client's side of SCRAM (RFC 5802), with the channel binding that a test gives it, true or not.

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use crate::peer::Peer;
use crate::xml::Node;

/// A hash function of SCRAM.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    pub(crate) const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// The mechanism's name, without `-PLUS`.
    pub(crate) fn mechanism(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    pub(crate) fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }

    pub(crate) fn hmac(self, key: &[u8], data: &[u8]) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Sha1 => Hmac::<Sha1>::new_from_slice(key)?
                .chain_update(data)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Sha256 => Hmac::<Sha256>::new_from_slice(key)?
                .chain_update(data)
                .finalize()
                .into_bytes()
                .to_vec(),
            Self::Sha512 => Hmac::<Sha512>::new_from_slice(key)?
                .chain_update(data)
                .finalize()
                .into_bytes()
                .to_vec(),
        })
    }

    pub(crate) fn salted(self, password: &str, salt: &[u8], rounds: u32) -> Vec<u8> {
        let mut out = self.digest(b"");
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt, rounds, &mut out),
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, rounds, &mut out)
            }
            Self::Sha512 => {
                pbkdf2::pbkdf2_hmac::<Sha512>(password.as_bytes(), salt, rounds, &mut out)
            }
        }
        out
    }
}

/// One login.
#[derive(Clone, Debug)]
pub(crate) struct Login<'a> {
    pub(crate) hash: Hash,
    /// Whether the mechanism with `-PLUS` is named.
    pub(crate) plus: bool,
    /// `n`, `y`, or `p=` and a type of binding.
    pub(crate) flag: &'a str,
    /// What goes behind the GS2 header into `c=`.
    pub(crate) binding: Vec<u8>,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    /// What was offered, as XEP-0474 §5.1 writes it; `None` for a client that does not know that.
    pub(crate) offered: Option<String>,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `<success/>` with a server's signature that was found right, or `<failure/>`.
    pub(crate) answer: Node,
    /// What nobody but the two sides may learn, as it went over the wire: proof and last message.
    pub(crate) secrets: Vec<String>,
}

impl Login<'_> {
    /// Authenticates on an open stream.
    pub(crate) async fn run(&self, peer: &mut Peer) -> Result<Outcome> {
        let mechanism = format!(
            "{}{}",
            self.hash.mechanism(),
            if self.plus { "-PLUS" } else { "" }
        );
        let gs2 = format!("{},,", self.flag);
        let first = format!("n={},r=rOprNGfwEbeRWgbNEkqO", self.user);
        let challenge = peer
            .authenticate(&mechanism, format!("{gs2}{first}").as_bytes())
            .await?;
        if challenge.name != "challenge" {
            return Ok(Outcome {
                answer: challenge,
                secrets: Vec::new(),
            });
        }
        let server_first = String::from_utf8(BASE64.decode(&challenge.text)?)?;
        let field = |name: &str| -> Result<&str> {
            let mut fields = server_first.split(',');
            let found = fields.find_map(|field| field.strip_prefix(name));
            found.with_context(|| format!("no {name} in {server_first}"))
        };
        if let Some(offered) = &self.offered {
            // XEP-0474 §5.1: what the server has offered, as it knows it.
            let expected = BASE64.encode(self.hash.digest(offered.as_bytes()));
            if field("h=")? != expected {
                bail!("somebody has changed what was offered: {server_first}");
            }
        }
        let (nonce, salt, rounds) = (
            field("r=")?,
            BASE64.decode(field("s=")?)?,
            field("i=")?.parse()?,
        );
        ensure!(nonce.starts_with("rOprNGfwEbeRWgbNEkqO"), "{server_first}");
        let bound = BASE64.encode([gs2.as_bytes(), &self.binding].concat());
        let without_proof = format!("c={bound},r={nonce}");
        let signed = format!("{first},{server_first},{without_proof}");
        let salted = self.hash.salted(self.password, &salt, rounds);
        let client_key = self.hash.hmac(&salted, b"Client Key")?;
        let signature = self
            .hash
            .hmac(&self.hash.digest(&client_key), signed.as_bytes())?;
        let proof: Vec<u8> = client_key
            .iter()
            .zip(&signature)
            .map(|(key, mask)| key ^ mask)
            .collect();
        let proof = BASE64.encode(proof);
        let last = BASE64.encode(format!("{without_proof},p={proof}"));
        peer.send(&format!(
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{last}</response>"
        ))
        .await?;
        let answer = peer.element().await?;
        if answer.name == "success" {
            let server_key = self.hash.hmac(&salted, b"Server Key")?;
            let expected = BASE64.encode(self.hash.hmac(&server_key, signed.as_bytes())?);
            let told = String::from_utf8(BASE64.decode(&answer.text)?)?;
            if told != format!("v={expected}") {
                bail!("the server does not know the password: {told}");
            }
        }
        Ok(Outcome {
            answer,
            secrets: vec![proof, last],
        })
    }
}
