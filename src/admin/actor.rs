//! Who has something done, from where, and how far that reaches.

use std::net::IpAddr;

use crate::config::Config;
use crate::domain::rights::{Right, Rights, Role};
use crate::proto::{BareJid, Jid};

/// Who has something done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account's address, or words where it is none.
    pub(super) who: String,
    /// The account, where it is one.
    pub(super) account: Option<BareJid>,
    /// The session and its peer, or the user of this machine.
    pub(super) origin: String,
    pub(super) role: Role,
    /// What an account may do that its role alone does not let it.
    pub(super) rights: Option<Rights>,
    pub(super) reach: Reach,
    pub(super) traced: bool,
}

/// How far the right to administer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every host, and the server as a whole.
    Server,
    /// One host, and what belongs to it.
    Host(String),
}

impl Actor {
    /// Whoever has the run of this machine's command line, which decides with files and sockets who that is.
    #[must_use]
    pub fn command_line(uid: Option<u32>) -> Self {
        let uid = uid.map_or_else(|| "an unknown user".to_owned(), |uid| format!("uid {uid}"));
        Self {
            who: "command line".to_owned(),
            account: None,
            origin: uid,
            role: Role::Administrator,
            rights: None,
            reach: Reach::Server,
            traced: true,
        }
    }

    /// An account, by one of its sessions. It reaches its own host, and the whole server where that is the
    /// only host or `[admin] server_administrators` names it.
    #[must_use]
    pub fn account(config: &Config, from: &Jid, role: Role, peer: Option<IpAddr>) -> Self {
        let named = &config.admin.server_administrators;
        let named = named.iter().any(|address| address.0 == *from.bare());
        let reach = if named || config.hosts.len() == 1 {
            Reach::Server
        } else {
            Reach::Host(from.domain().to_owned())
        };
        let peer = peer.map_or_else(|| "elsewhere".to_owned(), |peer| peer.to_string());
        Self {
            who: from.bare().to_string(),
            account: Some(from.bare().clone()),
            origin: match from.resource() {
                Some(resource) => format!("{peer} {}", resource.as_str()),
                None => peer,
            },
            role,
            rights: None,
            reach,
            traced: true,
        }
    }

    /// Somebody who makes an account because the operator lets everybody (XEP-0077), which is no act of an
    /// administrator.
    #[must_use]
    pub fn newcomer() -> Self {
        Self {
            who: "registration".to_owned(),
            account: None,
            origin: String::new(),
            role: Role::Administrator,
            rights: None,
            reach: Reach::Server,
            traced: false,
        }
    }

    /// The same with the rights of its account, some of which are to operations.
    #[must_use]
    pub fn with_rights(self, rights: Rights) -> Self {
        let rights = Some(rights);
        Self { rights, ..self }
    }

    /// Whether it is known to have that right.
    pub(super) fn has(&self, right: Right) -> bool {
        self.rights.as_ref().is_some_and(|rights| rights.has(right))
    }

    /// Whether the actor may act on that host.
    #[must_use]
    pub fn reaches(&self, host: &str) -> bool {
        self.reach.includes(host)
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }
}

/// The served host that the domain is, or else the one that it is below of. Where one host is below another,
/// what is below both belongs to the longer.
pub(super) fn host_of<'a>(config: &'a Config, domain: &str) -> Option<&'a str> {
    let hosts = config.hosts.iter().map(|host| host.domain.as_str());
    hosts
        .filter(|host| {
            let below = domain.strip_suffix(host);
            below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
        })
        .max_by_key(|host| host.len())
}

impl Reach {
    /// Whether the host is within it.
    #[must_use]
    pub fn includes(&self, host: &str) -> bool {
        match self {
            Self::Server => true,
            Self::Host(own) => own == host,
        }
    }

    /// Whether the account is within it.
    pub(super) fn includes_account(&self, jid: &BareJid) -> bool {
        self.includes(jid.domain().as_str())
    }

    /// Whether an address at the host or at a service of it is within it.
    pub(super) fn includes_service_of(&self, config: &Config, domain: &str) -> bool {
        match self {
            Self::Server => true,
            Self::Host(own) => host_of(config, domain) == Some(own),
        }
    }

    /// Whether an administrator of the whole server is out of it: who reaches one host could otherwise
    /// become that account, by its password or by making it anew.
    pub(super) fn spares(&self, config: &Config, jid: &BareJid) -> bool {
        let named = &config.admin.server_administrators;
        *self != Self::Server && named.iter().any(|address| address.0 == *jid)
    }

    /// The only host, where there is one.
    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Server => None,
            Self::Host(host) => Some(host),
        }
    }
}
