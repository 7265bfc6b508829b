//! The rooms that are fuzzed, built from the server's own files without the rest of the house:
//! the database, TLS and the command line would take many times longer to build than to fuzz.

pub mod bosh;
#[path = "../src/clock.rs"]
pub mod clock;
#[path = "../src/proto/mod.rs"]
pub mod proto;
#[path = "../src/stream/mod.rs"]
pub mod stream;
#[path = "../src/xml/mod.rs"]
pub mod xml;
