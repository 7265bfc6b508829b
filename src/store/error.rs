//! What can go wrong in the store, in the kinds that a caller answers differently.

use std::error::Error;
use std::sync::Arc;

use tracing::warn;

use super::dialect::{self, Fault};
use crate::proto::{Condition, ErrorType, StanzaError};

/// Why the store did not do what it was asked.
///
/// Not found is no error but `Ok(None)` or `Ok(false)`; a bound that is reached is a value of
/// the operation. No text of an error holds stored data. Cheap to clone: one failed commit
/// is told to everyone who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The configured place of the database cannot be understood.
    #[error("database.url: {0}")]
    Location(String),
    /// The database cannot be reached, is full or shutting down; later it may work.
    #[error("database unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The database did not answer in time, for lock or load; later it may work.
    #[error("database too slow")]
    Timeout(#[source] Arc<sqlx::Error>),
    /// The record exists already.
    #[error("exists already")]
    Conflict(#[source] Arc<sqlx::Error>),
    /// The account that the record would belong to does not exist.
    #[error("no such account")]
    NoAccount(#[source] Arc<sqlx::Error>),
    /// The database file is damaged, or a column holds what the server never writes there.
    #[error("database holds a bad {what}")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// Why it is bad.
        #[source]
        cause: Arc<dyn Error + Send + Sync>,
    },
    /// A statement that the database refuses: a mistake of the server.
    #[error("statement refused")]
    Statement(#[source] Arc<sqlx::Error>),
    /// The tables cannot be brought to this version of the server.
    #[error("database schema")]
    Schema(#[source] Arc<sqlx::migrate::MigrateError>),
    /// Another server works with the database.
    #[error("another server is using it; one database belongs to one server")]
    InUse,
    /// The store is closed.
    #[error("store is closed")]
    Closed,
}

impl StoreError {
    /// A stored value that cannot be read back.
    pub(crate) fn corrupt(what: &'static str, cause: impl Error + Send + Sync + 'static) -> Self {
        Self::Corrupt {
            what,
            cause: Arc::new(cause),
        }
    }

    /// Whether the same request may succeed later without anybody's doing.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let fault = dialect::fault(&error);
        let source = Arc::new(error);
        match fault {
            Fault::Unavailable => Self::Unavailable(source),
            Fault::Timeout => Self::Timeout(source),
            Fault::Conflict => Self::Conflict(source),
            Fault::NoAccount => Self::NoAccount(source),
            Fault::Corrupt => Self::Corrupt {
                what: "column",
                cause: source,
            },
            Fault::Statement => Self::Statement(source),
            Fault::Closed => Self::Closed,
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::Execute(error) => error.into(),
            other => Self::Schema(Arc::new(other)),
        }
    }
}

/// What a client is told of it: no cause, that is logged, but whether to try again.
impl From<StoreError> for StanzaError {
    fn from(error: StoreError) -> Self {
        warn!(error = &error as &dyn Error, "store failed");
        match error {
            StoreError::NoAccount(_) => Condition::ItemNotFound.into(),
            StoreError::Conflict(_) => Condition::Conflict.into(),
            StoreError::Unavailable(_) | StoreError::Timeout(_) => {
                Self::new(Condition::InternalServerError).kind(ErrorType::Wait)
            }
            StoreError::Location(_)
            | StoreError::Corrupt { .. }
            | StoreError::Statement(_)
            | StoreError::Schema(_)
            | StoreError::InUse
            | StoreError::Closed => Condition::InternalServerError.into(),
        }
    }
}
