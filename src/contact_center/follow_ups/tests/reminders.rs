//! What agents are told.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::contact_center::center::Center;
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

async fn reminded(client: &mut Client) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let waiting = async {
        while all.is_empty() {
            all.extend(told(client));
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(done.is_ok(), "nothing is told");
    all
}

/// S3-2: a call next week. Who is responsible is reminded when it is due, once, and once more when the date is another.
#[tokio::test]
async fn who_is_responsible_is_reminded_when_it_is_due() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let due = "due='2026-09-28T14:13:20Z'";
    let id = planned(&mut ann, &format!("{due} responsible='bob@localhost'")).await;
    assert_eq!(
        told(&mut bob),
        [(
            "assigned".to_owned(),
            "ann gives you a follow-up: Task: Call back. Due 2026-09-28T14:13:20Z, bob, planned."
                .to_owned()
        )]
    );
    floor.house.clock.advance_seconds(7 * 86_400 - 1);
    let (center, _) = floor.inside();
    let services = floor.house.router.services();
    let look = async || {
        let (center, services) = (Arc::clone(&center), Arc::clone(services));
        let done = super::super::time_is_up(center, services, id.clone());
        done.await.unwrap();
    };
    look().await;
    assert_eq!(told(&mut bob), []);
    floor.house.clock.advance_seconds(1);
    let after = restarted(&floor).await;
    let heard = reminded(&mut bob).await;
    assert_eq!(heard[0].0, "due");
    assert!(
        heard[0]
            .1
            .starts_with("A follow-up is due: Task: Call back.")
    );
    look().await;
    assert_eq!((told(&mut bob), told(&mut ann)), (vec![], vec![]));
    let edit = format!("edit id='{id}' version='1' type='task' due='2026-09-29T00:00:00Z'");
    let answer = request(&mut ann, "set", &edit, "<title>Call</title>").await;
    assert!(answer.contains("version='2'"), "{answer}");
    assert_eq!(told(&mut bob)[0].0, "edited");
    floor.house.clock.advance_seconds(86_400);
    look().await;
    assert_eq!(told(&mut bob)[0].0, "due");
    after.stop().await;
}

/// What is done by another is told to whom it concerns, and to nobody twice.
#[tokio::test]
async fn who_it_concerns_is_told_what_others_do() {
    let floor = Floor::new(&["ann", "bob", "carl"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut carl = agent(&floor, "carl/desk").await;
    let id = planned(&mut ann, "").await;
    assert_eq!(told(&mut ann), []);
    let to = |who: &str| format!("reassign id='{id}' responsible='{who}@localhost'");
    request(&mut ann, "set", &to("bob"), "").await;
    assert_eq!(told(&mut bob)[0].0, "assigned");
    let fields = [("id", id.as_str()), ("responsible", "carl@localhost")];
    let answer = command(&mut ann, &node("reassign"), &fields).await;
    assert!(answer.contains("carl is responsible."), "{answer}");
    assert_eq!(
        told(&mut bob)[0].1,
        "ann has given your follow-up to another: Task: Call back. carl, planned."
    );
    assert_eq!(told(&mut carl)[0].0, "assigned");
    // Twice is once.
    request(&mut ann, "set", &to("carl"), "").await;
    assert_eq!(told(&mut carl), []);
    for _ in 0..2 {
        let answer = request(&mut carl, "set", &format!("complete id='{id}'"), "").await;
        assert!(answer.contains("status='completed'"), "{answer}");
        assert!(answer.contains("over='2026-09-21T14:13:20Z'"), "{answer}");
    }
    assert_eq!(
        told(&mut ann),
        [(
            "completed".to_owned(),
            "carl has completed a follow-up: Task: Call back. carl, completed.".to_owned()
        )]
    );
    assert_eq!((told(&mut bob), told(&mut carl)), (vec![], vec![]));
}

/// Whose account is gone is not reminded: who has planned it is.
#[tokio::test]
async fn where_nobody_is_responsible_any_more_the_author_is_reminded() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let due = "due='2026-09-21T15:00:00Z' responsible='bob@localhost'";
    let id = planned(&mut ann, due).await;
    let services = Arc::clone(floor.house.router.services());
    let bob = BareJid::new("bob@localhost").unwrap();
    services.store.accounts().remove(&bob).await.unwrap();
    floor.house.clock.advance_seconds(3_600);
    let (center, _) = floor.inside();
    let done = super::super::time_is_up(center, Arc::clone(&services), id.clone());
    done.await.unwrap();
    assert_eq!(told(&mut ann)[0].0, "due");
    // It can still be edited, and given to another.
    let edit = format!("edit id='{id}' version='1' type='task'");
    let answer = request(&mut ann, "set", &edit, "<title>Later</title>").await;
    assert!(answer.contains("version='2'"), "{answer}");
    let back = format!("reassign id='{id}' responsible='bob@localhost'");
    let gone = request(&mut ann, "set", &back, "").await;
    assert_eq!(code(&gone), "responsible-no-agent");
    let own = format!("reassign id='{id}' responsible='ann@localhost'");
    let answer = request(&mut ann, "set", &own, "").await;
    assert!(answer.contains("responsible='ann@localhost'"), "{answer}");
}
