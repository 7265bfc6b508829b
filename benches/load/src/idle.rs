//! Idle sessions: logged in, available, and silent; what each costs in resident memory.
//!
//! The figure is the slope between two numbers of sessions, so that what the server needs
//! without any does not count. In the end every session answers a ping: all were alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use tokio::task::JoinSet;

use crate::report::{Record, cpu_per_unit};
use crate::session::Session;
use crate::target::{Target, TargetOptions};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: TargetOptions,
    /// Numbers of sessions at which memory is taken, rising. Each session has an account of its own.
    #[arg(long, value_delimiter = ',', default_values_t = [2000, 10_000])]
    sessions: Vec<usize>,
    /// Logins under way at the same time.
    #[arg(long, default_value_t = 32)]
    concurrency: usize,
    /// Seconds of silence before memory is taken.
    #[arg(long, default_value_t = 10)]
    settle: u64,
}

pub(crate) async fn run(options: Options) -> Result<Record> {
    let target = Target::new(options.target)?;
    let mut sessions: Vec<Session> = Vec::new();
    let mut resident_kib = Vec::new();
    let mut logins = Duration::ZERO;
    let before = target.usage()?.context("memory is measured by --pid")?;
    for goal in &options.sessions {
        let began = Instant::now();
        while sessions.len() < *goal {
            let first = sessions.len();
            let batch = (goal - first).min(options.concurrency.max(1));
            sessions.extend(log_in(&target, first..first + batch).await?);
        }
        logins += began.elapsed();
        tokio::time::sleep(Duration::from_secs(options.settle)).await;
        let usage = target.usage()?.context("memory is measured by --pid")?;
        resident_kib.push((sessions.len() as u64, usage.resident_kib));
    }
    let after = target.usage()?.context("memory is measured by --pid")?;
    let count = sessions.len() as u64;
    all_alive(&target, sessions).await?;
    let steps: Vec<String> = options.sessions.iter().map(ToString::to_string).collect();
    let shape = format!(
        "{} sessions, {} s of silence",
        steps.join(" to "),
        options.settle
    );
    Ok(Record {
        count,
        seconds: logins.as_secs_f64(),
        cpu_us: cpu_per_unit(Some(&before), Some(&after), count),
        session_kib: slope(&resident_kib),
        resident_kib,
        ..target.record("idle", "session", shape)
    })
}

async fn log_in(target: &Arc<Target>, numbers: std::ops::Range<usize>) -> Result<Vec<Session>> {
    let mut logins = JoinSet::new();
    for number in numbers {
        let target = Arc::clone(target);
        logins.spawn(async move {
            let mut session = Session::log_in(&target, number, "idle").await?;
            session.send(b"<presence/>").await?;
            anyhow::Ok(session)
        });
    }
    logins.join_all().await.into_iter().collect()
}

async fn all_alive(target: &Arc<Target>, sessions: Vec<Session>) -> Result<()> {
    let mut checks = JoinSet::new();
    for mut session in sessions {
        let target = Arc::clone(target);
        checks.spawn(async move {
            session
                .ping(target.domain(), |_| Ok(()))
                .await
                .with_context(|| format!("{} was lost", session.jid))?;
            session.close().await
        });
    }
    checks.join_all().await.into_iter().collect()
}

fn slope(resident_kib: &[(u64, u64)]) -> Option<f64> {
    let ((first, low), (last, high)) = (resident_kib.first()?, resident_kib.last()?);
    (last > first).then(|| (*high as f64 - *low as f64) / (last - first) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_leaves_out_what_the_server_needs_alone() {
        assert_eq!(slope(&[(10, 1040), (110, 1440)]), Some(4.0));
        assert_eq!(slope(&[(10, 1040)]), None);
    }
}
