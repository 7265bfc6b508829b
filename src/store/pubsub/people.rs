//! Who has which right on a node, and who is told of it (XEP-0060 §4.1, §4.2).

use sqlx::FromRow;

use super::super::Put;
use super::super::db::{queries, reading, transaction, writing};
use super::super::error::StoreError;
use super::Pubsub;
use crate::proto::jid::{BareJid, Jid};

queries! {
    AFFILIATION = "select affiliation from pubsub_affiliation
        where service = $1 and node = $2 and jid = $3";
    AFFILIATIONS = "select node, jid, affiliation from pubsub_affiliation
        where service = $1 and node = $2 order by jid limit cast($3 as bigint)";
    AFFILIATIONS_OF = "select node, jid, affiliation from pubsub_affiliation
        where service = $1 and jid = $2 order by node limit cast($3 as bigint)";
    COUNT_AFFILIATIONS = "select count(*) from pubsub_affiliation
        where service = $1 and node = $2";
    AFFILIATE = "insert into pubsub_affiliation (service, node, jid, affiliation)
        values ($1, $2, $3, $4)
        on conflict (service, node, jid) do update set affiliation = excluded.affiliation";
    DISAFFILIATE = "delete from pubsub_affiliation
        where service = $1 and node = $2 and jid = $3";
    SUBSCRIPTIONS = "select node, jid, pending, options from pubsub_subscription
        where service = $1 and node = $2 order by jid limit cast($3 as bigint)";
    SUBSCRIPTIONS_OF = "select node, jid, pending, options from pubsub_subscription
        where service = $1 and bare = $2 order by node, jid limit cast($3 as bigint)";
    COUNT_SUBSCRIPTIONS = "select count(*) from pubsub_subscription
        where service = $1 and node = $2";
    COUNT_ADDRESSES = "select count(*) from pubsub_subscription
        where service = $1 and node = $2 and bare = $3";
    // Takes the node's row, so that changes follow each other.
    TOUCH = "update pubsub_node set bytes = bytes where service = $1 and node = $2";
    SUBSCRIBED = "select count(*) from pubsub_subscription
        where service = $1 and node = $2 and bare = $3 and not pending";
    SUBSCRIPTION = "select pending from pubsub_subscription
        where service = $1 and node = $2 and jid = $3";
    OPTIONS = "select options from pubsub_subscription
        where service = $1 and node = $2 and jid = $3";
    CONFIGURE_SUBSCRIPTION = "update pubsub_subscription set options = $4
        where service = $1 and node = $2 and jid = $3";
    SUBSCRIBE = "insert into pubsub_subscription (service, node, jid, bare, pending)
        values ($1, $2, $3, $4, $5) on conflict (service, node, jid)
        do update set pending = pubsub_subscription.pending and excluded.pending";
    UNSUBSCRIBE = "delete from pubsub_subscription
        where service = $1 and node = $2 and jid = $3";
    UNSUBSCRIBE_ALL = "delete from pubsub_subscription
        where service = $1 and node = $2 and bare = $3";
    LEAVE_NODES = "delete from pubsub_node where account is null
        and exists (select 1 from pubsub_affiliation a where a.service = pubsub_node.service
            and a.node = pubsub_node.node and a.jid = $1 and a.affiliation = 'owner')
        and not exists (select 1 from pubsub_affiliation a where a.service = pubsub_node.service
            and a.node = pubsub_node.node and a.jid <> $1 and a.affiliation = 'owner')";
    LEAVE_AFFILIATIONS = "delete from pubsub_affiliation where jid = $1";
    LEAVE_SUBSCRIPTIONS = "delete from pubsub_subscription where bare = $1";
}

pub(in crate::store) const ADD_AFFILIATION: &str = AFFILIATE;

/// What goes with an account besides its own nodes: those of services that nobody else owns, and every right
/// that whoever gets its address later would have.
pub(in crate::store) const LEAVE: [&str; 3] =
    [LEAVE_NODES, LEAVE_AFFILIATIONS, LEAVE_SUBSCRIPTIONS];

/// Addresses of one entity that may be subscribed to one node: more than anybody has clients.
const ADDRESSES_MAX: i64 = 20;

/// Who has which right.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PubsubAffiliation {
    /// On which node.
    pub node: String,
    /// Who, a bare JID.
    pub jid: String,
    /// Which.
    pub affiliation: String,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PubsubSubscription {
    /// Of which node.
    pub node: String,
    /// Who.
    pub jid: Jid,
    /// Whether it waits for an owner of the node.
    pub state: SubscriptionState,
    /// What it wants to be told, and when; none for everything at all times.
    pub options: Option<Vec<u8>>,
}

/// How far a subscription is (XEP-0060 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// An owner of the node has not answered yet.
    Pending,
    /// It is told of what happens.
    Subscribed,
}

impl SubscriptionState {
    const fn of(pending: bool) -> Self {
        if pending {
            Self::Pending
        } else {
            Self::Subscribed
        }
    }
}

impl Pubsub<'_> {
    /// The affiliation that was given to that entity.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn affiliation(
        &self,
        service: &BareJid,
        node: &str,
        jid: &BareJid,
    ) -> Result<Option<String>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(AFFILIATION)
                .bind(service.as_str())
                .bind(node)
                .bind(jid.as_str())
                .fetch_optional(pool)
                .await?
        }))
    }

    /// All affiliations with a node.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn affiliations(
        &self,
        service: &BareJid,
        node: &str,
        limit: u32,
    ) -> Result<Vec<PubsubAffiliation>, StoreError> {
        self.affiliation_rows(AFFILIATIONS, service, node, limit)
            .await
    }

    /// All affiliations of an entity.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn affiliations_of(
        &self,
        service: &BareJid,
        jid: &BareJid,
        limit: u32,
    ) -> Result<Vec<PubsubAffiliation>, StoreError> {
        self.affiliation_rows(AFFILIATIONS_OF, service, jid.as_str(), limit)
            .await
    }

    async fn affiliation_rows(
        &self,
        sql: &'static str,
        service: &BareJid,
        key: &str,
        limit: u32,
    ) -> Result<Vec<PubsubAffiliation>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(sql)
                .bind(service.as_str())
                .bind(key)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        }))
    }

    /// Gives an affiliation, or takes it with `None`. [`Put::Full`] when the node has as many as it may
    /// have.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn affiliate(
        &self,
        service: &BareJid,
        node: &str,
        jid: &BareJid,
        affiliation: Option<&str>,
        max: u32,
    ) -> Result<Put, StoreError> {
        let Some(affiliation) = affiliation else {
            writing!(self.db, pool => {
                sqlx::query(DISAFFILIATE)
                    .bind(service.as_str())
                    .bind(node)
                    .bind(jid.as_str())
                    .execute(pool)
                    .await?;
            });
            return Ok(Put::Stored);
        };
        Box::pin(async {
            transaction!(self.db, tx => {
                sqlx::query(AFFILIATE)
                    .bind(service.as_str())
                    .bind(node)
                    .bind(jid.as_str())
                    .bind(affiliation)
                    .execute(&mut *tx)
                    .await?;
                let count: i64 = sqlx::query_scalar(COUNT_AFFILIATIONS)
                    .bind(service.as_str()).bind(node).fetch_one(&mut *tx).await?;
                if count > i64::from(max) {
                    return Ok(Put::Full);
                }
            });
            Ok(Put::Stored)
        })
        .await
    }

    /// All subscriptions to a node.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscriptions(
        &self,
        service: &BareJid,
        node: &str,
        limit: u32,
    ) -> Result<Vec<PubsubSubscription>, StoreError> {
        self.subscription_rows(SUBSCRIPTIONS, service, node, limit)
            .await
    }

    /// All subscriptions of an entity, whichever of its addresses they are for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscriptions_of(
        &self,
        service: &BareJid,
        bare: &BareJid,
        limit: u32,
    ) -> Result<Vec<PubsubSubscription>, StoreError> {
        self.subscription_rows(SUBSCRIPTIONS_OF, service, bare.as_str(), limit)
            .await
    }

    async fn subscription_rows(
        &self,
        sql: &'static str,
        service: &BareJid,
        key: &str,
        limit: u32,
    ) -> Result<Vec<PubsubSubscription>, StoreError> {
        let rows: Vec<(String, String, bool, Option<Vec<u8>>)> = reading!(self.db, pool => {
            sqlx::query_as(sql)
                .bind(service.as_str())
                .bind(key)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|(node, jid, pending, options)| {
                let jid = Jid::parse(&jid)
                    .map_err(|error| StoreError::corrupt("pubsub_subscription.jid", error))?;
                let state = SubscriptionState::of(pending);
                Ok(PubsubSubscription {
                    node,
                    jid,
                    state,
                    options,
                })
            })
            .collect()
    }

    /// The subscription of an address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscription(
        &self,
        service: &BareJid,
        node: &str,
        jid: &Jid,
    ) -> Result<Option<SubscriptionState>, StoreError> {
        let pending: Option<bool> = reading!(self.db, pool => {
            sqlx::query_scalar(SUBSCRIPTION)
                .bind(service.as_str())
                .bind(node)
                .bind(jid.to_string())
                .fetch_optional(pool)
                .await?
        });
        Ok(pending.map(SubscriptionState::of))
    }

    /// The options of an address's subscription, which are none where nobody has set any; `None` where it
    /// has no subscription.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscription_options(
        &self,
        service: &BareJid,
        node: &str,
        jid: &Jid,
    ) -> Result<Option<Option<Vec<u8>>>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(OPTIONS)
                .bind(service.as_str())
                .bind(node)
                .bind(jid.to_string())
                .fetch_optional(pool)
                .await?
        }))
    }

    /// Sets the options of an address's subscription; `false` when it has none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn configure_subscription(
        &self,
        service: &BareJid,
        node: &str,
        jid: &Jid,
        options: &[u8],
    ) -> Result<bool, StoreError> {
        let done = writing!(self.db, pool => {
            sqlx::query(CONFIGURE_SUBSCRIPTION)
                .bind(service.as_str())
                .bind(node)
                .bind(jid.to_string())
                .bind(options)
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(done > 0)
    }

    /// Whether the entity has a subscription to the node that does not wait for an owner.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_subscribed(
        &self,
        service: &BareJid,
        node: &str,
        bare: &BareJid,
    ) -> Result<bool, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(SUBSCRIBED)
                .bind(service.as_str())
                .bind(node)
                .bind(bare.as_str())
                .fetch_one(pool)
                .await?
        });
        Ok(count > 0)
    }

    /// Subscribes an address, or notes that it wants to be. Who is subscribed already stays so, who waits
    /// may be subscribed now. [`Put::Full`] when the node has as many subscriptions as it may have, or the
    /// entity `ADDRESSES_MAX` of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscribe(
        &self,
        service: &BareJid,
        node: &str,
        jid: &Jid,
        state: SubscriptionState,
        max: u32,
    ) -> Result<Put, StoreError> {
        Box::pin(async {
            transaction!(self.db, tx => {
                sqlx::query(TOUCH).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                let before: Option<bool> = sqlx::query_scalar(SUBSCRIPTION)
                    .bind(service.as_str()).bind(node).bind(jid.to_string())
                    .fetch_optional(&mut *tx).await?;
                sqlx::query(SUBSCRIBE)
                    .bind(service.as_str())
                    .bind(node)
                    .bind(jid.to_string())
                    .bind(jid.bare().as_str())
                    .bind(state == SubscriptionState::Pending)
                    .execute(&mut *tx)
                    .await?;
                let count: i64 = sqlx::query_scalar(COUNT_SUBSCRIPTIONS)
                    .bind(service.as_str()).bind(node).fetch_one(&mut *tx).await?;
                let own: i64 = sqlx::query_scalar(COUNT_ADDRESSES)
                    .bind(service.as_str()).bind(node).bind(jid.bare().as_str())
                    .fetch_one(&mut *tx).await?;
                if before.is_none() && (count > i64::from(max) || own > ADDRESSES_MAX) {
                    return Ok(Put::Full);
                }
            });
            Ok(Put::Stored)
        })
        .await
    }

    /// Ends the subscription of an address; `false` when there was none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unsubscribe(
        &self,
        service: &BareJid,
        node: &str,
        jid: &Jid,
    ) -> Result<bool, StoreError> {
        let done = writing!(self.db, pool => {
            sqlx::query(UNSUBSCRIBE)
                .bind(service.as_str())
                .bind(node)
                .bind(jid.to_string())
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(done > 0)
    }

    /// Ends all subscriptions of an entity to a node.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unsubscribe_all(
        &self,
        service: &BareJid,
        node: &str,
        bare: &BareJid,
    ) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(UNSUBSCRIBE_ALL)
                .bind(service.as_str())
                .bind(node)
                .bind(bare.as_str())
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
