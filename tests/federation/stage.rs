//! Parlour and one other server, each with its own domain, which find each other by a test name server and
//! trust a test authority.

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::authority::Authority;
use crate::dns::{Entry, TestDns};
use crate::house::House;
use crate::identity::Identity;
use crate::neighbour::{Kind, Neighbour, Proof};
use crate::person::{PASSWORD, Person};
use crate::place::{CLIENTS, Place, SERVERS, SERVERS_DIRECT_TLS};

/// Parlour's domain.
pub(crate) const OURS: &str = "parlour.example";
/// The other server's.
pub(crate) const THEIRS: &str = "peer.example";
/// A domain that the name server does not know.
pub(crate) const NOWHERE: &str = "nowhere.example";

/// Who has an account on Parlour.
const PEOPLE: [&str; 2] = ["romeo", "mercutio"];

/// What differs from test to test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// More lines for `[s2s]`.
    pub(crate) s2s: &'static str,
    /// Our certificate.
    pub(crate) own: Identity,
    /// The other server's certificate.
    pub(crate) identity: Identity,
    /// What the other server wants to see.
    pub(crate) proof: Proof,
    /// How both are found.
    pub(crate) entry: Entry,
}

impl Setup {
    /// Valid certificates and STARTTLS on both sides.
    pub(crate) const USUAL: Self = Self {
        s2s: "",
        own: Identity::Valid,
        identity: Identity::Valid,
        proof: Proof::Certificate,
        entry: Entry::StartTls,
    };
}

/// Who finds whom, and whom all trust.
pub(crate) struct World {
    pub(crate) dns: TestDns,
    pub(crate) authority: Authority,
    folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Result<Self> {
        Ok(Self {
            dns: TestDns::start().await?,
            authority: Authority::new("Parlour test federation")?,
            folder: tempfile::tempdir()?,
        })
    }

    /// Makes `domain` and its rooms found at `place`.
    pub(crate) fn announce(&self, domain: &str, entry: Entry, place: Place) {
        let port = match entry {
            Entry::StartTls => SERVERS,
            Entry::DirectTls => SERVERS_DIRECT_TLS,
        };
        for name in [domain.to_owned(), format!("rooms.{domain}")] {
            self.dns.serves(&name, entry, &[place.at(port)]);
        }
    }

    /// Starts Parlour for `domain`, which is found by `entry`; `s2s` are more lines for that
    /// section.
    pub(crate) async fn parlour(&self, domain: &str, entry: Entry, s2s: &str) -> Result<House> {
        Box::pin(self.parlour_as(Identity::Valid, domain, entry, s2s)).await
    }

    /// The same with any certificate.
    async fn parlour_as(
        &self,
        identity: Identity,
        domain: &str,
        entry: Entry,
        s2s: &str,
    ) -> Result<House> {
        let place = Place::new()?;
        let file = |name: &str| self.folder.path().join(format!("{domain}.{name}"));
        let (certificate, key, authorities) = (file("pem"), file("key"), file("authority.pem"));
        let identity = identity.issue(&self.authority, domain)?;
        identity.write(&certificate, &key)?;
        std::fs::write(&authorities, self.authority.pem())?;
        let config = format!(
            "[[host]]
             domain = {domain:?}
             [tls]
             certificate = {certificate:?}
             key = {key:?}
             [listen]
             s2s = ['{starttls}']
             s2s_direct_tls = ['{direct_tls}']
             [log]
             level = 'info,parlour::s2s=debug'
             [s2s]
             enabled = true
             authorities = {authorities:?}
             name_server = '{name_server}'
             connect_seconds = 5
             backoff_seconds_min = 0
             backoff_seconds_max = 1
             {s2s}",
            starttls = place.at(SERVERS),
            direct_tls = place.at(SERVERS_DIRECT_TLS),
            name_server = self.dns.address(),
        );
        let people = PEOPLE.map(|name| format!("{name}@{domain}"));
        let accounts = people.each_ref().map(|jid| (jid.as_str(), PASSWORD));
        self.announce(domain, entry, place);
        House::serving(&config, &accounts).await
    }
}

/// Both servers, running.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) parlour: House,
    pub(crate) neighbour: Neighbour,
}

impl Stage {
    async fn set(kind: Kind, setup: Setup) -> Result<Self> {
        let world = World::new().await?;
        let identity = (&world.authority, setup.identity);
        let name_server = world.dns.address();
        let (parlour, neighbour) = tokio::try_join!(
            world.parlour_as(setup.own, OURS, setup.entry, setup.s2s),
            Neighbour::start_new(kind, THEIRS, identity, setup.proof, name_server),
        )?;
        world.announce(THEIRS, setup.entry, neighbour.place);
        Ok(Self {
            world,
            parlour,
            neighbour,
        })
    }

    /// Somebody with an account on Parlour.
    pub(crate) async fn ours(&self, name: &str) -> Result<Person> {
        ours(&self.parlour, name, OURS).await
    }

    /// Somebody with an account on the other server.
    pub(crate) async fn theirs(&self, name: &str) -> Result<Person> {
        let at = self.neighbour.place.socket(CLIENTS);
        let arrived = Person::arrive(at, &format!("{name}@{THEIRS}")).await;
        arrived.with_context(|| format!("{name} at {THEIRS}"))
    }
}

/// Somebody with an account on a Parlour.
pub(crate) async fn ours(parlour: &House, name: &str, domain: &str) -> Result<Person> {
    let in_ = Person::log_in(parlour.address("c2s")?, &format!("{name}@{domain}")).await;
    let mut person = in_.with_context(|| format!("{name} at {domain}"))?;
    person.is_judged = true;
    Ok(person)
}

/// Sets the stage and plays; whatever fails comes with what the servers have noted.
pub(crate) async fn play(
    kind: Kind,
    setup: Setup,
    scene: impl AsyncFnOnce(&mut Stage) -> Result<()>,
) -> Result<()> {
    let mut stage = Box::pin(Stage::set(kind, setup)).await?;
    let played = Box::pin(scene(&mut stage)).await;
    played.with_context(|| {
        format!(
            "{kind:?}, {setup:?}\n== {kind:?} notes:\n{}\n== Parlour notes:\n{}",
            end(&stage.neighbour.log()),
            end(&stage.parlour.log()),
        )
    })
}

/// How many lines of a log are shown.
const LINES_MAX: usize = 80;

fn end(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].join("\n")
}
