//! Accounts that are looked for at the same moment, found by one statement: each request to the contact center asks whether
//! its account is there and what it may do, and a statement costs more than what it finds.

use std::collections::HashMap;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Account, FIND, Row};
use crate::proto::jid::BareJid;
use crate::store::db::{Db, reading};
use crate::store::error::StoreError;
use crate::store::grouped::{Group, Grouped};
use crate::store::rows::{ManyRows, ROWS_MAX};

/// The queue of those that are looked for.
pub(in crate::store) type Finder = Grouped<Accounts>;

/// Starts the task that looks.
pub(in crate::store) fn start(db: Db, tasks: &TaskTracker, stop: CancellationToken) -> Finder {
    Grouped::start(Accounts { db }, tasks, stop)
}

/// Finds groups of accounts.
pub(in crate::store) struct Accounts {
    db: Db,
}

/// [`FIND`] for as many as there are.
static FIND_ALL: ManyRows = ManyRows::new(FIND, "$1");

impl Group for Accounts {
    type Record = BareJid;
    type Done = Option<Account>;
    const RECORDS_MAX: usize = ROWS_MAX;

    async fn write(&mut self, sought: &[BareJid]) -> Vec<Result<Option<Account>, StoreError>> {
        let found = match Box::pin(self.find(sought)).await {
            Ok(found) => found,
            Err(error) => return sought.iter().map(|_| Err(error.clone())).collect(),
        };
        let account = |jid: &BareJid| found.get(jid.as_str()).cloned().transpose();
        sought.iter().map(account).collect()
    }
}

impl Accounts {
    /// Those that there are, by their addresses.
    async fn find(
        &self,
        sought: &[BareJid],
    ) -> Result<HashMap<String, Result<Account, StoreError>>, StoreError> {
        let db = &self.db;
        // One of them fills the places that are left: it is found no more than once.
        let places = sought.len().next_power_of_two();
        let sought = sought.iter().chain(sought.iter().cycle()).take(places);
        let rows: Vec<Row> = reading!(db, pool => {
            let mut find = sqlx::query_as(FIND_ALL.text(db, places));
            for jid in sought {
                find = find.bind(jid.as_str());
            }
            find.fetch_all(pool).await?
        });
        let known = |row: Row| (row.jid.clone(), Account::try_from(row));
        Ok(rows.into_iter().map(known).collect())
    }
}
