//! A router with a database of its own and clients without connections, for the tests of
//! extensions.
//!
//! Every hook runs in the sender's task, so when [`Client::send`] returns, all that follows
//! from the stanza has been done and lies where it belongs: no test needs to wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Conflict};
use crate::domain::rights::Role;
use crate::hooks::{
    Connection, Durable, Gateway, Hooks, Mail, MailboxLimits, Requests, Routing, Services, Session,
};
use crate::proto::{
    BareJid, Condition, FullJid, IqType, Kind, PresenceType, Stanza, StanzaError, ns, reading,
};
use crate::router::Router;
use crate::router::registry::Binding;
use crate::store::{Limits as StoreLimits, Location, Store};
use crate::xml::{Limits, Scope, parse};

/// The moment at which every test begins.
pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

/// A server for `localhost` without listeners.
pub(crate) struct House {
    pub(crate) router: Arc<Router>,
    /// What [`Services::clock`] shows.
    pub(crate) clock: Clock,
    /// The components that are configured, as the test plays them.
    pub(crate) outside: Arc<Outside>,
    register: Register,
    folder: tempfile::TempDir,
}

/// What makes all hooks.
type Register = fn(&mut Hooks, &Arc<Config>);

/// The components of the configuration: none is connected until the test says so.
#[derive(Default)]
pub(crate) struct Outside {
    domains: Vec<String>,
    sides: Mutex<BTreeMap<String, Vec<Mail>>>,
}

impl Outside {
    fn connect(&self, domain: &str) {
        let mut sides = self.sides.lock().unwrap();
        sides.entry(domain.to_owned()).or_default();
    }
}

impl Gateway for Outside {
    fn leads_to(&self, domain: &str) -> bool {
        self.domains.iter().any(|it| it == domain)
    }

    fn send(&self, stanza: Mail) -> Result<Option<Durable>, StanzaError> {
        let to = stanza.to.as_ref().unwrap().domain().to_owned();
        match self.sides.lock().unwrap().get_mut(&to) {
            Some(sent) => sent.push(stanza),
            None => return Err(Condition::RemoteServerTimeout.into()),
        }
        Ok(None)
    }

    fn is_there(&self, domain: &str) -> bool {
        self.sides.lock().unwrap().contains_key(domain)
    }
}

/// One session, and what it has been sent.
pub(crate) struct Client {
    pub(crate) session: Arc<Session>,
    /// How often it has been given what was kept for its account.
    pub(crate) backlogs: usize,
    router: Arc<Router>,
    replies: Vec<Stanza>,
}

impl House {
    /// A house with those accounts on `localhost` and every extension.
    pub(crate) async fn new(accounts: &[&str]) -> Self {
        Box::pin(Self::with(accounts, |hooks, config| {
            *hooks = super::hooks(config)
        }))
        .await
    }

    /// A house with those accounts on `localhost` and what `register` adds.
    pub(crate) fn with<'a>(accounts: &'a [&'a str], register: Register) -> BoxFuture<'a, Self> {
        Self::configured(accounts, Config::default(), register)
    }

    /// [`House::with`] another configuration.
    pub(crate) fn configured<'a>(
        accounts: &'a [&'a str],
        config: Config,
        register: Register,
    ) -> BoxFuture<'a, Self> {
        // On the heap, for its size: every test has one.
        Box::pin(Self::made(accounts, Arc::new(config), register))
    }

    async fn made(accounts: &[&str], config: Arc<Config>, register: Register) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = Self::standing(folder, Clock::manual(NOW), config, register).await;
        for account in accounts {
            let jid = BareJid::new(&format!("{account}@localhost")).unwrap();
            let accounts = house.router.services().store.accounts();
            let made: BoxFuture<'_, _> = Box::pin(accounts.create(&jid, Role::Member, &[], NOW));
            made.await.unwrap();
        }
        house
    }

    /// The server was killed and is there again with that configuration: its database is as it was, nothing else is left, and nobody is
    /// connected.
    pub(crate) async fn killed_for(self, config: Arc<Config>) -> Self {
        let Self {
            router,
            clock,
            register,
            folder,
            ..
        } = self;
        let services = router.services();
        // From now on nothing that still works in the background is written.
        services.store.close().await;
        services.hooks.run_stopping(services).await;
        Box::pin(Self::standing(folder, clock, config, register)).await
    }

    async fn standing(
        folder: tempfile::TempDir,
        clock: Clock,
        config: Arc<Config>,
        register: Register,
    ) -> Self {
        let file = Location::Sqlite(folder.path().join("parlour.db"));
        let store = Box::pin(Store::open(&file, &StoreLimits::default()))
            .await
            .unwrap();
        let mut hooks = Hooks::default();
        register(&mut hooks, &config);
        let domains = config.components.iter();
        let outside = Arc::new(Outside {
            domains: domains.map(|it| it.domain.to_string()).collect(),
            ..Outside::default()
        });
        let served = config.hosts.iter().map(|host| host.domain.to_jid());
        let served = served.collect();
        let router = Router::new(|router| Services {
            gateways: vec![Arc::clone(&outside) as Arc<dyn Gateway>],
            peers: Arc::default(),
            requests: Requests::default(),
            store,
            clock: clock.clone(),
            config,
            hosts: served,
            hooks: Arc::new(hooks),
            router,
        });
        Self {
            router,
            clock,
            outside,
            register,
            folder,
        }
    }

    /// Where its database is.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A component has connected.
    pub(crate) async fn component_comes(&self, domain: &str) {
        self.outside.connect(domain);
        self.tell_of_component(domain).await;
    }

    /// A component has gone.
    pub(crate) async fn component_goes(&self, domain: &str) {
        self.outside.sides.lock().unwrap().remove(domain);
        self.tell_of_component(domain).await;
    }

    /// Whether the component is connected.
    pub(crate) fn component_is_there(&self, domain: &str) -> bool {
        self.outside.is_there(domain)
    }

    async fn tell_of_component(&self, domain: &str) {
        let services = self.router.services();
        let domain = BareJid::new(domain).unwrap();
        services.hooks.run_component(&domain, services).await;
    }

    /// What a component has been sent since the last call, each as it goes over the wire.
    pub(crate) fn component_receives(&self, domain: &str) -> Vec<String> {
        let mut sides = self.outside.sides.lock().unwrap();
        let sent = sides.get_mut(domain).map(std::mem::take);
        let sent = sent.unwrap_or_default();
        sent.iter().map(|stanza| written(stanza)).collect()
    }

    /// Sends one stanza as a component, written as it writes it, with both addresses.
    pub(crate) async fn component_sends(&self, xml: &str) {
        let bytes = Bytes::copy_from_slice(xml.as_bytes());
        let parsed = parse(bytes, &Scope::with_default(ns::CLIENT), &Limits::default()).unwrap();
        let stanza = reading::stanza(parsed, ns::CLIENT).unwrap();
        let router: &dyn Routing = &*self.router;
        for write in router.arrive(stanza).await {
            write.await.unwrap();
        }
    }

    /// Binds `account/resource` of `localhost`.
    pub(crate) fn client(&self, name: &str) -> Client {
        let (account, resource) = name.split_once('/').unwrap();
        let jid: FullJid = format!("{account}@localhost/{resource}").parse().unwrap();
        let binding = Binding {
            account: jid.bare().clone(),
            resource: jid.resource().clone(),
            connection: Connection {
                peer: [127, 0, 0, 1].into(),
                transport: "tcp",
                since: self.clock.now(),
            },
            mailbox: MailboxLimits {
                stanzas_max: 256,
                bytes_max: 1 << 20,
            },
        };
        let session = self
            .router
            .registry()
            .bind(binding, Conflict::Replace, 20)
            .unwrap();
        Client {
            session,
            backlogs: 0,
            router: Arc::clone(&self.router),
            replies: Vec::new(),
        }
    }
}

impl Client {
    /// Sends one stanza, written as a client writes it.
    pub(crate) async fn send(&mut self, xml: &str) {
        let bytes = Bytes::copy_from_slice(xml.as_bytes());
        let parsed = parse(bytes, &Scope::with_default(ns::CLIENT), &Limits::default()).unwrap();
        let mut stanza = reading::stanza(parsed, ns::CLIENT).unwrap();
        stanza.from = Some(self.session.address());
        let replies = Box::pin(self.router.submit(&self.session, Arc::new(stanza))).await;
        let own = replies.stanzas.into_iter();
        let own = own.map(|it| Arc::unwrap_or_clone(it.of_reader(self.session.jid())));
        self.replies.extend(own);
        for write in replies.durable {
            write.await.unwrap();
        }
        if replies.became_available {
            self.backlogs += 1;
            let services = self.router.services();
            loop {
                let page = services.hooks.next_backlog(&self.session, services).await;
                if page.is_empty() {
                    break;
                }
                self.replies.extend(page);
            }
        }
    }

    /// What it has been sent since the last call: replies first, as its task writes them.
    pub(crate) fn received(&mut self) -> Vec<Stanza> {
        let mut received = std::mem::take(&mut self.replies);
        let mail = self.session.mail_now();
        let mail = mail.into_iter().map(|it| it.of_reader(self.session.jid()));
        received.extend(mail.map(Arc::unwrap_or_clone));
        received
    }

    /// [`Client::received`], each as it goes over the wire.
    pub(crate) fn received_xml(&mut self) -> Vec<String> {
        let received = self.received();
        received.iter().map(written).collect()
    }

    /// [`Client::received`], each in short: `subscribe romeo@localhost`, `error p1 …`; without the ids
    /// of archives, which nobody can foretell.
    pub(crate) fn heard(&mut self) -> Vec<String> {
        let mut received = self.received();
        for stanza in &mut received {
            stanza
                .payload
                .retain(|child| !child.is(Some(ns::STANZA_ID), "stanza-id"));
        }
        received.iter().map(in_short).collect()
    }

    /// The connection is gone.
    pub(crate) async fn disconnect(self) {
        self.router.registry().unbind(&self.session);
        self.session.close_mailbox();
        let services = self.router.services();
        services.hooks.run_closed(&self.session, services).await;
    }
}

/// The stanza as it goes over the wire.
pub(crate) fn written(stanza: &Stanza) -> String {
    let mut out = Vec::new();
    stanza.write(&mut out, None);
    String::from_utf8(out).unwrap()
}

/// A presence as its type, sender and content; a roster push as its item; an answer with its
/// id; an error with its id and condition.
fn in_short(stanza: &Stanza) -> String {
    let from = stanza
        .from
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let id = stanza.id.clone().unwrap_or_default();
    let content = String::from_utf8(stanza.payload.bytes().to_vec()).unwrap();
    let short = match stanza.kind {
        Kind::Presence(PresenceType::Error) | Kind::Iq(IqType::Error) => {
            format!("error {id} {}", condition(&content))
        }
        Kind::Presence(kind) => format!("{} {from} {content}", format!("{kind:?}").to_lowercase()),
        Kind::Iq(IqType::Set) if content.contains("jabber:iq:roster") => {
            let item = content.split_once("'><").unwrap().1;
            format!("push <{}", item.strip_suffix("</query>").unwrap())
        }
        Kind::Iq(IqType::Get | IqType::Set) => content,
        Kind::Iq(IqType::Result) => format!("result {id} {content}"),
        Kind::Message(_) => written(stanza),
    };
    short.trim_end().to_owned()
}

fn condition(error: &str) -> &'static str {
    let names = Condition::ALL.iter().map(|condition| condition.name());
    let mut found = names.filter(|name| error.contains(&format!("<{name} ")));
    found.next().unwrap()
}
