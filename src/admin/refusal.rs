//! Why an operation was not done.

use serde::{Deserialize, Serialize};
use tracing::error;

use crate::proto::{BareJid, Condition, StanzaError};
use crate::store::StoreError;

/// Why an operation was not done. Nothing has changed, unless the text says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "text", rename_all = "kebab-case")]
pub enum Refusal {
    /// There is no such operation or argument, or one is missing or not understood.
    #[error("{0}")]
    Usage(String),
    /// The role does not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such account or session.
    #[error("{0}")]
    NotFound(String),
    /// It is there already.
    #[error("{0}")]
    Conflict(String),
    /// Nobody may do it to this account.
    #[error("{0}")]
    NotAllowed(String),
    /// The argument is understood and not acceptable: a password that cannot be set.
    #[error("{0}")]
    NotAcceptable(String),
    /// Only a running server can do it.
    #[error("{0}")]
    NotRunning(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

impl Refusal {
    /// A failure of the store, with its causes. Some of them repeat what their own cause says.
    pub(crate) fn store(error: &StoreError) -> Self {
        let mut text = format!("the database failed: {error}");
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let said = inner.to_string();
            if !text.contains(&said) {
                text.push_str(&format!(": {said}"));
            }
            cause = inner.source();
        }
        Self::Failed(text)
    }

    pub(super) fn no_account(jid: &BareJid) -> Self {
        Self::NotFound(format!("there is no account {jid}"))
    }

    pub(super) fn server_administrator(jid: &BareJid) -> Self {
        Self::Forbidden(format!(
            "{jid} administers the whole server, as [admin] server_administrators says; it is out of reach of \
             who administers one host"
        ))
    }

    /// The same with other words.
    pub(super) fn saying(self, text: String) -> Self {
        match self {
            Self::Usage(_) => Self::Usage(text),
            Self::Forbidden(_) => Self::Forbidden(text),
            Self::NotFound(_) => Self::NotFound(text),
            Self::Conflict(_) => Self::Conflict(text),
            Self::NotAllowed(_) => Self::NotAllowed(text),
            Self::NotAcceptable(_) => Self::NotAcceptable(text),
            Self::NotRunning(_) => Self::NotRunning(text),
            Self::Failed(_) => Self::Failed(text),
        }
    }
}

impl From<Refusal> for StanzaError {
    fn from(refusal: Refusal) -> Self {
        let condition = match &refusal {
            Refusal::Usage(_) => Condition::BadRequest,
            Refusal::Forbidden(_) => Condition::Forbidden,
            Refusal::NotAllowed(_) => Condition::NotAllowed,
            Refusal::NotFound(_) => Condition::ItemNotFound,
            Refusal::Conflict(_) => Condition::Conflict,
            Refusal::NotAcceptable(_) => Condition::NotAcceptable,
            Refusal::NotRunning(_) => Condition::ServiceUnavailable,
            Refusal::Failed(cause) => {
                error!(%cause, "operation failed");
                return Condition::InternalServerError.into();
            }
        };
        Self::new(condition).text(refusal.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::store(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = StoreError::from(sqlx::Error::Io(std::io::Error::other("disk gone")));
        let text = Refusal::store(&error).to_string();
        assert_eq!(text.matches("disk gone").count(), 1, "{text}");
    }
}
