//! The table of hooks: filled once at start-up, read without locks afterwards.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::hooks::disco::{Ask, Disco, Identity, Info, Item};
use crate::hooks::iq::{At, Iq, IqAnswer, StreamIq};
use crate::hooks::mailbox::Mail;
use crate::hooks::online::Session;
use crate::hooks::passage::{Flow, Passage, Stage, Undelivered};
use crate::hooks::points::Points;
use crate::hooks::service::Service;
use crate::hooks::services::Services;
use crate::hooks::slots::Slots;
use crate::proto::common::forms::Form;
use crate::proto::document::Document;
use crate::proto::{BareJid, IqType, Stanza, StanzaError};
use crate::xml::Element;

pub(super) type StanzaHook = Box<dyn Fn(&mut Passage<'_>) -> Flow + Send + Sync>;
type IqHandler = Box<dyn Fn(Iq) -> BoxFuture<'static, IqAnswer> + Send + Sync>;
type StreamIqHandler = Box<dyn Fn(StreamIq) -> BoxFuture<'static, IqAnswer> + Send + Sync>;
type SessionHook = Box<dyn Fn(Arc<Session>, Arc<Services>) -> BoxFuture<'static, ()> + Send + Sync>;
type BacklogHook =
    Box<dyn Fn(Arc<Session>, Arc<Services>) -> BoxFuture<'static, Vec<Stanza>> + Send + Sync>;
type UndeliveredHook = Box<dyn Fn(Undelivered) -> BoxFuture<'static, bool> + Send + Sync>;
type WaitingHook =
    Box<dyn Fn(Arc<Session>, Mail, Arc<Services>) -> BoxFuture<'static, ()> + Send + Sync>;
type BindInline = Box<dyn Fn(&Arc<Session>, &Element) -> Option<Element> + Send + Sync>;
type StreamFeature = Box<dyn Fn(&BareJid) -> Option<Element> + Send + Sync>;
type DailyHook = Box<dyn Fn(Arc<Services>) -> BoxFuture<'static, ()> + Send + Sync>;
type CompleteHook = Box<dyn FnOnce(&Hooks) + Send + Sync>;

/// When a stream feature is offered (RFC 6120 §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamPhase {
    /// Before authentication, beside the SASL mechanisms.
    Negotiation,
    /// After authentication, beside resource binding.
    Authenticated,
}

/// All hooks of all extensions.
#[derive(Default)]
pub struct Hooks {
    outgoing_message: Vec<(Stage, StanzaHook)>,
    outgoing_presence: Vec<(Stage, StanzaHook)>,
    incoming_message: Vec<(Stage, StanzaHook)>,
    incoming_presence: Vec<(Stage, StanzaHook)>,
    /// By namespace.
    iq: HashMap<&'static str, Vec<IqEntry>>,
    stream_iq: HashMap<&'static str, Vec<(&'static str, StreamIqHandler)>>,
    backlog: Vec<BacklogHook>,
    closed: Vec<SessionHook>,
    undelivered: Vec<UndeliveredHook>,
    waiting: Vec<WaitingHook>,
    bind_inline: Vec<(&'static str, &'static str, BindInline)>,
    services: Vec<(BareJid, Arc<dyn Service>)>,
    stream_features: Vec<(StreamPhase, StreamFeature)>,
    disco: Disco,
    documents: Vec<Document>,
    complete: Vec<CompleteHook>,
    daily: Vec<DailyHook>,
    pub(super) points: Points,
    offers: Slots,
}

struct IqEntry {
    name: &'static str,
    at: &'static [At],
    kind: IqType,
    handler: IqHandler,
}

/// What extensions call while they register.
impl Hooks {
    /// Declares what the extension implements.
    pub fn document(&mut self, document: Document) {
        self.documents.push(document);
    }

    /// Announces a feature in service discovery at those addresses.
    pub fn feature(&mut self, at: &[At], feature: &'static str) {
        for place in at {
            self.disco.feature(*place, feature);
        }
    }

    /// Announces an identity in service discovery.
    pub fn identity(&mut self, at: At, identity: Identity) {
        self.disco.identity(at, identity);
    }

    /// Adds a form to what service discovery tells of an address (XEP-0128); the function
    /// is given the address.
    pub fn disco_form(
        &mut self,
        at: At,
        form: impl Fn(&BareJid) -> Option<Form> + Send + Sync + 'static,
    ) {
        self.disco.form(at, Box::new(form));
    }

    /// Answers disco#info on nodes of those addresses; `None` for a node of somebody else. At
    /// [`At::Account`] the asker is known to see the account's presence.
    pub fn disco_node<F>(
        &mut self,
        at: &'static [At],
        provider: impl Fn(Ask) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<Option<Info>, StanzaError>> + Send + 'static,
    {
        self.disco
            .node(at, Box::new(move |ask| Box::pin(provider(ask))));
    }

    /// Answers disco#items on those addresses and on nodes of them; `None` for a node of somebody
    /// else. At [`At::Account`] the asker is known to see the account's presence.
    pub fn disco_items<F>(
        &mut self,
        at: &'static [At],
        provider: impl Fn(Ask) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<Option<Vec<Item>>, StanzaError>> + Send + 'static,
    {
        self.disco
            .items(at, Box::new(move |ask| Box::pin(provider(ask))));
    }

    /// Runs once, when all extensions have registered: for what depends on the others.
    pub fn complete(&mut self, hook: impl FnOnce(&Self) + Send + Sync + 'static) {
        self.complete.push(Box::new(hook));
    }

    /// Runs when the server has started, and once a day from then on: for what grows old.
    pub fn daily<F>(&mut self, hook: impl Fn(Arc<Services>) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.daily
            .push(Box::new(move |services| Box::pin(hook(services))));
    }

    /// Sees every message that a session of this server sends.
    pub fn outgoing_message(
        &mut self,
        stage: Stage,
        hook: impl Fn(&mut Passage<'_>) -> Flow + Send + Sync + 'static,
    ) {
        insert(&mut self.outgoing_message, stage, Box::new(hook));
    }

    /// Sees every presence that a session of this server sends, also without `to`.
    pub fn outgoing_presence(
        &mut self,
        stage: Stage,
        hook: impl Fn(&mut Passage<'_>) -> Flow + Send + Sync + 'static,
    ) {
        insert(&mut self.outgoing_presence, stage, Box::new(hook));
    }

    /// Sees every message for an account of this server, once, online or not.
    pub fn incoming_message(
        &mut self,
        stage: Stage,
        hook: impl Fn(&mut Passage<'_>) -> Flow + Send + Sync + 'static,
    ) {
        insert(&mut self.incoming_message, stage, Box::new(hook));
    }

    /// Sees every presence for an account of this server, once, online or not. It may stop one, but changes none: what
    /// many are told is one stanza.
    pub fn incoming_presence(
        &mut self,
        stage: Stage,
        hook: impl Fn(&mut Passage<'_>) -> Flow + Send + Sync + 'static,
    ) {
        insert(&mut self.incoming_presence, stage, Box::new(hook));
    }

    /// Answers `<iq type='get'>` with the child `{ns}name` at those addresses.
    pub fn iq_get<F>(
        &mut self,
        at: &'static [At],
        ns: &'static str,
        name: &'static str,
        handler: impl Fn(Iq) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = IqAnswer> + Send + 'static,
    {
        self.iq(
            at,
            IqType::Get,
            (ns, name),
            Box::new(move |iq| Box::pin(handler(iq))),
        );
    }

    /// Answers `<iq type='set'>` with the child `{ns}name` at those addresses.
    pub fn iq_set<F>(
        &mut self,
        at: &'static [At],
        ns: &'static str,
        name: &'static str,
        handler: impl Fn(Iq) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = IqAnswer> + Send + 'static,
    {
        self.iq(
            at,
            IqType::Set,
            (ns, name),
            Box::new(move |iq| Box::pin(handler(iq))),
        );
    }

    fn iq(
        &mut self,
        at: &'static [At],
        kind: IqType,
        (ns, name): (&'static str, &'static str),
        handler: IqHandler,
    ) {
        let entry = IqEntry {
            name,
            at,
            kind,
            handler,
        };
        self.iq.entry(ns).or_default().push(entry);
    }

    /// Answers requests with the child `{ns}name` on streams that are not authenticated.
    pub fn stream_iq<F>(
        &mut self,
        ns: &'static str,
        name: &'static str,
        handler: impl Fn(StreamIq) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = IqAnswer> + Send + 'static,
    {
        let handler: StreamIqHandler = Box::new(move |iq| Box::pin(handler(iq)));
        self.stream_iq.entry(ns).or_default().push((name, handler));
    }

    /// Gives a session what was kept for its account while nobody could take it, page by
    /// page: asked again, after a page was written out, until it has nothing more. Asked when
    /// a session sent its initial presence with a priority that is not negative, or raised
    /// it from negative.
    pub fn backlog<F>(
        &mut self,
        hook: impl Fn(Arc<Session>, Arc<Services>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Vec<Stanza>> + Send + 'static,
    {
        self.backlog.push(Box::new(move |session, services| {
            Box::pin(hook(session, services))
        }));
    }

    /// Runs after a session ended and was taken off the account's list.
    pub fn closed<F>(
        &mut self,
        hook: impl Fn(Arc<Session>, Arc<Services>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.closed.push(Box::new(move |session, services| {
            Box::pin(hook(session, services))
        }));
    }

    /// Is offered each message that no session could take; answers whether it has seen to it.
    /// When the future answers `true` the message is durable, or one that nobody misses.
    pub fn undelivered<F>(&mut self, hook: impl Fn(Undelivered) -> F + Send + Sync + 'static)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        self.undelivered
            .push(Box::new(move |it| Box::pin(hook(it))));
    }

    /// Is told of each message that waits in a session whose client is not connected and may
    /// come back (XEP-0198 §5): the message is in the session's queue and may stay there for minutes.
    pub fn waiting<F>(
        &mut self,
        hook: impl Fn(Arc<Session>, Mail, Arc<Services>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        self.waiting.push(Box::new(move |session, mail, services| {
            Box::pin(hook(session, mail, services))
        }));
    }

    /// Does what a client asks for with the child `{ns}name` while it binds its resource
    /// (XEP-0386 §3.2), before the session is told to others; the answer goes into `<bound/>`.
    pub fn bind_inline(
        &mut self,
        ns: &'static str,
        name: &'static str,
        hook: impl Fn(&Arc<Session>, &Element) -> Option<Element> + Send + Sync + 'static,
    ) {
        self.bind_inline.push((ns, name, Box::new(hook)));
    }

    /// Puts a service at a domain of its own. The domain belongs to one service.
    pub fn service(&mut self, domain: BareJid, service: Arc<dyn Service>) {
        self.services.push((domain, service));
    }

    /// Adds a stream feature; the function is asked once per stream, with the host.
    pub fn stream_feature(
        &mut self,
        phase: StreamPhase,
        feature: impl Fn(&BareJid) -> Option<Element> + Send + Sync + 'static,
    ) {
        self.stream_features.push((phase, Box::new(feature)));
    }
}

/// What the router, the sessions and service discovery read.
impl Hooks {
    /// What parts of the server offer to others, by type: extensions put it in while they register, the
    /// server itself when it has been built.
    #[must_use]
    pub const fn offers(&self) -> &Slots {
        &self.offers
    }

    /// All hooks, or those behind a stage.
    pub(crate) fn run_outgoing_message(&self, p: &mut Passage<'_>, behind: Option<Stage>) -> Flow {
        let hooks = &self.outgoing_message;
        let first = hooks.partition_point(|(stage, _)| Some(*stage) <= behind);
        run(hooks.get(first..).unwrap_or_default(), p)
    }

    pub(crate) fn run_outgoing_presence(&self, passage: &mut Passage<'_>) -> Flow {
        run(&self.outgoing_presence, passage)
    }

    pub(crate) fn run_incoming_message(&self, passage: &mut Passage<'_>) -> Flow {
        run(&self.incoming_message, passage)
    }

    pub(crate) fn run_incoming_presence(&self, passage: &mut Passage<'_>) -> Flow {
        run(&self.incoming_presence, passage)
    }

    /// The answer to a request; `None` when no extension understands it there.
    pub(crate) fn answer(&self, iq: Iq) -> Option<BoxFuture<'static, IqAnswer>> {
        let entry = self.iq.get(iq.payload.ns())?.iter().find(|entry| {
            entry.name == iq.payload.name() && entry.kind == iq.kind && entry.at.contains(&iq.at)
        })?;
        Some((entry.handler)(iq))
    }

    /// The answer to a request on an unauthenticated stream.
    pub(crate) fn answer_stream(&self, iq: StreamIq) -> Option<BoxFuture<'static, IqAnswer>> {
        let mut handlers = self.stream_iq.get(iq.payload.ns())?.iter();
        let (_, handler) = handlers.find(|(name, _)| *name == iq.payload.name())?;
        Some(handler(iq))
    }

    /// The next page of what was kept for the session's account; empty when there is no more.
    pub(crate) async fn next_backlog(
        &self,
        session: &Arc<Session>,
        services: &Arc<Services>,
    ) -> Vec<Stanza> {
        for hook in &self.backlog {
            let page = hook(Arc::clone(session), Arc::clone(services)).await;
            if !page.is_empty() {
                return page;
            }
        }
        Vec::new()
    }

    pub(crate) async fn run_closed(&self, session: &Arc<Session>, services: &Arc<Services>) {
        for hook in &self.closed {
            hook(Arc::clone(session), Arc::clone(services)).await;
        }
    }

    /// Whether some extension keeps the message.
    pub(crate) async fn run_undelivered(&self, undelivered: &Undelivered) -> bool {
        for hook in &self.undelivered {
            if hook(undelivered.clone()).await {
                return true;
            }
        }
        false
    }

    /// Tells that a message waits for a client that is not connected.
    pub(crate) async fn run_waiting(
        &self,
        session: &Arc<Session>,
        mail: &Mail,
        services: &Arc<Services>,
    ) {
        for hook in &self.waiting {
            hook(Arc::clone(session), Arc::clone(mail), Arc::clone(services)).await;
        }
    }

    /// The answers to what a client asks for while it binds; what nobody knows is passed over
    /// (XEP-0386 §3.2).
    pub(crate) fn run_bind_inline(&self, session: &Arc<Session>, asked: &Element) -> Vec<Element> {
        let mut answers = Vec::new();
        for child in asked.children() {
            let mut known = self.bind_inline.iter();
            let found = known.find(|(ns, name, _)| child.ns() == *ns && child.name() == *name);
            answers.extend(found.and_then(|(_, _, hook)| hook(session, child)));
        }
        answers
    }

    /// The namespaces that a client may ask for while it binds.
    pub(crate) fn bind_inline_features(&self) -> Vec<&'static str> {
        let mut features: Vec<_> = self.bind_inline.iter().map(|(ns, ..)| *ns).collect();
        features.sort_unstable();
        features.dedup();
        features
    }

    /// The service at that domain.
    #[must_use]
    pub fn find_service(&self, domain: &str) -> Option<&Arc<dyn Service>> {
        self.services
            .iter()
            .find_map(|(known, service)| (known.as_str() == domain).then_some(service))
    }

    /// Tells the extensions that all have registered.
    pub(crate) fn finish(mut self) -> Self {
        for hook in std::mem::take(&mut self.complete) {
            hook(&self);
        }
        self
    }

    /// Does what is due once a day. The server calls it at its start too.
    pub async fn run_daily(&self, services: &Arc<Services>) {
        for hook in &self.daily {
            hook(Arc::clone(services)).await;
        }
    }

    /// The stream features that extensions offer on that host in that phase.
    #[must_use]
    pub fn stream_features(&self, phase: StreamPhase, host: &BareJid) -> Vec<Element> {
        let here = self
            .stream_features
            .iter()
            .filter(|(when, _)| *when == phase);
        here.filter_map(|(_, feature)| feature(host)).collect()
    }

    /// Features and identities for service discovery.
    #[must_use]
    pub const fn disco(&self) -> &Disco {
        &self.disco
    }

    /// What the extensions implement, by number.
    #[must_use]
    pub fn documents(&self) -> Vec<Document> {
        let mut documents = self.documents.clone();
        documents.sort_unstable();
        documents
    }
}

pub(super) fn insert(hooks: &mut Vec<(Stage, StanzaHook)>, stage: Stage, hook: StanzaHook) {
    let place = hooks.partition_point(|(known, _)| *known <= stage);
    hooks.insert(place, (stage, hook));
}

pub(super) fn run(hooks: &[(Stage, StanzaHook)], passage: &mut Passage<'_>) -> Flow {
    for (_, hook) in hooks {
        match hook(passage) {
            Flow::Continue => {}
            decided @ (Flow::Stop | Flow::Refuse(_)) => return decided,
        }
    }
    Flow::Continue
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("documents", &self.documents.len())
            .finish_non_exhaustive()
    }
}
