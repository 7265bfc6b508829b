//! Which right reads what of agents (S0-10).

use super::*;

/// What the answer is: the element that was asked for, or why not.
fn outcome(answer: &str, element: &str) -> &'static str {
    let data = answer.contains(&format!("<{element} xmlns='{NS}'"));
    let form = answer.contains("status='completed'");
    match (data || form, answer.contains("<right-missing ")) {
        (true, false) => "told",
        (false, true) => "refused",
        _ => panic!("{answer}"),
    }
}

/// S2-6: one's own needs `agent-state`, a colleague's state either right, and the list and what others have done `agent-list`; through
/// both doors.
#[tokio::test]
async fn each_reading_operation_needs_its_right() {
    let people = [
        "none",
        "state",
        "list:supervisor",
        "both:supervisor",
        "juliet",
    ];
    let floor = Floor::new(&people).await;
    for name in ["none@localhost", "list@localhost"] {
        let given = [("jid", name), ("right", "agent-state")];
        floor.operate("right take", &given).await;
    }
    let mut juliet = floor.online("juliet/desk").await;
    own(&mut juliet, "login").await;
    let whose = "jid='juliet@localhost'";
    for (element, whose, may) in [
        ("agent", "", ["refused", "told", "refused", "told"]),
        ("agent", whose, ["refused", "told", "told", "told"]),
        ("history", "", ["refused", "told", "refused", "told"]),
        ("history", whose, ["refused", "refused", "told", "told"]),
        ("agents", "", ["refused", "refused", "told", "told"]),
    ] {
        for (name, expected) in ["none", "state", "list", "both"].into_iter().zip(may) {
            let mut client = floor.online(&format!("{name}/desk")).await;
            let request = format!("<{element} xmlns='{NS}' {whose}/>");
            let answer = ask(&mut client, "get", &request).await;
            assert_eq!(outcome(&answer, element), expected, "{name} {request}");
            let fields = [("jid", "juliet@localhost")];
            let fields = if whose.is_empty() {
                &[][..]
            } else {
                &fields[..]
            };
            let answer = command(&mut client, &format!("{NS}#{element}"), fields).await;
            assert_eq!(outcome(&answer, element), expected, "{name} {request}");
            client.disconnect().await;
        }
    }
}

/// The commands that are listed are those that can be executed.
#[tokio::test]
async fn whoever_only_watches_is_shown_what_it_may_read() {
    let floor = Floor::new(&["list:supervisor"]).await;
    let given = [("jid", "list@localhost"), ("right", "agent-state")];
    floor.operate("right take", &given).await;
    let mut client = floor.online("list/desk").await;
    let items = "<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>";
    let items = ask(&mut client, "get", items).await;
    for (name, listed) in [
        ("agents", true),
        ("agent", true),
        ("history", true),
        ("login", false),
    ] {
        assert_eq!(
            items.contains(&format!("node='{NS}#{name}'")),
            listed,
            "{name}: {items}"
        );
    }
}
