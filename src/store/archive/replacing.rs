//! Putting a tombstone in the place of a message that was taken back (XEP-0424 §5).

use bytes::Bytes;

use super::{Archive, ArchiveId, DELETE_WORD, REPLACE, WORDS, numbers};
use crate::proto::jid::BareJid;
use crate::store::db::transaction;
use crate::store::error::StoreError;

impl Archive<'_> {
    /// Puts another stanza in the place of a message, which is no longer found by its words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace(
        &self,
        owner: &BareJid,
        id: ArchiveId,
        stanza: Bytes,
    ) -> Result<(), StoreError> {
        transaction!(self.db, tx => {
            let words: Option<Vec<u8>> = sqlx::query_scalar(WORDS)
                .bind(owner.as_str())
                .bind(id.to_bytes())
                .fetch_optional(&mut *tx)
                .await?;
            for word in numbers(&words.unwrap_or_default()) {
                sqlx::query(DELETE_WORD)
                    .bind(word)
                    .bind(id.to_bytes())
                    .execute(&mut *tx)
                    .await?;
            }
            sqlx::query(REPLACE)
                .bind(owner.as_str())
                .bind(id.to_bytes())
                .bind(stanza.to_vec())
                .bind(Vec::<u8>::new())
                .execute(&mut *tx)
                .await?;
        });
        Ok(())
    }
}
