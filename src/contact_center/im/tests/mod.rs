//! IM sessions through both doors, and between clients that know nothing of them.

mod lasting;
mod limits;
mod refusals;
mod rights;
mod sharing;
mod together;
mod transcripts;
mod walk;

use crate::contact_center::testing::{Floor, ask, command};
use crate::extensions::testing::Client;

const NS: &str = "urn:parlour:im:0";

/// An agent who is online, logged in, and wants copies of what its other devices send.
async fn agent(floor: &Floor, name: &str) -> Client {
    let mut client = floor.online(name).await;
    ask(&mut client, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
    device(client).await
}

/// One more device of an agent who is logged in.
async fn device(mut client: Client) -> Client {
    client
        .send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        .await;
    client.received();
    client
}

/// What is asked of the service, as it is answered.
async fn set(client: &mut Client, request: &str) -> String {
    let (name, rest) = request.split_once(' ').unwrap_or((request, ""));
    let request = match rest.contains('<') {
        true => {
            let (attributes, children) = rest.split_once('<').unwrap();
            format!("<{name} xmlns='{NS}' {attributes}><{children}</{name}>")
        }
        false => format!("<{name} xmlns='{NS}' {rest}/>"),
    };
    let kind = match name {
        "session" | "sessions" | "transcript" => "get",
        _ => "set",
    };
    ask(client, kind, &request).await
}

/// Invites; the id of the session.
async fn invite(client: &mut Client, colleague: &str, text: &str) -> String {
    let request = format!("invite colleague='{colleague}@localhost'<text>{text}</text>");
    let answer = set(client, &request.replacen('<', " <", 1)).await;
    attribute(&answer, "session", "id").unwrap_or_else(|| panic!("{answer}"))
}

/// The attribute of the first element of that name.
fn attribute(xml: &str, element: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{element} xmlns='{NS}'"))?;
    let (tag, _) = rest.split_once('>')?;
    let (_, value) = tag.split_once(&format!(" {name}='"))?;
    Some(value.split('\'').next()?.to_owned())
}

fn text_of<'a>(xml: &'a str, element: &str) -> &'a str {
    let found = xml.split_once(&format!("<{element}>"));
    let text = found.and_then(|(_, rest)| rest.split_once(&format!("</{element}>")));
    text.map_or("", |(text, _)| text)
}

/// The messages that a client was sent since the last call, each in short: `event accepted`, `invitation hello`,
/// `said hi`, `chat hi`, `error im-session-ended`; what is a copy begins with `sent` or `received`.
fn heard(client: &mut Client) -> Vec<String> {
    let all = client.received_xml();
    let messages = all.iter().filter(|xml| xml.starts_with("<message"));
    messages.map(|xml| in_short(xml)).collect()
}

fn in_short(xml: &str) -> String {
    for way in ["sent", "received"] {
        if xml.contains(&format!("<{way} xmlns='urn:xmpp:carbons:2'")) {
            let (_, inner) = xml.split_once("<forwarded").unwrap();
            return format!("{way} {}", in_short(inner));
        }
    }
    if let Some((_, code)) = xml.split_once("</text><") {
        return format!("error {}", code.split(' ').next().unwrap());
    }
    if let Some((_, code)) = xml.split_once("<error type='") {
        let condition = code.split_once("><").unwrap().1;
        return format!("error {}", condition.split(' ').next().unwrap());
    }
    if let Some(kind) = attribute(xml, "event", "type") {
        return format!("event {kind}");
    }
    let body = text_of(xml, "body");
    let kinds = ["invitation", "said"].into_iter();
    let mut kinds = kinds.filter(|kind| attribute(xml, kind, "id").is_some());
    format!("{} {body}", kinds.next().unwrap_or("chat"))
}

/// Sends a chat message, in a thread if one is named.
async fn chat(client: &mut Client, to: &str, body: &str, thread: Option<&str>) {
    let thread = thread.map(|thread| format!("<thread>{thread}</thread>"));
    let thread = thread.unwrap_or_default();
    let message = format!(
        "<message to='{to}' type='chat' id='m-{body}'><body>{body}</body>{thread}</message>"
    );
    client
        .send(&message.replacen(&format!("m-{body}"), "m1", 1))
        .await;
}

/// How the session is for that client.
async fn status(client: &mut Client, id: &str) -> String {
    let answer = set(client, &format!("session id='{id}'")).await;
    attribute(&answer, "session", "status").unwrap_or_else(|| panic!("{answer}"))
}
