//! A row for each refusal, to connectors and to agents.

use super::*;

/// An offer to that agent, without its element.
fn chat(agent: &str) -> String {
    format!(
        "interaction='n' medium='chat' direction='inbound' address='e@m.example' agent='{agent}'"
    )
}

/// Offers that are refused, and why.
fn offers() -> Vec<(String, &'static str)> {
    let long = "x".repeat(129);
    let good = chat("ann@localhost");
    vec![
        ("<offer/>".to_owned(), "field-missing"),
        (format!("<offer {good} colour='red'/>"), "field-unknown"),
        (
            format!("<offer {}/>", good.replace("chat", "fax")),
            "field-malformed",
        ),
        (
            format!("<offer {}/>", good.replace("inbound", "up")),
            "field-malformed",
        ),
        (
            format!("<offer {}/>", good.replace("'n'", "'two words'")),
            "field-malformed",
        ),
        (
            format!("<offer {}/>", good.replace("'n'", &format!("'{long}'"))),
            "field-malformed",
        ),
        (
            format!("<offer {}/>", good.replace("chat", "voice")),
            "telephone-malformed",
        ),
        (
            format!(
                "<offer {}/>",
                good.replace("chat", "email").replace('@', "")
            ),
            "email-malformed",
        ),
        (
            format!("<offer {}/>", good.replace("e@m.example", " ")),
            "field-malformed",
        ),
        (
            format!("<offer {}/>", chat("nobody@localhost")),
            "no-account",
        ),
        (
            format!("<offer {}/>", chat("ann@elsewhere.example")),
            "no-account",
        ),
        (format!("<offer {}/>", chat("peter@localhost")), "no-agent"),
        (
            format!("<offer {}/>", chat("off@localhost")),
            "target-logged-out",
        ),
        (
            format!("<offer {}/>", chat("lunch@localhost")),
            "target-not-ready",
        ),
        (
            format!("<offer {}/>", good.replace("'n'", "'own'")),
            "interaction-exists",
        ),
    ]
}

/// What else is refused.
fn others() -> Vec<(String, &'static str)> {
    let long = "x".repeat(129);
    let good = chat("ann@localhost");
    let data = |inner: &str| format!("<offer {good}>{inner}</offer>");
    let many: String = (0..201)
        .map(|n| format!("<data name='{n}'>1</data>"))
        .collect();
    vec![
        (data("<data>1</data>"), "attached-data-malformed"),
        (
            data("<data name='a'>1</data><data name='a'>2</data>"),
            "field-repeated",
        ),
        (
            data(&format!("<data name='{long}'>1</data>")),
            "attached-data-malformed",
        ),
        (data(&many), "field-repeated"),
        (
            "<report interaction='n' fact='held'/>".to_owned(),
            "interaction-unknown",
        ),
        (
            "<report interaction='own' fact='lost'/>".to_owned(),
            "field-malformed",
        ),
        (
            "<report interaction='own' fact='connected'/>".to_owned(),
            "field-missing",
        ),
        (
            "<report interaction='own' fact='left' agent='off@localhost'/>".to_owned(),
            "interaction-unknown",
        ),
        (
            "<attach interaction='n'/>".to_owned(),
            "interaction-unknown",
        ),
        ("<dismiss interaction='own'/>".to_owned(), "stranger"),
    ]
}

/// Wrong fields, ids of others, agents who cannot take it, malformed addresses: nothing is begun by any of it.
#[tokio::test]
async fn what_connectors_are_refused() {
    let floor = floor(&["ann", "off", "lunch", "peter:member"]).await;
    let _ann = agent(&floor, "ann/desk").await;
    let mut lunch = agent(&floor, "lunch/desk").await;
    let reason = "<not-ready xmlns='urn:parlour:agent:0' reason='lunch'/>";
    ask(&mut lunch, "set", reason).await;
    offer(&floor, "own", "ann").await;
    for (payload, expected) in offers().into_iter().chain(others()) {
        assert_eq!(
            code(&says(&floor, PBX, "set", &payload).await),
            expected,
            "{payload}"
        );
    }
    assert_eq!(
        code(
            &says(
                &floor,
                PBX,
                "get",
                "<report interaction='own' fact='ended'/>"
            )
            .await
        ),
        "operation-type"
    );
    let other = "<report interaction='own' fact='ended'/>";
    assert_eq!(
        code(&says(&floor, "chat.example", "set", other).await),
        "interaction-unknown"
    );
    assert_eq!(
        code(&says(&floor, "crm.example", "set", other).await),
        "stranger"
    );
    let list = says(&floor, PBX, "get", "<interactions/>").await;
    assert!(list.contains("<count>1</count>"), "{list}");
}

/// Agents speak their own language, not that of connectors, and the other way round.
#[tokio::test]
async fn nobody_speaks_for_others() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    let forged = "<report xmlns='urn:parlour:connector:0' interaction='c1' fact='ended'/>";
    assert_eq!(code(&ask(&mut bob, "set", forged).await), "stranger");
    let forged = format!("<end xmlns='{NS}' interaction='c1'/>");
    let iq = format!("<iq type='set' id='f' from='{PBX}' to='{CENTER}'>{forged}</iq>");
    sends(&floor, &iq).await;
    assert!(
        floor
            .house
            .component_receives(PBX)
            .concat()
            .contains("<stranger ")
    );
    // Another connector cannot answer for the one that was asked, nor can an agent.
    want(&mut ann, "c1", "hold").await;
    let asked = request(&floor, PBX);
    let id = attribute(&asked, "request", "id").unwrap();
    let result = format!("<iq type='result' id='{id}' from='chat.example' to='{CENTER}'/>");
    sends(&floor, &result).await;
    bob.send(&format!("<iq type='result' id='{id}' to='{CENTER}'/>"))
        .await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected held");
    for what in [
        "accept",
        "hold",
        "end",
        "finish-wrap-up",
        "focus",
        "attach <data name='a'>1</data>",
    ] {
        assert_eq!(
            code(&want(&mut bob, "c1", what).await),
            "interaction-unknown",
            "{what}"
        );
        assert_eq!(
            code(&want(&mut bob, "none", what).await),
            "interaction-unknown",
            "{what}"
        );
    }
}

/// What the state of an interaction does not allow.
#[tokio::test]
async fn what_agents_are_refused() {
    let floor = floor(&["ann", "bob", "off"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let _bob = agent(&floor, "bob/desk").await;
    offer(&floor, "c1", "ann").await;
    for (what, expected) in [
        ("hold", "not-connected"),
        ("leave", "not-connected"),
        ("finish-wrap-up", "no-wrap-up"),
        ("attach <data name='a'>1</data>", "read-only"),
        ("transfer", "field-missing"),
        ("transfer colleague='bob' queue='sales'", "field-missing"),
        ("hold colleague='bob'", "field-unknown"),
    ] {
        assert_eq!(code(&want(&mut ann, "c1", what).await), expected, "{what}");
    }
    done(&floor, &mut ann, "c1", "accept").await;
    for (what, expected) in [
        ("accept", "not-offered"),
        ("reject", "not-offered"),
        ("resume", "not-held"),
        ("retrieve", "no-consultation"),
        ("conference", "no-consultation"),
        ("consult colleague='ann'", "takes-part-already"),
        ("consult colleague='off'", "target-logged-out"),
        ("transfer colleague='nobody'", "no-account"),
        ("conference colleague='nobody'", "no-account"),
        ("attach <data>1</data>", "attached-data-malformed"),
    ] {
        assert_eq!(code(&want(&mut ann, "c1", what).await), expected, "{what}");
    }
    done(&floor, &mut ann, "c1", "hold").await;
    assert_eq!(
        code(&want(&mut ann, "c1", "hold").await),
        "customer-not-connected"
    );
    report(&floor, "c1", "ended").await;
    assert_eq!(
        code(&want(&mut ann, "c1", "resume").await),
        "interaction-over"
    );
}
