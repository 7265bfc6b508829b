//! What an IQ handler is given, and what it answers (RFC 6120 §8.2.3).

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use compact_str::CompactString;

use crate::hooks::online::Session;
use crate::hooks::services::Services;
use crate::proto::{BareJid, Condition, FullJid, IqType, Jid, Stanza, StanzaError};
use crate::store::StoreError;
use crate::xml::Element;

/// At which addresses a request is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// The asker's own account: its bare JID, or no `to` at all.
    Own,
    /// Another's account on this server, by its bare JID.
    Account,
    /// A host that this server serves.
    Host,
    /// A service of this server at a domain of its own (see [`super::Service`]), where the service has
    /// no answer of its own.
    Service,
}

/// A request that the server answers itself.
#[derive(Clone, Debug)]
pub struct Iq {
    /// Who asks, stamped or checked by the server.
    pub from: Jid,
    /// The address asked, also where `to` was left out.
    pub to: BareJid,
    /// Which of the addresses it is.
    pub at: At,
    /// Get or set.
    pub kind: IqType,
    /// The asker's tracking identifier.
    pub id: CompactString,
    /// The language of the request.
    pub lang: Option<CompactString>,
    /// The one child of the request.
    pub payload: Element,
    /// The asking session, when it is one of this server's.
    pub session: Option<Arc<Session>>,
    /// What is to be sent before the answer, when that is a result.
    pub ahead: Ahead,
    /// Everything else an extension may use.
    pub services: Arc<Services>,
}

/// Stanzas that the asker gets before the answer, in order: the results of a query (XEP-0313 §4). Clones
/// share them.
#[derive(Clone, Debug, Default)]
pub struct Ahead(Arc<Mutex<Vec<Stanza>>>);

impl Ahead {
    /// Adds stanzas for the asker.
    pub fn extend(&self, stanzas: impl IntoIterator<Item = Stanza>) {
        self.lock().extend(stanzas);
    }

    /// Takes them out.
    pub(crate) fn take(&self) -> Vec<Stanza> {
        std::mem::take(&mut *self.lock())
    }

    /// A panic while the lock was held cannot have left the list half changed.
    fn lock(&self) -> MutexGuard<'_, Vec<Stanza>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer: the payload of the result, or an empty result, or a refusal.
pub type IqAnswer = Result<Option<Element>, StanzaError>;

impl Iq {
    /// The asking session.
    ///
    /// # Errors
    /// `not-allowed` when the asker is no client of this server.
    pub fn session(&self) -> Result<&Arc<Session>, StanzaError> {
        self.session
            .as_ref()
            .ok_or_else(|| Condition::NotAllowed.into())
    }

    /// Whether the account asked lets the asker see its presence (RFC 6121 §2.1.2.5): what tells of
    /// an account's resources is for those only (RFC 6120 §13.10.2).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_see_presence(&self) -> Result<bool, StoreError> {
        if self.at == At::Own {
            return Ok(true);
        }
        let rosters = self.services.store.rosters();
        let item = rosters.find(&self.to, self.from.bare()).await?;
        Ok(item.is_some_and(|item| item.subscription.has_from()))
    }

    /// The asker's full address.
    ///
    /// # Errors
    /// `not-allowed` when the asker is no client of this server.
    pub fn full(&self) -> Result<&FullJid, StanzaError> {
        Ok(self.session()?.jid())
    }
}

/// A request on a stream that is not authenticated yet; only in-band registration
/// (XEP-0077 §3.1) has one.
#[derive(Clone, Debug)]
pub struct StreamIq {
    /// The host that the stream is for.
    pub host: BareJid,
    /// The peer's address, for limits.
    pub peer: IpAddr,
    /// Whether the stream is encrypted.
    pub encrypted: bool,
    /// Get or set.
    pub kind: IqType,
    /// The one child of the request.
    pub payload: Element,
    /// Everything else an extension may use.
    pub services: Arc<Services>,
}
