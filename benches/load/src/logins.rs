//! Logins: connecting, TLS where asked for, SASL, binding a resource, closing the stream.
//!
//! The server's processor time covers all of it, the latency ends with the bound resource.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use tokio::task::JoinSet;

use crate::report::{Record, cpu_per_unit};
use crate::session::Session;
use crate::target::{Target, TargetOptions};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: TargetOptions,
    /// Logins to measure.
    #[arg(long, default_value_t = 2000)]
    count: usize,
    /// Logins under way at the same time.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// Accounts that log in, in turn. Each logs in once before, unmeasured.
    #[arg(long, default_value_t = 200)]
    accounts: usize,
    /// No login begins after this many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) async fn run(options: Options) -> Result<Record> {
    let target = Target::new(options.target.clone())?;
    log_in(&target, &options, 0, options.accounts).await?;
    let before = target.usage()?;
    let began = Instant::now();
    let latencies = log_in(&target, &options, options.accounts, options.count).await?;
    let seconds = began.elapsed().as_secs_f64();
    let after = target.usage()?;
    let shape = format!(
        "{}, {} at a time",
        target.mechanism().name(),
        options.concurrency
    );
    let count = latencies.len() as u64;
    let record = target
        .record("logins", "login", shape)
        .with_latencies(latencies);
    Ok(Record {
        count,
        seconds,
        cpu_us: before
            .zip(after)
            .and_then(|(before, after)| cpu_per_unit(before.cpu, after.cpu, count)),
        ..record
    })
}

/// Logs in `count` times, the first with the number `first`; the latencies.
async fn log_in(
    target: &Arc<Target>,
    options: &Options,
    first: usize,
    count: usize,
) -> Result<Vec<Duration>> {
    let next = Arc::new(AtomicUsize::new(first));
    let deadline = Instant::now() + Duration::from_secs(options.seconds);
    let mut workers = JoinSet::new();
    for _ in 0..options.concurrency {
        let (target, next, accounts) = (
            Arc::clone(target),
            Arc::clone(&next),
            options.accounts.max(1),
        );
        workers.spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < deadline {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    break;
                }
                let began = Instant::now();
                let session =
                    Session::log_in(&target, number % accounts, &format!("login{number}")).await?;
                latencies.push(began.elapsed());
                session.close().await?;
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::with_capacity(count);
    while let Some(done) = workers.join_next().await {
        latencies.extend(done??);
    }
    Ok(latencies)
}
