//! Agents in a ring like the users of the presence load, who change their state once a second, one behind the other or all at
//! once, first their plain presence and then their state as agents: what a delivery costs more when it is a state.
//!
//! In a round each contact must hear each neighbour's new state once. The accounts have the role agent, and there
//! are reasons of both kinds with those codes.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::presence::{Change, Pace, finish, measure, once, ring};
use crate::report::Record;
use crate::target::{Target, TargetOptions};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: TargetOptions,
    #[arg(long, default_value_t = 1_000)]
    users: usize,
    /// The number of the first of them: users of another ring have other contacts.
    #[arg(long, default_value_t = 0)]
    first: usize,
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
    /// All change at once at the beginning of a round, not one behind the other all through it.
    #[arg(long)]
    at_once: bool,
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
    let accounts = options.first..options.first + options.users;
    let users = ring(&target, accounts, options.contacts).await?;
    let least = Duration::from_millis(options.pace_ms);
    let pace = Pace {
        rounds: options.rounds,
        seconds_max: options.seconds,
        least,
        spread: if options.at_once {
            Duration::ZERO
        } else {
            least
        },
    };
    let (users, plain) = measure(&target, users, Change::Status, &pace).await?;
    // Once, for the whole run.
    let service = options.service.leak();
    let change = Change::State {
        service,
        reason: options.reason.leak(),
    };
    let (users, states) = measure(&target, users, change, &pace).await?;
    if let (Some(plain), Some(states)) = (plain.cpu_us, states.cpu_us) {
        println!(
            "a delivery of a state costs {:.2} times one of plain presence",
            states / plain
        );
    }
    // Contacts are told of this, too, before everybody looks whether anything is left.
    let logout = Change::Logout {
        service,
        reason: options.logout_reason.leak(),
    };
    let users = once(users, logout).await?;
    finish(&target, users, logout).await?;
    Ok(vec![plain, states])
}
