//! What a session writes: its mail, and what it is answered, in as few pieces as may be.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;

use super::{End, Task, WRITE_BYTES};
use crate::hooks::{Mail, Told, waits_for_company};
use crate::session::management::Origin;
use crate::session::transport::Transport;
use crate::stream::management;

impl Task {
    /// Writes what waited in the mailbox, but for what an inactive client gets later.
    pub(super) async fn mail(
        &mut self,
        mail: VecDeque<Mail>,
        transport: &mut Transport,
    ) -> Result<(), End> {
        let mail = match &mut self.held {
            None => mail,
            Some(held) => held.sift(mail),
        };
        if self.in_flight.is_empty() {
            self.in_flight = mail;
        } else {
            self.in_flight.extend(mail);
        }
        if self.in_flight.is_empty() {
            Ok(())
        } else if self.management.is_some() {
            Box::pin(self.write_managed(transport)).await
        } else {
            self.write_mail(transport).await
        }
    }

    /// Writes what is in flight, in as few pieces as may be. It counts as written, and is not given
    /// back when the session ends, piece by piece.
    async fn write_mail(&mut self, transport: &mut Transport) -> Result<(), End> {
        while !self.in_flight.is_empty() {
            let mut gathered = 0;
            let weight: usize = self.in_flight.iter().map(|mail| mail.weight()).sum();
            self.out.reserve(weight.min(WRITE_BYTES));
            for mail in &self.in_flight {
                self.out.mail(self.session.jid(), mail);
                gathered += 1;
                if self.out.len() >= WRITE_BYTES {
                    break;
                }
            }
            self.flush(transport).await?;
            self.in_flight.drain(..gathered);
        }
        self.in_flight = VecDeque::new();
        Ok(())
    }

    /// Writes what was gathered. Nearly always the socket takes all of it at once.
    pub(super) async fn flush(&mut self, transport: &mut Transport) -> Result<(), End> {
        if let Some(management) = &mut self.management
            && management.is_request_due()
        {
            management.asked(Instant::now());
            self.out.element(&management::request());
        }
        // An idle session holds no buffer, so this one goes with what was in it.
        let out = self.out.take();
        let written = transport.try_write(out.bytes()).map_err(|_| End::Lost)?;
        match out.bytes().get(written..) {
            Some(left) if !left.is_empty() => Box::pin(self.flush_slowly(left, transport)).await,
            Some(_) | None => Ok(()),
        }
    }

    /// A session that is ended while its peer does not read gives back what it holds at once,
    /// and only then waits for the peer: others must not wait for it, nor what was for it be lost.
    async fn flush_slowly(&mut self, out: &[u8], transport: &mut Transport) -> Result<(), End> {
        let session = Arc::clone(&self.session);
        let writing = transport.write(out);
        tokio::pin!(writing);
        let told = tokio::select! {
            biased;
            written = &mut writing => return written.map_err(|_| End::Lost),
            told = session.until_told() => told,
        };
        let error = match told {
            Told::End(error) => error,
            Told::HandOver => return Err(End::TakenOver { mid_stanza: true }),
        };
        Box::pin(self.give_back()).await;
        // Half a stanza is out, and the error has to stand behind a whole one.
        writing.await.map_err(|_| End::Lost)?;
        Err(End::Failed(error))
    }

    /// Whether nothing of it is more urgent than what is answered now, nor has to be kept until it is written: a write
    /// to the socket costs more than all else that is done for a presence.
    pub(super) fn goes_with_the_answer(&self, mail: &VecDeque<Mail>) -> bool {
        let weight: usize = mail.iter().map(|mail| mail.weight()).sum();
        self.management.is_none()
            && self.held.is_none()
            && self.in_flight.is_empty()
            && weight < WRITE_BYTES
            && mail.iter().all(|mail| waits_for_company(mail))
    }

    /// Writes what is answered, and with it what has come meanwhile.
    pub(super) async fn flush_with_mail(&mut self, transport: &mut Transport) -> Result<(), End> {
        if !self.out.is_empty() && !self.must_wait() {
            let mail = self.session.mail_now();
            self.mail(mail, transport).await?;
        }
        self.flush(transport).await
    }

    /// Gathers what the server itself says to the client, behind what waited for it.
    pub(super) fn write(&mut self, stanzas: impl IntoIterator<Item = Mail>) {
        for stanza in stanzas {
            if let Some(held) = &mut self.held
                && !held.is_empty()
            {
                let held = held.release();
                self.gather(held);
            }
            self.out.mail(self.session.jid(), &stanza);
            if let Some(management) = &mut self.management {
                management.sent(stanza, Origin::Passing);
            }
        }
    }

    /// Adds mail to what is written next.
    fn gather(&mut self, mail: impl IntoIterator<Item = Mail>) {
        for mail in mail {
            self.out.mail(self.session.jid(), &mail);
            if let Some(management) = &mut self.management {
                management.sent(mail, Origin::Passing);
            }
        }
    }
}
