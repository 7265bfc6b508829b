//! Operations as tables: what is given, and what comes out or is refused.

mod accounts;
mod billing;
mod catalogues;
mod center;
mod control;
mod customers;
mod definitions;
mod grants;
mod import;
mod people;
mod rights;
mod trail;

use std::sync::Arc;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::domain::rights::Role;
use crate::proto::BareJid;
use crate::store::{Limits, Location, Store};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

struct Office {
    operator: Operator,
    folder: tempfile::TempDir,
}

impl Office {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Location::Sqlite(folder.path().join("parlour.db"));
        let store = Box::pin(Store::open(&file, &Limits::default()))
            .await
            .unwrap();
        let text = "[[host]]\ndomain = 'example.org'\n[[host]]\ndomain = 'localhost'\n[auth]\nscram_iterations = 4096\n";
        let config = Config::parse("test.toml", text, std::iter::empty()).unwrap();
        Self {
            operator: Operator::stopped(store, Clock::manual(NOW), Arc::new(config)),
            folder,
        }
    }

    async fn perform(&self, name: &str, given: &[(&str, &str)]) -> Result<Outcome, Refusal> {
        let by = Actor::command_line(Some(7));
        Box::pin(perform(&self.operator, &by, name, &texts(given))).await
    }

    async fn add(&self, jid: &str) {
        let given = [("jid", jid), ("password", "secret")];
        self.perform("account add", &given).await.unwrap();
    }
}

fn texts(given: &[(&str, &str)]) -> Given {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    given.iter().map(own).collect()
}

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

/// The kind of the outcome, and a part of its text.
fn told(done: &Result<Outcome, Refusal>) -> (&'static str, String) {
    match done {
        Ok(outcome) => ("done", outcome.to_string()),
        Err(refusal) => {
            let kind = match refusal {
                Refusal::Usage(_) => "usage",
                Refusal::Forbidden(_) => "forbidden",
                Refusal::NotAllowed(_) => "not allowed",
                Refusal::NotFound(_) => "not found",
                Refusal::Conflict(_) => "conflict",
                Refusal::NotAcceptable(_) => "not acceptable",
                Refusal::NotRunning(_) => "not running",
                Refusal::Failed(_) => "failed",
            };
            (kind, refusal.to_string())
        }
    }
}
