//! What is counted for Prometheus: the names, where they are kept, and how they are shown.
//!
//! [`MEASURES`] lists every name with its labels; these are public and stay. Counters are kept where things
//! happen, through [`counted`]; what is so at a moment (sessions, queues, certificates) is asked for when
//! somebody looks, by whoever shows the page. Before [`start`] nothing is counted, and counting costs nothing.
//! No label has values that a stranger chooses, so that their number is bounded.

use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};

use metrics::{Counter, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// One name, as it is documented.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// With its unit at the end, as Prometheus asks for.
    pub name: &'static str,
    /// What kind it is.
    pub kind: MeasureKind,
    /// Its labels with their values, in words.
    pub labels: &'static str,
    /// What it says.
    pub help: &'static str,
}

/// The kinds of measures that Prometheus knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeasureKind {
    /// Only grows, from the start of the server on.
    Counter,
    /// What is so now.
    Gauge,
    /// How many took how long.
    Histogram,
}

const fn measure(
    name: &'static str,
    kind: MeasureKind,
    labels: &'static str,
    help: &'static str,
) -> Measure {
    Measure {
        name,
        kind,
        labels,
        help,
    }
}

/// Stanzas that came in.
pub const RECEIVED: &str = "parlour_stanzas_received_total";
/// Stanzas that were put into a session's mailbox.
pub const DELIVERED: &str = "parlour_stanzas_delivered_total";
/// Errors that the server answered with.
pub const ERRORS: &str = "parlour_stanza_errors_total";
/// Messages that were kept for later.
pub const KEPT: &str = "parlour_messages_kept_total";
/// Sessions that were ended because they did not read.
pub const SLOW: &str = "parlour_sessions_too_slow_total";
/// Sessions that began.
pub const SESSIONS_BEGUN: &str = "parlour_sessions_begun_total";
/// Attempts to log in.
pub const LOGINS: &str = "parlour_logins_total";
/// What the database took.
pub const STORE: &str = "parlour_store_seconds";
/// Sessions now.
pub const SESSIONS: &str = "parlour_sessions";
/// Accounts online now.
pub const ACCOUNTS_ONLINE: &str = "parlour_accounts_online";
/// What lies in mailboxes.
pub const MAILBOXES: &str = "parlour_mailbox_stanzas";
/// What waits to be written to the database.
pub const STORE_QUEUE: &str = "parlour_store_queue_records";
/// Connections with components and other servers.
pub const PEERS: &str = "parlour_peers";
/// What waits for components and other servers.
pub const PEER_QUEUES: &str = "parlour_peer_queue_stanzas";
/// Whether each component is there.
pub const COMPONENTS: &str = "parlour_component_connected";
/// Days that certificates are still valid.
pub const CERTIFICATES: &str = "parlour_certificate_days_left";
/// Seconds since the start.
pub const UPTIME: &str = "parlour_uptime_seconds";
/// The version.
pub const BUILD: &str = "parlour_build_info";
/// Memory of the process.
pub const MEMORY: &str = "process_resident_memory_bytes";
/// Processor time of the process.
pub const PROCESSOR: &str = "process_cpu_seconds_total";
/// File descriptors of the process.
pub const DESCRIPTORS: &str = "process_open_fds";

/// Every name, in the order of the documentation.
pub const MEASURES: &[Measure] = &[
    measure(
        SESSIONS,
        MeasureKind::Gauge,
        "state: connected, waiting",
        "sessions; those that wait can be resumed",
    ),
    measure(
        ACCOUNTS_ONLINE,
        MeasureKind::Gauge,
        "",
        "accounts with a session",
    ),
    measure(
        SESSIONS_BEGUN,
        MeasureKind::Counter,
        "",
        "sessions that were bound or resumed",
    ),
    measure(
        SLOW,
        MeasureKind::Counter,
        "",
        "sessions that were ended because their mailbox was full",
    ),
    measure(
        LOGINS,
        MeasureKind::Counter,
        "result: accepted, refused",
        "attempts to log in",
    ),
    measure(
        RECEIVED,
        MeasureKind::Counter,
        "kind: message, presence, iq; from: client, outside",
        "stanzas that came in",
    ),
    measure(
        DELIVERED,
        MeasureKind::Counter,
        "kind",
        "stanzas that were put into a session's mailbox",
    ),
    measure(
        ERRORS,
        MeasureKind::Counter,
        "condition",
        "stanzas that were answered with an error",
    ),
    measure(
        KEPT,
        MeasureKind::Counter,
        "",
        "messages that no session could take and that were kept for later",
    ),
    measure(
        MAILBOXES,
        MeasureKind::Gauge,
        "of: all, longest",
        "stanzas that wait for sessions",
    ),
    measure(
        STORE,
        MeasureKind::Histogram,
        "act: read, write, transaction",
        "how long the database took",
    ),
    measure(
        STORE_QUEUE,
        MeasureKind::Gauge,
        "queue: archive, offline",
        "records that wait to be written together",
    ),
    measure(
        PEERS,
        MeasureKind::Gauge,
        "kind: server, component; state: away, connecting, negotiating, established, closing",
        "connections with other servers, and components",
    ),
    measure(
        PEER_QUEUES,
        MeasureKind::Gauge,
        "kind: server, component; of: all, longest",
        "stanzas that wait for other servers and components",
    ),
    measure(
        COMPONENTS,
        MeasureKind::Gauge,
        "domain",
        "1 while a configured component is connected, 0 while it is away",
    ),
    measure(
        CERTIFICATES,
        MeasureKind::Gauge,
        "file",
        "whole days until a certificate ends; negative afterwards",
    ),
    measure(UPTIME, MeasureKind::Gauge, "", "seconds since the start"),
    measure(BUILD, MeasureKind::Gauge, "version", "always 1"),
    measure(
        MEMORY,
        MeasureKind::Gauge,
        "",
        "memory of the process that is in RAM",
    ),
    measure(
        PROCESSOR,
        MeasureKind::Counter,
        "",
        "processor time of the process",
    ),
    measure(
        DESCRIPTORS,
        MeasureKind::Gauge,
        "",
        "file descriptors of the process",
    ),
];

/// Where the buckets of [`STORE`] end, in seconds: a page from memory takes a tenth of a millisecond, a
/// commit a few, and at a second somebody should look.
const STORE_BUCKETS: &[f64] = &[0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// How often single measurements are put into their buckets; until then each takes room.
pub const UPKEEP: Duration = Duration::from_secs(5);

/// Shows what was counted; clones show the same.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    started: Instant,
}

/// Begins to count, for the whole process; again it gives the same. `None` when something else counts already.
#[must_use]
pub fn start() -> Option<Metrics> {
    static STARTED: OnceLock<Option<Metrics>> = OnceLock::new();
    STARTED.get_or_init(begin).clone()
}

fn begin() -> Option<Metrics> {
    let store = Matcher::Full(STORE.to_owned());
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(store, STORE_BUCKETS)
        .ok()?;
    let handle = builder.install_recorder().ok()?;
    for measure in MEASURES {
        match measure.kind {
            MeasureKind::Counter => metrics::describe_counter!(measure.name, measure.help),
            MeasureKind::Gauge => metrics::describe_gauge!(measure.name, measure.help),
            MeasureKind::Histogram => metrics::describe_histogram!(measure.name, measure.help),
        }
    }
    // Shown from the start on, with zero.
    LazyLock::force(&COUNTED);
    counter!(ERRORS, "condition" => "service-unavailable").increment(0);
    Some(Metrics {
        handle,
        started: now(),
    })
}

impl Metrics {
    /// Everything in the text format of Prometheus, version 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        gauge!(UPTIME).set(self.started.elapsed().as_secs_f64());
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        process();
        self.handle.render()
    }

    /// Puts single measurements into their buckets; due every [`UPKEEP`].
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// A counter for each kind of stanza.
#[derive(Debug)]
pub struct ByKind {
    /// `<message/>`.
    pub message: Counter,
    /// `<presence/>`.
    pub presence: Counter,
    /// `<iq/>`.
    pub iq: Counter,
}

/// The counters that single lines of the server add to.
#[derive(Debug)]
pub struct Counted {
    /// [`RECEIVED`] from clients.
    pub from_clients: ByKind,
    /// [`RECEIVED`] from components and other servers.
    pub from_outside: ByKind,
    /// [`DELIVERED`].
    pub delivered: ByKind,
    /// [`KEPT`].
    pub kept: Counter,
    /// [`SLOW`].
    pub slow: Counter,
    /// [`SESSIONS_BEGUN`].
    pub sessions_begun: Counter,
    /// [`LOGINS`] that were accepted.
    pub logins_accepted: Counter,
    /// [`LOGINS`] that were refused.
    pub logins_refused: Counter,
    reads: Histogram,
    writes: Histogram,
    transactions: Histogram,
}

/// The counters, made once; without effect when they are first asked for before [`start`].
#[must_use]
pub fn counted() -> &'static Counted {
    &COUNTED
}

/// Counts an error that the server answers with, by its condition's name.
pub fn error(condition: &'static str) {
    counter!(ERRORS, "condition" => condition).increment(1);
}

/// What a [`StoreTimer`] measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAct {
    /// One statement that reads.
    Read,
    /// One statement that writes.
    Write,
    /// Several together.
    Transaction,
}

/// Measures from when it is made until it is dropped, into [`STORE`].
#[derive(Debug)]
pub struct StoreTimer {
    act: StoreAct,
    began: Instant,
}

impl StoreTimer {
    /// Starts to measure.
    #[must_use]
    pub fn start(act: StoreAct) -> Self {
        let began = now();
        Self { act, began }
    }
}

impl Drop for StoreTimer {
    fn drop(&mut self) {
        let counted = counted();
        let histogram = match self.act {
            StoreAct::Read => &counted.reads,
            StoreAct::Write => &counted.writes,
            StoreAct::Transaction => &counted.transactions,
        };
        histogram.record(self.began.elapsed());
    }
}

static COUNTED: LazyLock<Counted> = LazyLock::new(|| {
    let received = |from: &'static str| ByKind {
        message: counter!(RECEIVED, "kind" => "message", "from" => from),
        presence: counter!(RECEIVED, "kind" => "presence", "from" => from),
        iq: counter!(RECEIVED, "kind" => "iq", "from" => from),
    };
    Counted {
        from_clients: received("client"),
        from_outside: received("outside"),
        delivered: ByKind {
            message: counter!(DELIVERED, "kind" => "message"),
            presence: counter!(DELIVERED, "kind" => "presence"),
            iq: counter!(DELIVERED, "kind" => "iq"),
        },
        kept: counter!(KEPT),
        slow: counter!(SLOW),
        sessions_begun: counter!(SESSIONS_BEGUN),
        logins_accepted: counter!(LOGINS, "result" => "accepted"),
        logins_refused: counter!(LOGINS, "result" => "refused"),
        reads: histogram!(STORE, "act" => "read"),
        writes: histogram!(STORE, "act" => "write"),
        transactions: histogram!(STORE, "act" => "transaction"),
    }
});

#[expect(
    clippy::disallowed_methods,
    reason = "it measures the machine that it runs on; nothing is decided by it"
)]
fn now() -> Instant {
    Instant::now()
}

/// What the system says of this process, on Linux; elsewhere nothing.
fn process() {
    if let Ok(statm) = std::fs::read_to_string("/proc/self/statm")
        && let Some(pages) = statm.split_whitespace().nth(1)
        && let Ok(pages) = pages.parse::<u32>()
    {
        gauge!(MEMORY).set(f64::from(pages) * PAGE_BYTES);
    }
    if let Ok(stat) = std::fs::read_to_string("/proc/self/stat") {
        // Behind the name in brackets, which may contain anything, stand fields 3 and following.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum();
        counter!(PROCESSOR).absolute(ticks / TICKS_A_SECOND);
    }
    if let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") {
        let count = u32::try_from(descriptors.count()).unwrap_or(u32::MAX);
        gauge!(DESCRIPTORS).set(f64::from(count));
    }
}

/// Of the processors that this server is built for.
const PAGE_BYTES: f64 = 4096.0;

/// `USER_HZ`, which Linux has fixed.
const TICKS_A_SECOND: u64 = 100;
