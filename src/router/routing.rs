//! The router as extensions see it: what the server itself sends, and what comes from outside.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Replies, Router};
use crate::hooks::{Account, Durable, Routing, Sent, Tidings, counter};
use crate::observe::metrics::counted;
use crate::proto::{BareJid, Kind, Stanza};

impl From<Replies> for Sent {
    fn from(replies: Replies) -> Self {
        Self {
            durable: replies.durable,
            failed: replies.failed,
        }
    }
}

impl Routing for Router {
    fn route(&self, stanza: Stanza) -> BoxFuture<'_, ()> {
        Box::pin(async move { drop(self.send(stanza).await) })
    }

    fn tell(&self, tidings: Tidings) -> Option<BoxFuture<'_, ()>> {
        let held = self.tell(tidings);
        (!held.is_empty()).then(|| -> BoxFuture<'_, ()> {
            Box::pin(async move { self.tell_held(held, &mut Replies::default()).await })
        })
    }

    fn send(&self, stanza: Stanza) -> BoxFuture<'_, Sent> {
        Box::pin(async move {
            let mut replies = Replies::default();
            self.dispatch(Arc::new(stanza), &mut replies).await;
            replies.into()
        })
    }

    fn arrive(&self, mut stanza: Stanza) -> BoxFuture<'_, Vec<Durable>> {
        counter(&counted().from_outside, stanza.kind).increment(1);
        if matches!(stanza.kind, Kind::Message(_)) {
            stanza.received_at = Some(self.services.clock.now());
        }
        Box::pin(async move {
            let mut replies = Replies::default();
            self.dispatch(Arc::new(stanza), &mut replies).await;
            replies.durable
        })
    }

    fn speak(&self, mut stanza: Stanza) -> BoxFuture<'_, Sent> {
        let now = || self.services.clock.now();
        stanza.received_at = Some(stanza.received_at.unwrap_or_else(now));
        Box::pin(async move {
            let mut replies = Replies::default();
            self.say(Arc::new(stanza), &mut replies).await;
            replies.into()
        })
    }

    fn online(&self, account: &BareJid) -> Option<Arc<Account>> {
        self.registry.find(account)
    }

    fn all_online(&self) -> Vec<Arc<Account>> {
        self.registry.all()
    }
}
