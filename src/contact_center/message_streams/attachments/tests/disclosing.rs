//! Links to the files of a customer's streams for who has disclosed what is kept of that one.

use super::*;
use crate::admin::{self, Actor, Given, Operator, Outcome, perform};
use crate::domain::rights::Role;

/// What that account is told, by its role and its rights.
async fn disclosed(house: &House, account: &str) -> Outcome {
    let services = house.services();
    let jid = BareJid::new(account).unwrap();
    let known = services.store.accounts().find(&jid).await.unwrap();
    let role = known.map_or(Role::Member, |it| it.role);
    let rights = admin::rights_of(&services.store, &jid, role).await.unwrap();
    let actor = Actor::account(&services.config, &jid.into(), role, None).with_rights(rights);
    told(house, &actor).await
}

async fn told(house: &House, actor: &Actor) -> Outcome {
    let operator = Operator::running(Arc::clone(house.services()));
    let given: Given = [("id".to_owned(), "c1".to_owned())].into();
    let told = perform(&operator, actor, "customer disclose", &given);
    Box::pin(told).await.unwrap()
}

/// The link to the only file.
fn url(outcome: &Outcome) -> Option<String> {
    let file = &outcome.data["records"]["message-stream"][0]["files"][0];
    assert_eq!(file["name"], "a.png", "{file}");
    file["url"].as_str().map(str::to_owned)
}

/// A link holds for who may have this done, also of a stream that is not for that one, for some minutes and no longer than the right
/// and the stream.
#[tokio::test]
async fn who_may_disclose_gets_links_that_end_with_the_right() {
    let house = Box::pin(House::new(None)).await;
    house.floor.customer("c1", "Mary", "m@example.org").await;
    let id = stream("s1");
    let png = Box::pin(house.png("romeo")).await;
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &id, &[&png]).await.unwrap();
    let only_romeo = Recipients::Some([agent("romeo")].into());
    let made = Box::pin(house.stream(&id, only_romeo, taken)).await;
    forget(house.services(), &made.id).await.unwrap();
    let right = [("jid", "juliet@localhost"), ("right", "customer-erase")];
    house.floor.operate("right give", &right).await;
    let outcome = disclosed(&house, "juliet@localhost").await;
    let of_juliet = url(&outcome).unwrap();
    let table = outcome.table.clone().unwrap();
    let row = table.rows.last().unwrap();
    assert_eq!(row, &["a.png", "1", of_juliet.as_str()]);
    assert_eq!(table.columns.len(), row.len());
    let minutes = house.services().clock.now().plus_seconds(300);
    let until = format!("hold until {minutes}, for you alone.");
    assert!(outcome.text.contains(&until), "{}", outcome.text);
    let shown = house.shown(&of_juliet).await.unwrap();
    assert_eq!(std::fs::read(&shown.place).unwrap(), PNG);
    // The link is of no use to whom it was not given, for it says whose it is.
    let juliet = house.caller("juliet").await;
    let as_agent = link(&juliet, &made, &made.messages[0].attachments[0]).unwrap();
    assert_eq!(house.shown(&as_agent).await, None);
    // An administrator may by its role; the command line has no account and takes the files themselves.
    let of_romeo = url(&disclosed(&house, "romeo@localhost").await).unwrap();
    assert!(house.shown(&of_romeo).await.is_some());
    let by_hand = told(&house, &Actor::command_line(None)).await;
    assert_eq!(url(&by_hand), None);
    assert_eq!(by_hand.table.unwrap().columns.len(), 2);
    house.floor.operate("right take", &right).await;
    assert_eq!(house.shown(&of_juliet).await, None);
    house.floor.operate("right give", &right).await;
    assert!(house.shown(&of_juliet).await.is_some());
    house.floor.house.clock.advance_seconds(301);
    assert_eq!(house.shown(&of_juliet).await, None);
    let later = url(&disclosed(&house, "juliet@localhost").await).unwrap();
    assert!(house.shown(&later).await.is_some());
    let by = agent("romeo");
    let delete = Command::Delete {
        by,
        read: None,
        confirmed: true,
    };
    Box::pin(house.change(&id, "romeo", delete)).await;
    assert_eq!(house.shown(&later).await, None);
}
