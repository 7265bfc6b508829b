//! XEP-0114: Jabber Component Protocol, version 1.6: programs of others that serve a domain.
//!
//! Each `[[component]]` of the configuration has a `Place`: what waits for it, and who is connected. The
//! queue outlives connections, so that a component that restarts misses nothing that came meanwhile, within
//! bounds of number, bytes and time. [`Components`] is the way there for the router; [`serve`] is the life of
//! one connection: `opening`, then `task`. Components that are connected to by the server
//! (`jabber:component:connect`) are not done: nobody asks for them.

mod delegation;
mod inbound;
mod opening;
mod place;
mod privilege;
mod task;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error, info_span};

use crate::config::Config;
use crate::hooks::{At, Durable, Gateway, Info, Mail, Services};
use crate::net::address_limits::{AddressLimits, NegotiationPlace};
use crate::proto::{BareJid, Condition, Stanza, StanzaError};
use place::Place;

/// The components that the configuration lists.
#[derive(Debug)]
pub struct Components {
    places: Vec<Arc<Place>>,
    /// The hosts of this server.
    hosts: Vec<BareJid>,
}

/// What the connections of components need besides.
#[derive(Clone)]
pub struct Setup {
    /// Which components there are.
    pub components: Arc<Components>,
    /// What is routed through, and known of hosts.
    pub services: Arc<Services>,
    /// Limits by the peer's address.
    pub addresses: Arc<AddressLimits>,
    /// Ends every connection.
    pub stop: CancellationToken,
}

impl Components {
    /// Those that the configuration lists; none is connected yet.
    #[must_use]
    pub fn new(config: &Config) -> Arc<Self> {
        let places = config.components.iter().map(Place::new);
        Arc::new(Self {
            places: places.map(Arc::new).collect(),
            hosts: config.hosts.iter().map(|it| it.domain.to_jid()).collect(),
        })
    }

    /// Makes components known to operators, and has what waits for one that stays away given back in time,
    /// until `stop`.
    pub fn watch(&self, services: &Arc<Services>, tasks: &TaskTracker, stop: &CancellationToken) {
        for place in &self.places {
            place.publish(services);
            let (place, services) = (Arc::clone(place), Arc::clone(services));
            let stop = stop.clone();
            if !place.config().delegations.is_empty() {
                let (place, services) = (Arc::clone(&place), Arc::clone(&services));
                let stop = stop.clone();
                tasks.spawn(async move { delegation::watch(&place, &services, &stop).await });
            }
            tasks.spawn(async move { place.watch(&services, &stop).await });
        }
    }

    /// Gives back to the senders what waits, when the server stops; the connections have been told to end.
    pub async fn end(&self, services: &Services) {
        let places = self.places.iter().map(|place| place.end(services));
        futures_util::future::join_all(places).await;
    }

    fn place(&self, domain: &str) -> Option<&Arc<Place>> {
        let mut places = self.places.iter();
        places.find(|place| place.domain().as_str() == domain)
    }
}

impl Gateway for Components {
    fn leads_to(&self, domain: &str) -> bool {
        self.place(domain).is_some()
    }

    fn send(&self, stanza: Mail) -> Result<Option<Durable>, StanzaError> {
        let to = stanza.to.as_ref();
        match to.and_then(|to| self.place(to.domain())) {
            Some(place) => place.send(stanza),
            None => Err(Condition::RemoteServerNotFound.into()),
        }
    }

    fn is_there(&self, domain: &str) -> bool {
        self.place(domain).is_some_and(|place| place.is_taken())
    }

    fn delegate(&self, request: &Stanza, asked: &BareJid) -> Option<Result<(), StanzaError>> {
        let mut places = self.places.iter();
        places.find_map(|place| delegation::delegate(place, &self.hosts, request, asked))
    }

    fn nest(&self, at: At, address: &BareJid, info: &mut Info) {
        let mut hosts = self.hosts.iter();
        let Some(host) = hosts.find(|host| host.as_str() == address.domain().as_str()) else {
            return;
        };
        for place in &self.places {
            if !place.config().delegations.is_empty() {
                place.nested().nest(place.config(), host, at, info);
            }
        }
    }
}

/// Serves one connection to its end. A panic ends it and no other; what it held is given back.
pub async fn serve(setup: Setup, socket: TcpStream, peer: IpAddr, place: NegotiationPlace) {
    let span = info_span!("component", %peer, domain = tracing::field::Empty);
    let work = async move {
        let Some(task) = Box::pin(opening::open(&setup, socket, peer)).await else {
            return;
        };
        drop(place);
        let domain = task.domain();
        let run = AssertUnwindSafe(Box::pin(task.run()));
        if run.catch_unwind().await.is_err() {
            error!("the task of a component panicked");
        }
        // When the server stops, nobody has gone.
        if !setup.stop.is_cancelled() {
            let services = &setup.services;
            services.hooks.run_component(&domain, services).await;
        }
    };
    work.instrument(span).await;
}
