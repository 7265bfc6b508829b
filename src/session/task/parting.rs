//! What is still done when a session ends: the last presence goes out, and what nobody got is given back.

use super::Task;
use crate::proto::{IqType, Kind, MessageType, StreamCondition, StreamError};

impl Task {
    /// When the server stops, presence, answers and errors that wait go out before the stream error: they
    /// cannot be given back to anybody. Everything else is.
    pub(super) fn last_presence(&mut self, error: &StreamError) {
        if error.condition != StreamCondition::SystemShutdown {
            return;
        }
        for mail in self.session.mail_now() {
            if is_last_word(mail.kind) {
                self.out.mail(self.session.jid(), &mail);
            } else {
                self.in_flight.push_back(mail);
            }
        }
    }

    /// Once only, however the session ends.
    pub(super) async fn give_back(&mut self) {
        if std::mem::replace(&mut self.given_back, true) {
            return;
        }
        // What was being written may have arrived in part: better twice than never.
        let mut rest = std::mem::take(&mut self.in_flight);
        rest.extend(
            self.held
                .take()
                .into_iter()
                .flat_map(|mut held| held.release()),
        );
        let management = self.management.take();
        let (router, resumables) = (&self.router, &self.resumables);
        super::super::give_back(router, resumables, &self.session, management, rest).await;
    }
}

const fn is_last_word(kind: Kind) -> bool {
    match kind {
        Kind::Presence(_) => true,
        Kind::Message(kind) => matches!(kind, MessageType::Error),
        Kind::Iq(kind) => matches!(kind, IqType::Result | IqType::Error),
    }
}
