//! What a load found: one record, shown as a line for people and written as a line of JSON.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::process::Usage;

/// The result of one load on one server. Times are in microseconds, memory in KiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) server: String,
    /// `logins`, `idle`, `chat`, `presence`, `agents`, `room`, `archive write`, `archive read`, `notes written` or `notes, …`
    /// for each kind of page.
    pub(crate) load: String,
    pub(crate) transport: String,
    /// The sizes of the load, in words; records are comparable where these agree.
    pub(crate) shape: String,
    /// What is counted: `login`, `session`, `message`, `delivery`, `join`, `fetched`, `note`, `page`.
    pub(crate) unit: String,
    pub(crate) count: u64,
    pub(crate) seconds: f64,
    /// Server processor time for one unit.
    pub(crate) cpu_us: Option<f64>,
    pub(crate) min_us: Option<f64>,
    pub(crate) p50_us: Option<f64>,
    pub(crate) p99_us: Option<f64>,
    pub(crate) max_us: Option<f64>,
    /// Sessions and resident memory, after each step of the idle load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) resident_kib: Vec<(u64, u64)>,
    /// Slope of the above between first and last step.
    pub(crate) session_kib: Option<f64>,
    /// Load average of the machine when the measurement ended.
    pub(crate) machine_load: f64,
}

impl Record {
    pub(crate) fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    /// Fills in the distribution of these latencies.
    pub(crate) fn with_latencies(mut self, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        let at = |part: f64| {
            let last = latencies.len().checked_sub(1)?;
            let index = (last as f64 * part).round();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "an index between 0 and last"
            )]
            latencies
                .get(index as usize)
                .map(|latency| latency.as_secs_f64() * 1e6)
        };
        (self.min_us, self.p50_us) = (at(0.0), at(0.5));
        (self.p99_us, self.max_us) = (at(0.99), at(1.0));
        self
    }

    /// One block for people on standard output.
    pub(crate) fn print(&self) {
        let of = |value: Option<f64>| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
        };
        println!(
            "{} {} {}: {}",
            self.server, self.load, self.transport, self.shape
        );
        println!(
            "  {} × {} in {:.2} s = {:.0}/s; server CPU {} µs each; latency µs min {} p50 {} p99 {} max {}; load {:.1}",
            self.count,
            self.unit,
            self.seconds,
            self.per_second(),
            of(self.cpu_us),
            of(self.min_us),
            of(self.p50_us),
            of(self.p99_us),
            of(self.max_us),
            self.machine_load
        );
        for (sessions, kib) in &self.resident_kib {
            println!("  {sessions:>6} sessions: {kib} KiB resident");
        }
        if let Some(kib) = self.session_kib {
            println!("  slope: {kib:.2} KiB a session");
        }
    }

    /// Appends one line of JSON to the file.
    pub(crate) fn append(&self, path: &Path) -> Result<()> {
        let mut line = serde_json::to_string(self)?;
        line.push('\n');
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .with_context(|| path.display().to_string())?;
        file.write_all(line.as_bytes())?;
        Ok(())
    }
}

/// Processor time per unit in microseconds, of a server whose process is known.
pub(crate) fn cpu_per_unit(
    before: Option<&Usage>,
    after: Option<&Usage>,
    count: u64,
) -> Option<f64> {
    let time = before?.until(after?);
    (count > 0).then(|| time.as_secs_f64() * 1e6 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks_of_the_sorted_latencies() {
        let record =
            Record::default().with_latencies((0..=100).rev().map(Duration::from_micros).collect());
        assert_eq!(
            (record.min_us, record.p50_us, record.p99_us, record.max_us),
            (Some(0.0), Some(50.0), Some(99.0), Some(100.0))
        );
        assert_eq!(Record::default().with_latencies(Vec::new()).p50_us, None);
    }
}
