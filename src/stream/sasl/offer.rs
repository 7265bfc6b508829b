//! What one stream is offered: mechanisms (RFC 6120 §6.3.3) and channel bindings (XEP-0440:
//! SASL Channel-Binding Type Capability, version 1.0.0), from what is true of the stream and
//! what the operator allows.
//!
//! The values of the bindings are computed where TLS is.

use std::fmt;

use super::{Mechanism, SaslCondition, TokenMechanism, encode};
use crate::proto::jid::BareJid;
use crate::proto::scram::ScramHash;

/// A way to name a TLS channel (registry "Channel-Binding Types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BindingKind {
    /// Keying material of the channel (RFC 9266).
    TlsExporter,
    /// Hash of the server's certificate (RFC 5929 §4).
    TlsServerEndPoint,
}

impl BindingKind {
    /// The unique prefix, as in `<channel-binding type='tls-exporter'/>`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }
}

/// The name of this stream's TLS channel. `Debug` does not show the data.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelBinding {
    /// Which name it is.
    pub kind: BindingKind,
    /// The name, without a prefix.
    pub data: Vec<u8>,
}

impl fmt::Debug for ChannelBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelBinding({})", self.kind.name())
    }
}

/// The version of TLS that was negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Whether passwords may be sent in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainWithoutTls {
    /// The rule (RFC 6120 §13.8.3).
    Refused,
    /// The listener takes connections of this machine only, and the operator said so.
    Allowed,
}

/// What protects the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Nothing.
    Cleartext {
        /// Whether PLAIN is possible all the same.
        plain: PlainWithoutTls,
    },
    /// TLS. Where a proxy ends it, there are no bindings and no identities: the channel that
    /// the client sees is not ours.
    Tls {
        /// The channel's names, the preferred first.
        bindings: Vec<ChannelBinding>,
        /// Whom the client's verified certificate names.
        identities: Vec<BareJid>,
    },
}

impl Security {
    /// TLS that ends in this process.
    ///
    /// The exporter is left out below TLS 1.3, where it is unique only together with an
    /// extension that this server cannot see (RFC 9266 §4.2).
    #[must_use]
    pub fn tls(
        version: TlsVersion,
        exporter: Option<Vec<u8>>,
        server_end_point: Option<Vec<u8>>,
        identities: Vec<BareJid>,
    ) -> Self {
        let exporter = match version {
            TlsVersion::V1_2 => None,
            TlsVersion::V1_3 => exporter,
        };
        let bindings = [
            (BindingKind::TlsExporter, exporter),
            (BindingKind::TlsServerEndPoint, server_end_point),
        ];
        Self::Tls {
            bindings: bindings
                .into_iter()
                .filter_map(|(kind, data)| data.map(|data| ChannelBinding { kind, data }))
                .collect(),
            identities,
        }
    }
}

/// What the operator allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// In no particular order; -PLUS mechanisms count one by one.
    pub enabled: Vec<Mechanism>,
}

/// What a server can do that knows its people itself.
impl Default for Policy {
    fn default() -> Self {
        Self {
            enabled: Mechanism::ALL
                .into_iter()
                .filter(|it| *it != Mechanism::OauthBearer)
                .collect(),
        }
    }
}

/// What is offered on one stream. Lives as long as the stream's features stay the same.
#[derive(Clone, Debug)]
pub struct Offer {
    pub(super) host: BareJid,
    pub(super) bindings: Vec<ChannelBinding>,
    pub(super) identities: Vec<BareJid>,
    mechanisms: Vec<Mechanism>,
    is_private: bool,
    needs_tls: Vec<Mechanism>,
}

impl Offer {
    /// Decides what a stream to `host` is offered.
    ///
    /// Of the identities in a certificate only accounts on `host` count.
    #[must_use]
    pub fn new(host: &BareJid, security: Security, policy: &Policy) -> Self {
        let (mut bindings, mut identities, plain) = match security {
            Security::Cleartext { plain } => (vec![], vec![], plain == PlainWithoutTls::Allowed),
            Security::Tls {
                bindings,
                identities,
            } => (bindings, identities, true),
        };
        identities.retain(|jid| jid.node().is_some() && jid.domain() == host.domain());
        let possible = |mechanism: &Mechanism| match mechanism {
            Mechanism::External => !identities.is_empty(),
            Mechanism::Scram { plus, .. } => !plus || !bindings.is_empty(),
            Mechanism::Plain | Mechanism::OauthBearer => plain,
        };
        let enabled = Mechanism::ALL
            .into_iter()
            .filter(|mechanism| policy.enabled.contains(mechanism));
        let (mechanisms, impossible): (Vec<_>, Vec<_>) = enabled.partition(possible);
        let needs_tls = impossible
            .into_iter()
            .filter(|it| matches!(it, Mechanism::Plain | Mechanism::OauthBearer))
            .collect();
        if !mechanisms.iter().any(is_plus) {
            // XEP-0440 §3: types without a mechanism look like an attack to the client.
            bindings.clear();
        }
        Self {
            host: host.clone(),
            bindings,
            identities,
            mechanisms,
            is_private: plain,
            needs_tls,
        }
    }

    /// The mechanisms to announce, the strongest first.
    #[must_use]
    pub fn mechanisms(&self) -> &[Mechanism] {
        &self.mechanisms
    }

    /// The types to announce in `<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'/>`, the
    /// preferred first; that feature is left out when there are none.
    pub fn binding_kinds(&self) -> impl Iterator<Item = BindingKind> {
        self.bindings.iter().map(|binding| binding.kind)
    }

    /// Whether nobody else hears what is said: TLS, or a loopback address of which the operator says
    /// so. SASL2 wants it (XEP-0388 §3), and tokens do (XEP-0484 §6).
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.is_private
    }

    /// The mechanisms for tokens that this stream can have, the strongest first (XEP-0484 §3.1).
    pub fn token_mechanisms(&self) -> impl Iterator<Item = TokenMechanism> {
        TokenMechanism::ALL
            .into_iter()
            .filter(|mechanism| self.is_private && mechanism.binding(self).is_some())
    }

    /// What SCRAM signs of the offer, so that the client notices when someone has taken a part of it
    /// away (XEP-0474 §5.1).
    pub(super) fn downgrade_hash(&self, hash: ScramHash) -> String {
        let mut mechanisms: Vec<_> = self.mechanisms.iter().map(|it| it.name()).collect();
        let mut kinds: Vec<_> = self.binding_kinds().map(BindingKind::name).collect();
        mechanisms.sort_unstable();
        kinds.sort_unstable();
        let mut text = mechanisms.join("\x1e");
        if !kinds.is_empty() {
            text.push('\x1f');
            text.push_str(&kinds.join("\x1e"));
        }
        encode(&hash.digest(text.as_bytes()))
    }

    /// The mechanism that a client chose.
    pub(super) fn select(&self, name: &str) -> Result<Mechanism, SaslCondition> {
        let chosen = Mechanism::parse(name).ok_or(SaslCondition::InvalidMechanism)?;
        if self.mechanisms.contains(&chosen) {
            Ok(chosen)
        } else if self.needs_tls.contains(&chosen) {
            Err(SaslCondition::EncryptionRequired)
        } else {
            Err(SaslCondition::InvalidMechanism)
        }
    }

    /// Whether a client that knows channel binding had one to choose.
    pub(super) fn plus_offered(&self) -> bool {
        self.mechanisms.iter().any(is_plus)
    }
}

const fn is_plus(mechanism: &Mechanism) -> bool {
    matches!(mechanism, Mechanism::Scram { plus: true, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn names(security: Security, policy: &Policy) -> String {
        let offer = Offer::new(&jid("example.com"), security, policy);
        let mechanisms: Vec<_> = offer.mechanisms().iter().map(|m| m.name()).collect();
        let kinds: Vec<_> = offer.binding_kinds().map(BindingKind::name).collect();
        format!("{} | {}", mechanisms.join(" "), kinds.join(" "))
    }

    /// The example of XEP-0474 §5.3, and a stream without channel binding.
    #[test]
    fn what_is_signed_of_the_offer_is_sorted_and_has_the_channel_bindings() {
        let hash = ScramHash::Sha1;
        let policy = Policy {
            enabled: [true, false]
                .map(|plus| Mechanism::Scram { hash, plus })
                .to_vec(),
        };
        let bound = Security::tls(TlsVersion::V1_3, Some(vec![1]), Some(vec![2]), vec![]);
        let offer = Offer::new(&jid("example.org"), bound, &policy);
        assert_eq!(offer.downgrade_hash(hash), "G6k/rBLDqgOhRRaCuuatSDFkJ08=");
        let proxied = Security::tls(TlsVersion::V1_3, None, None, vec![]);
        let offer = Offer::new(&jid("example.org"), proxied, &policy);
        assert_eq!(
            offer.downgrade_hash(hash),
            encode(&hash.digest(b"SCRAM-SHA-1"))
        );
    }

    /// XEP-0484 §3.1, §6.
    #[test]
    fn tokens_are_offered_as_the_channel_allows() {
        let clear = |plain| Security::Cleartext { plain };
        let tls = |version| Security::tls(version, Some(vec![1]), Some(vec![2]), vec![]);
        let proxied = Security::tls(TlsVersion::V1_3, None, None, vec![]);
        for (security, expected) in [
            (clear(PlainWithoutTls::Refused), ""),
            (clear(PlainWithoutTls::Allowed), "NONE"),
            (proxied, "NONE"),
            (tls(TlsVersion::V1_2), "ENDP NONE"),
            (tls(TlsVersion::V1_3), "EXPR ENDP NONE"),
        ] {
            let offer = Offer::new(&jid("example.com"), security, &Policy::default());
            let names = offer.token_mechanisms().map(|it| {
                let name = it.name();
                name.strip_prefix("HT-SHA-256-").unwrap()
            });
            assert_eq!(names.collect::<Vec<_>>().join(" "), expected);
        }
    }

    const SCRAM: &str = "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1";
    const PLUS: &str = "SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS";

    #[test]
    fn only_what_is_valid_on_the_stream_is_offered() {
        let all = Policy::default();
        let tls = |version, identities: &[&str]| {
            let identities = identities.iter().map(|text| jid(text)).collect();
            Security::tls(version, Some(vec![1]), Some(vec![2]), identities)
        };
        for (security, expected) in [
            (
                Security::Cleartext {
                    plain: PlainWithoutTls::Refused,
                },
                format!("{SCRAM} | "),
            ),
            (
                Security::Cleartext {
                    plain: PlainWithoutTls::Allowed,
                },
                format!("{SCRAM} PLAIN | "),
            ),
            (
                tls(TlsVersion::V1_3, &[]),
                format!("{PLUS} {SCRAM} PLAIN | tls-exporter tls-server-end-point"),
            ),
            (
                tls(TlsVersion::V1_2, &[]),
                format!("{PLUS} {SCRAM} PLAIN | tls-server-end-point"),
            ),
            // Behind a proxy that ends TLS.
            (
                Security::tls(TlsVersion::V1_3, None, None, vec![]),
                format!("{SCRAM} PLAIN | "),
            ),
            (
                tls(TlsVersion::V1_2, &["alice@example.com"]),
                format!("EXTERNAL {PLUS} {SCRAM} PLAIN | tls-server-end-point"),
            ),
            // Accounts elsewhere, and servers, do not log in here.
            (
                tls(TlsVersion::V1_2, &["alice@example.net", "example.com"]),
                format!("{PLUS} {SCRAM} PLAIN | tls-server-end-point"),
            ),
        ] {
            assert_eq!(names(security, &all), expected);
        }
    }

    #[test]
    fn policy_takes_away_and_binding_types_go_with_the_last_plus() {
        let security = Security::tls(TlsVersion::V1_3, Some(vec![1]), Some(vec![2]), vec![]);
        let policy = Policy {
            enabled: vec![
                Mechanism::Plain,
                Mechanism::Scram {
                    hash: ScramHash::Sha1,
                    plus: false,
                },
            ],
        };
        assert_eq!(names(security, &policy), "SCRAM-SHA-1 PLAIN | ");
    }

    #[test]
    fn only_what_was_offered_can_be_chosen() {
        let clear = Security::Cleartext {
            plain: PlainWithoutTls::Refused,
        };
        let offer = Offer::new(&jid("example.com"), clear.clone(), &Policy::default());
        assert!(offer.select("SCRAM-SHA-1").is_ok());
        for (name, condition) in [
            ("PLAIN", SaslCondition::EncryptionRequired),
            ("SCRAM-SHA-1-PLUS", SaslCondition::InvalidMechanism),
            ("EXTERNAL", SaslCondition::InvalidMechanism),
            ("DIGEST-MD5", SaslCondition::InvalidMechanism),
            ("scram-sha-1", SaslCondition::InvalidMechanism),
        ] {
            assert_eq!(offer.select(name), Err(condition), "{name}");
        }
        let bearer = Policy {
            enabled: vec![Mechanism::OauthBearer],
        };
        let offer = Offer::new(&jid("example.com"), clear.clone(), &bearer);
        let needs_tls = Err(SaslCondition::EncryptionRequired);
        assert_eq!(offer.select("OAUTHBEARER"), needs_tls);
        assert!(offer.mechanisms().is_empty());
        let none = Policy { enabled: vec![] };
        let offer = Offer::new(&jid("example.com"), clear, &none);
        assert_eq!(offer.select("PLAIN"), Err(SaslCondition::InvalidMechanism));
    }
}
