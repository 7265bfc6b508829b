//! Personal contacts by the operations.

use super::super::personal::NS;
use super::{about, agent, code, give_card, give_profile, items};
use crate::contact_center::testing::{Floor, ask, command};
use crate::domain::chat_profile::{ChatProfile, InstantMessaging};
use crate::extensions::testing::{Client, NOW};
use crate::proto::BareJid;
use crate::store::{RosterItem, RosterWrite};

async fn set(client: &mut Client, name: &str, colleague: &str) -> String {
    about(client, "set", NS, name, colleague).await
}

/// What came without the answer.
fn beside_answer(client: &mut Client) -> Vec<String> {
    let heard = client.heard();
    heard
        .into_iter()
        .filter(|it| !it.starts_with("result"))
        .collect()
}

/// S0-7, S0-11, S0-18, S0-19, S0-20: one adds, and both have each other; one removes, and neither has.
#[tokio::test]
async fn adding_and_removing_reach_both_rosters_and_the_presence_follows() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut juliet = floor.online("juliet/balcony").await;
    give_card(&mut juliet, "<FN>Juliet Capulet</FN>").await;
    let mut romeo = floor.online("romeo/orchard").await;
    let mut phone = floor.online("romeo/phone").await;
    romeo.received();

    let add = format!(
        "<iq type='set' id='a' to='center.localhost'><add-contact xmlns='{NS}' colleague='juliet@localhost'/></iq>"
    );
    romeo.send(&add).await;
    let item = "push <item jid='juliet@localhost' name='Juliet Capulet' subscription='both'>\
                <group>Personal Contacts</group></item>";
    assert_eq!(
        romeo.heard(),
        ["result a", item, "available juliet@localhost/balcony"]
    );
    assert_eq!(phone.heard(), [item, "available juliet@localhost/balcony"]);
    assert_eq!(
        juliet.heard(),
        [
            "push <item jid='romeo@localhost' subscription='both'><group>Personal Contacts</group></item>",
            "available romeo@localhost/orchard",
            "available romeo@localhost/phone",
        ]
    );
    assert_eq!(
        code(&set(&mut romeo, "add-contact", "juliet").await),
        "already-contact"
    );

    let answer = ask(&mut juliet, "get", &format!("<contacts xmlns='{NS}'/>")).await;
    assert!(
        answer.contains(
            "<colleague jid='romeo@localhost' view='offline'><status>Offline</status></colleague>"
        ) && answer.contains(
            "<first index='0'>romeo@localhost</first><last>romeo@localhost</last><count>1</count>"
        ),
        "{answer}"
    );
    let gone = [("colleague", "romeo@localhost")];
    let answer = command(&mut juliet, "urn:parlour:contact:0#remove-contact", &gone).await;
    assert!(
        answer.contains("none of your personal contacts any more"),
        "{answer}"
    );
    assert_eq!(
        romeo.heard(),
        [
            "push <item jid='juliet@localhost' subscription='remove'/>",
            "unavailable juliet@localhost/balcony",
        ]
    );
    assert_eq!(items(&mut juliet).await, "");
    assert_eq!(
        code(&set(&mut juliet, "remove-contact", "romeo").await),
        "no-contact"
    );
}

/// S0-16: whom the list names can be written to from there.
#[tokio::test]
async fn a_personal_contact_is_written_to_from_the_list() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut juliet = agent(&floor, "juliet/balcony").await;
    let mut romeo = agent(&floor, "romeo/orchard").await;
    set(&mut romeo, "add-contact", "juliet").await;
    let node = "urn:parlour:contact:0#contacts";
    let list = command(&mut romeo, node, &[]).await;
    let (_, rest) = list.split_once("<item>").unwrap();
    let (_, value) = rest.split_once("<value>").unwrap();
    let (colleague, _) = value.split_once("</value>").unwrap();
    juliet.received();
    let fields = [("colleague", colleague), ("text", "hello")];
    let answer = command(&mut romeo, "urn:parlour:im:0#invite", &fields).await;
    assert!(
        answer.contains("IM session with juliet: pending."),
        "{answer}"
    );
    assert!(
        juliet
            .received_xml()
            .concat()
            .contains("<body>hello</body>")
    );
}

/// S0-6, S0-9, S0-12, S0-18: a row for each reason not to add somebody.
#[tokio::test]
async fn who_is_no_colleague_with_instant_messages_is_not_added() {
    let people = ["romeo", "juliet", "mute", "peter:member", "nurse", "tybalt"];
    let floor = Floor::new(&people).await;
    let off = ChatProfile {
        instant_messaging: InstantMessaging::Disabled,
        ..ChatProfile::default()
    };
    give_profile(&floor, "mute", &off).await;
    let mut romeo = floor.online("romeo/orchard").await;
    for (who, list) in [
        (&mut romeo, "nurse@localhost"),
        (&mut floor.online("tybalt/x").await, "romeo@localhost"),
        // That is not told of a member either.
        (&mut floor.online("peter/x").await, "romeo@localhost"),
    ] {
        who.send(&format!("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{list}'/></block></iq>")).await;
        who.received();
    }
    for (colleague, expected) in [
        ("romeo@localhost", "oneself"),
        ("juliet@example.org", "other-host"),
        ("nobody@localhost", "no-account"),
        ("peter@localhost", "no-agent"),
        ("mute@localhost", "im-disabled-for-them"),
        ("nurse@localhost", "blocked-by-you"),
        // Nobody learns that somebody blocks them.
        ("tybalt@localhost", "im-disabled-for-them"),
        ("", "field-malformed"),
        ("@", "field-malformed"),
    ] {
        assert_eq!(
            code(&set(&mut romeo, "add-contact", colleague).await),
            expected,
            "{colleague}"
        );
    }
    assert_eq!(items(&mut romeo).await, "");
    // S0-10: of both, whoever asks.
    for (right, expected) in [
        ("instant-message", "im-not-theirs"),
        ("personal-contact", "contacts-not-theirs"),
    ] {
        let taken = [("jid", "juliet@localhost"), ("right", right)];
        floor.operate("right take", &taken).await;
        let answer = set(&mut romeo, "add-contact", "juliet").await;
        assert_eq!(code(&answer), expected);
        floor.operate("right reset", &taken).await;
    }
    assert_eq!(items(&mut romeo).await, "");
    let mut mute = floor.online("mute/x").await;
    assert_eq!(
        code(&set(&mut mute, "add-contact", "juliet").await),
        "im-disabled-for-you"
    );
    let mut peter = floor.online("peter/x").await;
    for (kind, name) in [
        ("set", "add-contact"),
        ("set", "remove-contact"),
        ("get", "contacts"),
    ] {
        let request = match kind {
            "get" => format!("<{name} xmlns='{NS}'/>"),
            _ => format!("<{name} xmlns='{NS}' colleague='juliet'/>"),
        };
        assert_eq!(
            code(&ask(&mut peter, kind, &request).await),
            "right-missing"
        );
    }
}

/// S0-6: a contact on another server stays, and hears of its removal in the plain way; so does what a member has of an agent.
#[tokio::test]
async fn who_is_no_colleague_stays_in_the_contact_list() {
    let floor = Floor::new(&["romeo", "peter:member"]).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let mut peter = floor.online("peter/x").await;
    for (who, contact) in [
        ("romeo", "bob@elsewhere.example"),
        ("romeo", "peter@localhost"),
        ("peter", "romeo@localhost"),
    ] {
        let client = match who {
            "romeo" => &mut romeo,
            _ => &mut peter,
        };
        let item = format!("<item jid='{contact}' name='Friend'/>");
        let query = format!("<query xmlns='jabber:iq:roster'>{item}</query>");
        client
            .send(&format!("<iq type='set' id='s'>{query}</iq>"))
            .await;
    }
    let (own, theirs) = (items(&mut romeo).await, items(&mut peter).await);
    assert!(own.contains("bob@elsewhere.example"), "{own}");
    assert!(own.contains("peter@localhost"), "{own}");
    for (contact, expected) in [
        ("bob@elsewhere.example", "other-host"),
        ("carol@elsewhere.example", "other-host"),
        ("peter", "no-contact"),
        ("romeo", "no-contact"),
        ("nobody", "no-contact"),
    ] {
        let answer = set(&mut romeo, "remove-contact", contact).await;
        assert_eq!(code(&answer), expected, "{contact}");
    }
    assert_eq!(items(&mut romeo).await, own);
    assert_eq!(items(&mut peter).await, theirs);
}

#[tokio::test]
async fn a_full_roster_on_either_side_takes_nobody_and_nothing_is_half_done() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let owner = BareJid::new("juliet@localhost").unwrap();
    let put = |number| RosterWrite::Put {
        owner: owner.clone(),
        item: RosterItem::new(BareJid::new(&format!("c{number}@example.org")).unwrap()),
    };
    let steps: Vec<_> = (0..5_000).map(put).collect();
    let store = &floor.house.router.services().store;
    let _done = store.rosters().apply(&steps, 5_000, NOW).await.unwrap();
    let mut romeo = floor.online("romeo/orchard").await;
    assert_eq!(
        code(&set(&mut romeo, "add-contact", "juliet").await),
        "their-contact-list-full"
    );
    assert_eq!(items(&mut romeo).await, "");
    let mut juliet = floor.online("juliet/balcony").await;
    assert_eq!(
        code(&set(&mut juliet, "add-contact", "nurse").await),
        "own-contact-list-full"
    );
    assert_eq!(store.rosters().count(&owner).await.unwrap(), 5_000);
}

/// What people have given an item stays theirs, on both sides.
#[tokio::test]
async fn names_and_groups_that_somebody_gave_stay() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let item = "<item jid='juliet@localhost' name='Jule'><group>Verona</group></item>";
    romeo
        .send(&format!(
            "<iq type='set' id='s'><query xmlns='jabber:iq:roster'>{item}</query></iq>"
        ))
        .await;
    romeo.received();
    set(&mut romeo, "add-contact", "juliet").await;
    let kept =
        "<item jid='juliet@localhost' name='Jule' subscription='both'><group>Verona</group></item>";
    assert_eq!(items(&mut romeo).await, kept);
}

/// Two who add each other at the same moment never wait for each other, and end as contacts of each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_add_and_remove_each_other_at_once_neither_block_nor_break_anything() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let names = ["romeo", "juliet", "nurse"];
    let mut devices = tokio::task::JoinSet::new();
    for number in 0..6_usize {
        let own = names[number % 3];
        let mut device = floor.online(&format!("{own}/{number}")).await;
        devices.spawn(async move {
            for turn in 0..20_usize {
                let other = names[(number + 1 + turn % 2) % 3];
                match (turn * 7 + number) % 4 {
                    0 => drop(set(&mut device, "remove-contact", other).await),
                    1 => {
                        device.send("<presence type='unavailable'/>").await;
                        device.send("<presence/>").await;
                    }
                    _ => drop(set(&mut device, "add-contact", other).await),
                }
                device.received();
            }
            device.disconnect().await;
        });
    }
    let minute = std::time::Duration::from_secs(60);
    let all = tokio::time::timeout(minute, devices.join_all());
    all.await.expect("nobody is blocked");
    let rosters = floor.house.router.services().store.rosters();
    for own in names {
        let own = BareJid::new(&format!("{own}@localhost")).unwrap();
        for item in rosters.load(&own).await.unwrap().items {
            let mirror = rosters.find(&item.contact, &own).await.unwrap();
            assert_eq!(mirror.unwrap().subscription, item.subscription);
        }
    }
    let mut romeo = floor.online("romeo/orchard").await;
    set(&mut romeo, "add-contact", "juliet").await;
    let mut juliet = floor.online("juliet/balcony").await;
    for (who, other) in [(&mut romeo, "juliet"), (&mut juliet, "romeo")] {
        let item = format!("<item jid='{other}@localhost' subscription='both'>");
        assert!(items(who).await.contains(&item));
    }
}

/// S0-21: the list is paged (XEP-0059), and only who takes part in the contact center is in it.
#[tokio::test]
async fn the_list_is_read_by_pages_in_both_directions() {
    let people = ["romeo", "anna", "ben", "carl", "dora"];
    let floor = Floor::new(&people).await;
    let mut romeo = floor.online("romeo/orchard").await;
    for colleague in ["dora", "anna", "carl", "ben"] {
        assert_eq!(code(&set(&mut romeo, "add-contact", colleague).await), "");
    }
    let store = &floor.house.router.services().store;
    let dora = BareJid::new("dora@localhost").unwrap();
    let member = crate::domain::rights::Role::Member;
    assert!(store.accounts().set_role(&dora, member).await.unwrap());
    romeo.received();
    for (asked, listed, told) in [
        ("", "anna ben carl", "index='0'"),
        ("<max>2</max>", "anna ben", "index='0'"),
        (
            "<max>2</max><after>ben@localhost</after>",
            "carl",
            "index='2'",
        ),
        ("<max>2</max><before/>", "ben carl", "index='1'"),
        ("<before>carl@localhost</before>", "anna ben", "index='0'"),
        ("<max>0</max>", "", "<count>3</count>"),
    ] {
        let request = format!(
            "<contacts xmlns='{NS}'><set xmlns='http://jabber.org/protocol/rsm'>{asked}</set></contacts>"
        );
        let answer = ask(&mut romeo, "get", &request).await;
        let found = answer.split("<colleague jid='").skip(1);
        let found: Vec<_> = found.map(|it| it.split('@').next().unwrap()).collect();
        assert_eq!(found.join(" "), listed, "{asked}: {answer}");
        assert!(
            answer.contains(told) && answer.contains("<count>3</count>"),
            "{answer}"
        );
    }
    assert!(beside_answer(&mut romeo).is_empty());
}

/// S0-7: what fits on a page is shown at once; of more the command asks which page, and tells where the rest is.
#[tokio::test]
async fn more_contacts_than_a_page_are_read_by_form() {
    let names: Vec<String> = (0..52).map(|number| format!("a{number:02}")).collect();
    let people: Vec<&str> = std::iter::once("romeo")
        .chain(names.iter().map(String::as_str))
        .collect();
    let floor = Floor::new(&people).await;
    let mut romeo = floor.online("romeo/desk").await;
    let node = format!("{NS}#contacts");
    for (at, name) in names.iter().enumerate() {
        if at == 50 {
            let answer = command(&mut romeo, &node, &[]).await;
            assert_eq!(answer.matches("<item>").count(), 50, "{answer}");
            assert!(!answer.contains("The rest is behind"), "{answer}");
        }
        let answer = set(&mut romeo, "add-contact", &format!("{name}@localhost")).await;
        assert!(answer.contains("type='result'"), "{answer}");
    }
    for (fields, first, count, rest) in [
        (&[][..], "a00@localhost", 50, true),
        (&[("after", "a49@localhost")], "a50@localhost", 2, false),
    ] {
        let answer = command(&mut romeo, &node, fields).await;
        assert_eq!(answer.matches("<item>").count(), count, "{answer}");
        assert!(
            answer.contains(&format!("<value>{first}</value>")),
            "{answer}"
        );
        let told = answer.contains("The rest is behind a49@localhost.");
        assert_eq!(told, rest, "{answer}");
    }
}
