//! When a session asks for what was kept for its account.

use std::collections::VecDeque;

use super::{End, Task};
use crate::hooks::Mail;
use crate::session::management::Management;
use crate::session::transport::Transport;

impl Task {
    /// Writes what lay in the mailbox, and asks for what was kept where somebody left it to this
    /// session.
    pub(super) async fn mailbox(
        &mut self,
        mail: VecDeque<Mail>,
        transport: &mut Transport,
    ) -> Result<(), End> {
        let offered = self.session.take_backlog_offer();
        if offered {
            self.owe_backlog();
        }
        self.mail(mail, transport).await?;
        if offered {
            Box::pin(self.backlog_due(transport)).await?;
        }
        Ok(())
    }

    /// Notes that the session is to be given what was kept: when the connection is lost before, the
    /// next one sees to it.
    pub(super) fn owe_backlog(&mut self) {
        if let Some(management) = &mut self.management {
            management.owe_backlog();
        }
    }

    /// Gives what was kept, unless a page of it is on its way: the next one follows when that is
    /// acknowledged.
    pub(super) async fn backlog_due(&mut self, transport: &mut Transport) -> Result<(), End> {
        let management = self.management.as_deref_mut();
        if management.is_none_or(Management::is_backlog_due) {
            self.backlog(transport).await?;
        }
        Ok(())
    }
}
