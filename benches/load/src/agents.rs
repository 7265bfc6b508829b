//! Agents in a ring like the users of the presence load, who change their state once a second, first their plain
//! presence and then their state as agents: what a delivery costs more when it is a state.
//!
//! In a round each contact must hear each neighbour's new state once. The accounts have the role agent, and there
//! are reasons of both kinds with those codes.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::task::JoinSet;

use crate::presence::{Change, Pace, finish, measure, ring};
use crate::report::Record;
use crate::target::{Target, TargetOptions};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: TargetOptions,
    #[arg(long, default_value_t = 1_000)]
    users: usize,
    /// Contacts of each user; an even number.
    #[arg(long, default_value_t = 20)]
    contacts: usize,
    /// Rounds to measure; one more goes before.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// No round begins after this many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Milliseconds from the beginning of one round to that of the next, at least.
    #[arg(long, default_value_t = 1_000)]
    pace_ms: u64,
    /// Where the contact center is.
    #[arg(long, default_value = "center.localhost")]
    service: String,
    /// Why they are not ready.
    #[arg(long, default_value = "lunch")]
    reason: String,
    /// Why they log out in the end.
    #[arg(long, default_value = "shift-over")]
    logout_reason: String,
}

/// Both records: plain presence and states, of the same users.
pub(crate) async fn run(options: Options) -> Result<Vec<Record>> {
    let target = Target::new(options.target)?;
    let users = ring(&target, options.users, options.contacts).await?;
    let pace = Pace {
        rounds: options.rounds,
        seconds_max: options.seconds,
        least: Duration::from_millis(options.pace_ms),
    };
    let (users, plain) = measure(&target, users, Change::Status, &pace).await?;
    // Once, for the whole run.
    let change = Change::State {
        service: options.service.leak(),
        reason: options.reason.leak(),
    };
    let (users, states) = measure(&target, users, change, &pace).await?;
    if let (Some(plain), Some(states)) = (plain.cpu_us, states.cpu_us) {
        println!(
            "a delivery of a state costs {:.2} times one of plain presence",
            states / plain
        );
    }
    let Change::State { service, .. } = change else {
        return Ok(vec![plain, states]);
    };
    let request = format!(
        "<iq type='set' id='logout' to='{service}'><logout xmlns='urn:parlour:agent:0' reason='{}'/></iq>",
        options.logout_reason
    );
    let mut ends = JoinSet::new();
    for mut user in users {
        let request = request.clone();
        ends.spawn(async move {
            let answer = user.session.ask("logout", &request, |_| Ok(())).await;
            answer.with_context(|| format!("{} logs out", user.bare()))?;
            anyhow::Ok(user)
        });
    }
    let users = ends.join_all().await.into_iter();
    finish(&target, users.collect::<Result<_>>()?).await?;
    Ok(vec![plain, states])
}
