//! Many at the same moment: nobody is refused because others send, too.

use futures_util::future::join_all;

use super::*;

/// More than may lose against the others one after the other.
const MANY: usize = 16;

async fn sends(client: &mut Client, is_typed: bool, to: &str) -> String {
    match is_typed {
        true => send(client, to, CASE).await,
        false => {
            let fields = [
                ("to", to),
                ("new-type", "case"),
                ("new-id", "9"),
                ("new-title", "Nine"),
            ];
            command(client, &format!("{NS}#send"), &fields).await
        }
    }
}

/// S0-27: sixteen send to one, and one to sixteen from as many devices, through both doors.
#[tokio::test]
async fn what_many_send_at_the_same_moment_arrives() {
    for is_typed in [true, false] {
        let names: Vec<String> = (0..MANY).map(|number| format!("a{number}")).collect();
        let people = names.iter().map(String::as_str);
        let people: Vec<&str> = people.chain(["juliet"]).collect();
        let floor = Floor::new(&people).await;
        let mut juliet = floor.online("juliet/desk").await;
        let senders = names.iter().map(|it| format!("{it}/desk"));
        let mut senders: Vec<_> = senders.map(|it| floor.house.client(&it)).collect();
        let sending = senders.iter_mut();
        let sending = sending.map(|it| sends(it, is_typed, "juliet@localhost"));
        for answer in join_all(sending).await {
            assert!(answer.contains("type='result'"), "{answer}");
        }
        assert_eq!(messages(&mut juliet).len(), MANY);
        let list = of(&mut juliet, "get", "contexts list='received'", "").await;
        assert!(list.contains(&format!("<count>{MANY}</count>")), "{list}");
        let devices = (0..MANY).map(|number| floor.house.client(&format!("juliet/d{number}")));
        let mut devices: Vec<_> = devices.collect();
        let sending = devices.iter_mut().zip(&names).map(async |(client, name)| {
            sends(client, is_typed, &format!("{name}@localhost")).await
        });
        for answer in join_all(sending).await {
            assert!(answer.contains("type='result'"), "{answer}");
        }
        let list = of(&mut juliet, "get", "contexts list='sent'", "").await;
        assert!(list.contains(&format!("<count>{MANY}</count>")), "{list}");
    }
}

/// S0-28: what many devices open at the same moment is opened, once each.
#[tokio::test]
async fn what_many_devices_open_at_the_same_moment_is_in_the_list() {
    let floor = Floor::new(&["romeo"]).await;
    let devices = (0..MANY).map(|number| floor.house.client(&format!("romeo/d{number}")));
    let mut devices: Vec<_> = devices.collect();
    let opening = devices.iter_mut().enumerate().map(async |(n, client)| {
        let object = format!("<object type='case' id='{n}'><title>T</title></object>");
        of(client, "set", "opened", &object).await
    });
    for answer in join_all(opening).await {
        assert!(answer.contains("type='result'"), "{answer}");
    }
    let list = of(&mut devices[0], "get", "recent", "").await;
    assert_eq!(list.matches("<entry").count(), MANY, "{list}");
}
