//! The rules of a contact center, pure: no async, no XML, no SQL, no clock, no randomness.
//!
//! Records that change by commands are machines: a snapshot, a command, an event, a rejection, and two
//! functions, which are the whole contract:
//!
//! ```text
//! decide(&Snapshot, Command, Timestamp, &Facts) -> Result<Vec<Event>, Rejection>
//! apply(&mut Snapshot, &Event)
//! ```
//!
//! `decide` holds every rule and changes nothing; a refusal is a `Rejection` that says why, and
//! no error. `apply` holds no rule and cannot fail: an event has happened. Time, identifiers and whatever
//! else a rule needs to know are arguments, so that a test is a table of state, command and
//! expected events. A snapshot counts its events in `version`, and what was decided for one version is
//! saved only if it is still that one. What is due at a time is data, `deadline()`, with the command `TimeIsUp`, so that it
//! survives a restart. Snapshots and events are stored as JSON; a field that comes later has a default.
//! Loading, saving and telling others are the business of a room that uses this one; here nothing waits and
//! nothing is kept.
//!
//! | File | What it decides |
//! |---|---|
//! | [`agent_state`] | available, not ready, engaged, wrap-up; what colleagues see of it |
//! | [`customer`] | who is outside, and what pops up when one calls |
//! | [`message_stream`] | titled notes about a customer, with replies and files |
//! | [`follow_up`] | what is planned because of something, and its notes |
//! | [`activity`] | the record of one agent's part in an interaction |
//! | [`interaction`] | dealings with a customer, carried by a connector |
//! | [`im_session`] | conversations that are invited, accepted, ended |
//! | [`context`] | business objects sent to colleagues; recent ones |
//! | [`personal_contact`] | who has whom in the roster, always mutual |
//! | [`reach`] | how a colleague can be reached now |
//! | [`directory`] | who is found by the first letters of a name |
//! | [`reason_code`] | the administrator's lists of reasons |
//! | [`catalogue`] | lists that agents choose from and administrators edit |
//! | [`chat_profile`] | what an agent may use, and how much of it at once |
//! | [`colleague`] | what holds before two accounts work together |
//! | [`rights`] | who may do what |
//! | [`refusal`] | how all of them say no |
//! | [`ids`] | what records are called |

pub mod activity;
pub mod agent_state;
pub mod catalogue;
pub mod chat_profile;
pub mod colleague;
pub mod context;
pub mod customer;
pub mod directory;
pub mod follow_up;
pub mod ids;
pub mod im_session;
pub mod interaction;
pub mod message_stream;
pub mod personal_contact;
pub mod reach;
pub mod reason_code;
pub mod refusal;
pub mod rights;
