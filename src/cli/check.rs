//! `parlour check`: can the server do its work, and what is to be done where it cannot?
//!
//! It looks and changes nothing: neither are tables migrated nor certificates made.

mod certificates;
mod database;
mod dns;
mod files;
mod identity;
mod ports;

use std::fmt;

use serde_json::{Value, json};

use crate::admin::control;
use crate::clock::Clock;
use crate::config::{Config, ConfigErrors};

/// What was found, in the order in which it was looked for.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    level: Level,
    subject: &'static str,
    text: String,
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// As it should be.
    Good,
    /// The server works; somebody should know.
    Warning,
    /// Something does not work.
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Looks at everything; without a configuration there is nothing else to look at.
pub async fn check(config: Result<Config, ConfigErrors>) -> Report {
    let mut report = Report::default();
    let config = match config {
        Ok(config) => config,
        Err(errors) => {
            for problem in errors.problems {
                // Each names the place and what was expected there.
                report.add(Level::Error, "configuration", problem.to_string(), None);
            }
            return report;
        }
    };
    let hosts: Vec<&str> = config
        .hosts
        .iter()
        .map(|host| host.domain.as_str())
        .collect();
    report.good(
        "configuration",
        format!("understood; hosts: {}", hosts.join(", ")),
    );
    for address in &config.listen.component {
        if !address.is_loopback() {
            report.warn(
                "configuration",
                format!("[listen] component {address}: what goes over it is not encrypted"),
                "listen on 127.0.0.1, or let nobody else into the network between",
            );
        }
    }
    let running = match control::is_running(&config.data_dir).await {
        Ok(running) => running,
        Err(error) => {
            report.warn("server", error.to_string(), "run the check as that user");
            true
        }
    };
    files::check(&config, &mut report);
    certificates::check(&config, &Clock::system(), &mut report).await;
    ports::check(&config, running, &mut report);
    Box::pin(database::check(&config, &mut report)).await;
    Box::pin(identity::check(&config, &Clock::system(), &mut report)).await;
    Box::pin(dns::check(&config, &mut report)).await;
    report
}

impl Report {
    /// Whether nothing is wrong; warnings do not count.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.count(Level::Error) == 0
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "level": finding.level.name(),
                "subject": finding.subject,
                "text": finding.text,
                "fix": finding.fix,
            })
        });
        json!({
            "good": self.is_good(),
            "findings": findings.collect::<Vec<_>>(),
        })
    }

    fn add(&mut self, level: Level, subject: &'static str, text: String, fix: Option<String>) {
        self.findings.push(Finding {
            level,
            subject,
            text,
            fix,
        });
    }

    fn good(&mut self, subject: &'static str, text: impl Into<String>) {
        self.add(Level::Good, subject, text.into(), None);
    }

    fn warn(&mut self, subject: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(Level::Warning, subject, text.into(), Some(fix.into()));
    }

    fn fail(&mut self, subject: &'static str, text: impl Into<String>, fix: impl Into<String>) {
        self.add(Level::Error, subject, text.into(), Some(fix.into()));
    }

    fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding {
            level,
            subject,
            text,
            fix,
        } in &self.findings
        {
            writeln!(f, "{:<8} {subject:<14} {text}", level.name())?;
            if let Some(fix) = fix {
                writeln!(f, "{:<8} {:<14} -> {fix}", "", "")?;
            }
        }
        let (errors, warnings) = (self.count(Level::Error), self.count(Level::Warning));
        writeln!(f, "{errors} errors, {warnings} warnings.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_do_not_make_a_report_bad_and_errors_do() {
        let mut report = Report::default();
        report.good("ports", "free");
        report.warn("dns", "no record", "add one");
        assert!(report.is_good());
        report.fail("database", "gone", "start it");
        assert!(!report.is_good());
        assert_eq!(report.to_json()["good"], false);
        assert!(report.to_string().ends_with("1 errors, 1 warnings.\n"));
        assert!(report.to_string().contains("-> start it"));
    }
}
