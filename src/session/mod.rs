//! One connection, one task: it owns the session's state, both directions, and nobody else
//! touches it. Others see the handle that it publishes ([`crate::hooks::Session`]).
//!
//! [`serve`] is the life of a connection: negotiation, the session, its end.

mod client_state;
mod inbound;
mod management;
mod negotiate;
mod resumables;
mod task;
pub mod transport;
pub mod web;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, debug, error, info, info_span};

use crate::hooks::{Mail, Session};
use crate::identity::Identities;

use crate::net::address_limits::{AddressLimits, NegotiationPlace};
use crate::net::tls::resolver::CertificateStore;
use crate::observe::metrics::counted;
use crate::proto::StreamCondition;
use crate::router::Router;
use crate::stream::Rules;
use crate::xml::Limits;
use management::Management;
pub use resumables::Resumables;
use transport::Transport;

/// What connections of one listener share.
pub struct Listener {
    /// The router.
    pub router: Arc<Router>,
    /// The rules of negotiation.
    pub rules: Arc<Rules>,
    /// TLS for STARTTLS or for the first byte; none where there is no certificate.
    pub tls: Option<TlsSetup>,
    /// Whether PLAIN may be used without TLS, on a loopback listener.
    pub plain: crate::stream::sasl::PlainWithoutTls,
    /// Limits by the peer's address.
    pub addresses: Arc<AddressLimits>,
    /// Limits for XML before the resource is bound.
    pub negotiation_limits: Limits,
    /// Limits for XML afterwards.
    pub session_limits: Limits,
    /// How many passwords are checked at once, over all listeners.
    pub derivations: Arc<Semaphore>,
    /// Who knows the people that have no password here.
    pub identities: Arc<Identities>,
    /// Where every task is spawned, so that shutdown waits for it.
    pub tasks: TaskTracker,
    /// Ends what is being negotiated; sessions are told one by one.
    pub stop: CancellationToken,
    /// Which sessions can be resumed, over any listener.
    pub resumables: Arc<Resumables>,
}

/// What a TLS handshake needs.
#[derive(Clone)]
pub struct TlsSetup {
    /// The acceptor with its configuration.
    pub acceptor: tokio_rustls::TlsAcceptor,
    /// Which certificate a name gets, for channel binding.
    pub certificates: Arc<CertificateStore>,
}

/// Whether TLS begins with the first byte (XEP-0368) or on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// TLS from the first byte.
    DirectTls,
    /// Plain, with STARTTLS on offer where there is a certificate.
    Plain,
}

/// Serves one connection to its end. Not an `async fn`, whose future would hold its arguments
/// twice for as long as the session lasts.
pub fn serve(
    listener: Arc<Listener>,
    transport: Transport,
    peer: IpAddr,
    start: Start,
    place: NegotiationPlace,
) -> impl Future<Output = ()> + Send {
    let id = crate::id::random();
    let span = info_span!("session", id = %id, %peer, jid = tracing::field::Empty);
    let work = async move {
        let beginning = AssertUnwindSafe(Box::pin(begin(&listener, transport, peer, start)));
        let mut task = match beginning.catch_unwind().await {
            Ok(Some(task)) => task,
            Ok(None) => return,
            Err(_) => return error!("a negotiation panicked"),
        };
        drop(place);
        // A panic ends this session and no other; what it held is still given back.
        if AssertUnwindSafe(task.run()).catch_unwind().await.is_err() {
            error!("a session's task panicked");
        }
        Box::pin(task.finish()).await;
        info!("session ends");
    };
    work.instrument(span)
}

/// Gives back what a session held: its place, its mail, and its presence. What its client did not
/// acknowledge (XEP-0198 §4) is the oldest of its mail.
async fn give_back(
    router: &Router,
    resumables: &Resumables,
    session: &Arc<Session>,
    management: Option<Box<Management>>,
    rest: VecDeque<Mail>,
) {
    router.registry().unbind(session);
    if let Some(management) = management {
        for mail in management.end(resumables).await {
            router.keep(&mail.of_reader(session.jid())).await;
        }
    }
    for mail in rest.into_iter().chain(session.close_mailbox()) {
        router.keep(&mail.of_reader(session.jid())).await;
    }
    let services = router.services();
    services.hooks.run_closed(session, services).await;
    debug!("session given back");
}

/// Negotiates; what was needed for it is gone when the session begins. The task is on the
/// heap, so that this future need not have room for it twice.
async fn begin(
    listener: &Arc<Listener>,
    transport: Transport,
    peer: IpAddr,
    start: Start,
) -> Option<Box<task::Task>> {
    let bound = negotiate::negotiate(listener, transport, peer, start).await?;
    tracing::Span::current().record("jid", tracing::field::display(bound.session.jid()));
    info!("session begins");
    counted().sessions_begun.increment(1);
    if listener.stop.is_cancelled() {
        // It was bound while the others were being told.
        bound.session.end(StreamCondition::SystemShutdown.into());
    }
    Some(Box::new(task::Task::new(listener, bound)))
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TlsSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSetup").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future_size<F: Future>(
        _: impl Fn(Arc<Listener>, Transport, IpAddr, Start, NegotiationPlace) -> F,
    ) -> usize {
        size_of::<F>()
    }

    /// Each idle session holds one of each. What is needed only while there is something to
    /// do lies on the heap meanwhile.
    #[test]
    fn an_idle_session_is_small() {
        for (what, bytes, bytes_max) in [
            ("the future of a connection", future_size(serve), 1280),
            ("its task", size_of::<task::Task>(), 464),
            ("its stream management", size_of::<Management>(), 304),
            ("what others see of it", size_of::<Session>(), 352),
            ("a stanza", size_of::<crate::proto::Stanza>(), 336),
        ] {
            assert!(bytes <= bytes_max, "{what}: {bytes} bytes");
        }
    }
}
