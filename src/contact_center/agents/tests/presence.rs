//! What colleagues see of an agent's state.

use super::*;

/// The presence that the client was sent last, without its end.
fn last(client: &mut Client) -> String {
    let mut received = client.received_xml();
    received.retain(|it| it.starts_with("<presence"));
    received.pop().unwrap_or_default()
}

/// S0-21, S0-22: Online, Busy with the reason, and what the client says in its own words comes back.
#[tokio::test]
async fn the_state_goes_with_the_presence_and_keeps_what_the_client_says() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/desk").await,
    );
    befriend(&mut romeo, &mut juliet).await;
    romeo
        .send("<presence id='p'><show>chat</show><status>here</status><priority>3</priority></presence>")
        .await;
    let plain = "<presence from='romeo@localhost/desk' to='juliet@localhost' id='p'>";
    assert_eq!(
        last(&mut juliet),
        format!("{plain}<show>chat</show><status>here</status><priority>3</priority></presence>"),
        "who has never logged in is nobody's agent"
    );
    own(&mut romeo, "login").await;
    let since = "since='2026-09-21T14:13:20Z'";
    assert_eq!(
        last(&mut juliet),
        format!(
            "{plain}<priority>3</priority><show>chat</show><status>here</status>\
             <agent xmlns='{NS}' state='available' {since} view='online'/></presence>"
        )
    );
    not_ready(&mut romeo, "meeting").await;
    assert_eq!(
        last(&mut juliet),
        format!(
            "{plain}<priority>3</priority><show>dnd</show><status>Busy – Meeting</status>\
             <agent xmlns='{NS}' state='not-ready' reason='meeting' label='Meeting' {since} view='busy'/>\
             </presence>"
        )
    );
    own(&mut romeo, "ready").await;
    let heard = last(&mut juliet);
    assert!(
        heard.contains("<show>chat</show><status>here</status>") && heard.contains("view='online'"),
        "{heard}"
    );
    let over = format!("<logout xmlns='{NS}' reason='shift-over'/>");
    ask(&mut romeo, "set", &over).await;
    let heard = last(&mut juliet);
    assert!(
        heard.contains("<show>xa</show><status>Offline</status>")
            && heard.contains("state='logged-out' reason='shift-over'")
            && heard.contains("view='offline'"),
        "{heard}"
    );
}

/// S0-21: a plain client that says dnd makes its agent not ready for the default reason, and available again.
#[tokio::test]
async fn what_a_plain_client_says_is_followed_once() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/desk").await,
    );
    befriend(&mut romeo, &mut juliet).await;
    own(&mut romeo, "login").await;
    romeo
        .send("<presence><show>away</show><status>back at 3</status></presence>")
        .await;
    let heard = last(&mut juliet);
    assert!(
        heard.contains("<show>away</show>") && heard.contains("<status>Busy – Meeting</status>"),
        "{heard}"
    );
    let answer = look(&mut romeo).await;
    assert!(
        answer.contains("state='not-ready' reason='meeting'"),
        "{answer}"
    );
    romeo.send("<presence/>").await;
    let heard = last(&mut juliet);
    assert!(
        heard.contains("state='available'") && !heard.contains("<show>"),
        "{heard}"
    );
    // Said by the agent itself, it stays when the client sends the same again.
    not_ready(&mut romeo, "lunch").await;
    romeo.send("<presence/>").await;
    let heard = last(&mut juliet);
    assert!(
        heard.contains("reason='lunch'") && heard.contains("Busy – Lunch"),
        "{heard}"
    );
}

/// Nobody says of itself what only the server says.
#[tokio::test]
async fn a_state_that_a_client_makes_up_is_taken_out() {
    let floor = Floor::new(&["romeo", "juliet", "peter:member"]).await;
    let mut juliet = floor.online("juliet/desk").await;
    let false_state = format!("<agent xmlns='{NS}' state='available' view='online'/>");
    for name in ["romeo/desk", "peter/home"] {
        let mut liar = floor.online(name).await;
        befriend(&mut liar, &mut juliet).await;
        for to in ["", " to='juliet@localhost/desk'"] {
            liar.send(&format!(
                "<presence{to}><show>dnd</show>{false_state}</presence>"
            ))
            .await;
            let heard = last(&mut juliet);
            assert!(
                heard.contains("<show>dnd</show></presence>"),
                "{name}: {heard}"
            );
        }
        liar.send(&format!(
            "<presence type='unavailable'>{false_state}</presence>"
        ))
        .await;
        assert!(!last(&mut juliet).contains(NS), "{name}");
    }
}

/// What is said to a room or to somebody directly is the client's own affair.
#[tokio::test]
async fn directed_presence_is_as_the_client_sends_it() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/desk").await,
    );
    own(&mut romeo, "login").await;
    not_ready(&mut romeo, "lunch").await;
    romeo
        .send("<presence to='juliet@localhost/desk'><show>chat</show></presence>")
        .await;
    assert!(last(&mut juliet).ends_with("<show>chat</show></presence>"));
}

/// S0-15: who is not to be seen is offline for colleagues, however they ask; its own devices see each other.
#[tokio::test]
async fn an_agent_whose_presence_is_not_shown_is_offline_for_colleagues() {
    let floor = Floor::new(&["romeo", "juliet", "paris:supervisor"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/desk").await,
    );
    befriend(&mut romeo, &mut juliet).await;
    own(&mut juliet, "login").await;
    romeo.received();
    display(&floor, "juliet", 1, PresenceDisplay::Hidden).await;
    start_again(&floor).await;
    let heard = until(&mut romeo, "unavailable").await;
    assert_eq!(
        heard,
        ["<presence from='juliet@localhost/desk' to='romeo@localhost' type='unavailable'/>"]
    );
    juliet.received();
    juliet.send("<presence><show>dnd</show></presence>").await;
    let home = last(&mut juliet);
    assert!(
        home.contains("<show>dnd</show>") && home.contains("view='offline'"),
        "{home}"
    );
    let mut pocket = floor.online("juliet/pocket").await;
    assert!(last(&mut juliet).contains("juliet@localhost/pocket"));
    pocket.send("<presence type='unavailable'/>").await;
    romeo
        .send("<presence type='probe' to='juliet@localhost'/>")
        .await;
    assert_eq!(romeo.heard(), ["unavailable juliet@localhost"]);
    let mut phone = floor.online("romeo/phone").await;
    let seen = phone.received_xml().concat() + &romeo.received_xml().concat();
    assert!(!seen.contains("juliet@localhost/"), "{seen}");

    let asked = format!("<agent xmlns='{NS}' jid='juliet@localhost'/>");
    let answer = ask(&mut romeo, "get", &asked).await;
    let hidden =
        format!("<agent xmlns='{NS}' jid='juliet@localhost' state='logged-out' view='offline'/>");
    assert!(answer.contains(&hidden), "{answer}");
    let mut paris = floor.online("paris/desk").await;
    let answer = ask(&mut paris, "get", &asked).await;
    assert!(answer.contains("state='not-ready'"), "{answer}");

    display(&floor, "juliet", 2, PresenceDisplay::Shown).await;
    start_again(&floor).await;
    let heard = until(&mut romeo, "juliet@localhost/desk").await.concat();
    assert!(
        heard.contains("<show>dnd</show>") && heard.contains("view='busy'"),
        "{heard}"
    );
    // From the first presence on.
    display(&floor, "juliet", 3, PresenceDisplay::Hidden).await;
    juliet.disconnect().await;
    pocket.disconnect().await;
    romeo.received();
    let mut juliet = floor.online("juliet/new").await;
    assert_eq!(romeo.heard(), [""; 0]);
    juliet.send("<presence type='unavailable'/>").await;
    assert_eq!(romeo.heard(), [""; 0]);
}

/// A colleague's state is for colleagues, and what cannot be one is refused.
#[tokio::test]
async fn a_colleagues_state_is_told_to_colleagues() {
    let floor = Floor::new(&["romeo", "juliet", "peter:member"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/desk").await,
    );
    own(&mut juliet, "login").await;
    not_ready(&mut juliet, "lunch").await;
    let asked = |jid: &str| format!("<agent xmlns='{NS}' jid='{jid}'/>");
    let answer = ask(&mut romeo, "get", &asked("juliet@localhost")).await;
    assert!(
        answer.contains("jid='juliet@localhost' state='not-ready' reason='lunch' label='Lunch'")
            && answer.contains("view='busy' seconds='0'"),
        "{answer}"
    );
    let fields = [("jid", "juliet")];
    let answer = command(&mut romeo, "urn:parlour:agent:0#agent", &fields).await;
    assert!(answer.contains("Colleagues see Busy – Lunch."), "{answer}");
    let answer = ask(&mut romeo, "get", &asked("romeo@localhost")).await;
    assert!(
        answer.contains("jid='romeo@localhost' state='logged-out'"),
        "{answer}"
    );
    for (jid, code) in [
        ("juliet@example.org", "other-host"),
        ("nobody@localhost", "no-account"),
        ("peter@localhost", "no-agent"),
        ("ju liet@localhost", "field-malformed"),
        ("a@b@c", "field-malformed"),
    ] {
        let answer = ask(&mut romeo, "get", &asked(jid)).await;
        assert!(answer.contains(&format!("<{code} ")), "{jid}: {answer}");
    }
}
