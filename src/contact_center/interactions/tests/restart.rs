//! The server ends in the middle of something, and starts again.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::contact_center::center::Center;
use crate::domain::agent_state::{Agent, Occupation};
use crate::proto::BareJid;

/// The server stops and starts: nothing is left in memory.
async fn restarted(floor: &Floor) -> Arc<Center> {
    let services = Arc::clone(floor.house.router.services());
    services.hooks.run_stopping(&services).await;
    let center = Arc::new(Center::new(&services.config));
    let start = Arc::clone(&center).start(services);
    Box::pin(start).await.unwrap();
    center
}

/// Waits until the client is told that.
async fn hears(client: &mut Client, expected: &str) {
    let mut all = Vec::new();
    let told = async {
        while !all.iter().any(|it: &String| it.contains(expected)) {
            all.extend(heard(client));
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    assert!(told.is_ok(), "{expected}: {all:?}");
}

/// An answer that comes after the restart of the server counts, though nobody remembers the request.
#[tokio::test]
async fn an_answer_counts_after_a_restart() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "hold").await;
    let asked = request(&floor, PBX);
    ann.received();
    let center = restarted(&floor).await;
    hears(&mut ann, "is interrupted").await;
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected held");
    center.stop().await;
}

/// A connector that does not come back is waited for across restarts, and no longer than configured.
#[tokio::test]
async fn a_connector_that_stays_away_is_given_up() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    floor.house.component_goes(PBX).await;
    hears(&mut ann, "is interrupted").await;
    floor.house.clock.advance_seconds(590);
    let center = restarted(&floor).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    floor.house.clock.advance_seconds(10);
    center.stop().await;
    let center = restarted(&floor).await;
    hears(&mut ann, "has ended").await;
    assert_eq!(seen(&mut ann, "c1").await, "primary wrap-up over");
    center.stop().await;
}

/// Whose wrap-up has ended has nothing to write up after a restart, and one that goes on goes on.
#[tokio::test]
async fn a_wrap_up_that_has_ended_is_over_after_a_restart() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let (center, _) = floor.inside();
    for (name, client, call) in [("ann", &mut ann, "c1"), ("bob", &mut bob, "c2")] {
        let offer = format!(
            "<offer interaction='{call}' medium='chat' direction='inbound' address='eve@mail.example' agent='{name}@localhost'/>"
        );
        says(&floor, PBX, "set", &offer).await;
        done(&floor, client, call, "accept").await;
        report(&floor, call, "ended").await;
        assert_eq!(seen(client, call).await, "primary wrap-up over");
    }
    // As if the server had ended right after Ann's state was written, before her interaction was.
    let mut idle = Agent::clone(&center.agents.agent(&"ann@localhost".parse().unwrap()));
    idle.version += 1;
    idle.occupation = Occupation::Idle;
    let version = i64::try_from(idle.version).unwrap();
    floor.set("agent", "ann@localhost", version, &idle).await;
    let center = restarted(&floor).await;
    assert_eq!(seen(&mut ann, "c1").await, "interaction-unknown");
    assert_eq!(seen(&mut bob, "c2").await, "primary wrap-up over");
    let state = |jid: &str| center.agents.agent(&jid.parse().unwrap()).state().name();
    assert_eq!(state("ann@localhost"), "available");
    assert_eq!(state("bob@localhost"), "wrap-up");
    center.stop().await;
}

/// What an agent's state had still to become when the server ended, it becomes at its start; and a connector that is there
/// afterwards is asked.
#[tokio::test]
async fn states_follow_and_the_connector_is_asked_after_a_restart() {
    let floor = floor(&["ann", "bob", "carl"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut carl = agent(&floor, "carl/desk").await;
    talking(&floor, &mut ann, "c1").await;
    // As if the server had ended right after the interactions were written, before the agents were.
    let services = floor.house.router.services();
    let center = restarted(&floor).await;
    let place = center.place_of("localhost").unwrap();
    let jid = |name: &str| format!("{name}@localhost").parse().unwrap();
    let command = |interaction: &str, connected: bool| {
        let interaction = interaction.parse().unwrap();
        match connected {
            true => crate::domain::agent_state::Command::Engage { interaction },
            false => crate::domain::agent_state::Command::Release { interaction },
        }
    };
    for (name, interaction, connected) in [
        ("ann", "c1", false),
        ("bob", "old", true),
        ("carl", "older", true),
        ("carl", "older", false),
    ] {
        let (id, command) = (jid(name), command(interaction, connected));
        let done = crate::contact_center::agents::command(&center, services, place, &id, command);
        Box::pin(done).await.unwrap();
    }
    center.stop().await;
    let center = restarted(&floor).await;
    let state = |name: &str| center.agents.agent(&jid(name)).state().name();
    // There is nothing that the others could write up.
    assert_eq!(state("ann"), "engaged");
    assert_eq!((state("bob"), state("carl")), ("available", "available"));
    let domain = BareJid::new(PBX).unwrap();
    floor.house.component_receives(PBX);
    super::super::streams::changed(&center, services, &domain)
        .await
        .unwrap();
    let asked = floor.house.component_receives(PBX).concat();
    assert!(asked.contains("<interaction id='c1'/>"), "{asked}");
    let id = attribute(&asked, "iq", "id").unwrap();
    let told = "<interaction id='c1' line='connected'><agent jid='ann@localhost'/></interaction>";
    let answer = format!(
        "<iq type='result' id='{id}' from='{PBX}' to='{CENTER}'>\
         <interactions xmlns='urn:parlour:connector:0'>{told}</interactions></iq>"
    );
    sends(&floor, &answer).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    bob.received();
    carl.received();
    center.stop().await;
}
