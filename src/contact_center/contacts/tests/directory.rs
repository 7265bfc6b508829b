//! The directory through its three doors.

use super::super::directory::NS;
use super::{agent, code, give_card, give_profile};
use crate::contact_center::testing::{Floor, ask, command};
use crate::domain::chat_profile::{ChatProfile, PresenceDisplay};
use crate::domain::rights::Role;
use crate::extensions::testing::{Client, NOW};
use crate::proto::BareJid;
use crate::proto::common::vcard::named;
use crate::store::Vcard;

async fn search(client: &mut Client, inside: &str) -> String {
    let request = format!("<search xmlns='{NS}'>{inside}</search>");
    ask(client, "get", &request).await
}

fn found(answer: &str) -> String {
    let found = answer.split("<colleague jid='").skip(1);
    let found: Vec<_> = found.map(|it| it.split('@').next().unwrap()).collect();
    found.join(" ")
}

/// S1-5: the first letters of any word of a name, whatever its case and marks; and only colleagues.
#[tokio::test]
async fn colleagues_are_found_by_the_beginnings_of_their_names_and_of_their_logons() {
    let people = ["romeo", "juliet", "jorge", "peter:member", "gone"];
    let floor = Floor::new(&people).await;
    for (name, card) in [
        (
            "juliet",
            "<FN>Juliet Capulet</FN><NICKNAME>Jule Jul</NICKNAME>",
        ),
        ("jorge", "<FN>José Núñez</FN>"),
        ("peter", "<FN>Peter Capulet</FN>"),
        ("gone", "<FN>Old Capulet</FN>"),
    ] {
        give_card(&mut floor.online(&format!("{name}/x")).await, card).await;
    }
    let store = &floor.house.router.services().store;
    let gone = BareJid::new("gone@localhost").unwrap();
    assert!(store.accounts().disable(&gone).await.unwrap());
    let mut romeo = floor.online("romeo/orchard").await;
    for (text, expected) in [
        ("cap", "juliet"),
        ("CAP jul", "juliet"),
        // Once, though three words of hers begin so.
        ("jul", "juliet"),
        ("nun", "jorge"),
        ("JOS", "jorge"),
        ("jor", "jorge"),
        ("ulet", ""),
        ("rom", "romeo"),
    ] {
        let answer = search(&mut romeo, &format!("<text>{text}</text>")).await;
        assert_eq!(found(&answer), expected, "{text}: {answer}");
        assert!(answer.contains("complete='true'"), "{answer}");
    }
    // Another name is found from the moment on at which the vCard has it, and the old one is not.
    give_card(
        &mut floor.online("juliet/x").await,
        "<FN>Juliet Montague</FN>",
    )
    .await;
    assert_eq!(
        found(&search(&mut romeo, "<text>mont</text>").await),
        "juliet"
    );
    assert_eq!(found(&search(&mut romeo, "<text>capu</text>").await), "");
}

/// S0-15, S0-21: who hides presence is Offline in the directory, too.
#[tokio::test]
async fn the_views_filter_and_hidden_presence_is_offline() {
    let floor = Floor::new(&["romeo", "test1", "test2", "test3"]).await;
    let hidden = ChatProfile {
        presence: PresenceDisplay::Hidden,
        ..ChatProfile::default()
    };
    give_profile(&floor, "test3", &hidden).await;
    let mut sessions = Vec::new();
    for name in ["test1", "test2", "test3"] {
        sessions.push(agent(&floor, &format!("{name}/x")).await);
    }
    let lunch = "<not-ready xmlns='urn:parlour:agent:0' reason='lunch'/>";
    ask(&mut sessions[1], "set", lunch).await;
    let mut romeo = floor.online("romeo/orchard").await;
    for (views, expected) in [
        ("", "test1 test2 test3"),
        ("<view>online</view>", "test1"),
        ("<view>busy</view>", "test2"),
        ("<view>online</view><view>busy</view>", "test1 test2"),
        ("<view>offline</view>", "test3"),
    ] {
        let answer = search(&mut romeo, &format!("<text>test</text>{views}")).await;
        assert_eq!(found(&answer), expected, "{answer}");
    }
    let answer = search(&mut romeo, "<text>test2</text>").await;
    assert!(
        answer.contains("view='busy'><status>Busy – Lunch</status>"),
        "{answer}"
    );
    // Whom somebody blocks sees Offline (XEP-0191 §3.2).
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block>";
    sessions[0]
        .send(&format!("<iq type='set' id='b'>{block}</iq>"))
        .await;
    let answer = search(&mut romeo, "<text>test1</text>").await;
    assert!(
        answer.contains("view='offline'><status>Offline</status>"),
        "{answer}"
    );
}

#[tokio::test]
async fn what_is_no_search_is_refused() {
    let floor = Floor::new(&["romeo", "peter:member"]).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let long = "x".repeat(101);
    let rsm = |it: &str| {
        format!("<text>rom</text><set xmlns='http://jabber.org/protocol/rsm'>{it}</set>")
    };
    for (inside, expected) in [
        ("<text>ro</text>", "query-too-short"),
        (&format!("<text>{long}</text>"), "query-too-long"),
        ("", "field-missing"),
        ("<text>rom</text><text>eo</text>", "field-repeated"),
        ("<text>rom</text><view>away</view>", "field-malformed"),
        ("<text>rom</text><mood/>", "field-unknown"),
    ] {
        assert_eq!(
            code(&search(&mut romeo, inside).await),
            expected,
            "{inside}"
        );
    }
    for (page, condition) in [
        ("<after>nobody@localhost</after>", "item-not-found"),
        ("<after>@</after>", "item-not-found"),
        ("<index>3</index>", "feature-not-implemented"),
        ("<max>x</max>", "bad-request"),
    ] {
        let answer = search(&mut romeo, &rsm(page)).await;
        assert!(
            answer.contains(&format!("<{condition} ")),
            "{page}: {answer}"
        );
    }
    let mut peter = floor.online("peter/x").await;
    assert_eq!(
        code(&search(&mut peter, "<text>rom</text>").await),
        "right-missing"
    );
    let query = "<query xmlns='jabber:iq:search'/>";
    assert_eq!(code(&ask(&mut peter, "get", query).await), "right-missing");
}

/// XEP-0059: forwards and backwards, at ten thousand names: a page looks at its own rows.
#[tokio::test]
async fn a_large_directory_is_read_by_pages() {
    let floor = Floor::new(&["romeo"]).await;
    let store = &floor.house.router.services().store;
    for number in 0..250_u32 {
        let jid = BareJid::new(&format!("agent{number:03}@localhost")).unwrap();
        store
            .accounts()
            .create(&jid, Role::Agent, &[], NOW)
            .await
            .unwrap();
        let card = Vcard {
            xml: named(&format!("Muster{:03} Agent", 249 - number)),
            updated_at: NOW,
        };
        let _put = store.vcards().put(&jid, &card, 1_000).await.unwrap();
    }
    let mut romeo = floor.online("romeo/orchard").await;
    let page = |page: &str| {
        format!(
            "<text>mus</text><set xmlns='http://jabber.org/protocol/rsm'><max>100</max>{page}</set>"
        )
    };
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let answer = search(&mut romeo, &page(&after)).await;
        all.extend(found(&answer).split(' ').map(ToOwned::to_owned));
        let (_, last) = answer.split_once("<last>").unwrap();
        after = format!("<after>{}</after>", last.split('<').next().unwrap());
        if answer.contains("complete='true'") {
            break;
        }
        assert!(all.len() < 250, "it ends");
    }
    let expected: Vec<_> = (0..250)
        .rev()
        .map(|number| format!("agent{number:03}"))
        .collect();
    assert_eq!(all, expected);
    let last = search(&mut romeo, &page("<before/>")).await;
    assert_eq!(found(&last), expected[150..].join(" "));
    let before = search(&mut romeo, &page("<before>agent099@localhost</before>")).await;
    assert_eq!(found(&before), expected[50..150].join(" "));
    // Nobody of them is online: the search looks at a bounded number of them, and says that there may be more.
    let answer = search(&mut romeo, "<text>mus</text><view>online</view>").await;
    assert!(
        found(&answer).is_empty() && answer.contains("complete='true'"),
        "{answer}"
    );
}

/// XEP-0055: the same by the search that many clients have.
#[tokio::test]
async fn plain_clients_search_by_field_and_by_form() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut juliet = agent(&floor, "juliet/balcony").await;
    give_card(&mut juliet, "<FN>Juliet Capulet</FN>").await;
    let mut romeo = floor.online("romeo/orchard").await;
    let form = ask(&mut romeo, "get", "<query xmlns='jabber:iq:search'/>").await;
    assert!(
        form.contains("<nick/>") && form.contains("<value>jabber:iq:search</value>"),
        "{form}"
    );
    let request = "<query xmlns='jabber:iq:search'><first>cap</first><last>jul</last></query>";
    let answer = ask(&mut romeo, "set", request).await;
    assert!(
        answer.contains("<item jid='juliet@localhost'><first>Juliet Capulet</first><last/><nick>juliet</nick><email/></item>"),
        "{answer}"
    );
    let form = |nick: &str, view: &str| {
        format!(
            "<query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>jabber:iq:search</value></field>\
             <field var='nick'><value>{nick}</value></field>\
             <field var='view'><value>{view}</value></field></x></query>"
        )
    };
    let answer = ask(&mut romeo, "set", &form("jul", "online")).await;
    assert!(answer.contains("<value>Juliet Capulet</value>"), "{answer}");
    let answer = ask(&mut romeo, "set", &form("jul", "busy")).await;
    assert!(
        !answer.contains("Capulet") && answer.contains("type='result'"),
        "{answer}"
    );
    assert_eq!(
        code(&ask(&mut romeo, "set", &form("ju", "online")).await),
        "query-too-short"
    );
    let answer = ask(&mut romeo, "set", &form("jul", "away")).await;
    assert!(answer.contains("<bad-request "), "{answer}");
    let command = command(
        &mut romeo,
        "urn:parlour:directory:0#search",
        &[("text", "capu")],
    )
    .await;
    assert!(
        command.contains("<value>Juliet Capulet</value>"),
        "{command}"
    );
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    let info = ask(&mut romeo, "get", info).await;
    assert!(
        info.contains("category='directory'") && info.contains("'jabber:iq:search'"),
        "{info}"
    );
}

/// S0-10: a profile of one's own that was taken back leaves a record with nothing in it, and the profile of the role holds.
#[tokio::test]
async fn whose_own_profile_was_taken_back_is_found_all_the_same() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/orchard").await;
    let own = [("jid", "juliet@localhost")];
    let hidden = [own[0], ("presence", "hidden")];
    floor.operate("profile set", &hidden).await;
    let answer = search(&mut romeo, "<text>jul</text>").await;
    assert_eq!(found(&answer), "juliet", "{answer}");
    floor.operate("profile reset", &own).await;
    let answer = search(&mut romeo, "<text>jul</text>").await;
    assert_eq!(found(&answer), "juliet", "{answer}");
}
