//! Presence: accounts in a ring, each subscribed to its neighbours, all change it in every round.
//!
//! The subscriptions are made through the protocol (RFC 6121 §3.1), the same way on every server, and
//! kept for the next run. In a round each contact's change must reach each neighbour once.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout, timeout_at};

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
    let target = Target::new(options.target)?;
    let pace = Pace {
        least: Duration::ZERO,
        spread: Duration::ZERO,
    };
    let mut ring = Ring::new(&target, 0..options.users, options.contacts, pace).await?;
    let until = Instant::now() + Duration::from_secs(options.seconds);
    ring.warm_up(Change::Status).await?;
    ring.measure(Change::Status, options.rounds, until).await?;
    let record = ring.record("presence");
    ring.finish(Change::Status).await?;
    Ok(record)
}

/// What a user changes in a round, and how its contacts hear of it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// The text in its own presence.
    Status,
    /// Its state as an agent, through the service there; not ready for the reason of that code.
    State {
        service: &'static str,
        reason: &'static str,
    },
    /// That it is an agent no longer.
    Logout {
        service: &'static str,
        reason: &'static str,
    },
}

/// How long rounds take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// No round begins sooner behind the beginning of the last one.
    pub(crate) least: Duration,
    /// The time over which the changes of a round are spread, one user behind the other; all at once where it is zero.
    pub(crate) spread: Duration,
}

/// Users who are contacts of their neighbours, and what has been measured of their rounds.
pub(crate) struct Ring {
    target: Arc<Target>,
    pace: Pace,
    users: Vec<User>,
    /// The last round of this change that all have heard of.
    number: u32,
    latencies: Vec<Duration>,
    /// Time of the server's process, where that is known, and of the clock, in what was measured.
    cpu: Option<Duration>,
    took: Duration,
}

impl Ring {
    /// The users of those accounts, each with that many contacts.
    pub(crate) async fn new(
        target: &Arc<Target>,
        accounts: Range<usize>,
        contacts: usize,
        pace: Pace,
    ) -> Result<Self> {
        let (size, reach) = (accounts.len(), contacts / 2);
        ensure!(
            size > 2 * reach,
            "a ring of {size} has no {} neighbours",
            2 * reach
        );
        let mut users = Vec::with_capacity(size);
        for number in accounts.clone() {
            users.push(User::new(target, number).await?);
        }
        for distance in 1..=reach {
            users = befriend(users, target, distance, &accounts).await?;
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
        Ok(Self {
            target: Arc::clone(target),
            pace,
            users,
            number: 0,
            latencies: Vec::new(),
            cpu: None,
            took: Duration::ZERO,
        })
    }

    /// The first round of that change, which is not measured.
    pub(crate) async fn warm_up(&mut self, change: Change) -> Result<()> {
        // What was heard of contacts was of another change.
        for user in &mut self.users {
            user.contacts.values_mut().for_each(|heard| *heard = 0);
        }
        self.number = 0;
        self.round(change).await?;
        Ok(())
    }

    /// That many more rounds of the change that was warmed up, none of which begins after that moment. What they took is
    /// added to what was measured, and given back: time of the server's process for each delivery, in microseconds.
    pub(crate) async fn measure(
        &mut self,
        change: Change,
        rounds: u32,
        until: Instant,
    ) -> Result<Option<f64>> {
        let before = self.target.usage()?;
        let began = Instant::now();
        let mut count = 0;
        for _ in 0..rounds {
            if Instant::now() > until {
                break;
            }
            let next = Instant::now() + self.pace.least;
            let latencies = self.round(change).await?;
            count += latencies.len() as u64;
            self.latencies.extend(latencies);
            sleep_until(next.into()).await;
        }
        self.took += began.elapsed();
        let after = self.target.usage()?;
        if let (Some(before), Some(after)) = (&before, &after) {
            *self.cpu.get_or_insert_default() += before.until(after);
        }
        Ok(cpu_per_unit(before.as_ref(), after.as_ref(), count))
    }

    /// All that was measured.
    pub(crate) fn record(&self, load: &'static str) -> Record {
        let contacts = self.users.first().map_or(0, |it| it.contacts.len());
        let when = match self.pace.spread.is_zero() {
            true => "",
            false => ", one behind the other",
        };
        let shape = format!("{} users, {contacts} contacts each{when}", self.users.len());
        let count = self.latencies.len();
        Record {
            count: count as u64,
            seconds: self.took.as_secs_f64(),
            cpu_us: self
                .cpu
                .filter(|_| count > 0)
                .map(|cpu| cpu.as_secs_f64() * 1e6 / count as f64),
            ..self
                .target
                .record(load, "delivery", shape)
                .with_latencies(self.latencies.clone())
        }
    }

    /// Nothing may come behind the last round, which was of that change; the sessions end.
    pub(crate) async fn finish(self, last: Change) -> Result<()> {
        let mut pings = JoinSet::new();
        for (position, mut user) in self.users.into_iter().enumerate() {
            let target = Arc::clone(&self.target);
            pings.spawn(async move {
                user.expect_nothing(&target, last).await?;
                anyhow::Ok((position, user))
            });
        }
        // Whoever leaves is heard of by the others.
        let users = collect(pings).await?;
        let mut ends = JoinSet::new();
        for user in users {
            ends.spawn(user.session.close());
        }
        ends.join_all().await.into_iter().collect()
    }

    /// Everyone changes presence when its turn comes, and waits for the changes of all contacts. The latencies count from
    /// the turn of the contact.
    async fn round(&mut self, change: Change) -> Result<Vec<Duration>> {
        let number = self.number + 1;
        let turns = Turns::new(&self.users, self.pace.spread);
        let mut tasks = JoinSet::new();
        for (position, mut user) in std::mem::take(&mut self.users).into_iter().enumerate() {
            let turns = Arc::clone(&turns);
            tasks.spawn(async move {
                let heard = timeout(STEP_TIME_MAX, user.round(change, number, &turns)).await;
                heard.with_context(|| {
                    format!("{} misses presence in round {number}", user.bare())
                })??;
                anyhow::Ok((position, user))
            });
        }
        self.users = collect(tasks).await?;
        self.number = number;
        Ok(self
            .users
            .iter_mut()
            .flat_map(|user| std::mem::take(&mut user.latencies))
            .collect())
    }
}

/// Makes every user and those at this distance in the ring contacts of each other.
async fn befriend(
    users: Vec<User>,
    target: &Arc<Target>,
    distance: usize,
    accounts: &Range<usize>,
) -> Result<Vec<User>> {
    let (first, size) = (accounts.start, accounts.len());
    let mut tasks = JoinSet::new();
    for (number, mut user) in users.into_iter().enumerate() {
        let domain = target.domain();
        let peers = [
            (number + distance) % size,
            (number + size - distance) % size,
        ]
        .map(|peer| format!("{}@{domain}", target.account(first + peer)));
        tasks.spawn(async move {
            let made = timeout(STEP_TIME_MAX, user.befriend(&peers)).await;
            made.with_context(|| format!("{} waits for {peers:?}", user.bare()))??;
            anyhow::Ok((number, user))
        });
    }
    collect(tasks).await
}

/// When the turn of each user comes in a round.
struct Turns {
    began: Instant,
    of: HashMap<String, Instant>,
}

impl Turns {
    /// From now on, one behind the other, all within that time.
    fn new(users: &[User], spread: Duration) -> Arc<Self> {
        let began = Instant::now();
        let size = u32::try_from(users.len()).unwrap_or(u32::MAX).max(1);
        let step = spread / size;
        let turns = (0u32..).map(|number| began + step * number);
        let bares = users.iter().map(|user| user.bare().to_owned());
        Arc::new(Self {
            began,
            of: bares.zip(turns).collect(),
        })
    }

    fn of(&self, bare: &str) -> Instant {
        self.of.get(bare).copied().unwrap_or(self.began)
    }
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

/// One of the ring.
pub(crate) struct User {
    pub(crate) session: Session,
    /// Contacts with a subscription both ways, and the last round heard of each.
    contacts: HashMap<String, u32>,
    /// Of the round that goes on.
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

    pub(crate) fn bare(&self) -> &str {
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

    async fn round(&mut self, change: Change, number: u32, turns: &Turns) -> Result<()> {
        let turn = turns.of(self.bare());
        let (mut missing, mut said) = (self.contacts.len(), false);
        while missing > 0 || !said {
            if said {
                self.session.fill().await?;
            } else if let Ok(filled) = timeout_at(turn.into(), self.session.fill()).await {
                filled?;
            } else {
                self.session.send(change.said(number).as_bytes()).await?;
                said = true;
            }
            while let Some(child) = self.session.arrived()? {
                if let Some(from) = heard(&mut self.contacts, child, change, number)? {
                    self.latencies.push(turns.of(from).elapsed());
                    missing = missing
                        .checked_sub(1)
                        .with_context(|| format!("one too many, from {from}"))?;
                }
            }
        }
        Ok(())
    }

    /// Nothing may arrive twice.
    async fn expect_nothing(&mut self, target: &Target, last: Change) -> Result<()> {
        let contacts = &self.contacts;
        let unexpected = |child: &[u8]| match sender(contacts, child, last) {
            Some((from, heard)) => bail!("presence of {from} after all rounds: {heard}"),
            None => Ok(()),
        };
        self.session.ping(target.domain(), unexpected).await
    }
}

impl Change {
    /// What a user sends in that round.
    fn said(self, number: u32) -> String {
        match self {
            Self::Status => format!("<presence><status>round {number}</status></presence>"),
            Self::State { service, reason } => {
                let ns = "urn:parlour:agent:0";
                let request = match number {
                    1 => format!("<login xmlns='{ns}'/>"),
                    _ if number.is_multiple_of(2) => {
                        format!("<not-ready xmlns='{ns}' reason='{reason}'/>")
                    }
                    _ => format!("<ready xmlns='{ns}'/>"),
                };
                format!("<iq type='set' id='round{number}' to='{service}'>{request}</iq>")
            }
            Self::Logout { service, reason } => format!(
                "<iq type='set' id='logout' to='{service}'>\
                 <logout xmlns='urn:parlour:agent:0' reason='{reason}'/></iq>"
            ),
        }
    }

    /// What contacts hear of it.
    fn expected(self, number: u32) -> String {
        match self {
            Self::Status => number.to_string(),
            Self::State { .. } if number.is_multiple_of(2) => "not-ready".to_owned(),
            Self::State { .. } => "available".to_owned(),
            Self::Logout { .. } => "logged-out".to_owned(),
        }
    }
}

/// The contact whose change this is, and the text of the change.
fn sender<'a>(
    contacts: &HashMap<String, u32>,
    child: &'a [u8],
    change: Change,
) -> Option<(&'a str, &'a str)> {
    let told = match change {
        Change::Status => scan::between(child, "<status>round ", "</status>")?,
        Change::State { .. } | Change::Logout { .. } => {
            scan::between(child, "<agent xmlns='urn:parlour:agent:0' state='", "'")?
        }
    };
    let from = scan::bare(scan::attribute(child, "from")?);
    (child.starts_with(b"<presence") && contacts.contains_key(from)).then_some((from, told))
}

/// Notes the change of a contact; an error where it is not that of this round or came already, and where the server
/// refuses one's own.
fn heard<'a>(
    contacts: &mut HashMap<String, u32>,
    child: &'a [u8],
    change: Change,
    round: u32,
) -> Result<Option<&'a str>> {
    if child.starts_with(b"<iq") && scan::attribute(child, "type") == Some("error") {
        bail!("{}", String::from_utf8_lossy(child));
    }
    let Some((from, told)) = sender(contacts, child, change) else {
        return Ok(None);
    };
    let last = contacts.insert(from.to_owned(), round);
    ensure!(
        told == change.expected(round),
        "{from}: {told} in round {round}"
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
        let mut heard = |child, round| heard(&mut contacts, child, Change::Status, round);
        assert_eq!(heard(b"<presence from='a@b/c'/>", 2).unwrap(), None);
        assert_eq!(heard(change, 2).unwrap(), Some("a@b"));
        assert!(heard(change, 2).is_err(), "twice");
        assert!(heard(change, 3).is_err(), "late");
    }

    #[test]
    fn a_state_counts_once_and_in_its_round() {
        let mut contacts = HashMap::from([("a@b".to_owned(), 1)]);
        let told = |state: &str| {
            let agent = format!("<agent xmlns='urn:parlour:agent:0' state='{state}' view='busy'/>");
            format!("<presence from='a@b/c'>{agent}</presence>").into_bytes()
        };
        let change = Change::State {
            service: "center.b",
            reason: "lunch",
        };
        let mut heard = |child: &[u8], round| {
            heard(&mut contacts, child, change, round).map(|from| from.map(str::to_owned))
        };
        assert_eq!(
            heard(&told("not-ready"), 2).unwrap().as_deref(),
            Some("a@b")
        );
        assert!(heard(&told("not-ready"), 2).is_err(), "twice");
        assert!(heard(&told("not-ready"), 3).is_err(), "not in this round");
        let refused = b"<iq type='error' id='round2'><error type='cancel'/></iq>";
        assert!(heard(refused, 2).is_err(), "refused");
    }
}
