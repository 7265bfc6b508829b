//! Points around requests and around what is kept: who may ask whom, and which messages wait in the store.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::hooks::passage::{Flow, Passage, Stage, Undelivered};
use crate::hooks::services::Services;
use crate::hooks::table::{Hooks, StanzaHook, insert, run};
use crate::proto::BareJid;
use crate::store::StoreError;

type KeptHook = Box<dyn Fn(Undelivered) -> BoxFuture<'static, ()> + Send + Sync>;
type RemovedHook = Box<dyn Fn(BareJid, Arc<Services>) -> BoxFuture<'static, ()> + Send + Sync>;
type ChangedHook =
    Box<dyn Fn(BareJid, Arc<Services>) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync>;
type StartingHook =
    Box<dyn Fn(Arc<Services>) -> BoxFuture<'static, Result<(), StoreError>> + Send + Sync>;
type ComponentHook = Box<dyn Fn(BareJid, Arc<Services>) -> BoxFuture<'static, ()> + Send + Sync>;
type StoppingHook = Box<dyn Fn(Arc<Services>) -> BoxFuture<'static, ()> + Send + Sync>;

/// The hooks at these points.
#[derive(Default)]
pub(super) struct Points {
    outgoing_iq: Vec<(Stage, StanzaHook)>,
    incoming_iq: Vec<(Stage, StanzaHook)>,
    kept: Vec<KeptHook>,
    removed: Vec<RemovedHook>,
    account_changed: Vec<ChangedHook>,
    starting: Vec<StartingHook>,
    stopping: Vec<StoppingHook>,
    component: Vec<ComponentHook>,
}

impl Hooks {
    /// Sees every request and answer that a session of this server sends, wherever it goes.
    pub fn outgoing_iq(
        &mut self,
        stage: Stage,
        hook: impl Fn(&mut Passage<'_>) -> Flow + Send + Sync + 'static,
    ) {
        insert(&mut self.points.outgoing_iq, stage, Box::new(hook));
    }

    /// Sees every request and answer for an account of this server or one of its sessions, before
    /// it is answered or delivered. Requests without `to` are the sender's own affair and not seen.
    pub fn incoming_iq(
        &mut self,
        stage: Stage,
        hook: impl Fn(&mut Passage<'_>) -> Flow + Send + Sync + 'static,
    ) {
        insert(&mut self.points.incoming_iq, stage, Box::new(hook));
    }

    /// Is told of each message that no session could take and that an extension keeps
    /// ([`Hooks::undelivered`]).
    pub fn kept<F>(&mut self, hook: impl Fn(Undelivered) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let hook: KeptHook = Box::new(move |it| Box::pin(hook(it)));
        self.points.kept.push(hook);
    }

    /// Is told of each account that is removed, when the database has nothing more of it: what is kept
    /// of it in memory has to go, too.
    pub fn removed<F>(&mut self, hook: impl Fn(BareJid, Arc<Services>) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let hook: RemovedHook = Box::new(move |jid, services| Box::pin(hook(jid, services)));
        self.points.removed.push(hook);
    }

    /// Is told of each account that has another role than before, or was disabled: it is followed before whoever has changed that
    /// goes on.
    pub fn account_changed<F>(
        &mut self,
        hook: impl Fn(BareJid, Arc<Services>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let hook: ChangedHook = Box::new(move |jid, services| Box::pin(hook(jid, services)));
        self.points.account_changed.push(hook);
    }

    /// Runs once before anybody can connect: what has to be known by then is read here. An error keeps the
    /// server from starting.
    pub fn starting<F>(&mut self, hook: impl Fn(Arc<Services>) -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let hook: StartingHook = Box::new(move |services| Box::pin(hook(services)));
        self.points.starting.push(hook);
    }

    /// Runs once when the server stops, while all sessions are still there. Presence that is put into
    /// their mailboxes now is the last that they are sent.
    pub fn stopping<F>(&mut self, hook: impl Fn(Arc<Services>) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let hook: StoppingHook = Box::new(move |services| Box::pin(hook(services)));
        self.points.stopping.push(hook);
    }

    /// Is told of each component (XEP-0114) that has connected, or has gone, by its domain. Which of both holds now is
    /// known by [`Gateway::is_there`]: who connects anew may be there before it is told that the last connection
    /// has gone.
    ///
    /// [`Gateway::is_there`]: super::Gateway::is_there
    pub fn component<F>(
        &mut self,
        hook: impl Fn(BareJid, Arc<Services>) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let hook: ComponentHook =
            Box::new(move |domain, services| Box::pin(hook(domain, services)));
        self.points.component.push(hook);
    }

    pub(crate) async fn run_component(&self, domain: &BareJid, services: &Arc<Services>) {
        for hook in &self.points.component {
            hook(domain.clone(), Arc::clone(services)).await;
        }
    }

    pub(crate) async fn run_removed(&self, account: &BareJid, services: &Arc<Services>) {
        for hook in &self.points.removed {
            hook(account.clone(), Arc::clone(services)).await;
        }
    }

    pub(crate) async fn run_account_changed(
        &self,
        account: &BareJid,
        services: &Arc<Services>,
    ) -> Result<(), StoreError> {
        for hook in &self.points.account_changed {
            hook(account.clone(), Arc::clone(services)).await?;
        }
        Ok(())
    }

    pub(crate) async fn run_starting(&self, services: &Arc<Services>) -> Result<(), StoreError> {
        for hook in &self.points.starting {
            hook(Arc::clone(services)).await?;
        }
        Ok(())
    }

    pub(crate) async fn run_stopping(&self, services: &Arc<Services>) {
        for hook in &self.points.stopping {
            hook(Arc::clone(services)).await;
        }
    }

    pub(crate) fn run_outgoing_iq(&self, passage: &mut Passage<'_>) -> Flow {
        run(&self.points.outgoing_iq, passage)
    }

    pub(crate) fn run_incoming_iq(&self, passage: &mut Passage<'_>) -> Flow {
        run(&self.points.incoming_iq, passage)
    }

    pub(crate) async fn run_kept(&self, kept: &Undelivered) {
        for hook in &self.points.kept {
            hook(kept.clone()).await;
        }
    }
}
