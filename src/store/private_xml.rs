//! Private XML storage (XEP-0049): what clients keep on the server for themselves, by the name of the element.

use super::Put;
use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::proto::jid::BareJid;

queries! {
    FIND = "select xml from private_xml where owner = $1 and ns = $2 and name = $3";
    ALL = "select xml from private_xml where owner = $1 order by ns, name";
    OTHER_BYTES = "select coalesce(sum(length(xml)), 0) from private_xml
        where owner = $1 and not (ns = $2 and name = $3)";
    PUT = "insert into private_xml (owner, ns, name, xml) values ($1, $2, $3, $4)
        on conflict (owner, ns, name) do update set xml = excluded.xml";
}

pub(super) const PUT_PRIVATE: &str = PUT;

/// What [`PrivateXml::put`] is made of: how much else there is, and the element itself.
pub(in crate::store) const PUT_WITHIN: [&str; 2] = [OTHER_BYTES, PUT];

/// Operations on private XML; from [`super::Store::private_xml`].
#[derive(Clone, Copy, Debug)]
pub struct PrivateXml<'a> {
    pub(super) db: &'a Db,
}

impl PrivateXml<'_> {
    /// What the owner stored under that element name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        owner: &BareJid,
        ns: &str,
        name: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(FIND)
                .bind(owner.as_str())
                .bind(ns)
                .bind(name)
                .fetch_optional(pool)
                .await?
        }))
    }

    /// All that the owner stored, in the order of the names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all(&self, owner: &BareJid) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(ALL).bind(owner.as_str()).fetch_all(pool).await?
        }))
    }

    /// Stores the element `name` of `ns`, in place of an earlier one. `bytes_max` bounds all that the owner has
    /// stored together.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the owner does not exist.
    pub async fn put(
        &self,
        owner: &BareJid,
        ns: &str,
        name: &str,
        xml: &[u8],
        bytes_max: usize,
    ) -> Result<Put, StoreError> {
        transaction!(self.db, tx => {
            let others: i64 = sqlx::query_scalar(OTHER_BYTES)
                .bind(owner.as_str())
                .bind(ns)
                .bind(name)
                .fetch_one(&mut *tx)
                .await?;
            let others = usize::try_from(others).unwrap_or(usize::MAX);
            if others.saturating_add(xml.len()) > bytes_max {
                return Ok(Put::Full);
            }
            sqlx::query(PUT)
                .bind(owner.as_str())
                .bind(ns)
                .bind(name)
                .bind(xml)
                .execute(&mut *tx)
                .await?;
        });
        Ok(Put::Stored)
    }
}
