//! Lists that agents choose from: tags, types of transactions and notes, channels, copying rules.

use super::center::{AT, Case, play};
use super::*;

const VISIT: (&str, &str) = ("code", "visit");
const LABELS: (&str, &str) = ("label", "en: Visit\nde: Besuch");

/// S4-6, S4-7, S4-25.
#[tokio::test]
async fn tags_are_made_edited_and_removed() {
    const NAME: (&str, &str) = ("name", "Consulting");
    const BILLABLE: (&str, &str) = ("availability", "message-billable");
    const BOTH: (&str, &str) = ("availability", "message\nmessage-billable");
    let office = Office::new().await;
    let cases: &[Case] = &[
        ("tag list", &[AT], "done", "localhost has no tags."),
        ("tag put", &[AT, NAME], "usage", "availability is missing"),
        (
            "tag put",
            &[AT, NAME, ("availability", "call")],
            "usage",
            "availability is one of message, message-billable",
        ),
        (
            "tag put",
            &[AT, NAME, BILLABLE],
            "done",
            "Consulting can be chosen.",
        ),
        ("tag put", &[AT, NAME, BILLABLE], "done", "is already so"),
        ("tag put", &[AT, NAME, BOTH], "done", "can be chosen"),
        ("tag put", &[NAME, BILLABLE], "usage", "host is missing"),
        (
            "tag put",
            &[AT, ("name", " "), BILLABLE],
            "not acceptable",
            "A tag has a name",
        ),
        (
            "tag list",
            &[AT],
            "done",
            "Consulting  message, message-billable",
        ),
        (
            "tag list",
            &[("host", "example.org")],
            "done",
            "has no tags",
        ),
        (
            "tag remove",
            &[AT, ("name", "Other")],
            "not found",
            "no such tag",
        ),
        (
            "tag remove",
            &[AT, NAME],
            "done",
            "cannot be chosen any more",
        ),
        ("tag list", &[AT], "done", "has no tags"),
    ];
    play(&office, cases).await;
}

/// S3-3, S3-15: one list as the other.
#[tokio::test]
async fn types_are_made_edited_and_removed() {
    let office = Office::new().await;
    for (group, usual) in [
        ("transaction-type", "phone-call"),
        ("note-type", "preparation"),
    ] {
        let act = |act: &str| format!("{group} {act}");
        let listed = office.perform(&act("list"), &[AT]).await;
        assert!(told(&listed).1.contains(usual) && told(&listed).1.contains("6 in all."));
        for (done, given, kind, part) in [
            (
                "put",
                &[AT, VISIT, LABELS][..],
                "done",
                "visit can be chosen.",
            ),
            ("put", &[AT, VISIT, LABELS], "done", "visit is already so."),
            (
                "put",
                &[AT, VISIT, ("label", "en: A visit")],
                "done",
                "can be chosen",
            ),
            ("put", &[AT, VISIT], "usage", "label is missing"),
            (
                "put",
                &[AT, VISIT, ("label", "Visit")],
                "usage",
                "a label has its language",
            ),
            (
                "put",
                &[AT, ("code", "a visit"), LABELS],
                "not acceptable",
                "A code has 1 to 64",
            ),
            (
                "put",
                &[AT, VISIT, ("label", "en:")],
                "not acceptable",
                "There must be a label",
            ),
            ("list", &[AT], "done", "en: A visit"),
            (
                "remove",
                &[AT, VISIT],
                "done",
                "visit cannot be chosen any more.",
            ),
            ("remove", &[AT, VISIT], "not found", "no such entry"),
            ("list", &[AT], "done", "6 in all."),
        ] {
            let outcome = office.perform(&act(done), given).await;
            let (told_kind, text) = told(&outcome);
            assert_eq!(told_kind, kind, "{group} {done} {given:?}: {text}");
            assert!(text.contains(part), "{group} {done} {given:?}: {text}");
        }
    }
}

/// S3-4, S3-12.
#[tokio::test]
async fn types_are_permitted_on_channels() {
    const VOICE: (&str, &str) = ("channel", "voice");
    let office = Office::new().await;
    let cases: &[Case] = &[
        (
            "channel list",
            &[AT],
            "done",
            "voice    all        phone-call, email",
        ),
        (
            "channel permit",
            &[AT, ("channel", "fax")],
            "usage",
            "channel is one of voice",
        ),
        (
            "channel permit",
            &[AT, VOICE, ("type", "dance")],
            "not found",
            "no such entry",
        ),
        (
            "channel permit",
            &[AT, VOICE, ("type", "task\nemail")],
            "done",
            "That is permitted",
        ),
        (
            "channel permit",
            &[AT, VOICE, ("type", "email\ntask")],
            "done",
            "already so",
        ),
        (
            "channel list",
            &[AT],
            "done",
            "voice    only these  email, task",
        ),
        ("channel list", &[AT], "done", "none     all"),
        (
            "channel permit",
            &[AT, ("channel", "none")],
            "done",
            "That is permitted",
        ),
        ("channel list", &[AT], "done", "none     only these\n"),
        (
            "channel reset",
            &[AT, VOICE],
            "done",
            "All types are permitted",
        ),
        ("channel reset", &[AT, VOICE], "done", "already so"),
        ("channel list", &[AT], "done", "voice    all"),
    ];
    play(&office, cases).await;
}

/// S3-11.
#[tokio::test]
async fn copying_rules_are_set_and_reset() {
    const CASE: (&str, &str) = ("source", "case");
    const TASK: (&str, &str) = ("type", "task");
    let office = Office::new().await;
    let cases: &[Case] = &[
        (
            "copy-rule list",
            &[AT],
            "done",
            "Of all others title and customer",
        ),
        (
            "copy-rule set",
            &[AT, CASE, ("type", "dance")],
            "not acceptable",
            "no such type",
        ),
        (
            "copy-rule set",
            &[AT, ("source", "lead"), TASK],
            "usage",
            "source is one of",
        ),
        (
            "copy-rule set",
            &[AT, CASE, TASK, ("copy", "colour")],
            "usage",
            "copy is one of title, customer, reason, dates",
        ),
        (
            "copy-rule set",
            &[AT, CASE, TASK, ("copy", "dates\ntitle")],
            "done",
            "That is copied",
        ),
        (
            "copy-rule set",
            &[AT, CASE, TASK, ("copy", "title\ndates")],
            "done",
            "already so",
        ),
        (
            "copy-rule list",
            &[AT],
            "done",
            "case    task  title, dates",
        ),
        ("copy-rule set", &[AT, CASE, TASK], "done", "That is copied"),
        (
            "copy-rule reset",
            &[AT, CASE, TASK],
            "done",
            "Title and customer",
        ),
        ("copy-rule reset", &[AT, CASE, TASK], "done", "already so"),
    ];
    play(&office, cases).await;
}

/// The right to edit lists is enough, and no other.
#[tokio::test]
async fn who_may_edit_lists_needs_the_right() {
    let office = Office::new().await;
    office.add("sue@localhost").await;
    let from: crate::proto::Jid = "sue@localhost/desk".parse().unwrap();
    let put = texts(&[AT, VISIT, LABELS]);
    let tried = async || {
        let store = &office.operator.store;
        let rights = rights_of(store, from.bare(), Role::Supervisor)
            .await
            .unwrap();
        let actor = Actor::account(&office.operator.config, &from, Role::Supervisor, None);
        let actor = actor.with_rights(rights);
        let operator = &office.operator;
        let done = Box::pin(perform(operator, &actor, "transaction-type put", &put)).await;
        told(&done).0
    };
    assert_eq!(tried().await, "forbidden");
    let give = [("jid", "sue@localhost"), ("right", "catalogue-edit")];
    office.perform("right give", &give).await.unwrap();
    assert_eq!(tried().await, "done");
    let trail = office
        .perform("audit list", &[("operation", "transaction-type put")])
        .await;
    assert!(told(&trail).1.contains("sue@localhost"), "{trail:?}");
}
