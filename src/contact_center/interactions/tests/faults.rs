//! The connector's stream breaks, or the server is killed, between a request and its confirmation, for each request that there is: the
//! interaction is over afterwards or goes on as the connector says, everybody who was asked has one activity, and nobody is kept
//! from anything by what is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::wire;
use super::*;
use crate::domain::activity::{Activity, id_of};
use crate::domain::agent_state::State;
use crate::domain::ids::AgentId;
use crate::domain::interaction::{Interaction, Leg, Line};
use crate::store::ListOrder;

/// What leads to the request, one after the other, and the request: who, and what.
const CASES: &[(&str, &[&str], &str)] = &[
    ("accept", &[], "ann accept"),
    ("reject", &[], "ann reject"),
    ("hold", &["ann accept"], "ann hold"),
    ("resume", &["ann accept", "ann hold"], "ann resume"),
    ("end", &["ann accept"], "ann end"),
    (
        "transfer to an agent",
        &["ann accept"],
        "ann transfer colleague='bob'",
    ),
    (
        "transfer to a queue",
        &["ann accept"],
        "ann transfer queue='sales'",
    ),
    ("consult", &["ann accept"], "ann consult colleague='bob'"),
    (
        "consult of a held customer",
        &["ann accept", "ann hold"],
        "ann consult colleague='bob'",
    ),
    (
        "accept a consultation",
        &["ann accept", "ann consult colleague='bob'"],
        "bob accept",
    ),
    ("retrieve", CONSULTING, "ann retrieve"),
    ("complete-transfer", CONSULTING, "ann complete-transfer"),
    ("conference", CONSULTING, "ann conference"),
    (
        "conference with another",
        &["ann accept"],
        "ann conference colleague='bob'",
    ),
    (
        "leave",
        &[
            CONSULTING[0],
            CONSULTING[1],
            CONSULTING[2],
            "ann conference",
        ],
        "ann leave",
    ),
    ("dial", &[], "ann dial"),
];

const CONSULTING: &[&str] = &["ann accept", "ann consult colleague='bob'", "bob accept"];

/// What breaks: the stream of the connector, or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Connector,
    Server,
}

/// What the connector does when it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// It had done what it was asked; it is back within the time of the request.
    Done,
    /// The same, long after it.
    DoneLongAgo,
    /// It was never asked, and does it when it is asked once more.
    AskedAgain,
    /// The same, and refuses.
    Refuses,
    /// It was never asked, and it is too late for it.
    TooLate,
    /// It knows of no such interaction.
    Gone,
    /// It does not come back.
    Never,
}

const BACK: &[Back] = &[
    Back::Done,
    Back::DoneLongAgo,
    Back::AskedAgain,
    Back::Refuses,
    Back::TooLate,
    Back::Gone,
    Back::Never,
];

/// Longer than a request waits, and shorter than an offer does.
const LONG_SECONDS: i64 = 20;

/// Two agents, a connector, and one call at a time.
struct Scene {
    floor: Floor,
    clients: BTreeMap<&'static str, Client>,
    calls: usize,
    id: String,
}

impl Scene {
    async fn new() -> Self {
        let floor = floor(&["ann", "bob"]).await;
        let mut clients = BTreeMap::new();
        for name in ["ann", "bob"] {
            clients.insert(name, agent(&floor, &format!("{name}/desk")).await);
        }
        Self {
            floor,
            clients,
            calls: 0,
            id: String::new(),
        }
    }

    /// A new call up to the request, which the connector has been sent.
    async fn asked(&mut self, steps: &[&str], wanted: &str) -> String {
        self.calls += 1;
        self.id = format!("c{}", self.calls);
        if wanted != "ann dial" {
            let offered = offer(&self.floor, &self.id, "ann").await;
            assert!(offered.contains("type='result'"), "{offered}");
        }
        for step in steps {
            let asked = self.want(step).await;
            confirm(&self.floor, &asked).await;
        }
        self.want(wanted).await
    }

    async fn want(&mut self, step: &str) -> String {
        let (name, what) = step.split_once(' ').unwrap();
        let client = self.clients.get_mut(name).unwrap();
        let answer = match what {
            "dial" => {
                let dial = format!("<dial xmlns='{NS}' address='{NUMBER}' connector='{PBX}'/>");
                ask(client, "set", &dial).await
            }
            what => want(client, &self.id, what).await,
        };
        assert!(answer.contains("type='result'"), "{step}: {answer}");
        self.id = attribute(&answer, "interaction", "id").unwrap();
        request(&self.floor, PBX)
    }

    async fn now(&self) -> Interaction {
        let services = self.floor.house.router.services();
        let id = self.id.parse().unwrap();
        super::super::find(services, &id).await.unwrap().unwrap()
    }

    /// How everything is: `held: ann primary connected engaged, bob consulted offered available`.
    async fn brief(&self) -> String {
        let it = self.now().await;
        let parts = it.participants.iter().map(|part| {
            let (role, leg) = (wire::role(part.role), wire::leg(part.leg));
            let state = self.state(&part.agent).name();
            format!("{} {role} {leg} {state}", part.agent.logon())
        });
        let parts: Vec<String> = parts.collect();
        format!("{}: {}", wire::line(it.line), parts.join(", "))
    }

    fn state(&self, agent: &AgentId) -> State {
        self.floor.inside().0.agents.agent(agent).state()
    }

    /// Breaks it, and the server is there again.
    async fn breaks(self, fault: Fault) -> Self {
        match fault {
            Fault::Connector => {
                self.floor.house.component_goes(PBX).await;
                self
            }
            Fault::Server => {
                let Self {
                    floor, calls, id, ..
                } = self;
                let floor = Box::pin(floor.killed()).await;
                let mut clients = BTreeMap::new();
                for name in ["ann", "bob"] {
                    clients.insert(name, floor.online(&format!("{name}/desk")).await);
                }
                Self {
                    floor,
                    clients,
                    calls,
                    id,
                }
            }
        }
    }

    /// The connector is there again and tells that; what it is asked for once more.
    async fn comes(&self, told: &str) -> Vec<String> {
        let house = &self.floor.house;
        house.component_comes(PBX).await;
        let (asked, mut more): (Vec<String>, _) = house
            .component_receives(PBX)
            .into_iter()
            .partition(|it| it.contains("<interactions "));
        assert_eq!(asked.len(), 1, "{asked:?} {more:?}");
        assert!(
            asked[0].contains(&format!("id='{}'/>", self.id)),
            "{asked:?}"
        );
        let id = attribute(&asked[0], "iq", "id").unwrap();
        let answer = format!(
            "<iq type='result' id='{id}' from='{PBX}' to='{CENTER}'>\
             <interactions xmlns='urn:parlour:connector:0'>{told}</interactions></iq>"
        );
        sends(&self.floor, &answer).await;
        more.extend(house.component_receives(PBX));
        more
    }

    /// Time passes, and what is due by then is done.
    async fn passes(&self, seconds: i64) {
        let services = self.floor.house.router.services();
        services.clock.advance_seconds(seconds);
        let (center, _) = self.floor.inside();
        let records = services.store.records();
        let due = records.due(services.clock.now(), None, 100);
        for record in due.await.unwrap() {
            if record.kind == super::super::KIND {
                let (center, services) = (Arc::clone(&center), Arc::clone(services));
                let up = super::super::time_is_up(center, services, record.id);
                Box::pin(up).await.unwrap();
            }
        }
    }

    /// Nothing is told of it that is not so: parts, activities, places and states fit together.
    async fn is_sound(&self, what: &str) {
        let it = self.now().await;
        let records = self.floor.house.router.services().store.records();
        let order = ListOrder::Ascending;
        let owner = format!("localhost {}", self.id);
        let list = ("interaction", owner.as_str());
        let stored = records.listed("activity", list, None, order, 100).await;
        let all: Vec<Activity> = stored
            .unwrap()
            .iter()
            .map(|it| serde_json::from_str(&it.snapshot).unwrap())
            .collect();
        assert_eq!(all.len(), it.participants.len(), "{what}: {all:?} {it:?}");
        for (place, part) in it.participants.iter().enumerate() {
            let id = id_of(&it.id, place, part.offered_at);
            let own: Vec<_> = all.iter().filter(|it| it.id == id).collect();
            assert_eq!(own.len(), 1, "{what}: {all:?}");
            assert_eq!(
                own[0].closed_at.is_none(),
                part.leg.is_open(),
                "{what}: {it:?}"
            );
        }
        for name in ["ann@localhost", "bob@localhost"] {
            let agent: AgentId = name.parse().unwrap();
            let seats = records.count("interaction", ("voice", name)).await.unwrap();
            let takes = it.counts_for(&agent) || it.expected() == Some(&agent);
            assert_eq!(seats, u64::from(takes), "{what}: {name} {it:?}");
            let state = match it.part(&agent).map(|part| part.leg) {
                Some(Leg::Connected) => State::Engaged,
                Some(Leg::WrapUp) => State::WrapUp,
                Some(_) | None => State::Available,
            };
            assert_eq!(self.state(&agent), state, "{what}: {name} {it:?}");
        }
        if it.is_over() {
            assert!(
                it.request.is_none() && it.deadline().is_none(),
                "{what}: {it:?}"
            );
        }
    }

    /// The call ends if it has not, everybody writes up, and can take the next one.
    async fn ends(&mut self, what: &str) {
        if !self.floor.house.component_is_there(PBX) {
            // It is back when there is nothing to ask it for.
            self.floor.house.component_comes(PBX).await;
            assert!(self.floor.house.component_receives(PBX).is_empty());
        }
        let told = report(&self.floor, &self.id, "ended").await;
        assert!(told.contains("line='over'"), "{what}: {told}");
        for client in self.clients.values_mut() {
            ask(client, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
            client.received();
        }
        self.floor.house.component_receives(PBX);
        let it = self.now().await;
        let written = it
            .participants
            .iter()
            .all(|it| it.leg != Leg::WrapUp && !it.leg.is_open());
        assert!(written && it.is_over(), "{what}: {it:?}");
        for part in &it.participants {
            assert_eq!(self.state(&part.agent), State::Available, "{what}: {it:?}");
        }
    }
}

/// What a connector tells of that interaction.
fn told(it: &Interaction) -> String {
    let agents = it
        .participants
        .iter()
        .filter(|part| part.leg == Leg::Connected);
    let agents: String = agents
        .map(|part| format!("<agent jid='{}'/>", part.agent))
        .collect();
    match it.line {
        Line::Over { .. } => String::new(),
        line => {
            let line = wire::line(line);
            format!(
                "<interaction id='{}' line='{line}'>{agents}</interaction>",
                it.id
            )
        }
    }
}

/// How a case goes when nothing breaks, and where it has come when something does.
struct Course {
    asked: String,
    before: Interaction,
    done: Interaction,
    expected: String,
    not_done: String,
    dialed: bool,
}

/// One case with one fault, in all ways in which it can go on.
async fn goes_on(name: &str, steps: &[&str], wanted: &str, fault: Fault) {
    let mut scene = Scene::new().await;
    for back in BACK {
        let what = format!("{name}, {fault:?}, {back:?}");
        let asked = scene.asked(steps, wanted).await;
        let before = scene.now().await;
        confirm(&scene.floor, &asked).await;
        let (done, expected) = (scene.now().await, scene.brief().await);
        scene.is_sound(&what).await;
        scene.ends(&what).await;
        let asked = scene.asked(steps, wanted).await;
        let not_done = scene.brief().await;
        scene = scene.breaks(fault).await;
        scene.is_sound(&what).await;
        let id = scene.now().await.id;
        let course = Course {
            asked,
            before: Interaction {
                id: id.clone(),
                ..before
            },
            done: Interaction { id, ..done },
            expected,
            not_done,
            dialed: wanted == "ann dial",
        };
        comes_back(&scene, *back, &course, &what).await;
        scene.is_sound(&what).await;
        scene.ends(&what).await;
    }
}

async fn comes_back(scene: &Scene, back: Back, course: &Course, what: &str) {
    let Course {
        asked,
        before,
        done,
        expected,
        not_done,
        dialed,
    } = course;
    let shows = told(before) != told(done);
    match back {
        Back::Done => {
            let again = scene.comes(&told(done)).await;
            if !shows {
                // It cannot be seen, and the connector answers once more.
                assert!(
                    again.iter().any(|it| is_same(it, asked)),
                    "{what}: {again:?}"
                );
                confirm(&scene.floor, asked).await;
            }
            assert_eq!(scene.brief().await, *expected, "{what}");
        }
        Back::DoneLongAgo => {
            scene.passes(LONG_SECONDS).await;
            scene.comes(&told(done)).await;
            let expected = if shows { expected } else { not_done };
            assert_eq!(&scene.brief().await, expected, "{what}");
        }
        Back::AskedAgain | Back::Refuses if !dialed => {
            let again = scene.comes(&told(before)).await;
            assert!(
                again.iter().any(|it| is_same(it, asked)),
                "{what}: {again:?}"
            );
            if back == Back::AskedAgain {
                confirm(&scene.floor, asked).await;
                assert_eq!(scene.brief().await, *expected, "{what}");
            } else {
                refuse(&scene.floor, asked, "No line.").await;
                assert_eq!(scene.brief().await, *not_done, "{what}");
            }
        }
        Back::TooLate if !dialed => {
            scene.passes(LONG_SECONDS).await;
            let again = scene.comes(&told(before)).await.concat();
            assert!(!again.contains("<request "), "{what}: {again}");
            assert!(scene.now().await.request.is_none(), "{what}");
            assert_eq!(scene.brief().await, *not_done, "{what}");
        }
        // Of a call that it has not placed it knows nothing.
        Back::AskedAgain | Back::Refuses | Back::TooLate | Back::Gone => {
            scene.comes("").await;
            assert!(scene.now().await.is_over(), "{what}");
        }
        Back::Never => {
            scene.passes(599).await;
            assert!(!scene.now().await.is_over(), "{what}");
            scene.passes(1).await;
            assert!(scene.now().await.is_over(), "{what}");
        }
    }
}

fn is_same(again: &str, asked: &str) -> bool {
    attribute(again, "request", "id") == attribute(asked, "request", "id")
}

macro_rules! each {
    ($($test:ident: $at:literal, $fault:ident;)+) => {
        $(#[tokio::test]
        async fn $test() {
            let (name, steps, wanted) = CASES[$at];
            Box::pin(goes_on(name, steps, wanted, Fault::$fault)).await;
        })+

        /// No case is forgotten.
        #[test]
        fn every_request_breaks_in_both_ways() {
            let all = [$(($at, Fault::$fault)),+];
            for at in 0..CASES.len() {
                assert!(all.contains(&(at, Fault::Connector)) && all.contains(&(at, Fault::Server)));
            }
        }
    };
}

each! {
    accept_without_its_connector: 0, Connector;
    accept_without_the_server: 0, Server;
    reject_without_its_connector: 1, Connector;
    reject_without_the_server: 1, Server;
    hold_without_its_connector: 2, Connector;
    hold_without_the_server: 2, Server;
    resume_without_its_connector: 3, Connector;
    resume_without_the_server: 3, Server;
    end_without_its_connector: 4, Connector;
    end_without_the_server: 4, Server;
    transfer_to_an_agent_without_its_connector: 5, Connector;
    transfer_to_an_agent_without_the_server: 5, Server;
    transfer_to_a_queue_without_its_connector: 6, Connector;
    transfer_to_a_queue_without_the_server: 6, Server;
    consult_without_its_connector: 7, Connector;
    consult_without_the_server: 7, Server;
    consult_of_a_held_customer_without_its_connector: 8, Connector;
    consult_of_a_held_customer_without_the_server: 8, Server;
    accept_of_a_consultation_without_its_connector: 9, Connector;
    accept_of_a_consultation_without_the_server: 9, Server;
    retrieve_without_its_connector: 10, Connector;
    retrieve_without_the_server: 10, Server;
    complete_transfer_without_its_connector: 11, Connector;
    complete_transfer_without_the_server: 11, Server;
    conference_without_its_connector: 12, Connector;
    conference_without_the_server: 12, Server;
    conference_with_another_without_its_connector: 13, Connector;
    conference_with_another_without_the_server: 13, Server;
    leave_without_its_connector: 14, Connector;
    leave_without_the_server: 14, Server;
    dial_without_its_connector: 15, Connector;
    dial_without_the_server: 15, Server;
}
