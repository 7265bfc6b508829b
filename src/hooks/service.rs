//! Services: parts of this server with a domain of their own beside the hosts, such as rooms (XEP-0045)
//! or publish-subscribe (XEP-0060).

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::hooks::iq::{Iq, IqAnswer};
use crate::hooks::mailbox::Mail;
use crate::hooks::online::Session;
use crate::hooks::passage::Effects;
use crate::hooks::services::Services;
use crate::proto::StanzaError;

/// What lives at a domain of its own.
///
/// The sender's task awaits what a service does, so that order is kept (RFC 6120 §10.1). A service waits
/// for the store only, never for a session.
pub trait Service: Send + Sync {
    /// A request to the domain or to an address without resource at it. `None` where the service has no
    /// answer of its own: at the domain what every service answers comes next
    /// ([`super::At::Service`]), elsewhere `service-unavailable`.
    fn request(self: Arc<Self>, iq: Iq) -> BoxFuture<'static, Option<IqAnswer>>;

    /// Whether the service takes the request over and answers it later itself, exactly once ([`Services::route`]), so that the
    /// sender's task need not wait. What it keeps has a bound, and its own order.
    ///
    /// # Errors
    /// What the sender is told where no more is taken.
    fn put_off(self: Arc<Self>, iq: &Iq, request: &Mail) -> Result<Later, StanzaError> {
        let _ = (iq, request);
        Ok(Later::No)
    }

    /// Everything else: messages, presence, requests to a full address, and answers.
    ///
    /// # Errors
    /// What the sender is told, where the standard allows an error.
    fn take(self: Arc<Self>, parcel: Parcel) -> BoxFuture<'static, Result<Effects, StanzaError>>;
}

/// Whether a request is answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// It was taken over.
    Yes,
    /// It is answered now.
    No,
}

/// A stanza for a service.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The stanza; `from` is stamped or checked by the server, `to` is an address of the service.
    pub stanza: Mail,
    /// The sending session, when it is one of this server's.
    pub session: Option<Arc<Session>>,
    /// Everything else an extension may use.
    pub services: Arc<Services>,
}
