//! Agents who are disabled, removed, or have another role: what they are offered is offered to others (S0-9, S0-10).

use super::*;

/// What a supervisor sees of an agent.
async fn seen_by(supervisor: &mut Client, name: &str) -> String {
    let list = "<agents xmlns='urn:parlour:agent:0'/>";
    let list = ask(supervisor, "get", list).await;
    let found = list
        .split("<agent ")
        .find(|it| it.contains(&format!("jid='{name}@localhost'")));
    let agent = format!("<agent {}", found.unwrap_or_default());
    let word = |name| attribute(&agent, "agent", name).unwrap_or_default();
    format!("{} {}", word("state"), word("reason"))
}

/// At once: the agent is logged out for a reason of the system's, and its connector asks somebody else.
#[tokio::test]
async fn an_offer_to_an_agent_who_may_no_longer_goes_back() {
    let role = ("role", "member");
    let right = ("right", "agent-state");
    for (operation, other, seen) in [
        ("account disable", None, "logged-out right-taken"),
        ("account role", Some(role), "logged-out right-taken"),
        ("right take", Some(right), "logged-out right-taken"),
        ("account remove", None, " "),
    ] {
        let floor = floor(&["ann", "bob", "paris:supervisor"]).await;
        let mut ann = agent(&floor, "ann/desk").await;
        let mut bob = agent(&floor, "bob/desk").await;
        let mut paris = floor.online("paris/desk").await;
        offer(&floor, "c1", "ann").await;
        ann.received();
        let given: Vec<_> = std::iter::once(("jid", "ann@localhost"))
            .chain(other)
            .collect();
        floor.operate(operation, &given).await;
        let asked = asked(&floor).await;
        assert!(
            asked.contains("interaction='c1' verb='reject' agent='ann@localhost'"),
            "{operation}: {asked}"
        );
        confirm(&floor, &asked).await;
        assert_eq!(seen_by(&mut paris, "ann").await, seen, "{operation}");
        let answer = offer(&floor, "c1", "bob").await;
        assert!(answer.contains("type='result'"), "{operation}: {answer}");
        assert!(heard(&mut bob)[0].starts_with("primary offered offered"));
        let answer = offer(&floor, "c2", "ann").await;
        assert!(answer.contains("type='error'"), "{operation}: {answer}");
    }
}

/// The request to the connector: some operations are followed a moment later.
async fn asked(floor: &Floor) -> String {
    let waiting = async {
        loop {
            if let [asked] = floor.house.component_receives(PBX).as_slice() {
                return asked.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, waiting).await.unwrap()
}

/// A connector that is away cannot be asked: the offer is over all the same.
#[tokio::test]
async fn an_offer_of_a_connector_that_is_away_is_withdrawn() {
    let floor = floor(&["ann", "paris:supervisor"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut paris = floor.online("paris/desk").await;
    offer(&floor, "c1", "ann").await;
    floor.house.component_goes(PBX).await;
    ann.received();
    floor
        .operate("account disable", &[("jid", "ann@localhost")])
        .await;
    assert_eq!(seen_by(&mut paris, "ann").await, "logged-out right-taken");
    let services = floor.house.router.services();
    let id = "ann@localhost".parse().unwrap();
    let open = super::super::active::open_of(services, &id).await.unwrap();
    assert!(open.is_empty(), "{open:?}");
}

/// A conversation with a customer is not cut off; behind it the agent is logged out.
#[tokio::test]
async fn an_agent_who_talks_is_logged_out_behind_that() {
    let floor = floor(&["ann", "paris:supervisor"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut paris = floor.online("paris/desk").await;
    talking(&floor, &mut ann, "c1").await;
    floor
        .operate("account disable", &[("jid", "ann@localhost")])
        .await;
    assert!(floor.house.component_receives(PBX).is_empty());
    assert_eq!(seen_by(&mut paris, "ann").await, "engaged ");
    report(&floor, "c1", "ended").await;
    assert_eq!(seen_by(&mut paris, "ann").await, "logged-out right-taken");
}
