//! Agents through both doors.

use super::super::testing::{CENTER, Floor, ask, command};

const NS: &str = "urn:parlour:agent:0";

async fn own(client: &mut crate::extensions::testing::Client, name: &str) -> String {
    ask(client, "set", &format!("<{name} xmlns='{NS}'/>")).await
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
