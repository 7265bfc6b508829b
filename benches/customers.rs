//! What it costs to know who calls: customers found by number, by address and by beginnings of words, out of many.
//!
//! For each number of customers among the arguments (a million without any) a database of SQLite in a temporary folder,
//! filled with people of four thousand family names, each with a number and an address. Then look-ups spread over all
//! of them, and searches: the best, the median and the worst of a thousand.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::large_futures,
    reason = "a benchmark measures real time, prints, and stops when its input is wrong"
)]

use std::time::{Duration, Instant};

use parlour::clock::Timestamp;
use parlour::domain::customer::{Command, Customer, Profile, decide};
use parlour::domain::ids::CustomerId;
use parlour::store::{
    Limits, ListOrder, Location, RecordWrite, RecordsWritten, Store, customer_change,
};

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
const HOST: &str = "example.org";
const FAMILIES: usize = 4_000;
const ROUNDS: usize = 1_000;
/// Customers of one write.
const TOGETHER: usize = 500;
/// Writes that share a commit.
const AT_ONCE: usize = 20;
/// What a screen pop lists, and what a page of a search does.
const MATCHES: u32 = 20;
const PAGE: u32 = 50;

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
    let start = Instant::now();
    fill(&store, size).await;
    println!(
        "{size} customers, written in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    let spread = |round: usize| (round * 7_919) % size;
    let number = |round| telephone(spread(round));
    let address = |round| email(spread(round));
    let nobody = |round: usize| format!("+4940{round:09}");
    look_up(&store, "by number", 1, number).await;
    look_up(&store, "by address", 1, address).await;
    look_up(&store, "by a number that nobody has", 0, nobody).await;
    let family = |round: usize| format!("fam{}", round % FAMILIES);
    search(&store, "three letters that all have", |_| "fam".to_owned()).await;
    search(&store, "a family name", family).await;
    search(&store, "the beginning of a number", |round| {
        let number = telephone(spread(round));
        number.chars().skip(1).take(8).collect()
    })
    .await;
    store.close().await;
}

fn telephone(n: usize) -> String {
    // Spread over all numbers, the same each time: whoever is made next has another one altogether.
    format!("+4930{:09}", (n * 104_729) % 1_000_000_007)
}

fn email(n: usize) -> String {
    format!("person{n}@mail{}.example", n % 100)
}

async fn fill(store: &Store, size: usize) {
    let mut waiting = Vec::with_capacity(AT_ONCE);
    let mut write = RecordWrite::default();
    for n in 0..size {
        let profile = Profile {
            name: format!("Given{} Fam{}", n % 997, (n * 31) % FAMILIES),
            telephones: vec![telephone(n)],
            emails: vec![email(n)],
            ..Profile::default()
        };
        let before = Customer::new(CustomerId::made(NOW), HOST.to_owned());
        let events = decide(&before, Command::Create(profile), NOW).expect("a good profile");
        let (_, change) = customer_change(&before, &events).expect("a change");
        write.changes.push(change);
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
}

async fn look_up(store: &Store, name: &str, least: usize, key: impl Fn(usize) -> String) {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let key = key(round);
        let start = Instant::now();
        let customers = store.customers();
        let found = customers.by_address(HOST, &key, MATCHES).await;
        times.push(start.elapsed());
        assert!(found.expect("found").len() >= least, "{key}");
    }
    tell(name, times);
}

async fn search(store: &Store, name: &str, beginning: impl Fn(usize) -> String) {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let beginning = beginning(round);
        let start = Instant::now();
        let order = ListOrder::Ascending;
        let customers = store.customers();
        let found = customers.search(HOST, &beginning, None, order, PAGE).await;
        times.push(start.elapsed());
        assert!(!found.expect("found").is_empty(), "{beginning}");
    }
    tell(name, times);
}

fn tell(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    println!(
        "  {name}: best {:?}, median {:?}, worst {:?}",
        times.first().expect("a time"),
        times.get(times.len() / 2).expect("a time"),
        times.last().expect("a time"),
    );
}
