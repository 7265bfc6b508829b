//! What the measured server has used, from the kernel's own accounting in `/proc`.
//!
//! A server is its first process and every process below it, so that a start script, a
//! supervisor or a helper program counts as part of it.

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
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time, also of children that ended.
    pub(crate) cpu: Duration,
    /// Resident memory at this moment.
    pub(crate) resident_kib: u64,
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
        let (mut ticks, mut resident_kib) = (0, 0);
        for (pid, entry) in &entries {
            if is_below(&entries, *pid, self.pid) {
                ticks += entry.ticks;
                resident_kib += resident(*pid);
            }
        }
        Ok(Usage {
            cpu: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
            resident_kib,
        })
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
    fn this_process_has_memory() {
        assert!(
            Server::new(std::process::id())
                .usage()
                .unwrap()
                .resident_kib
                > 0
        );
    }
}
