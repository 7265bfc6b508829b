//! E-mail: the link without a relay, the queue, and what becomes of an e-mail that nobody takes. That a relay gets it is
//! in `tests/clients/email.rs`.

use std::time::Duration;

use super::super::email::KIND;
use super::super::reach::NS;
use super::{agent, code, give_card, with};
use crate::config::{Config, EmailTls};
use crate::contact_center::testing::{Floor, ask, command};
use crate::extensions::testing::{Client, written};

async fn send(client: &mut Client, subject: &str, text: &str) -> String {
    let request = format!(
        "<send-email xmlns='{NS}' colleague='juliet'><subject>{subject}</subject><text>{text}</text></send-email>"
    );
    ask(client, "set", &request).await
}

async fn floor(config: Config) -> (Floor, Client, Client) {
    let floor = Box::pin(Floor::configured(&["romeo", "juliet"], config)).await;
    let mut juliet = agent(&floor, "juliet/balcony").await;
    give_card(
        &mut juliet,
        "<EMAIL><USERID>juliet@mail.example</USERID></EMAIL>",
    )
    .await;
    let romeo = floor.online("romeo/orchard").await;
    (floor, romeo, juliet)
}

/// A relay that is not there: a port that was free a moment ago.
fn no_relay() -> Config {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    with(|config| {
        let email = &mut config.contact_center.email;
        email.host = Some("127.0.0.1".to_owned());
        email.port = port.into();
        email.tls = EmailTls::None;
        email.from = Some("center@parlour.example".to_owned());
    })
}

/// S0-3: the agent's own program takes over.
#[tokio::test]
async fn without_a_relay_the_answer_is_a_link() {
    let (_floor, mut romeo, _juliet) = Box::pin(floor(Config::default())).await;
    let answer = send(&mut romeo, "Lunch &amp; more", "At noon?\nR.").await;
    let link =
        "mailto:juliet@mail.example?subject=Lunch%20%26%20more&amp;body=At%20noon%3F%0D%0AR.";
    assert!(answer.contains(&format!("uri='{link}'")), "{answer}");
    let answer = send(&mut romeo, "Long", &"x".repeat(501)).await;
    assert!(
        answer.contains("uri='mailto:juliet@mail.example?subject=Long'"),
        "{answer}"
    );
    let long = "x".repeat(33 * 1024);
    for (subject, text, expected) in [
        ("", "x", "email-empty"),
        ("x", " \n", "email-empty"),
        ("a\nb", "x", "field-malformed"),
        (&"x".repeat(201), "x", "field-malformed"),
        ("x", &long, "field-malformed"),
    ] {
        assert_eq!(code(&send(&mut romeo, subject, text).await), expected);
    }
}

#[tokio::test]
async fn who_cannot_be_reached_by_email_gets_none() {
    let floor = Box::pin(Floor::configured(&["romeo", "juliet"], no_relay())).await;
    let mut romeo = floor.online("romeo/orchard").await;
    assert_eq!(code(&send(&mut romeo, "x", "y").await), "colleague-offline");
    let _juliet = agent(&floor, "juliet/balcony").await;
    assert_eq!(code(&send(&mut romeo, "x", "y").await), "no-address");
    let store = &floor.house.router.services().store;
    assert!(store.records().all(KIND, "", 10).await.unwrap().is_empty());
}

/// What cannot be sent is tried as often as the operator has said; then the agent is told, once and readably.
#[tokio::test]
async fn an_email_that_no_relay_takes_comes_back_to_the_agent() {
    let mut config = no_relay();
    config.contact_center.email.tries_max = 1;
    let (_floor, mut romeo, _juliet) = Box::pin(floor(config)).await;
    let fields = [
        ("colleague", "juliet@localhost"),
        ("subject", "Lunch"),
        ("text", "At noon?"),
    ];
    let answer = command(&mut romeo, "urn:parlour:reach:0#send-email", &fields).await;
    assert!(
        answer.contains("On its way to juliet@mail.example."),
        "{answer}"
    );
    let mail = tokio::time::timeout(Duration::from_secs(30), romeo.session.mail());
    let mail = mail.await.expect("the agent is told");
    let message = written(&mail[0]);
    assert!(
        message.contains("<body>Your e-mail “Lunch” to juliet@mail.example was not sent. The mail relay cannot be reached.</body>")
            && message.contains("<email-failed xmlns='urn:parlour:reach:0' id='")
            && message.contains("colleague='juliet@localhost'><subject>Lunch</subject><why>The mail relay cannot be reached.</why>"),
        "{message}"
    );
}

/// The queue has a bound, and who meets it is told so.
#[tokio::test]
async fn no_more_wait_than_may() {
    let mut config = no_relay();
    config.contact_center.email.waiting_max = 2;
    let (floor, mut romeo, _juliet) = Box::pin(floor(config)).await;
    for _ in 0..2 {
        let answer = send(&mut romeo, "x", "y").await;
        assert!(
            answer.contains("<send-email xmlns='urn:parlour:reach:0' id='"),
            "{answer}"
        );
    }
    let answer = send(&mut romeo, "x", "y").await;
    assert_eq!(code(&answer), "email-queue-full");
    assert!(answer.contains("<resource-constraint "), "{answer}");
    let records = floor.house.router.services().store.records();
    assert_eq!(
        records.count(KIND, ("waiting", "localhost")).await.unwrap(),
        2
    );
}
