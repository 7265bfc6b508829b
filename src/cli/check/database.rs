//! The database: reachable, and with tables that this version understands?

use super::Report;
use crate::admin::Refusal;
use crate::config::Config;
use crate::server;
use crate::store::{SchemaVersion, StoreError};

const SUBJECT: &str = "database";

pub(super) async fn check(config: &Config, report: &mut Report) {
    match Box::pin(version(config)).await {
        Ok(SchemaVersion {
            found: None,
            wanted,
        }) => report.good(
            SUBJECT,
            format!("without tables; they are made at the first start (version {wanted})"),
        ),
        Ok(SchemaVersion {
            found: Some(found),
            wanted,
        }) if found < wanted => report.warn(
            SUBJECT,
            format!("the tables are at version {found}, this parlour works with {wanted}"),
            "make a backup, then start the server or call `parlour migrate`",
        ),
        Ok(SchemaVersion {
            found: Some(found),
            wanted,
        }) if found > wanted => report.fail(
            SUBJECT,
            format!("the tables are at version {found}, this parlour works with {wanted}"),
            "use the newer parlour that wrote them",
        ),
        Ok(SchemaVersion { wanted, .. }) => report.good(
            SUBJECT,
            format!("reachable, the tables are at version {wanted}"),
        ),
        Err(error) => report.fail(
            SUBJECT,
            Refusal::store(&error).to_string(),
            "look at [database] url, at the database's log, and at the rights on its file",
        ),
    }
}

async fn version(config: &Config) -> Result<SchemaVersion, StoreError> {
    let (location, limits) = server::database(config)?;
    SchemaVersion::of(&location, &limits).await
}
