//! What an archive costs: messages appended, and pages read out of a large one.
//!
//! For each number of messages among the arguments (ten thousand and a million without any) two archives of
//! SQLite in a temporary folder: messages of 300 bytes with a hundred peers, without words and then with
//! eight words each out of ten thousand. Then pages of fifty from either end, behind the middle, of one
//! peer, and of words: the best and the median of a hundred.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::large_futures,
    reason = "a benchmark measures real time, prints, and stops when its input is wrong"
)]

use std::time::{Duration, Instant};

use bytes::Bytes;
use parlour::clock::Timestamp;
use parlour::proto::{BareJid, Jid};
use parlour::store::{
    ArchiveEnd, ArchiveFilter, ArchiveId, ArchivePageLimits, Limits, Location, NewArchived, Store,
    archive_word,
};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const PEERS: usize = 100;
const WORDS: usize = 10_000;
const WORDS_EACH: usize = 8;
const ROUNDS: usize = 100;
/// Appended before anybody waits: as many senders at once.
const AT_ONCE: usize = 1_000;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let sizes: Vec<usize> = numbers.collect();
    for size in if sizes.is_empty() {
        vec![10_000, 1_000_000]
    } else {
        sizes
    } {
        runtime.block_on(measure(size));
    }
}

async fn measure(size: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = Location::Sqlite(folder.path().join("bench.db"));
    let store = Store::open(&file, &Limits::default())
        .await
        .expect("a database");
    println!("{size} messages");
    for words_each in [0, WORDS_EACH] {
        let owner = BareJid::new(&format!("u{words_each}@example.org")).expect("an address");
        let (elapsed, cpu) = (Instant::now(), cpu());
        let middle = fill(&store, &owner, size, words_each).await;
        let each = |time: Duration| time.as_secs_f64() * 1e6 / size as f64;
        println!(
            "  append, {words_each} words: {:.1} µs of CPU, {:.1} µs of time each",
            each(self::cpu() - cpu),
            each(elapsed.elapsed())
        );
        pages(&store, &owner, middle).await;
    }
    store.close().await;
}

async fn fill(store: &Store, owner: &BareJid, size: usize, words_each: usize) -> ArchiveId {
    let body = "x".repeat(240);
    let stanza =
        format!("<message xmlns='jabber:client' type='chat'><body>{body}</body></message>");
    let stanza = Bytes::from(stanza);
    let mut middle = None;
    let mut waiting = Vec::with_capacity(AT_ONCE);
    for n in 0..size {
        let with = Jid::parse(&format!("peer{}@example.org/desk", n % PEERS)).expect("an address");
        let words = (0..words_each).map(|at| {
            // Spread over all words, the same each time.
            let word = (n * 7_919 + at * 104_729) % WORDS;
            archive_word(owner, &format!("word{word}"))
        });
        let mut words: Vec<i64> = words.collect();
        words.sort_unstable();
        words.dedup();
        let message = NewArchived {
            owner: owner.clone(),
            with,
            stanza: stanza.clone(),
            words,
        };
        let moment = NOW.plus_seconds(i64::try_from(n).expect("a count"));
        let appended = store.archive().append(message, moment);
        if n == size / 2 {
            middle = Some(appended.id);
        }
        waiting.push(appended.written);
        if waiting.len() == AT_ONCE {
            for written in waiting.drain(..) {
                written.await.expect("written");
            }
        }
    }
    for written in waiting {
        written.await.expect("written");
    }
    middle.expect("a middle")
}

async fn pages(store: &Store, owner: &BareJid, middle: ArchiveId) {
    let limits = ArchivePageLimits {
        messages_max: 50,
        bytes_max: 1 << 20,
    };
    let all = ArchiveFilter::default;
    for (name, end, filter) in [
        ("the last page", ArchiveEnd::Latest, all()),
        ("the first page", ArchiveEnd::Oldest, all()),
        (
            "a page behind the middle",
            ArchiveEnd::Oldest,
            ArchiveFilter {
                after: Some(middle),
                ..all()
            },
        ),
        (
            "the last page with a peer",
            ArchiveEnd::Latest,
            ArchiveFilter {
                with: Jid::parse("peer7@example.org").ok(),
                ..all()
            },
        ),
        (
            "the last page with a word",
            ArchiveEnd::Latest,
            ArchiveFilter {
                words: vec![archive_word(owner, "word7919")],
                ..all()
            },
        ),
        (
            "the last page with two words",
            ArchiveEnd::Latest,
            ArchiveFilter {
                words: ["word7919", "word2648"]
                    .map(|word| archive_word(owner, word))
                    .to_vec(),
                ..all()
            },
        ),
    ] {
        let mut times = Vec::with_capacity(ROUNDS);
        let mut found = 0;
        let before = cpu();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let archive = store.archive();
            let page = archive
                .page(owner, &filter, end, limits)
                .await
                .expect("a page");
            times.push(start.elapsed());
            found = page.messages.len();
        }
        let cpu = (cpu() - before).as_secs_f64() * 1e6 / (ROUNDS * found.max(1)) as f64;
        times.sort_unstable();
        println!(
            "  {name}: {found} messages, best {:?}, median {:?}, {cpu:.1} µs of CPU a message",
            times.first().expect("a time"),
            times.get(ROUNDS / 2).expect("a time"),
        );
    }
}

/// User and system time of this process (proc(5)), in ticks of a hundredth of a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("proc");
    let (_, fields) = stat.rsplit_once(") ").expect("fields");
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: u64 = ticks
        .map(|field| field.parse::<u64>().expect("ticks"))
        .sum();
    Duration::from_millis(ticks * 10)
}
