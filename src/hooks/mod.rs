//! The interface that extensions are written against.
//!
//! An extension is one file with a function `register(&mut Hooks)` that adds its hooks
//! once, at start-up; afterwards the table is read without locks. The points where a hook
//! can stand are the methods of [`Hooks`], a closed list; within one point, hooks run in
//! the order of their [`Stage`]. There are no priorities and no events named by strings.
//!
//! Message and presence hooks are synchronous and return what shall happen as data
//! ([`Effects`]); what needs the database is a future among the effects, which the
//! sender's task awaits. IQ handlers are asynchronous and return the answer, so that a
//! request without one does not compile.

mod attachments;
mod disco;
mod gateway;
mod gathering;
mod iq;
mod mailbox;
mod online;
mod passage;
mod peers;
mod points;
mod refusal;
mod requests;
mod service;
mod services;
mod slots;
mod table;
mod turns;

pub use attachments::{AttachmentDesk, AttachmentKeeping, AttachmentLink, ShownAttachment};
pub use disco::{Ask, Disco, Identity, Info, Item};
pub use gateway::Gateway;
pub use gathering::Gathering;
pub use iq::{Ahead, At, Iq, IqAnswer, StreamIq};
pub use mailbox::{Mail, MailboxLimits};
pub(crate) use mailbox::{counter, waits_for_company};
pub(crate) use online::Told;
pub use online::{Account, Connection, Session};
pub use passage::{Durable, Effects, Flow, Passage, Stage, Tidings, Undelivered};
pub use peers::{
    PeerDirection, PeerFailure, PeerKind, PeerSecurity, PeerState, PeerStatus, Peers, Published,
};
pub use refusal::refusal;
pub use requests::{Answer, OnAnswer, Requests};
pub use service::{Later, Parcel, Service};
pub use services::{Routing, Sent, Services};
pub use slots::Slots;
pub use table::{Hooks, StreamPhase};
pub(crate) use turns::{Turn, Turns};
