//! Both machines against tables of conversations: what comes, what is answered, what happens next.

mod initiating;
mod receiving;

use bytes::BytesMut;

use super::dialback::{Pair, Secret, Verdict};
use super::initiating::Policy;
use crate::proto::ns;
use crate::xml::{Element, Frame, Framer, Limits, Opening, Scope, parse};

const STRICT: Policy = Policy {
    dialback: false,
    require_tls: true,
};
const DIALBACK: Policy = Policy {
    dialback: true,
    require_tls: true,
};

fn secret() -> Secret {
    Secret::new(b"secret")
}

fn pair() -> Pair {
    Pair {
        local: "a.example".to_owned(),
        remote: "b.example".to_owned(),
    }
}

fn opening(attributes: &str) -> Opening {
    let text = format!(
        "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' {attributes}>"
    );
    let mut bytes = BytesMut::from(text.as_bytes());
    match Framer::new(Limits::default()).next(&mut bytes) {
        Ok(Some(Frame::Open(opening))) => opening,
        other => panic!("{other:?}"),
    }
}

fn element(text: &str) -> Element {
    let scope: Scope = [
        ("", ns::SERVER),
        ("db", ns::DIALBACK),
        ("stream", ns::STREAMS),
    ]
    .into_iter()
    .collect();
    let parsed = parse(text.to_owned().into(), &scope, &Limits::default()).unwrap();
    parsed.to_element().unwrap()
}

const EXTERNAL: &str = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism><mechanism>EXTERNAL</mechanism></mechanisms>";
const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const BIDI: &str = "<bidi xmlns='urn:xmpp:features:bidi'/>";
const OFFERED: &str = "<dialback xmlns='urn:xmpp:features:dialback'/>";

fn features(inside: &[&str]) -> Element {
    element(&format!(
        "<stream:features>{}</stream:features>",
        inside.concat()
    ))
}
