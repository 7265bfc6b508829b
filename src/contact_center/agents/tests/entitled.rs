//! Who may be an agent no longer, and what could not be written at once.

use std::pin::Pin;
use std::time::Duration;

use futures_util::poll;

use super::*;
use crate::admin::CHAT_PROFILE;
use crate::contact_center::agents::{self, KIND};
use crate::contact_center::center::Center;
use crate::contact_center::testing::set_role;
use crate::domain::agent_state::{Agent, Command, Connection, State};
use crate::domain::chat_profile::ChatProfile;
use crate::domain::ids::AgentId;
use crate::domain::rights::Role;
use crate::proto::BareJid;
use crate::store::{RecordChange, RecordWrite, RecordsWritten};

fn romeo_id() -> AgentId {
    "romeo@localhost".parse().unwrap()
}

/// Waits until that holds.
async fn reached(what: &str, holds: impl Fn() -> bool) {
    let reached = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
    assert!(reached.is_ok(), "{what}");
}

/// Goes on with that as far as it comes while somebody else has the agent's turn.
async fn up_to_the_turn(floor: &Floor, mut behind: Pin<&mut impl Future>) {
    let accounts = floor.house.router.services().store.accounts();
    for _ in 0..20 {
        assert!(poll!(&mut behind).is_pending());
        // What it reads before, it has read by then: the database answers one after the other.
        accounts.find(romeo_id().jid()).await.unwrap();
    }
}

/// S0-9, S0-10: at once, and whoever sees all agents is told why.
#[tokio::test]
async fn whoever_loses_the_role_or_the_right_is_logged_out() {
    let floor = Floor::new(&["romeo", "paris:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut paris = floor.online("paris/desk").await;
    live::subscribe(&mut paris, "paris@localhost").await;
    let (own_jid, right) = (("jid", "romeo@localhost"), ("right", "agent-state"));
    let all = ("role", "agent");
    for (operation, given, undo, again) in [
        (
            "right take",
            [own_jid, right],
            "right reset",
            [own_jid, right],
        ),
        ("right take", [all, right], "right reset", [all, right]),
        (
            "account role",
            [own_jid, ("role", "member")],
            "account role",
            [own_jid, all],
        ),
    ] {
        let login = own(&mut romeo, "login").await;
        assert!(login.contains("state='available'"), "{login}");
        until(&mut paris, "state='available'").await;
        floor.operate(operation, &given).await;
        until(&mut paris, "state='logged-out' reason='right-taken'").await;
        let history = format!("<history xmlns='{NS}' jid='romeo@localhost'/>");
        if operation == "account role" {
            // Of who has been an agent what has been is there to read.
            let history = ask(&mut paris, "get", &history).await;
            let change = "change='logout' reason='right-taken'";
            assert_eq!(history.matches(change).count(), 3, "{history}");
        }
        floor.operate(undo, &again).await;
    }
    let login = own(&mut romeo, "login").await;
    assert!(login.contains("state='available'"), "{login}");
}

/// S0-9: between the look at what an account may do and the login, the right may have gone.
#[tokio::test]
async fn whoever_loses_the_right_behind_the_door_is_not_logged_in() {
    let floor = Floor::new(&["romeo"]).await;
    let services = floor.house.router.services();
    let (center, place) = floor.inside();
    let _romeo = floor.online("romeo/desk").await;
    let id = romeo_id();
    let turn = center.agents.turn(&id).await;
    {
        let login = agents::command(&center, services, &place, &id, Command::Login);
        let mut login = std::pin::pin!(login);
        up_to_the_turn(&floor, login.as_mut()).await;
        set_role(services, "romeo", Role::Member).await;
        drop(turn);
        let refused = login.await.unwrap_err().to_string();
        assert!(refused.contains("right"), "{refused}");
    }
    assert_eq!(center.agents.agent(&id).state(), State::LoggedOut);
}

/// S0-9: who was to be logged out and has the right again, logged in anew or not, stays.
#[tokio::test]
async fn whoever_has_the_right_again_meanwhile_is_not_logged_out() {
    let floor = Floor::new(&["romeo"]).await;
    let services = floor.house.router.services();
    let (center, place) = floor.inside();
    let mut romeo = floor.online("romeo/desk").await;
    own(&mut romeo, "login").await;
    let id = romeo_id();
    set_role(services, "romeo", Role::Member).await;
    let turn = center.agents.turn(&id).await;
    {
        let require = agents::entitled::require(&center, services, &place, &id);
        let mut require = std::pin::pin!(require);
        up_to_the_turn(&floor, require.as_mut()).await;
        set_role(services, "romeo", Role::Agent).await;
        drop(turn);
        require.await;
    }
    assert_eq!(center.agents.agent(&id).state(), State::Available);
}

/// Without a session, too; and what was changed while the server was down holds when it starts.
#[tokio::test]
async fn whoever_has_lost_the_role_before_a_start_is_logged_out() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (center, _) = floor.inside();
    let juliet_id: AgentId = "juliet@localhost".parse().unwrap();
    for (name, id) in [
        ("romeo/desk", romeo_id()),
        ("juliet/desk", juliet_id.clone()),
    ] {
        let mut client = floor.online(name).await;
        own(&mut client, "login").await;
        client.disconnect().await;
        let connection = center.agents.agent(&id).connection.clone();
        assert!(
            matches!(connection, Connection::Lost { .. }),
            "{connection:?}"
        );
    }
    let accounts = floor.house.router.services().store.clone();
    let gone = BareJid::new("romeo@localhost").unwrap();
    let role = Role::Member;
    assert!(accounts.accounts().set_role(&gone, role).await.unwrap());
    start_again(&floor).await;
    let state = |id: &AgentId| center.agents.agent(id).state().name();
    reached("logged out", || state(&romeo_id()) == "logged-out").await;
    assert_eq!(state(&juliet_id), "available");
}

/// S0-9: a login elsewhere brings another role, and what is open already follows at once.
#[tokio::test]
async fn a_role_that_a_login_brings_is_followed_in_open_sessions() {
    let floor = Floor::new(&["romeo", "paris:supervisor", "juliet"]).await;
    let (center, _) = floor.inside();
    let services = floor.house.router.services();
    let mut juliet = floor.online("juliet/desk").await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut paris = floor.online("paris/desk").await;
    own(&mut romeo, "login").await;
    live::subscribe(&mut paris, "paris@localhost").await;
    let state = || center.agents.agent(&romeo_id()).state().name();
    assert_eq!(state(), "available");
    let give = async |name: &str, role| {
        let jid = set_role(services, name, role).await;
        let followed = services.hooks.run_account_changed(&jid, services);
        followed.await.unwrap();
    };
    give("romeo", Role::Member).await;
    assert_eq!(state(), "logged-out");
    until(&mut paris, "state='logged-out' reason='right-taken'").await;
    let login = own(&mut romeo, "login").await;
    assert!(login.contains("<right-missing"), "{login}");
    // Nobody has changed since then: who watches is told all the same.
    give("paris", Role::Agent).await;
    until(&mut paris, "subscription='none'").await;
    give("juliet", Role::Supervisor).await;
    let all = ask(&mut juliet, "get", &format!("<agents xmlns='{NS}'/>")).await;
    assert!(all.contains("jid='romeo@localhost'"), "{all}");
}

/// What colleagues see hangs on the role, too (S0-15).
#[tokio::test]
async fn who_gets_a_role_that_is_not_shown_is_hidden_at_once() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let services = floor.house.router.services();
    let hidden = [("role", "supervisor"), ("presence", "hidden")];
    floor.operate("profile set", &hidden).await;
    let mut romeo = floor.online("romeo/desk").await;
    own(&mut romeo, "login").await;
    let mut juliet = floor.online("juliet/desk").await;
    let looked = format!("<agent xmlns='{NS}' jid='romeo@localhost'/>");
    let seen = ask(&mut juliet, "get", &looked).await;
    assert!(seen.contains("view='online'"), "{seen}");
    let (center, _) = floor.inside();
    let jid = BareJid::new("romeo@localhost").unwrap();
    let accounts = services.store.accounts();
    assert!(accounts.set_role(&jid, Role::Supervisor).await.unwrap());
    let followed = services.hooks.run_account_changed(&jid, services);
    followed.await.unwrap();
    let board = center.agents.of_host(&BareJid::new("localhost").unwrap());
    let listed = board.first().unwrap().listed();
    assert_eq!(listed.attribute("view"), Some("offline"));
}

/// Who is looked up twice at the same time is shown as it was found last.
#[tokio::test]
async fn what_colleagues_see_is_looked_up_in_the_agents_turn() {
    let floor = Floor::new(&["romeo"]).await;
    let services = floor.house.router.services();
    let (center, place) = floor.inside();
    let hidden = [("role", "supervisor"), ("presence", "hidden")];
    floor.operate("profile set", &hidden).await;
    let mut romeo = floor.online("romeo/desk").await;
    own(&mut romeo, "login").await;
    let account = services.online(romeo_id().jid()).unwrap();
    set_role(services, "romeo", Role::Supervisor).await;
    let turn = center.agents.turn(&romeo_id()).await;
    {
        let learn = agents::display::learn_anew(&center, services, &place, &account);
        let mut learn = std::pin::pin!(learn);
        up_to_the_turn(&floor, learn.as_mut()).await;
        set_role(services, "romeo", Role::Agent).await;
        drop(turn);
        learn.await.unwrap();
    }
    let board = center.agents.of_host(&place.host);
    let listed = board.first().unwrap().listed();
    assert_eq!(listed.attribute("view"), Some("online"));
}

/// A session that is gone when the database fails is gone all the same: nobody stays without the grace period.
#[tokio::test]
async fn what_could_not_be_written_is_written_later() {
    let floor = Floor::new(&["romeo"]).await;
    let (center, _) = floor.inside();
    let mut romeo = floor.online("romeo/desk").await;
    own(&mut romeo, "login").await;
    let agent = Agent::clone(&center.agents.agent(&romeo_id()));
    let version = i64::try_from(agent.version).unwrap();
    // What nobody can read stands where the agent is to be written.
    floor
        .set(KIND, "romeo@localhost", version + 1, &"nonsense")
        .await;
    romeo.disconnect().await;
    let connection = |center: &Center| center.agents.agent(&romeo_id()).connection.clone();
    reached("it failed", || !center.agents.behind.is_empty()).await;
    assert_eq!(connection(&center), Connection::Online);
    let repaired = Agent {
        version: agent.version + 2,
        ..agent
    };
    floor
        .set(KIND, "romeo@localhost", version + 2, &repaired)
        .await;
    reached("it is lost", || connection(&center) != Connection::Online).await;
}

/// S0-10: whose profile cannot be read keeps nobody else from what was set, and is followed when it can.
#[tokio::test]
async fn nobody_is_passed_over_for_another_who_cannot_be_looked_up() {
    let floor = Floor::new(&["ann", "romeo"]).await;
    let mut ann = floor.online("ann/desk").await;
    let mut romeo = floor.online("romeo/desk").await;
    for client in [&mut ann, &mut romeo] {
        own(client, "login").await;
    }
    let records = floor.house.router.services().store.records();
    let write = |read: i64, snapshot: &str| RecordWrite {
        changes: vec![RecordChange {
            kind: CHAT_PROFILE,
            id: "ann@localhost".into(),
            read,
            version: read + 1,
            snapshot: snapshot.into(),
            events: vec![],
            due: None,
            listings: None,
        }],
        ..RecordWrite::default()
    };
    let unreadable = records.write(write(0, "no profile")).await;
    assert_eq!(unreadable.unwrap(), RecordsWritten::Done);
    let right = [("role", "agent"), ("right", "agent-state")];
    floor.operate("right take", &right).await;
    let (center, _) = floor.inside();
    let out = |name: &str| {
        let id = format!("{name}@localhost").parse().unwrap();
        center.agents.agent(&id).state() == State::LoggedOut
    };
    reached("romeo is logged out", || out("romeo")).await;
    assert!(!out("ann"));
    let profile = serde_json::to_string(&ChatProfile::default()).unwrap();
    let readable = records.write(write(1, &profile)).await;
    assert_eq!(readable.unwrap(), RecordsWritten::Done);
    reached("ann is logged out", || out("ann")).await;
}
