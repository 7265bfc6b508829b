//! Many at once.

use super::*;

/// Of many offers for one agent as many are taken as its profile allows, whatever comes at the same moment; each of the others is
/// refused for that reason.
#[tokio::test]
async fn capacity_is_never_exceeded() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let all = (0..200).map(|number| {
        let medium = if number % 2 == 0 { "chat" } else { "email" };
        let iq = format!(
            "<iq type='set' id='o{number}' from='{PBX}' to='{CENTER}'>\
             <offer xmlns='urn:parlour:connector:0' interaction='c{number}' medium='{medium}' \
             direction='inbound' address='e{number}@m.example' agent='ann@localhost'/></iq>"
        );
        let house = &floor.house;
        async move { house.component_sends(&iq).await }
    });
    futures_util::future::join_all(all).await;
    let answers = floor.house.component_receives(PBX);
    let taken = answers.iter().filter(|it| it.contains("type='result'"));
    assert_eq!((answers.len(), taken.count()), (200, 15));
    let refused = answers.iter().filter(|it| it.contains("<capacity-full "));
    let contended = answers.iter().filter(|it| it.contains("<contended "));
    assert_eq!(refused.count() + contended.count(), 185);
    let list = ask(&mut ann, "get", &format!("<interactions xmlns='{NS}'/>")).await;
    assert!(list.contains("<count>15</count>"), "{list}");
    // What is over makes room.
    let over = list.split_once("<interaction id='").unwrap().1;
    let over = over.split('\'').next().unwrap();
    let medium = attribute(&list, "interaction", "medium").unwrap();
    report(&floor, over, "ended").await;
    let next = format!(
        "<offer interaction='next' medium='{medium}' direction='inbound' address='e@m.example' agent='ann@localhost'/>"
    );
    assert!(
        says(&floor, PBX, "set", &next)
            .await
            .contains("type='result'")
    );
}
