//! The rules of a room as values and functions without IO: what somebody is and may do, the
//! configuration and its form, who may enter, which history is given, and how fast one may be.

pub(super) mod config;
pub(super) mod entry;
mod form;
pub(super) mod hat;
pub(super) mod history;
pub(super) mod pace;
pub(super) mod rank;

pub(super) use config::RoomConfig;
pub(super) use rank::{Affiliation, Role, Standing};
