//! Compares the servers in a file of results, side by side, with ratios to the first.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::report::Record;

#[derive(Args)]
pub(crate) struct Options {
    /// Lines of JSON, as `--json` appends them.
    file: PathBuf,
    /// Servers in the order of the columns; ratios are to the first that has a value.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "parlour,prosody,ejabberd,relay"
    )]
    servers: Vec<String>,
}

/// One line of the table: load with its shape, and a figure; with a value for each server that has one.
type Rows = BTreeMap<(String, usize), (&'static str, BTreeMap<String, Vec<f64>>)>;

pub(crate) fn print(options: &Options) -> Result<()> {
    let text =
        fs::read_to_string(&options.file).with_context(|| options.file.display().to_string())?;
    let mut rows = Rows::new();
    for line in text.lines() {
        let record: Record = serde_json::from_str(line).context("not a line of results")?;
        let load = format!("{}, {}: {}", record.load, record.transport, record.shape);
        for (position, (name, value)) in figures(&record).into_iter().enumerate() {
            let (_, values) = rows
                .entry((load.clone(), position))
                .or_insert_with(|| (name, BTreeMap::new()));
            values
                .entry(record.server.clone())
                .or_default()
                .extend(value);
        }
    }
    println!(
        "| load | figure | {} | ratio |",
        options.servers.join(" | ")
    );
    println!("|---|---|{}---|", "---:|".repeat(options.servers.len()));
    for ((load, _), (name, values)) in &mut rows {
        let values: Vec<Option<f64>> = options
            .servers
            .iter()
            .map(|server| values.get_mut(server).and_then(|values| median(values)))
            .collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let cells: Vec<String> = values
            .iter()
            .map(|value| value.map_or_else(|| "-".to_owned(), short))
            .collect();
        println!(
            "| {load} | {name} | {} | {} |",
            cells.join(" | "),
            ratios(&values)
        );
    }
    Ok(())
}

fn figures(record: &Record) -> Vec<(&'static str, Option<f64>)> {
    let idle = record.load == "idle";
    let cpu = match record.unit.as_str() {
        "login" => "CPU µs per login",
        "message" => "CPU µs per message",
        "delivery" => "CPU µs per delivery",
        "join" => "CPU µs per join",
        "fetched" => "CPU µs per message fetched",
        "note" => "CPU µs per note",
        "page" => "CPU µs per page",
        _ => "CPU µs per session and login",
    };
    // Of pages, each of which is read alone, the best and the worst say something, too.
    let is_page = record.unit == "page";
    vec![
        ("resident KiB per session", record.session_kib),
        (cpu, record.cpu_us),
        ("per second", (!idle).then(|| record.per_second())),
        ("latency p50 µs", record.p50_us),
        ("latency p99 µs", record.p99_us),
        ("latency best µs", record.min_us.filter(|_| is_page)),
        ("latency worst µs", record.max_us.filter(|_| is_page)),
    ]
}

/// The middle of repeated measurements.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn ratios(values: &[Option<f64>]) -> String {
    let Some(base) = values
        .iter()
        .flatten()
        .next()
        .copied()
        .filter(|base| *base > 0.0)
    else {
        return "-".to_owned();
    };
    let parts: Vec<String> = values
        .iter()
        .map(|value| value.map_or_else(|| "-".to_owned(), |value| short(value / base)))
        .collect();
    parts.join(" : ")
}

fn short(value: f64) -> String {
    let digits = if value < 10.0 {
        2
    } else {
        usize::from(value < 100.0)
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_first_server_that_was_measured() {
        assert_eq!(ratios(&[Some(2.0), Some(5.0), None]), "1.00 : 2.50 : -");
        assert_eq!(ratios(&[None, Some(5.0), Some(10.0)]), "- : 1.00 : 2.00");
        assert_eq!(ratios(&[None]), "-");
    }

    #[test]
    fn repeated_measurements_give_their_median() {
        assert_eq!(median(&mut [9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut []), None);
    }
}
