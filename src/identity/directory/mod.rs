//! A directory that knows people (LDAP, RFC 4511): who somebody is, by the password that it takes, and what
//! it says of the person.
//!
//! Two modes: the name to bind as is made from a template, or searched with an account of the server's own.
//! Referrals to other servers are not followed.

mod entry;
mod pool;

use std::sync::Arc;

use ldap3::{LdapResult, Scope, SearchEntry, SearchOptions};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::{IdentityError, PasswordAnswer, Person, is_for, template};
use crate::config::{Domain, Ldap, LdapMode};
use crate::proto::BareJid;
use entry::Entry;
use pool::{Connection, Pool, lost};

/// The directory of the configuration.
#[derive(Debug)]
pub(super) struct Directory {
    config: Arc<Ldap>,
    pool: Pool,
}

/// What is asked over one connection.
enum Question<'a> {
    /// Whether it is the account's password.
    Password(&'a str),
    /// Whether the account is in the directory.
    Presence,
    /// Whether there is anybody to answer.
    Probe,
}

impl Directory {
    pub(super) fn new(
        config: &Ldap,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, IdentityError> {
        let config = Arc::new(config.clone());
        for (key, text) in [
            ("filter", &config.filter),
            ("groups_filter", &config.groups_filter),
        ] {
            let made = template::filter(text, &[("user", "u"), ("domain", "d"), ("dn", "d")]);
            if ldap3::parse_filter(&made).is_err() {
                return Err(IdentityError::Filter(key));
            }
        }
        Ok(Self {
            pool: Pool::new(Arc::clone(&config), tasks, stop)?,
            config,
        })
    }

    pub(super) async fn password(
        &self,
        account: &BareJid,
        password: &str,
    ) -> Result<PasswordAnswer, IdentityError> {
        // RFC 4513 §5.1.2: a bind without a password succeeds without having proved anything.
        if password.is_empty() || !is_for(&self.config.hosts, account) {
            return Ok(PasswordAnswer::Unknown);
        }
        self.ask(account, &Question::Password(password)).await
    }

    /// Whether the account is in the directory; not asked where it cannot be told.
    pub(super) async fn still_has(&self, account: &BareJid) -> Result<bool, IdentityError> {
        if !is_for(&self.config.hosts, account) {
            return Ok(false);
        }
        if !self.config.check_tokens || self.config.mode == LdapMode::Bind {
            return Ok(true);
        }
        let answer = self.ask(account, &Question::Presence).await?;
        Ok(answer != PasswordAnswer::Unknown)
    }

    pub(super) async fn probe(&self) -> Result<(), IdentityError> {
        let nobody = Domain::localhost().to_jid();
        self.ask(&nobody, &Question::Probe).await.map(drop)
    }

    /// Asks over a connection that was used before, or over a new one when that was lost meanwhile; of a
    /// server that takes connections and does not answer, the next one.
    async fn ask(
        &self,
        account: &BareJid,
        question: &Question<'_>,
    ) -> Result<PasswordAnswer, IdentityError> {
        let _place = self.pool.place().await?;
        if let Some(mut connection) = self.pool.idle() {
            match Box::pin(self.answer(&mut connection, account, question)).await {
                // It may have been closed hours ago, and the others with it.
                Err(IdentityError::Lost(_)) => self.pool.forget(),
                answer => return self.pool.keep(connection, answer),
            }
        }
        let mut last = IdentityError::Unreachable("[auth.ldap] urls is empty".to_owned());
        for _ in &self.config.urls {
            let mut connection = self.pool.connect().await?;
            match Box::pin(self.answer(&mut connection, account, question)).await {
                Err(error @ IdentityError::Lost(_)) => {
                    self.pool.leave_alone(&connection);
                    last = error;
                }
                answer => return self.pool.keep(connection, answer),
            }
        }
        Err(last)
    }

    async fn answer(
        &self,
        connection: &mut Connection,
        account: &BareJid,
        question: &Question<'_>,
    ) -> Result<PasswordAnswer, IdentityError> {
        let user = account.node().map_or("", |node| node.as_str());
        let domain = account.domain().as_str();
        let values = [("user", user), ("domain", domain)];
        match (question, self.config.mode) {
            (Question::Probe, LdapMode::Bind) => Ok(PasswordAnswer::Unknown),
            (Question::Probe, LdapMode::Search) => {
                self.bind_as_service(connection).await?;
                Ok(PasswordAnswer::Unknown)
            }
            (Question::Presence, _) => {
                let entry = self.search(connection, &values).await?;
                Ok(entry.map_or(PasswordAnswer::Unknown, |_| PasswordAnswer::Wrong))
            }
            (Question::Password(password), LdapMode::Search) => {
                let entry = self.search(connection, &values).await?;
                let Some(entry) = entry else {
                    // As long as for somebody who is there (RFC 6120 §13.11).
                    let nobody = format!("cn={},{}", crate::id::random(), self.config.base);
                    bind(connection, &nobody, &crate::id::random()).await?;
                    return Ok(PasswordAnswer::Unknown);
                };
                let groups = self.groups(connection, &entry, user).await?;
                match bind(connection, &entry.dn, password).await? {
                    true => Ok(PasswordAnswer::Right(self.person(account, &entry, &groups))),
                    false => Ok(PasswordAnswer::Wrong),
                }
            }
            (Question::Password(password), LdapMode::Bind) => {
                let name = template::name(&self.config.user_dn, &values);
                if !bind(connection, &name, password).await? {
                    // Nobody but the person may look whether there is one.
                    return Ok(PasswordAnswer::Unknown);
                }
                let entry = self.read(connection, name, &values).await?;
                let groups = self.groups(connection, &entry, user).await?;
                Ok(PasswordAnswer::Right(self.person(account, &entry, &groups)))
            }
        }
    }

    fn person(&self, account: &BareJid, entry: &Entry, groups: &[String]) -> Person {
        entry::person(&self.config, account, entry, groups)
    }

    /// Binds with the account of the server's own, unless that was the last bind.
    async fn bind_as_service(&self, connection: &mut Connection) -> Result<(), IdentityError> {
        if connection.is_service {
            return Ok(());
        }
        let password = self.config.bind_password.as_ref();
        let password = password.map_or("", |password| password.expose().as_str());
        let ldap = connection.ready();
        let answer = ldap.simple_bind(&self.config.bind_dn, password).await;
        succeeded("the bind of its bind_dn", &answer.map_err(lost)?)?;
        connection.is_service = true;
        Ok(())
    }

    /// The entry of a person, found with the account of the server's own.
    async fn search(
        &self,
        connection: &mut Connection,
        values: &[(&str, &str)],
    ) -> Result<Option<Entry>, IdentityError> {
        self.bind_as_service(connection).await?;
        let filter = template::filter(&self.config.filter, values);
        let mut found = self
            .find(
                connection,
                &self.config.base,
                Scope::Subtree,
                &filter,
                PERSONS,
            )
            .await?;
        if found.len() > 1 {
            // Whose password would it be?
            warn!(base = %self.config.base, "[auth.ldap] filter fits more than one entry for a person");
            return Ok(None);
        }
        Ok(found.pop())
    }

    /// The entry of the person who has just bound. One that the person may not read says nothing more.
    async fn read(
        &self,
        connection: &mut Connection,
        name: String,
        values: &[(&str, &str)],
    ) -> Result<Entry, IdentityError> {
        let Ldap { base, filter, .. } = self.config.as_ref();
        let found = if base.is_empty() {
            let any = "(objectClass=*)";
            self.find(connection, &name, Scope::Base, any, PERSONS)
                .await
        } else {
            let filter = template::filter(filter, values);
            self.find(connection, base, Scope::Subtree, &filter, PERSONS)
                .await
        };
        let mut found = match found {
            Ok(found) => found,
            Err(IdentityError::Refused { what, cause }) => {
                warn!(what, cause, "a person's entry cannot be read");
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let only = (found.len() == 1).then(|| found.pop()).flatten();
        Ok(only.unwrap_or_else(|| Entry::unknown(name)))
    }

    /// The names of the groups that a person is in.
    async fn groups(
        &self,
        connection: &mut Connection,
        entry: &Entry,
        user: &str,
    ) -> Result<Vec<String>, IdentityError> {
        let Ldap {
            groups_base,
            groups_filter,
            roles,
            ..
        } = self.config.as_ref();
        if roles.is_empty() {
            return Ok(Vec::new());
        }
        if groups_base.is_empty() {
            return Ok(entry.groups.clone());
        }
        let values = [("dn", entry.dn.as_str()), ("user", user)];
        let filter = template::filter(groups_filter, &values);
        let found = self
            .find(connection, groups_base, Scope::Subtree, &filter, GROUPS_MAX)
            .await?;
        Ok(found.into_iter().map(|group| group.dn).collect())
    }

    /// The first entries that fit.
    async fn find(
        &self,
        connection: &mut Connection,
        base: &str,
        scope: Scope,
        filter: &str,
        entries_max: i32,
    ) -> Result<Vec<Entry>, IdentityError> {
        let attributes = [
            self.config.name_attribute.as_str(),
            self.config.groups_attribute.as_str(),
        ];
        let options = SearchOptions::new().sizelimit(entries_max);
        let ldap = connection.ready().with_search_options(options);
        let found = ldap.search(base, scope, filter, attributes).await;
        let found = found.map_err(lost)?;
        if found.1.rc == SIZE_LIMIT_EXCEEDED {
            warn!(base, "more entries than are read");
        } else {
            succeeded("a search", &found.1)?;
        }
        let entries = found.0.into_iter().filter(|it| !it.is_ref());
        let entries = entries.filter(|it| !it.is_intermediate());
        Ok(entries
            .map(|it| Entry::of(SearchEntry::construct(it), &self.config))
            .collect())
    }
}

/// Whether the directory takes the password.
async fn bind(
    connection: &mut Connection,
    name: &str,
    password: &str,
) -> Result<bool, IdentityError> {
    connection.is_service = false;
    // RFC 4513 §5.1: without a name or a password the bind proves nothing.
    if name.is_empty() || password.is_empty() {
        return Ok(false);
    }
    let answer = connection.ready().simple_bind(name, password).await;
    let answer = answer.map_err(lost)?;
    if WRONG.contains(&answer.rc) {
        return Ok(false);
    }
    succeeded("a bind", &answer)?;
    Ok(true)
}

fn succeeded(what: &'static str, answer: &LdapResult) -> Result<(), IdentityError> {
    match answer.rc {
        0 => Ok(()),
        // The server is going, or has too much to do: another may do better.
        BUSY | UNAVAILABLE => Err(IdentityError::Lost(answer.to_string())),
        _ => Err(IdentityError::Refused {
            what,
            cause: answer.to_string(),
        }),
    }
}

/// Two already show that the filter fits more than the person.
const PERSONS: i32 = 2;
/// Of a person. Active Directory lets nobody log in with more than 1,015.
const GROUPS_MAX: i32 = 1_015;
/// RFC 4511 §4.1.9.
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;
/// What a directory says of a password that is not the person's, or of somebody who is not there or may not
/// come in: constraintViolation, noSuchObject, invalidDNSyntax, inappropriateAuthentication,
/// invalidCredentials, insufficientAccessRights.
const WRONG: [u32; 6] = [19, 32, 34, 48, 49, 50];
