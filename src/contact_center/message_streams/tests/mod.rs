//! Message streams through both doors.

mod deletion;
mod employees;
mod finding;
mod live;
mod pages;
mod presenting;
mod races;
mod refusals;
mod rights;
mod unread;
mod walk;

use super::NS;
use crate::admin::TAGS;
use crate::contact_center::testing::{Floor, ask, command, until};
use crate::domain::message_stream::{Availability, Tag, Tags};
use crate::extensions::testing::Client;

/// What the eight rights are called (S4-4).
const EIGHT: [&str; 8] = [
    "message-show",
    "message-create",
    "comment-show",
    "comment-create",
    "property-show",
    "property-create",
    "tag-show",
    "tag-create",
];

/// Agents who have the eight rights, tags to choose from, and a customer `ann`.
async fn floor(people: &[&str]) -> Floor {
    Box::pin(prepared(Floor::new(people).await)).await
}

/// The same of a floor that is there.
pub(super) async fn prepared(floor: Floor) -> Floor {
    let tag = |name: &str, availability: &[Availability]| Tag {
        name: name.to_owned(),
        availability: availability.iter().copied().collect(),
    };
    let tags = Tags {
        version: 1,
        tags: vec![
            tag("urgent", &[Availability::Message]),
            tag("very urgent", &[Availability::Message]),
            tag(
                "paid",
                &[Availability::Message, Availability::MessageBillable],
            ),
            tag("orders", &[]),
        ],
    };
    floor.set(TAGS, "localhost", 1, &tags).await;
    for right in EIGHT {
        let given = [("role", "agent"), ("right", right)];
        floor.operate("right give", &given).await;
    }
    floor.customer("ann", "Ann Smith", "ann@example.org").await;
    floor
}

pub(super) async fn set(client: &mut Client, request: &str) -> String {
    ask(client, "set", &request.replace("NS", NS)).await
}

async fn get(client: &mut Client, request: &str) -> String {
    ask(client, "get", &request.replace("NS", NS)).await
}

/// Makes a stream about the customer, and gives the answer.
pub(super) async fn create(
    client: &mut Client,
    attributes: &str,
    title: &str,
    children: &str,
) -> String {
    let request = format!(
        "<create xmlns='NS' customer='ann'{attributes}><title>{title}</title>{children}</create>"
    );
    set(client, &request).await
}

/// Makes one that is good, and gives its id; some time after the one before.
pub(super) async fn made(
    floor: &Floor,
    client: &mut Client,
    title: &str,
    children: &str,
) -> String {
    floor.house.clock.advance_seconds(60);
    let text = format!("<text>About {title}.</text>{children}");
    let answer = create(client, "", title, &text).await;
    attribute(&answer, "stream", "id")
}

pub(super) async fn reply(client: &mut Client, id: &str, text: &str) -> String {
    let request = format!("<reply xmlns='NS' id='{id}'><text>{text}</text></reply>");
    set(client, &request).await
}

pub(super) async fn stream(client: &mut Client, id: &str) -> String {
    get(client, &format!("<stream xmlns='NS' id='{id}'/>")).await
}

async fn streams(client: &mut Client, attributes: &str, children: &str) -> String {
    let request = format!("<streams xmlns='NS' customer='ann'{attributes}>{children}</streams>");
    get(client, &request).await
}

/// An attribute of the first element of that name.
pub(super) fn attribute(answer: &str, element: &str, name: &str) -> String {
    let head = answer.split(&format!("<{element}")).nth(1);
    let head = head.and_then(|it| it.split('>').next());
    let value = head.and_then(|it| it.split(&format!(" {name}='")).nth(1));
    let value = value.and_then(|it| it.split('\'').next());
    value
        .unwrap_or_else(|| panic!("{name} in {answer}"))
        .to_owned()
}

/// The titles of all streams in an answer.
fn titles(answer: &str) -> Vec<&str> {
    let titles = answer.split("<title>").skip(1);
    titles.map(|it| it.split('<').next().unwrap()).collect()
}

/// The application's condition of an error.
pub(super) fn code(answer: &str) -> &str {
    let code = answer.split(" xmlns='urn:parlour:errors:0'").next();
    code.and_then(|it| it.rsplit('<').next())
        .unwrap_or_default()
}
