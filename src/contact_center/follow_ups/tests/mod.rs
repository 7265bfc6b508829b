//! Follow-ups through both doors, of interactions that are made by the rules of the domain and of objects of the CRM.

mod gone;
mod lists;
mod notes;
mod planning;
mod presenting;
mod refusals;
mod reminders;
mod rights;
mod trail;

use crate::contact_center::activities::tests::{Dealing, agent, all, code};
use crate::contact_center::testing::{Floor, ask, command};
use crate::domain::interaction::{Command, Fact, Medium};
use crate::extensions::testing::Client;

const NS: &str = "urn:parlour:follow-up:0";

/// A request in the namespace of follow-ups: what stands in its start tag, and its children.
async fn request(client: &mut Client, kind: &str, tag: &str, children: &str) -> String {
    let name = tag.split(' ').next().unwrap();
    let rest = tag.strip_prefix(name).unwrap();
    let payload = format!("<{name} xmlns='{NS}'{rest}>{children}</{name}>");
    ask(client, kind, &payload).await
}

/// The node of a command.
fn node(name: &str) -> String {
    format!("{NS}#{name}")
}

/// The ids of the follow-ups in an answer.
fn ids(xml: &str) -> Vec<String> {
    let elements = xml.split("<follow-up ").skip(1);
    let own = |it: &str| {
        let (_, rest) = it.split_once("id='").unwrap();
        rest.split('\'').next().unwrap().to_owned()
    };
    elements.map(own).collect()
}

/// Plans something because of a service ticket, with more attributes; gives its id.
async fn planned(client: &mut Client, more: &str) -> String {
    let tag = format!("plan source='service-ticket' source-id='t-1' type='task' {more}");
    let answer = request(client, "set", &tag, "<title>Call back</title>").await;
    ids(&answer).pop().unwrap_or_else(|| panic!("{answer}"))
}

/// The agent has opened an object in the CRM.
async fn opens(client: &mut Client, kind: &str, id: &str, title: &str, fields: &str) {
    let object = format!(
        "<opened xmlns='urn:parlour:context:0'><object type='{kind}' id='{id}'>\
         <title>{title}</title>{fields}</object></opened>"
    );
    let answer = ask(client, "set", &object).await;
    assert!(answer.contains("type='result'"), "{answer}");
}

/// What the service has told a client of follow-ups: what, and the body.
fn told(client: &mut Client) -> Vec<(String, String)> {
    let received = client.received_xml();
    let notices = received.iter().filter(|it| it.contains("<notice "));
    let told = notices.map(|it| {
        let body = it.split("<body>").nth(1).unwrap();
        let body = body.split("</body>").next().unwrap();
        (all(it, "what")[0].to_owned(), body.to_owned())
    });
    told.collect()
}
