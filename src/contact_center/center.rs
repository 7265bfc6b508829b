//! The contact center of all hosts: where its services are, what is set for each host, and the work that goes
//! on in the background.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::activities::{self, Feed};
use super::im::Open;
use super::in_turn::Decisions;
use super::interactions;
use super::message_streams::{self, Files};
use super::outbox::Outbox;
use super::settings::Settings;
use super::timers::{self, Timers};
use super::{agents, customers, follow_ups};
use crate::config::Config;
use crate::domain::ids::AgentId;
use crate::hooks::{Services, Turns};
use crate::proto::BareJid;
use crate::store::StoreError;

/// The contact center of all hosts.
pub(super) struct Center {
    places: Vec<Arc<Place>>,
    pub(super) outbox: Outbox,
    pub(super) timers: Timers,
    /// For records that many change at the same moment, by their ids.
    pub(super) turns: Turns<String>,
    /// What connectors have said and is not done yet.
    pub(super) lanes: Arc<interactions::Lanes>,
    /// Connectors that are asked again what is so.
    pub(super) asking: interactions::Asking,
    /// For connectors whose streams break and come back.
    pub(super) connectors: Turns<BareJid>,
    /// For agents whom several interactions want at the same moment.
    pub(super) seats: Turns<AgentId>,
    /// For what several decisions at the same moment would change, after one another.
    pub(super) decisions: Decisions,
    /// The IM sessions that are open.
    pub(super) sessions: Open,
    /// The agents as they are now.
    pub(super) agents: agents::Board,
    /// What goes to those who follow the changes of activities.
    pub(super) feed: Feed,
    /// The files of message streams.
    pub(super) files: Files,
    /// Devices that are told of changes of message streams.
    pub(super) streams: message_streams::Live,
    /// Told when an administrator has set something for a host.
    pub(super) settings_changed: Arc<Notify>,
    stop: CancellationToken,
    work: TaskTracker,
}

/// The contact center of one host.
#[derive(Debug)]
pub(super) struct Place {
    /// The host whose accounts are its agents.
    pub(super) host: BareJid,
    /// Where the service is.
    pub(super) address: BareJid,
    /// What administrators have set.
    pub(super) settings: ArcSwap<Settings>,
    /// Held while they are read.
    pub(super) reading: tokio::sync::Mutex<()>,
    /// Told when they have been read anew.
    pub(super) settings_changed: Arc<Notify>,
}

impl Center {
    pub(super) fn new(config: &Config) -> Self {
        let settings_changed = Arc::<Notify>::default();
        let place = |host: &crate::config::Host| {
            let address = config.contact_center.service.under(host.domain.as_str())?;
            Some(Arc::new(Place {
                host: host.domain.to_jid(),
                address,
                settings: ArcSwap::default(),
                reading: tokio::sync::Mutex::default(),
                settings_changed: Arc::clone(&settings_changed),
            }))
        };
        let hosts = config.hosts.iter();
        let hosts = hosts.filter(|host| config.has_contact_center(host));
        Self {
            places: hosts.filter_map(place).collect(),
            outbox: Outbox::default(),
            timers: Timers::default(),
            turns: Turns::default(),
            lanes: Arc::default(),
            asking: interactions::Asking::default(),
            connectors: Turns::default(),
            seats: Turns::default(),
            decisions: Decisions::default(),
            sessions: Open::default(),
            agents: agents::Board::default(),
            feed: Feed::default(),
            files: Files::default(),
            streams: message_streams::Live::default(),
            settings_changed: Arc::clone(&settings_changed),
            stop: CancellationToken::new(),
            work: TaskTracker::new(),
        }
    }

    pub(super) fn places(&self) -> &[Arc<Place>] {
        &self.places
    }

    /// The contact center of that host.
    pub(super) fn place_of(&self, host: &str) -> Option<&Arc<Place>> {
        self.places.iter().find(|place| place.host.as_str() == host)
    }

    /// Before anybody can connect: what is in memory is read, then what was not sent before the last end is
    /// sent, and what has become due meanwhile is done.
    pub(super) async fn start(self: Arc<Self>, services: Arc<Services>) -> Result<(), StoreError> {
        for place in &self.places {
            place.read_settings(&services.store).await?;
        }
        agents::start(&self, &services).await?;
        Box::pin(super::outbox::send_left(&self, &services)).await?;
        Box::pin(interactions::start(&self, &services)).await?;
        Box::pin(customers::start(&self, &services)).await?;
        Box::pin(follow_ups::start(&self, &services)).await?;
        let live =
            agents::tell_watchers(Arc::clone(&self), Arc::clone(&services), self.stop.clone());
        let follow =
            agents::follow_settings(Arc::clone(&self), Arc::clone(&services), self.stop.clone());
        let again = agents::look_again(Arc::clone(&self), Arc::clone(&services), self.stop.clone());
        let streams = message_streams::tell_watchers(
            Arc::clone(&self),
            Arc::clone(&services),
            self.stop.clone(),
        );
        let pass =
            message_streams::pass_on(Arc::clone(&self), Arc::clone(&services), self.stop.clone());
        let feed = activities::feed(Arc::clone(&self), Arc::clone(&services), self.stop.clone());
        let asking =
            interactions::ask_again(Arc::clone(&self), Arc::clone(&services), self.stop.clone());
        let run = timers::run(Arc::clone(&self), Arc::clone(&services), self.stop.clone());
        let sweep = super::outbox::run(Arc::clone(&self), services, self.stop.clone());
        self.work.spawn(feed);
        self.work.spawn(asking);
        self.work.spawn(run);
        self.work.spawn(sweep);
        self.work.spawn(live);
        self.work.spawn(streams);
        self.work.spawn(pass);
        self.work.spawn(follow);
        self.work.spawn(again);
        Ok(())
    }

    /// What works in the background and ends before the server does.
    pub(super) const fn tasks(&self) -> &TaskTracker {
        &self.work
    }

    /// Whether the server stops: sessions end now without anybody having gone.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends what goes on in the background. What is not sent by then is sent at the next start.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.work.close();
        self.work.wait().await;
    }
}
