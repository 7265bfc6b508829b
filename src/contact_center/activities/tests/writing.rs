//! Notes and wrap-ups, through both doors.

use super::*;
use crate::domain::activity::{NOTE_BYTES_MAX, NOTES_MAX};

const SOLD: [(&str, &str); 3] = [("kind", "wrap-up"), ("code", "sold"), ("label", "en: Sold")];

/// S2-26, S2-41: notes are kept with time and language, during the interaction and after it.
#[tokio::test]
async fn notes_are_kept_with_their_language() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let which = call.activity(&floor, 0).await.id;
    // Of the only one that is open, nothing has to be said.
    let german = "<text xml:lang='de'>Will zwei.</text>";
    let answer = request(&mut ann, "set", "note", german).await;
    assert!(
        answer.contains("<note n='1' at='2026-09-21T14:13:20Z' xml:lang='de'>Will zwei.</note>"),
        "{answer}"
    );
    call.report(&floor, Fact::Ended).await;
    let fields = [
        ("id", which.as_str()),
        ("text", "Wants two.\nOr three."),
        ("language", "en-GB"),
    ];
    let answer = command(&mut ann, "urn:parlour:activity:0#note", &fields).await;
    assert!(answer.contains("Your note is kept, 2 in all."), "{answer}");
    call.take(&floor, Command::FinishWrapUp { by: id("ann") })
        .await;
    let tag = format!("note id='{which}'");
    let answer = request(&mut ann, "set", &tag, "<text>Later.</text>").await;
    assert!(answer.contains("notes='3'"), "{answer}");
    let kept = call.activity(&floor, 0).await.notes;
    let kept: Vec<_> = kept
        .iter()
        .map(|it| (it.language.as_deref(), it.text.as_str()))
        .collect();
    assert_eq!(
        kept,
        [
            (Some("de"), "Will zwei."),
            (Some("en-GB"), "Wants two.\nOr three."),
            (None, "Later.")
        ]
    );
}

/// RFC 6120 §8.1.5: what says nothing of its language is in that of the request.
#[tokio::test]
async fn a_note_is_in_the_language_of_its_request() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    ann.send(&format!(
        "<iq type='set' id='n' to='center.localhost' xml:lang='it'>\
         <note xmlns='{NS}'><text>Ne vuole due.</text></note></iq>"
    ))
    .await;
    let answer = ann.received_xml().concat();
    assert!(answer.contains("xml:lang='it'>Ne vuole due."), "{answer}");
    let kept = call.activity(&floor, 0).await.notes;
    assert_eq!(kept[0].language.as_deref(), Some("it"));
}

/// S2-27, S2-42: better than the seed, what came of it is kept; S2-7: without reasons it says so.
#[tokio::test]
async fn what_came_of_it_is_chosen_from_the_administrators_list() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let answer = request(&mut ann, "set", "wrap-up code='sold'", "").await;
    assert_eq!(code(&answer), "reason-codes-not-configured");
    let fields = [("code", "sold")];
    let node = "urn:parlour:activity:0#wrap-up";
    let answer = command(&mut ann, node, &fields).await;
    assert!(answer.contains("No wrap-up reason codes"), "{answer}");
    floor.operate("reason put", &SOLD).await;
    for (tag, expected) in [
        ("wrap-up code='lunch'", "reason-code-unknown"),
        ("wrap-up code='unsold'", "reason-code-unknown"),
        ("wrap-up", "field-missing"),
        ("wrap-up code=''", "field-malformed"),
    ] {
        let answer = request(&mut ann, "set", tag, "").await;
        assert_eq!(code(&answer), expected, "{tag}");
    }
    // From two devices at once, and once more.
    let mut phone = floor.online("ann/phone").await;
    for device in [&mut ann, &mut phone] {
        let answer = request(device, "set", "wrap-up code='sold'", "").await;
        assert!(answer.contains("wrap-up='sold'"), "{answer}");
    }
    assert_eq!(call.activity(&floor, 0).await.version, 3);
    let answer = command(&mut ann, node, &fields).await;
    assert!(answer.contains("Sold."), "{answer}");
    let retired = [("kind", "wrap-up"), ("code", "sold")];
    floor.operate("reason retire", &retired).await;
    let answer = request(&mut ann, "set", "wrap-up code='sold'", "").await;
    assert_eq!(code(&answer), "reason-codes-not-configured");
}

/// The form offers what the agent has in hand, and has chosen the only one already.
#[tokio::test]
async fn a_form_offers_what_the_agent_has_in_hand() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    floor.operate("reason put", &SOLD).await;
    let form = "<command xmlns='http://jabber.org/protocol/commands' \
                node='urn:parlour:activity:0#wrap-up'/>";
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let _others = Dealing::talking(&floor, "call-2", Medium::Voice, "bob").await;
    let first = call.activity(&floor, 0).await.id.to_string();
    call.report(&floor, Fact::Ended).await;
    let answer = ask(&mut ann, "set", form).await;
    let chosen = format!("<value>{first}</value>");
    // Once as an option, once as what is chosen.
    assert_eq!(answer.matches(&chosen).count(), 2, "{answer}");
    assert!(
        answer.contains("<option label='Sold'><value>sold</value></option>"),
        "{answer}"
    );
    let chat = Dealing::talking(&floor, "chat-1", Medium::Chat, "ann").await;
    let second = chat.activity(&floor, 0).await.id.to_string();
    let answer = ask(&mut ann, "set", form).await;
    assert_eq!(answer.matches(&chosen).count(), 1, "{answer}");
    assert!(answer.contains(&second), "{answer}");
    call.take(&floor, Command::FinishWrapUp { by: id("ann") })
        .await;
    // What is written up can still be chosen, behind what is in hand, and not by itself.
    let answer = ask(&mut ann, "set", form).await;
    let places = [&second, &first].map(|it| answer.find(&format!("<value>{it}</value></option>")));
    assert!(places[0].is_some() && places[0] < places[1], "{answer}");
    let node = "urn:parlour:activity:0#activity";
    let looked = command(&mut ann, node, &[("id", first.as_str())]).await;
    assert!(looked.contains("status='completed'"), "{looked}");
}

/// Every refusal, through both doors; nothing has changed then.
#[tokio::test]
async fn what_is_not_written_is_refused_with_its_reason() {
    let floor = Floor::new(&["ann", "bob", "carl", "peter:member"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let bob = agent(&floor, "bob/desk").await;
    let carl = agent(&floor, "carl/desk").await;
    let peter = floor.online("peter/home").await;
    let answer = request(&mut ann, "set", "note", "<text>so</text>").await;
    assert_eq!(code(&answer), "no-open-activity");
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let with = id("bob");
    call.done(&floor, "ann", Verb::Consult { with }).await;
    call.done(&floor, "bob", Verb::Accept).await;
    let own = call.activity(&floor, 0).await.id.to_string();
    let long = "x".repeat(NOTE_BYTES_MAX + 1);
    let text = |text: &str| format!("<text>{text}</text>");
    let mut clients = [ann, bob, carl, peter];
    for (client, id, children, expected) in [
        // By their places: ann, bob, carl, peter.
        (0, own.as_str(), text(" "), "note-empty"),
        (0, &own, text(&long), "field-malformed"),
        (0, &own, String::new(), "field-missing"),
        (0, &own, text("a") + &text("b"), "field-repeated"),
        (0, &own, "<words/>".to_owned(), "field-unknown"),
        (
            0,
            &own,
            "<text xml:lang='not a tag'>so</text>".to_owned(),
            "field-malformed",
        ),
        (0, "unknown", text("so"), "activity-unknown"),
        (0, "", text("so"), "field-malformed"),
        (0, "a b", text("so"), "field-malformed"),
        // Who is asked may read it, and not write; of who is not asked it is not there.
        (1, &own, text("so"), "not-your-activity"),
        (2, &own, text("so"), "activity-unknown"),
        (3, &own, text("so"), "right-missing"),
    ] {
        let tag = format!("note id='{id}'");
        let answer = request(&mut clients[client], "set", &tag, &children).await;
        assert_eq!(code(&answer), expected, "{answer}");
    }
    for (client, id, words, expected) in [
        (0, own.as_str(), "so", "language"),
        (1, &own, "so", "one of its options"),
        (2, &own, "so", "no such activity"),
    ] {
        let language = if expected == "language" {
            "not a tag"
        } else {
            "en"
        };
        let fields = [("id", id), ("text", words), ("language", language)];
        let answer = command(&mut clients[client], "urn:parlour:activity:0#note", &fields).await;
        assert!(answer.contains(expected), "{answer}");
    }
    let [mut ann, ..] = clients;
    let _chat = Dealing::talking(&floor, "chat-1", Medium::Chat, "ann").await;
    let answer = request(&mut ann, "set", "note", &text("so")).await;
    assert_eq!(code(&answer), "activity-unclear");
    let answer = request(&mut ann, "get", "note", &text("so")).await;
    assert_eq!(code(&answer), "operation-type");
    assert_eq!(call.activity(&floor, 0).await.notes, []);
}

/// A list of notes has an end, and says so.
#[tokio::test]
async fn an_activity_has_so_many_notes_at_most() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let _call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    for _ in 0..NOTES_MAX {
        let answer = request(&mut ann, "set", "note", "<text>so</text>").await;
        assert!(answer.contains("type='result'"), "{answer}");
    }
    let answer = request(&mut ann, "set", "note", "<text>so</text>").await;
    assert_eq!(code(&answer), "notes-full");
}
