//! `[invitations]`: links that let somebody in.

use super::section::{section, words};

section! {
    /// Invitations by link (XEP-0401): with `[registration]` mode "invite" or "open" their holder may make an
    /// account, and inviter and invited become contacts.
    pub struct Invitations {
        /// Who may invite contacts: "everybody" with an account, or "administrators". Only
        /// administrators make invitations to an account alone.
        allowed: InvitationsBy = InvitationsBy::Everybody;
        /// After how many days an invitation ends, where nothing else is said.
        expire_days: u32 = 7, in 1..=365;
        /// How many invitations one account may have open.
        open_per_account_max: u32 = 50, in 1..=100_000;
        /// The page that explains an invitation to who has no client yet; {token}, {uri} and {host} stand for those
        /// of the invitation. Empty: none is told.
        landing_url: String = String::new();
    }
}

words! {
    /// Who may invite contacts.
    pub enum InvitationsBy {
        /// Everybody with an account.
        Everybody = "everybody",
        /// Administrators.
        Administrators = "administrators",
    }
}
