//! Customers who are erased or merged: nothing is planned for them any more, and who is responsible learns what has become of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;

use super::*;
use crate::contact_center::doors::{Asker, known};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::follow_ups::changes::planned as decided;
use crate::contact_center::follow_ups::written::Ground;
use crate::domain::follow_up::{FollowUp, NO_CHANNEL, Plan, Source, SourceKind};

/// Plans something for the customer `c1`, whom that happens to between the first decision and its writing.
async fn plan_while(floor: &Floor, happens: impl AsyncFn()) -> Result<FollowUp, Refused> {
    let services = Arc::clone(floor.house.router.services());
    let (center, place) = floor.inside();
    let asker = Asker {
        from: &"ann@localhost/desk".parse().unwrap(),
        language: None,
    };
    let caller = known(&center, &place, &services, asker).await.unwrap();
    let ground = Ground::of(&caller, NO_CHANNEL, &caller.agent)
        .await
        .unwrap();
    let source = Source {
        kind: SourceKind::ServiceTicket,
        id: "t-1".to_owned(),
    };
    let plan = Plan {
        transaction_type: "task".to_owned(),
        title: "Call back".to_owned(),
        customer: Some("c1".parse().unwrap()),
        start: None,
        end: None,
        due: None,
        reason: None,
        responsible: caller.agent.clone(),
    };
    let tries = AtomicUsize::new(0);
    let attempt = async |draft: Draft| {
        let wanted = (source.clone(), plan.clone());
        let drafted = Box::pin(decided(&caller, draft, wanted, None, &ground)).await?;
        if tries.fetch_add(1, Ordering::Relaxed) == 0 {
            happens().await;
        }
        Ok(drafted)
    };
    Box::pin(center.save(&services, attempt)).await
}

/// How many follow-ups there are at all.
async fn count(floor: &Floor) -> usize {
    let records = floor.house.router.services().store.records();
    records.all("follow-up", "", 100).await.unwrap().len()
}

#[tokio::test]
async fn nothing_is_planned_for_a_customer_who_is_erased_at_that_moment() {
    let floor = Floor::new(&["ann"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let erased = [("id", "c1"), ("confirm", "true")];
    let erasure = async || floor.operate("customer erase", &erased).await;
    let refused = Box::pin(plan_while(&floor, erasure)).await.unwrap_err();
    let Refused::Rule(refused) = refused else {
        panic!("{refused}");
    };
    assert_eq!(refused.code, "customer-unknown");
    assert_eq!(count(&floor).await, 0);
}

/// What is planned while two turn out to be one is of the one that they are.
#[tokio::test]
async fn what_is_planned_during_a_merge_is_of_the_survivor() {
    let floor = Floor::new(&["ann", "sue:supervisor"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    floor.customer("c2", "M. Example", "mary@example.net").await;
    let sue = Mutex::new(agent(&floor, "sue/desk").await);
    let merge =
        "<merge xmlns='urn:parlour:customer:0' id='c2' version='1' other='c1' other-version='1'/>";
    let merged = async || {
        let answer = ask(&mut *sue.lock().await, "set", merge).await;
        assert!(answer.contains("type='result'"), "{answer}");
    };
    let made = Box::pin(plan_while(&floor, merged)).await.unwrap();
    let customer = made.plan.unwrap().customer.unwrap();
    assert_eq!(customer.as_str(), "c2");
    let records = floor.house.router.services().store.records();
    let left = records
        .count("follow-up", ("customer", "localhost c1"))
        .await;
    assert_eq!(left.unwrap(), 0);
}

/// What service has said of follow-ups: of each notice its type, what, and the whole of it.
fn notices(client: &mut Client) -> Vec<(String, String, String)> {
    let received = client.received_xml();
    let notices = received.iter().filter(|it| it.contains("<notice "));
    let told = notices.map(|it| {
        let kind = if it.contains("type='headline'") {
            "headline"
        } else {
            "chat"
        };
        (kind.to_owned(), all(it, "what")[0].to_owned(), it.clone())
    });
    told.collect()
}

/// By ids alone: nobody learns of a customer by what is told of its end.
#[tokio::test]
async fn the_responsible_agent_learns_what_became_of_its_follow_ups() {
    let mut config = crate::config::Config::default();
    config.contact_center.follow_up_days = 1;
    let floor = Box::pin(Floor::configured(&["ann", "bob", "sue:supervisor"], config)).await;
    floor
        .customer("mary", "Mary Example", "+390451234567")
        .await;
    floor
        .customer("other", "M. Example", "mary@example.net")
        .await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let open = planned(&mut ann, "customer='other' responsible='bob@localhost'").await;
    let over = planned(&mut ann, "customer='other' responsible='bob@localhost'").await;
    let old = planned(&mut ann, "responsible='bob@localhost'").await;
    for id in [&over, &old] {
        request(&mut bob, "set", &format!("complete id='{id}'"), "").await;
    }
    for client in [&mut ann, &mut bob, &mut sue] {
        client.received();
    }
    let merge = "<merge xmlns='urn:parlour:customer:0' id='mary' version='1' other='other' other-version='1'/>";
    let answer = ask(&mut sue, "set", merge).await;
    assert!(answer.contains("type='result'"), "{answer}");
    let quiet = |told: &(String, String, String), what: &str, ids: &[&String]| {
        assert_eq!((told.0.as_str(), told.1.as_str()), ("headline", what));
        assert!(
            ids.iter().any(|id| told.2.contains(id.as_str())),
            "{told:?}"
        );
        for part in ["Call back", "mary", "other", "<body"] {
            assert!(!told.2.contains(part), "{part} in {told:?}");
        }
    };
    let told = notices(&mut bob);
    assert_eq!(told.len(), 2, "{told:?}");
    told.iter()
        .for_each(|it| quiet(it, "linked", &[&open, &over]));
    let erased = [("id", "mary"), ("confirm", "true")];
    floor.operate("customer erase", &erased).await;
    let mut told = notices(&mut bob);
    told.sort();
    assert_eq!(told.len(), 2, "{told:?}");
    let (kind, what, xml) = &told[0];
    assert_eq!((kind.as_str(), what.as_str()), ("chat", "erased"));
    assert!(xml.contains("nothing is left to be done.</body>"), "{xml}");
    assert!(xml.contains(&open) && !xml.contains("Call back"), "{xml}");
    quiet(&told[1], "erased", &[&over]);
    floor.house.clock.advance_seconds(2 * 86_400);
    let services = Arc::clone(floor.house.router.services());
    services.hooks.run_daily(&services).await;
    let told = notices(&mut bob);
    assert_eq!(told.len(), 1, "{told:?}");
    quiet(&told[0], "removed", &[&old]);
    assert_eq!(notices(&mut ann), []);
    assert_eq!(count(&floor).await, 0);
}

/// A customer who is erased by the command line while no server runs: who is responsible is told at the next start, once, and of what
/// was done long ago the devices only that are there.
#[tokio::test]
async fn who_is_responsible_is_told_at_the_start_of_what_was_erased_before() {
    use crate::admin::{Actor, ERASED_FOLLOW_UP, Operator, perform};
    let floor = Floor::new(&["ann", "bob"]).await;
    floor
        .customer("mary", "Mary Example", "m@example.org")
        .await;
    let mut ann = agent(&floor, "ann/desk").await;
    let open = planned(&mut ann, "customer='mary' responsible='bob@localhost'").await;
    let services = Arc::clone(floor.house.router.services());
    let (store, clock) = (services.store.clone(), services.clock.clone());
    let stopped = Operator::stopped(store, clock, Arc::clone(&services.config));
    let given = [("id", "mary"), ("confirm", "true")];
    let given = given.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let (by, given) = (Actor::command_line(None), given.into());
    let erased = perform(&stopped, &by, "customer erase", &given);
    Box::pin(erased).await.unwrap();
    let left = async |floor: &Floor| {
        let records = floor.house.router.services().store.records();
        records.all(ERASED_FOLLOW_UP, "", 10).await.unwrap()
    };
    let untold = left(&floor).await;
    assert_eq!(untold.len(), 1);
    assert!(!untold[0].snapshot.contains("Call back"), "{untold:?}");
    assert!(!untold[0].snapshot.contains("mary"), "{untold:?}");
    drop(services);
    let floor = Box::pin(floor.killed()).await;
    assert_eq!(left(&floor).await, []);
    let floor = Box::pin(floor.killed()).await;
    let mut bob = floor.house.client("bob/desk");
    bob.send("<presence/>").await;
    let mut told = notices(&mut bob);
    told.retain(|it| it.1 == "erased");
    assert_eq!(told.len(), 1, "{told:?}");
    let (kind, what, xml) = &told[0];
    assert_eq!((kind.as_str(), what.as_str()), ("chat", "erased"));
    assert!(xml.contains(&open) && !xml.contains("Call back"), "{xml}");
}
