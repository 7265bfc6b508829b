//! Links to files: for one file, one holder, and some time, signed with a key of the server's own, so that nobody makes
//! another. They say who asks; whether that one sees the file is asked anew each time.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::clock::Timestamp;
use crate::domain::ids::AgentId;
use crate::hooks::Services;
use crate::proto::{BareJid, uri};
use crate::store::StoreError;

/// What the key is called in the database.
const KEY: &str = "attachment-link-secret";

/// The key of the links; there is none before the start.
#[derive(Default)]
pub(in crate::contact_center) struct Files {
    key: OnceLock<Vec<u8>>,
}

/// Who was given a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// An agent, who sees the stream as long as it is among those for whom it is.
    Agent(AgentId),
    /// The component of that domain, which passes the stream to the customer.
    Component(String),
    /// An account that has disclosed what is kept of a customer, as long as it may.
    Discloser(BareJid),
}

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// Which file.
    pub(super) slot: &'a str,
    /// Who was given it.
    pub(super) holder: Holder,
    /// Until when it holds.
    pub(super) until: Timestamp,
}

impl Files {
    /// Reads the key, which is made at the first start.
    pub(super) async fn start(&self, services: &Services) -> Result<(), StoreError> {
        // Two identifiers that nobody guesses are as many bytes as the signature has.
        let make = || format!("{}{}", crate::id::random(), crate::id::random()).into_bytes();
        let key = services.store.settings().find_or_create(KEY, make).await?;
        self.key.get_or_init(|| key);
        Ok(())
    }

    /// The URL of a link, below where files are to be had.
    pub(super) fn url(&self, base: &str, name: &str, link: &Link<'_>) -> Option<String> {
        let said = link.said();
        let signed = self.signature(link.slot, &said)?.finalize().into_bytes();
        let (said, signed) = (URL_SAFE_NO_PAD.encode(said), URL_SAFE_NO_PAD.encode(signed));
        let (slot, name) = (link.slot, uri::encode(name));
        Some(format!(
            "{base}/attachment/{slot}/{name}?for={said}.{signed}"
        ))
    }

    /// What the link to that file says, if it is one of ours.
    pub(super) fn read<'a>(&self, slot: &'a str, query: &str) -> Option<Link<'a>> {
        let (said, signed) = query.strip_prefix("for=")?.split_once('.')?;
        let said = String::from_utf8(URL_SAFE_NO_PAD.decode(said).ok()?).ok()?;
        let signed = URL_SAFE_NO_PAD.decode(signed).ok()?;
        // Compares in constant time.
        self.signature(slot, &said)?.verify_slice(&signed).ok()?;
        let (until, holder) = said.split_once(' ')?;
        Some(Link {
            slot,
            holder: Holder::read(holder)?,
            until: Timestamp::from_micros(until.parse().ok()?),
        })
    }

    fn signature(&self, slot: &str, said: &str) -> Option<Hmac<Sha256>> {
        let mut signature = Hmac::<Sha256>::new_from_slice(self.key.get()?).ok()?;
        // No slot has a space in it.
        signature.update(format!("{slot} {said}").as_bytes());
        Some(signature)
    }
}

impl Link<'_> {
    fn said(&self) -> String {
        let until = self.until.as_micros();
        match &self.holder {
            Holder::Agent(agent) => format!("{until} agent {agent}"),
            Holder::Component(domain) => format!("{until} component {domain}"),
            Holder::Discloser(account) => format!("{until} discloser {account}"),
        }
    }
}

impl Holder {
    fn read(text: &str) -> Option<Self> {
        let (kind, address) = text.split_once(' ')?;
        match kind {
            "agent" => address.parse().ok().map(Self::Agent),
            "component" => Some(Self::Component(address.to_owned())),
            "discloser" => BareJid::new(address).ok().map(Self::Discloser),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(key: &str) -> Files {
        let files = Files::default();
        files.key.get_or_init(|| key.as_bytes().to_vec());
        files
    }

    /// S4-35: who was given a link cannot make one of it for another file, another one, or a later time.
    #[test]
    fn a_link_says_what_it_was_made_to_say_and_nothing_else() {
        let ours = files("one");
        let link = Link {
            slot: "0123456789abcdef0123456789abcdef",
            holder: Holder::Agent("romeo@localhost".parse().unwrap()),
            until: Timestamp::from_micros(1_790_000_000_000_000),
        };
        let url = ours
            .url("https://f.example", "très cool.png", &link)
            .unwrap();
        let (path, query) = url.split_once('?').unwrap();
        let wanted = format!(
            "https://f.example/attachment/{}/tr%C3%A8s%20cool.png",
            link.slot
        );
        assert_eq!(path, wanted);
        assert_eq!(ours.read(link.slot, query), Some(link.clone()));
        let theirs = Link {
            holder: Holder::Component("pbx.example.org".to_owned()),
            ..link.clone()
        };
        let discloser = BareJid::new("boss@localhost").unwrap();
        let disclosed = Link {
            holder: Holder::Discloser(discloser),
            ..link.clone()
        };
        for others in [theirs, disclosed] {
            let url = ours.url("https://f.example", "a.png", &others).unwrap();
            let (_, query) = url.split_once('?').unwrap();
            assert_eq!(ours.read(link.slot, query), Some(others));
        }
        assert_eq!(files("two").read(link.slot, query), None);
        assert_eq!(Files::default().read(link.slot, query), None);
        let other = link.slot.replace('0', "1");
        assert_eq!(ours.read(&other, query), None);
        let later = "1790000000000001 agent romeo@localhost";
        let signed = query.split_once('.').unwrap().1;
        for wrong in [
            String::new(),
            "for=".to_owned(),
            "for=.".to_owned(),
            format!("{query}A"),
            format!("for={}.{signed}", URL_SAFE_NO_PAD.encode(later)),
            format!("for={}.", URL_SAFE_NO_PAD.encode(link.said())),
            format!("x={query}"),
        ] {
            assert_eq!(ours.read(link.slot, &wrong), None, "{wrong}");
        }
    }
}
