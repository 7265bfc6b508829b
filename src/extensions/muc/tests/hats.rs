use super::lasting::restart;
use super::{ROOM, admin, cave, configure, enter, told};
use crate::extensions::testing::Client;
use crate::proto::BareJid;

const HOST: &str = "urn:hat:host";
const COMMANDS: &str = "http://jabber.org/protocol/commands";

async fn command(client: &mut Client, name: &str, fields: &[(&str, &str)]) -> String {
    let fields: String = fields
        .iter()
        .map(|(var, value)| format!("<field var='hats#{var}'><value>{value}</value></field>"))
        .collect();
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
    let form = if fields.is_empty() { "" } else { &form };
    execute(client, name, "execute", form).await
}

async fn execute(client: &mut Client, name: &str, action: &str, form: &str) -> String {
    client
        .send(&format!(
            "<iq type='set' id='h' to='{ROOM}'><command xmlns='{COMMANDS}' action='{action}' node='urn:xmpp:hats:commands:{name}'>{form}</command></iq>"
        ))
        .await;
    client.received_xml().concat()
}

#[tokio::test]
async fn a_hat_is_made_given_shown_kept_and_taken() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    configure(&mut juliet, &[("roomconfig_persistentroom", "1")]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    let form = command(&mut juliet, "create", &[]).await;
    assert!(
        form.contains("status='executing'") && form.contains("hats#hue"),
        "{form}"
    );
    let made = [("uri", HOST), ("title", "Host"), ("hue", "12.5")];
    let done = command(&mut juliet, "create", &made).await;
    assert!(done.contains("status='completed'"), "{done}");
    assert_eq!(told(&mut romeo), ["message groupchat 104"]);
    let given = [("jid", "romeo@localhost"), ("uri", HOST)];
    let done = command(&mut juliet, "assign", &given).await;
    assert!(done.contains("status='completed'"), "{done}");
    let hat =
        "<hats xmlns='urn:xmpp:hats:0'><hat title='Host' uri='urn:hat:host' hue='12.5'/></hats>";
    let shown = romeo.received_xml().concat();
    assert!(shown.contains(hat), "{shown}");
    // Who enters later sees it, too; what a client says of hats does not count.
    let mut again = house.client("juliet/garden");
    enter(&mut again, "Jule").await;
    assert!(again.received_xml().concat().contains(hat));
    let forged = "<hats xmlns='urn:xmpp:hats:0'><hat title='Host' uri='urn:hat:king'/></hats>";
    romeo
        .send(&format!(
            "<presence to='{ROOM}/Romy'>{forged}<show>away</show></presence>"
        ))
        .await;
    let seen = again.received_xml().concat();
    assert!(seen.contains(hat) && !seen.contains("king"), "{seen}");
    let listed = command(&mut juliet, "list-assigned", &[]).await;
    assert!(
        listed.contains("romeo@localhost") && listed.contains(HOST),
        "{listed}"
    );
    let kept = restart(&house).await;
    let account = BareJid::new("romeo@localhost").unwrap();
    assert!(kept.lock().hats_of(&account).is_some());
    romeo.received();
    command(&mut juliet, "create", &[("uri", HOST), ("title", "Chair")]).await;
    assert!(romeo.received_xml().concat().contains("title='Chair'"));
    command(&mut juliet, "unassign", &given).await;
    let seen = romeo.received_xml().concat();
    assert!(
        seen.contains("<presence ") && !seen.contains("<hats "),
        "{seen}"
    );
    command(&mut juliet, "assign", &given).await;
    assert!(romeo.received_xml().concat().contains("<hats "));
    command(&mut juliet, "destroy", &[("uri", HOST)]).await;
    let seen = romeo.received_xml().concat();
    assert!(seen.contains("'104'") && !seen.contains("<hats "), "{seen}");
    assert!(restart(&house).await.lock().hats_of(&account).is_none());
}

#[tokio::test]
async fn hats_are_the_admins_affair() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    command(&mut juliet, "create", &[("uri", HOST), ("title", "Host")]).await;
    // Not even the list is for strangers.
    for name in ["list", "create", "list-assigned"] {
        let answer = command(&mut romeo, name, &[]).await;
        assert!(answer.contains("<forbidden "), "{name} {answer}");
    }
    enter(&mut romeo, "Romy").await;
    romeo.received();
    assert!(command(&mut romeo, "list", &[]).await.contains(HOST));
    for name in ["create", "destroy", "assign", "unassign", "list-assigned"] {
        let fields = [("uri", HOST), ("title", "x"), ("jid", "romeo@localhost")];
        let answer = command(&mut romeo, name, &fields).await;
        assert!(answer.contains("<forbidden "), "{name} {answer}");
    }
    let items = format!(
        "<iq type='get' id='d' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#items' node='{COMMANDS}'/></iq>"
    );
    for (client, count) in [(&mut romeo, 1), (&mut juliet, 6)] {
        client.received();
        client.send(&items).await;
        assert_eq!(
            client.received_xml().concat().matches("<item ").count(),
            count
        );
    }
    admin(
        &mut juliet,
        "set",
        "<item affiliation='admin' nick='Romy'/>",
    )
    .await;
    let answer = command(&mut romeo, "create", &[("uri", "urn:b"), ("title", "B")]).await;
    assert!(answer.contains("status='completed'"), "{answer}");
}

#[tokio::test]
async fn what_is_wrong_with_a_hat_is_told_and_changes_nothing() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    command(&mut juliet, "create", &[("uri", HOST), ("title", "Host")]).await;
    admin(
        &mut juliet,
        "set",
        "<item affiliation='outcast' jid='romeo@localhost'/>",
    )
    .await;
    juliet.received();
    let romeo = ("jid", "romeo@localhost");
    for (name, fields, condition) in [
        (
            "create",
            &[("uri", "no uri"), ("title", "x")][..],
            "bad-request",
        ),
        ("create", &[("uri", HOST), ("title", "")], "bad-request"),
        (
            "create",
            &[("uri", HOST), ("title", "x"), ("hue", "red")],
            "bad-request",
        ),
        ("create", &[("title", "x")], "bad-request"),
        (
            "assign",
            &[("uri", "urn:none"), ("jid", "nurse@localhost")],
            "bad-request",
        ),
        ("assign", &[("uri", HOST), ("jid", "@")], "bad-request"),
        ("assign", &[("uri", HOST), romeo], "not-allowed"),
        ("destroy", &[("uri", "urn:none")], "bad-request"),
        ("wear", &[("uri", HOST)], "item-not-found"),
    ] {
        let answer = command(&mut juliet, name, fields).await;
        assert!(
            answer.contains(&format!("<{condition} ")),
            "{name} {fields:?} {answer}"
        );
    }
    let next = execute(&mut juliet, "list", "next", "").await;
    assert!(next.contains("<bad-request "), "{next}");
    let cancel = execute(&mut juliet, "create", "cancel", "").await;
    assert!(cancel.contains("status='canceled'"), "{cancel}");
    let listed = command(&mut juliet, "list", &[]).await;
    assert_eq!(listed.matches("<item>").count(), 1, "{listed}");
    for number in 1..64 {
        let uri = format!("urn:hat:{number}");
        command(&mut juliet, "create", &[("uri", &uri), ("title", "x")]).await;
    }
    let many = command(
        &mut juliet,
        "create",
        &[("uri", "urn:more"), ("title", "x")],
    )
    .await;
    assert!(many.contains("<resource-constraint "), "{many}");
    for number in 1..=8 {
        let uri = format!("urn:hat:{number}");
        let fields = [("uri", uri.as_str()), ("jid", "nurse@localhost")];
        let given = command(&mut juliet, "assign", &fields).await;
        assert!(given.contains("status='completed'"), "{given}");
    }
    let more = [("uri", "urn:hat:9"), ("jid", "nurse@localhost")];
    let many = command(&mut juliet, "assign", &more).await;
    assert!(many.contains("<resource-constraint "), "{many}");
    house.router.services().store.close().await;
}
