//! The extensions: one file each, and this list of them.
//!
//! An extension declares the documents it implements and registers its hooks; nothing else
//! in the house knows that it exists. To add one, write the file, add it to `LIST`, and add
//! its conversation scripts.

pub mod access;
pub mod archive;
pub mod avatars;
pub mod blocking;
pub mod bookmarks;
pub mod call_invites;
pub mod caps;
pub mod carbons;
pub mod client_state;
pub mod commands;
pub mod components;
pub mod contact_addresses;
pub mod disco;
pub mod displayed;
pub mod external_services;
pub mod fast;
pub mod hints;
pub mod http_upload;
pub mod invitations;
pub mod last_activity;
pub mod muc;
pub mod notices;
pub mod offline;
pub mod ping;
pub mod presence;
pub mod private_xml;
pub mod privileged_presence;
pub mod pubsub;
pub mod push;
pub mod registration;
pub mod reporting;
pub mod roster;
pub mod roster_exchange;
pub mod session_establishment;
pub mod stanza_id;
pub mod stream_limits;
pub mod stream_management;
pub mod subscription;
#[cfg(test)]
pub(crate) mod testing;
pub mod time;
pub mod vcard;
pub mod version;

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::Hooks;

/// What every extension's `register` looks like.
pub type Register = fn(&mut Hooks, &Arc<Config>);

/// Every extension, in alphabetical order.
const LIST: &[Register] = &[
    access::register,
    archive::register,
    avatars::register,
    blocking::register,
    bookmarks::register,
    call_invites::register,
    caps::register,
    carbons::register,
    client_state::register,
    commands::register,
    components::register,
    contact_addresses::register,
    disco::register,
    displayed::register,
    external_services::register,
    fast::register,
    hints::register,
    http_upload::register,
    invitations::register,
    last_activity::register,
    muc::register,
    notices::register,
    offline::register,
    ping::register,
    presence::register,
    private_xml::register,
    privileged_presence::register,
    pubsub::register,
    push::register,
    registration::register,
    reporting::register,
    roster::register,
    roster_exchange::register,
    session_establishment::register,
    stanza_id::register,
    stream_limits::register,
    stream_management::register,
    subscription::register,
    time::register,
    vcard::register,
    version::register,
];

/// The table of hooks of all extensions.
#[must_use]
pub fn hooks(config: &Arc<Config>) -> Hooks {
    hooks_with(config, &[])
}

/// The same with what other rooms register.
#[must_use]
pub fn hooks_with(config: &Arc<Config>, others: &[Register]) -> Hooks {
    let mut hooks = Hooks::default();
    for register in LIST.iter().chain(others) {
        register(&mut hooks, config);
    }
    hooks.finish()
}
