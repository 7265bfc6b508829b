//! What holds of the contact center as a whole.

use super::testing::{Floor, ask};
use crate::config::Config;

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
