//! What the machine works by, what it is told, and what it wants done.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::proto::{BareJid, FullJid, IqType, Resource, StanzaError};
use crate::stream::management::{NotResumed, Resume};
use crate::stream::outbox::Outbox;
use crate::stream::sasl::{
    BearerVerdict, Decoys, PasswordVerdict, Policy, SaslCondition, Secret, Security, Token,
    TokenMechanism,
};
use crate::xml::{Element, Opening, Parsed};

/// What extensions add to `<stream:features/>`.
pub trait StreamFeatures: Send + Sync {
    /// Beside STARTTLS and the SASL mechanisms.
    fn negotiation(&self, host: &BareJid) -> Vec<Element>;
    /// Beside resource binding.
    fn authenticated(&self, host: &BareJid) -> Vec<Element>;
    /// The namespaces of what can be asked for while binding (XEP-0386 §3.1).
    fn bind_inline(&self) -> Vec<&'static str>;
}

/// What is the same for every stream of a listener.
pub struct Rules {
    /// The hosts served.
    pub hosts: Vec<BareJid>,
    /// What TLS means before the handshake.
    pub tls: Tls,
    /// Which mechanisms the operator allows.
    pub sasl: Policy,
    /// How many failures end a stream.
    pub attempts_max: u32,
    /// Whether clients are given tokens (XEP-0484).
    pub tokens: bool,
    /// Keys for accounts that do not exist.
    pub decoys: Decoys,
    /// What extensions offer.
    pub features: Box<dyn StreamFeatures>,
}

/// Whether STARTTLS is offered (RFC 6120 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// There is no certificate, or TLS is on already.
    Absent,
    /// Offered.
    Optional,
    /// Offered, and nothing else before it.
    Required,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The client's stream header.
    Open(Opening),
    /// An element.
    Element(Parsed),
    /// The TLS handshake is done; the client opens a new stream.
    Secured(Security),
    /// The keys that [`Next::Keys`] asked for; none when there is no such account.
    Keys(Option<ScramKeys>),
    /// The answer to [`Next::Password`].
    Verdict(PasswordVerdict),
    /// The answer to [`Next::Bearer`].
    Bearer(BearerVerdict),
    /// The answer to [`Next::Admit`].
    Admission(Admission),
    /// The store could not answer.
    Unavailable,
    /// The answer to [`Next::Bind`].
    Bound(Result<FullJid, StanzaError>),
    /// The answer to [`Next::Tokens`], the newest first.
    Tokens(Vec<Token>),
    /// The hashes that the account of [`Next::Hashes`] has keys for.
    Hashes(Vec<ScramHash>),
    /// The keys of [`Next::Upgrade`] are stored, or others were there first.
    Upgraded,
    /// The answer to [`Next::Exchange`].
    Exchanged(Exchanged),
    /// The answer to [`Next::Establish`]: the address, and what the extensions answer.
    Established(Result<(FullJid, Vec<Element>), StanzaError>),
    /// The answer to [`Next::Resume`].
    Resumed(Result<Resumed, NotResumed>),
    /// The answer to [`Next::Answer`].
    Answered(Result<Option<Element>, StanzaError>),
}

/// A session that goes on over this stream (XEP-0198 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Its address.
    pub jid: FullJid,
    /// How many stanzas of the client the server has handled.
    pub h: u32,
}

/// Whether an account whose owner has proved to be it may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Granted,
    /// It has been disabled.
    Disabled,
    /// There is no such account (a certificate can name one that was removed).
    Unknown,
}

/// What became of tokens.
#[derive(Debug)]
pub enum Exchanged {
    /// The token that was used does not count any more: another login was first, or it was used
    /// with this count before.
    Refused,
    /// Nothing new.
    Kept,
    /// A new token for the client.
    Issued {
        /// The token.
        token: Secret,
        /// When it ends.
        expiry: Timestamp,
    },
}

/// A token that a client has proved (XEP-0484 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// What the store knows it by.
    pub token: String,
    /// How often the client says that it has used it; must have grown.
    pub count: Option<u32>,
    /// Whether it shall not count any more (§3.6).
    pub invalidate: bool,
}

/// What to do next, after sending [`Output::out`].
#[derive(Debug)]
pub enum Next {
    /// Read the next element.
    Read,
    /// Read a new stream header.
    Restart,
    /// Do the TLS handshake; bytes that came in before it are to be refused.
    StartTls,
    /// Fetch SCRAM keys.
    Keys {
        /// Of this account.
        account: BareJid,
        /// For this hash.
        hash: ScramHash,
    },
    /// Check a password, off the tasks that serve others.
    Password {
        /// Of this account.
        account: BareJid,
        /// What the client sent.
        password: Secret,
    },
    /// Check a token that somebody else signed (RFC 7628).
    Bearer {
        /// The host that the client wants to log in to.
        host: BareJid,
        /// What the client sent; empty when it has none.
        token: Secret,
    },
    /// See whether the account may come in.
    Admit {
        /// The account.
        account: BareJid,
    },
    /// Bind a resource.
    Bind {
        /// The authenticated account.
        account: BareJid,
        /// What the client asked for; not checked.
        resource: Option<String>,
    },
    /// Fetch the tokens of a client.
    Tokens {
        /// The account.
        account: BareJid,
        /// The client's installation, a UUID.
        agent: String,
    },
    /// See for which hashes the account has keys.
    Hashes {
        /// The account.
        account: BareJid,
    },
    /// Store keys for a hash that the account has none for (XEP-0480 §3), unless its password was
    /// changed meanwhile.
    Upgrade {
        /// The account.
        account: BareJid,
        /// Its new keys.
        keys: ScramKeys,
    },
    /// Take a token that was used, and give another where the client asks for it or the old one
    /// has grown old (XEP-0484 §3.3, §3.5).
    Exchange {
        /// The account.
        account: BareJid,
        /// The client's installation, a UUID.
        agent: String,
        /// The token that the client has logged in with.
        redeemed: Option<Redemption>,
        /// The mechanism that the client wants a token for.
        request: Option<TokenMechanism>,
    },
    /// Bind a resource that the server has made, and do what the client asks for beside
    /// (XEP-0386 §3.2).
    Establish {
        /// The authenticated account.
        account: BareJid,
        /// The resource.
        resource: Resource,
        /// How the resources of this client end; its earlier sessions end now.
        replaces: Option<String>,
        /// `<bind/>` with what the client asks for.
        inline: Element,
    },
    /// Resume a session (XEP-0198 §5).
    Resume {
        /// The authenticated account: sessions of others are unknown to it.
        account: BareJid,
        /// What the client asked for.
        resume: Resume,
    },
    /// Answer a request on the unauthenticated stream.
    Answer {
        /// The host of the stream.
        host: BareJid,
        /// Get or set.
        kind: IqType,
        /// The request.
        payload: Element,
    },
    /// The session begins.
    Ready(FullJid),
    /// Close the connection.
    Close,
}

/// What a step of the machine wants.
#[derive(Debug)]
pub struct Output {
    /// How long to wait first (RFC 6120 §13.11: guessing must be slow).
    pub delay: Duration,
    /// To be sent.
    pub out: Outbox,
    /// To be done after sending.
    pub next: Next,
    /// An attempt to authenticate has just failed for this reason: for the log.
    pub failed: Option<SaslCondition>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}
