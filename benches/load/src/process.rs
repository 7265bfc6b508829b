//! What the measured server has used, from the kernel's own accounting in `/proc`.
//!
//! A server is its first process and every process below it, so that a start script, a
//! supervisor or a helper program counts as part of it.
//!
//! Its time is read in nanoseconds, from what the scheduler notes of each thread. A thread that has ended is no longer among
//! them; its time is in the process's own account, which shows ticks of ten milliseconds and is believed where it knows
//! of more.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

/// The first process of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pid: u32,
}

/// What the processes of a server have used since they began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    /// Nanoseconds that each thread has run.
    threads: HashMap<u32, u64>,
    /// User and system time in ticks, also of threads and children that ended.
    ticks: u64,
    /// Each of its processes may have hidden that much less than a tick in both kinds of time.
    processes: u64,
    /// Resident memory at this moment.
    pub(crate) resident_kib: u64,
}

impl Usage {
    /// The processor time between the two.
    pub(crate) fn until(&self, later: &Self) -> Duration {
        let ran = |(thread, now): (&u32, &u64)| {
            let before = self.threads.get(thread).copied().unwrap_or(0);
            now.saturating_sub(before)
        };
        let exact = Duration::from_nanos(later.threads.iter().map(ran).sum());
        let ticks = later.ticks.saturating_sub(self.ticks);
        // What rounding alone may have added to them.
        let sure = ticks.saturating_sub(2 * later.processes.max(self.processes));
        match in_time(sure) > exact {
            true => in_time(ticks),
            false => exact,
        }
    }
}

const fn in_time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

struct Entry {
    parent: u32,
    ticks: u64,
}

impl Server {
    pub(crate) const fn new(pid: u32) -> Self {
        Self { pid }
    }

    pub(crate) fn usage(self) -> Result<Usage> {
        let entries = entries()?;
        ensure!(
            entries.contains_key(&self.pid),
            "the server's process {} is gone",
            self.pid
        );
        let mut usage = Usage::default();
        for (pid, entry) in &entries {
            if is_below(&entries, *pid, self.pid) {
                usage.ticks += entry.ticks;
                usage.processes += 1;
                usage.resident_kib += resident(*pid);
                usage.threads.extend(threads(*pid));
            }
        }
        Ok(usage)
    }
}

/// Every process with its parent and its time. Processes that end meanwhile are left out.
fn entries() -> Result<HashMap<u32, Entry>> {
    let directory = fs::read_dir("/proc").context("/proc")?;
    Ok(directory
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parse_stat(&stat)?))
        })
        .collect())
}

/// proc(5), `/proc/pid/stat`: parent is field 4, times are fields 14 to 17. The name, field 2, may contain anything.
fn parse_stat(stat: &str) -> Option<Entry> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let times = fields.get(11..15)?;
    Some(Entry {
        parent: fields.get(1)?.parse().ok()?,
        ticks: times
            .iter()
            .filter_map(|time| time.parse::<u64>().ok())
            .sum(),
    })
}

/// The threads of a process with the nanoseconds that each has run; none where the kernel does not tell.
fn threads(pid: u32) -> Vec<(u32, u64)> {
    let Ok(directory) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let thread = |entry: fs::DirEntry| {
        let thread = entry.file_name().to_str()?.parse().ok()?;
        let told = fs::read_to_string(entry.path().join("schedstat")).ok()?;
        Some((thread, ran(&told)?))
    };
    directory.flatten().filter_map(thread).collect()
}

/// `/proc/pid/task/tid/schedstat`: time that it ran, time that it waited, how often it ran.
fn ran(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

fn is_below(entries: &HashMap<u32, Entry>, pid: u32, root: u32) -> bool {
    let mut at = pid;
    for _ in 0..GENERATIONS_MAX {
        if at == root {
            return true;
        }
        match entries.get(&at) {
            Some(entry) if entry.parent != 0 => at = entry.parent,
            _ => return false,
        }
    }
    false
}

fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// How many processes wanted to run, averaged over the last minute: whether the figures were taken in peace.
pub(crate) fn machine_load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or(f64::NAN)
}

/// `USER_HZ`, which Linux fixes at 100 for what it shows to programs on every common architecture.
const TICKS_PER_SECOND: u64 = 100;
/// Processes nest less deep than this; it ends the climb if the table changes meanwhile.
const GENERATIONS_MAX: u32 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let entry = parse_stat("7 (a) b) S 3 7 7 0 -1 0 0 0 0 0 5 6 1 2 20 0 1 0 9 0 0").unwrap();
        assert_eq!((entry.parent, entry.ticks), (3, 14));
    }

    #[test]
    fn time_is_exact_unless_a_thread_took_its_own_along() {
        let usage = |threads: &[(u32, u64)], ticks| Usage {
            threads: threads.iter().copied().collect(),
            ticks,
            processes: 1,
            resident_kib: 0,
        };
        let before = usage(&[(1, 5_000_000), (2, 70_000_000)], 7);
        // One that is new counts whole.
        let later = usage(&[(1, 6_000_000), (2, 90_000_000), (3, 400)], 10);
        assert_eq!(before.until(&later), Duration::from_nanos(21_000_400));
        let ended = usage(&[(1, 6_000_000)], 57);
        assert_eq!(before.until(&ended), Duration::from_millis(500));
        assert_eq!(ran("61250 17 1\n"), Some(61_250));
    }

    #[test]
    fn this_process_has_memory_and_threads_that_ran() {
        let usage = Server::new(std::process::id()).usage().unwrap();
        assert!(usage.resident_kib > 0);
        assert!(usage.threads.values().any(|ran| *ran > 0));
    }
}
