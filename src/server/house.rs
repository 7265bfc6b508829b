//! What all rooms are built from, and the router with its ways out.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::component::Components;
use crate::config::Config;
use crate::contact_center;
use crate::extensions;
use crate::hooks::{Gateway, Hooks, Peers, Requests, Services};
use crate::net::tls::resolver::CertificateStore;
use crate::proto::BareJid;
use crate::router::Router;
use crate::s2s::{Federation, FederationError, Parts};
use crate::store::Store;

/// The hooks of everything that registers some.
#[must_use]
pub fn hooks(config: &Arc<Config>) -> Hooks {
    extensions::hooks_with(config, &[contact_center::register])
}

/// What the rooms are built from.
#[derive(Clone, Copy)]
pub(super) struct House<'a> {
    pub(super) config: &'a Arc<Config>,
    pub(super) store: &'a Store,
    pub(super) clock: &'a Clock,
    pub(super) certificates: &'a Arc<CertificateStore>,
    pub(super) tasks: &'a TaskTracker,
    pub(super) stop: &'a CancellationToken,
}

impl House<'_> {
    /// The router, and the way to other servers where it is switched on.
    pub(super) fn build(
        self,
        components: &Arc<Components>,
        dialback_secret: [u8; 32],
    ) -> Result<(Arc<Router>, Option<Arc<Federation>>), FederationError> {
        let config = self.config;
        let hooks = Arc::new(hooks(config));
        let hosts = config.hosts.iter().map(|host| host.domain.to_jid());
        let peers = Arc::<Peers>::default();
        let mut federation = Ok(None);
        let router = Router::new(|router| {
            let parts = config.s2s.enabled.then(|| Parts {
                config: Arc::clone(config),
                clock: self.clock.clone(),
                hooks: Arc::clone(&hooks),
                router: Weak::clone(&router),
                peers: Arc::clone(&peers),
                certificates: Arc::clone(self.certificates),
                secret: dialback_secret.to_vec(),
                leaving: self.stop.clone(),
            });
            federation = parts.map(Federation::new).transpose();
            let made = federation.as_ref().ok().and_then(Option::as_ref);
            // Domains that the operator has given to components first.
            let mut gateways: Vec<Arc<dyn Gateway>> = vec![Arc::<Components>::clone(components)];
            gateways.extend(made.map(|it| Arc::clone(it) as Arc<dyn Gateway>));
            Services {
                gateways,
                peers,
                requests: Requests::default(),
                store: self.store.clone(),
                clock: self.clock.clone(),
                config: Arc::clone(config),
                hosts: hosts.collect::<Vec<BareJid>>(),
                hooks,
                router,
            }
        });
        Ok((router, federation?))
    }
}
