//! The rules of a contact center, pure: no async, no XML, no SQL, no clock.
//!
//! What a rule needs to know is an argument, what it decides is its value.

pub mod rights;
