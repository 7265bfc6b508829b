//! Lists of what was sent and received, and what becomes of it with the years and with accounts.

use super::*;

/// Lists have the newest first and are read in pages (XEP-0059).
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn contexts_are_listed_in_pages() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/a").await,
    );
    let mut ids = Vec::new();
    for n in 0..5 {
        floor.house.clock.advance_seconds(1);
        let object = format!("<object type='case' id='{n}'><title>N{n}</title></object>");
        let sent = send(&mut romeo, "juliet@localhost", &object).await;
        ids.push(attribute(&sent, "context", "id"));
    }
    ids.reverse();
    let set = |inner: &str| format!("<set xmlns='http://jabber.org/protocol/rsm'>{inner}</set>");
    for (inner, shown, index) in [
        ("<max>2</max>".to_owned(), &ids[..2], "0"),
        (
            format!("<max>2</max><after>{}</after>", ids[1]),
            &ids[2..4],
            "2",
        ),
        (
            format!("<max>2</max><before>{}</before>", ids[3]),
            &ids[1..3],
            "1",
        ),
        ("<max>2</max><before/>".to_owned(), &ids[3..], "3"),
    ] {
        let page = of(&mut juliet, "get", "contexts list='received'", &set(&inner)).await;
        let positions: Vec<_> = ids
            .iter()
            .map(|id| page.find(&format!("<context id='{id}'")))
            .collect();
        let here: Vec<_> = ids
            .iter()
            .zip(&positions)
            .filter(|(_, at)| at.is_some())
            .map(|(id, _)| id.clone())
            .collect();
        assert_eq!(here, shown, "{inner}: {page}");
        assert!(positions.iter().flatten().is_sorted(), "{page}");
        assert!(
            page.contains(&format!("index='{index}'")) && page.contains("<count>5</count>"),
            "{page}"
        );
    }
    let count = of(
        &mut romeo,
        "get",
        "contexts list='sent'",
        &set("<max>0</max>"),
    )
    .await;
    assert!(
        count.contains("<count>5</count>") && !count.contains("<context "),
        "{count}"
    );
    let wrong = of(
        &mut juliet,
        "get",
        "contexts list='received'",
        &set("<after>nothing</after>"),
    )
    .await;
    assert!(wrong.contains("<item-not-found"), "{wrong}");
    let wrong = of(&mut juliet, "get", "contexts list='all'", "").await;
    assert!(wrong.contains("<field-malformed"), "{wrong}");
    let form = command(
        &mut juliet,
        &format!("{NS}#contexts"),
        &[("list", "received")],
    )
    .await;
    assert!(form.contains("<value>juliet sent</value>"), "{form}");
}

/// A form leads behind the first page.
#[tokio::test]
async fn a_long_list_is_read_by_form() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut ids = Vec::new();
    for n in 0..25 {
        floor.house.clock.advance_seconds(1);
        let object = format!("<object type='case' id='{n}'><title>N{n}</title></object>");
        let sent = send(&mut romeo, "juliet@localhost", &object).await;
        ids.push(attribute(&sent, "context", "id"));
    }
    let node = format!("{NS}#contexts");
    let list = ("list", "sent");
    let answer = command(&mut romeo, &node, &[list]).await;
    let rest = format!("20 of 25. The rest is behind {}.", ids[5]);
    assert!(answer.contains(&rest), "{answer}");
    let answer = command(&mut romeo, &node, &[list, ("after", &ids[5])]).await;
    assert_eq!(answer.matches("<item>").count(), 5, "{answer}");
    assert!(answer.contains("5 of 25.<"), "{answer}");
}

/// What is old goes, and what belongs to an account that is removed.
#[tokio::test]
async fn old_contexts_go_and_nobody_sees_those_of_a_former_account() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/a").await,
    );
    let services = floor.house.router.services();
    let sent = async |romeo: &mut Client| send(romeo, "juliet@localhost", CASE).await;
    sent(&mut romeo).await;
    floor.house.clock.advance_seconds(366 * 86_400);
    sent(&mut romeo).await;
    assert_eq!(
        super::super::retention::forget_old(services).await.unwrap(),
        1
    );
    assert_eq!(
        super::super::retention::forget_old(services).await.unwrap(),
        0
    );
    let left = of(&mut juliet, "get", "contexts list='received'", "").await;
    assert!(left.contains("<count>1</count>"), "{left}");
    let received = send(&mut juliet, "romeo@localhost", CASE).await;
    let received = attribute(&received, "context", "id");
    let opened = attribute(&left, "context", "id");
    // Romeo's account is removed, and another person gets its name.
    let gone = crate::proto::BareJid::new("romeo@localhost").unwrap();
    let accounts = services.store.accounts();
    accounts.remove(&gone).await.unwrap();
    services.hooks.run_removed(&gone, services).await;
    floor.house.clock.advance_seconds(1);
    let now = floor.house.clock.now();
    let made = accounts.create(&gone, crate::domain::rights::Role::Agent, &[], now);
    Box::pin(made).await.unwrap();
    messages(&mut romeo);
    messages(&mut juliet);
    // Who sent it is not told that it was opened: that was somebody else.
    let open = of(&mut juliet, "set", &format!("open id='{opened}'"), "").await;
    assert!(open.contains("progress='opened'"), "{open}");
    assert_eq!(messages(&mut romeo), [""; 0]);
    // Who was sent it was somebody else, too: nothing opens it, and its sender is told nothing.
    for (kind, name) in [("get", "context"), ("set", "open")] {
        let answer = of(&mut romeo, kind, &format!("{name} id='{received}'"), "").await;
        assert!(answer.contains("<context-unknown"), "{name}: {answer}");
    }
    let marker = format!(
        "<message to='juliet@localhost' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='context-{received}'/></message>"
    );
    romeo.send(&marker).await;
    assert!(
        !messages(&mut juliet)
            .iter()
            .any(|it| it.contains("<progress"))
    );
    let sent = of(&mut juliet, "get", &format!("context id='{received}'"), "").await;
    assert!(sent.contains("progress='sent'"), "{sent}");
    let recent = of(&mut romeo, "get", "recent", "").await;
    assert!(!recent.contains("<entry"), "{recent}");
    for list in ["sent", "received"] {
        let listed = of(&mut romeo, "get", &format!("contexts list='{list}'"), "").await;
        let nothing = !listed.contains("<context ") && listed.contains("<count>0</count>");
        assert!(nothing, "{listed}");
    }
    // What the new account is sent is the first of its list, from both ends.
    let first = send(&mut juliet, "romeo@localhost", CASE).await;
    let first = attribute(&first, "context", "id");
    for page in ["", "<before/>"] {
        let set = format!("<set xmlns='http://jabber.org/protocol/rsm'><max>1</max>{page}</set>");
        let listed = of(&mut romeo, "get", "contexts list='received'", &set).await;
        let expected =
            format!("<first index='0'>{first}</first><last>{first}</last><count>1</count>");
        assert!(listed.contains(&expected), "{page}: {listed}");
    }
    let left = of(&mut juliet, "get", "contexts list='received'", "").await;
    assert!(left.contains("<count>1</count>"), "{left}");
}
