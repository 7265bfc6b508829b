//! The rules of a contact center, pure: no async, no XML, no SQL, no clock, no randomness.
//!
//! Today the room holds the roles of accounts ([`rights`]). What it is kept ready for are records
//! that change by commands, such as an interaction or a consultation. Each will be one file with a
//! state, a command, an event and two functions, which is the whole contract:
//!
//! ```text
//! decide(&State, Command, Timestamp) -> Result<Vec<Event>, Rejection>
//! apply(State, &Event) -> State
//! ```
//!
//! `decide` holds every rule and changes nothing; a refusal is a `Rejection` that says why, and
//! no error. `apply` holds no rule and cannot fail: an event has happened. Time, identifiers and whatever
//! else a rule needs to know are arguments, so that a test is a table of state, command and
//! expected events. Loading, saving and telling others are the business of a room that uses
//! this one; here nothing waits and nothing is kept.

pub mod rights;
