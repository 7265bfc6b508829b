//! Requests of BOSH, a line each: whatever they say, what is answered is well-formed, and no
//! more wait than may.

#![no_main]

use libfuzzer_sys::fuzz_target;
use parlour::xml::Limits;

fuzz_target!(|input: &[u8]| {
    let limits = Limits { stanza_bytes_max: 4_096, ..Limits::default() };
    parlour::bosh::session(input, &limits);
});
