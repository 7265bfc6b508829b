//! One-to-one chat: pairs in which one writes and the other reads.
//!
//! A pair has at most a window of messages under way; each delivery makes room for the next.
//! Every body carries the pair and a sequence number, and each message must arrive once, in
//! order, unchanged and from the right sender, or the load fails.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::relay;
use crate::report::{Record, cpu_per_unit};
use crate::scan;
use crate::session::Session;
use crate::target::{Target, TargetOptions};

/// What the messages are addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Address {
    /// The recipient's session.
    Full,
    /// The recipient's account, which has one session.
    Bare,
}

#[derive(Args, Clone)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: TargetOptions,
    #[arg(long, default_value_t = 100)]
    pub(crate) pairs: usize,
    /// Messages of one pair under way at the same time.
    #[arg(long, default_value_t = 1)]
    window: usize,
    /// Bytes of a body.
    #[arg(long, default_value_t = 64)]
    pub(crate) body: usize,
    #[arg(long, value_enum, default_value = "full")]
    address: Address,
    /// Messages to measure, all pairs together.
    #[arg(long, default_value_t = 200_000)]
    messages: usize,
    /// Messages before, unmeasured.
    #[arg(long, default_value_t = 20_000)]
    warm_up: usize,
    /// No message is sent after this many seconds; what is under way still must arrive.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The server archives the messages of both sides: the load is called so.
    #[arg(long)]
    archived: bool,
    /// The server is this program's relay: no XMPP around the messages.
    #[arg(long)]
    relay: bool,
}

pub(crate) async fn run(options: Options) -> Result<Record> {
    let target = Target::new(options.target.clone())?;
    let options = Arc::new(options);
    let mut pairs = Vec::with_capacity(options.pairs);
    for number in 0..options.pairs {
        pairs.push(Pair::new(&target, &options, number).await?);
    }
    let goal = options.warm_up / options.pairs.max(1);
    let mut pairs = exchange(pairs, &options, goal).await?;
    for pair in &mut pairs {
        pair.latencies.clear();
    }
    let before = target.usage()?;
    let began = Instant::now();
    let mut pairs = exchange(
        pairs,
        &options,
        goal + options.messages / options.pairs.max(1),
    )
    .await?;
    let seconds = began.elapsed().as_secs_f64();
    let after = target.usage()?;
    let mut latencies = Vec::with_capacity(options.messages);
    for pair in &mut pairs {
        latencies.append(&mut pair.latencies);
    }
    let mut ends = JoinSet::new();
    for pair in pairs {
        let target = Arc::clone(&target);
        ends.spawn(async move { pair.finish(&target).await });
    }
    ends.join_all().await.into_iter().collect::<Result<()>>()?;
    let (count, window, body) = (latencies.len() as u64, options.window, options.body);
    let shape = format!(
        "{} pairs, window {window}, {body}-byte bodies",
        options.pairs
    );
    let name = if options.archived { "archive" } else { "chat" };
    Ok(Record {
        count,
        seconds,
        cpu_us: cpu_per_unit(before.as_ref(), after.as_ref(), count),
        ..target
            .record(name, "message", shape)
            .with_latencies(latencies)
    })
}

/// Lets all pairs chat until each has had `goal` messages since it began.
async fn exchange(pairs: Vec<Pair>, options: &Arc<Options>, goal: usize) -> Result<Vec<Pair>> {
    let deadline = Instant::now() + Duration::from_secs(options.seconds);
    let time_max = Duration::from_secs(options.seconds) + DRAIN_TIME_MAX;
    let mut chats = JoinSet::new();
    for mut pair in pairs {
        chats.spawn(async move {
            let number = pair.number;
            let chat = timeout(time_max, pair.exchange(goal, deadline)).await;
            chat.with_context(|| {
                format!(
                    "pair {number}: messages are missing: {} of {}",
                    pair.received, pair.sent
                )
            })??;
            anyhow::Ok(pair)
        });
    }
    let mut pairs = Vec::with_capacity(chats.len());
    while let Some(done) = chats.join_next().await {
        pairs.push(done??);
    }
    Ok(pairs)
}

struct Pair {
    number: usize,
    writer: Session,
    reader: Session,
    relay: bool,
    window: usize,
    body: usize,
    to: String,
    sent: usize,
    received: usize,
    /// When each message under way was written, the oldest first.
    under_way: VecDeque<Instant>,
    latencies: Vec<Duration>,
    batch: String,
}

impl Pair {
    async fn new(target: &Target, options: &Options, number: usize) -> Result<Self> {
        let (first, second) = (2 * number, 2 * number + 1);
        let (writer, reader) = if options.relay {
            let writer = Session::raw(target, first, &relay::hello(number)).await?;
            (
                writer,
                Session::raw(target, second, &relay::hello(number)).await?,
            )
        } else {
            let mut writer = Session::log_in(target, first, "chat").await?;
            let mut reader = Session::log_in(target, second, "chat").await?;
            for session in [&mut writer, &mut reader] {
                session.send(b"<presence/>").await?;
                session.ping(target.domain(), |_| Ok(())).await?;
            }
            (writer, reader)
        };
        let to = match options.address {
            Address::Full => reader.jid.clone(),
            Address::Bare => scan::bare(&reader.jid).to_owned(),
        };
        Ok(Self {
            number,
            writer,
            reader,
            relay: options.relay,
            window: options.window.max(1),
            body: options.body,
            to,
            sent: 0,
            received: 0,
            under_way: VecDeque::new(),
            latencies: Vec::new(),
            batch: String::new(),
        })
    }

    async fn exchange(&mut self, goal: usize, deadline: Instant) -> Result<()> {
        loop {
            let now = Instant::now();
            if now < deadline {
                let room = (self.window - self.under_way.len()).min(goal - self.sent);
                self.write(room, now).await?;
            }
            if self.under_way.is_empty() {
                return Ok(());
            }
            self.reader.fill().await?;
            self.read()?;
        }
    }

    async fn write(&mut self, count: usize, now: Instant) -> Result<()> {
        self.batch.clear();
        for _ in 0..count {
            let (to, number) = (&self.to, self.sent);
            write!(
                self.batch,
                "<message to='{to}' type='chat' id='m{number}'><body>"
            )?;
            body(&mut self.batch, self.number, number, self.body)?;
            self.batch.push_str("</body></message>");
            self.under_way.push_back(now);
            self.sent += 1;
        }
        self.writer.send(self.batch.as_bytes()).await
    }

    /// Checks everything that has arrived.
    fn read(&mut self) -> Result<()> {
        let now = Instant::now();
        while let Some(child) = self.reader.arrived()? {
            if !child.starts_with(b"<message") {
                continue;
            }
            let next = self.received;
            let wrong = |what: &str| {
                format!(
                    "pair {}, message {next}: {what}: {}",
                    self.number,
                    lossy(child)
                )
            };
            let text =
                scan::between(child, "<body>", "</body>").with_context(|| wrong("no body"))?;
            self.batch.clear();
            body(&mut self.batch, self.number, next, self.body)?;
            ensure!(
                text == self.batch,
                wrong("another body than the next in order")
            );
            if !self.relay {
                ensure!(
                    scan::attribute(child, "from") == Some(&self.writer.jid),
                    wrong("from somebody else")
                );
                ensure!(
                    scan::attribute(child, "type") == Some("chat"),
                    wrong("another type")
                );
            }
            let sent = self
                .under_way
                .pop_front()
                .with_context(|| wrong("nothing was under way"))?;
            self.latencies.push(now - sent);
            self.received += 1;
        }
        Ok(())
    }

    /// Nothing more may arrive, on neither side.
    async fn finish(mut self, target: &Target) -> Result<()> {
        if self.relay {
            self.writer.send(b"<end/>").await?;
            let last = timeout(DRAIN_TIME_MAX, self.reader.child()).await??;
            ensure!(
                last == b"<end/>",
                "more than was sent arrived: {}",
                lossy(&last)
            );
            return Ok(());
        }
        for session in [&mut self.reader, &mut self.writer] {
            let unexpected = |child: &[u8]| {
                if child.starts_with(b"<message") {
                    bail!("more than was sent arrived: {}", lossy(child));
                }
                Ok(())
            };
            session.ping(target.domain(), unexpected).await?;
        }
        self.writer.close().await?;
        self.reader.close().await
    }
}

/// The body of a message: pair, sequence number, and filling up to the length.
pub(crate) fn body(text: &mut String, pair: usize, sequence: usize, length: usize) -> Result<()> {
    let begin = text.len();
    write!(text, "{pair:06} {sequence:09} ")?;
    let missing = length.saturating_sub(text.len() - begin);
    text.extend(FILLING.chars().cycle().take(missing));
    Ok(())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Ordinary words: nothing to escape.
const FILLING: &str = "the customer is on the line and asks for the contract ";
/// What is under way when sending ends has this long to arrive.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads what a server would send after three messages of pair 7 were written.
    fn read(arriving: &str) -> Result<usize> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(async {
            let (mut server, client) = tokio::io::duplex(4096);
            let (idle, _) = tokio::io::duplex(1);
            let mut pair = Pair {
                number: 7,
                writer: Session::inside_stream(Box::new(idle)),
                reader: Session::inside_stream(Box::new(client)),
                relay: false,
                window: 3,
                body: 20,
                to: String::new(),
                sent: 3,
                received: 0,
                under_way: VecDeque::from([Instant::now(); 3]),
                latencies: Vec::new(),
                batch: String::new(),
            };
            pair.writer.jid = "writer@localhost/chat".to_owned();
            tokio::io::AsyncWriteExt::write_all(&mut server, arriving.as_bytes()).await?;
            pair.reader.fill().await?;
            pair.read()?;
            Ok(pair.received)
        })
    }

    fn message(from: &str, text: &str) -> String {
        format!("<message from='{from}@localhost/chat' type='chat'><body>{text}</body></message>")
    }

    #[test]
    fn messages_count_once_in_order_unchanged_and_from_the_writer() {
        let [first, second] = ["000007 000000000 the", "000007 000000001 the"];
        let of_writer = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| message("writer", text))
                .collect::<String>()
        };
        let cases = [
            ("in order", of_writer(&[first, second]), Some(2)),
            (
                "beside other stanzas",
                format!("<presence/>{}<iq/>", of_writer(&[first])),
                Some(1),
            ),
            ("repeated", of_writer(&[first, first]), None),
            ("lost", of_writer(&[second]), None),
            ("changed", of_writer(&["000007 000000000 THE"]), None),
            (
                "of another pair",
                of_writer(&["000008 000000000 the"]),
                None,
            ),
            ("from somebody else", message("other", first), None),
            (
                "more than written",
                of_writer(&[
                    first,
                    second,
                    "000007 000000002 the",
                    "000007 000000003 the",
                ]),
                None,
            ),
        ];
        for (name, arriving, expected) in cases {
            assert_eq!(read(&arriving).ok(), expected, "{name}");
        }
    }

    #[test]
    fn bodies_have_the_length_asked_for_and_differ() {
        let mut texts = [String::new(), String::new()];
        for (sequence, text) in texts.iter_mut().enumerate() {
            body(text, 7, sequence, 64).unwrap();
            assert_eq!(text.len(), 64);
        }
        assert_ne!(texts[0], texts[1]);
    }
}
