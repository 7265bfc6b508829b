//! vCards of accounts (XEP-0054): one element `vCard` in `vcard-temp` each, kept as it came.

use sqlx::FromRow;

use super::Put;
use super::db::{Db, queries, reading, transaction, writing};
use super::directory::{names_in, put_names};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

/// An account's vCard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vcard {
    /// The element.
    pub xml: Vec<u8>,
    /// When the account published it.
    pub updated_at: Timestamp,
}

queries! {
    FIND = "select xml, updated_at from vcard where owner = $1";
    PUT = "insert into vcard (owner, xml, updated_at) values ($1, $2, $3)
        on conflict (owner) do update set xml = excluded.xml, updated_at = excluded.updated_at";
    PHOTO = "select hash from vcard_photo where owner = $1";
    PUT_PHOTO = "insert into vcard_photo (owner, hash) values ($1, $2)
        on conflict (owner) do update set hash = excluded.hash";
}

/// Operations on vCards; from [`super::Store::vcards`].
#[derive(Clone, Copy, Debug)]
pub struct Vcards<'a> {
    pub(super) db: &'a Db,
}

impl Vcards<'_> {
    /// The vCard of the account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, owner: &BareJid) -> Result<Option<Vcard>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND).bind(owner.as_str()).fetch_optional(pool).await?
        });
        Ok(row.map(|row| Vcard {
            xml: row.xml,
            updated_at: Timestamp::from_micros(row.updated_at),
        }))
    }

    /// Stores the vCard in place of the earlier one, and the names in it in the directory; [`Put::Full`] when it
    /// is longer than `bytes_max`.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the owner does not exist.
    pub async fn put(
        &self,
        owner: &BareJid,
        vcard: &Vcard,
        bytes_max: usize,
    ) -> Result<Put, StoreError> {
        if vcard.xml.len() > bytes_max {
            return Ok(Put::Full);
        }
        let names = names_in(&vcard.xml);
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                sqlx::query(PUT)
                    .bind(owner.as_str())
                    .bind(vcard.xml.as_slice())
                    .bind(vcard.updated_at.as_micros())
                    .execute(&mut *tx)
                    .await?;
                put_names!(tx, owner, &names);
            });
            Ok(Put::Stored)
        })
        .await
    }

    /// The hash of the picture in the account's vCard (XEP-0153 §3.1), empty when the vCard has none; `None`
    /// while nobody has noted one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn photo(&self, owner: &BareJid) -> Result<Option<String>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(PHOTO).bind(owner.as_str()).fetch_optional(pool).await?
        }))
    }

    /// Notes the hash of the picture; empty for none.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the owner does not exist.
    pub async fn put_photo(&self, owner: &BareJid, hash: &str) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(PUT_PHOTO).bind(owner.as_str()).bind(hash).execute(pool).await?;
        });
        Ok(())
    }
}

#[derive(FromRow)]
struct Row {
    xml: Vec<u8>,
    updated_at: i64,
}
