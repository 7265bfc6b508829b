//! Merges that the end of the server interrupts.

use std::sync::Arc;

use super::*;
use crate::contact_center::doors::{Asker, known};
use crate::contact_center::draft::Draft;
use crate::domain::activity::{Activity, Command, Subject, decide};
use crate::domain::ids::ActivityId;
use crate::domain::interaction::{Direction, Role};

/// How many activities that customer has.
async fn activities(floor: &Floor, customer: &str) -> u64 {
    let records = floor.house.router.services().store.records();
    let owner = format!("localhost {customer}");
    let list = ("customer", owner.as_str());
    records.count("activity", list).await.unwrap()
}

/// The activities follow at the next start, where the server was killed before they have.
#[tokio::test]
async fn a_merge_that_was_interrupted_is_finished_at_the_start() {
    let floor = Floor::new(&["romeo", "lady:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let ann = made(&mut romeo, "Ann", "+493012345678", "").await;
    let smith = made(&mut romeo, "A. Smith", "+390612345678", "").await;
    let services = Arc::clone(floor.house.router.services());
    let (center, place) = floor.inside();
    let now = services.clock.now();
    let decided = async |mut draft: Draft| {
        let subject = Subject {
            interaction: "call-1".parse().unwrap(),
            agent: "romeo@localhost".parse().unwrap(),
            role: Role::Primary,
            medium: Medium::Voice,
            direction: Direction::Inbound,
            address: "+390612345678".to_owned(),
            customer: Some(smith.parse().unwrap()),
            name: "A. Smith".to_owned(),
        };
        let fresh = Activity::new(ActivityId::made(now));
        let events = decide(&fresh, Command::Open(subject), now).unwrap();
        draft.change(&fresh, &events)?;
        Ok((draft, ()))
    };
    Box::pin(center.save(&services, decided)).await.unwrap();
    let asker = Asker {
        from: &"lady@localhost/desk".parse().unwrap(),
        language: None,
    };
    let caller = known(&center, &place, &services, asker).await.unwrap();
    let (first, second) = (ann.parse().unwrap(), smith.parse().unwrap());
    let written = changes::write_merged(&caller, (&first, 1), (&second, 1));
    Box::pin(written).await.unwrap();
    assert_eq!(activities(&floor, &smith).await, 1);
    let floor = Box::pin(floor.killed()).await;
    assert_eq!(activities(&floor, &smith).await, 0);
    assert_eq!(activities(&floor, &ann).await, 1);
    let records = floor.house.router.services().store.records();
    assert_eq!(records.all("merging", "", 10).await.unwrap(), []);
}
