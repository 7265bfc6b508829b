//! `[push]`: what push services are told.

use super::section::section;
use super::units::Bytes;

section! {
    /// Push notifications (XEP-0357): a service that the client names is told that a message waits.
    /// Everything that goes into a notification is seen by that service and by the maker of the
    /// device.
    pub struct Push {
        /// How many services one account may enable; each device takes one.
        registrations_per_account_max: u32 = 20, in 0..=1000;
        /// How large the publish options of one may be. A secret takes some dozen bytes.
        options_bytes_max: Bytes = Bytes::kib(4), in Bytes::new(0)..=Bytes::kib(64);
        /// Whether a notification names the sender of the message.
        include_sender: bool = false;
        /// Whether a notification holds the text of the message.
        include_body: bool = false;
        /// After how many refusals in a row that may be temporary a service is forgotten. One
        /// that is final is enough.
        failures_max: u32 = 5, in 1..=100;
    }
}
