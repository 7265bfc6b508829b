//! The server as a process: started, signalled, killed, talked to by good and bad peers over real
//! sockets. Each test is a rule that an operator relies on.
//!
//! No code of the server is used, except that its program is run.

#![expect(clippy::large_futures, reason = "a test has one future")]

mod acknowledged;
mod activities;
mod attachments;
mod authority;
mod bad_peers;
mod certificates;
#[path = "../support/component.rs"]
mod component;
mod component_peer;
mod components;
mod connectors;
mod delegations;
mod directory;
#[path = "../support/dns.rs"]
mod dns;
mod established;
mod exchange;
mod external;
mod federation;
mod first_run;
mod flood;
mod forms;
mod house;
mod inactive;
mod invitations;
#[path = "../support/judge.rs"]
mod judge;
mod keeping;
mod limits;
mod neighbours;
mod peer;
mod portable;
#[expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without a database has failed"
)]
#[path = "../support/postgres.rs"]
mod postgres;
mod privileges;
mod queries;
mod redaction;
mod scram;
mod scram_client;
mod slapd;
mod starting;
mod stopping;
mod tokens;
mod turn;
mod upload;
mod watched;
mod web;
mod web_client;
#[expect(dead_code, reason = "what the scripts need beside")]
#[path = "../support/xml.rs"]
mod xml;
