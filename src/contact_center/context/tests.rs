//! Business context through both doors.

mod lists;
mod together;

use crate::contact_center::testing::{CENTER, Floor, ask, command};
use crate::extensions::testing::Client;

const NS: &str = "urn:parlour:context:0";

const CASE: &str = "<object type='case' id='4711'><title>Printer is on fire</title>\
    <url>https://crm.example/4711</url><status>open</status><field name='Site'>Verona</field></object>";

/// A request with that in it.
async fn of(client: &mut Client, kind: &str, name: &str, inner: &str) -> String {
    let (name, attributes) = name.split_once(' ').unwrap_or((name, ""));
    let request = format!("<{name} xmlns='{NS}' {attributes}>{inner}</{name}>");
    ask(client, kind, &request).await
}

async fn send(client: &mut Client, to: &str, inner: &str) -> String {
    let to = to.split(' ').map(|jid| format!("<to>{jid}</to>"));
    let to: String = to.collect();
    of(client, "set", "send", &format!("{to}{inner}")).await
}

/// The value of an attribute of the first element of that name.
fn attribute(xml: &str, element: &str, name: &str) -> String {
    let (_, tag) = xml.split_once(&format!("<{element} ")).unwrap();
    let (_, value) = tag.split_once(&format!("{name}='")).unwrap();
    value.split('\'').next().unwrap().to_owned()
}

/// What else than answers a client has been sent.
fn messages(client: &mut Client) -> Vec<String> {
    let received = client.received_xml().into_iter();
    received.filter(|it| it.starts_with("<message")).collect()
}

/// S0-5, S0-27, S0-30: what is sent can be read by every client and by programs, and the sender sees sent,
/// delivered and opened.
#[tokio::test]
async fn objects_are_sent_delivered_and_opened() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/a").await,
    );
    let note = format!("{CASE}<note>Can you look?</note>");
    let sent = send(&mut romeo, "juliet@localhost", &note).await;
    assert!(
        sent.contains("<recipient jid='juliet@localhost' progress='sent'/>"),
        "{sent}"
    );
    let id = attribute(&sent, "context", "id");
    let got = messages(&mut juliet);
    assert_eq!(got.len(), 1, "{got:?}");
    for part in [
        "from='romeo@localhost' to='juliet@localhost'",
        &format!("id='context-{id}'"),
        "<body>Can you look?\n\nCase: Printer is on fire (open)\nhttps://crm.example/4711</body>",
        &format!("<context xmlns='{NS}' id='{id}' sender='romeo@localhost'"),
        "<field name='Site'>Verona</field></object><note>Can you look?</note></context>",
        "<request xmlns='urn:xmpp:receipts'/>",
        "<markable xmlns='urn:xmpp:chat-markers:0'/>",
        "<store xmlns='urn:xmpp:hints'/>",
    ] {
        assert!(got[0].contains(part), "{part}: {}", got[0]);
    }
    let receipt = format!(
        "<message to='romeo@localhost' id='x'><received xmlns='urn:xmpp:receipts' id='context-{id}'/></message>"
    );
    for _ in 0..2 {
        juliet.send(&receipt).await;
    }
    let told = messages(&mut romeo);
    let told: Vec<_> = told.iter().filter(|it| it.contains("<progress")).collect();
    assert_eq!(told.len(), 1, "a repeat tells nothing: {told:?}");
    assert!(told[0].contains(&format!("from='{CENTER}'")), "{told:?}");
    assert!(
        told[0].contains("jid='juliet@localhost' progress='delivered'"),
        "{told:?}"
    );
    assert!(!told[0].contains("<body>"), "{told:?}");
    let open = of(&mut juliet, "set", &format!("open id='{id}'"), "").await;
    assert!(
        open.contains("<recipient jid='juliet@localhost' progress='opened'"),
        "{open}"
    );
    of(&mut juliet, "set", &format!("open id='{id}'"), "").await;
    let told = messages(&mut romeo);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("<body>juliet has opened Printer is on fire.</body>"),
        "{told:?}"
    );
    let seen = of(&mut romeo, "get", &format!("context id='{id}'"), "").await;
    assert!(seen.contains("progress='opened'"), "{seen}");
}

/// S0-30: a client that knows nothing of this says that it has displayed the message; one that says nothing
/// of what arrives has what it fetches.
#[tokio::test]
async fn markers_and_fetching_tell_how_far_it_is() {
    let floor = Floor::new(&["romeo", "juliet", "paris"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let sent = send(&mut romeo, "juliet@localhost paris", CASE).await;
    let id = attribute(&sent, "context", "id");
    let mut juliet = floor.online("juliet/a").await;
    let fetched = of(&mut juliet, "get", &format!("context id='{id}'"), "").await;
    assert!(fetched.contains("progress='delivered'"), "{fetched}");
    assert!(
        !fetched.contains("paris"),
        "of the others a recipient sees nothing: {fetched}"
    );
    let mut paris = floor.online("paris/a").await;
    let marker = |id: &str| {
        format!(
            "<message to='romeo@localhost' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/></message>"
        )
    };
    paris.send(&marker("context-unknown")).await;
    paris.send(&marker(&format!("context-{id}"))).await;
    let seen = of(&mut romeo, "get", &format!("context id='{id}'"), "").await;
    assert!(
        seen.contains("<recipient jid='juliet@localhost' progress='delivered'"),
        "{seen}"
    );
    assert!(
        seen.contains("<recipient jid='paris@localhost' progress='opened'"),
        "{seen}"
    );
}

/// One bad recipient or object and nothing is sent; each refusal says which it is.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_cannot_be_sent_is_refused_and_nothing_goes_out() {
    let floor = Floor::new(&["romeo", "juliet", "peter:member"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/a").await,
    );
    let long = "x".repeat(4_097);
    let note = format!("{CASE}<note>{long}</note>");
    let object = |inner: &str| format!("<object type='case' id='1'>{inner}</object>");
    let titled = |inner: &str| object(&format!("<title>T</title>{inner}"));
    let big = format!("<field name='a'>{}</field>", "\u{1f4a9}".repeat(1_024)).repeat(20);
    let many: String = (0..2)
        .map(|n| {
            CASE.replace("4711", &n.to_string())
                .replace("<field name='Site'>Verona</field>", &big)
        })
        .collect();
    let both = "juliet@localhost peter@localhost";
    let nobody = "juliet@localhost nobody@localhost";
    for (to, inner, code) in [
        ("juliet@localhost", "", "context-objects"),
        ("juliet@localhost", &CASE.repeat(2), "context-objects"),
        ("juliet@localhost juliet", CASE, "context-recipients"),
        ("romeo@localhost", CASE, "oneself"),
        ("juliet@elsewhere.example", CASE, "other-host"),
        (both, CASE, "no-agent"),
        (nobody, CASE, "no-account"),
        ("juliet@localhost", &note, "field-malformed"),
        ("juliet@localhost", &object(""), "object-not-recent"),
        (
            "juliet@localhost",
            &object("<title/>"),
            "object-title-malformed",
        ),
        (
            "juliet@localhost",
            &titled("<url>javascript:x</url>"),
            "object-url-malformed",
        ),
        (
            "juliet@localhost",
            &titled("<field>x</field>"),
            "object-fields-malformed",
        ),
        (
            "juliet@localhost",
            &titled("<title>U</title>"),
            "field-repeated",
        ),
        (
            "juliet@localhost",
            &titled("<body>U</body>"),
            "field-unknown",
        ),
        ("juliet@localhost", &titled("words"), "text-unexpected"),
        (
            "juliet@localhost",
            &titled("<url colour='red'>https://crm.example</url>"),
            "field-unknown",
        ),
        (
            "juliet@localhost",
            &titled("<status><b/>open</status>"),
            "field-unknown",
        ),
        (
            "juliet@localhost",
            &titled("<field name='x' colour='red'>y</field>"),
            "field-unknown",
        ),
        (
            "juliet@localhost",
            "<object type='Case' id='1'><title>T</title></object>",
            "object-type-malformed",
        ),
        (
            "juliet@localhost",
            "<object type='case'><title>T</title></object>",
            "object-id-malformed",
        ),
        ("juliet@localhost", "<object name='x'/>", "field-unknown"),
        (
            "juliet@localhost",
            "<new-type>case</new-type>",
            "field-unknown",
        ),
        ("juliet@localhost", &many, "context-too-large"),
        ("", CASE, "field-malformed"),
    ] {
        let answer = send(&mut romeo, to, inner).await;
        let condition = format!("<{code} xmlns='urn:parlour:errors:0'/>");
        assert!(answer.contains(&condition), "{to} {inner}: {answer}");
    }
    let none = of(&mut romeo, "set", "send", CASE).await;
    assert!(none.contains("<context-recipients"), "{none}");
    let session = of(
        &mut romeo,
        "set",
        "send session='s'",
        &format!("<to>juliet</to>{CASE}"),
    )
    .await;
    assert!(session.contains("<im-session-unknown"), "{session}");
    // S0-10: who may not send may not be sent anything either.
    let taken = [("jid", "juliet@localhost"), ("right", "context")];
    floor.operate("right take", &taken).await;
    let answer = send(&mut romeo, "juliet@localhost", CASE).await;
    assert!(answer.contains("<context-not-theirs"), "{answer}");
    assert!(messages(&mut juliet).is_empty());
    let sent = of(&mut romeo, "get", "contexts list='sent'", "").await;
    assert!(sent.contains("<count>0</count>"), "{sent}");
    let recent = of(&mut romeo, "get", "recent", "").await;
    assert!(!recent.contains("<entry"), "{recent}");
}

/// XEP-0191 §8: who has blocked the sender is sent nothing, and the sender does not learn why; whom the sender has blocked
/// it is told of.
#[tokio::test]
async fn business_objects_do_not_pass_a_block() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let ticket = CASE;
    let block = "<block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block>";
    juliet
        .send(&format!("<iq type='set' id='b'>{block}</iq>"))
        .await;
    juliet.received();
    let answer = send(&mut romeo, "juliet@localhost", ticket).await;
    assert!(answer.contains("<context-not-theirs"), "{answer}");
    assert_eq!(messages(&mut juliet), [""; 0]);
    let answer = send(&mut juliet, "romeo@localhost", ticket).await;
    assert!(answer.contains("<blocked-by-you"), "{answer}");
    assert_eq!(messages(&mut romeo), [""; 0]);
}

/// To others than sender and recipients there is no such context, and nobody makes one up.
#[tokio::test]
async fn who_was_sent_nothing_acknowledges_and_sees_nothing() {
    let floor = Floor::new(&["romeo", "juliet", "paris", "peter:member"]).await;
    let (mut romeo, mut paris) = (
        floor.online("romeo/desk").await,
        floor.online("paris/a").await,
    );
    let sent = send(&mut romeo, "juliet@localhost", CASE).await;
    let id = attribute(&sent, "context", "id");
    for (kind, name) in [("get", "context"), ("set", "open")] {
        for id in [id.as_str(), "nothing"] {
            let answer = of(&mut paris, kind, &format!("{name} id='{id}'"), "").await;
            assert!(
                answer.contains("<item-not-found") && answer.contains("<context-unknown"),
                "{answer}"
            );
        }
    }
    // The sender has sent it, and opens nothing.
    let answer = of(&mut romeo, "set", &format!("open id='{id}'"), "").await;
    assert!(answer.contains("<context-unknown"), "{answer}");
    let forged = format!(
        "<message to='romeo@localhost'><received xmlns='urn:xmpp:receipts' id='context-{id}'/></message>"
    );
    paris.send(&forged).await;
    let seen = of(&mut romeo, "get", &format!("context id='{id}'"), "").await;
    assert!(
        seen.contains("<recipient jid='juliet@localhost' progress='sent'/>"),
        "{seen}"
    );
    // Members take no part.
    let mut peter = floor.online("peter/a").await;
    let answer = send(&mut peter, "juliet@localhost", CASE).await;
    assert!(answer.contains("<right-missing"), "{answer}");
    // Nobody else than the server brings a context.
    let faked = format!(
        "<message to='juliet@localhost' type='chat'><body>x</body><context xmlns='{NS}' id='1' sender='a@b'/></message>"
    );
    let mut juliet = floor.online("juliet/a").await;
    juliet.received();
    paris.send(&faked).await;
    let got = messages(&mut juliet);
    assert!(
        got[0].contains("<body>x</body>") && !got[0].contains("<context"),
        "{got:?}"
    );
}

/// S0-28, S0-29: the list is filled by opening, sending, receiving; objects are sent from it by their names and in
/// a form, beside one that is typed.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story")]
async fn recent_objects_are_listed_chosen_and_forgotten() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/a").await,
    );
    let order = "<object type='sales-order' id='7/8'><title>Seven</title></object>";
    for object in [CASE, order] {
        let answer = of(&mut romeo, "set", "opened", object).await;
        assert!(answer.contains("type='result'"), "{answer}");
    }
    let recent = of(&mut romeo, "get", "recent", "").await;
    let (first, second) = (
        recent.find("id='7/8'").unwrap(),
        recent.find("id='4711'").unwrap(),
    );
    assert!(
        first < second && recent.contains("touch='opened'"),
        "{recent}"
    );
    let node = format!("{NS}#send");
    let begun = format!("<command xmlns='http://jabber.org/protocol/commands' node='{node}'/>");
    let form = ask(&mut romeo, "set", &begun).await;
    let option =
        "<option label='Case: Printer is on fire (open)'><value>case/4711</value></option>";
    assert!(
        form.contains(option) && form.contains("type='list-multi'"),
        "{form}"
    );
    let fields = [
        ("to", "juliet@localhost"),
        ("object", "sales-order/7/8\ncase/4711"),
        ("new-type", "lead"),
        ("new-id", "9"),
        ("new-title", "Nine"),
        ("note", "Three\nthings"),
    ];
    let done = command(&mut romeo, &node, &fields).await;
    assert!(
        done.contains("Seven, Printer is on fire, Nine is sent to juliet."),
        "{done}"
    );
    let got = messages(&mut juliet);
    assert!(
        got[0].contains("<field name='Site'>Verona</field>"),
        "whole, from the list: {got:?}"
    );
    assert!(got[0].contains("<note>Three\nthings</note>"), "{got:?}");
    let id = attribute(&got[0], "context", "id");
    of(&mut juliet, "set", &format!("open id='{id}'"), "").await;
    let named = "<object type='lead' id='9'/>";
    let sent = send(&mut juliet, "romeo", named).await;
    assert!(sent.contains("<title>Nine</title>"), "{sent}");
    let gone = of(&mut juliet, "set", "forget", named).await;
    assert!(gone.contains("type='result'"), "{gone}");
    let again = of(&mut juliet, "set", "forget", named).await;
    assert!(again.contains("<object-not-recent"), "{again}");
    let done = command(
        &mut juliet,
        &format!("{NS}#forget"),
        &[("object", "case/4711")],
    )
    .await;
    assert!(done.contains("status='completed'"), "{done}");
    let recent = of(&mut juliet, "get", "recent", "").await;
    assert!(
        recent.contains("id='7/8'") && !recent.contains("'4711'"),
        "{recent}"
    );
    let fields = [("new-type", "case"), ("new-id", "1")];
    let refused = command(&mut romeo, &format!("{NS}#opened"), &fields).await;
    assert!(
        refused.contains("object-title-malformed") || refused.contains("title"),
        "{refused}"
    );
    let listed = command(&mut romeo, &format!("{NS}#recent"), &[]).await;
    assert!(listed.contains("<value>Lead: Nine</value>"), "{listed}");
}

/// Who may send business objects, and so is sent some, deals with them without the right to an agent's state, too; a right of its own
/// it needs nevertheless.
#[tokio::test]
async fn who_may_be_sent_objects_opens_them() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/a").await,
    );
    let right = |name| [("jid", "juliet@localhost"), ("right", name)];
    floor.operate("right take", &right("agent-state")).await;
    let sent = send(&mut romeo, "juliet@localhost", CASE).await;
    let id = attribute(&sent, "context", "id");
    let named = [("id", id.as_str())];
    let asked = [
        ("get", "contexts list='received'", &[("list", "received")]),
        ("get", &format!("context id='{id}'"), &named),
        ("set", &format!("open id='{id}'"), &named),
    ];
    for (kind, request, fields) in asked {
        let answer = of(&mut juliet, kind, request, "").await;
        assert!(answer.contains("type='result'"), "{request}: {answer}");
        let node = format!("{NS}#{}", request.split(' ').next().unwrap());
        let answer = command(&mut juliet, &node, fields).await;
        assert!(answer.contains("status='completed'"), "{node}: {answer}");
    }
    for (kind, name, inner) in [
        ("get", "recent", ""),
        ("set", "opened", CASE),
        ("set", "forget", CASE),
    ] {
        let answer = of(&mut juliet, kind, name, inner).await;
        assert!(answer.contains("type='result'"), "{name}: {answer}");
    }
    floor.operate("right take", &right("context")).await;
    for (kind, request, fields) in asked {
        let answer = of(&mut juliet, kind, request, "").await;
        assert!(answer.contains("<right-missing"), "{request}: {answer}");
        let node = format!("{NS}#{}", request.split(' ').next().unwrap());
        let answer = command(&mut juliet, &node, fields).await;
        assert!(answer.contains("<right-missing"), "{node}: {answer}");
    }
}
