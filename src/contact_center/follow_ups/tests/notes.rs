//! Notes, the scratch pad, and what notes said before.

use super::*;
use crate::contact_center::testing::begun;
use crate::domain::follow_up::{NOTE_BYTES_MAX, NOTES_BYTES_MAX};

const TYPES: [&str; 6] = [
    "note",
    "report",
    "preparation",
    "business-partner",
    "correspondence",
    "internal",
];

async fn writes(client: &mut Client, id: &str, kind: &str, text: &str) -> String {
    let tag = format!("note id='{id}' note-type='{kind}'");
    request(client, "set", &tag, text).await
}

fn texts(answer: &str, name: &str) -> Vec<String> {
    let open = format!("<{name} ");
    let texts = answer.split(&open).skip(1);
    let text = |it: &str| {
        it.split('>')
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap()
            .to_owned()
    };
    texts.map(text).collect()
}

/// S3-15, S3-16: six types, each in several languages, through both doors.
#[tokio::test]
async fn notes_are_of_six_types_in_several_languages() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let tag = "plan source='case' source-id='1' type='task' note-type='preparation'";
    let children = "<title>So</title><note xml:lang='it'>Primo</note>";
    let id = ids(&request(&mut ann, "set", tag, children).await).remove(0);
    for kind in TYPES {
        for (language, text) in [("en", "So"), ("de", "Also")] {
            let text = format!("<text xml:lang='{language}'>{text}</text>");
            let answer = writes(&mut ann, &id, kind, &text).await;
            assert!(answer.contains("type='result'"), "{answer}");
        }
    }
    let fields = [
        ("id", id.as_str()),
        ("note-type", "report"),
        ("text", "Donc"),
        ("language", "fr"),
    ];
    let answer = command(&mut ann, &node("note"), &fields).await;
    assert!(answer.contains("The note is kept."), "{answer}");
    let answer = request(&mut ann, "get", &format!("follow-up id='{id}'"), "").await;
    assert_eq!(texts(&answer, "note").len(), 14, "{answer}");
    assert!(
        answer.contains(
            "<note n='1' note-type='preparation' versions='1' at='2026-09-21T14:13:20Z' \
             by='ann@localhost' xml:lang='it'>Primo</note>"
        ),
        "{answer}"
    );
    // Nothing is said of its language: that of the request, else English.
    let request = format!(
        "<iq type='set' id='n' to='center.localhost' xml:lang='pt'>\
         <note xmlns='{NS}' id='{id}'><text>Sim</text></note></iq>"
    );
    ann.send(&request).await;
    assert!(ann.received_xml().concat().contains("notes='15'"));
    let looked = command(&mut ann, &node("follow-up"), &[("id", &id)]).await;
    assert!(looked.contains("<value>Sim</value>"), "{looked}");
    assert!(
        looked.contains("<value>Report information</value>"),
        "{looked}"
    );
    // Labels in the language of the one who asks; a type of the administrator's own.
    let put = [("code", "legal"), ("label", "en: Legal\nde: Recht")];
    floor.operate("note-type put", &put).await;
    let first = begun(&mut ann, &node("note")).await;
    let session = first.split("sessionid='").nth(1).unwrap();
    let session = session.split('\'').next().unwrap();
    let named = format!(
        "<iq type='set' id='f' to='center.localhost' xml:lang='de'>\
         <command xmlns='http://jabber.org/protocol/commands' node='{}' sessionid='{session}'>\
         <x xmlns='jabber:x:data' type='submit'><field var='id'><value>{id}</value></field></x>\
         </command></iq>",
        node("note")
    );
    ann.send(&named).await;
    let form = ann.received_xml().concat();
    assert!(
        form.contains("<option label='Recht'><value>legal</value>"),
        "{form}"
    );
    floor
        .operate("note-type remove", &[("code", "report")])
        .await;
    let answer = writes(&mut ann, &id, "report", "<text xml:lang='en'>More</text>").await;
    assert!(answer.contains("type='result'"), "{answer}");
    let answer = writes(&mut ann, &id, "report", "<text xml:lang='ru'>More</text>").await;
    assert_eq!(code(&answer), "note-type-unknown");
}

/// S3-21: every version with its time and author, in pages.
#[tokio::test]
async fn the_notes_history_shows_earlier_versions() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let id = planned(&mut ann, "responsible='bob@localhost'").await;
    let history = format!("notes-history id='{id}' note-type='note'");
    let answer = request(&mut ann, "get", &history, "").await;
    assert_eq!(code(&answer), "follow-up-note-unknown");
    for (number, client) in [(1, &mut ann), (2, &mut bob)] {
        let text = format!("<text xml:lang='en'>Version {number}</text>");
        writes(client, &id, "note", &text).await;
        // What is so already is no version.
        writes(client, &id, "note", &text).await;
        floor.house.clock.advance_seconds(60);
    }
    let answer = request(&mut ann, "get", &history, "").await;
    let expected = "language='en'>\
        <version n='1' at='2026-09-21T14:13:20Z' by='ann@localhost'>Version 1</version>\
        <version n='2' at='2026-09-21T14:14:20Z' by='bob@localhost'>Version 2</version>";
    assert!(answer.contains(expected), "{answer}");
    let fields = [("id", id.as_str()), ("note-type", "note")];
    let answer = command(&mut ann, &node("notes-history"), &fields).await;
    assert!(answer.contains("2 versions."), "{answer}");
    for number in 3..=52 {
        let text = format!("<text xml:lang='en'>Version {number}</text>");
        writes(&mut ann, &id, "note", &text).await;
    }
    // The oldest two are gone; numbers stay.
    let page = "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max>";
    for (rest, expected) in [
        ("</set>", ["3", "4"]),
        ("<after>9</after></set>", ["10", "11"]),
        ("<before/></set>", ["51", "52"]),
    ] {
        let answer = request(&mut ann, "get", &history, &format!("{page}{rest}")).await;
        assert_eq!(all(&answer, "n"), expected, "{rest}");
        assert!(answer.contains("<count>50</count>"), "{answer}");
    }
    let gone = format!("{page}<after>2</after></set>");
    let answer = request(&mut ann, "get", &history, &gone).await;
    assert!(answer.contains("<item-not-found"), "{answer}");
    writes(&mut ann, &id, "note", "<text xml:lang='de'>So</text>").await;
    let answer = request(&mut ann, "get", &history, "").await;
    assert_eq!(code(&answer), "follow-up-note-unclear");
    let german = format!("{history} language='DE'");
    let answer = request(&mut ann, "get", &german, "").await;
    assert_eq!(texts(&answer, "version"), ["So"]);
    let russian = format!("{history} language='ru'");
    let answer = request(&mut ann, "get", &russian, "").await;
    assert_eq!(code(&answer), "follow-up-note-unknown");
}

/// S3-17: what is on the scratch pad is there on all devices, and is taken over into a note once.
#[tokio::test]
async fn a_note_is_taken_from_the_scratch_pad() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut desk = agent(&floor, "ann/desk").await;
    let mut phone = floor.online("ann/phone").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let answer = request(&mut desk, "get", "scratch-pad", "").await;
    assert!(answer.contains("<scratch-pad xmlns='urn:parlour:follow-up:0' version='0'/>"));
    let write = "<text>Wants two.\nIn red.</text>";
    let answer = request(&mut desk, "set", "scratch-pad", write).await;
    assert!(
        answer.contains("version='1' at='2026-09-21T14:13:20Z'>"),
        "{answer}"
    );
    let answer = request(&mut phone, "get", "scratch-pad", "").await;
    assert!(answer.contains(write), "{answer}");
    let answer = request(&mut bob, "get", "scratch-pad", "").await;
    assert!(!answer.contains("Wants"), "{answer}");
    // By form, with what is there to be changed.
    let fields = [("version", "1"), ("text", "Wants three.")];
    let answer = command(&mut phone, &node("write-scratch-pad"), &fields).await;
    assert!(answer.contains("It is on your scratch pad."), "{answer}");
    let stale = request(&mut desk, "set", "scratch-pad version='1'", write).await;
    assert!(
        stale.contains("<scratch-pad-changed xmlns='urn:parlour:errors:0'><scratch-pad "),
        "{stale}"
    );
    let id = planned(&mut desk, "").await;
    let tag = format!("note id='{id}' note-type='report' scratch-pad='true'");
    let both = request(&mut desk, "set", &tag, "<text>So</text>").await;
    assert_eq!(code(&both), "field-repeated");
    let answer = request(&mut desk, "set", &tag, "").await;
    assert!(answer.contains("notes='1'"), "{answer}");
    let answer = request(&mut desk, "get", &format!("follow-up id='{id}'"), "").await;
    assert_eq!(texts(&answer, "note"), ["Wants three."]);
    let answer = request(&mut phone, "set", &tag, "").await;
    assert_eq!(code(&answer), "scratch-pad-empty");
    let answer = command(&mut phone, &node("scratch-pad"), &[]).await;
    assert!(
        answer.contains("There is nothing on your scratch pad."),
        "{answer}"
    );
    // With the plan itself; what is refused leaves it as it was.
    request(&mut desk, "set", "scratch-pad", "<text>Last</text>").await;
    let plan =
        "plan source='case' source-id='1' type='task' scratch-pad='true' note-type='internal'";
    let refused = request(&mut desk, "set", plan, "<title> </title>").await;
    assert_eq!(code(&refused), "follow-up-title-malformed");
    let answer = request(&mut desk, "set", plan, "<title>So</title>").await;
    assert!(answer.contains("notes='1'"), "{answer}");
    let answer = request(&mut desk, "get", "scratch-pad", "").await;
    assert!(
        answer.contains("version='5'") && !answer.contains("<text>"),
        "{answer}"
    );
    let long = format!("<text>{}</text>", "x".repeat(NOTE_BYTES_MAX + 1));
    let answer = request(&mut desk, "set", "scratch-pad", &long).await;
    assert_eq!(code(&answer), "field-malformed");
}

/// A follow-up is read as one: its notes have a bound, and come in pages that fit into a stanza.
#[tokio::test]
async fn notes_are_bounded_and_come_in_pages() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let id = planned(&mut ann, "").await;
    let most = NOTES_BYTES_MAX / NOTE_BYTES_MAX;
    for number in 0..most {
        let text = "x".repeat(NOTE_BYTES_MAX);
        let text = format!("<text xml:lang='x-{number}'>{text}</text>");
        let answer = writes(&mut ann, &id, "note", &text).await;
        assert!(answer.contains("type='result'"), "{answer}");
    }
    let answer = writes(&mut ann, &id, "note", "<text xml:lang='en'>x</text>").await;
    assert_eq!(code(&answer), "follow-up-notes-full");
    let look = format!("follow-up id='{id}'");
    let answer = request(&mut ann, "get", &look, "").await;
    assert_eq!(texts(&answer, "note").len(), 2);
    assert!(answer.contains(&format!("<count>{most}</count>")));
    let behind = "<set xmlns='http://jabber.org/protocol/rsm'><max>1</max><after>2</after></set>";
    let answer = request(&mut ann, "get", &look, behind).await;
    assert_eq!(all(&answer, "n"), ["3"]);
}
