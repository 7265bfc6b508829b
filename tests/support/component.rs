//! What a component says before it is believed (XEP-0114 §3).

use sha1::{Digest as _, Sha1};

use crate::xml::STREAMS;

/// The namespace of what a component and its server exchange.
pub(crate) const COMPONENT: &str = "jabber:component:accept";

/// The header of a component's stream.
pub(crate) fn header(domain: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='{COMPONENT}' xmlns:stream='{STREAMS}' \
         to='{domain}'>"
    )
}

/// The proof that it knows the secret, on the stream of that id.
pub(crate) fn handshake(id: &str, secret: &str) -> String {
    let hash = Sha1::digest(format!("{id}{secret}"));
    let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("<handshake>{text}</handshake>")
}
