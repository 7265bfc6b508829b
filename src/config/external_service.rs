//! `[[external_service]]`: what clients use beside XMPP: STUN and TURN for calls.

use super::section::{section, words};
use super::units::Seconds;
use crate::observe::Secret;

section! {
    /// A service that clients are told of (XEP-0215): calls need STUN, and TURN where there is no direct
    /// way. Credentials are made for each account where secret is given, and end by themselves.
    pub struct ExternalService {
        /// What it is: "stun" or "turn", "stuns" or "turns" over TLS.
        kind: ExternalServiceKind = ExternalServiceKind::Turn;
        /// Its domain or IP address; must not be empty.
        host: String = String::new();
        /// Its port.
        port: u32 = 3478, in 1..=65535;
        /// How it is reached.
        transport: ExternalTransport = ExternalTransport::Udp;
        /// A name for people.
        name: String = String::new();
        /// A fixed name to log in with, the same for everybody.
        username: String = String::new();
        /// The password that goes with username.
        password: Option<Secret<String>> = None;
        /// What the service shares with this server to prove credentials that end: what coturn calls
        /// static-auth-secret. In place of username and password.
        secret: Option<Secret<String>> = None;
        /// How long such credentials are good for. Longer than a call, for TURN asks again.
        lifetime_seconds: Seconds = Seconds::new(86_400),
            in Seconds::new(60)..=Seconds::new(31_536_000);
    }
}

words! {
    /// What an external service is.
    pub enum ExternalServiceKind {
        /// RFC 8489.
        Stun = "stun",
        /// RFC 8489 over TLS.
        Stuns = "stuns",
        /// RFC 8656.
        Turn = "turn",
        /// RFC 8656 over TLS.
        Turns = "turns",
    }
}

words! {
    /// The transport below an external service.
    pub enum ExternalTransport {
        /// UDP.
        Udp = "udp",
        /// TCP, with TLS on it where the kind says so.
        Tcp = "tcp",
    }
}
