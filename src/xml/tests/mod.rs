//! The rules of the room, as tables and as properties.

mod content;
mod differential;
mod framing;
mod round_trip;
mod well_formed;
