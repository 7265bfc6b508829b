//! Parlour: an XMPP server for contact centers.
//!
//! The rooms of the house, from the bottom up; each may use only the rooms that
//! `ARCHITECTURE.md` allows it, which `tests/tidy.rs` checks:
//!
//! - [`clock`], [`id`]: time and identifiers, passed in so that tests choose them.
//! - [`config`], [`observe`]: what the operator says, and what the server says back.
//! - [`xml`]: bytes to elements and back; knows no XMPP.
//! - [`domain`]: the contact-center rules, pure.
//! - [`proto`]: the vocabulary of XMPP as types.
//! - [`stream`]: stream negotiation as a machine without IO.
//! - [`store`]: every line of SQL.
//! - [`identity`]: people who are known elsewhere: directories, signed tokens.
//! - [`hooks`]: the interface that extensions are written against.
//! - [`router`]: where a stanza goes.
//! - [`peer`]: what connections of components and other servers share.
//! - [`component`]: programs of others that serve a domain.
//! - [`session`], [`net`]: connections and the tasks that own them.
//! - [`http`]: what browsers reach: WebSocket, BOSH, and where these are.
//! - [`extensions`]: one file each, and the list of them.
//! - [`contact_center`]: loads, saves and tells what the domain decides.
//! - [`admin`], [`cli`]: operations, defined once for every door, and the command line.
//! - [`server`]: builds the rooms from the configuration and wires them.
//! - [`demo`]: a contact center to walk through.

pub mod admin;
pub mod cli;
pub mod clock;
pub mod component;
pub mod config;
pub mod contact_center;
pub mod demo;
pub mod domain;
pub mod extensions;
pub mod hooks;
pub mod http;
pub mod id;
pub mod identity;
pub mod net;
pub mod observe;
pub mod peer;
pub mod proto;
pub mod router;
pub mod s2s;
pub mod server;
pub mod session;
pub mod store;
pub mod stream;
pub mod xml;
