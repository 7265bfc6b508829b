//! `[contact_center.email]`: the relay through which agents send e-mail to colleagues.

use std::path::PathBuf;

use super::section::{section, words};
use super::units::Seconds;
use crate::observe::Secret;

section! {
    /// The SMTP relay for e-mail between colleagues. Without a host the service sends none, and agents get
    /// a mailto: address for their own mail program.
    pub struct Email {
        /// The relay.
        host: Option<String> = None;
        /// Its port: 587 for starttls, 465 for implicit TLS.
        port: u32 = 587, in 1..=65_535;
        /// How the connection is encrypted: "starttls", "implicit", or "none" for a relay on this machine.
        /// The certificate has to name the host.
        tls: EmailTls = EmailTls::Starttls;
        /// The authorities whose certificates the relay may show, PEM. Empty: the well-known ones.
        ca: Option<PathBuf> = None;
        /// Who logs in at the relay; without it nobody does.
        user: Option<String> = None;
        /// The password that goes with user.
        password: Option<Secret<String>> = None;
        /// The address that all e-mail comes from; answers go to the agent's own.
        from: Option<String> = None;
        /// How long the relay may take for each of its answers.
        timeout_seconds: Seconds = Seconds::new(30), in Seconds::new(1)..=Seconds::new(300);
        /// How many e-mails of a host may wait to be sent. More are refused.
        waiting_max: u32 = 1_000, in 1..=100_000;
        /// How often one is tried, the first time included.
        tries_max: u32 = 8, in 1..=20;
        /// How long the second try waits; the next ones twice as long each time, up to an hour.
        retry_seconds: Seconds = Seconds::new(60), in Seconds::new(1)..=Seconds::new(3600);
    }
}

words! {
    /// How the connection to the relay is encrypted.
    pub enum EmailTls {
        /// By STARTTLS before anything is said.
        Starttls = "starttls",
        /// From the first byte.
        Implicit = "implicit",
        /// Not at all: on this machine only.
        None = "none",
    }
}
