//! A contact center without connections, for the tests of this room.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;

use super::center::{Center, Place};
use super::draft::Draft;
use super::settings::REASON_CODES;
use crate::admin::{Actor, Operator, perform};
use crate::config::Config;
use crate::domain::customer::{self, Customer, Profile};
use crate::domain::reason_code::{Kind, ReasonCode, ReasonCodes};
use crate::domain::rights::Role;
use crate::extensions::testing::{Client, House};
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::{AuditFilter, RecordChange, RecordWrite, RecordsWritten};

/// The contact center of the house, for what tests do without a door.
pub(super) struct Inside(pub(super) Arc<Center>);

/// The service of every test.
pub(super) const CENTER: &str = "center.localhost";

/// A house with a contact center: agents of `localhost`, who have reasons to choose from.
pub(super) struct Floor {
    pub(super) house: House,
}

impl Floor {
    /// With those accounts, agents each; `name:supervisor` has another role.
    pub(super) async fn new(people: &[&str]) -> Self {
        Box::pin(Self::configured(people, Config::default())).await
    }

    /// [`Floor::new`] with another configuration.
    pub(super) async fn configured(people: &[&str], config: Config) -> Self {
        let house = |hooks: &mut Hooks, config: &Arc<Config>| {
            *hooks = crate::extensions::hooks_with(config, &[super::register]);
        };
        Box::pin(Self::beside(people, config, house)).await
    }

    /// [`Floor::configured`] with what else there is: `register` makes all hooks.
    pub(super) async fn beside(
        people: &[&str],
        config: Config,
        register: fn(&mut Hooks, &Arc<Config>),
    ) -> Self {
        let names = people.iter().map(|it| it.split(':').next().unwrap());
        let names: Vec<&str> = names.collect();
        let house = House::configured(&names, config, register).await;
        let services = Arc::clone(house.router.services());
        for person in people {
            let (name, role) = person.split_once(':').unwrap_or((person, "agent"));
            set_role(&services, name, role.parse().unwrap()).await;
        }
        let floor = Self { house };
        floor.give_reasons().await;
        services.hooks.run_starting(&services).await.unwrap();
        floor
    }

    /// The server is killed and runs again; everybody has to connect anew.
    pub(super) async fn killed(self) -> Self {
        let config = Arc::clone(&self.house.router.services().config);
        Box::pin(self.killed_for(config)).await
    }

    /// The same with another configuration from then on.
    pub(super) async fn killed_for(self, config: Arc<Config>) -> Self {
        let house = Box::pin(self.house.killed_for(config)).await;
        let services = Arc::clone(house.router.services());
        services.hooks.run_starting(&services).await.unwrap();
        Self { house }
    }

    /// `lunch`, `meeting` (the default) and `shift-over`.
    async fn give_reasons(&self) {
        let code = |kind, code: &str, label: &str, default| ReasonCode {
            kind,
            code: code.to_owned(),
            labels: [("en".to_owned(), label.to_owned())].into(),
            default,
            active: true,
        };
        let reasons = ReasonCodes {
            version: 1,
            codes: vec![
                code(Kind::NotReady, "lunch", "Lunch", false),
                code(Kind::NotReady, "meeting", "Meeting", true),
                code(Kind::Logout, "shift-over", "Shift is over", false),
            ],
        };
        self.set(REASON_CODES, "localhost", 1, &reasons).await;
    }

    /// Writes what an administrator sets: its first version, or another.
    pub(super) async fn set(
        &self,
        kind: &'static str,
        id: &str,
        version: i64,
        value: &impl Serialize,
    ) {
        let snapshot: Arc<str> = serde_json::to_string(value).unwrap().into();
        let change = RecordChange {
            kind,
            id: id.into(),
            read: version - 1,
            version,
            events: vec![Arc::clone(&snapshot)],
            snapshot,
            due: None,
            listings: None,
        };
        let write = RecordWrite {
            changes: vec![change],
            ..RecordWrite::default()
        };
        let store = &self.house.router.services().store;
        let written = store.records().write(write).await.unwrap();
        assert_eq!(written, RecordsWritten::Done);
    }

    /// The contact center itself, and that of `localhost`.
    pub(super) fn inside(&self) -> (Arc<Center>, Arc<Place>) {
        let services = self.house.router.services();
        let inside = services.hooks.offers().find::<Inside>().unwrap();
        let place = Arc::clone(inside.0.place_of("localhost").unwrap());
        (Arc::clone(&inside.0), place)
    }

    /// Has an administrator's operation done.
    pub(super) async fn operate(&self, name: &str, given: &[(&str, &str)]) {
        let services = Arc::clone(self.house.router.services());
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let given = given.iter().map(own).collect();
        let by = Actor::command_line(None);
        Box::pin(perform(&Operator::running(services), &by, name, &given))
            .await
            .unwrap();
    }

    /// Puts a customer down who is known under a number or an e-mail address.
    pub(super) async fn customer(&self, id: &str, name: &str, address: &str) {
        let (center, _) = self.inside();
        let services = self.house.router.services();
        let fresh = Customer::new(id.parse().unwrap(), "localhost".to_owned());
        let (emails, telephones) = match address.contains('@') {
            true => (vec![address.to_owned()], vec![]),
            false => (vec![], vec![address.to_owned()]),
        };
        let profile = Profile {
            name: name.to_owned(),
            telephones,
            emails,
            ..Profile::default()
        };
        let decided = async |mut draft: Draft| {
            let command = customer::Command::Create(profile.clone());
            let events = customer::decide(&fresh, command, services.clock.now())?;
            draft.change(&fresh, &events)?;
            Ok((draft, ()))
        };
        center.save(services, decided).await.unwrap();
    }

    /// A session that has asked for its roster and is available.
    pub(super) async fn online(&self, name: &str) -> Client {
        let mut client = self.house.client(name);
        client
            .send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
            .await;
        client.send("<presence/>").await;
        client.received();
        client
    }
}

/// Gives a role past all that follows it.
pub(super) async fn set_role(services: &Services, name: &str, role: Role) -> BareJid {
    let jid = BareJid::new(&format!("{name}@localhost")).unwrap();
    assert!(
        services
            .store
            .accounts()
            .set_role(&jid, role)
            .await
            .unwrap()
    );
    jid
}

/// Asks the service, and gives what it answered.
pub(super) async fn ask(client: &mut Client, kind: &str, payload: &str) -> String {
    let iq = format!("<iq type='{kind}' id='ask' to='{CENTER}'>{payload}</iq>");
    client.send(&iq).await;
    let received = client.received_xml();
    let answers = received.iter().filter(|it| it.contains("id='ask'"));
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers.len(), 1, "{received:?}");
    answers[0].clone()
}

/// Has something done step by step, and looks after each of them, so that nothing that is so in between stays unseen.
pub(super) async fn watched<T>(done: impl Future<Output = T>, looks: impl AsyncFn()) -> T {
    let mut done = pin!(done);
    loop {
        let step = poll_fn(|context| Poll::Ready(done.as_mut().poll(context))).await;
        looks().await;
        if let Poll::Ready(done) = step {
            return done;
        }
    }
}

/// The entries of the audit trail that are about something written, sorted: who has done what with what.
pub(super) async fn trail(floor: &Floor) -> Vec<(String, String, String)> {
    let audit = floor.house.router.services().store.audit();
    let entries = audit.list(&AuditFilter::default(), 1_000).await.unwrap();
    let written = entries.into_iter().filter(|it| it.result == "done");
    let mut written: Vec<_> = written
        .map(|it| (it.actor, it.operation, it.target))
        .collect();
    written.sort_unstable();
    written
}

/// Executes a command: its forms are filled with those fields, where it has any.
pub(super) async fn command(client: &mut Client, node: &str, fields: &[(&str, &str)]) -> String {
    let begun = begun(client, node).await;
    if !begun.contains("status='executing'") {
        return begun;
    }
    let answer = filled(client, node, &begun, fields).await;
    // What is held already was asked for by the first one.
    match answer.contains("status='executing'") {
        true => filled(client, node, &answer, fields).await,
        false => answer,
    }
}

/// Begins a command; gives the first form, or what it answers without one.
pub(super) async fn begun(client: &mut Client, node: &str) -> String {
    let ns = "http://jabber.org/protocol/commands";
    let begun = format!("<command xmlns='{ns}' node='{node}' action='execute'/>");
    ask(client, "set", &begun).await
}

/// Fills in the form that a command has answered with.
pub(super) async fn filled(
    client: &mut Client,
    node: &str,
    form: &str,
    fields: &[(&str, &str)],
) -> String {
    let ns = "http://jabber.org/protocol/commands";
    let (_, rest) = form.split_once("sessionid='").unwrap();
    let id = rest.split('\'').next().unwrap();
    let field = |(name, value): &(&str, &str)| {
        let values = value
            .split('\n')
            .map(|line| format!("<value>{line}</value>"));
        format!("<field var='{name}'>{}</field>", values.collect::<String>())
    };
    let fields: String = fields.iter().map(field).collect();
    let filled = format!(
        "<command xmlns='{ns}' node='{node}' sessionid='{id}'>\
         <x xmlns='jabber:x:data' type='submit'>{fields}</x></command>"
    );
    ask(client, "set", &filled).await
}

/// What was sent to the client, up to something with that in it.
pub(super) async fn until(client: &mut Client, part: &str) -> Vec<String> {
    let mut all = Vec::new();
    let heard = async {
        while !all.iter().any(|it: &String| it.contains(part)) {
            tokio::task::yield_now().await;
            all.extend(client.received_xml());
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(20), heard)
        .await
        .is_ok();
    assert!(heard, "{part} in {all:?}");
    all
}
