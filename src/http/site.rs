//! Serves the connections of a listener with HTTP/1.1.
//!
//! A connection has a time for the head of each request, which is also how long it may be
//! idle; the handlers bound the bodies. When the server stops, what is being answered is
//! finished.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tracing::debug;

use super::visitor::{Places, Visitor};
use super::{Web, routes};
use crate::session::TlsSetup;

/// The head of a request, and what is read of its body at once.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// What a listener of HTTP serves.
pub struct Site {
    web: Arc<Web>,
    router: Router,
    tls: Option<TlsSetup>,
}

impl Site {
    /// With TLS where there is a set-up for it.
    #[must_use]
    pub fn new(web: Arc<Web>, tls: Option<TlsSetup>) -> Self {
        Self {
            router: routes(&web),
            web,
            tls,
        }
    }

    /// Serves one connection to its end.
    pub async fn serve(&self, socket: TcpStream, peer: IpAddr, places: Places) {
        let limit = self.web.http().request_seconds.duration();
        let Some(tls) = &self.tls else {
            let visitor = Visitor::new(peer, false, places);
            return self.answer(socket, visitor).await;
        };
        match tokio::time::timeout(limit, tls.acceptor.accept(socket)).await {
            Ok(Ok(stream)) => {
                let visitor = Visitor::new(peer, true, places);
                Box::pin(self.answer(stream, visitor)).await;
            }
            Ok(Err(error)) => debug!(%error, "TLS handshake"),
            Err(_) => debug!("the TLS handshake took too long"),
        }
    }

    async fn answer<S>(&self, stream: S, visitor: Visitor)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(visitor.clone());
            let answering = TowerToHyperService::new(router.clone()).call(request);
            async move { Ok::<_, Infallible>(answering.await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.web.http().request_seconds.duration())
            .max_buf_size(BUFFER_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = Box::pin(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.web.listener.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            debug!(%error, "HTTP");
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}
