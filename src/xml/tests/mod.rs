//! The rules of the room, as tables and as properties.

mod content;
mod framing;
mod well_formed;
