//! S1-13 to S1-16, S1-24: transcripts.

use super::*;

async fn talked(floor: &Floor) -> (Client, Client, String) {
    let mut romeo = agent(floor, "romeo/desk").await;
    let mut juliet = agent(floor, "juliet/desk").await;
    let id = invite(&mut romeo, "juliet", "one").await;
    chat(&mut juliet, "romeo@localhost", "two", None).await;
    floor.house.clock.advance_seconds(60);
    chat(&mut romeo, "juliet@localhost", "three", None).await;
    (romeo, juliet, id)
}

fn entries(answer: &str) -> Vec<String> {
    let entries = answer.split("<entry ").skip(1);
    let entry = |xml: &str| {
        let of = |name: &str| {
            let value = xml.split_once(&format!("{name}='")).unwrap().1;
            value.split('\'').next().unwrap().to_owned()
        };
        let text = text_of(xml, "text").to_owned();
        format!("{} {} {} {text}", of("n"), of("logon"), of("kind"))
            .trim_end()
            .to_owned()
    };
    entries.map(entry).collect()
}

/// S1-13, S1-14, S1-15, S1-16, S1-19, S1-24: who said what and when, also after "done", for both.
#[tokio::test]
async fn both_read_the_transcript_also_when_it_is_done() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet, id) = talked(&floor).await;
    for client in [&mut romeo, &mut juliet] {
        set(client, &format!("done id='{id}'")).await;
        let answer = set(client, &format!("transcript id='{id}'")).await;
        assert_eq!(
            entries(&answer),
            [
                "1 romeo message one",
                "2 juliet accepted",
                "3 juliet message two",
                "4 romeo message three",
                "5 romeo ended"
            ]
        );
        assert!(
            answer.contains("at='2026-09-21T14:13:20Z'")
                && answer.contains("at='2026-09-21T14:14:20Z'"),
            "{answer}"
        );
        assert!(answer.contains("message='m1'"), "{answer}");
        assert!(answer.contains("<count>5</count>"), "{answer}");
        let all = set(client, "sessions all='true'").await;
        assert!(all.contains(&id) && all.contains("done='true'"), "{all}");
    }
    let fields = [("id", id.as_str())];
    let answer = command(&mut romeo, "urn:parlour:im:0#transcript", &fields).await;
    assert!(
        answer.contains("<value>three</value>") && answer.contains("5 entries."),
        "{answer}"
    );
}

/// S1-13, S1-24: so does who has but a form, the newest first.
#[tokio::test]
async fn a_long_transcript_is_read_by_form() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, _juliet, id) = talked(&floor).await;
    for n in 5..=120 {
        set(&mut romeo, &format!("say id='{id}' <text>line {n}</text>")).await;
    }
    let node = "urn:parlour:im:0#transcript";
    let answer = command(&mut romeo, node, &[("id", &id)]).await;
    assert_eq!(answer.matches("<item>").count(), 100, "{answer}");
    assert!(answer.contains("<value>line 120</value>"), "{answer}");
    assert!(answer.contains("Older ones are before 21."), "{answer}");
    let answer = command(&mut romeo, node, &[("id", &id), ("before", "21")]).await;
    assert_eq!(answer.matches("<item>").count(), 20, "{answer}");
    assert!(answer.contains("<value>one</value>"), "{answer}");
    assert!(answer.contains("<value>line 20</value>"), "{answer}");
}

/// S1-13: long ones are read page by page, from both ends.
#[tokio::test]
async fn a_transcript_is_read_page_by_page() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let (mut romeo, _juliet, id) = talked(&floor).await;
    set(&mut romeo, &format!("done id='{id}'")).await;
    for (asked, expected) in [
        ("<max>2</max>", &["1", "2"][..]),
        ("<max>2</max><after>2</after>", &["3", "4"]),
        ("<max>9</max><after>4</after>", &["5"]),
        ("<after>5</after>", &[]),
        ("<max>2</max><before/>", &["4", "5"]),
        ("<max>2</max><before>4</before>", &["2", "3"]),
        ("<before>1</before>", &[]),
        ("<max>0</max>", &[]),
    ] {
        let rsm = format!("<set xmlns='http://jabber.org/protocol/rsm'>{asked}</set>");
        let answer = set(&mut romeo, &format!("transcript id='{id}' {rsm}")).await;
        let found = entries(&answer);
        let places: Vec<_> = found
            .iter()
            .map(|it| it.split(' ').next().unwrap())
            .collect();
        assert_eq!(places, expected, "{asked}: {answer}");
        assert!(answer.contains("<count>5</count>"), "{answer}");
    }
    for (asked, condition, code) in [
        ("<after>x</after>", "item-not-found", "<page-unknown "),
        (
            "<index>1</index>",
            "feature-not-implemented",
            "<page-by-number ",
        ),
        ("<max>many</max>", "bad-request", "<text "),
    ] {
        let rsm = format!("<set xmlns='http://jabber.org/protocol/rsm'>{asked}</set>");
        let answer = set(&mut romeo, &format!("transcript id='{id}' {rsm}")).await;
        let has = |part: &str| answer.contains(part);
        assert!(
            has(&format!("<{condition} ")) && has(code) && has("<text "),
            "{asked}: {answer}"
        );
    }
}

/// S1-13: a supervisor reads by right, and the audit trail has it; for others there is nothing to read.
#[tokio::test]
async fn who_reads_by_right_is_in_the_audit_trail() {
    let floor = Floor::new(&["romeo", "juliet", "nurse", "prince:supervisor"]).await;
    let (_romeo, _juliet, id) = talked(&floor).await;
    let services = floor.house.router.services();
    let trail = async || {
        let filter = crate::store::AuditFilter::default();
        services.store.audit().list(&filter, 10).await.unwrap()
    };
    let mut nurse = agent(&floor, "nurse/desk").await;
    let answer = set(&mut nurse, &format!("transcript id='{id}'")).await;
    let unknown = set(&mut nurse, "transcript id='nothing'").await;
    assert_eq!(answer, unknown);
    assert_eq!(trail().await.len(), 0);
    let mut prince = floor.online("prince/desk").await;
    let answer = set(&mut prince, &format!("transcript id='{id}'")).await;
    assert_eq!(entries(&answer).len(), 4, "{answer}");
    let trail = trail().await;
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].actor, "prince@localhost");
    assert_eq!(
        (trail[0].operation.as_str(), &trail[0].target),
        ("im transcript", &id)
    );
}

/// S1-24: lists page, from both ends.
#[tokio::test]
async fn the_list_is_read_page_by_page() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let _juliet = agent(&floor, "juliet/desk").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        floor.house.clock.advance_seconds(1);
        ids.push(invite(&mut romeo, "juliet", "hello").await);
    }
    let after = format!("<max>2</max><after>{}</after>", ids[0]);
    let before = format!("<max>1</max><before>{}</before>", ids[2]);
    for (asked, expected, index) in [
        ("<max>2</max>", &ids[..2], "0"),
        (&after, &ids[1..], "1"),
        ("<max>1</max><before/>", &ids[2..], "2"),
        (&before, &ids[1..2], "1"),
    ] {
        let rsm = format!("<set xmlns='http://jabber.org/protocol/rsm'>{asked}</set>");
        let answer = set(&mut romeo, &format!("sessions {rsm}")).await;
        let listed: Vec<_> = ids
            .iter()
            .filter(|id| answer.contains(&format!("<session id='{id}'")))
            .collect();
        assert_eq!(
            listed,
            expected.iter().collect::<Vec<_>>(),
            "{asked}: {answer}"
        );
        assert!(
            answer.contains(&format!("<first index='{index}'>")),
            "{answer}"
        );
        assert!(answer.contains("<count>3</count>"), "{answer}");
    }
}
