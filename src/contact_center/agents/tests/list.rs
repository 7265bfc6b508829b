//! The supervisors' list.

use super::*;

/// Who is on the floor: two agents in different states, one who has never logged in, a supervisor.
async fn floor() -> (Floor, Client, Client, Client) {
    let floor = Floor::new(&["romeo", "juliet", "tybalt", "paris:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    own(&mut romeo, "login").await;
    own(&mut juliet, "login").await;
    not_ready(&mut juliet, "lunch").await;
    let paris = floor.online("paris/desk").await;
    (floor, romeo, juliet, paris)
}

fn jids(answer: &str) -> Vec<&str> {
    let parts = answer.split("<agent jid='").skip(1);
    parts.map(|it| it.split('\'').next().unwrap()).collect()
}

/// Supervisors list agents by state, with durations and the number of all (S0-21).
#[tokio::test]
async fn supervisors_list_agents_by_state_with_durations() {
    let (floor, _romeo, _juliet, mut paris) = floor().await;
    floor.house.clock.advance_seconds(90);
    let answer = ask(&mut paris, "get", &format!("<agents xmlns='{NS}'/>")).await;
    assert_eq!(jids(&answer), ["juliet@localhost", "romeo@localhost"]);
    assert!(
        answer.contains("state='not-ready' reason='lunch' label='Lunch' since='2026-09-21T14:13:20Z' view='busy' seconds='90'"),
        "{answer}"
    );
    assert!(answer.contains("<count>2</count>"), "{answer}");
    let of = |states: &[&str]| {
        let states = states.iter().map(|it| format!("<state>{it}</state>"));
        format!(
            "<agents xmlns='{NS}'>{}</agents>",
            states.collect::<String>()
        )
    };
    for (states, expected) in [
        (&["available"][..], &["romeo@localhost"][..]),
        (&["engaged", "not-ready"], &["juliet@localhost"]),
        (&["wrap-up"], &[]),
    ] {
        let answer = ask(&mut paris, "get", &of(states)).await;
        assert_eq!(jids(&answer), expected, "{states:?}");
    }
    for wrong in [of(&["asleep"]), of(&["available"; 6])] {
        let answer = ask(&mut paris, "get", &wrong).await;
        assert!(answer.contains("<bad-request "), "{answer}");
    }
    let answer = command(
        &mut paris,
        "urn:parlour:agent:0#agents",
        &[("state", "available")],
    )
    .await;
    assert!(
        answer.contains("<value>romeo@localhost</value>") && answer.contains("1 of 1 agents."),
        "{answer}"
    );
}

#[tokio::test]
async fn the_list_comes_in_pages_xep_0059() {
    let (_floor, _romeo, _juliet, mut paris) = floor().await;
    let rsm = "http://jabber.org/protocol/rsm";
    for (set, expected) in [
        ("<max>1</max>", &["juliet@localhost"][..]),
        (
            "<max>1</max><after>juliet@localhost</after>",
            &["romeo@localhost"],
        ),
        ("<max>1</max><after>romeo@localhost</after>", &[]),
        ("<max>1</max><before/>", &["romeo@localhost"]),
        (
            "<max>1</max><before>romeo@localhost</before>",
            &["juliet@localhost"],
        ),
        ("<max>5</max><index>1</index>", &["romeo@localhost"]),
        // One that has gone from the list has its place all the same.
        (
            "<max>5</max><after>mercutio@localhost</after>",
            &["romeo@localhost"],
        ),
        ("<max>0</max>", &[]),
    ] {
        let request = format!("<agents xmlns='{NS}'><set xmlns='{rsm}'>{set}</set></agents>");
        let answer = ask(&mut paris, "get", &request).await;
        assert_eq!(jids(&answer), expected, "{set}");
        assert!(answer.contains("<count>2</count>"), "{answer}");
    }
}

#[tokio::test]
async fn the_list_is_for_those_who_have_the_right() {
    let (_floor, mut romeo, _juliet, _paris) = floor().await;
    let answer = ask(&mut romeo, "get", &format!("<agents xmlns='{NS}'/>")).await;
    assert!(
        answer.contains("<forbidden ") && answer.contains("<right-missing "),
        "{answer}"
    );
    let answer = command(&mut romeo, "urn:parlour:agent:0#agents", &[]).await;
    assert!(answer.contains("<right-missing "), "{answer}");
}
