//! What a page of the streams about one customer costs, out of many.
//!
//! For each number of messages among the arguments (a million without any) a database of SQLite in a temporary folder, with ten
//! messages in a stream, all about one customer: nine of ten streams for everybody, the others for one of a hundred agents.
//! Then pages: the best, the median and the worst of a few hundred, each from another place.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::large_futures,
    reason = "a benchmark measures real time, prints, and stops when its input is wrong"
)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use parlour::clock::Timestamp;
use parlour::domain::ids::{AgentId, CustomerId, MessageId, StreamId};
use parlour::domain::message_stream::search::Words;
use parlour::domain::message_stream::{
    Command, Facts, Properties, Recipients, Stream, Written, apply, decide,
};
use parlour::domain::rights::{AccountGrants, Rights, Role, RoleGrants, effective};
use parlour::store::{
    Limits, ListOrder, Location, RecordChange, RecordWrite, RecordsWritten, STREAM, Store,
    StreamList, StreamReader, stream_listings,
};

const NOBODY: &BTreeSet<AgentId> = &BTreeSet::new();

const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const HOST: &str = "example.org";
const MESSAGES: usize = 10;
const AGENTS: usize = 100;
const WORDS: usize = 4_000;
const ROUNDS: usize = 300;
/// Streams of one write, and writes that share a commit.
const TOGETHER: usize = 100;
const AT_ONCE: usize = 20;
/// What a screen shows.
const PAGE: usize = 50;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let sizes: Vec<usize> = numbers.collect();
    for size in if sizes.is_empty() {
        vec![1_000_000]
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
    let customer: CustomerId = "customer".parse().expect("an id");
    let start = Instant::now();
    let ids = fill(&store, &customer, size / MESSAGES).await;
    println!(
        "{size} messages in {} streams of one customer, written in {:.0} s",
        ids.len(),
        start.elapsed().as_secs_f64()
    );
    let bench = Bench {
        store: &store,
        customer: &customer,
        ids: &ids,
        rights: rights(),
    };
    let any = |_: usize| None;
    for (name, order) in [
        ("newest first", ListOrder::Descending),
        ("oldest first", ListOrder::Ascending),
    ] {
        bench.page(name, StreamList::All, order, any).await;
    }
    bench
        .page("open ones", StreamList::Open, ListOrder::Descending, any)
        .await;
    let rare = |round: usize| Words::new(&word(round * 31 % WORDS)).ok();
    bench
        .page(
            "a word that few have",
            StreamList::All,
            ListOrder::Descending,
            rare,
        )
        .await;
    let common = |_: usize| Words::new("word").ok();
    bench
        .page(
            "a word that all have",
            StreamList::All,
            ListOrder::Descending,
            common,
        )
        .await;
    store.close().await;
}

struct Bench<'a> {
    store: &'a Store,
    customer: &'a CustomerId,
    ids: &'a [String],
    rights: Rights,
}

impl Bench<'_> {
    /// Pages of a list, or of what is found by words.
    async fn page(
        &self,
        name: &str,
        list: StreamList,
        order: ListOrder,
        words: impl Fn(usize) -> Option<Words>,
    ) {
        let mut times = Vec::with_capacity(ROUNDS);
        let mut found = 0;
        for round in 0..ROUNDS {
            let agent = agent(round);
            let words = words(round);
            let reader = StreamReader {
                host: HOST,
                customer: self.customer,
                agent: &agent,
            };
            let list = match &words {
                Some(words) => StreamList::Beginning(words.listed()),
                None => list.clone(),
            };
            let from = self.ids.get((round * 7_919) % self.ids.len());
            let from = from.filter(|_| words.is_none()).map(String::as_str);
            let meant = |it: &Stream| {
                let says = |words: &Words| words.find(&it.title, it.read_by(&self.rights));
                words.as_ref().is_none_or(says)
            };
            let sees = |it: &Stream| it.is_seen_by(&agent, START, &self.rights);
            let start = Instant::now();
            let streams = self.store.message_streams();
            let page = streams
                .find(reader, &list, from, (order, PAGE), (sees, meant))
                .await;
            times.push(start.elapsed());
            found += page.expect("a page").streams.len();
        }
        println!("  {name}: {} streams a page", found / ROUNDS);
        tell(times);
    }
}

fn rights() -> Rights {
    let (roles, own) = (RoleGrants::default(), AccountGrants::default());
    effective(Role::Administrator, &roles, &own)
}

fn agent(n: usize) -> AgentId {
    format!("agent{}@{HOST}", n % AGENTS)
        .parse()
        .expect("an agent")
}

fn word(n: usize) -> String {
    // Of letters, so that beginnings differ as those of a language do.
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    [n, n / 26, n / 676, n / 7, n / 3, n]
        .map(letter)
        .into_iter()
        .collect()
}

fn text(n: usize) -> String {
    let words = (0..12).map(|m| word((n * 131 + m * 977) % WORDS));
    format!("word {}", words.collect::<Vec<_>>().join(" "))
}

fn made(n: usize, customer: &CustomerId, rights: &Rights) -> Stream {
    let at = START.plus_seconds(i64::try_from(n).unwrap_or(0));
    let recipients = match n % 10 {
        0 => Recipients::Some([agent(n / 10)].into()),
        _ => Recipients::All,
    };
    let mut stream = Stream::new(StreamId::made(at));
    let facts = Facts {
        rights,
        tags: &[],
        strangers: NOBODY,
        attachment_bytes_max: 0,
        since: START,
    };
    for m in 0..MESSAGES {
        let message = Written {
            id: MessageId::made(at),
            text: text(n * MESSAGES + m),
            attachments: Vec::new(),
        };
        let command = match m {
            0 => Command::Create {
                by: agent(n / 10),
                customer: customer.clone(),
                title: format!("Note {}", word(n % WORDS)),
                message,
                properties: Properties {
                    recipients: recipients.clone(),
                    ..Properties::default()
                },
                tags: [].into(),
            },
            _ => Command::Reply {
                by: agent(n / 10),
                message,
            },
        };
        for event in decide(&stream, command, at, &facts).expect("a good message") {
            apply(&mut stream, &event);
        }
    }
    stream
}

async fn fill(store: &Store, customer: &CustomerId, size: usize) -> Vec<String> {
    let rights = rights();
    let mut waiting = Vec::with_capacity(AT_ONCE);
    let mut write = RecordWrite::default();
    let mut ids = Vec::with_capacity(size);
    for n in 0..size {
        let stream = made(n, customer, &rights);
        ids.push(stream.id.to_string());
        write.changes.push(RecordChange {
            kind: STREAM,
            id: stream.id.to_string().into(),
            read: 0,
            version: 1,
            snapshot: serde_json::to_string(&stream).expect("JSON").into(),
            events: Vec::new(),
            due: None,
            listings: Some(stream_listings(&stream)),
        });
        if write.changes.len() == TOGETHER || n + 1 == size {
            let store = store.clone();
            let write = std::mem::take(&mut write);
            waiting.push(tokio::spawn(
                async move { store.records().write(write).await },
            ));
        }
        if waiting.len() == AT_ONCE || n + 1 == size {
            for written in waiting.drain(..) {
                let written = written.await.expect("no panic").expect("written");
                assert_eq!(written, RecordsWritten::Done);
            }
        }
    }
    ids
}

fn tell(mut times: Vec<Duration>) {
    times.sort_unstable();
    println!(
        "    best {:?}, median {:?}, worst {:?}",
        times.first().expect("a time"),
        times.get(times.len() / 2).expect("a time"),
        times.last().expect("a time"),
    );
}
