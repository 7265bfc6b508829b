//! S0-26: an agent has at most five open IM channels, whatever happens at the same time.

use super::*;

const COLLEAGUES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

async fn with_colleagues(floor: &Floor) -> Vec<Client> {
    let mut clients = Vec::new();
    for name in COLLEAGUES {
        clients.push(agent(floor, &format!("{name}/desk")).await);
    }
    clients
}

/// S0-26: five, and the sixth is refused to the one who asks.
#[tokio::test]
async fn the_sixth_channel_is_refused_and_there_is_room_again_after_an_end() {
    let floor = Floor::new(&["romeo", "a", "b", "c", "d", "e", "f"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let _colleagues = with_colleagues(&floor).await;
    let mut ids = Vec::new();
    for name in &COLLEAGUES[..5] {
        ids.push(invite(&mut romeo, name, "hello").await);
    }
    let sixth = "invite colleague='f@localhost' <text>hello</text>";
    let answer = set(&mut romeo, sixth).await;
    assert!(
        answer.contains("<resource-constraint ") && answer.contains("<im-channels-full "),
        "{answer}"
    );
    assert!(answer.contains("You have 5 IM channels open"), "{answer}");
    set(&mut romeo, &format!("cancel id='{}'", ids[0])).await;
    let answer = set(&mut romeo, sixth).await;
    assert!(answer.contains("status='pending'"), "{answer}");
}

/// S0-26: an invitee whose channels are full is busy, and one who answers too late is told why it cannot.
#[tokio::test]
async fn a_full_invitee_is_busy_and_its_reply_comes_back() {
    let floor = Floor::new(&["romeo", "juliet", "a", "b", "c", "d", "e", "f"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let mut phone = device(floor.online("juliet/phone").await).await;
    let mut colleagues = with_colleagues(&floor).await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    for name in &COLLEAGUES[..5] {
        invite(&mut juliet, name, "hello").await;
    }
    heard(&mut romeo);
    heard(&mut phone);
    heard(&mut juliet);
    chat(&mut juliet, "romeo@localhost", "yes", None).await;
    assert_eq!(heard(&mut juliet), ["error im-channels-full"]);
    // Neither kept nor copied nor half done.
    assert_eq!(heard(&mut romeo), Vec::<String>::new());
    assert_eq!(heard(&mut phone), Vec::<String>::new());
    assert_eq!(status(&mut juliet, &id).await, "pending");
    let services = floor.house.router.services();
    let owner = "juliet@localhost".parse().unwrap();
    let query = crate::store::ArchiveFilter::default();
    let page = services
        .store
        .archive()
        .count(&owner, &query, 100)
        .await
        .unwrap();
    assert_eq!(page, Some(6), "the invitations alone");
    let answer = set(
        &mut colleagues[5],
        "invite colleague='juliet' <text>hello</text>",
    )
    .await;
    assert!(
        answer.contains("<recipient-unavailable ") && answer.contains("<invitee-busy "),
        "{answer}"
    );
}

/// S0-26: the limit holds when everything happens at once.
#[tokio::test]
async fn invitations_at_the_same_time_take_five_channels() {
    let floor = Floor::new(&["romeo", "a", "b", "c", "d", "e", "f"]).await;
    let _romeo = agent(&floor, "romeo/desk").await;
    let _colleagues = with_colleagues(&floor).await;
    let invitations = COLLEAGUES.map(|name| {
        let client = floor.house.client(&format!("romeo/{name}"));
        async move {
            let mut client = client;
            let request = format!("invite colleague='{name}' <text>hello</text>");
            set(&mut client, &request).await
        }
    });
    let answers = futures_util::future::join_all(invitations).await;
    let pending = answers.iter().filter(|it| it.contains("status='pending'"));
    assert_eq!(pending.count(), 5, "{answers:?}");
    let refused = answers
        .iter()
        .filter(|it| it.contains("<im-channels-full "));
    assert_eq!(refused.count(), 1, "{answers:?}");
}

/// S1-22: two devices accept at the same time: one acceptance, and both are told that it holds.
#[tokio::test]
async fn two_devices_accept_at_the_same_time() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut desk = agent(&floor, "juliet/desk").await;
    let mut phone = device(floor.online("juliet/phone").await).await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    heard(&mut romeo);
    let accept = format!("accept id='{id}'");
    let (first, second) = tokio::join!(set(&mut desk, &accept), set(&mut phone, &accept));
    for answer in [first, second] {
        assert!(answer.contains("status='connected'"), "{answer}");
    }
    assert_eq!(heard(&mut romeo), ["event accepted"]);
}
