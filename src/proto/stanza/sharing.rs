//! One stanza that lies in many mailboxes: who reads it stands in it when it is written.

use std::sync::Arc;

use super::Stanza;
use crate::proto::jid::{FullJid, Jid};

/// To whom a stanza says that it goes when it lies in many mailboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToEach {
    /// It is for one recipient, or is none of many.
    #[default]
    No,
    /// To the session that reads it.
    Session,
    /// To the account whose session reads it.
    Account,
}

impl Stanza {
    /// The same to each of those into whose mailboxes it is put, so that they can share it.
    #[must_use]
    pub fn to_each(mut self) -> Arc<Self> {
        self.to = None;
        self.to_each = ToEach::Session;
        Arc::new(self)
    }

    /// The same to the account of each of them.
    #[must_use]
    pub fn to_each_account(mut self) -> Arc<Self> {
        self.to = None;
        self.to_each = ToEach::Account;
        Arc::new(self)
    }

    /// A stanza out of the mailbox of that session as it is when it leaves the session again: to it.
    #[must_use]
    pub fn of_reader(self: Arc<Self>, reader: &FullJid) -> Arc<Self> {
        let to = match self.to_each {
            ToEach::No => return self,
            ToEach::Session => Jid::from(reader.clone()),
            ToEach::Account => Jid::from(reader.bare().clone()),
        };
        let mut own = Self::clone(&self).to(to);
        own.to_each = ToEach::No;
        Arc::new(own)
    }
}
