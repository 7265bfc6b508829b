//! Files of message streams: uploads that were taken over from their authors (S4-20). They outlive the accounts of
//! those, count in nobody's quota, and go with their streams.
//!
//! The bytes are kept by [`UploadFiles::of_attachments`]: linked there before the row is written, so that each row has
//! its file whenever the server dies.

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use super::upload::{REMOVE_UPLOAD, UploadFiles, UploadId};
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

/// Attachments that are read at once, whatever limit is asked for.
pub const ATTACHMENTS_PAGE_MAX: u32 = 1_000;

/// An upload that is to be taken over.
#[derive(Clone, Debug)]
pub struct NewAttachment {
    /// That of the upload.
    pub id: UploadId,
    /// Who has uploaded it.
    pub owner: BareJid,
    /// The host of the stream.
    pub host: String,
    /// The message stream for which it is taken.
    pub stream: String,
    /// What it was recognized as.
    pub media_type: &'static str,
    /// When.
    pub at: Timestamp,
}

/// A file of a message stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAttachment {
    /// Which one.
    pub id: UploadId,
    /// The host of the stream.
    pub host: String,
    /// The message stream for which it was taken.
    pub stream: String,
    /// Who had uploaded it.
    pub owner: String,
    /// What it is called.
    pub file_name: String,
    /// What it was recognized as.
    pub media_type: String,
    /// The number of bytes.
    pub size: u64,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// Whether the stream was seen to name it.
    pub named: bool,
}

/// What became of an upload that was to be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum TakenOver {
    /// It is an attachment now, and no upload any more.
    Done,
    /// There is no such upload: it has expired, or its owner has gone.
    Gone,
    /// The host has as many bytes as it may have.
    NoRoom,
}

queries! {
    OPEN_ROOM = "insert into attachment_room (host, bytes) values ($1, 0) on conflict (host) do nothing";
    INSERT = "insert into attachment (id, host, stream, owner, created_at, file_name, media_type, size, taken_at, named)
        select id, $3, $4, owner, created_at, file_name, $5, size, $6, $7 from upload
        where id = $1 and owner = $2 and stored_at is not null and (expires_at is null or expires_at > $6)";
    // Also the lock that lets a second one wait that takes or deletes for the same host.
    FILL_ROOM = "update attachment_room set bytes = bytes + (select size from attachment where id = $2)
        where host = $1 and bytes + (select size from attachment where id = $2) <= $3";
    EMPTY_ROOM = "update attachment_room set bytes = bytes - (select size from attachment where id = $1)
        where host = (select host from attachment where id = $1)";
    FIND = "select id, host, stream, owner, file_name, media_type, size, taken_at, named
        from attachment where id = $1";
    OF_STREAM = "select id, host, stream, owner, file_name, media_type, size, taken_at, named
        from attachment where stream = $1 order by id";
    PAGE = "select id, host, stream, owner, file_name, media_type, size, taken_at, named
        from attachment where (stream, id) > ($1, $2) order by stream, id limit cast($3 as bigint)";
    MOVE = "update attachment set stream = $3, taken_at = $4 where id = $1 and stream = $2 and named = $5";
    NAME = "update attachment set named = $2 where id = $1";
    RENEW = "update attachment set taken_at = $3 where id = $1 and stream = $2";
    DELETE_AS_READ = "delete from attachment where id = $1 and stream = $2 and taken_at = $3 and named = $4";
    DELETE = "delete from attachment where id = $1";
    BETWEEN = "select id from attachment where id >= $1 and id < $2";
}

/// Operations on attachments; from [`super::Store::attachments`].
#[derive(Clone, Copy, Debug)]
pub struct Attachments<'a> {
    pub(super) db: &'a Db,
}

impl Attachments<'_> {
    /// Makes an attachment of an upload whose file is linked to its new place already, if all of the host have room
    /// for it in `bytes_max`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(&self, new: &NewAttachment, bytes_max: u64) -> Result<TakenOver, StoreError> {
        let (id, bytes_max) = (
            new.id.as_str(),
            i64::try_from(bytes_max).unwrap_or(i64::MAX),
        );
        transaction!(self.db, tx => {
            sqlx::query(OPEN_ROOM).bind(new.host.as_str()).execute(&mut *tx).await?;
            let taken = sqlx::query(INSERT)
                .bind(id)
                .bind(new.owner.as_str())
                .bind(new.host.as_str())
                .bind(new.stream.as_str())
                .bind(new.media_type)
                .bind(new.at.as_micros())
                .bind(false)
                .execute(&mut *tx)
                .await?;
            if taken.rows_affected() == 0 {
                return Ok(TakenOver::Gone);
            }
            let filled = sqlx::query(FILL_ROOM)
                .bind(new.host.as_str())
                .bind(id)
                .bind(bytes_max)
                .execute(&mut *tx)
                .await?;
            if filled.rows_affected() == 0 {
                return Ok(TakenOver::NoRoom);
            }
            sqlx::query(REMOVE_UPLOAD).bind(id).execute(&mut *tx).await?;
        });
        Ok(TakenOver::Done)
    }

    /// Gives an attachment that no stream names to another stream; `false` when it is not as it was read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give(
        &self,
        read: &StoredAttachment,
        stream: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(writing!(self.db, pool => {
            let done = sqlx::query(MOVE)
                .bind(read.id.as_str())
                .bind(read.stream.as_str())
                .bind(stream)
                .bind(at.as_micros())
                .bind(false)
                .execute(pool)
                .await?;
            done.rows_affected() == 1
        }))
    }

    /// Notes that it was taken once more for the stream that has it; `false` when it is not there any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew(&self, read: &StoredAttachment, at: Timestamp) -> Result<bool, StoreError> {
        Ok(writing!(self.db, pool => {
            let done = sqlx::query(RENEW)
                .bind(read.id.as_str())
                .bind(read.stream.as_str())
                .bind(at.as_micros())
                .execute(pool)
                .await?;
            done.rows_affected() == 1
        }))
    }

    /// The attachment of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, id: &UploadId) -> Result<Option<StoredAttachment>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND).bind(id.as_str()).fetch_optional(pool).await?
        });
        row.map(StoredAttachment::try_from).transpose()
    }

    /// Everything that was taken for that stream.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_stream(&self, stream: &str) -> Result<Vec<StoredAttachment>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(OF_STREAM).bind(stream).fetch_all(pool).await?
        });
        rows.into_iter().map(StoredAttachment::try_from).collect()
    }

    /// Attachments of all hosts in the order of their streams, beginning behind that stream and id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all(
        &self,
        (stream, id): (&str, &str),
        limit: u32,
    ) -> Result<Vec<StoredAttachment>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(PAGE)
                .bind(stream)
                .bind(id)
                .bind(i64::from(limit.min(ATTACHMENTS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(StoredAttachment::try_from).collect()
    }

    /// Notes that their stream names them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn name(&self, ids: &[&UploadId]) -> Result<(), StoreError> {
        transaction!(self.db, tx => {
            for id in ids {
                sqlx::query(NAME).bind(id.as_str()).bind(true).execute(&mut *tx).await?;
            }
        });
        Ok(())
    }

    /// Deletes attachments; their files are to be deleted next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, ids: &[&UploadId]) -> Result<(), StoreError> {
        transaction!(self.db, tx => {
            for id in ids {
                sqlx::query(EMPTY_ROOM).bind(id.as_str()).execute(&mut *tx).await?;
                sqlx::query(DELETE).bind(id.as_str()).execute(&mut *tx).await?;
            }
        });
        Ok(())
    }

    /// Deletes one that is as it was read, whose file is to be deleted next; `false` when it is not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_as_read(&self, read: &StoredAttachment) -> Result<bool, StoreError> {
        transaction!(self.db, tx => {
            sqlx::query(EMPTY_ROOM).bind(read.id.as_str()).execute(&mut *tx).await?;
            let done = sqlx::query(DELETE_AS_READ)
                .bind(read.id.as_str())
                .bind(read.stream.as_str())
                .bind(read.taken_at.as_micros())
                .bind(read.named)
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
        });
        Ok(true)
    }

    /// The ids that begin with that text, which is hexadecimal.
    pub(super) async fn beginning_with(&self, prefix: &str) -> Result<Vec<UploadId>, StoreError> {
        let ids: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(BETWEEN)
                .bind(prefix)
                .bind(UploadFiles::behind(prefix))
                .fetch_all(pool)
                .await?
        });
        Ok(ids.iter().filter_map(|id| UploadId::parse(id)).collect())
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    host: String,
    stream: String,
    owner: String,
    file_name: String,
    media_type: String,
    size: i64,
    taken_at: i64,
    named: bool,
}

/// The database holds what is no id.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no id of an upload")]
struct NotAnUploadId(String);

impl TryFrom<Row> for StoredAttachment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = UploadId::parse(&row.id);
        let id = id.ok_or_else(|| StoreError::corrupt("attachment.id", NotAnUploadId(row.id)))?;
        Ok(Self {
            id,
            host: row.host,
            stream: row.stream,
            owner: row.owner,
            file_name: row.file_name,
            media_type: row.media_type,
            size: u64::try_from(row.size).unwrap_or(0),
            taken_at: Timestamp::from_micros(row.taken_at),
            named: row.named,
        })
    }
}
