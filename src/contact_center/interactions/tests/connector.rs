//! What connectors say.

use super::*;

/// An offer once more is the same offer: nothing is told twice.
#[tokio::test]
async fn an_offer_is_repeated_without_harm() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let _bob = agent(&floor, "bob/desk").await;
    let first = offer(&floor, "c1", "ann").await;
    assert_eq!(attribute(&first, "interaction", "id").unwrap(), "c1");
    let version = attribute(&first, "interaction", "version").unwrap();
    ann.received();
    let again = offer(&floor, "c1", "ann").await;
    assert_eq!(
        attribute(&again, "interaction", "version").unwrap(),
        version
    );
    assert_eq!(heard(&mut ann), Vec::<String>::new());
    assert_eq!(
        code(&offer(&floor, "c1", "bob").await),
        "takes-part-already"
    );
    report(&floor, "c1", "connected ann").await;
    let late = offer(&floor, "c1", "ann").await;
    assert!(late.contains("leg='connected'"), "{late}");
    report(&floor, "c1", "ended").await;
    assert_eq!(code(&offer(&floor, "c1", "ann").await), "interaction-over");
}

/// What is so of the medium is taken: answered at the telephone, held, off hold, put down.
#[tokio::test]
async fn what_a_connector_reports_is_so() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    offer(&floor, "c1", "ann").await;
    for (fact, expected) in [
        ("connected ann", "primary connected connected"),
        ("connected ann", "primary connected connected"),
        ("held", "primary connected held"),
        ("talking", "primary connected connected"),
        ("left ann", "primary wrap-up offered"),
        ("ended", "primary wrap-up over"),
        ("held", "primary wrap-up over"),
    ] {
        let answer = report(&floor, "c1", fact).await;
        assert!(answer.contains("type='result'"), "{fact}: {answer}");
        assert_eq!(seen(&mut ann, "c1").await, expected, "{fact}");
    }
    assert_eq!(state(&mut ann).await, "wrap-up");
}

/// Case data of the connector, and what the server believes, page by page.
#[tokio::test]
async fn data_is_attached_and_what_is_believed_is_listed() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let with_data = format!(
        "<offer interaction='c1' medium='voice' direction='inbound' address='{NUMBER}' \
         agent='ann@localhost' queue='sales'><data name='order'>4711</data></offer>"
    );
    says(&floor, PBX, "set", &with_data).await;
    let told = ann.received_xml().concat();
    assert!(
        told.contains("<data name='order'>4711</data>") && told.contains("queue='sales'"),
        "{told}"
    );
    assert!(
        told.contains("New call from +493012345678 (sales)."),
        "{told}"
    );
    let more =
        "<attach interaction='c1'><data name='order'/><data name='tone'>angry</data></attach>";
    says(&floor, PBX, "set", more).await;
    let told = ann.received_xml().concat();
    assert!(
        told.contains("<data name='tone'>angry</data>") && !told.contains("order"),
        "{told}"
    );
    report(&floor, "c1", "connected ann").await;
    want(&mut ann, "c1", "hold").await;
    let asked = request(&floor, PBX);
    let request = attribute(&asked, "request", "id").unwrap();
    offer(&floor, "c2", "ann").await;
    let list = says(&floor, PBX, "get", "<interactions/>").await;
    // One call at a time is what the usual profile allows.
    let expected = format!(
        "<agent jid='ann@localhost' role='primary' leg='connected'/>\
         <request id='{request}' verb='hold' agent='ann@localhost' until='2026-09-21T14:13:30Z'/></interaction>"
    );
    assert!(
        list.contains(&expected) && list.contains("<count>1</count>"),
        "{list}"
    );
    let other = says(&floor, "chat.example", "get", "<interactions/>").await;
    assert!(other.contains("<count>0</count>"), "{other}");
}

/// Two connectors may call what they carry by the same word: each sees its own, and agents tell both apart.
#[tokio::test]
async fn each_connector_has_its_own_words() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    let chat = "<offer interaction='c1' medium='chat' direction='inbound' address='e@m.example' agent='bob@localhost'/>";
    for _ in 0..2 {
        let answer = says(&floor, "chat.example", "set", chat).await;
        assert!(
            answer.contains("id='c1' version='2' line='offered'>"),
            "{answer}"
        );
    }
    let told = bob.received_xml().concat();
    let id = attribute(&told, "interaction", "id").unwrap();
    assert_ne!(id, "c1");
    assert_eq!(seen(&mut bob, "c1").await, "interaction-unknown");
    assert_eq!(seen(&mut bob, &id).await, "primary offered offered");
    // What is asked and reported is about the connector's own.
    want(&mut bob, &id, "accept").await;
    let asked = request(&floor, "chat.example");
    assert!(asked.contains(" interaction='c1' verb='accept'"), "{asked}");
    let iq = attribute(&asked, "iq", "id").unwrap();
    let result = format!("<iq type='result' id='{iq}' from='chat.example' to='{CENTER}'/>");
    sends(&floor, &result).await;
    assert_eq!(seen(&mut bob, &id).await, "primary connected connected");
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    for domain in [PBX, "chat.example"] {
        let list = says(&floor, domain, "get", "<interactions/>").await;
        assert!(list.contains("<interaction id='c1' "), "{list}");
    }
    // Back after a break it is asked for, and tells, in its own words.
    floor.house.component_goes("chat.example").await;
    floor.house.component_comes("chat.example").await;
    let asked = floor.house.component_receives("chat.example").concat();
    assert!(asked.contains("<interaction id='c1'/>"), "{asked}");
    let iq = attribute(&asked, "iq", "id").unwrap();
    let told = "<interaction id='c1' line='held'><agent jid='bob@localhost'/></interaction>";
    let answer = format!(
        "<iq type='result' id='{iq}' from='chat.example' to='{CENTER}'>\
         <interactions xmlns='urn:parlour:connector:0'>{told}</interactions></iq>"
    );
    sends(&floor, &answer).await;
    assert_eq!(seen(&mut bob, &id).await, "primary connected held");
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    says(
        &floor,
        "chat.example",
        "set",
        "<report interaction='c1' fact='ended'/>",
    )
    .await;
    assert_eq!(seen(&mut bob, &id).await, "primary wrap-up over");
}

/// Two that begin to use the same word at the same moment get one each.
#[tokio::test]
async fn a_word_that_two_take_at_once_is_kept_apart() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let offer = |domain: &str, agent: &str| {
        format!(
            "<iq type='set' id='said' from='{domain}' to='{CENTER}'>\
             <offer xmlns='urn:parlour:connector:0' interaction='c1' medium='chat' direction='inbound' \
             address='e@m.example' agent='{agent}@localhost'/></iq>"
        )
    };
    let (one, other) = (offer(PBX, "ann"), offer("chat.example", "bob"));
    futures_util::future::join(sends(&floor, &one), sends(&floor, &other)).await;
    let mut ids = Vec::new();
    for (client, domain) in [(&mut ann, PBX), (&mut bob, "chat.example")] {
        let answer = floor.house.component_receives(domain).concat();
        assert!(answer.contains("type='result'"), "{answer}");
        let told = client.received_xml().concat();
        let id = attribute(&told, "interaction", "id").unwrap();
        assert_eq!(seen(client, &id).await, "primary offered offered");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    assert!(ids.contains(&"c1".to_owned()), "{ids:?}");
}
