//! People who are known elsewhere: in a directory (LDAP), or to whoever signs their tokens (OAuth).
//!
//! [`Identities`] answers who somebody is; the drivers of SASL ask it. [`admit`] makes the account of
//! who comes for the first time. What is said to clients is not decided here.

mod admission;
mod directory;
mod issuer;
mod template;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Timestamp;
use crate::config::{Auth, AuthSource, Domain, GivenRole};
use crate::domain::rights::Role;
use crate::net::tls::TlsError;
use crate::proto::BareJid;

pub use admission::{Admitted, admit};
use directory::Directory;
use issuer::Issuer;
pub use issuer::Refusal;

/// Somebody of whom a source has said who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account: BareJid,
    /// Who says it.
    pub source: AuthSource,
    /// The name for people.
    pub name: Option<String>,
    /// The role, where the source decides it.
    pub role: Option<Role>,
}

/// What a directory says of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordAnswer {
    /// It is the person's.
    Right(Person),
    /// It is not.
    Wrong,
    /// The directory knows no such person, or cannot tell that from a wrong password.
    Unknown,
}

/// Why a source cannot tell who somebody is. The texts name what an operator has to look at.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file of authorities cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A filter of the configuration is none.
    #[error("[auth.ldap] {0}: not a filter as RFC 4515 writes it")]
    Filter(&'static str),
    /// No server of the directory can be reached.
    #[error("no server of the directory answers; the last said: {0}")]
    Unreachable(String),
    /// Every connection is in use.
    #[error(
        "all connections to the directory were in use for too long ([auth.ldap] connections_max)"
    )]
    Busy,
    /// The directory does not do what it is asked.
    #[error("the directory refuses {what}: {cause}")]
    Refused {
        /// What it was asked.
        what: &'static str,
        /// What it said.
        cause: String,
    },
    /// The connection was lost, or the answer did not come in time.
    #[error("the connection to the directory failed: {0}")]
    Lost(String),
    /// The keys of whoever signs tokens cannot be had.
    #[error("the keys of {place} cannot be read: {cause}")]
    Keys {
        /// A file or a URL.
        place: String,
        /// What is wrong.
        cause: String,
    },
}

/// The sources that the configuration has beside the store.
#[derive(Debug)]
pub struct Identities {
    directory: Option<Directory>,
    issuer: Option<Issuer>,
}

impl Identities {
    /// Sets the configured sources up; nobody is asked yet. Connections are driven by tasks of `tasks`, until
    /// `stop`. Blocks on the disk.
    ///
    /// # Errors
    /// When a file of authorities cannot be used.
    pub fn new(
        auth: &Auth,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, IdentityError> {
        let directory = auth.asks(AuthSource::Ldap);
        let directory = directory.then(|| Directory::new(&auth.ldap, tasks, stop));
        let issuer = auth.asks(AuthSource::Oauth);
        let issuer = issuer.then(|| Issuer::new(&auth.oauth));
        Ok(Self {
            directory: directory.transpose()?,
            issuer: issuer.transpose()?,
        })
    }

    /// Asks the directory whether it is the account's password.
    ///
    /// # Errors
    /// When it cannot tell at the moment; nothing is known of the password then.
    pub async fn password(
        &self,
        account: &BareJid,
        password: &str,
    ) -> Result<PasswordAnswer, IdentityError> {
        match &self.directory {
            Some(directory) => directory.password(account, password).await,
            None => Ok(PasswordAnswer::Unknown),
        }
    }

    /// Whether an account that was made for somebody of `source` still has that somebody: to be asked
    /// when another proof than that source's lets it in.
    ///
    /// # Errors
    /// When the directory cannot tell at the moment.
    pub async fn still_knows(
        &self,
        account: &BareJid,
        source: &str,
    ) -> Result<bool, IdentityError> {
        match (&self.directory, &self.issuer) {
            (Some(directory), _) if source == AuthSource::Ldap.as_str() => {
                directory.still_has(account).await
            }
            (_, Some(_)) => Ok(source == AuthSource::Oauth.as_str()),
            (_, None) => Ok(false),
        }
    }

    /// Whose token it is, for a stream to `host`; or why it is not taken.
    ///
    /// # Errors
    /// When there are no keys to check it with.
    pub async fn token(
        &self,
        host: &BareJid,
        token: &str,
        now: Timestamp,
    ) -> Result<Result<Person, Refusal>, IdentityError> {
        match &self.issuer {
            Some(issuer) => issuer.token(host, token, now).await,
            None => Ok(Err(Refusal::unexpected())),
        }
    }

    /// Sees whether the directory answers and lets its service account in; `None` without a directory.
    pub async fn probe_directory(&self) -> Option<Result<(), IdentityError>> {
        let directory = self.directory.as_ref()?;
        Some(directory.probe().await)
    }

    /// Fetches the keys that tokens are checked with, and says how many there are; `None` where no
    /// tokens are taken.
    pub async fn probe_issuer(&self, now: Timestamp) -> Option<Result<usize, IdentityError>> {
        let issuer = self.issuer.as_ref()?;
        Some(issuer.load(now).await)
    }
}

/// Whether a source is for the people of that host.
fn is_for(hosts: &[Domain], account: &BareJid) -> bool {
    let domain = account.domain().as_str();
    hosts.is_empty() || hosts.iter().any(|host| host.as_str() == domain)
}

/// The highest of the roles that apply; `None` where none is given at all.
fn role(given: impl ExactSizeIterator<Item = (GivenRole, bool)>) -> Option<Role> {
    if given.len() == 0 {
        return None;
    }
    let applying = given.filter(|(_, applies)| *applies);
    let roles = applying.filter_map(|(role, _)| role.as_str().parse().ok());
    Some(roles.max().unwrap_or(Role::Member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_role_counts_and_nobody_keeps_one_that_he_lost() {
        use GivenRole::{Administrator, Agent, Supervisor};
        for (given, expected) in [
            (&[][..], None),
            (&[(Agent, false), (Supervisor, false)], Some(Role::Member)),
            (&[(Supervisor, true), (Agent, true)], Some(Role::Supervisor)),
            (&[(Agent, true), (Administrator, false)], Some(Role::Agent)),
        ] {
            assert_eq!(role(given.iter().copied()), expected, "{given:?}");
        }
    }

    #[test]
    fn hosts_keep_the_people_of_others_out() {
        let hosts = [Domain::localhost()];
        let account = |text: &str| BareJid::new(text).unwrap();
        assert!(is_for(&hosts, &account("anna@localhost")));
        assert!(!is_for(&hosts, &account("anna@example.org")));
        assert!(is_for(&[], &account("anna@example.org")));
    }
}
