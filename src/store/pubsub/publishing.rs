//! Items that are published, one by one or with all that belongs together.

use sqlx::FromRow;

use super::super::db::{queries, transaction};
use super::super::error::StoreError;
use super::super::private_xml::PUT_WITHIN;
use super::{
    COUNT, COUNT_ITEMS, COUNT_OF, CREATE, DROP_ITEM, LOCK, NodeBounds, Pubsub, PubsubNode, SURPLUS,
    WEIGH,
};
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

queries! {
    OLD = "select publisher, cast(length(payload) as bigint) as size from pubsub_item
        where service = $1 and node = $2 and id = $3";
    SERVICE_BYTES = "select cast(coalesce(sum(bytes), 0) as bigint) from pubsub_node
        where service = $1";
    PUT = "insert into pubsub_item
            (service, node, id, publisher, published_at, revision, payload)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (service, node, id) do update set publisher = excluded.publisher,
            published_at = excluded.published_at, revision = excluded.revision,
            payload = excluded.payload";
}

/// An item to be published.
#[derive(Clone, Copy, Debug)]
pub struct NewItem<'a> {
    /// Its id.
    pub id: &'a str,
    /// Who publishes it, a bare JID.
    pub publisher: &'a str,
    /// When.
    pub published_at: Timestamp,
    /// The element; empty for none.
    pub payload: &'a [u8],
    /// Whether an item of that id may only be replaced by its publisher.
    pub own_only: bool,
}

/// How much a node and its service may hold.
#[derive(Clone, Copy, Debug)]
pub struct PublishBounds {
    /// Items of the node.
    pub items_max: u32,
    /// What becomes of one more.
    pub when_full: WhenFull,
    /// Payloads of the whole service.
    pub bytes_max: u64,
}

/// What becomes of an item that is one too many (`pubsub#publish_node_full`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest goes.
    DropOldest,
    /// It is refused.
    Reject,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Published {
    /// It is there; the ids that went for it.
    Done(Vec<String>),
    /// There is no such node.
    NoNode,
    /// The node takes no more.
    NodeFull,
    /// The service takes no more.
    ServiceFull,
    /// An item of that id is another's.
    Foreign,
}

/// One of several changes that are made together.
#[derive(Clone, Debug)]
pub enum PubsubChange<'a> {
    /// A node is made, unless it is there.
    Create(PubsubNode, NodeBounds),
    /// An item is published.
    Publish(&'a str, NewItem<'a>, PublishBounds),
    /// An item is taken out, if it is there.
    Retract(&'a str, &'a str),
    /// An element of private storage is replaced (XEP-0049).
    Store(PrivateElement<'a>),
}

/// An element of an account's private storage.
#[derive(Clone, Copy, Debug)]
pub struct PrivateElement<'a> {
    /// Its namespace.
    pub ns: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The element.
    pub xml: &'a [u8],
    /// How much the account may have stored in all.
    pub bytes_max: usize,
}

/// What became of several changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Changed {
    /// They are made; the ids that went for items that were published, with their nodes.
    Done(Vec<(String, String)>),
    /// None is made: an item was not published.
    Refused(Published),
    /// None is made: there are as many nodes as there may be, or private storage is full.
    Full,
}

/// Publishes an item in a transaction; its value is a [`Published`], and all but `Done` must undo it.
macro_rules! publishing {
    ($tx:ident, $service:expr, $node:expr, $item:expr, $bounds:expr) => {
        'item: {
            let mut gone: Vec<String> = Vec::new();
            let revision: Option<i64> = sqlx::query_scalar(LOCK)
                .bind($service.as_str())
                .bind($node)
                .fetch_optional(&mut *$tx)
                .await?;
            let Some(revision) = revision else {
                break 'item Published::NoNode;
            };
            let old: Option<Old> = sqlx::query_as(OLD)
                .bind($service.as_str())
                .bind($node)
                .bind($item.id)
                .fetch_optional(&mut *$tx)
                .await?;
            if $item.own_only
                && old
                    .as_ref()
                    .is_some_and(|old| old.publisher != $item.publisher)
            {
                break 'item Published::Foreign;
            }
            let count: i64 = sqlx::query_scalar(COUNT_ITEMS)
                .bind($service.as_str())
                .bind($node)
                .fetch_one(&mut *$tx)
                .await?;
            let surplus = count + i64::from(old.is_none()) - i64::from($bounds.items_max.max(1));
            if surplus > 0 && old.is_none() && $bounds.when_full == WhenFull::Reject {
                break 'item Published::NodeFull;
            }
            sqlx::query(PUT)
                .bind($service.as_str())
                .bind($node)
                .bind($item.id)
                .bind($item.publisher)
                .bind($item.published_at.as_micros())
                .bind(revision)
                .bind($item.payload)
                .execute(&mut *$tx)
                .await?;
            if surplus > 0 {
                gone = sqlx::query_scalar(SURPLUS)
                    .bind($service.as_str())
                    .bind($node)
                    .bind(surplus)
                    .fetch_all(&mut *$tx)
                    .await?;
                for id in &gone {
                    sqlx::query(DROP_ITEM)
                        .bind($service.as_str())
                        .bind($node)
                        .bind(id.as_str())
                        .execute(&mut *$tx)
                        .await?;
                }
            }
            sqlx::query(WEIGH)
                .bind($service.as_str())
                .bind($node)
                .execute(&mut *$tx)
                .await?;
            let bytes: i64 = sqlx::query_scalar(SERVICE_BYTES)
                .bind($service.as_str())
                .fetch_one(&mut *$tx)
                .await?;
            let grows = old.map_or(0, |old| old.size)
                < i64::try_from($item.payload.len()).unwrap_or(i64::MAX);
            if grows && u64::try_from(bytes).unwrap_or(0) > $bounds.bytes_max {
                break 'item Published::ServiceFull;
            }
            Published::Done(gone)
        }
    };
}

impl Pubsub<'_> {
    /// Publishes an item, in place of one of the same id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publish(
        &self,
        service: &BareJid,
        node: &str,
        item: NewItem<'_>,
        bounds: PublishBounds,
    ) -> Result<Published, StoreError> {
        // The body is compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            Ok(transaction!(self.db, tx => {
                let done = publishing!(tx, service, node, item, bounds);
                if !matches!(done, Published::Done(_)) {
                    return Ok(done);
                }
                done
            }))
        })
        .await
    }

    /// Makes several changes of an account's nodes and private storage, all of them or none.
    ///
    /// # Errors
    /// When the database fails; [`StoreError::NoAccount`] when the account does not exist.
    pub async fn change(
        &self,
        account: &BareJid,
        changes: &[PubsubChange<'_>],
    ) -> Result<Changed, StoreError> {
        Box::pin(async {
            Ok(transaction!(self.db, tx => {
                let mut went = Vec::new();
                for change in changes {
                    match change {
                        PubsubChange::Create(node, bounds) => {
                            let count: i64 = sqlx::query_scalar(COUNT)
                                .bind(account.as_str()).fetch_one(&mut *tx).await?;
                            let made = sqlx::query(CREATE)
                                .bind(account.as_str())
                                .bind(node.node.as_str())
                                .bind(account.as_str())
                                .bind(node.config.as_slice())
                                .bind(node.creator.as_str())
                                .bind(node.created_at.as_micros())
                                .bind(node.purge_offline)
                                .execute(&mut *tx).await?.rows_affected();
                            let own: i64 = sqlx::query_scalar(COUNT_OF)
                                .bind(account.as_str()).bind(node.creator.as_str())
                                .fetch_one(&mut *tx).await?;
                            let full = count >= i64::from(bounds.nodes_max)
                                || own > i64::from(bounds.nodes_per_creator_max);
                            if made > 0 && full {
                                return Ok(Changed::Full);
                            }
                        }
                        PubsubChange::Publish(node, item, bounds) => {
                            match publishing!(tx, account, *node, item, bounds) {
                                Published::Done(gone) => {
                                    let gone = gone.into_iter().map(|id| ((*node).to_owned(), id));
                                    went.extend(gone);
                                }
                                refused @ (Published::NoNode
                                | Published::NodeFull
                                | Published::ServiceFull
                                | Published::Foreign) => return Ok(Changed::Refused(refused)),
                            }
                        }
                        PubsubChange::Retract(node, id) => {
                            sqlx::query(LOCK)
                                .bind(account.as_str()).bind(*node).execute(&mut *tx).await?;
                            sqlx::query(DROP_ITEM)
                                .bind(account.as_str()).bind(*node).bind(*id)
                                .execute(&mut *tx).await?;
                            sqlx::query(WEIGH)
                                .bind(account.as_str()).bind(*node).execute(&mut *tx).await?;
                        }
                        PubsubChange::Store(element) => {
                            let [others, put] = PUT_WITHIN;
                            let others: i64 = sqlx::query_scalar(others)
                                .bind(account.as_str()).bind(element.ns).bind(element.name)
                                .fetch_one(&mut *tx).await?;
                            let others = usize::try_from(others).unwrap_or(usize::MAX);
                            if others.saturating_add(element.xml.len()) > element.bytes_max {
                                return Ok(Changed::Full);
                            }
                            sqlx::query(put)
                                .bind(account.as_str()).bind(element.ns).bind(element.name)
                                .bind(element.xml)
                                .execute(&mut *tx).await?;
                        }
                    }
                }
                Changed::Done(went)
            }))
        })
        .await
    }
}

#[derive(FromRow)]
struct Old {
    publisher: String,
    size: i64,
}
