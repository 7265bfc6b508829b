//! What browsers reach: XMPP inside of HTTP, and the documents that say where it is.
//!
//! [`Site`] serves a listener; [`routes`] is the list of all that is served there, a file each:
//! [`websocket`] (RFC 7395), [`bosh`] (XEP-0124, XEP-0206), [`host_meta`] (XEP-0156), [`upload`] (XEP-0363), and what
//! operators look at: `metrics` and `health`. The first two
//! carriers bring documents to the same task that serves a client of TCP
//! ([`crate::session::web`]). HTTP/1.1 only: WebSocket begins as that, and BOSH gains nothing by more.

pub mod bosh;
mod cors;
mod health;
pub mod host_meta;
mod metrics;
mod site;
pub mod upload;
mod visitor;
pub mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub use site::Site;
pub use visitor::{Client, Places, Visitor};

use crate::config::{Config, Http};
use crate::net::tls::resolver::CertificateStore;
use crate::observe::metrics::Metrics;
use crate::session::Listener;

/// What the handlers of all requests share.
#[derive(Debug)]
pub struct Web {
    /// The router, the limits by address, and the rules of streams.
    pub listener: Arc<Listener>,
    /// The sessions of BOSH.
    pub(crate) bosh: bosh::Sessions,
    /// The files that are coming in (XEP-0363).
    uploads: upload::Coming,
    /// The port of HTTPS, where it is served.
    https_port: Option<u16>,
    watch: Watch,
}

/// What operators look at.
#[derive(Clone, Debug)]
pub struct Watch {
    /// What was counted; `None` where something else in the process counts.
    pub metrics: Option<Metrics>,
    /// The certificates that are served.
    pub certificates: Arc<CertificateStore>,
    /// Cancelled when the server begins to stop.
    pub draining: CancellationToken,
}

impl Web {
    /// One for all listeners: a client of BOSH may come by another one each time.
    #[must_use]
    pub fn new(listener: Arc<Listener>, https_port: Option<u16>, watch: Watch) -> Arc<Self> {
        let config = &listener.router.services().config;
        let sessions_max = config.http.bosh_sessions_max;
        let uploads = upload::Coming::new(&config.upload);
        Arc::new(Self {
            uploads,
            listener,
            bosh: bosh::Sessions::new(sessions_max as usize),
            https_port,
            watch,
        })
    }

    /// What the operator configured.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.listener.router.services().config
    }

    fn http(&self) -> &Http {
        &self.config().http
    }

    /// Refuses a client to whom nothing protects the way, where the configuration asks for it.
    pub(super) fn protects(&self, client: Client) -> Result<(), Refused> {
        if client.encrypted || !self.config().c2s.require_tls {
            return Ok(());
        }
        debug!(address = %client.address, "a request without TLS refused");
        Err(Refused::WithoutTls)
    }

    /// The places of a session of `client`, or why it gets none.
    pub(super) fn admit(&self, visitor: &Visitor, client: Client) -> Result<Places, Refused> {
        let admitted = visitor.admit(client, &self.listener.addresses);
        admitted.map_err(|refusal| {
            debug!(address = %client.address, %refusal, "a session refused");
            Refused::TooMany
        })
    }

    /// Where clients reach this server's HTTP, for accounts of `domain`: a URL without a path and
    /// without a slash at its end. `None` where only HTTP without TLS is served and nobody said
    /// what stands before it.
    #[must_use]
    pub fn public_url(&self, domain: &str) -> Option<String> {
        match (&self.http().public_url, self.https_port) {
            (Some(url), _) => Some(url.as_str().to_owned()),
            (None, Some(443)) => Some(format!("https://{domain}")),
            (None, Some(port)) => Some(format!("https://{domain}:{port}")),
            (None, None) => None,
        }
    }
}

/// Why a request is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It has come without TLS, and no trusted proxy speaks for it.
    WithoutTls,
    /// The limits for its address are reached.
    TooMany,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::WithoutTls => {
                let why = "use https; a proxy has to be named in [http] trusted_proxies\n";
                (StatusCode::FORBIDDEN, why).into_response()
            }
            Self::TooMany => {
                let later = [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)];
                (StatusCode::TOO_MANY_REQUESTS, later, "too many\n").into_response()
            }
        }
    }
}

/// When to come again: the limits allow many new connections a second.
const RETRY_AFTER_SECONDS: &str = "5";

/// All that is served, by path. Whoever adds something merges its routes here.
pub fn routes(web: &Arc<Web>) -> Router {
    Router::new()
        .merge(websocket::routes(web))
        .merge(bosh::routes(web))
        .merge(host_meta::routes(web))
        .merge(upload::routes(web))
        .merge(health::routes(web))
        .merge(metrics::routes(web))
}
