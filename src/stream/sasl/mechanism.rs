//! The mechanisms that this server knows (RFC 6120 §6.3.3, §13.8).

use std::fmt;

use crate::proto::scram::ScramHash;

/// A way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// A certificate that was shown to TLS (RFC 4422 Appendix A, XEP-0178).
    External,
    /// RFC 5802 with one of its hashes.
    Scram {
        /// The hash function.
        hash: ScramHash,
        /// Whether it is tied to the TLS channel (`-PLUS`).
        plus: bool,
    },
    /// A token that somebody else signed (RFC 7628).
    OauthBearer,
    /// The password itself (RFC 4616).
    Plain,
}

impl Mechanism {
    /// Every mechanism, the strongest first.
    pub const ALL: [Self; 9] = [
        Self::External,
        Self::scram(ScramHash::Sha512, true),
        Self::scram(ScramHash::Sha256, true),
        Self::scram(ScramHash::Sha1, true),
        Self::scram(ScramHash::Sha512, false),
        Self::scram(ScramHash::Sha256, false),
        Self::scram(ScramHash::Sha1, false),
        Self::OauthBearer,
        Self::Plain,
    ];

    const fn scram(hash: ScramHash, plus: bool) -> Self {
        Self::Scram { hash, plus }
    }

    /// The registered name, as in `<mechanism/>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::External => "EXTERNAL",
            Self::OauthBearer => "OAUTHBEARER",
            Self::Plain => "PLAIN",
            Self::Scram { hash, plus } => match (hash, plus) {
                (ScramHash::Sha1, false) => "SCRAM-SHA-1",
                (ScramHash::Sha1, true) => "SCRAM-SHA-1-PLUS",
                (ScramHash::Sha256, false) => "SCRAM-SHA-256",
                (ScramHash::Sha256, true) => "SCRAM-SHA-256-PLUS",
                (ScramHash::Sha512, false) => "SCRAM-SHA-512",
                (ScramHash::Sha512, true) => "SCRAM-SHA-512-PLUS",
            },
        }
    }

    /// The mechanism of a name. Names are upper case (RFC 4422 §3.1).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::parse(mechanism.name()), Some(mechanism));
        }
        for name in ["", "plain", "SCRAM-SHA-384", "SCRAM-SHA-1-", "ANONYMOUS"] {
            assert_eq!(Mechanism::parse(name), None, "{name}");
        }
    }
}
