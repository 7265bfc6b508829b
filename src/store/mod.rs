//! Every line of SQL: what the server keeps, in SQLite or PostgreSQL.
//!
//! One file per entity, each with its record, its operations and its SQL. A text of SQL serves both
//! databases; what cannot be the same stands in `dialect.rs`. An operation returns when its
//! effect is durable. Nothing here knows stanzas: what is to be kept comes as bytes.

mod abuse_report;
mod access_list;
mod account;
mod account_source;
mod archive;
mod arrival;
mod attachment;
mod audit;
mod billing;
mod blocked;
mod claim;
mod connections;
mod credential;
mod customer;
mod db;
mod dialect;
mod directory;
mod error;
mod fast_token;
mod grouped;
mod invitation;
mod journal;
mod message_stream;
mod notice;
mod offline;
mod private_xml;
mod pubsub;
mod push_registration;
mod record;
mod room;
mod roster;
mod rows;
mod schema;
mod setting;
mod snapshot;
mod subscription_request;
mod upload;
mod vcard;

use std::sync::Arc;

use sqlx::{Executor, SqlSafeStr};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use abuse_report::{AbuseReport, AbuseReports, ReportLimits};
pub use access_list::AccessLists;
pub use account::{Account, Accounts, LastSeen, Removed};
pub use account_source::AccountSources;
pub use archive::{
    Archive, ArchiveAppended, ArchiveEnd, ArchiveFilter, ArchiveId, ArchiveIds, ArchivePage,
    ArchivePageLimits, ArchivePreference, ArchiveWords, Archived, NewArchived, UnknownArchiveId,
    WORDS_MAX, archive_word,
};
pub use arrival::{Arrival, Arrivals, ArrivedElement, ArrivedItem, ArrivedMessage, ArrivedNode};
pub use attachment::{
    ATTACHMENTS_PAGE_MAX, Attachments, NewAttachment, StoredAttachment, TakenOver,
};
pub use audit::{Audit, AuditEntry, AuditFilter, AuditLimits};
pub use billing::{BILLABLE, billable_listing};
pub use blocked::Blocked;
pub use claim::Claim;
pub use connections::{Connections, Lent};
pub use credential::{Credentials, Login};
pub use customer::{
    CUSTOMER, CustomerPlace, Customers, FoundCustomer, customer_change, customer_listings,
    customer_place,
};
pub use db::{Db, Limits, Location};
pub use directory::{
    ColleagueKinds, Directory, DirectoryPlace, FoundColleague, ListedColleague, directory_word,
};
pub use error::StoreError;
pub use fast_token::{FastToken, FastTokens, NewToken, Redeemed, TokenExchange, TokensExchanged};
pub use invitation::{Invitation, Invitations};
pub use journal::{JOURNAL_PAGE_MAX, JournalBounds, JournalEntry, JournalFollower, Journals};
pub use message_stream::{
    FoundStreams, MessageStreams, STREAM, STREAMS_ABOUT, STREAMS_FOR_EVERYBODY, StreamList,
    StreamReader, stream_listings, streams_for,
};
pub use notice::{Notice, Notices};
pub use offline::{Appended, OfflineMessage, OfflineMessages};
pub use private_xml::PrivateXml;
pub use pubsub::{
    Changed, ContactItem, Created, Dropped, LAST_NAMES_MAX, LastOf, NewItem, NodeAddress,
    NodeBounds, NodeConfiguration, PrivateElement, PublishBounds, Published, Pubsub,
    PubsubAffiliation, PubsubChange, PubsubItem, PubsubNode, PubsubSubscription, Slice,
    SubscriptionState, WhenFull,
};
pub use push_registration::{PushRegistration, PushRegistrations};
pub use record::{
    DueRecord, Erasure, Guard, HeldRecord, ListOrder, Listing, NewAuditEntry, NewJournalEntry,
    Outgoing, RECORDS_PAGE_MAX, RecordChange, RecordWrite, Records, RecordsWritten, StoredRecord,
    Untold, Walk,
};
pub use room::{RoomAffiliation, RoomRecord, Rooms};
pub use roster::{
    Applied, CHANGES_MAX, ITEMS_CEILING, Roster, RosterChange, RosterItem, RosterWrite, Rosters,
    Subscription, TOMBSTONES_MAX, UnknownSubscription,
};
pub use schema::SchemaVersion;
pub use setting::Settings;
pub use snapshot::{
    Column, ColumnKind, LoadError, Loading, Row as SnapshotRow, Snapshot, Table, Value,
};
pub use subscription_request::{SubscriptionRequest, SubscriptionRequests};
pub use upload::{
    FileRows, NewUpload, Partial, Reserved, Upload, UploadFiles, UploadId, UploadLimits, Uploads,
};
pub use vcard::{Vcard, Vcards};

/// A handle to what the server keeps; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    db: Db,
    finder: account::Finder,
    accounts_changed: account::Changes,
    offline: offline::Writer,
    archive: archive::Writer,
    records: record::Writer,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What became of a record that a bound may refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Put {
    /// It is stored.
    Stored,
    /// It is over the bound; nothing has changed.
    Full,
}

impl Store {
    /// Opens the database, brings its tables to this version, and starts the tasks that write and find in groups.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub async fn open(location: &Location, limits: &Limits) -> Result<Self, StoreError> {
        let db = Db::open(location, limits).await?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let finder = account::start(db.clone(), &tasks, stop.clone());
        let offline = offline::start(db.clone(), &tasks, stop.clone());
        let records = record::start(db.clone(), &tasks, stop.clone());
        let archive = archive::Writer::start(db.clone(), &tasks, stop.clone()).await?;
        Ok(Self(Arc::new(Inner {
            db,
            finder,
            accounts_changed: account::Changes::default(),
            offline,
            archive,
            records,
            tasks,
            stop,
        })))
    }

    /// Accounts.
    #[must_use]
    pub fn accounts(&self) -> Accounts<'_> {
        Accounts {
            db: &self.0.db,
            finder: &self.0.finder,
            changes: &self.0.accounts_changed,
        }
    }

    /// Who knows the people of accounts without a password of their own.
    #[must_use]
    pub fn account_sources(&self) -> AccountSources<'_> {
        AccountSources { db: &self.0.db }
    }

    /// Accounts that come whole from another server (XEP-0227).
    #[must_use]
    pub fn arrivals(&self) -> Arrivals<'_> {
        Arrivals { db: &self.0.db }
    }

    /// The keys that accounts log in with.
    #[must_use]
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials { db: &self.0.db }
    }

    /// The directory of colleagues.
    #[must_use]
    pub fn directory(&self) -> Directory<'_> {
        Directory { db: &self.0.db }
    }

    /// The customers of a host.
    #[must_use]
    pub fn customers(&self) -> Customers<'_> {
        Customers {
            records: self.records(),
        }
    }

    /// Notes about customers with their replies.
    #[must_use]
    pub fn message_streams(&self) -> MessageStreams<'_> {
        MessageStreams {
            records: self.records(),
        }
    }

    /// Tokens that clients log in with (XEP-0484).
    #[must_use]
    pub fn fast_tokens(&self) -> FastTokens<'_> {
        FastTokens { db: &self.0.db }
    }

    /// Records of the contact center, with their events.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records {
            db: &self.0.db,
            writer: &self.0.records,
        }
    }

    /// What has changed, for those outside who follow it.
    #[must_use]
    pub fn journals(&self) -> Journals<'_> {
        Journals { db: &self.0.db }
    }

    /// Rooms that outlast their occupants (XEP-0045).
    #[must_use]
    pub fn rooms(&self) -> Rooms<'_> {
        Rooms { db: &self.0.db }
    }

    /// Rosters (RFC 6121 §2).
    #[must_use]
    pub fn rosters(&self) -> Rosters<'_> {
        Rosters { db: &self.0.db }
    }

    /// Subscription requests that wait for their recipient (RFC 6121 §3.1.3).
    #[must_use]
    pub fn subscription_requests(&self) -> SubscriptionRequests<'_> {
        SubscriptionRequests { db: &self.0.db }
    }

    /// Messages for accounts without a resource (XEP-0160).
    #[must_use]
    pub fn offline_messages(&self) -> OfflineMessages<'_> {
        OfflineMessages {
            db: &self.0.db,
            writer: &self.0.offline,
        }
    }

    /// Whom accounts block (XEP-0191).
    #[must_use]
    pub fn blocked(&self) -> Blocked<'_> {
        Blocked { db: &self.0.db }
    }

    /// Reports of spam and abuse (XEP-0377).
    #[must_use]
    pub fn abuse_reports(&self) -> AbuseReports<'_> {
        AbuseReports { db: &self.0.db }
    }

    /// The audit trail.
    #[must_use]
    pub fn audit(&self) -> Audit<'_> {
        Audit { db: &self.0.db }
    }

    /// What everybody is told who logs in (XEP-0133).
    #[must_use]
    pub fn notices(&self) -> Notices<'_> {
        Notices { db: &self.0.db }
    }

    /// Whom the server as a whole talks to (XEP-0133).
    #[must_use]
    pub fn access_lists(&self) -> AccessLists<'_> {
        AccessLists { db: &self.0.db }
    }

    /// Push registrations (XEP-0357).
    #[must_use]
    pub fn push_registrations(&self) -> PushRegistrations<'_> {
        PushRegistrations { db: &self.0.db }
    }

    /// Invitations (XEP-0401).
    #[must_use]
    pub fn invitations(&self) -> Invitations<'_> {
        Invitations { db: &self.0.db }
    }

    /// Message archives (XEP-0313).
    #[must_use]
    pub fn archive(&self) -> Archive<'_> {
        Archive {
            db: &self.0.db,
            writer: &self.0.archive,
        }
    }

    /// Private XML storage (XEP-0049).
    #[must_use]
    pub fn private_xml(&self) -> PrivateXml<'_> {
        PrivateXml { db: &self.0.db }
    }

    /// Publish-subscribe (XEP-0060).
    #[must_use]
    pub fn pubsub(&self) -> Pubsub<'_> {
        Pubsub { db: &self.0.db }
    }

    /// vCards (XEP-0054).
    #[must_use]
    pub fn vcards(&self) -> Vcards<'_> {
        Vcards { db: &self.0.db }
    }

    /// Files that clients upload, and slots for them (XEP-0363).
    #[must_use]
    pub fn uploads(&self) -> Uploads<'_> {
        Uploads { db: &self.0.db }
    }

    /// Files of message streams.
    #[must_use]
    pub fn attachments(&self) -> Attachments<'_> {
        Attachments { db: &self.0.db }
    }

    /// What the server remembers about itself.
    #[must_use]
    pub fn settings(&self) -> Settings<'_> {
        Settings { db: &self.0.db }
    }

    /// The database's name for people: `SQLite` or `PostgreSQL`.
    #[must_use]
    pub fn database_name(&self) -> &'static str {
        self.0.db.name()
    }

    /// The version of the tables, which opening has brought to that of this server.
    #[must_use]
    pub fn schema_version(&self) -> i64 {
        schema::wanted()
    }

    /// Answers whether the database can be read at this moment.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.settings().touch().await
    }

    /// Asks the database whether it understands a text of SQL, without running it.
    ///
    /// # Errors
    /// [`StoreError::Statement`] when it does not.
    pub async fn prepare(&self, sql: &'static str) -> Result<(), StoreError> {
        db::writing!(&self.0.db, pool => {
            pool.prepare(sql.into_sql_str()).await?;
        });
        Ok(())
    }

    /// Clears what the write-ahead log of SQLite has of what was overwritten or deleted; waits for whoever reads. Of PostgreSQL
    /// this is its operator's: rows that are gone are so after a vacuum.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_log(&self) -> Result<(), StoreError> {
        match &self.0.db {
            Db::Sqlite { writer, .. } => Ok(dialect::clear_sqlite_log(writer).await?),
            Db::Postgres(_) => Ok(()),
        }
    }

    /// Writes what is queued, then closes the database. Operations fail from then on with
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.db.close().await;
    }
}

/// Every text of SQL with its name, so that a test can prepare them all on both databases.
pub fn queries() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        abuse_report::QUERIES,
        access_list::QUERIES,
        account::QUERIES,
        account_source::QUERIES,
        attachment::QUERIES,
        audit::QUERIES,
        blocked::QUERIES,
        archive::QUERIES,
        arrival::QUERIES,
        archive::PREFERENCE_QUERIES,
        archive::PAGING_QUERIES,
        archive::SEARCH_QUERIES,
        credential::QUERIES,
        directory::QUERIES,
        invitation::QUERIES,
        journal::QUERIES,
        fast_token::QUERIES,
        notice::QUERIES,
        offline::QUERIES,
        private_xml::QUERIES,
        push_registration::QUERIES,
        pubsub::ITEM_QUERIES,
        pubsub::LAST_QUERIES,
        pubsub::PEOPLE_QUERIES,
        pubsub::PUBLISHING_QUERIES,
        pubsub::QUERIES,
        pubsub::REMOVAL_QUERIES,
        record::QUERIES,
        record::WRITING_QUERIES,
        record::ERASING_QUERIES,
        room::QUERIES,
        roster::QUERIES,
        schema::QUERIES,
        setting::QUERIES,
        subscription_request::QUERIES,
        upload::QUERIES,
        vcard::QUERIES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
