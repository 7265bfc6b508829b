//! Logins: connecting, TLS where asked for, SASL, binding a resource, closing the stream.
//!
//! The server's processor time covers all of it. Latency and rate end with the bound resource: a
//! server that takes its time to close a stream does not keep the next user waiting.

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
    let (latencies, taken) = log_in(&target, &options, options.accounts, options.count).await?;
    let seconds = taken.as_secs_f64();
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
        cpu_us: cpu_per_unit(before.as_ref(), after.as_ref(), count),
        ..record
    })
}

/// Logs in `count` times, the first with the number `first`; the latencies, and how long it took until
/// the last was in. Returns when all streams are closed.
async fn log_in(
    target: &Arc<Target>,
    options: &Options,
    first: usize,
    count: usize,
) -> Result<(Vec<Duration>, Duration)> {
    let next = Arc::new(AtomicUsize::new(first));
    let began = Instant::now();
    let deadline = began + Duration::from_secs(options.seconds);
    let mut workers = JoinSet::new();
    for _ in 0..options.concurrency {
        let (target, next, accounts) = (
            Arc::clone(target),
            Arc::clone(&next),
            options.accounts.max(1),
        );
        workers.spawn(async move {
            let mut latencies = Vec::new();
            let mut closing = JoinSet::new();
            while Instant::now() < deadline {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    break;
                }
                let login = Instant::now();
                let session =
                    Session::log_in(&target, number % accounts, &format!("login{number}")).await?;
                latencies.push(login.elapsed());
                if closing.len() >= CLOSING_MAX
                    && let Some(closed) = closing.join_next().await
                {
                    closed??;
                }
                closing.spawn(session.close());
            }
            let ended = Instant::now();
            closing
                .join_all()
                .await
                .into_iter()
                .collect::<Result<()>>()?;
            anyhow::Ok((latencies, ended))
        });
    }
    let mut latencies = Vec::with_capacity(count);
    let mut last = began;
    while let Some(done) = workers.join_next().await {
        let (of_worker, ended) = done??;
        latencies.extend(of_worker);
        last = last.max(ended);
    }
    Ok((latencies, last - began))
}

/// Streams that one worker waits for to be closed.
const CLOSING_MAX: usize = 64;
