//! Presence: accounts in a ring, each subscribed to its neighbours, all change it in every round.
//!
//! The subscriptions are made through the protocol (RFC 6121 §3.1), the same way on every server, and
//! kept for the next run. In a round each contact's change must reach each neighbour once.

use std::collections::HashMap;
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
    #[arg(long, default_value_t = 500)]
    users: usize,
    /// Contacts of each user; an even number.
    #[arg(long, default_value_t = 20)]
    contacts: usize,
    /// Rounds to measure; one more goes before.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// No round begins after this many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

pub(crate) async fn run(options: Options) -> Result<Record> {
    let reach = options.contacts / 2;
    ensure!(
        options.users > 2 * reach,
        "a ring of {} has no {} neighbours",
        options.users,
        2 * reach
    );
    let target = Target::new(options.target)?;
    let mut users = Vec::with_capacity(options.users);
    for number in 0..options.users {
        users.push(User::new(&target, number).await?);
    }
    for distance in 1..=reach {
        users = befriend(users, &target, distance, options.users).await?;
    }
    for user in &mut users {
        user.session.ping(target.domain(), |_| Ok(())).await?;
        ensure!(
            user.contacts.len() == 2 * reach,
            "{} has {} contacts",
            user.bare(),
            user.contacts.len()
        );
    }
    let (mut users, _) = round(users, 1).await?;
    let before = target.usage()?;
    let began = Instant::now();
    let mut latencies = Vec::new();
    for number in 2..options.rounds + 2 {
        if began.elapsed() > Duration::from_secs(options.seconds) {
            break;
        }
        let (after, of_round) = round(users, number).await?;
        users = after;
        latencies.extend(of_round);
    }
    let seconds = began.elapsed().as_secs_f64();
    let after = target.usage()?;
    let mut ends = JoinSet::new();
    for user in users {
        let target = Arc::clone(&target);
        ends.spawn(async move { user.finish(&target).await });
    }
    ends.join_all().await.into_iter().collect::<Result<()>>()?;
    let count = latencies.len() as u64;
    let shape = format!("{} users, {} contacts each", options.users, 2 * reach);
    Ok(Record {
        count,
        seconds,
        cpu_us: before
            .zip(after)
            .and_then(|(before, after)| cpu_per_unit(before.cpu, after.cpu, count)),
        ..target
            .record("presence", "delivery", shape)
            .with_latencies(latencies)
    })
}

/// Makes every user and those at this distance in the ring contacts of each other.
async fn befriend(
    users: Vec<User>,
    target: &Arc<Target>,
    distance: usize,
    size: usize,
) -> Result<Vec<User>> {
    let mut tasks = JoinSet::new();
    for (number, mut user) in users.into_iter().enumerate() {
        let domain = target.domain();
        let peers = [
            (number + distance) % size,
            (number + size - distance) % size,
        ]
        .map(|peer| format!("{}@{domain}", target.account(peer)));
        tasks.spawn(async move {
            let made = timeout(STEP_TIME_MAX, user.befriend(&peers)).await;
            made.with_context(|| format!("{} waits for {peers:?}", user.bare()))??;
            anyhow::Ok((number, user))
        });
    }
    collect(tasks).await
}

/// Everyone changes presence, then waits for the changes of all contacts. The latencies count from the
/// beginning of the round.
async fn round(users: Vec<User>, number: u32) -> Result<(Vec<User>, Vec<Duration>)> {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for (position, mut user) in users.into_iter().enumerate() {
        tasks.spawn(async move {
            let heard = timeout(STEP_TIME_MAX, user.round(number, began)).await;
            heard
                .with_context(|| format!("{} misses presence in round {number}", user.bare()))??;
            anyhow::Ok((position, user))
        });
    }
    let mut users = collect(tasks).await?;
    let latencies = users
        .iter_mut()
        .flat_map(|user| std::mem::take(&mut user.latencies))
        .collect();
    Ok((users, latencies))
}

/// The users of all tasks in the order of the ring.
async fn collect(mut tasks: JoinSet<Result<(usize, User)>>) -> Result<Vec<User>> {
    let mut users = Vec::with_capacity(tasks.len());
    while let Some(done) = tasks.join_next().await {
        users.push(done??);
    }
    users.sort_by_key(|(position, _)| *position);
    Ok(users.into_iter().map(|(_, user)| user).collect())
}

struct User {
    session: Session,
    /// Contacts with a subscription both ways, and the last round heard of each.
    contacts: HashMap<String, u32>,
    latencies: Vec<Duration>,
}

impl User {
    /// Logs in, asks for the roster, becomes available.
    async fn new(target: &Target, number: usize) -> Result<Self> {
        let mut session = Session::log_in(target, number, "presence").await?;
        let request = "<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>";
        let roster = session.ask("roster", request, |_| Ok(())).await?;
        let mut user = Self {
            session,
            contacts: HashMap::new(),
            latencies: Vec::new(),
        };
        user.note_items(&roster);
        user.session.send(b"<presence/>").await?;
        Ok(user)
    }

    fn bare(&self) -> &str {
        scan::bare(&self.session.jid)
    }

    /// Takes contacts with a subscription both ways from the items of a roster or a roster push (RFC 6121 §2.1).
    fn note_items(&mut self, iq: &[u8]) {
        let mut rest = iq;
        while let Some(start) = memchr::memmem::find(rest, b"<item") {
            rest = rest.get(start..).unwrap_or_default();
            if let (Some(jid), Some("both")) = (
                scan::attribute(rest, "jid"),
                scan::attribute(rest, "subscription"),
            ) {
                self.contacts.entry(jid.to_owned()).or_insert(0);
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }

    async fn befriend(&mut self, peers: &[String; 2]) -> Result<()> {
        for peer in peers
            .iter()
            .filter(|peer| !self.contacts.contains_key(*peer))
        {
            let ask = format!(
                "<iq type='set' id='set'><query xmlns='jabber:iq:roster'><item jid='{peer}'/></query></iq>\
                 <presence to='{peer}' type='subscribe'/>"
            );
            self.session.send(ask.as_bytes()).await?;
        }
        while !peers.iter().all(|peer| self.contacts.contains_key(peer)) {
            let child = self.session.child().await?;
            let kind = scan::attribute(&child, "type");
            if kind == Some("error") {
                bail!("{}: {}", self.bare(), String::from_utf8_lossy(&child));
            }
            if child.starts_with(b"<iq") && kind == Some("set") {
                let id = scan::attribute(&child, "id").unwrap_or_default();
                self.session
                    .send(format!("<iq type='result' id='{id}'/>").as_bytes())
                    .await?;
                self.note_items(&child);
            } else if child.starts_with(b"<presence") && kind == Some("subscribe") {
                let from = scan::attribute(&child, "from").context("presence from nobody")?;
                let approval = format!("<presence to='{}' type='subscribed'/>", scan::bare(from));
                self.session.send(approval.as_bytes()).await?;
            }
        }
        Ok(())
    }

    async fn round(&mut self, number: u32, began: Instant) -> Result<()> {
        let change = format!("<presence><status>round {number}</status></presence>");
        self.session.send(change.as_bytes()).await?;
        let mut missing = self.contacts.len();
        while missing > 0 {
            self.session.fill().await?;
            while let Some(child) = self.session.arrived()? {
                if let Some(from) = heard(&mut self.contacts, child, number)? {
                    self.latencies.push(began.elapsed());
                    missing = missing
                        .checked_sub(1)
                        .with_context(|| format!("one too many, from {from}"))?;
                }
            }
        }
        Ok(())
    }

    /// Nothing may arrive twice.
    async fn finish(mut self, target: &Target) -> Result<()> {
        let contacts = &self.contacts;
        let unexpected = |child: &[u8]| match sender(contacts, child) {
            Some((from, heard)) => bail!("presence of {from} after all rounds: {heard}"),
            None => Ok(()),
        };
        self.session.ping(target.domain(), unexpected).await?;
        self.session.close().await
    }
}

/// The contact whose change this is, and the text of the change.
fn sender<'a>(contacts: &HashMap<String, u32>, child: &'a [u8]) -> Option<(&'a str, &'a str)> {
    let status = scan::between(child, "<status>round ", "</status>")?;
    let from = scan::bare(scan::attribute(child, "from")?);
    (child.starts_with(b"<presence") && contacts.contains_key(from)).then_some((from, status))
}

/// Notes the change of a contact; an error where it is not that of this round or came already.
fn heard<'a>(
    contacts: &mut HashMap<String, u32>,
    child: &'a [u8],
    round: u32,
) -> Result<Option<&'a str>> {
    let Some((from, status)) = sender(contacts, child) else {
        return Ok(None);
    };
    let last = contacts.insert(from.to_owned(), round);
    ensure!(
        status.parse() == Ok(round),
        "{from}: round {status} in round {round}"
    );
    ensure!(
        last == Some(round - 1),
        "{from}: round {round} after {last:?}"
    );
    Ok(Some(from))
}

/// A step in which everybody takes part: one distance of subscriptions, or one round.
const STEP_TIME_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_and_in_its_round() {
        let mut contacts = HashMap::from([("a@b".to_owned(), 1)]);
        let change = b"<presence from='a@b/c'><status>round 2</status></presence>";
        assert_eq!(
            heard(&mut contacts, b"<presence from='a@b/c'/>", 2).unwrap(),
            None
        );
        assert_eq!(heard(&mut contacts, change, 2).unwrap(), Some("a@b"));
        assert!(heard(&mut contacts, change, 2).is_err(), "twice");
        assert!(heard(&mut contacts, change, 3).is_err(), "late");
    }
}
