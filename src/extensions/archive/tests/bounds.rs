//! What a query of many is bounded by, and which messages have their ids from the beginning.

use super::*;

#[tokio::test]
async fn messages_asked_for_by_their_ids_are_narrowed_down_and_bounded() {
    let mut config = Config::default();
    config.archive.page_bytes_max = crate::config::Bytes::kib(4);
    let house = House::configured(&["romeo", "juliet"], config, |hooks, config| {
        *hooks = crate::extensions::hooks(config);
    })
    .await;
    let (mut romeo, mut juliet) = verona(&house).await;
    for n in 0..4 {
        say(
            &mut romeo,
            "juliet@localhost",
            &format!("{n} {}", "x".repeat(3_000)),
        )
        .await;
    }
    juliet.received();
    let all = query(&mut juliet, "").await.ids;
    let rest = query(&mut juliet, &set(&format!("<after>{}</after>", all[1]))).await;
    let ids = [all, rest.ids].concat();
    let ask = |fields: &str, rsm: &str| {
        let values: String = ids
            .iter()
            .map(|id| format!("<value>{id}</value>"))
            .collect();
        format!(
            "<x xmlns='jabber:x:data' type='submit'>{FORM}<field var='ids'>{values}</field>{fields}</x>{rsm}"
        )
    };
    let first = query(&mut juliet, &ask("", "")).await;
    assert_eq!((first.ids.as_slice(), first.complete), (&ids[..2], false));
    let next = set(&format!("<after>{}</after>", ids[1]));
    let second = query(&mut juliet, &ask("", &next)).await;
    assert_eq!((second.ids.as_slice(), second.complete), (&ids[2..], true));
    let last = query(&mut juliet, &ask("", &set("<before/>"))).await;
    assert_eq!((last.ids.as_slice(), last.complete), (&ids[2..], false));
    for (field, value, count) in [
        ("with", "romeo@localhost", "4"),
        ("with", "mercutio@localhost", "0"),
        ("after-id", ids[0].as_str(), "3"),
        ("{urn:xmpp:fulltext:0}fulltext", "2", "1"),
    ] {
        let field = format!("<field var='{field}'><value>{value}</value></field>");
        let counted = query(&mut juliet, &ask(&field, &set("<max>0</max>"))).await;
        assert_eq!(counted.count.as_deref(), Some(count), "{field}");
        let found = query(&mut juliet, &ask(&field, "")).await;
        assert_eq!(
            found.ids.len().to_string(),
            count.replace(['3', '4'], "2"),
            "{field}"
        );
    }
}

#[tokio::test]
async fn the_sent_copy_has_the_id_also_where_contacts_alone_are_archived() {
    let mut config = Config::default();
    config.archive.default = crate::config::ArchiveDefault::Roster;
    let house = House::configured(&["romeo", "juliet"], config, |hooks, config| {
        *hooks = crate::extensions::hooks(config);
    })
    .await;
    let mut street = house.client("romeo/street");
    let mut romeo = house.client("romeo/orchard");
    let carbons = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
    street.send(carbons).await;
    let item = "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>\
        <item jid='juliet@localhost'/></query></iq>";
    romeo.send(item).await;
    street.received();
    say(&mut romeo, "juliet@localhost", "Hi").await;
    let copy = street.received_xml().concat();
    romeo.received();
    let archived = query(&mut romeo, "").await;
    assert_eq!(archived.bodies, ["Hi"]);
    assert!(copy.contains(&archived.ids[0]), "{copy}");
}
