//! `[fast]`: tokens instead of passwords.

use super::section::section;

section! {
    /// Tokens that clients log in with from the second time on (XEP-0484), so that they need not
    /// keep the password and are in after one round trip. A token is worth as much as the password
    /// until it ends; a new password ends all of an account's.
    pub struct Fast {
        /// Whether clients are given tokens.
        enabled: bool = true;
        /// How many days a token counts. A client that stays away for longer asks for the
        /// password again.
        token_days: u32 = 21, in 1..=366;
        /// After how many hours a token that is used is replaced by a new one.
        rotation_hours: u32 = 24, in 1..=8_784;
        /// How many clients of one account have tokens. One more takes those of the client that
        /// has got none for longest.
        clients_max: u32 = 20, in 1..=1_000;
    }
}
