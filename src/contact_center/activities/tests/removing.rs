//! How long activities and their changes are kept.

use super::*;
use crate::config::{Component, ComponentRole, Config, Domain};

const DAY: i64 = 86_400;

async fn daily(floor: &Floor) {
    let services = floor.house.router.services();
    services.hooks.run_daily(services).await;
}

async fn kept(floor: &Floor) -> usize {
    let store = &floor.house.router.services().store;
    store.records().all("activity", "", 99).await.unwrap().len()
}

/// What is closed goes after the time that is set; what is open stays, and where nothing is set, all of it.
#[tokio::test]
async fn closed_activities_go_after_their_time() {
    for (days, expected) in [(0, 3), (30, 2)] {
        let mut config = Config::default();
        config.contact_center.activity_days = days;
        let floor = Box::pin(Floor::configured(&["ann", "bob"], config)).await;
        let _open = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
        let mut over = Dealing::talking(&floor, "call-2", Medium::Voice, "bob").await;
        over.report(&floor, Fact::Ended).await;
        floor.house.clock.advance_seconds(29 * DAY);
        let mut late = Dealing::talking(&floor, "call-3", Medium::Voice, "bob").await;
        late.report(&floor, Fact::Ended).await;
        daily(&floor).await;
        assert_eq!(kept(&floor).await, 3);
        floor.house.clock.advance_seconds(2 * DAY);
        daily(&floor).await;
        assert_eq!(kept(&floor).await, expected, "{days}");
    }
}

/// What every CRM has is forgotten after a time, what one lacks is not; a CRM that is configured no longer lacks nothing.
#[tokio::test]
async fn changes_go_when_every_crm_has_them() {
    let component = Component {
        domain: Domain::parse("crm.localhost").unwrap(),
        role: ComponentRole::Crm,
        ..Component::default()
    };
    let config = Config {
        components: vec![component],
        ..Config::default()
    };
    let floor = Box::pin(Floor::configured(&["ann"], config)).await;
    let journals = floor.house.router.services().store.journals();
    let name = "activity localhost";
    for follower in ["crm.localhost", "former.localhost"] {
        journals.follow(name, follower, 0).await.unwrap();
    }
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    call.report(&floor, Fact::Ended).await;
    let places = async || {
        let entries = journals.after(name, 0, 99).await.unwrap();
        entries.iter().map(|it| it.place).collect::<Vec<_>>()
    };
    floor.house.clock.advance_seconds(31 * DAY);
    daily(&floor).await;
    assert_eq!(places().await, [1, 2, 3]);
    let followers = journals.followers(name).await.unwrap();
    assert_eq!(followers.len(), 1, "{followers:?}");
    journals
        .acknowledge(name, "crm.localhost", 2)
        .await
        .unwrap();
    daily(&floor).await;
    assert_eq!(places().await, [3]);
    journals.unfollow(name, "crm.localhost").await.unwrap();
    daily(&floor).await;
    assert_eq!(places().await, [0; 0]);
    // Places go on where they were.
    call.take(&floor, Command::FinishWrapUp { by: id("ann") })
        .await;
    assert_eq!(places().await, [4]);
}

/// S2-17: an account that is made anew does not read what its predecessor has done.
#[tokio::test]
async fn a_new_account_of_the_same_name_begins_with_nothing() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let known = call.activity(&floor, 0).await.id;
    let services = floor.house.router.services();
    let account = "ann@localhost".parse().unwrap();
    services.store.accounts().remove(&account).await.unwrap();
    services.hooks.run_removed(&account, services).await;
    floor.house.clock.advance_seconds(60);
    let role = crate::domain::rights::Role::Agent;
    let now = floor.house.clock.now();
    let accounts = services.store.accounts();
    accounts.create(&account, role, &[], now).await.unwrap();
    let answer = request(&mut ann, "get", "activities", "").await;
    assert_eq!(ids(&answer), [""; 0]);
    let tag = format!("note id='{known}'");
    let answer = request(&mut ann, "set", &tag, "<text>so</text>").await;
    assert_ne!(code(&answer), "", "{answer}");
    assert_eq!(call.activity(&floor, 0).await.notes, []);
}
