//! What an extension says it implements; the README's table is made from these.

/// A document of the XMPP Standards Foundation, the IETF, or our own under `schemas/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    /// Its number as people cite it: `XEP-0199`, `RFC 6121`.
    pub number: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The version implemented; empty for RFCs.
    pub version: &'static str,
    /// What of it is done, or left out and why; empty when all of it is done.
    pub note: &'static str,
}

impl Document {
    /// A document that is implemented whole.
    #[must_use]
    pub const fn new(number: &'static str, title: &'static str, version: &'static str) -> Self {
        Self {
            number,
            title,
            version,
            note: "",
        }
    }

    /// The same with a word on what is done of it.
    #[must_use]
    pub const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }
}

/// What the core itself implements: what is beneath every extension and can be switched off
/// by none.
pub const CORE: &[Document] = &[
    Document::new(
        "RFC 4422",
        "Simple Authentication and Security Layer (SASL)",
        "",
    )
    .note("EXTERNAL of appendix A, by client certificate"),
    Document::new("RFC 4511", "LDAP: The Protocol", "")
        .note("as the client of a directory: bind and search, STARTTLS"),
    Document::new("RFC 4616", "The PLAIN SASL Mechanism", ""),
    Document::new("RFC 5802", "SCRAM SASL Mechanisms", "")
        .note("SCRAM-SHA-1, SCRAM-SHA-256, SCRAM-SHA-512, each also as -PLUS"),
    Document::new("RFC 5929", "Channel Bindings for TLS", "").note("tls-server-end-point"),
    Document::new("RFC 6120", "XMPP: Core", "")
        .note("clients to server, and server to server where that is switched on"),
    Document::new("RFC 7395", "An XMPP Subprotocol for WebSocket", ""),
    Document::new("RFC 7590", "Use of TLS in XMPP", ""),
    Document::new("RFC 7622", "XMPP: Address Format", "")
        .note("localparts and domains prepared as RFC 6122 does, resources as RFC 8265"),
    Document::new("RFC 7628", "SASL Mechanisms for OAuth (OAUTHBEARER)", "")
        .note("signed JSON Web Tokens (RFC 7519); not OAUTH10A"),
    Document::new("RFC 7677", "SCRAM-SHA-256 and SCRAM-SHA-256-PLUS", ""),
    Document::new("RFC 9266", "Channel Bindings for TLS 1.3", "").note("tls-exporter"),
    Document::new("RFC 9525", "Service Identity in TLS", "")
        .note("certificates of other servers; revocation is not checked"),
    Document::new(
        "XEP-0124",
        "Bidirectional-streams Over Synchronous HTTP (BOSH)",
        "1.11.2",
    )
    .note("one stream in a session; no acknowledgements"),
    Document::new(
        "XEP-0156",
        "Discovering Alternative XMPP Connection Methods",
        "1.4.0",
    ),
    Document::new(
        "XEP-0178",
        "Best Practices for Use of SASL EXTERNAL with Certificates",
        "1.2",
    )
    .note("clients and servers"),
    Document::new("XEP-0185", "Dialback Key Generation and Validation", "1.0"),
    Document::new("XEP-0206", "XMPP Over BOSH", "1.4"),
    Document::new("XEP-0220", "Server Dialback", "1.1.1")
        .note("off by default; keys are verified over connections of their own"),
    Document::new(
        "XEP-0227",
        "Portable Import/Export Format for XMPP-IM Servers",
        "1.1",
    )
    .note(
        "`parlour export` and `import`; blocked addresses as XEP-0191, of privacy lists only those",
    ),
    Document::new(
        "XEP-0288",
        "Bidirectional Server-to-Server Connections",
        "1.0.1",
    )
    .note("for the pair of domains that is proved first"),
    Document::new("XEP-0368", "SRV records for XMPP over TLS", "1.1.0").note(
        "TLS from the first byte on ports of its own; both kinds of records towards other servers",
    ),
    Document::new("XEP-0440", "SASL Channel-Binding Type Capability", "1.0.0"),
];
