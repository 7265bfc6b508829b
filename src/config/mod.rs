//! What the operator says: one TOML file, overridden by environment variables, checked as a
//! whole before anything starts.
//!
//! Each table is one struct in a file of its own, defined once with the meaning, type, range
//! and default of its keys (`section.rs`); the reader, the variables and the commented
//! [`reference()`] follow from that definition. Everything wrong is reported at once, with
//! file, line and what was expected ([`ConfigErrors`]).
//!
//! It does not open the files that it names (certificates), nor the database; only the
//! files of secrets (`<key>_file`) are read here.

mod account;
mod address;
mod admin;
mod archive;
mod auth;
mod blocking;
mod c2s;
mod check;
mod check_auth;
mod check_component;
mod component;
mod contact_center;
mod database;
mod delegation;
mod difference;
mod email;
mod external_service;
mod fast;
mod host;
mod http;
mod invitations;
mod ldap;
mod listen;
mod log;
mod oauth;
mod place;
mod privileges;
mod problem;
mod pubsub;
mod push;
mod reader;
mod reference;
mod registration;
mod rooms;
mod roster;
mod s2s;
mod section;
mod stream_management;
mod suggest;
mod tls;
mod units;
mod upload;
mod value;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use account::{Offline, PrivateStorage, Vcard};
pub use address::{ContactAddress, Domain, ListenAddress};
pub use admin::{Admin, Audit};
pub use archive::{Archive, ArchiveDefault};
pub use auth::{Auth, AuthSource, GivenRole};
pub use blocking::{Address, Blocking, Reporting};
pub use c2s::{C2s, Conflict};
pub use component::{Component, ComponentConflict, ComponentRole};
pub use contact_center::{ContactCenter, Region};
pub use database::{Database, DatabaseLocation};
pub use delegation::Delegation;
pub use difference::Revision;
pub use email::{Email, EmailTls};
pub use external_service::{ExternalService, ExternalServiceKind, ExternalTransport};
pub use fast::Fast;
pub use host::{Contact, Host};
pub use http::{Http, Network, PublicUrl, UrlPath, WebOrigin};
pub use invitations::{Invitations, InvitationsBy};
pub use ldap::{GroupRole, Ldap, LdapMode, LdapUrl};
pub use listen::Listen;
pub use log::Log;
pub use oauth::{ClaimRole, JwksUrl, JwtAlgorithm, Oauth};
pub use privileges::{Access, IqPrivilege, MessagePrivilege, PresencePrivilege, Privileges};
pub use problem::{ConfigErrors, Origin, Problem};
pub use pubsub::{NodeCreation, Pubsub, ServiceName};
pub use push::Push;
pub use reference::reference;
pub use registration::{Registration, RegistrationMode};
pub use rooms::{RoomCreation, Rooms, Subdomain};
pub use roster::Roster;
pub use s2s::{DomainPattern, OptionalAddress, OptionalPath, S2s};
pub use stream_management::StreamManagement;
pub use tls::{Tls, TlsVersion};
pub use units::{Bytes, Seconds};
pub use upload::{HttpsUrl, MediaRange, Upload};

use place::Place;
use reader::Reader;
use section::{Section, section};

section! {
    /// The configuration of Parlour. It is read from the file that --config or PARLOUR_CONFIG
    /// names, else from ./parlour.toml, else from /etc/parlour/parlour.toml, else these are
    /// the values.
    ///
    /// A variable overrides each key: PARLOUR_DATA_DIR, PARLOUR_LISTEN_C2S, lists separated by
    /// commas; PARLOUR_HOST lists the domains. A secret is given as `<key>_file` instead, or
    /// PARLOUR_..._FILE, to be read from a file. Relative paths begin at the directory that the
    /// server is started in.
    pub struct Config {
        /// Where the database, made certificates and the control socket lie.
        data_dir: PathBuf = PathBuf::from("./data");
    }
    tables {
        listen: Listen;
        c2s: C2s;
        s2s: S2s;
        http: Http;
        stream_management: StreamManagement;
        tls: Tls;
        database: Database;
        auth: Auth;
        fast: Fast;
        registration: Registration;
        invitations: Invitations;
        offline: Offline;
        archive: Archive;
        private_storage: PrivateStorage;
        vcard: Vcard;
        roster: Roster;
        blocking: Blocking;
        reporting: Reporting;
        push: Push;
        pubsub: Pubsub;
        rooms: Rooms;
        contact_center: ContactCenter;
        upload: Upload;
        admin: Admin;
        audit: Audit;
        log: Log;
    }
    arrays {
        hosts: Host as "host" = vec![Host::default()], requires &["domain"];
        external_services: ExternalService as "external_service" = Vec::new(),
            requires &["kind", "host"];
        components: Component as "component" = Vec::new(), requires &["domain", "secret"];
    }
}

/// Where the file is looked for when none is named.
pub const FILES: [&str; 2] = ["./parlour.toml", "/etc/parlour/parlour.toml"];

/// The variable that names the file.
pub const FILE_VARIABLE: &str = "PARLOUR_CONFIG";

/// The variable that lists the domains.
const HOST_VARIABLE: &str = "PARLOUR_HOST";

impl Config {
    /// Whether that host has a contact center.
    #[must_use]
    pub const fn has_contact_center(&self, host: &Host) -> bool {
        self.contact_center.enabled && host.contact_center
    }

    /// Reads the file at `path`, or the one that [`FILE_VARIABLE`] names, or the first of
    /// [`FILES`] that exists, or none; then the variables of `environment` that begin with
    /// `PARLOUR_`.
    ///
    /// # Errors
    /// Everything that is wrong with the file and the variables.
    pub fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let environment: Vec<_> = environment.collect();
        let named = path.map(Path::to_path_buf).or_else(|| {
            let mut pairs = environment.iter();
            let (_, path) = pairs.find(|(name, _)| name == FILE_VARIABLE)?;
            Some(PathBuf::from(path))
        });
        let usual = || FILES.iter().map(PathBuf::from).find(|path| path.exists());
        let Some(path) = named.or_else(usual) else {
            return Self::read(None, environment.into_iter());
        };
        let name = path
            .strip_prefix("./")
            .unwrap_or(&path)
            .display()
            .to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::read(Some((&name, &text)), environment.into_iter()),
            Err(error) => Err(ConfigErrors::new(vec![Problem {
                origin: Origin::File { file: name },
                key: String::new(),
                message: format!("cannot be read: {error}"),
            }])),
        }
    }

    /// Reads the text of a file that complaints call `name`, then the variables.
    ///
    /// # Errors
    /// Everything that is wrong with the text and the variables.
    pub fn parse(
        name: &str,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        Self::read(Some((name, text)), environment)
    }

    /// Which database serves: the one of `[database] url`, or the file in `data_dir`.
    #[must_use]
    pub fn database_location(&self) -> DatabaseLocation {
        match &self.database.url {
            Some(url) => DatabaseLocation::Url(url.clone()),
            None => DatabaseLocation::SqliteFile(self.data_dir.join("parlour.db")),
        }
    }

    fn read(
        file: Option<(&str, &str)>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let environment = environment.filter(|(name, _)| name != FILE_VARIABLE);
        let mut reader = Reader::new(file, environment);
        let (root, broken) = DeTable::parse_recoverable(file.map_or("", |(_, text)| text));
        if !broken.is_empty() {
            // What follows a broken line may have lost its table: complaining about it misleads.
            for error in &broken {
                reader.complain_syntax(error);
            }
            return Err(ConfigErrors::new(reader.into_problems()));
        }
        let mut config = <Self as Section>::read(root.get_ref(), &Place::file(), &mut reader);
        check::hosts(&config, &mut reader);
        config.override_hosts(&mut reader);
        check::rest(&config, &mut reader);
        let problems = reader.finish();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigErrors::new(problems))
        }
    }

    /// Serves the domains of [`HOST_VARIABLE`] instead, with what the file says about them.
    fn override_hosts(&mut self, reader: &mut Reader<'_>) {
        let Some(domains) = reader.variable::<Vec<Domain>>(HOST_VARIABLE) else {
            return;
        };
        let mut hosts: Vec<Host> = Vec::with_capacity(domains.len());
        for domain in domains {
            if hosts.iter().any(|host| host.domain == domain) {
                reader.complain_variable(HOST_VARIABLE, format!("{domain} is listed twice"));
                continue;
            }
            let in_file = self.hosts.iter().find(|host| host.domain == domain);
            hosts.push(in_file.cloned().unwrap_or_else(|| Host {
                domain,
                ..Host::default()
            }));
        }
        if hosts.is_empty() {
            reader.complain_variable(HOST_VARIABLE, "expected at least one domain".to_owned());
        }
        self.hosts = hosts;
    }
}

/// The process's environment as text; what is not UTF-8 is kept with replacement
/// characters, so that it is complained about instead of passed over.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}
