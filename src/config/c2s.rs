//! `[c2s]`: what clients may do.

use super::section::{section, words};
use super::units::{Bytes, Seconds};

section! {
    /// Connections of clients.
    pub struct C2s {
        /// Whether a client must encrypt before it logs in (RFC 6120 §5.3.1). false is
        /// accepted only while every address of `[listen]` c2s is a loopback address.
        require_tls: bool = true;
        /// The largest stanza, announced to clients (XEP-0478). 256 KiB holds the avatars
        /// that clients publish; RFC 6120 §13.12 asks for at least 10,000 bytes.
        stanza_bytes_max: Bytes = Bytes::kib(256), in Bytes::new(10_000)..=Bytes::mib(16);
        /// How deep elements may nest in a stanza. Real ones stay below 20.
        depth_max: u32 = 64, in 8..=256;
        /// The largest element before login, when nobody is known yet: enough for SASL.
        negotiation_bytes_max: Bytes = Bytes::kib(16), in Bytes::new(4096)..=Bytes::mib(1);
        /// How long a connection may take until its resource is bound. Slow telephones log in
        /// within 10 seconds; whoever takes longer holds a place for nothing.
        negotiation_timeout_seconds: Seconds = Seconds::new(30),
            in Seconds::new(1)..=Seconds::new(600);
        /// After how long without a byte from the client it is asked whether it is there.
        /// Home routers forget a quiet connection after some minutes.
        idle_seconds: Seconds = Seconds::new(300), in Seconds::new(1)..=Seconds::new(86_400);
        /// How long an asked client may take to answer before its session ends.
        idle_answer_seconds: Seconds = Seconds::new(60),
            in Seconds::new(1)..=Seconds::new(3600);
        /// How many resources of one account may be connected at once: people have few
        /// devices, programs that log in in a loop have many.
        resources_per_account_max: u32 = 20, in 1..=10_000;
        /// What happens when a resource is bound that is connected already: "replace" ends the
        /// older session with a conflict, for it is mostly the same client before its network
        /// changed; "refuse" refuses the newer (RFC 6120 §7.7.2.2).
        conflict: Conflict = Conflict::Replace;
        /// How many bytes a second one connection may send in the long run; more is read
        /// later. A person writes some hundred; pasted pictures come as bursts.
        bytes_per_second_max: Bytes = Bytes::kib(256), in Bytes::kib(1)..=Bytes::mib(1024);
        /// How many bytes one connection may send at once after it was quiet. Not less than
        /// stanza_bytes_max.
        burst_bytes_max: Bytes = Bytes::mib(4), in Bytes::kib(16)..=Bytes::mib(1024);
        /// How many stanzas may wait for a client that reads slowly, before its session ends
        /// and they are kept for later. Contacts that come or go count by their bytes only.
        mailbox_stanzas_max: u32 = 256, in 16..=65_536;
        /// How many bytes may wait for a client that reads slowly. Not less than
        /// stanza_bytes_max.
        mailbox_bytes_max: Bytes = Bytes::mib(1), in Bytes::kib(64)..=Bytes::mib(1024);
        /// How many connections one address may hold. A contact center with all its agents
        /// often stands behind one.
        connections_per_address_max: u32 = 20_000, in 1..=1_000_000;
        /// How many connections of one address may be logging in at once: the cheap attack is
        /// to connect and wait.
        negotiations_per_address_max: u32 = 1000, in 1..=1_000_000;
        /// Whether the limits by address hold for addresses of this machine too. Not by default,
        /// for gateways and reverse proxies connect from there for many people; worth it on a
        /// machine that strangers may log in to.
        limit_loopback: bool = false;
        /// Over how long the sessions are ended when the server stops, one after the other, so that
        /// not all clients log in elsewhere, or here again, at the same moment. Whoever stops it twice
        /// does not wait.
        drain_seconds: Seconds = Seconds::new(0), in Seconds::new(0)..=Seconds::new(3600);
    }
}

words! {
    /// The policy for a resource that is bound twice (RFC 6120 §7.7.2.2).
    pub enum Conflict {
        /// The older session is ended with a `conflict` stream error.
        Replace = "replace",
        /// The newer request is answered with a `conflict` stanza error.
        Refuse = "refuse",
    }
}
