//! Sources of people beside the store: does the directory answer, and are there keys for tokens?

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Report;
use crate::clock::Clock;
use crate::config::{Config, LdapMode};
use crate::identity::Identities;
use crate::net::tls::install_provider;

const DIRECTORY: &str = "directory";
const TOKENS: &str = "tokens";

pub(super) async fn check(config: &Config, clock: &Clock, report: &mut Report) {
    install_provider();
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let identities = match Identities::new(&config.auth, &tasks, &stop) {
        Ok(identities) => identities,
        Err(error) => {
            report.fail(
                "people",
                error.to_string(),
                "correct [auth.ldap] or [auth.oauth]",
            );
            return;
        }
    };
    match identities.probe_directory().await {
        None => {}
        Some(Ok(())) => report.good(
            DIRECTORY,
            match config.auth.ldap.mode {
                LdapMode::Search => "answers, and lets bind_dn in",
                LdapMode::Bind => "answers",
            },
        ),
        Some(Err(error)) => report.fail(
            DIRECTORY,
            error.to_string(),
            "look at [auth.ldap] urls, ca, bind_dn and bind_password, and at the directory's log",
        ),
    }
    match Box::pin(identities.probe_issuer(clock.now())).await {
        None => {}
        Some(Ok(count)) => report.good(TOKENS, format!("{count} keys of the issuer are read")),
        Some(Err(error)) => report.fail(
            TOKENS,
            error.to_string(),
            "look at [auth.oauth] jwks_file or jwks_url and ca; until then nobody logs in by a token",
        ),
    }
    stop.cancel();
}
