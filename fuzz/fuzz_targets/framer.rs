//! A stream in fragments: the framer never panics, never holds more than its
//! limits, and gives the same frames however the bytes were cut.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use parlour::xml::{Frame, Framer, Limits, XmlError, parse};

const LIMITS: Limits = Limits {
    stanza_bytes_max: 512,
    depth_max: 8,
    attributes_max: 8,
    declarations_max: 4,
    name_bytes_max: 32,
};

fuzz_target!(|input: (&[u8], u8)| {
    let (stream, size) = input;
    let whole = run(stream, stream.len().max(1));
    let pieces = run(stream, usize::from(size).max(1));
    assert_eq!(whole, pieces);
});

/// What came out, and the error that ended it.
fn run(stream: &[u8], size: usize) -> (Vec<Vec<u8>>, Option<XmlError>) {
    let mut framer = Framer::new(LIMITS);
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    let mut scope = parlour::xml::Scope::default();
    for piece in stream.chunks(size) {
        buffer.extend_from_slice(piece);
        loop {
            match framer.next(&mut buffer) {
                Ok(Some(Frame::Open(opening))) => {
                    frames.push(opening.tag.name().as_bytes().to_vec());
                    scope = opening.scope;
                }
                Ok(Some(Frame::Element(bytes))) => {
                    assert!(bytes.len() <= LIMITS.stanza_bytes_max);
                    frames.push(bytes.to_vec());
                    if let Ok(parsed) = parse(bytes, &scope, &LIMITS) {
                        parsed.to_element().expect("content that was checked");
                    }
                }
                Ok(Some(Frame::Close)) => frames.push(b"close".to_vec()),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        assert_eq!(framer.within_stanza(), !buffer.is_empty());
        assert!(buffer.len() <= LIMITS.stanza_bytes_max);
    }
    (frames, None)
}
