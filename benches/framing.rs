//! What it costs to frame, check and write a stanza, in nanoseconds each.
//!
//! One 215-byte chat message with a body that holds an entity, and a chat state,
//! read in 1400-byte pieces as from a socket. Best of many short rounds, as
//! other load on the machine only ever adds.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a benchmark measures real time, prints, and stops when its input is wrong"
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use parlour::proto::{FullJid, Jid, reading};
use parlour::xml::{Frame, Framer, Limits, Parsed, Scope, parse, write};

const HEADER: &str = "<stream:stream xmlns='jabber:client' \
    xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>";

const MESSAGE: &str = "<message from='alice@example.org/desk' to='bob@example.org/phone' id='a1b2c3d4-e5f6-7890' \
    type='chat'><body>See you at 5 &amp; bring the report</body>\
    <active xmlns='http://jabber.org/protocol/chatstates'/></message>";

const MESSAGES: usize = 1_000;
const READ_BYTES: usize = 1_400;
const ROUNDS: usize = 200;

fn main() {
    let stream = format!("{HEADER}{}", MESSAGE.repeat(MESSAGES));
    let scope: Scope = [
        ("", "jabber:client"),
        ("stream", "http://etherx.jabber.org/streams"),
    ]
    .into_iter()
    .collect();
    let limits = Limits::default();
    let message = Bytes::from_static(MESSAGE.as_bytes());
    let parsed = parse(message.clone(), &scope, &limits).expect("a well-formed message");
    let tree = parsed.to_element().expect("content that was checked");

    println!(
        "{} bytes, nanoseconds per stanza, best of {ROUNDS}",
        MESSAGE.len()
    );
    report("frame", || frames(&stream, |_| {}));
    report("frame + parse", || {
        frames(&stream, |bytes| {
            black_box(parse(bytes, &scope, &limits).expect("a well-formed message"));
        });
    });
    // What the sender's session and the recipient's do to each message between the sockets.
    let sender: FullJid = "alice@example.org/desk".parse().expect("an address");
    let mut wire = Vec::with_capacity(512);
    report("frame + parse + head rewritten", || {
        frames(&stream, |bytes| {
            let parsed = parse(bytes, &scope, &limits).expect("a well-formed message");
            wire.clear();
            rewrite(parsed, &sender, &mut wire);
            black_box(&wire);
        });
    });
    report("parse", || {
        repeat(|| drop(black_box(parse(message.clone(), &scope, &limits))));
    });
    report("content: find and read the body", || {
        repeat(|| {
            let body = parsed.content.find(None, "body").expect("a body");
            black_box(body.text());
        });
    });
    report("content: to tree", || {
        repeat(|| drop(black_box(parsed.to_element())))
    });
    report("content: clone", || {
        repeat(|| drop(black_box(parsed.content.clone())))
    });
    let mut out = Vec::with_capacity(512);
    report("write a tree", || {
        repeat(|| {
            out.clear();
            write::element(&mut out, black_box(&tree), "jabber:client");
        });
    });
}

/// Types the head, stamps the sender, and writes a new head before the same payload.
fn rewrite(parsed: Parsed, sender: &FullJid, out: &mut Vec<u8>) {
    let mut stanza = reading::stanza(parsed, "jabber:client").expect("a stanza");
    stanza.from = Some(Jid::from(sender.clone()));
    stanza.write(out, None);
}

fn repeat(mut work: impl FnMut()) {
    for _ in 0..MESSAGES {
        work();
    }
}

/// Frames the whole stream and hands on every child.
fn frames(stream: &str, mut child: impl FnMut(Bytes)) {
    let mut framer = Framer::new(Limits::default());
    let mut buffer = BytesMut::with_capacity(READ_BYTES * 4);
    let mut children = 0;
    for piece in stream.as_bytes().chunks(READ_BYTES) {
        buffer.extend_from_slice(piece);
        while let Some(frame) = framer.next(&mut buffer).expect("a well-formed stream") {
            if let Frame::Element(bytes) = frame {
                children += 1;
                child(bytes);
            }
        }
    }
    assert_eq!(children, MESSAGES);
}

fn report(what: &str, mut round: impl FnMut()) {
    let mut best = u128::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        round();
        best = best.min(start.elapsed().as_nanos());
    }
    println!("{what:<36}{:>8}", best / MESSAGES as u128);
}
