//! What a client asks for together with its authentication: `<authenticate/>` taken apart
//! (XEP-0388 §2.3, XEP-0386 §3.2, XEP-0484 §3, XEP-0480 §2.2).
//!
//! What `<user-agent/>` says of software and device is not kept.

use crate::proto::scram::ScramHash;
use crate::proto::{Condition, ns};
use crate::stream::features::{FAST, UPGRADE};
use crate::stream::management::Resume;
use crate::stream::sasl::{self, SaslCondition, TokenMechanism};
use crate::xml::Element;

/// What a client asks for; children that nobody knows are passed over.
#[derive(Default)]
pub(super) struct Wishes {
    /// The installation of the client, a UUID in lower case.
    pub(super) agent: Option<String>,
    /// `<resume/>` (XEP-0198 §9.2), or what is wrong with it.
    pub(super) resume: Option<Result<Resume, Condition>>,
    /// `<bind/>`.
    pub(super) bind: Option<Element>,
    /// `<fast/>`: the client logs in with a token.
    pub(super) fast: Option<Fast>,
    /// The mechanism of `<request-token/>`. One that nobody knows is no wish: the client gets
    /// no token and logs in as before the next time.
    pub(super) request: Option<TokenMechanism>,
    /// The hashes of `<upgrade/>`, each once.
    pub(super) upgrades: Vec<ScramHash>,
}

/// How a token is used (XEP-0484 §3.4, §3.6).
#[derive(Clone, Copy)]
pub(super) struct Fast {
    pub(super) count: Option<u32>,
    pub(super) invalidate: bool,
}

impl Wishes {
    /// The initial response, and the wishes.
    pub(super) fn read(authenticate: &Element) -> Result<(Option<Vec<u8>>, Self), SaslCondition> {
        let initial = authenticate.child_text(ns::SASL2, "initial-response");
        let initial = initial.map(|text| sasl::decode_text(&text)).transpose()?;
        let agent = authenticate
            .find(ns::SASL2, "user-agent")
            .and_then(|agent| agent.attribute("id"));
        let agent = agent.map(uuid).transpose()?;
        let request = authenticate
            .find(FAST, "request-token")
            .and_then(|request| request.attribute("mechanism"));
        let fast = authenticate.find(FAST, "fast").map(fast).transpose()?;
        let asked = |hash: &ScramHash| {
            let name = task(*hash);
            let mut children = authenticate.children();
            children.any(|it| it.is(UPGRADE, "upgrade") && it.text_content().trim() == name)
        };
        let wishes = Self {
            agent,
            resume: authenticate
                .find(ns::STREAM_MANAGEMENT, "resume")
                .map(Resume::read_inline),
            bind: authenticate.find(ns::BIND2, "bind").cloned(),
            fast,
            request: request.and_then(TokenMechanism::parse),
            upgrades: ScramHash::ALL.into_iter().filter(asked).collect(),
        };
        Ok((initial, wishes))
    }
}

/// The name of the task that gives an account keys for a hash (XEP-0480 §2.1).
pub(super) const fn task(hash: ScramHash) -> &'static str {
    match hash {
        ScramHash::Sha1 => "UPGR-SCRAM-SHA-1",
        ScramHash::Sha256 => "UPGR-SCRAM-SHA-256",
        ScramHash::Sha512 => "UPGR-SCRAM-SHA-512",
    }
}

fn fast(fast: &Element) -> Result<Fast, SaslCondition> {
    let count = fast.attribute("count").map(str::parse).transpose();
    let invalidate = match fast.attribute("invalidate") {
        None | Some("false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(SaslCondition::MalformedRequest),
    };
    Ok(Fast {
        count: count.map_err(|_| SaslCondition::MalformedRequest)?,
        invalidate,
    })
}

/// The form that the schema of XEP-0388 has. That it is of version 4 is for the client to see to.
fn uuid(text: &str) -> Result<String, SaslCondition> {
    let groups = text.split('-').map(|group| {
        let digits = group.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then_some(group.len())
    });
    let right = groups.eq([8, 4, 4, 4, 12].map(Some));
    right
        .then(|| text.to_ascii_lowercase())
        .ok_or(SaslCondition::MalformedRequest)
}
