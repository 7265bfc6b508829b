//! Operations behind their forms.

use super::*;
use crate::hooks::Hooks;

const OWN: &str = "urn:parlour:admin:0#";

pub(super) async fn full_house() -> House {
    let all = |hooks: &mut Hooks, config: &std::sync::Arc<crate::config::Config>| {
        *hooks = crate::extensions::hooks(config);
    };
    let house = House::with(&["chief", "ann", "bob"], all).await;
    let chief = BareJid::new("chief@localhost").unwrap();
    let accounts = house.router.services().store.accounts();
    assert!(
        accounts
            .set_role(&chief, Role::Administrator)
            .await
            .unwrap()
    );
    house
}

/// Every command begins with its form or is completed, and no answer lacks its session id
/// (XEP-0050 §2.4.1); what is shown in a form is taken back as it is.
#[tokio::test]
async fn every_operation_has_a_form_or_an_answer() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    for operation in crate::admin::operations() {
        let node = operation.face.node;
        // These need the machine around: certificates, log, file.
        let needs_machine = ["certificate ", "log ", "server "];
        if needs_machine
            .iter()
            .any(|word| operation.name.starts_with(word))
        {
            continue;
        }
        let begun = command(&mut chief, &format!("node='{node}' action='execute'"), "").await;
        let nothing_to_delete = operation.act() == "delete" && begun.contains("<item-not-found");
        if nothing_to_delete {
            continue;
        }
        assert!(!session_id(&begun).is_empty(), "{node}: {begun}");
        let asks = begun.contains("status='executing'");
        assert_ne!(
            asks,
            begun.contains("status='completed'"),
            "{node}: {begun}"
        );
        let required = operation
            .arguments
            .iter()
            .any(|it| it.need == crate::admin::Need::Required);
        assert!(asks || !required, "{node}: {begun}");
        if asks {
            let at = format!(
                "node='{node}' sessionid='{}' action='cancel'",
                session_id(&begun)
            );
            let canceled = command(&mut chief, &at, "").await;
            assert!(canceled.contains("status='canceled'"), "{node}: {canceled}");
        }
    }
}

#[tokio::test]
async fn a_list_is_told_as_a_table_xep_0004_section_3_4() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    let done = command(&mut chief, &format!("node='{OWN}admin-list'"), "").await;
    for part in [
        "<reported><field var='column-0' type='text-single' label='ADMINISTRATOR'/>",
        "<item><field var='column-0'><value>chief@localhost</value></field>",
        "<note type='info'>1 in all.</note>",
    ] {
        assert!(done.contains(part), "{part}: {done}");
    }
}

#[tokio::test]
async fn rosters_are_told_as_rosters_xep_0133_section_4_8() {
    let house = full_house().await;
    let (mut chief, mut ann) = (house.client("chief/a"), house.client("ann/a"));
    ann.send(
        "<iq type='set' id='r'><query xmlns='jabber:iq:roster'>\
         <item jid='bob@localhost' name='Bob'/></query></iq>",
    )
    .await;
    let fields = [("accountjids", "ann@localhost")];
    let done = fill(&mut chief, &format!("{ADMIN}get-user-roster"), &fields).await;
    let item = "<query xmlns='jabber:iq:roster'>\
                <item jid='bob@localhost' name='Bob' subscription='none'/></query>";
    assert!(done.contains(item), "{done}");
}

#[tokio::test]
async fn numbers_are_checked_as_xep_0122_says_and_can_be_put_right() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    let node = format!("node='{OWN}audit-list'");
    let begun = command(&mut chief, &node, "").await;
    assert!(begun.contains("<range min='1' max='1000'/>"), "{begun}");
    assert!(begun.contains("datatype='xs:dateTime'"), "{begun}");
    let at = format!("{node} sessionid='{}'", session_id(&begun));
    for (field, value) in [("max", "0"), ("max", "many"), ("since", "yesterday")] {
        let refused = command(&mut chief, &at, &submit(&[(field, value)])).await;
        assert!(
            refused.contains("<bad-payload"),
            "{field} {value}: {refused}"
        );
    }
    let done = command(&mut chief, &at, &submit(&[("max", "5")])).await;
    assert!(done.contains("status='completed'"), "{done}");
}

#[tokio::test]
async fn a_form_shows_what_is_there_and_replaces_it() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    let node = format!("{ADMIN}edit-admin");
    let begun = command(&mut chief, &format!("node='{node}'"), "").await;
    assert!(begun.contains("<value>chief@localhost</value>"), "{begun}");
    let both = "<x xmlns='jabber:x:data' type='submit'><field var='adminjids'>\
                <value>ann@localhost</value><value>chief@localhost</value></field></x>";
    let at = format!("node='{node}' sessionid='{}'", session_id(&begun));
    let done = command(&mut chief, &at, both).await;
    assert!(done.contains("1 are new, 0 are members now"), "{done}");
    let node = format!("{ADMIN}edit-blacklist");
    let done = fill(&mut chief, &node, &[("blacklistjids", "far.example")]).await;
    assert!(done.contains("has 1 entries"), "{done}");
    let begun = command(&mut chief, &format!("node='{node}'"), "").await;
    assert!(begun.contains("<value>far.example</value>"), "{begun}");
}

#[tokio::test]
async fn an_attempt_without_the_right_goes_into_the_trail() {
    let house = full_house().await;
    let mut ann = house.client("ann/den");
    let refused = command(&mut ann, &format!("node='{ADMIN}delete-user'"), "").await;
    assert!(
        refused.contains("<forbidden") && refused.contains("role administrator"),
        "{refused}"
    );
    let filter = crate::store::AuditFilter::default();
    let store = &house.router.services().store;
    let trail = store.audit().list(&filter, 10).await.unwrap();
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].actor, "ann@localhost");
    assert_eq!(trail[0].origin, "127.0.0.1 den");
    assert_eq!(
        (trail[0].operation.as_str(), trail[0].done),
        ("account remove", false)
    );
}

#[tokio::test]
async fn rooms_are_made_listed_and_destroyed() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    let room = ("room", "desk@rooms.localhost");
    let create = format!("{OWN}room-create");
    let fields = [room, ("owner", "ann@localhost"), ("name", "Front desk")];
    let done = fill(&mut chief, &create, &fields).await;
    assert!(done.contains("status='completed'"), "{done}");
    for (fields, says) in [
        (&fields[..], "<conflict"),
        (
            &[("room", "x@far.example"), ("owner", "ann@localhost")],
            "<not-acceptable",
        ),
        (
            &[("room", "y@rooms.localhost"), ("owner", "eve@localhost")],
            "<item-not-found",
        ),
    ] {
        let refused = fill(&mut chief, &create, fields).await;
        assert!(refused.contains(says), "{fields:?}: {refused}");
    }
    // Its owner enters it: it is open, and hers.
    let mut ann = house.client("ann/a");
    ann.send(
        "<presence to='desk@rooms.localhost/ann'><x xmlns='http://jabber.org/protocol/muc'/></presence>",
    )
    .await;
    let entered = ann.received_xml().concat();
    assert!(entered.contains("affiliation='owner'"), "{entered}");
    let listed = command(&mut chief, &format!("node='{OWN}room-list'"), "").await;
    assert!(
        listed.contains("<value>desk@rooms.localhost</value>"),
        "{listed}"
    );
    assert!(listed.contains("<value>Front desk</value>"), "{listed}");
    let done = fill(
        &mut chief,
        &format!("{OWN}room-destroy"),
        &[room, ("reason", "Moved.")],
    )
    .await;
    assert!(done.contains("status='completed'"), "{done}");
    let told = ann.received_xml().concat();
    assert!(
        told.contains("<destroy>") && told.contains("Moved."),
        "{told}"
    );
    let gone = fill(&mut chief, &format!("{OWN}room-destroy"), &[room]).await;
    assert!(gone.contains("<item-not-found"), "{gone}");
}

#[tokio::test]
async fn active_is_who_is_not_away() {
    let house = full_house().await;
    let mut chief = house.client("chief/a");
    let (mut ann, mut bob) = (house.client("ann/a"), house.client("bob/b"));
    chief.send("<presence/>").await;
    ann.send("<presence><show>away</show></presence>").await;
    bob.send("<presence><show>dnd</show></presence>").await;
    for (node, who) in [("get-active-users", "bob"), ("get-idle-users", "ann")] {
        let listed = fill(
            &mut chief,
            &format!("{ADMIN}{node}"),
            &[("max_items", "25")],
        )
        .await;
        for name in ["ann", "bob"] {
            let there = listed.contains(&format!("<value>{name}@localhost</value>"));
            assert_eq!(there, name == who, "{node}: {listed}");
        }
    }
    for (node, var, number) in [
        ("get-online-users-num", "onlineusersnum", 3),
        ("get-active-users-num", "activeusersnum", 2),
        ("get-idle-users-num", "idleusersnum", 1),
    ] {
        let told = command(&mut chief, &format!("node='{ADMIN}{node}'"), "").await;
        let field = format!("var='{var}' type='text-single' label='count'><value>{number}</value>");
        assert!(told.contains(&field), "{node}: {told}");
    }
}
