//! A room (XEP-0045): everybody joins, one after the other, then some write and all must hear all.
//!
//! Two records: what a join costs, with what it makes the room tell to those who are there, and what
//! a delivery of a message costs. Each occupant must hear of each other one, and hear each message
//! once, in the order of its writer.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::report::{Record, cpu_per_unit};
use crate::scan;
use crate::session::Session;
use crate::target::{Target, TargetOptions};

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    target: TargetOptions,
    /// The domain of the rooms.
    #[arg(long, default_value = "rooms.localhost")]
    rooms: String,
    #[arg(long, default_value_t = 200)]
    occupants: usize,
    /// Occupants that write in each round, one message each.
    #[arg(long, default_value_t = 10)]
    writers: usize,
    /// Rounds to measure; one more goes before. The next begins when all have heard all.
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// No round begins after this many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) async fn run(options: Options) -> Result<Vec<Record>> {
    let target = Target::new(options.target.clone())?;
    let writers = options.writers.clamp(1, options.occupants.max(1));
    // A room before, whose occupants log out: a server that has just started pays for its memory once.
    let room = format!("before{}@{}", std::process::id(), options.rooms);
    let (occupants, _) = gather(guests(&target, &options, &room, writers).await?).await?;
    for occupant in occupants {
        occupant.session.close().await?;
    }
    let room = format!("bench{}@{}", std::process::id(), options.rooms);
    let occupants = guests(&target, &options, &room, writers).await?;
    let shape = format!("room of {}", options.occupants);
    let (before, began) = (target.usage()?, Instant::now());
    let (occupants, latencies) = gather(occupants).await?;
    let seconds = began.elapsed().as_secs_f64();
    let after = target.usage()?;
    let count = latencies.len() as u64;
    let joins = Record {
        count,
        seconds,
        cpu_us: cpu_per_unit(before.as_ref(), after.as_ref(), count),
        ..target
            .record(
                "room",
                "join",
                format!("{shape}, one joins after the other"),
            )
            .with_latencies(latencies)
    };

    let mut occupants = round(occupants, 0).await?;
    for occupant in &mut occupants {
        occupant.latencies.clear();
    }
    let (before, began) = (target.usage()?, Instant::now());
    for number in 1..=options.rounds {
        if began.elapsed() > Duration::from_secs(options.seconds) {
            break;
        }
        occupants = round(occupants, number).await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let after = target.usage()?;
    let take = |occupant: &mut Occupant| std::mem::take(&mut occupant.latencies);
    let latencies: Vec<_> = occupants.iter_mut().flat_map(take).collect();
    finish(occupants).await?;
    let count = latencies.len() as u64;
    let shape = format!("{shape}, {writers} write at once, {BODY}-byte bodies");
    let deliveries = Record {
        count,
        seconds,
        cpu_us: cpu_per_unit(before.as_ref(), after.as_ref(), count),
        ..target
            .record("room", "delivery", shape)
            .with_latencies(latencies)
    };
    Ok(vec![joins, deliveries])
}

/// Sessions that will join the room.
async fn guests(
    target: &Target,
    options: &Options,
    room: &str,
    writers: usize,
) -> Result<Vec<Occupant>> {
    let mut guests = Vec::with_capacity(options.occupants);
    for number in 0..options.occupants {
        let session = Session::log_in(target, number, "room").await?;
        guests.push(Occupant::new(session, number, room, writers));
    }
    Ok(guests)
}

/// All join, one after the other, until everybody has heard of everybody; with the time that each join took.
async fn gather(mut guests: Vec<Occupant>) -> Result<(Vec<Occupant>, Vec<Duration>)> {
    let mut latencies = Vec::with_capacity(guests.len());
    for (number, guest) in guests.iter_mut().enumerate() {
        let joining = Instant::now();
        guest.join().await?;
        latencies.push(joining.elapsed());
        if number == 0 {
            // Not counted: a join is what is compared, and servers differ in what a new room wants.
            guest.unlock().await?;
        }
    }
    let all = guests.len();
    let occupants = in_parallel(guests, move |mut guest| async move {
        guest.hear_of(all).await?;
        Ok(guest)
    });
    Ok((occupants.await?, latencies))
}

/// Nothing more may have come to anybody.
async fn finish(occupants: Vec<Occupant>) -> Result<()> {
    let ended = in_parallel(occupants, |mut occupant| async move {
        occupant.finish().await?;
        Ok(occupant)
    });
    ended.await.map(drop)
}

/// The writers write, and everybody waits until all of it has arrived.
async fn round(occupants: Vec<Occupant>, number: usize) -> Result<Vec<Occupant>> {
    let began = Instant::now();
    in_parallel(occupants, move |mut occupant| async move {
        occupant.round(number, began).await?;
        Ok(occupant)
    })
    .await
}

/// Does something with every occupant at once, within the time of a step; they come back in their order.
async fn in_parallel<F>(
    occupants: Vec<Occupant>,
    work: impl Fn(Occupant) -> F,
) -> Result<Vec<Occupant>>
where
    F: Future<Output = Result<Occupant>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for occupant in occupants {
        let nick = occupant.number;
        let step = timeout(STEP_TIME_MAX, work(occupant));
        tasks.spawn(async move {
            step.await
                .with_context(|| format!("occupant {nick} waits"))?
        });
    }
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(occupant) = tasks.join_next().await {
        done.push(occupant??);
    }
    done.sort_by_key(|occupant| occupant.number);
    Ok(done)
}

struct Occupant {
    session: Session,
    number: usize,
    room: Arc<str>,
    /// The nicks that are known to be there.
    known: HashSet<usize>,
    /// How many messages of each writer have come.
    heard: Vec<usize>,
    latencies: Vec<Duration>,
}

impl Occupant {
    fn new(session: Session, number: usize, room: &str, writers: usize) -> Self {
        Self {
            session,
            number,
            room: room.into(),
            known: HashSet::new(),
            heard: vec![0; writers],
            latencies: Vec::new(),
        }
    }

    /// Enters (XEP-0045 §7.2) and waits for its own presence, which comes last (§7.1).
    async fn join(&mut self) -> Result<()> {
        let (room, number) = (Arc::clone(&self.room), self.number);
        let join = format!(
            "<presence to='{room}/n{number}'><x xmlns='http://jabber.org/protocol/muc'>\
             <history maxstanzas='0'/></x></presence>"
        );
        self.session.send(join.as_bytes()).await?;
        timeout(
            STEP_TIME_MAX,
            self.until_known(|known| known.contains(&number)),
        )
        .await
        .context("no end of joining")?
    }

    /// Takes the room as it is (XEP-0045 §10.1.2): where new rooms are locked, others can come now.
    async fn unlock(&mut self) -> Result<()> {
        let form = format!(
            "<iq type='set' id='unlock' to='{}'><query xmlns='http://jabber.org/protocol/muc#owner'>\
             <x xmlns='jabber:x:data' type='submit'/></query></iq>",
            self.room
        );
        let answer = self.session.ask("unlock", &form, |_| Ok(())).await?;
        let kind = scan::attribute(&answer, "type");
        ensure!(
            kind == Some("result"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        Ok(())
    }

    /// Waits until `count` are known to be there.
    async fn hear_of(&mut self, count: usize) -> Result<()> {
        self.until_known(|known| known.len() == count).await
    }

    async fn until_known(&mut self, done: impl Fn(&HashSet<usize>) -> bool) -> Result<()> {
        while !done(&self.known) {
            while let Some(child) = self.session.arrived()? {
                if child.starts_with(b"<presence") {
                    let Some(nick) = nick(child)? else {
                        continue;
                    };
                    ensure!(
                        self.known.insert(nick),
                        "n{nick} came twice: {}",
                        String::from_utf8_lossy(child)
                    );
                }
            }
            if !done(&self.known) {
                self.session.fill().await?;
            }
        }
        Ok(())
    }

    async fn round(&mut self, number: usize, began: Instant) -> Result<()> {
        let writers = self.heard.len();
        if self.number < writers {
            let message = format!(
                "<message to='{}' type='groupchat' id='r{number}'><body>{}</body></message>",
                self.room,
                body(self.number, number)
            );
            self.session.send(message.as_bytes()).await?;
        }
        let mut missing = writers;
        while missing > 0 {
            self.session.fill().await?;
            while let Some(child) = self.session.arrived()? {
                if hear(&mut self.heard, child, number)? {
                    self.latencies.push(began.elapsed());
                    missing = missing.checked_sub(1).context("one message too many")?;
                }
            }
        }
        Ok(())
    }

    /// Nothing may arrive twice.
    async fn finish(&mut self) -> Result<()> {
        let domain = scan::bare(&self.session.jid)
            .split_once('@')
            .map(|(_, domain)| domain.to_owned())
            .context("no domain")?;
        let unexpected = |child: &[u8]| {
            let text = scan::contains(child, "<body>");
            ensure!(
                !text,
                "after all rounds: {}",
                String::from_utf8_lossy(child)
            );
            Ok(())
        };
        self.session.ping(&domain, unexpected).await
    }
}

/// The number in the nick that a presence is from; none where it is that of the room itself, as
/// ejabberd sends it.
fn nick(child: &[u8]) -> Result<Option<usize>> {
    let text = || String::from_utf8_lossy(child).into_owned();
    let kind = scan::attribute(child, "type");
    ensure!(kind.is_none(), "{}", text());
    let from = scan::attribute(child, "from").with_context(text)?;
    let Some((_, nick)) = from.split_once('/') else {
        return Ok(None);
    };
    let number = nick.strip_prefix('n').and_then(|nick| nick.parse().ok());
    number.with_context(text).map(Some)
}

/// Notes a message of the room; an error where it is not the next of its writer, or changed.
fn hear(heard: &mut [usize], child: &[u8], round: usize) -> Result<bool> {
    if !child.starts_with(b"<message") {
        return Ok(false);
    }
    let text = || String::from_utf8_lossy(child).into_owned();
    let Some(found) = scan::between(child, "<body>", "</body>") else {
        // The subject, which comes after joining.
        return Ok(false);
    };
    if scan::attribute(child, "type") != Some("groupchat") {
        bail!("another type: {}", text());
    }
    let from = scan::attribute(child, "from").with_context(text)?;
    let writer = from
        .split_once("/n")
        .and_then(|(_, nick)| nick.parse().ok());
    let writer: usize = writer.with_context(text)?;
    let count = heard.get_mut(writer).with_context(text)?;
    ensure!(*count == round, "n{writer} in round {round}: {}", text());
    ensure!(found == body(writer, round), "changed: {}", text());
    *count += 1;
    Ok(true)
}

fn body(writer: usize, round: usize) -> String {
    let mut text = format!("{writer:06} {round:09} ");
    let missing = BODY - text.len().min(BODY);
    text.extend(FILLING.chars().cycle().take(missing));
    text
}

/// Bytes of a body.
const BODY: usize = 64;
/// Ordinary words: nothing to escape.
const FILLING: &str = "the customer is on the line and asks for the contract ";
/// A step in which everybody takes part.
const STEP_TIME_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_once_in_its_round_and_unchanged() {
        let message = |nick: usize, text: &str| {
            format!(
                "<message from='r@rooms/n{nick}' type='groupchat'><body>{text}</body></message>"
            )
        };
        let good = body(1, 0);
        for (child, heard) in [
            (message(1, &good), Some(true)),
            (message(0, &good), None),
            (message(1, "else"), None),
            (message(2, &body(2, 0)), None),
            (message(1, &body(1, 1)), None),
            (message(1, &good).replace("groupchat", "chat"), None),
            (
                "<message from='r@rooms/n0' type='groupchat'><subject/></message>".to_owned(),
                Some(false),
            ),
            ("<presence from='r@rooms/n0'/>".to_owned(), Some(false)),
        ] {
            let found = hear(&mut [0, 0], child.as_bytes(), 0);
            assert_eq!(found.ok(), heard, "{child}");
        }
        let mut heard = [0, 0];
        assert!(hear(&mut heard, message(1, &good).as_bytes(), 0).unwrap());
        assert!(
            hear(&mut heard, message(1, &good).as_bytes(), 0).is_err(),
            "twice"
        );
    }

    #[test]
    fn who_joins_is_told_from_who_is_refused() {
        assert_eq!(nick(b"<presence from='r@rooms/n17'/>").unwrap(), Some(17));
        assert_eq!(nick(b"<presence from='r@rooms'/>").unwrap(), None);
        assert!(nick(b"<presence type='error' from='r@rooms/n17'/>").is_err());
        assert!(nick(b"<presence from='r@rooms/17'/>").is_err());
    }
}
