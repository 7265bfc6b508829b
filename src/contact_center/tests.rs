//! What holds of the contact center as a whole.

use super::testing::{Floor, ask};
use crate::config::{Config, Domain, Host};
use crate::extensions::testing::Client;

/// S0-8, S0-14: it is found where it is switched on, with what it can do; where it is switched off nothing is left of it, and chat goes on.
#[tokio::test]
async fn where_it_is_switched_off_there_is_no_service() {
    for enabled in [true, false] {
        let mut config = Config::default();
        config.contact_center.enabled = enabled;
        let floor = Box::pin(Floor::configured(&["romeo", "juliet"], config)).await;
        let mut romeo = floor.online("romeo/desk").await;
        let mut juliet = floor.online("juliet/desk").await;
        let items = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
        romeo
            .send(&format!(
                "<iq type='get' id='i' to='localhost'>{items}</iq>"
            ))
            .await;
        let items = romeo.received_xml().concat();
        assert_eq!(items.contains("jid='center.localhost'"), enabled, "{items}");
        let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
        let info = ask(&mut romeo, "get", info).await;
        let login = ask(&mut romeo, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
        if enabled {
            for feature in ["urn:parlour:agent:0", "urn:parlour:im:0"] {
                assert!(info.contains(&format!("var='{feature}'")), "{info}");
            }
            assert!(login.contains("state='available'"), "{login}");
        } else {
            for answer in [&info, &login] {
                assert!(answer.contains("<remote-server-not-found "), "{answer}");
            }
        }
        let chat = "<message to='juliet@localhost' type='chat'><body>hello</body></message>";
        romeo.send(chat).await;
        assert!(juliet.received_xml().concat().contains("hello"));
    }
}

/// A host that is served, with a contact center or without.
fn host(domain: &str, contact_center: bool) -> Host {
    Host {
        domain: Domain::parse(domain).unwrap(),
        contact_center,
        ..Host::default()
    }
}

/// What a service or host is asked for by service discovery.
async fn disco(client: &mut Client, to: &str, what: &str) -> String {
    let query = format!("<query xmlns='http://jabber.org/protocol/disco#{what}'/>");
    let iq = format!("<iq type='get' id='d' to='{to}'>{query}</iq>");
    client.send(&iq).await;
    client.received_xml().concat()
}

/// S0-8: of several hosts each has one or not; those without have no service, no agents and no contacts by its rules.
#[tokio::test]
async fn each_host_has_a_contact_center_or_not() {
    for here in [true, false] {
        let config = Config {
            hosts: vec![host("localhost", here), host("other.example", !here)],
            ..Config::default()
        };
        let floor = Box::pin(Floor::configured(&["romeo", "juliet"], config)).await;
        let mut romeo = floor.online("romeo/desk").await;
        let mut juliet = floor.online("juliet/desk").await;
        for (domain, there) in [("localhost", here), ("other.example", !here)] {
            let service = format!("center.{domain}");
            let items = disco(&mut romeo, domain, "items").await;
            assert_eq!(
                items.contains(&format!("jid='{service}'")),
                there,
                "{items}"
            );
            let info = disco(&mut romeo, &service, "info").await;
            assert_eq!(info.contains("var='urn:parlour:agent:0'"), there, "{info}");
            assert_ne!(info.contains("<remote-server-not-found "), there, "{info}");
            // What is uploaded for message streams.
            let info = disco(&mut romeo, &format!("upload.{domain}"), "info").await;
            let announced = info.contains("var='urn:parlour:message-stream:0'");
            assert_eq!(announced, there, "{info}");
        }
        let login = ask(&mut romeo, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
        assert_eq!(login.contains("state='available'"), here, "{login}");
        romeo.received();
        juliet.received();
        let subscribe = "<presence to='juliet@localhost' type='subscribe'/>";
        romeo.send(subscribe).await;
        // Where there is no rule of contacts, it is asked.
        let told = juliet.received_xml().concat();
        assert_ne!(told.contains("type='subscribe'"), here, "{told}");
    }
}
