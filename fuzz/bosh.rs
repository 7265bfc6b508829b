//! The parts of BOSH that read bytes and decide; those that hold connections are left out.

#![expect(dead_code, reason = "what holds connections needs the rest")]

#[path = "../src/http/bosh/body.rs"]
mod body;
#[path = "../src/http/bosh/window.rs"]
mod window;

use std::time::Duration;

use bytes::Bytes;

use crate::xml::{Frame, Framer, Limits, Scope, document, parse};
use body::{Act, Condition, Creation, Fate, Request};
use window::{Place, Window};

/// Reads requests, a line each, and answers each in its turn with what it carried.
pub fn session(said: &[u8], limits: &Limits) {
    let mut window = None;
    for line in said.split(|byte| *byte == b'\n') {
        let request = match Request::read(Bytes::copy_from_slice(line), limits) {
            Ok(request) => request,
            Err(condition) => {
                assert_eq!(condition, Condition::BadRequest);
                continue;
            }
        };
        assert!(request.rid < 1 << 53);
        answered(&request, limits);
        let window = window.get_or_insert_with(|| Window::new(&request, 2));
        if window.check_key(&request).is_err() {
            continue;
        }
        let rid = request.rid;
        if let Place::Due(_) = window.place(rid, request) {
            window.keep(rid, body::empty(Fate::Open));
            // No more can wait than may be under way.
            let waited = std::iter::from_fn(|| window.due()).count();
            assert!(waited <= 2);
        }
    }
}

/// Whatever a request holds, the answer to it is well-formed, and so is the stream that it opens.
fn answered(request: &Request, limits: &Limits) {
    let open = request.open("example.com");
    document(&open, &Limits::STORED).expect("an element that was written");
    let mut elements = Vec::new();
    for payload in &request.payloads {
        let mut framer = Framer::of_children(*limits);
        let mut bytes = payload.as_ref().into();
        if let Ok(Some(Frame::Element(element))) = framer.next(&mut bytes) {
            assert!(bytes.is_empty(), "one element");
            assert_eq!(element, payload);
            if parse(element, &Scope::default(), limits).is_ok() {
                elements.push(payload.as_ref());
            }
        }
    }
    let creation = Creation {
        sid: "sid".to_owned(),
        host: request.to().unwrap_or("example.com").to_owned(),
        wait: Duration::from_secs(request.number("wait").unwrap_or(60)),
        inactivity: Duration::from_secs(60),
        polling: Duration::from_secs(5),
        pause_max: match request.act {
            Act::Pause(time) => time,
            Act::Nothing | Act::Restart | Act::Terminate => Duration::from_secs(120),
        },
        hold: 1,
        requests: 2,
        version: request.version(),
    };
    assert!(!request.is_empty() || request.payloads.is_empty());
    for creation in [None, Some(&creation)] {
        let answer = body::answer(creation, &elements, Fate::Open);
        document(&answer, &Limits::STORED).expect("an answer that was written");
    }
}
