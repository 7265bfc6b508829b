//! Addresses (RFC 7622, with the case folding of RFC 6122 for the parts before the slash).
//!
//! The `jid` crate prepares localparts and domainparts with the stringprep profiles of
//! RFC 6122, which is what every other server in use compares addresses by. Its
//! resourceprep refuses what was unassigned in Unicode 3.2, emoji among it, which are
//! ordinary in resources and nicknames today. [`Resource`] therefore follows the
//! `OpaqueString` profile of RFC 8265 §4.2, except that it lets the joiners through that
//! emoji sequences are made of.

use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

pub use ::jid::BareJid;

/// The longest resourcepart, in bytes (RFC 7622 §3.4).
pub const RESOURCE_BYTES_MAX: usize = 1023;

/// Why a string is not an address; answered with `jid-malformed` (RFC 6120 §8.3.3.8).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JidError {
    /// The part before the slash is not a bare JID.
    #[error("bad localpart or domainpart: {0}")]
    Bare(::jid::Error),
    /// There is a slash with nothing behind it.
    #[error("empty resourcepart")]
    ResourceEmpty,
    /// The resourcepart is over [`RESOURCE_BYTES_MAX`].
    #[error("resourcepart longer than {RESOURCE_BYTES_MAX} bytes")]
    ResourceTooLong,
    /// The resourcepart holds a control character or a code point that is no character.
    #[error("resourcepart holds the forbidden code point U+{:04X}", u32::from(*.0))]
    ResourceCharacter(char),
    /// A full JID was needed.
    #[error("resourcepart missing")]
    ResourceMissing,
}

/// The part of an address after the slash, prepared: two that are equal compare equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(CompactString);

impl Resource {
    /// Prepares a resourcepart: spaces of other scripts become U+0020, then NFC.
    ///
    /// # Errors
    /// When the text is empty, over [`RESOURCE_BYTES_MAX`], or holds a code point that
    /// may not appear.
    pub fn new(text: &str) -> Result<Self, JidError> {
        if text.bytes().all(|byte| matches!(byte, 0x20..=0x7E)) {
            return Self::sized(text.into());
        }
        if let Some(bad) = text.chars().find(|c| forbidden(*c)) {
            return Err(JidError::ResourceCharacter(bad));
        }
        let spaced = text.chars().map(|c| {
            if tables::non_ascii_space_character(c) && c != '\u{200B}' {
                ' '
            } else {
                c
            }
        });
        Self::sized(spaced.nfc().collect())
    }

    fn sized(prepared: CompactString) -> Result<Self, JidError> {
        match prepared.len() {
            0 => Err(JidError::ResourceEmpty),
            1..=RESOURCE_BYTES_MAX => Ok(Self(prepared)),
            _ => Err(JidError::ResourceTooLong),
        }
    }

    /// The prepared text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Controls, private use, non-characters and the tags that hide text are refused; zero-width
/// joiners are not, for emoji need them.
fn forbidden(c: char) -> bool {
    let joiner = matches!(c, '\u{200C}' | '\u{200D}');
    c.is_control()
        || tables::non_character_code_point(c)
        || tables::private_use(c)
        || matches!(
            c,
            '\u{FFF9}'..='\u{FFFD}' | '\u{2028}' | '\u{2029}' | '\u{E0001}'
        )
        || (!joiner && tables::change_display_properties_or_deprecated(c))
        || matches!(c, '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// An address: `domain`, `local@domain`, or either with `/resource`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jid {
    bare: BareJid,
    resource: Option<Resource>,
}

impl Jid {
    /// The address of one resource, or the bare one when there is no resource.
    #[must_use]
    pub const fn new(bare: BareJid, resource: Option<Resource>) -> Self {
        Self { bare, resource }
    }

    /// Parses and prepares an address.
    ///
    /// # Errors
    /// When it is not one; see [`JidError`].
    pub fn parse(text: &str) -> Result<Self, JidError> {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(Resource::new(resource)?)),
            None => (text, None),
        };
        let bare = BareJid::new(bare).map_err(JidError::Bare)?;
        Ok(Self { bare, resource })
    }

    /// The part before the slash.
    #[must_use]
    pub const fn bare(&self) -> &BareJid {
        &self.bare
    }

    /// The part after the slash.
    #[must_use]
    pub const fn resource(&self) -> Option<&Resource> {
        self.resource.as_ref()
    }

    /// The domainpart.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.bare.domain().as_str()
    }

    /// The localpart, if the address has one.
    #[must_use]
    pub fn local(&self) -> Option<&str> {
        self.bare.node().map(|node| node.as_str())
    }

    /// Whether there is no resource.
    #[must_use]
    pub const fn is_bare(&self) -> bool {
        self.resource.is_none()
    }

    /// The same address without its resource.
    #[must_use]
    pub fn to_bare(&self) -> Self {
        Self {
            bare: self.bare.clone(),
            resource: None,
        }
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(resource) => write!(f, "{}/{resource}", self.bare),
            None => write!(f, "{}", self.bare),
        }
    }
}

impl FromStr for Jid {
    type Err = JidError;
    fn from_str(text: &str) -> Result<Self, JidError> {
        Self::parse(text)
    }
}

impl From<BareJid> for Jid {
    fn from(bare: BareJid) -> Self {
        Self {
            bare,
            resource: None,
        }
    }
}

/// An address that certainly has a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FullJid {
    bare: BareJid,
    resource: Resource,
}

impl FullJid {
    /// The address of `resource` at `bare`.
    #[must_use]
    pub const fn new(bare: BareJid, resource: Resource) -> Self {
        Self { bare, resource }
    }

    /// The part before the slash.
    #[must_use]
    pub const fn bare(&self) -> &BareJid {
        &self.bare
    }

    /// The part after the slash.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }
}

impl fmt::Display for FullJid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bare, self.resource)
    }
}

impl FromStr for FullJid {
    type Err = JidError;
    fn from_str(text: &str) -> Result<Self, JidError> {
        let Jid { bare, resource } = Jid::parse(text)?;
        let resource = resource.ok_or(JidError::ResourceMissing)?;
        Ok(Self { bare, resource })
    }
}

impl From<FullJid> for Jid {
    fn from(full: FullJid) -> Self {
        Self {
            bare: full.bare,
            resource: Some(full.resource),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_prepared() {
        for (text, prepared) in [
            ("ALICE@EXAMPLE.COM/Desk", "alice@example.com/Desk"),
            ("example.com", "example.com"),
            ("example.com/x", "example.com/x"),
            ("a@b.c/with/slash and @", "a@b.c/with/slash and @"),
            ("a@b.c/\u{1F98A} Fox", "a@b.c/\u{1F98A} Fox"),
            // Family emoji: joined with U+200D.
            (
                "a@b.c/\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
                "a@b.c/\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
            ),
            ("a@b.c/e\u{301}", "a@b.c/\u{e9}"),
            ("a@b.c/x\u{3000}y", "a@b.c/x y"),
        ] {
            assert_eq!(
                Jid::parse(text).map(|jid| jid.to_string()),
                Ok(prepared.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = "r".repeat(1024);
        for text in [
            "",
            "@b.c",
            "a@",
            "a@b.c/",
            "a b@c",
            "a@b.c/\u{7}",
            "a@b.c/\u{FFFE}",
            "a@b.c/\u{200B}",
            "a@b.c/\u{202E}evil",
            &format!("a@b.c/{long}"),
        ] {
            assert!(Jid::parse(text).is_err(), "{text:?}");
        }
        assert_eq!("a@b.c".parse::<FullJid>(), Err(JidError::ResourceMissing));
    }
}
