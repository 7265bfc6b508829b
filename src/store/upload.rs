//! Files that clients upload (XEP-0363): slots, which are promises of room, and the files that came.
//!
//! A row is a slot until its file is stored. What an account has, slots included, is bounded when it
//! asks for one; the bytes themselves are kept by [`UploadFiles`].

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

mod files;
mod id;
mod room;

pub use files::{FileRows, Partial, UploadFiles};
pub use id::UploadId;
pub use room::UploadLimits;

use room::Takes;

/// A slot that is asked for.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// What it is found by: the unguessable part of its URLs.
    pub id: UploadId,
    /// The account that uploads.
    pub owner: BareJid,
    /// SHA-256 of what the upload is allowed by.
    pub token_hash: Vec<u8>,
    /// The file's name, which is told and never used as a path.
    pub file_name: String,
    /// The media type that the client declared.
    pub media_type: Option<String>,
    /// The exact number of bytes.
    pub size: u64,
    /// When the slot was asked for.
    pub created_at: Timestamp,
    /// Until when the upload may begin.
    pub put_until: Timestamp,
    /// From when on the file is not given any more; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// A slot, or the file that came.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The account that uploads.
    pub owner: BareJid,
    /// SHA-256 of what the upload is allowed by.
    pub token_hash: Vec<u8>,
    /// The file's name.
    pub file_name: String,
    /// The media type that the client declared.
    pub media_type: Option<String>,
    /// The exact number of bytes.
    pub size: u64,
    /// Until when the upload may begin.
    pub put_until: Timestamp,
    /// When the whole file had come; `None` for a slot.
    pub stored_at: Option<Timestamp>,
    /// From when on the file is not given any more.
    pub expires_at: Option<Timestamp>,
}

/// What became of a slot that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Reserved {
    /// It is granted and durable.
    Granted,
    /// The account has all that it may have; there is room again at that time, or nobody knows when.
    Full(Option<Timestamp>),
}

/// Rows that one call of [`Uploads::take_old`] deletes at most.
const OLD_MAX: i64 = 256;

/// Rows that the time of the next room is looked for in.
const EXPIRING_MAX: i64 = 1_000;

queries! {
    // Both databases let the second of two transactions wait here.
    LOCK = "insert into upload_owner (owner, asked_at) values ($1, $2)
        on conflict (owner) do update set asked_at = excluded.asked_at";
    DELETE_UNUSED = "delete from upload where owner = $1 and stored_at is null and put_until < $2";
    HELD = "select cast(coalesce(sum(size), 0) as bigint) from upload
        where owner = $1 and (expires_at is null or expires_at > $2)";
    // Those that were taken over since (`attachment.rs`) were uploaded all the same.
    TODAY = "select created_at as moment, size from upload where owner = $1 and created_at > $2
        union all select created_at as moment, size from attachment where owner = $1 and created_at > $2
        order by moment";
    EXPIRING = "select expires_at as moment, size from upload
        where owner = $1 and expires_at > $2 order by expires_at limit cast($3 as bigint)";
    INSERT = "insert into upload (id, owner, token_hash, file_name, media_type, size,
            created_at, put_until, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = "select owner, token_hash, file_name, media_type, size, put_until, stored_at, expires_at
        from upload where id = $1";
    STORED = "update upload set stored_at = $2 where id = $1 and stored_at is null";
    OLD = "select id from upload
        where expires_at <= $1 or (stored_at is null and put_until < $2) limit cast($3 as bigint)";
    OF_OWNER = "select id from upload where owner = $1";
    BETWEEN = "select id from upload where id >= $1 and id < $2";
    DELETE = "delete from upload where id = $1";
}

pub(super) const REMOVE_UPLOAD: &str = DELETE;

/// Operations on uploads; from [`super::Store::uploads`].
#[derive(Clone, Copy, Debug)]
pub struct Uploads<'a> {
    pub(super) db: &'a Db,
}

impl Uploads<'_> {
    /// Grants a slot, if what the owner has and has asked for leaves room for it.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the owner does not exist.
    pub async fn reserve(
        &self,
        new: &NewUpload,
        limits: &UploadLimits,
    ) -> Result<Reserved, StoreError> {
        let (owner, now) = (new.owner.as_str(), new.created_at);
        let size = i64::try_from(new.size).unwrap_or(i64::MAX);
        transaction!(self.db, tx => {
            sqlx::query(LOCK).bind(owner).bind(now.as_micros()).execute(&mut *tx).await?;
            sqlx::query(DELETE_UNUSED)
                .bind(owner)
                .bind(limits.unused_before(now).as_micros())
                .execute(&mut *tx)
                .await?;
            let held: i64 = sqlx::query_scalar(HELD)
                .bind(owner)
                .bind(now.as_micros())
                .fetch_one(&mut *tx)
                .await?;
            let today: Vec<Takes> = sqlx::query_as(TODAY)
                .bind(owner)
                .bind(room::day_before(now).as_micros())
                .fetch_all(&mut *tx)
                .await?;
            let expiring: Vec<Takes> = sqlx::query_as(EXPIRING)
                .bind(owner)
                .bind(now.as_micros())
                .bind(EXPIRING_MAX)
                .fetch_all(&mut *tx)
                .await?;
            if let Some(full) = room::refusal(limits, size, held, &today, &expiring) {
                return Ok(full);
            }
            sqlx::query(INSERT)
                .bind(new.id.as_str())
                .bind(owner)
                .bind(new.token_hash.as_slice())
                .bind(new.file_name.as_str())
                .bind(new.media_type.as_deref())
                .bind(size)
                .bind(now.as_micros())
                .bind(new.put_until.as_micros())
                .bind(new.expires_at.map(Timestamp::as_micros))
                .execute(&mut *tx)
                .await?;
        });
        Ok(Reserved::Granted)
    }

    /// The slot or file of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, id: &UploadId) -> Result<Option<Upload>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND).bind(id.as_str()).fetch_optional(pool).await?
        });
        row.map(Upload::try_from).transpose()
    }

    /// Notes that the whole file lies where it belongs; `false` when the slot is gone, with its
    /// account perhaps, or another upload was first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stored(&self, id: &UploadId, at: Timestamp) -> Result<bool, StoreError> {
        Ok(writing!(self.db, pool => {
            let done = sqlx::query(STORED)
                .bind(id.as_str())
                .bind(at.as_micros())
                .execute(pool)
                .await?;
            done.rows_affected() == 1
        }))
    }

    /// Deletes some of what is past its time, and slots that were not used, and returns which: their
    /// files are to be deleted next. To be called until it returns none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_old(
        &self,
        now: Timestamp,
        limits: &UploadLimits,
    ) -> Result<Vec<UploadId>, StoreError> {
        let unused = limits.unused_before(now).as_micros();
        let ids: Vec<String> = transaction!(self.db, tx => {
            let ids: Vec<String> = sqlx::query_scalar(OLD)
                .bind(now.as_micros())
                .bind(unused)
                .bind(OLD_MAX)
                .fetch_all(&mut *tx)
                .await?;
            for id in &ids {
                sqlx::query(DELETE).bind(id.as_str()).execute(&mut *tx).await?;
            }
            ids
        });
        Ok(parsed(&ids))
    }

    /// Everything that the owner has, to delete the files when the account goes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_owner(&self, owner: &BareJid) -> Result<Vec<UploadId>, StoreError> {
        let ids: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(OF_OWNER).bind(owner.as_str()).fetch_all(pool).await?
        });
        Ok(parsed(&ids))
    }

    /// The ids that begin with that text, which is hexadecimal.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn beginning_with(&self, prefix: &str) -> Result<Vec<UploadId>, StoreError> {
        let ids: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(BETWEEN)
                .bind(prefix)
                .bind(UploadFiles::behind(prefix))
                .fetch_all(pool)
                .await?
        });
        Ok(parsed(&ids))
    }
}

fn parsed(ids: &[String]) -> Vec<UploadId> {
    ids.iter().filter_map(|id| UploadId::parse(id)).collect()
}

#[derive(FromRow)]
struct Row {
    owner: String,
    token_hash: Vec<u8>,
    file_name: String,
    media_type: Option<String>,
    size: i64,
    put_until: i64,
    stored_at: Option<i64>,
    expires_at: Option<i64>,
}

impl TryFrom<Row> for Upload {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            owner: BareJid::new(&row.owner)
                .map_err(|error| StoreError::corrupt("upload.owner", error))?,
            token_hash: row.token_hash,
            file_name: row.file_name,
            media_type: row.media_type,
            size: u64::try_from(row.size).unwrap_or(0),
            put_until: Timestamp::from_micros(row.put_until),
            stored_at: row.stored_at.map(Timestamp::from_micros),
            expires_at: row.expires_at.map(Timestamp::from_micros),
        })
    }
}
