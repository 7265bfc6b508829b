//! Interactions between agents, who come through both doors, and connectors, whom the tests play.

mod agents;
mod bounds;
mod calls;
mod connector;
mod consultation;
mod dialing;
mod faults;
mod leaving;
mod objects;
mod pops;
mod reading;
mod reconnection;
mod refusals;
mod restart;
mod retention;
mod writing_up;

use crate::config::{Component, ComponentRole, Config, Domain};
use crate::contact_center::testing::{CENTER, Floor, ask, command};
use crate::extensions::testing::Client;

const NS: &str = "urn:parlour:interaction:0";
const PBX: &str = "pbx.example";
const NUMBER: &str = "+493012345678";

/// Two connectors, and a component that is none.
fn config() -> Config {
    let component = |domain: &str, role| Component {
        domain: Domain::parse(domain).unwrap(),
        role,
        ..Component::default()
    };
    Config {
        components: vec![
            component(PBX, ComponentRole::Connector),
            component("chat.example", ComponentRole::Connector),
            component("crm.example", ComponentRole::Crm),
        ],
        ..Config::default()
    }
}

/// Agents of whom none is online yet, and connectors who are connected.
async fn floor(people: &[&str]) -> Floor {
    let floor = Box::pin(Floor::configured(people, config())).await;
    for domain in [PBX, "chat.example", "crm.example"] {
        floor.house.component_comes(domain).await;
        floor.house.component_receives(domain);
    }
    floor
}

/// An agent who is available.
async fn agent(floor: &Floor, name: &str) -> Client {
    let mut client = floor.online(name).await;
    let login = ask(&mut client, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
    assert!(login.contains("state='available'"), "{login}");
    client.received();
    client
}

/// A component sends that, and it is done.
async fn sends(floor: &Floor, xml: &str) {
    floor.house.component_sends(xml).await;
    let from = xml.split_once("from='").unwrap().1;
    let (center, _) = floor.inside();
    center.lanes.idle(from.split('\'').next().unwrap()).await;
}

/// What a connector says, and the answer.
async fn says(floor: &Floor, domain: &str, kind: &str, payload: &str) -> String {
    let (tag, rest) = payload.split_once([' ', '/']).unwrap();
    let between = if payload.contains(' ') { " " } else { "/" };
    let iq = format!(
        "<iq type='{kind}' id='said' from='{domain}' to='{CENTER}'>\
         {tag} xmlns='urn:parlour:connector:0'{between}{rest}</iq>"
    );
    // What it was asked meanwhile is kept for later.
    let mut before = floor.house.component_receives(domain);
    sends(floor, &iq).await;
    let mut after = floor.house.component_receives(domain);
    let answer = after.iter().position(|it| it.contains("id='said'"));
    let answer = after.remove(answer.unwrap_or_else(|| panic!("{after:?}")));
    before.append(&mut after);
    assert!(before.is_empty(), "{before:?}");
    answer
}

/// A call for an agent.
async fn offer(floor: &Floor, id: &str, agent: &str) -> String {
    let payload = format!(
        "<offer interaction='{id}' medium='voice' direction='inbound' address='{NUMBER}' agent='{agent}@localhost'/>"
    );
    says(floor, PBX, "set", &payload).await
}

/// What is so, in the connector's words: `held`, `left ann`.
async fn report(floor: &Floor, id: &str, fact: &str) -> String {
    let (fact, agent) = fact.split_once(' ').unwrap_or((fact, ""));
    let agent = match agent {
        "" => String::new(),
        agent => format!(" agent='{agent}@localhost'"),
    };
    let payload = format!("<report interaction='{id}' fact='{fact}'{agent}/>");
    says(floor, PBX, "set", &payload).await
}

/// The request that the connector was sent, and no other.
fn request(floor: &Floor, domain: &str) -> String {
    let received = floor.house.component_receives(domain);
    assert_eq!(received.len(), 1, "{received:?}");
    assert!(received[0].contains("<request "), "{received:?}");
    received[0].clone()
}

/// The connector has done what it was asked.
async fn confirm(floor: &Floor, request: &str) {
    let id = attribute(request, "request", "id").unwrap();
    let result = format!("<iq type='result' id='{id}' from='{PBX}' to='{CENTER}'/>");
    sends(floor, &result).await;
}

/// The connector has not.
async fn refuse(floor: &Floor, request: &str, why: &str) {
    let id = attribute(request, "request", "id").unwrap();
    let error = format!(
        "<iq type='error' id='{id}' from='{PBX}' to='{CENTER}'><error type='cancel'>\
         <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{why}</text></error></iq>"
    );
    sends(floor, &error).await;
}

/// What an agent wants: `hold`, `transfer colleague='bob'`.
async fn want(client: &mut Client, id: &str, what: &str) -> String {
    let (name, rest) = what.split_once(' ').unwrap_or((what, ""));
    let request = match rest.split_once('<') {
        Some((attributes, children)) => {
            format!("<{name} xmlns='{NS}' interaction='{id}' {attributes}><{children}</{name}>")
        }
        None => format!("<{name} xmlns='{NS}' interaction='{id}' {rest}/>"),
    };
    let kind = if name == "interaction" { "get" } else { "set" };
    ask(client, kind, &request).await
}

/// The same, and the connector does it.
async fn done(floor: &Floor, client: &mut Client, id: &str, what: &str) -> String {
    let answer = want(client, id, what).await;
    assert!(answer.contains("type='result'"), "{answer}");
    let request = request(floor, PBX);
    confirm(floor, &request).await;
    request
}

/// A call that the agent has taken.
async fn talking(floor: &Floor, client: &mut Client, id: &str) {
    let agent = client.session.jid().bare().node().unwrap().to_string();
    offer(floor, id, &agent).await;
    done(floor, client, id, "accept").await;
    client.received();
}

/// The attribute of the first element of that name.
fn attribute(xml: &str, element: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{element} "))?;
    let (tag, _) = rest.split_once('>')?;
    let (_, value) = format!(" {tag}")
        .split_once(&format!(" {name}='"))
        .map(|(a, b)| (a.to_owned(), b.to_owned()))?;
    Some(value.split('\'').next()?.to_owned())
}

/// The code of our own in a refusal.
fn code(answer: &str) -> &str {
    let (before, _) = answer
        .split_once(" xmlns='urn:parlour:errors:0'/>")
        .unwrap_or((answer, ""));
    before.rsplit('<').next().unwrap()
}

/// What a client was told since the last call, each in short: role, leg and line, behind them the sentence where the message is
/// kept: `primary offered offered: New call …`.
fn heard(client: &mut Client) -> Vec<String> {
    let all = client.received_xml();
    let told = all.iter().filter(|xml| xml.starts_with("<message"));
    told.map(|xml| in_short(xml)).collect()
}

fn in_short(xml: &str) -> String {
    let word = |name| attribute(xml, "interaction", name).unwrap_or_default();
    let state = format!("{} {} {}", word("role"), word("leg"), word("line"));
    let body = xml.split_once("<body>").map(|(_, rest)| rest);
    let body = body.and_then(|rest| rest.split_once("</body>"));
    let kept = xml.contains("type='chat'") && xml.contains("<store ");
    let headline = xml.contains("type='headline'") && body.is_none();
    assert!(kept != headline && kept == body.is_some(), "{xml}");
    match body {
        Some((body, _)) => format!("{state}: {body}"),
        None => state,
    }
}

/// Role, leg and line of the caller.
async fn seen(client: &mut Client, id: &str) -> String {
    let answer = want(client, id, "interaction").await;
    match answer.contains("type='result'") {
        true => {
            let word = |name| attribute(&answer, "interaction", name).unwrap_or_default();
            format!("{} {} {}", word("role"), word("leg"), word("line"))
        }
        false => code(&answer).to_owned(),
    }
}

/// The agent's state.
async fn state(client: &mut Client) -> String {
    let answer = ask(client, "get", "<agent xmlns='urn:parlour:agent:0'/>").await;
    attribute(&answer, "agent", "state").unwrap()
}
