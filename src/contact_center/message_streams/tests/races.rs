//! What happens to a customer at the moment at which a stream about it is made: nothing is left about somebody who is not there.

use std::cell::Cell;
use std::sync::Arc;

use super::super::changes::{Wish, save};
use super::super::{KIND, relink};
use super::*;
use crate::contact_center::customers;
use crate::contact_center::doors::{Asker, known};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::domain::customer::Rejection;
use crate::domain::ids::StreamId;
use crate::domain::message_stream::{Command, Properties, Stream, Written};
use crate::store::{AuditFilter, ListOrder, STREAMS_ABOUT};

async fn caller(floor: &Floor, name: &str) -> Caller {
    let (center, place) = floor.inside();
    let from = format!("{name}@localhost/desk").parse().unwrap();
    let asker = Asker {
        from: &from,
        language: None,
    };
    let services = floor.house.router.services();
    known(&center, &place, services, asker).await.unwrap()
}

/// As it is decided from what was read a moment before.
fn creation(caller: &Caller, customer: &str) -> Wish {
    Wish::of(Command::Create {
        by: caller.agent.clone(),
        customer: customer.parse().unwrap(),
        title: "Call".to_owned(),
        message: Written {
            id: "m1".parse().unwrap(),
            text: "x".to_owned(),
            attachments: vec![],
        },
        properties: Properties::default(),
        tags: [].into(),
    })
}

/// The ids of the streams in the list of that customer.
async fn about(floor: &Floor, customer: &str) -> Vec<String> {
    let records = floor.house.router.services().store.records();
    let owner = format!("localhost {customer}");
    let list = (STREAMS_ABOUT, owner.as_str());
    let all = records.listed(KIND, list, None, ListOrder::Ascending, 10);
    all.await.unwrap().into_iter().map(|it| it.id).collect()
}

async fn erase(floor: &Floor, customer: &str) {
    let sure = [("id", customer), ("confirm", "true")];
    floor.operate("customer erase", &sure).await;
}

/// Makes Smith of Ann, by a supervisor.
async fn merge(floor: &Floor) {
    let mut lady = floor.online("lady/desk").await;
    let merge = "<merge xmlns='urn:parlour:customer:0' id='smith' version='1' other='ann' other-version='1'/>";
    let answer = ask(&mut lady, "set", merge).await;
    assert!(answer.contains("type='result'"), "{answer}");
}

/// Looks at the customer, has that done which happens just then, and makes the stream.
async fn made_while<F: AsyncFn()>(
    floor: &Floor,
    id: &StreamId,
    happens: F,
) -> Result<Option<String>, Refused> {
    let caller = caller(floor, "romeo").await;
    let happened = Cell::new(false);
    let attempt = async |mut draft: Draft| {
        let (services, place) = (&caller.services, &caller.place);
        let named = "ann".parse().unwrap();
        let held = customers::hold(&mut draft, services, place, &named).await?;
        let customer = held.ok_or(Rejection::Unknown)?;
        if !happened.replace(true) {
            happens().await;
        }
        let before = Stream::new(id.clone());
        let Wish { command, .. } = creation(&caller, customer.id.as_str());
        let rights = &caller.rights;
        let facts = crate::domain::message_stream::Facts {
            rights,
            since: caller.since,
            tags: &[],
            strangers: &std::collections::BTreeSet::new(),
            attachment_bytes_max: 0,
        };
        let events = crate::domain::message_stream::decide(&before, command, caller.now(), &facts)?;
        let after = draft.change(&before, &events)?;
        Ok((draft, after.customer.map(|it| it.to_string())))
    };
    Box::pin(caller.center.save(&caller.services, attempt)).await
}

/// The customer is erased between the look at it and the write: nothing is written, and who writes is told.
#[tokio::test]
async fn a_customer_who_is_erased_meanwhile_gets_no_stream() {
    let floor = floor(&["romeo"]).await;
    let id: StreamId = "s1".parse().unwrap();
    let happens = async || Box::pin(erase(&floor, "ann")).await;
    let refused = Box::pin(made_while(&floor, &id, happens))
        .await
        .unwrap_err();
    let Refused::Rule(refused) = refused else {
        panic!("{refused}");
    };
    assert_eq!(refused.code, "customer-unknown");
    assert_eq!(about(&floor, "ann").await, Vec::<String>::new());
    let records = floor.house.router.services().store.records();
    assert_eq!(records.all(KIND, "", 10).await.unwrap(), []);
}

/// It is merged between both: the stream is about the one that it is then.
#[tokio::test]
async fn a_customer_who_is_merged_meanwhile_has_the_stream_as_another() {
    let floor = floor(&["romeo", "lady:supervisor"]).await;
    floor
        .customer("smith", "A. Smith", "smith@example.org")
        .await;
    let id: StreamId = "s1".parse().unwrap();
    let happens = async || Box::pin(merge(&floor)).await;
    let customer = Box::pin(made_while(&floor, &id, happens)).await.unwrap();
    assert_eq!(customer.as_deref(), Some("smith"));
    assert_eq!(about(&floor, "smith").await, ["s1"]);
    assert_eq!(about(&floor, "ann").await, Vec::<String>::new());
}

/// The operation itself looks once more: what it has read before it waited for files and for its turn is old.
#[tokio::test]
async fn a_stream_is_made_of_who_the_customer_is_when_it_is_written() {
    let floor = floor(&["romeo", "lady:supervisor"]).await;
    floor
        .customer("smith", "A. Smith", "smith@example.org")
        .await;
    let romeo = caller(&floor, "romeo").await;
    let wish = creation(&romeo, "ann");
    merge(&floor).await;
    let id = "s1".parse().unwrap();
    let done = Box::pin(save(&romeo, &id, &wish)).await.unwrap();
    assert_eq!(done.after.customer, Some("smith".parse().unwrap()));
    erase(&floor, "smith").await;
    let id = "s2".parse().unwrap();
    let refused = Box::pin(save(&romeo, &id, &wish)).await;
    assert!(matches!(refused, Err(Refused::Rule(it)) if it.code == "customer-unknown"));
    assert_eq!(about(&floor, "smith").await, Vec::<String>::new());
    // What was not written was done by nobody.
    let audit = floor.house.router.services().store.audit();
    let entries = audit.list(&AuditFilter::default(), 50).await.unwrap();
    let made = entries
        .iter()
        .filter(|it| it.operation == "message-stream create");
    let made: Vec<_> = made.map(|it| it.target.as_str()).collect();
    assert_eq!(made, ["s1"]);
}

/// A merge that is finished late takes the streams to who the customer is by then, and leaves those of one who is erased.
#[tokio::test]
async fn streams_follow_to_the_last_of_several_merges() {
    let floor = floor(&["romeo", "lady:supervisor"]).await;
    floor
        .customer("smith", "A. Smith", "smith@example.org")
        .await;
    floor.customer("old", "Ann S.", "old@example.org").await;
    let romeo = caller(&floor, "romeo").await;
    let id = "s1".parse().unwrap();
    Box::pin(save(&romeo, &id, &creation(&romeo, "old")))
        .await
        .unwrap();
    merge(&floor).await;
    let (center, place) = floor.inside();
    let services = Arc::clone(floor.house.router.services());
    let (old, ann) = ("old".parse().unwrap(), "ann".parse().unwrap());
    Box::pin(relink(&center, &services, &place, (&old, &ann)))
        .await
        .unwrap();
    assert_eq!(about(&floor, "smith").await, ["s1"]);
    let (smith, gone) = ("smith".parse().unwrap(), "gone".parse().unwrap());
    Box::pin(relink(&center, &services, &place, (&smith, &gone)))
        .await
        .unwrap();
    assert_eq!(about(&floor, "smith").await, ["s1"]);
}
