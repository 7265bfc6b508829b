//! `[registration]`: who may make an account.

use super::section::{section, words};
use super::units::Seconds;

section! {
    /// Making accounts from a client (XEP-0077). Changing the own password is always allowed.
    pub struct Registration {
        /// "closed": administrators make accounts, which is what a contact center wants;
        /// "open": everybody, spammers first; "invite": whoever holds an invitation
        /// (`[invitations]`).
        mode: RegistrationMode = RegistrationMode::Closed;
        /// How much time a person has to fill in the form, once the client was answered about
        /// registration: choosing a name and a password takes longer than logging in
        /// (`[c2s]` negotiation_timeout_seconds).
        form_seconds: Seconds = Seconds::new(300), in Seconds::new(1)..=Seconds::new(3600);
    }
}

words! {
    /// Who may make an account.
    pub enum RegistrationMode {
        /// Administrators.
        Closed = "closed",
        /// Whoever holds an invitation.
        Invite = "invite",
        /// Everybody.
        Open = "open",
    }
}
