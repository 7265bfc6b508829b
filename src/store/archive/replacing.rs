//! Putting a tombstone in the place of a message that was taken back (XEP-0424 §5).

use bytes::Bytes;

use super::{Archive, ArchiveId, REPLACE};
use crate::proto::jid::BareJid;
use crate::store::db::writing;
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
        writing!(self.db, pool => {
            sqlx::query(REPLACE)
                .bind(owner.as_str())
                .bind(id.to_bytes())
                .bind(stanza.to_vec())
                .bind(Vec::<u8>::new())
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}
