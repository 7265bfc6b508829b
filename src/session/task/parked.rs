//! A session without a connection waits for its client to come back (XEP-0198 §5).

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::{info, warn};

use super::{End, Task};
use crate::hooks::{Mail, Told};
use crate::proto::{Kind, StreamCondition};
use crate::session::resumables::Handover;

impl Task {
    /// The connection is gone. The session waits where its client may come back, and is given back
    /// when it did not.
    pub(super) async fn lost(&mut self) {
        let resumable = self
            .management
            .as_ref()
            .is_some_and(|management| management.id().is_some());
        if resumable && !self.given_back {
            self.park().await;
        }
        self.give_back().await;
    }

    /// Returns when the session is over, or another task's.
    async fn park(&mut self) {
        let Some(management) = &mut self.management else {
            return;
        };
        info!("connection lost, session waits");
        self.session.set_connected(false);
        let in_flight = std::mem::take(&mut self.in_flight);
        let held = self.held.take();
        let held = held.into_iter().flat_map(|mut held| held.release());
        let mut room = management.wait(in_flight.into_iter().chain(held));
        let mut untold: VecDeque<Mail> = management.left().filter(is_message).cloned().collect();
        let expiry = tokio::time::sleep(management.time());
        tokio::pin!(expiry);
        let session = Arc::clone(&self.session);
        let mut telling: Option<BoxFuture<'static, ()>> = None;
        while room {
            if telling.is_none() {
                telling = untold.pop_front().map(|mail| self.tell_waiting(mail));
            }
            tokio::select! {
                told = session.until_told() => match told {
                    Told::End(error) => {
                        info!(condition = error.condition.name(), "waiting session ends");
                        return;
                    }
                    Told::HandOver => match Box::pin(self.hand_over()).await {
                        Ok(()) | Err(End::Failed(_)) => return,
                        // Whoever wanted it is gone: others may come.
                        Err(End::Closed | End::Lost | End::TakenOver { .. }) => {}
                    },
                },
                () = &mut expiry => {
                    info!("nobody came back");
                    return;
                }
                mail = session.mail() => {
                    if session.take_backlog_offer() {
                        self.owe_backlog();
                    }
                    untold.extend(mail.iter().filter(is_message).cloned());
                    let management = self.management.as_mut();
                    room = management.is_some_and(|management| management.wait(mail));
                }
                () = finished(&mut telling) => telling = None,
            }
        }
        info!("too much waits for the client");
    }

    fn tell_waiting(&self, mail: Mail) -> BoxFuture<'static, ()> {
        let services = Arc::clone(self.router.services());
        let session = Arc::clone(&self.session);
        let mail = mail.of_reader(session.jid());
        Box::pin(async move {
            let hooks = &services.hooks;
            hooks.run_waiting(&session, &mail, &services).await;
        })
    }

    /// Hands the session over to whoever wants it; it is nothing of this task's then. An error
    /// tells how it goes on otherwise: lost where nobody wants it any more, failed where a stanza
    /// of the client's could not be handled.
    pub(super) async fn hand_over(&mut self) -> Result<(), End> {
        let Some(mut management) = self.management.take() else {
            self.session.take_hand_over();
            return Err(End::Lost);
        };
        if let Err(error) = management.settled_all().await {
            warn!(%error, "a stanza is not handled");
            self.management = Some(management);
            return Err(End::Failed(StreamCondition::InternalServerError.into()));
        }
        let id = management.id().map(Arc::clone);
        let Some(taker) = id.and_then(|id| self.resumables.wanted_by(&id)) else {
            self.management = Some(management);
            return Err(End::Lost);
        };
        let in_flight = std::mem::take(&mut self.in_flight);
        let held = self.held.take();
        let held = held.into_iter().flat_map(|mut held| held.release());
        management.wait(in_flight.into_iter().chain(held));
        let handover = Handover {
            session: Arc::clone(&self.session),
            management,
        };
        match taker.send(handover) {
            Ok(()) => {
                self.given_back = true;
                Ok(())
            }
            Err(handover) => {
                self.management = Some(handover.management);
                Err(End::Lost)
            }
        }
    }
}

fn is_message(mail: &&Mail) -> bool {
    matches!(mail.kind, Kind::Message(_))
}

async fn finished(work: &mut Option<BoxFuture<'static, ()>>) {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}
