//! The extensions: one file each, and this list of them.
//!
//! An extension declares the documents it implements and registers its hooks; nothing else
//! in the house knows that it exists. To add one, write the file, add it to `LIST`, and add
//! its conversation scripts.

pub mod caps;
pub mod commands;
pub mod contact_addresses;
pub mod disco;
pub mod http_upload;
pub mod last_activity;
pub mod offline;
pub mod ping;
pub mod presence;
pub mod private_xml;
pub mod registration;
pub mod roster;
pub mod session_establishment;
pub mod stream_limits;
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
type Register = fn(&mut Hooks, &Arc<Config>);

/// Every extension, in alphabetical order.
const LIST: &[Register] = &[
    caps::register,
    commands::register,
    contact_addresses::register,
    disco::register,
    http_upload::register,
    last_activity::register,
    offline::register,
    ping::register,
    presence::register,
    private_xml::register,
    registration::register,
    roster::register,
    session_establishment::register,
    stream_limits::register,
    subscription::register,
    time::register,
    vcard::register,
    version::register,
];

/// The table of hooks of all extensions.
#[must_use]
pub fn hooks(config: &Arc<Config>) -> Hooks {
    let mut hooks = Hooks::default();
    for register in LIST {
        register(&mut hooks, config);
    }
    hooks.finish()
}
