//! Payloads that more than one room speaks.

pub mod delay;
pub mod forms;
pub mod forward;
pub mod kept;
pub mod rsm;
pub mod vcard;
