//! Screen pops: who the customer is, told at the moment at which somebody is asked to take part.

use super::*;

/// What a client was popped since the last call: how it matched, and the customers.
fn popped(client: &mut Client) -> (String, usize) {
    let all = client.received_xml().concat();
    let kind = attribute(&all, "screen-pop", "match").unwrap_or_else(|| panic!("{all}"));
    let pop = all.split_once("<screen-pop ").unwrap().1;
    let pop = pop.split("</screen-pop>").next().unwrap();
    (kind, pop.matches("<customer ").count())
}

/// S2-10, S2-11, S2-12, S2-13, S2-14, S2-29 to S2-31, S2-44: none, one, several, by number and by e-mail address.
#[tokio::test]
async fn an_offer_pops_none_one_or_several_customers() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    floor.customer("k1", "Eve", "+4915112345678").await;
    floor.customer("k2", "Eve", "eve@mail.example").await;
    floor.customer("k3", "Adam", "eve@mail.example").await;
    let offered = |id: &str, medium: &str, address: &str| {
        format!(
            "<offer interaction='{id}' medium='{medium}' direction='inbound' address='{address}' agent='ann@localhost'/>"
        )
    };
    for (id, medium, address, expected, known) in [
        ("c1", "voice", NUMBER, ("none", 0), None),
        ("c2", "voice", "+49 151 12345678", ("single", 1), Some("k1")),
        ("c3", "email", "Eve@Mail.example", ("multiple", 2), None),
        ("c4", "chat", "eve@mail.example", ("multiple", 2), None),
        ("c5", "chat", "visitor-17", ("none", 0), None),
    ] {
        says(&floor, PBX, "set", &offered(id, medium, address)).await;
        let (kind, count) = popped(&mut ann);
        assert_eq!((kind.as_str(), count), expected, "{id}");
        let answer = want(&mut ann, id, "interaction").await;
        let customer = attribute(&answer, "interaction", "customer");
        assert_eq!(customer.as_deref(), known, "{id}");
        says(
            &floor,
            PBX,
            "set",
            &format!("<report interaction='{id}' fact='ended'/>"),
        )
        .await;
        ann.received();
    }
}

/// S2-13, S2-16, S2-20, S2-33: the agent picks one of several; whoever it is passed to sees that one, as do the consulted.
#[tokio::test]
async fn what_the_agent_picks_is_what_colleagues_see() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    floor.customer("k1", "Eve", NUMBER).await;
    floor.customer("k2", "Adam", NUMBER).await;
    talking(&floor, &mut ann, "c1").await;
    let form = format!(
        "<command xmlns='http://jabber.org/protocol/commands' node='{NS}#identify' action='execute'/>"
    );
    let form = ask(&mut ann, "set", &form).await;
    for label in ["Eve", "Adam"] {
        assert!(form.contains(&format!("label='{label}'")), "{form}");
    }
    let answer = want(&mut ann, "c1", "identify customer='nobody'").await;
    assert_eq!(code(&answer), "customer-unknown");
    let fields = [("interaction", "c1"), ("customer", "k2")];
    let answer = command(&mut ann, &format!("{NS}#identify"), &fields).await;
    assert!(
        answer.contains("The interaction is with this customer now."),
        "{answer}"
    );
    bob.received();
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    assert_eq!(popped(&mut bob), ("single".to_owned(), 1));
    done(&floor, &mut ann, "c1", "retrieve").await;
    bob.received();
    done(&floor, &mut ann, "c1", "transfer colleague='bob'").await;
    assert_eq!(popped(&mut bob), ("single".to_owned(), 1));
    let answer = want(&mut bob, "c1", "interaction").await;
    assert_eq!(attribute(&answer, "interaction", "customer").unwrap(), "k2");
}

/// S1-33, S2-10: a plain client reads who calls in the words of the offer, and the rest in the command's answer.
#[tokio::test]
async fn a_plain_client_reads_who_calls_and_what_is_attached() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    floor.customer("k1", "Eve", NUMBER).await;
    let offer = format!(
        "<offer interaction='c1' medium='voice' direction='inbound' address='{NUMBER}' agent='ann@localhost'>\
         <data name='order'>4711</data></offer>"
    );
    says(&floor, PBX, "set", &offer).await;
    let told = ann.received_xml().concat();
    assert!(
        told.contains("seconds. The customer is Eve.</body>"),
        "{told}"
    );
    let fields = [("interaction", "c1")];
    let answer = command(&mut ann, "urn:parlour:interaction:0#interaction", &fields).await;
    for (name, value) in [
        ("Customer", "Eve"),
        ("Telephone", NUMBER),
        ("order", "4711"),
    ] {
        let cells = format!(
            "<field var='name'><value>{name}</value></field>\
             <field var='value'><value>{value}</value></field>"
        );
        assert!(answer.contains(&cells), "{name}: {answer}");
    }
}
