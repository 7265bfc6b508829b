//! Two rings like that of the presence load, by turns: users who change their plain presence once a second, and agents who
//! change their state, one behind the other or all at once. What a delivery costs more when it is a state.
//!
//! In a round each contact must hear each neighbour's new state once. The turns are short, since a machine that others
//! share changes its speed, and both rings are online all the time, so that they differ in nothing else. The accounts
//! of the second have the role agent, and there are reasons of both kinds with those codes.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::presence::{Change, Pace, Ring};
use crate::report::Record;
use crate::target::{Target, TargetOptions};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: TargetOptions,
    /// In each of the two rings.
    #[arg(long, default_value_t = 1_000)]
    users: usize,
    /// The number of the first who changes presence: users of other rings have other contacts.
    #[arg(long, default_value_t = 0)]
    first: usize,
    /// The number of the first who is an agent. Who was one before is none of them, for plain presence says so, too.
    #[arg(long, default_value_t = 1_000)]
    agents: usize,
    /// Contacts of each user; an even number.
    #[arg(long, default_value_t = 20)]
    contacts: usize,
    /// Turns of each ring to measure; a round of each goes before.
    #[arg(long, default_value_t = 20)]
    turns: u32,
    /// Rounds in a turn.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// No round begins after this many seconds.
    #[arg(long, default_value_t = 120)]
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

/// Both records: plain presence and states.
pub(crate) async fn run(options: Options) -> Result<Vec<Record>> {
    let target = Target::new(options.target)?;
    let least = Duration::from_millis(options.pace_ms);
    let pace = Pace {
        least,
        spread: match options.at_once {
            true => Duration::ZERO,
            false => least,
        },
    };
    let accounts = |first: usize| first..first + options.users;
    let mut plain = Ring::new(&target, accounts(options.first), options.contacts, pace).await?;
    let mut agents = Ring::new(&target, accounts(options.agents), options.contacts, pace).await?;
    // Once, for the whole run.
    let service = options.service.leak();
    let state = Change::State {
        service,
        reason: options.reason.leak(),
    };
    plain.warm_up(Change::Status).await?;
    agents.warm_up(state).await?;
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let mut ratios = Vec::new();
    for _ in 0..options.turns {
        let presence = plain.measure(Change::Status, options.rounds, until).await?;
        let states = agents.measure(state, options.rounds, until).await?;
        ratios.extend(
            states
                .zip(presence)
                .map(|(states, presence)| states / presence),
        );
    }
    let records = vec![plain.record("presence"), agents.record("agents")];
    print_ratios(&records, &ratios);
    plain.finish(Change::Status).await?;
    // Contacts are told of this, too, before everybody looks whether anything is left.
    let logout = Change::Logout {
        service,
        reason: options.logout_reason.leak(),
    };
    agents.warm_up(logout).await?;
    agents.finish(logout).await?;
    Ok(records)
}

/// What a delivery of a state costs more, in all and from turn to turn.
fn print_ratios(records: &[Record], ratios: &[f64]) {
    let [Some(plain), Some(states)] = [0, 1].map(|at| records.get(at).and_then(|it| it.cpu_us))
    else {
        return;
    };
    let turns: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    println!(
        "a delivery of a state costs {:.2} times one of plain presence; from turn to turn {}",
        states / plain,
        turns.join(" ")
    );
}
