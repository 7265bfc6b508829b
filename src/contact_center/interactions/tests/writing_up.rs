//! The wrap-up of the last interaction and that of its agent end together, in whichever order both become what they are (S2-6).

use std::time::Duration;

use super::*;
use crate::domain::ids::AgentId;

/// What the connector says; this ends when it is done.
async fn reports(floor: &Floor, id: &str, fact: &str) {
    let payload =
        format!("<report xmlns='urn:parlour:connector:0' interaction='{id}' fact='{fact}'/>");
    let iq = format!("<iq type='set' id='said' from='{PBX}' to='{CENTER}'>{payload}</iq>");
    floor.house.component_sends(&iq).await;
}

/// Waits until the interaction is that to the agent.
async fn becomes(client: &mut Client, id: &str, expected: &str) {
    let mut last = String::new();
    let reached = async {
        while last != expected {
            tokio::task::yield_now().await;
            last = seen(client, id).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
    assert!(reached.is_ok(), "{id}: {last}");
}

/// A chat that the agent has taken.
async fn chatting(floor: &Floor, client: &mut Client, id: &str) {
    let offer = format!(
        "<offer interaction='{id}' medium='chat' direction='inbound' address='eve@mail.example' agent='ann@localhost'/>"
    );
    says(floor, PBX, "set", &offer).await;
    done(floor, client, id, "accept").await;
}

/// Whoever writes up faster than its own state follows is not kept in wrap-up.
#[tokio::test]
async fn an_interaction_is_written_up_before_the_state_follows() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    let (center, _) = floor.inside();
    let id: AgentId = "ann@localhost".parse().unwrap();
    let turn = center.agents.turn(&id).await;
    let meanwhile = async {
        becomes(&mut ann, "c1", "primary wrap-up over").await;
        let answer = want(&mut ann, "c1", "finish-wrap-up").await;
        assert!(answer.contains("leg='done'"), "{answer}");
        assert_eq!(state(&mut ann).await, "engaged");
        drop(turn);
    };
    tokio::join!(reports(&floor, "c1", "ended"), meanwhile);
    assert_eq!(state(&mut ann).await, "available");
}

/// The same where another one is still to be written up: the wrap-up goes on until that is.
#[tokio::test]
async fn a_wrap_up_lasts_as_long_as_something_is_left() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for chat in ["c1", "c2"] {
        chatting(&floor, &mut ann, chat).await;
    }
    let (center, _) = floor.inside();
    let id: AgentId = "ann@localhost".parse().unwrap();
    let turn = center.agents.turn(&id).await;
    let meanwhile = async {
        for chat in ["c1", "c2"] {
            becomes(&mut ann, chat, "primary wrap-up over").await;
        }
        want(&mut ann, "c1", "finish-wrap-up").await;
        drop(turn);
    };
    let ended = |chat| reports(&floor, chat, "ended");
    tokio::join!(ended("c1"), ended("c2"), meanwhile);
    assert_eq!(state(&mut ann).await, "wrap-up");
    assert_eq!(seen(&mut ann, "c2").await, "primary wrap-up over");
    want(&mut ann, "c2", "finish-wrap-up").await;
    assert_eq!(state(&mut ann).await, "available");
}

/// An agent who writes up the moment that it may, or a little later each time: it is available in the end.
#[tokio::test]
async fn no_order_of_release_and_writing_up_leaves_an_agent_in_wrap_up() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for later in 0..ORDERS {
        let id = format!("c{later}");
        talking(&floor, &mut ann, &id).await;
        let meanwhile = async {
            becomes(&mut ann, &id, "primary wrap-up over").await;
            for _ in 0..later {
                tokio::task::yield_now().await;
            }
            let answer = want(&mut ann, &id, "finish-wrap-up").await;
            assert!(answer.contains("leg='done'"), "{answer}");
        };
        tokio::join!(reports(&floor, &id, "ended"), meanwhile);
        assert_eq!(state(&mut ann).await, "available", "{later}");
        ann.received();
        floor.house.component_receives(PBX);
    }
}

/// What is left while the wrap-up of another one ends has a wrap-up of its own.
#[tokio::test]
async fn what_is_left_meanwhile_is_not_written_up_with_the_others() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut phone = floor.online("ann/phone").await;
    chatting(&floor, &mut ann, "c1").await;
    let offer = "<offer interaction='c2' medium='chat' direction='inbound' address='eve@mail.example' agent='ann@localhost'/>";
    says(&floor, PBX, "set", offer).await;
    want(&mut ann, "c2", "accept").await;
    let accept = request(&floor, PBX);
    reports(&floor, "c1", "ended").await;
    assert_eq!(state(&mut ann).await, "wrap-up");
    let (center, _) = floor.inside();
    let id: AgentId = "ann@localhost".parse().unwrap();
    let turn = center.agents.turn(&id).await;
    let meanwhile = async {
        becomes(&mut phone, "c1", "interaction-unknown").await;
        let leaving = async {
            becomes(&mut phone, "c2", "primary connected connected").await;
            let left = async {
                becomes(&mut phone, "c2", "primary wrap-up over").await;
                drop(turn);
            };
            tokio::join!(reports(&floor, "c2", "ended"), left);
        };
        tokio::join!(confirm(&floor, &accept), leaving);
    };
    tokio::join!(want(&mut ann, "c1", "finish-wrap-up"), meanwhile);
    assert_eq!(seen(&mut ann, "c2").await, "primary wrap-up over");
    assert_eq!(state(&mut ann).await, "wrap-up");
    want(&mut ann, "c2", "finish-wrap-up").await;
    assert_eq!(state(&mut ann).await, "available");
}

/// The same between the agent's word and what follows of it.
#[tokio::test]
async fn what_an_agent_has_written_up_is_what_it_had_left_when_it_said_so() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for chat in ["c1", "c2"] {
        chatting(&floor, &mut ann, chat).await;
    }
    reports(&floor, "c1", "ended").await;
    let (center, place) = floor.inside();
    let services = floor.house.router.services();
    let id: AgentId = "ann@localhost".parse().unwrap();
    let left = super::super::left_by(services, &id).await.unwrap();
    reports(&floor, "c2", "ended").await;
    super::super::wrote_up(&center, services, &place, &id, left).await;
    // What is done is nobody's business any more.
    assert_eq!(seen(&mut ann, "c1").await, "interaction-unknown");
    assert_eq!(seen(&mut ann, "c2").await, "primary wrap-up over");
    assert_eq!(state(&mut ann).await, "wrap-up");
}

/// A release passes fewer places where it waits.
const ORDERS: usize = 24;
