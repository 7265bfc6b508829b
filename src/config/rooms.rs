//! `[rooms]`: the service for rooms of each host (XEP-0045).

use jid::DomainPart;

use super::section::{section, words};
use super::units::Bytes;
use super::value::{Scalar, quoted};

section! {
    /// Rooms in which many talk to each other (XEP-0045), at a domain below that of each host.
    pub struct Rooms {
        /// Whether there are rooms.
        enabled: bool = true;
        /// The label before the domain of the host: rooms.example.org.
        subdomain: Subdomain = Subdomain::rooms();
        /// Who may create a room: "everybody" with an account here; "administrators"; "nobody".
        create: RoomCreation = RoomCreation::Everybody;
        /// How many rooms there may be, of all hosts together.
        rooms_max: u32 = 10_000, in 1..=1_000_000;
        /// How many of them one account may have created.
        rooms_per_account_max: u32 = 100, in 1..=100_000;
        /// How many occupants one room takes, whatever its owner says.
        occupants_max: u32 = 1_000, in 2..=20_000;
        /// How many accounts one room keeps an affiliation or a nickname for.
        affiliations_max: u32 = 5_000, in 1..=100_000;
        /// How many messages a room holds ready for those who enter.
        history_messages_max: u32 = 100, in 0..=200;
        /// How much these may weigh; older ones go first.
        history_bytes_max: Bytes = Bytes::kib(256), in Bytes::new(0)..=Bytes::mib(16);
        /// How large a message to a room may be.
        message_bytes_max: Bytes = Bytes::kib(64), in Bytes::kib(1)..=Bytes::mib(1);
        /// How large the presence of an occupant may be, which everybody who enters is sent.
        presence_bytes_max: Bytes = Bytes::kib(4), in Bytes::new(256)..=Bytes::kib(64);
        /// How long a subject may be.
        subject_bytes_max: Bytes = Bytes::kib(4), in Bytes::new(64)..=Bytes::kib(64);
        /// How long a nickname may be.
        nick_bytes_max: Bytes = Bytes::new(128), in Bytes::new(8)..=Bytes::new(1023);
        /// How large the vCard of a room may be, with its picture.
        vcard_bytes_max: Bytes = Bytes::kib(128), in Bytes::new(0)..=Bytes::mib(1);
        /// How many stanzas an occupant may send to one room in a second, on average.
        stanzas_per_second_max: u32 = 10, in 1..=10_000;
        /// How many at once, after a silence.
        stanzas_burst_max: u32 = 50, in 1..=100_000;
        /// Whether a new room stays when nobody is in it; its owner may change that.
        persistent: bool = false;
        /// Whether a new room is listed; its owner may change that.
        public: bool = true;
        /// Whether in a new room everybody sees the addresses behind the nicknames; its owner may
        /// change that.
        nonanonymous: bool = false;
    }
}

words! {
    /// Who may create a room.
    pub enum RoomCreation {
        /// Accounts of this server.
        Everybody = "everybody",
        /// Its administrators.
        Administrators = "administrators",
        /// Nobody: those that exist remain.
        Nobody = "nobody",
    }
}

/// One label of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subdomain(String);

impl Subdomain {
    fn rooms() -> Self {
        Self("rooms".to_owned())
    }

    /// The label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scalar for Subdomain {
    fn expected() -> String {
        "a label such as \"rooms\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let part = DomainPart::new(text).ok()?;
        let label = part.as_str();
        let plain = !label.contains(['.', ':', '[']) && !label.is_empty();
        plain.then(|| Self(label.to_owned()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subdomain_is_one_label() {
        for (text, read) in [
            ("rooms", Some("rooms")),
            ("Conference", Some("conference")),
            ("a.b", None),
            ("", None),
            ("a b", None),
            ("[::1]", None),
        ] {
            let label = Subdomain::from_text(text);
            assert_eq!(label.as_ref().map(Subdomain::as_str), read, "{text}");
        }
    }
}
