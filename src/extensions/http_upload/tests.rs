//! Slots as clients ask for them.

use super::*;
use crate::extensions::testing::{Client, House, NOW};

/// The service of a house whose configuration has that section; the house itself has the defaults.
fn with(hooks: &mut Hooks, section: &str) {
    let file = format!("[upload]\npublic_url = 'https://files.example.org'\n{section}");
    let config = Config::parse("test", &file, std::iter::empty()).unwrap();
    register(hooks, &Arc::new(config));
}

async fn ask(client: &mut Client, request: &str) -> String {
    let iq = format!("<iq type='get' id='s' to='upload.localhost'>{request}</iq>");
    client.send(&iq).await;
    let mut received = client.received_xml();
    assert_eq!(received.len(), 1, "{received:?}");
    received.remove(0)
}

fn request(attributes: &str) -> String {
    format!("<request xmlns='urn:xmpp:http:upload:0' {attributes}/>")
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

#[tokio::test]
async fn a_slot_has_urls_that_cannot_be_guessed_and_a_token_beside() {
    let house = House::with(&["romeo"], |hooks, _| with(hooks, "")).await;
    let mut romeo = house.client("romeo/orchard");
    let asked = request("filename='très cool.jpg' size='23456' content-type='image/jpeg'");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let slot = ask(&mut romeo, &asked).await;
        let put = between(&slot, "<put url='", "'");
        let get = between(&slot, "<get url='", "'");
        let token = between(&slot, "<header name='Authorization'>Bearer ", "</header>");
        assert_eq!(put, get, "{slot}");
        assert!(token.len() >= 43 && !put.contains(token), "{slot}");
        let rest = put
            .strip_prefix("https://files.example.org/upload/")
            .unwrap();
        let (id, name) = rest.split_once('/').unwrap();
        assert_eq!(name, "tr%C3%A8s%20cool.jpg");
        let uploads = house.router.services().store.uploads();
        let id = UploadId::parse(id).unwrap();
        let kept = uploads.find(&id).await.unwrap().unwrap();
        assert_eq!(kept.file_name, "très cool.jpg");
        assert_eq!(kept.size, 23_456);
        assert_eq!(kept.token_hash, Sha256::digest(token.as_bytes()).to_vec());
        assert_eq!(kept.put_until, NOW.plus_seconds(300));
        assert_eq!(kept.stored_at, None);
        ids.push((id, token.to_owned()));
    }
    assert_ne!(ids[0].0, ids[1].0);
    assert_ne!(ids[0].1, ids[1].1);
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_the_condition_of_section_6() {
    let house = House::with(&["romeo"], |hooks, _| {
        let section = "file_bytes_max = 1000\nprofile_bytes_max = 100\npermanent = false\n\
                       types = ['image/*']\ntypes_refused = ['image/svg+xml']";
        with(hooks, section);
    })
    .await;
    let mut romeo = house.client("romeo/orchard");
    let png = "content-type='image/png'";
    let purpose = |size: u32, inside: &str| {
        format!(
            "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='{size}' {png}>\
             <{inside} xmlns='urn:xmpp:http:upload:purpose:0'/></request>"
        )
    };
    let large = |max: u32| {
        format!(
            "<file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>{max}</max-file-size></file-too-large>"
        )
    };
    for (asked, wanted) in [
        (
            request(&format!("filename='a' size='1000' {png}")),
            vec!["<slot".to_owned()],
        ),
        (
            request(&format!("filename='a' size='1001' {png}")),
            vec![
                "type='modify'".to_owned(),
                "<not-acceptable".to_owned(),
                large(1000),
            ],
        ),
        (
            request(&format!("filename='a' size='999999999999999999999' {png}")),
            vec!["<not-acceptable".to_owned(), large(1000)],
        ),
        (
            request(&format!("filename='a' size='0' {png}")),
            vec!["<bad-request".to_owned()],
        ),
        (
            request(&format!("filename='../a' size='1' {png}")),
            vec!["<bad-request".to_owned()],
        ),
        (
            request(&format!("size='1' {png}")),
            vec!["<bad-request".to_owned()],
        ),
        (
            request("filename='a' size='1' content-type='png'"),
            vec!["<bad-request".to_owned()],
        ),
        (
            request("filename='a' size='1' content-type='text/html'"),
            vec!["<not-allowed".to_owned()],
        ),
        (
            request("filename='a' size='1' content-type='Image/SVG+xml'"),
            vec!["<not-allowed".to_owned()],
        ),
        (
            request("filename='a' size='1'"),
            vec!["<not-allowed".to_owned()],
        ),
        (
            purpose(101, "profile"),
            vec!["<not-acceptable".to_owned(), large(100)],
        ),
        (purpose(100, "profile"), vec!["<slot".to_owned()]),
        (
            purpose(1, "permanent"),
            vec!["<feature-not-implemented".to_owned()],
        ),
        (
            purpose(1, "ephemeral expire-before='2020-01-01T00:00:00Z'"),
            vec!["<bad-request".to_owned()],
        ),
        (
            purpose(1, "ephemeral expire-before='2030-01-01T00:00:00Z'"),
            vec!["<slot".to_owned()],
        ),
        (
            "<request xmlns='urn:xmpp:http:upload'/>".to_owned(),
            vec!["<service-unavailable".to_owned()],
        ),
    ] {
        let answer = ask(&mut romeo, &asked).await;
        for part in wanted {
            assert!(answer.contains(&part), "{asked}\n{answer}\n{part}");
        }
    }
}

#[tokio::test]
async fn an_account_that_is_full_is_told_when_to_try_again() {
    let house = House::with(&["romeo", "juliet"], |hooks, _| {
        with(hooks, "day_bytes_max = 100")
    })
    .await;
    let mut romeo = house.client("romeo/orchard");
    let sixty = request("filename='a' size='60'");
    assert!(ask(&mut romeo, &sixty).await.contains("<slot"));
    house.clock.advance_seconds(5);
    let refused = ask(&mut romeo, &sixty).await;
    let again = NOW.plus_seconds(86_400);
    let retry = format!("<retry xmlns='urn:xmpp:http:upload:0' stamp='{again}'/>");
    for part in ["type='wait'", "<resource-constraint", &retry] {
        assert!(refused.contains(part), "{refused}\n{part}");
    }
    // Another account has its own room.
    let mut juliet = house.client("juliet/balcony");
    assert!(ask(&mut juliet, &sixty).await.contains("<slot"));
    // A slot that was never used gives its room back.
    house.clock.advance_seconds(300 + 3600);
    assert!(ask(&mut romeo, &sixty).await.contains("<slot"));
}

#[tokio::test]
async fn a_flood_of_requests_gets_no_more_slots_than_a_day_has() {
    let house = House::with(&["romeo", "juliet"], |hooks, _| {
        with(hooks, "day_files_max = 5")
    })
    .await;
    let mut romeo = house.client("romeo/orchard");
    let small = request("filename='a' size='1'");
    let iq = format!("<iq type='get' id='s' to='upload.localhost'>{small}</iq>");
    for _ in 0..50 {
        romeo.send(&iq).await;
    }
    let told = romeo.received_xml();
    assert_eq!(told.len(), 50);
    let (given, refused) = told.split_at(5);
    assert!(given.iter().all(|it| it.contains("<slot")), "{given:?}");
    for it in refused {
        assert!(it.contains("type='wait'"), "{it}");
        assert!(it.contains("<resource-constraint"), "{it}");
        assert!(it.contains("<retry xmlns='urn:xmpp:http:upload:0'"), "{it}");
    }
    let mut juliet = house.client("juliet/balcony");
    assert!(ask(&mut juliet, &small).await.contains("<slot"));
}

#[tokio::test]
async fn only_accounts_of_this_server_are_given_slots() {
    let house = House::with(&[], |hooks, _| with(hooks, "")).await;
    let services = house.router.services();
    let service = Arc::clone(services.hooks.find_service("upload.localhost").unwrap());
    let stranger = Iq {
        from: "romeo@example.net/orchard".parse().unwrap(),
        to: BareJid::new("upload.localhost").unwrap(),
        at: At::Service,
        kind: IqType::Get,
        id: "s".into(),
        lang: None,
        payload: Element::new(ns::HTTP_UPLOAD, "request")
            .attr("filename", "a")
            .attr("size", "1"),
        session: None,
        ahead: crate::hooks::Ahead::default(),
        services: Arc::clone(services),
    };
    let answer = service.request(stranger).await.unwrap();
    assert_eq!(answer.unwrap_err().condition, Condition::Forbidden);
}

#[tokio::test]
async fn the_service_is_found_and_says_how_large_a_file_may_be() {
    let house = House::with(&["romeo"], |hooks, config| {
        crate::extensions::disco::register(hooks, config);
        crate::extensions::ping::register(hooks, config);
        with(hooks, "file_bytes_max = 5242880");
    })
    .await;
    let mut romeo = house.client("romeo/orchard");
    let info = ask(
        &mut romeo,
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    .await;
    for part in [
        "<identity category='store' type='file' name='HTTP File Upload'/>",
        "<feature var='urn:xmpp:http:upload:0'/>",
        "<feature var='urn:xmpp:http:upload:purpose:0#message'/>",
        "<feature var='urn:xmpp:http:upload:purpose:0#permanent'/>",
        "<value>urn:xmpp:http:upload:0</value>",
        "<value>5242880</value>",
    ] {
        assert!(info.contains(part), "{info}\n{part}");
    }
    let node = "<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>";
    assert!(ask(&mut romeo, node).await.contains("<item-not-found"));
    let items = "<iq type='get' id='i' to='localhost'>\
                 <query xmlns='http://jabber.org/protocol/disco#items'/></iq>";
    romeo.send(items).await;
    let items = romeo.received_xml().concat();
    let item = "<item jid='upload.localhost' name='HTTP File Upload'/>";
    assert!(items.contains(item), "{items}");
    romeo
        .send("<message to='upload.localhost' id='m'><body>a</body></message>")
        .await;
    assert!(
        romeo
            .received_xml()
            .concat()
            .contains("<service-unavailable")
    );
    romeo
        .send("<presence to='upload.localhost' type='subscribe'/>")
        .await;
    assert_eq!(romeo.received_xml(), Vec::<String>::new());
}

#[test]
fn urls_begin_where_clients_can_reach_the_server() {
    for (file, url) in [
        ("", Some("https://localhost:5443/upload")),
        (
            "[listen]\nhttps = ['0.0.0.0:443']",
            Some("https://localhost/upload"),
        ),
        ("[listen]\nhttps = []", None),
        ("[listen]\nhttps = ['127.0.0.1:0']", None),
        (
            "[http]\npublic_url = 'https://w.example'",
            Some("https://w.example/upload"),
        ),
        ("[http]\npublic_url = 'http://w.example'", None),
        (
            "[http]\npublic_url = 'https://w.example'\n[upload]\npublic_url = 'https://f.example/x/'",
            Some("https://f.example/x/upload"),
        ),
        ("[upload]\nenabled = false", None),
    ] {
        let config = Config::parse("test", file, std::iter::empty()).unwrap();
        let localhost = BareJid::new("localhost").unwrap();
        assert_eq!(url_of(&config, &localhost).as_deref(), url, "{file}");
    }
}

/// S4-21: what can never be attached is not taken for it, and what is taken does not stay when it is not attached.
#[tokio::test]
async fn slots_for_message_streams_are_for_ten_types() {
    let house = House::with(&["romeo"], |hooks, _| with(hooks, "")).await;
    let mut romeo = house.client("romeo/orchard");
    let asked = |name: &str, declared: &str, child: &str| {
        format!(
            "<request xmlns='urn:xmpp:http:upload:0' filename='{name}' size='5' content-type='{declared}'>\
             <{child} xmlns='urn:parlour:message-stream:0'/></request>"
        )
    };
    for (name, declared, child, wanted) in [
        ("a.png", "image/png", "upload", "<slot"),
        (
            "a.exe",
            "image/png",
            "upload",
            "<attachment-type xmlns='urn:parlour:errors:0'/>",
        ),
        (
            "a.png",
            "text/html",
            "upload",
            "<attachment-declared-otherwise",
        ),
        ("a.png", "", "upload", "<attachment-declared-otherwise"),
        (".png", "image/png", "upload", "<attachment-name-malformed"),
        ("a.png", "image/png", "other", "<bad-request"),
    ] {
        let answer = ask(&mut romeo, &asked(name, declared, child)).await;
        assert!(answer.contains(wanted), "{name} {declared}: {answer}");
    }
    let uploads = house.router.services().store.uploads();
    let owner = BareJid::new("romeo@localhost").unwrap();
    let [id] = uploads.of_owner(&owner).await.unwrap().try_into().unwrap();
    let slot = uploads.find(&id).await.unwrap().unwrap();
    assert_eq!(slot.expires_at, Some(NOW.plus_seconds(86_400)));
    let info = ask(
        &mut romeo,
        "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    .await;
    assert!(
        info.contains("<feature var='urn:parlour:message-stream:0'/>"),
        "{info}"
    );
}
