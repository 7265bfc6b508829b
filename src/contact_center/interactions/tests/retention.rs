//! How long interactions are kept.

use super::*;

const DAY: i64 = 86_400;

/// What was over long ago is forgotten, and no sooner; what goes on never is. Its id can be used again then, even for something else.
#[tokio::test]
async fn what_was_over_long_ago_is_forgotten() {
    let mut config = config();
    config.contact_center.interaction_days = 30;
    let floor = Box::pin(Floor::configured(&["ann", "bob"], config)).await;
    floor.house.component_comes(PBX).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let services = floor.house.router.services();
    let chat = |id: &str, agent: &str| {
        format!(
            "<offer interaction='{id}' medium='chat' direction='inbound' address='e@m.example' agent='{agent}@localhost'/>"
        )
    };
    for id in ["old", "later", "goes-on"] {
        says(&floor, PBX, "set", &chat(id, "ann")).await;
        report(&floor, id, "connected ann").await;
    }
    report(&floor, "old", "ended").await;
    floor.house.clock.advance_seconds(DAY);
    report(&floor, "later", "ended").await;
    for (seconds, left) in [
        (29 * DAY - 1, ["over", "over", "connected"]),
        (2, ["gone", "over", "connected"]),
        (DAY, ["gone", "gone", "connected"]),
        (400 * DAY, ["gone", "gone", "connected"]),
    ] {
        floor.house.clock.advance_seconds(seconds);
        services.hooks.run_daily(services).await;
        for (id, expected) in ["old", "later", "goes-on"].into_iter().zip(left) {
            let found = super::super::find(services, &id.parse().unwrap()).await;
            let line = found.unwrap().map(|it| super::super::wire::line(it.line));
            assert_eq!(line.unwrap_or("gone"), expected, "{id} after {seconds}");
        }
    }
    ann.received();
    let again = offer(&floor, "old", "bob").await;
    assert!(again.contains("version='2' line='offered'"), "{again}");
    assert_eq!(seen(&mut bob, "old").await, "primary offered offered");
    assert_eq!(seen(&mut ann, "old").await, "interaction-unknown");
}

/// Without a number of days nothing is forgotten.
#[tokio::test]
async fn interactions_can_be_kept_for_ever() {
    let mut config = config();
    config.contact_center.interaction_days = 0;
    let floor = Box::pin(Floor::configured(&["ann"], config)).await;
    floor.house.component_comes(PBX).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    report(&floor, "c1", "ended").await;
    floor.house.clock.advance_seconds(4_000 * DAY);
    let services = floor.house.router.services();
    services.hooks.run_daily(services).await;
    assert_eq!(code(&offer(&floor, "c1", "ann").await), "interaction-over");
}
