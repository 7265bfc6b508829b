//! Payloads that more than one room speaks.

pub mod delay;
pub mod forms;
pub mod kept;
