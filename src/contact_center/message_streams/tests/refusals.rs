//! A row for every refusal.

use super::*;

/// What is left out of a request, or does not go together: S4-15, S4-17 to S4-19, S4-21 to S4-25.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_does_not_go_together_is_not_created() {
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let text = "<text>x</text>";
    let long = "x".repeat(257);
    let huge = format!("<text>{}</text>", "x".repeat(64 * 1024 + 1));
    for (attributes, title, children, expected) in [
        ("", "", text, "stream-title-missing"),
        ("", "  ", text, "stream-title-missing"),
        ("", long.as_str(), text, "stream-title-missing"),
        ("", "Call", "", "stream-text-missing"),
        ("", "Call", "<text> </text>", "stream-text-missing"),
        ("", "Call", huge.as_str(), "stream-text-too-long"),
        (
            " whisper='true' minutes='5'",
            "Call",
            text,
            "whisper-with-minutes",
        ),
        (
            " whisper='true' billable='true'",
            "Call",
            text,
            "whisper-with-minutes",
        ),
        (
            " whisper='true' deliver='true'",
            "Call",
            text,
            "whisper-delivered",
        ),
        (" billable='true'", "Call", text, "billable-tag-missing"),
        (
            " billable='true'",
            "Call",
            "<text>x</text><tag>urgent</tag>",
            "billable-tag-missing",
        ),
        (" minutes='525601'", "Call", text, "minutes-out-of-range"),
        (
            " minutes='99999999999999'",
            "Call",
            text,
            "minutes-out-of-range",
        ),
        (" minutes='-5'", "Call", text, "field-malformed"),
        (" minutes='1.5'", "Call", text, "field-malformed"),
        (" draft='none'", "Call", text, "draft-unknown"),
        ("", "Call", "<text>x</text><tag>orders</tag>", "tag-unknown"),
        ("", "Call", "<text>x</text><tag>none</tag>", "tag-unknown"),
        (
            "",
            "Call",
            "<text>x</text><recipient>nobody</recipient>",
            "recipients-malformed",
        ),
        (
            "",
            "Call",
            "<text>x</text><recipient>romeo@elsewhere.example</recipient>",
            "recipients-malformed",
        ),
        (
            "",
            "Call",
            "<text>x</text><recipient>@</recipient>",
            "field-malformed",
        ),
        (
            "",
            "Call",
            "<text>x</text><attachment>https://elsewhere.example/a.png</attachment>",
            "attachment-unknown",
        ),
        (" deliver='perhaps'", "Call", text, "field-malformed"),
        (" colour='red'", "Call", text, "field-unknown"),
    ] {
        let answer = create(&mut romeo, attributes, title, children).await;
        assert_eq!(code(&answer), expected, "{attributes} {children}: {answer}");
    }
    let nobody = "<create xmlns='NS' customer='nobody'><title>a</title><text>b</text></create>";
    assert_eq!(code(&set(&mut romeo, nobody).await), "customer-unknown");
    assert!(titles(&streams(&mut romeo, "", "").await).is_empty());
    // By the form it is the same.
    let filled = [("customer", "ann"), ("title", "Call"), ("text", "x")];
    for (field, value, expected) in [
        ("title", "", "stream-title-missing"),
        ("text", " ", "stream-text-missing"),
        ("billable", "true", "billable-tag-missing"),
    ] {
        let others = filled.iter().filter(|(name, _)| *name != field);
        let mut fields: Vec<_> = others.copied().collect();
        fields.push((field, value));
        let answer = command(&mut romeo, &format!("{NS}#create"), &fields).await;
        assert_eq!(code(&answer), expected, "{answer}");
    }
}

/// Each command in a wrong state, by a wrong person, of what is not there, and twice.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_is_asked_of_a_stream_is_refused_by_name() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let id = made(&floor, &mut romeo, "Call", "").await;
    let main = attribute(&stream(&mut romeo, &id).await, "message", "id");
    let hidden = made(&floor, &mut romeo, "Hidden", "<recipient>romeo</recipient>").await;
    let hidden_message = attribute(&stream(&mut romeo, &hidden).await, "message", "id");
    let gone = made(&floor, &mut romeo, "Gone", "").await;
    set(
        &mut romeo,
        &format!("<delete xmlns='NS' id='{gone}' confirm='true'/>"),
    )
    .await;
    let nothing = "0199f6d4-0000-7000-8000-000000000001".to_owned();
    for id in [&hidden, &gone, &nothing] {
        for (kind, request) in [
            ("get", format!("<stream xmlns='NS' id='{id}'/>")),
            (
                "get",
                format!("<versions xmlns='NS' id='{id}' message='{hidden_message}'/>"),
            ),
            (
                "set",
                format!("<reply xmlns='NS' id='{id}'><text>x</text></reply>"),
            ),
            (
                "set",
                format!(
                    "<edit xmlns='NS' id='{id}' message='{hidden_message}' version='1'><text>x</text></edit>"
                ),
            ),
            (
                "set",
                format!("<properties xmlns='NS' id='{id}' version='1'/>"),
            ),
            ("set", format!("<tags xmlns='NS' id='{id}' version='1'/>")),
            ("set", format!("<complete xmlns='NS' id='{id}'/>")),
            ("set", format!("<reopen xmlns='NS' id='{id}'/>")),
            (
                "set",
                format!("<delete xmlns='NS' id='{id}' confirm='true'/>"),
            ),
            ("set", format!("<delete xmlns='NS' id='{id}'/>")),
            ("set", format!("<mark-read xmlns='NS' id='{id}'/>")),
        ] {
            let answer = ask(&mut juliet, kind, &request.replace("NS", NS)).await;
            assert_eq!(code(&answer), "stream-unknown", "{request}: {answer}");
        }
    }
    assert!(stream(&mut romeo, &hidden).await.contains("About Hidden."));
    for (request, expected) in [
        (
            format!(
                "<edit xmlns='NS' id='{id}' message='{main}' version='1'><text>x</text></edit>"
            ),
            "not-the-author",
        ),
        (
            format!(
                "<edit xmlns='NS' id='{id}' message='{nothing}' version='1'><text>x</text></edit>"
            ),
            "message-unknown",
        ),
        (
            format!(
                "<edit xmlns='NS' id='{id}' message='{main}' version='x'><text>x</text></edit>"
            ),
            "field-malformed",
        ),
        (
            format!("<edit xmlns='NS' id='{id}' message='{main}'><text>x</text></edit>"),
            "field-missing",
        ),
        (
            format!("<reply xmlns='NS' id='{id}'/>"),
            "stream-text-missing",
        ),
        (
            format!("<tags xmlns='NS' id='{id}' version='1'><tag>none</tag></tags>"),
            "tag-unknown",
        ),
        (
            format!("<delete xmlns='NS' id='{id}'/>"),
            "deletion-not-confirmed",
        ),
        (
            format!("<delete xmlns='NS' id='{id}' confirm='false'/>"),
            "deletion-not-confirmed",
        ),
        (
            format!("<properties xmlns='NS' id='{id}' version='7'/>"),
            "stream-changed",
        ),
        (
            format!("<tags xmlns='NS' id='{id}' version='7'/>"),
            "stream-changed",
        ),
        (format!("<tags xmlns='NS' id='{id}'/>"), "field-missing"),
        (
            format!("<properties xmlns='NS' id='{id}' version='1' billable='true'/>"),
            "billable-tag-missing",
        ),
        (
            format!("<mark-read xmlns='NS' id='{id}' message='{nothing}'/>"),
            "message-unknown",
        ),
        (
            "<reply xmlns='NS' id='a b'><text>x</text></reply>".to_owned(),
            "field-malformed",
        ),
        (
            "<stop-watch xmlns='NS' draft='d' action='run'/>".to_owned(),
            "field-malformed",
        ),
        ("<publish xmlns='NS'/>".to_owned(), "operation-unknown"),
    ] {
        let answer = set(&mut juliet, &request).await;
        assert_eq!(code(&answer), expected, "{request}: {answer}");
    }
    for (request, expected) in [
        (
            format!("<versions xmlns='NS' id='{id}' message='{nothing}'/>"),
            "message-unknown",
        ),
        (
            "<streams xmlns='NS' customer='nobody'/>".to_owned(),
            "customer-unknown",
        ),
        (
            "<streams xmlns='NS' customer='ann'><text>ab</text></streams>".to_owned(),
            "query-too-short",
        ),
        (
            "<streams xmlns='NS' customer='ann' order='random'/>".to_owned(),
            "field-malformed",
        ),
        (
            "<suggest xmlns='NS'><text>ju</text></suggest>".to_owned(),
            "query-too-short",
        ),
    ] {
        let answer = get(&mut juliet, &request).await;
        assert_eq!(code(&answer), expected, "{request}: {answer}");
    }
    let shown = stream(&mut romeo, &id).await;
    assert!(shown.contains("version='1'"), "{shown}");
}

/// Principle 6: of two editors the second is given what the first has written.
#[tokio::test]
async fn who_writes_from_an_old_version_is_given_the_present_one() {
    let floor = floor(&["romeo"]).await;
    let mut desk = floor.online("romeo/desk").await;
    let mut phone = floor.online("romeo/phone").await;
    let id = made(&floor, &mut desk, "Call", "").await;
    let main = attribute(&stream(&mut desk, &id).await, "message", "id");
    let edit = |text: &str| {
        format!(
            "<edit xmlns='NS' id='{id}' message='{main}' version='1'><text>{text}</text></edit>"
        )
    };
    assert!(set(&mut desk, &edit("one")).await.contains("version='2'"));
    let answer = set(&mut phone, &edit("two")).await;
    assert!(answer.contains("<conflict "), "{answer}");
    let expected = format!(
        "<stream-changed xmlns='urn:parlour:errors:0'><stream xmlns='{NS}' id='{id}' version='2'"
    );
    assert!(
        answer.contains(&expected) && answer.contains("<text>one</text>"),
        "{answer}"
    );
    // Billing hangs on a tag: whoever takes that away is refused.
    let tags = |version: u8, tag: &str| {
        format!("<tags xmlns='NS' id='{id}' version='{version}'><tag>{tag}</tag></tags>")
    };
    assert!(
        set(&mut desk, &tags(2, "paid"))
            .await
            .contains("version='3'")
    );
    // S4-38: of two who tag the second does not take away what the first has chosen.
    let answer = set(&mut phone, &tags(2, "urgent")).await;
    assert_eq!(code(&answer), "stream-changed", "{answer}");
    assert!(answer.contains("<tag>paid</tag>"), "{answer}");
    let bill =
        format!("<properties xmlns='NS' id='{id}' version='3' minutes='5' billable='true'/>");
    assert!(set(&mut desk, &bill).await.contains("billable='true'"));
    let untagged = set(&mut desk, &tags(4, "urgent")).await;
    assert_eq!(code(&untagged), "billable-tag-missing");
    let whisper =
        format!("<properties xmlns='NS' id='{id}' version='4' minutes='5' whisper='true'/>");
    assert_eq!(
        code(&set(&mut desk, &whisper).await),
        "whisper-with-minutes"
    );
}
