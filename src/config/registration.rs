//! `[registration]`: who may make an account.

use super::section::{section, words};

section! {
    /// Making accounts from a client (XEP-0077). Changing the own password is always allowed.
    pub struct Registration {
        /// "closed": administrators make accounts, which is what a contact center wants;
        /// "open": everybody, spammers first; "invite": whoever holds an invitation
        /// (`[invitations]`).
        mode: RegistrationMode = RegistrationMode::Closed;
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
