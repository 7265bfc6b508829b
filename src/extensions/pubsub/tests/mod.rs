use crate::extensions::testing::{Client, House};

mod account;
mod bounds;
mod login;
mod owners;
mod presence;
mod requests;
mod service;

const NS: &str = "http://jabber.org/protocol/pubsub";

/// Sends a request and answers what comes back first, in short.
async fn ask(client: &mut Client, kind: &str, to: &str, ns: &str, inside: &str) -> String {
    let to = match to {
        "" => String::new(),
        to => format!(" to='{to}'"),
    };
    let query = format!("<pubsub xmlns='{NS}{ns}'>{inside}</pubsub>");
    client
        .send(&format!("<iq type='{kind}' id='q'{to}>{query}</iq>"))
        .await;
    let mut heard = client.heard();
    let at = heard
        .iter()
        .position(|it| it.starts_with("result q") || it.starts_with("error q"));
    heard.remove(at.unwrap())
}

async fn get(client: &mut Client, to: &str, inside: &str) -> String {
    ask(client, "get", to, "", inside).await
}

async fn set(client: &mut Client, to: &str, inside: &str) -> String {
    ask(client, "set", to, "", inside).await
}

/// Publishes `<t xmlns='urn:example'>…</t>`.
async fn publish(client: &mut Client, to: &str, node: &str, id: &str, text: &str) -> String {
    set(client, to, &publication(node, id, text, "")).await
}

fn publication(node: &str, id: &str, text: &str, after: &str) -> String {
    let item = format!("<item id='{id}'><t xmlns='urn:example'>{text}</t></item>");
    format!("<publish node='{node}'>{item}</publish>{after}")
}

fn form(form_type: &str, fields: &[(&str, &str)]) -> String {
    let mut form = format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>{NS}#{form_type}</value></field>"
    );
    for (var, value) in fields {
        form.push_str(&format!(
            "<field var='pubsub#{var}'><value>{value}</value></field>"
        ));
    }
    form + "</x>"
}

fn options(fields: &[(&str, &str)]) -> String {
    format!(
        "<publish-options>{}</publish-options>",
        form("publish-options", fields)
    )
}

/// What is notified about, in short: node, and what follows in the event.
fn events(client: &mut Client) -> Vec<String> {
    let heard = client.received_xml();
    let events = heard.iter().filter(|it| it.contains("pubsub#event"));
    events
        .map(|it| {
            let from = it
                .split("from='")
                .nth(1)
                .unwrap()
                .split('\'')
                .next()
                .unwrap();
            let event = it.split("#event'>").nth(1).unwrap();
            format!("{from} {}", event.split("</event>").next().unwrap())
        })
        .collect()
}

/// A client that is online and wants to be told of these nodes.
async fn online(house: &House, name: &str, nodes: &[&str]) -> Client {
    let mut client = house.client(name);
    client
        .send(
            "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='none'/></presence>",
        )
        .await;
    answer_disco(&mut client, nodes).await;
    client.received();
    client
}

/// Answers the server's question what the client wants to be told of; `false` when it did not ask.
async fn answer_disco(client: &mut Client, nodes: &[&str]) -> bool {
    let received = client.received();
    let question = received
        .iter()
        .find(|stanza| stanza.has("http://jabber.org/protocol/disco#info", "query"));
    let Some(question) = question else {
        return false;
    };
    let (id, from) = (question.id.clone().unwrap(), question.from.clone().unwrap());
    let features: String = nodes
        .iter()
        .map(|node| format!("<feature var='{node}+notify'/>"))
        .collect();
    let query = format!("<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>");
    client
        .send(&format!(
            "<iq type='result' id='{id}' to='{from}'>{query}</iq>"
        ))
        .await;
    true
}

/// Both see each other's presence.
async fn befriend(house: &House, one: &str, other: &str) {
    use crate::proto::BareJid;
    use crate::store::{RosterItem, RosterWrite, Subscription};
    let jid = |name: &str| BareJid::new(&format!("{name}@localhost")).unwrap();
    for (owner, contact) in [(one, other), (other, one)] {
        let item = RosterItem {
            subscription: Subscription::Both,
            groups: vec!["Friends".to_owned()],
            ..RosterItem::new(jid(contact))
        };
        let put = RosterWrite::Put {
            owner: jid(owner),
            item,
        };
        let services = house.router.services();
        let rosters = services.store.rosters();
        let _done = Box::pin(rosters.apply(&[put], 1_000, house.clock.now()))
            .await
            .unwrap();
    }
}
