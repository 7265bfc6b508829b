//! Which push services are told of an account's messages (XEP-0357).

use sqlx::FromRow;

use super::Put;
use super::account::LOCK_ACCOUNT;
use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::Jid;
use crate::proto::jid::BareJid;

/// A node of a push service that a client of the account has enabled.
#[derive(Clone, PartialEq, Eq)]
pub struct PushRegistration {
    /// The push service.
    pub service: Jid,
    /// The node at it; may be empty.
    pub node: String,
    /// The resource whose session enabled it.
    pub resource: String,
    /// The form of publish options, as it came. It may hold a secret.
    pub options: Option<Vec<u8>>,
    /// How often the service has refused in a row.
    pub failures: u32,
    /// When it was enabled.
    pub enabled_at: Timestamp,
}

/// Without the node and the options: who knows them may wake the device.
impl std::fmt::Debug for PushRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushRegistration")
            .field("service", &self.service)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

/// The most registrations of one account, whatever the configuration says.
const REGISTRATIONS_CEILING: i64 = 1_000;

queries! {
    COUNT_OTHERS = "select count(*) from push_registration
        where owner = $1 and not (service = $2 and node = $3)";
    PUT = "insert into push_registration
        (owner, service, node, resource, options, failures, enabled_at)
        values ($1, $2, $3, $4, $5, 0, $6)
        on conflict (owner, service, node) do update set resource = excluded.resource,
            options = excluded.options, failures = 0, enabled_at = excluded.enabled_at";
    LIST = "select service, node, resource, options, failures, enabled_at
        from push_registration where owner = $1 order by enabled_at, service, node limit cast($2 as bigint)";
    DELETE = "delete from push_registration where owner = $1 and service = $2 and node = $3";
    DELETE_SERVICE = "delete from push_registration where owner = $1 and service = $2";
    FAILED = "update push_registration set failures = failures + 1
        where owner = $1 and service = $2 and node = $3";
    WORKED = "update push_registration set failures = 0
        where owner = $1 and service = $2 and node = $3 and failures > 0";
    EXHAUSTED = "delete from push_registration
        where owner = $1 and service = $2 and node = $3 and failures >= $4";
}

/// Operations on push registrations; from [`super::Store::push_registrations`].
#[derive(Clone, Copy, Debug)]
pub struct PushRegistrations<'a> {
    pub(super) db: &'a Db,
}

impl PushRegistrations<'_> {
    /// Keeps the registration in place of an earlier one of the same service and node.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the owner does not exist.
    pub async fn put(
        &self,
        owner: &BareJid,
        registration: &PushRegistration,
        registrations_max: u32,
    ) -> Result<Put, StoreError> {
        let registrations_max = i64::from(registrations_max).min(REGISTRATIONS_CEILING);
        let service = registration.service.to_string();
        transaction!(self.db, tx => {
            sqlx::query(LOCK_ACCOUNT).bind(owner.as_str()).execute(&mut *tx).await?;
            let others: i64 = sqlx::query_scalar(COUNT_OTHERS)
                .bind(owner.as_str())
                .bind(service.as_str())
                .bind(registration.node.as_str())
                .fetch_one(&mut *tx)
                .await?;
            if others >= registrations_max {
                return Ok(Put::Full);
            }
            sqlx::query(PUT)
                .bind(owner.as_str())
                .bind(service.as_str())
                .bind(registration.node.as_str())
                .bind(registration.resource.as_str())
                .bind(registration.options.as_deref())
                .bind(registration.enabled_at.as_micros())
                .execute(&mut *tx)
                .await?;
        });
        Ok(Put::Stored)
    }

    /// The account's registrations, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, owner: &BareJid) -> Result<Vec<PushRegistration>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(LIST)
                .bind(owner.as_str())
                .bind(REGISTRATIONS_CEILING)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(PushRegistration::try_from).collect()
    }

    /// Forgets one node of the service, or without a node all of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(
        &self,
        owner: &BareJid,
        service: &Jid,
        node: Option<&str>,
    ) -> Result<(), StoreError> {
        let service = service.to_string();
        writing!(self.db, pool => {
            match node {
                Some(node) => {
                    sqlx::query(DELETE)
                        .bind(owner.as_str())
                        .bind(service.as_str())
                        .bind(node)
                        .execute(pool)
                        .await?
                }
                None => {
                    sqlx::query(DELETE_SERVICE)
                        .bind(owner.as_str())
                        .bind(service.as_str())
                        .execute(pool)
                        .await?
                }
            };
        });
        Ok(())
    }

    /// Counts a refusal, and forgets the registration at the one that makes `failures_max`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failed(
        &self,
        owner: &BareJid,
        service: &Jid,
        node: &str,
        failures_max: u32,
    ) -> Result<(), StoreError> {
        let service = service.to_string();
        transaction!(self.db, tx => {
            sqlx::query(FAILED)
                .bind(owner.as_str())
                .bind(service.as_str())
                .bind(node)
                .execute(&mut *tx)
                .await?;
            sqlx::query(EXHAUSTED)
                .bind(owner.as_str())
                .bind(service.as_str())
                .bind(node)
                .bind(i64::from(failures_max))
                .execute(&mut *tx)
                .await?;
        });
        Ok(())
    }

    /// The service took a notification: earlier refusals count no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn worked(
        &self,
        owner: &BareJid,
        service: &Jid,
        node: &str,
    ) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(WORKED)
                .bind(owner.as_str())
                .bind(service.to_string())
                .bind(node)
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}

#[derive(FromRow)]
struct Row {
    service: String,
    node: String,
    resource: String,
    options: Option<Vec<u8>>,
    failures: i64,
    enabled_at: i64,
}

impl TryFrom<Row> for PushRegistration {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            service: Jid::parse(&row.service)
                .map_err(|error| StoreError::corrupt("push_registration.service", error))?,
            node: row.node,
            resource: row.resource,
            options: row.options,
            failures: u32::try_from(row.failures).unwrap_or(u32::MAX),
            enabled_at: Timestamp::from_micros(row.enabled_at),
        })
    }
}
