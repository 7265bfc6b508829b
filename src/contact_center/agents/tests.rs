//! Agents through both doors.

mod devices;
mod entitled;
mod history;
mod list;
mod live;
mod presence;
mod rights;

use super::super::settings::CHAT_PROFILE;
use super::super::testing::{CENTER, Floor, ask, command, until};
use crate::domain::chat_profile::{ChatProfile, PresenceDisplay};
use crate::extensions::testing::Client;
use crate::proto::BareJid;

const NS: &str = "urn:parlour:agent:0";

async fn own(client: &mut Client, name: &str) -> String {
    ask(client, "set", &format!("<{name} xmlns='{NS}'/>")).await
}

async fn not_ready(client: &mut Client, reason: &str) -> String {
    let request = format!("<not-ready xmlns='{NS}' reason='{reason}'/>");
    ask(client, "set", &request).await
}

async fn look(client: &mut Client) -> String {
    ask(client, "get", &format!("<agent xmlns='{NS}'/>")).await
}

/// Two who see each other's presence.
async fn befriend(one: &mut Client, other: &mut Client) {
    let (first, second) = (
        one.session.jid().bare().clone(),
        other.session.jid().bare().clone(),
    );
    let presence = |kind: &str, to: &BareJid| format!("<presence type='{kind}' to='{to}'/>");
    one.send(&presence("subscribe", &second)).await;
    other.send(&presence("subscribed", &first)).await;
    other.send(&presence("subscribe", &first)).await;
    one.send(&presence("subscribed", &second)).await;
    one.received();
    other.received();
}

/// Gives an account a chat profile of its own in which its presence is shown or not.
async fn display(floor: &Floor, account: &str, version: u64, presence: PresenceDisplay) {
    let profile = ChatProfile {
        presence,
        version,
        ..ChatProfile::default()
    };
    let id = format!("{account}@localhost");
    let read = i64::try_from(version).unwrap();
    floor.set(CHAT_PROFILE, &id, read, &profile).await;
}

/// Does what the server does when it starts: reads what is set, and does what is due.
async fn start_again(floor: &Floor) {
    let services = floor.house.router.services();
    services.hooks.run_starting(services).await.unwrap();
}

/// S2-3, S2-5, S2-6: login, a reason for not being ready, logout.
#[tokio::test]
async fn an_agent_logs_in_is_not_ready_for_a_reason_and_logs_out() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let answer = ask(&mut romeo, "get", &format!("<agent xmlns='{NS}'/>")).await;
    assert!(answer.contains("state='logged-out'"), "{answer}");
    let answer = own(&mut romeo, "login").await;
    assert!(answer.contains("state='available'"), "{answer}");
    let lunch = format!("<not-ready xmlns='{NS}' reason='lunch'/>");
    let answer = ask(&mut romeo, "set", &lunch).await;
    assert!(
        answer.contains("state='not-ready' reason='lunch' label='Lunch'"),
        "{answer}"
    );
    let answer = command(&mut romeo, "urn:parlour:agent:0#ready", &[]).await;
    assert!(answer.contains("Colleagues see you as Online"), "{answer}");
    let over = [("reason", "shift-over")];
    let answer = command(&mut romeo, "urn:parlour:agent:0#logout", &over).await;
    assert!(answer.contains("status='completed'"), "{answer}");
    let answer = ask(&mut romeo, "get", &format!("<agent xmlns='{NS}'/>")).await;
    assert!(
        answer.contains("state='logged-out' reason='shift-over'"),
        "{answer}"
    );
}

/// Every wrong request has its precise refusal, and changes nothing.
#[tokio::test]
async fn what_is_wrong_is_refused_with_what_is_wrong_about_it() {
    let floor = Floor::new(&["romeo", "peter:member"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let errors = [
        (
            "set",
            "<ready xmlns='urn:parlour:agent:0'/>",
            "agent-logged-out",
        ),
        (
            "set",
            "<not-ready xmlns='urn:parlour:agent:0'/>",
            "field-missing",
        ),
        (
            "set",
            "<not-ready xmlns='urn:parlour:agent:0' reason='a b'/>",
            "field-malformed",
        ),
        (
            "set",
            "<login xmlns='urn:parlour:agent:0' reason='x'/>",
            "field-unknown",
        ),
        (
            "set",
            "<login xmlns='urn:parlour:agent:0'><x/></login>",
            "field-unknown",
        ),
        (
            "set",
            "<login xmlns='urn:parlour:agent:0'>now</login>",
            "text-unexpected",
        ),
        (
            "get",
            "<login xmlns='urn:parlour:agent:0'/>",
            "operation-type",
        ),
        (
            "set",
            "<leave xmlns='urn:parlour:agent:0'/>",
            "operation-unknown",
        ),
    ];
    for (kind, request, code) in errors {
        let answer = ask(&mut romeo, kind, request).await;
        let condition = format!("<{code} xmlns='urn:parlour:errors:0'/>");
        assert!(answer.contains(&condition), "{request}: {answer}");
    }
    let mut peter = floor.online("peter/home").await;
    let answer = own(&mut peter, "login").await;
    assert!(
        answer.contains("<forbidden ") && answer.contains("right-missing"),
        "{answer}"
    );
    let listed = "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>";
    let answer = ask(&mut peter, "get", listed).await;
    assert!(!answer.contains("#login"), "{answer}");
    let answer = ask(&mut romeo, "get", listed).await;
    assert!(
        answer.contains(&format!("jid='{CENTER}' node='{NS}#login'")),
        "{answer}"
    );
}

/// S2-7: where there is nothing to choose from, the form says so before anybody fills it in.
#[tokio::test]
async fn without_reason_codes_the_forms_say_so() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    own(&mut romeo, "login").await;
    for code in ["lunch", "meeting"] {
        let retired = [("kind", "not-ready"), ("code", code)];
        floor.operate("reason retire", &retired).await;
    }
    let retired = [("kind", "logout"), ("code", "shift-over")];
    floor.operate("reason retire", &retired).await;
    for name in ["not-ready", "logout"] {
        let answer = command(&mut romeo, &format!("{NS}#{name}"), &[]).await;
        assert!(
            answer.contains("<reason-codes-not-configured "),
            "{name}: {answer}"
        );
    }
    assert!(look(&mut romeo).await.contains("state='available'"));
}
