//! What the server says about itself: log lines through `tracing`, and the type that keeps
//! secrets out of them.
//!
//! Lines go to standard error, as text for people or JSON for machines; rotation and
//! shipping are the business of whoever reads standard error. What is counted is in [`metrics`].

pub mod metrics;
mod redact;

use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;

use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

pub use redact::{REDACTED, Secret};

/// Which events are written: a level (`info`), or levels by part of the program
/// (`info,parlour::router=debug`), in the language of `tracing_subscriber::EnvFilter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(String);

impl Filter {
    /// The text that the filter was made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn compile(&self) -> Result<EnvFilter, ObserveError> {
        EnvFilter::builder()
            .parse(&self.0)
            .map_err(|_| ObserveError::Filter)
    }
}

impl Default for Filter {
    /// `info,sqlx=warn`: the life of the server and of its connections, no single stanza.
    fn default() -> Self {
        Self("info,sqlx=warn".to_owned())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Filter {
    type Err = ObserveError;

    /// Stricter than `EnvFilter`, which takes a misspelt level for the name of a module and
    /// then writes nothing: a bare word must be a level.
    fn from_str(text: &str) -> Result<Self, ObserveError> {
        let good = |part: &str| {
            let part = part.trim();
            let by_target = part.contains('=') || part.contains('[');
            by_target || (!part.is_empty() && part.parse::<LevelFilter>().is_ok())
        };
        if !text.split(',').all(good) {
            return Err(ObserveError::Filter);
        }
        let filter = Self(text.to_owned());
        filter.compile()?;
        Ok(filter)
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One line of text, in colour on a terminal.
    #[default]
    Text,
    /// One JSON object per line: `timestamp`, `level`, `target`, the event's fields, `spans`.
    Json,
}

/// Why logging could not be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The filter is not one.
    #[error(
        "not a log filter: expected a level such as \"info\", or \"info,parlour::router=debug\""
    )]
    Filter,
    /// Something in this process writes logs already.
    #[error("logging was started already")]
    Started,
    /// The subscriber that the handle belongs to is gone.
    #[error("logging has ended")]
    Ended,
}

/// Changes what is logged while the server runs; clones act on the same log.
#[derive(Clone, Debug)]
pub struct Handle(reload::Handle<EnvFilter, Registry>);

impl Handle {
    /// Writes by `filter` from now on.
    ///
    /// # Errors
    /// When logging has ended.
    pub fn set_filter(&self, filter: &Filter) -> Result<(), ObserveError> {
        let compiled = filter.compile()?;
        self.0.reload(compiled).map_err(|_| ObserveError::Ended)
    }
}

/// Starts logging to standard error for the whole process, events of the `log` crate
/// included.
///
/// # Errors
/// When the process logs already.
pub fn start(filter: &Filter, format: Format) -> Result<Handle, ObserveError> {
    let colour = std::io::stderr().is_terminal();
    let (subscriber, handle) = build(filter, format, colour, std::io::stderr)?;
    subscriber.try_init().map_err(|_| ObserveError::Started)?;
    Ok(handle)
}

fn build<W>(
    filter: &Filter,
    format: Format,
    colour: bool,
    writer: W,
) -> Result<(impl Subscriber + Send + Sync + use<W>, Handle), ObserveError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (gate, handle) = reload::Layer::new(filter.compile()?);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match format {
        Format::Text => lines.with_ansi(colour).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(gate).with(lines);
    Ok((subscriber, Handle(handle)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Page {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, act: impl FnOnce(&Handle)) -> String {
        let page = Page::default();
        let writer = page.clone();
        let (subscriber, handle) =
            build(&Filter::default(), format, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || act(&handle));
        page.text()
    }

    #[test]
    fn a_misspelt_level_is_refused() {
        for (text, good) in [
            ("info", true),
            ("off", true),
            ("warn,parlour::router=trace", true),
            ("info,[session{id=7}]=debug", true),
            ("inf", false),
            ("", false),
            ("info,", false),
            ("parlour=loud", false),
        ] {
            assert_eq!(text.parse::<Filter>().is_ok(), good, "{text:?}");
        }
    }

    #[test]
    fn json_lines_carry_fields_spans_and_no_secret() {
        let text = written(Format::Json, |_| {
            let secret = Secret::new("hunter2");
            let span = tracing::info_span!("session", id = 7);
            span.in_scope(|| tracing::info!(resources = 3, password = ?secret, "bound"));
        });
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["message"], "bound");
        assert_eq!(line["resources"], 3);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["spans"][0]["id"], 7);
        assert_eq!(line["password"], REDACTED);
    }

    #[test]
    fn the_filter_changes_while_running() {
        let text = written(Format::Text, |handle| {
            tracing::debug!("before");
            handle.set_filter(&"debug".parse().unwrap()).unwrap();
            tracing::debug!("between");
            handle.set_filter(&"error".parse().unwrap()).unwrap();
            tracing::warn!("after");
        });
        assert!(text.contains("between"), "{text}");
        assert!(
            !text.contains("before") && !text.contains("after"),
            "{text}"
        );
    }

    #[test]
    fn a_handle_that_outlives_its_log_says_so() {
        let (subscriber, handle) =
            build(&Filter::default(), Format::Text, false, std::io::sink).unwrap();
        drop(subscriber);
        assert!(matches!(
            handle.set_filter(&Filter::default()),
            Err(ObserveError::Ended)
        ));
    }
}
