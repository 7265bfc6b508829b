//! What administrators set for the contact center: reason codes and chat profiles.

use super::*;
use crate::admin::center::{CHAT_PROFILE, REASON_CODES};
use crate::domain::chat_profile::{ChatProfile, InstantMessaging, Means};
use crate::domain::reason_code::{Kind as ReasonKind, ReasonCodes};

/// Name, arguments, what becomes of it, and what is said.
pub(super) type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

pub(super) async fn play(office: &Office, cases: &[Case]) {
    for (name, given, kind, text) in cases {
        let done = office.perform(name, given).await;
        let (was, said) = told(&done);
        assert_eq!(was, *kind, "{name} {given:?}: {said}");
        assert!(said.contains(text), "{name} {given:?}: {said}");
    }
}

pub(super) const AT: (&str, &str) = ("host", "localhost");
pub(super) const LUNCH: (&str, &str) = ("code", "lunch");
pub(super) const NOT_READY: (&str, &str) = ("kind", "not-ready");
pub(super) const LABELS: (&str, &str) = ("label", "en: Lunch\nde: Mittag");
const YES: (&str, &str) = ("default", "true");

/// S2-7: the lists are configured; every refusal of the domain has its own kind.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn reason_codes_are_made_edited_and_taken_out_of_use() {
    let office = Office::new().await;
    let cases: &[Case] = &[
        ("reason list", &[AT], "done", "localhost has no such"),
        (
            "reason put",
            &[NOT_READY, LUNCH, LABELS],
            "usage",
            "host is missing",
        ),
        (
            "reason put",
            &[AT, NOT_READY, LUNCH, LABELS, YES],
            "done",
            "can be chosen",
        ),
        (
            "reason put",
            &[AT, NOT_READY, LUNCH, LABELS, YES],
            "done",
            "already so",
        ),
        (
            "reason put",
            &[AT, NOT_READY, LUNCH, ("label", "Lunch")],
            "usage",
            "en: Lunch",
        ),
        (
            "reason put",
            &[AT, NOT_READY, LUNCH, ("label", "en:")],
            "not acceptable",
            "needs a label",
        ),
        (
            "reason put",
            &[AT, NOT_READY, ("code", "a b"), LABELS],
            "not acceptable",
            "1 to 64",
        ),
        (
            "reason put",
            &[AT, ("kind", "tea"), LUNCH, LABELS],
            "usage",
            "one of not-ready",
        ),
        (
            "reason put",
            &[
                AT,
                ("kind", "logout"),
                ("code", "shift-over"),
                ("label", "en: Over"),
            ],
            "done",
            "can be",
        ),
        (
            "reason list",
            &[AT],
            "done",
            "not-ready  lunch       default  de: Mittag, en: Lunch",
        ),
        ("reason list", &[AT, ("kind", "logout")], "done", "1 in all"),
        (
            "reason list",
            &[("host", "example.org")],
            "done",
            "no such reason codes",
        ),
        (
            "reason retire",
            &[AT, ("kind", "logout"), LUNCH],
            "not found",
            "no such logout",
        ),
        (
            "reason retire",
            &[AT, NOT_READY, LUNCH],
            "done",
            "is out of use",
        ),
        ("reason retire", &[AT, NOT_READY, LUNCH], "done", "already"),
        ("reason list", &[AT, NOT_READY], "done", "retired"),
    ];
    play(&office, cases).await;
    let records = office.operator.store.records();
    let stored = records
        .find(REASON_CODES, "localhost")
        .await
        .unwrap()
        .unwrap();
    let codes: ReasonCodes = serde_json::from_str(&stored.snapshot).unwrap();
    assert_eq!((codes.version, stored.version), (3, 3));
    assert!(!codes.find(ReasonKind::NotReady, "lunch").unwrap().active);
    let history = records
        .events(REASON_CODES, "localhost", 0, 10)
        .await
        .unwrap();
    let words: Vec<bool> = history
        .iter()
        .map(|it| it.contains("\"event\":\"put\""))
        .collect();
    assert_eq!(words, [true, true, false]);
}

pub(super) const ANN: (&str, &str) = ("jid", "ann@localhost");
pub(super) const AGENT: (&str, &str) = ("role", "agent");

/// S0-12, S0-26, S1-9: a profile of a role, one of an account, and what is left when it is taken away.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn chat_profiles_are_changed_in_parts_and_taken_away() {
    let office = Office::new().await;
    office.add("ann@localhost").await;
    office.perform("account role", &[ANN, AGENT]).await.unwrap();
    let cases: &[Case] = &[
        ("profile show", &[ANN], "done", "the usual profile"),
        ("profile show", &[AT], "usage", "role or jid is missing"),
        ("profile show", &[AT, AGENT, ANN], "usage", "not both"),
        (
            "profile show",
            &[("jid", "bob@localhost")],
            "not found",
            "no account bob@localhost",
        ),
        (
            "profile set",
            &[AT, AGENT, ("im-channels-max", "0")],
            "usage",
            "from 1 to 100",
        ),
        (
            "profile set",
            &[AT, AGENT, ("invitation-seconds", "4")],
            "usage",
            "from 5 to 3600",
        ),
        (
            "profile set",
            &[AT, AGENT, ("means", "email\nnone")],
            "usage",
            "either none or",
        ),
        (
            "profile set",
            &[AT, AGENT, ("means", "pigeon")],
            "usage",
            "one of instant-message",
        ),
        (
            "profile set",
            &[AT, AGENT, ("im-channels-max", "3")],
            "done",
            "of the role agent is changed",
        ),
        (
            "profile set",
            &[AT, AGENT, ("im-channels-max", "3")],
            "done",
            "already so",
        ),
        ("profile show", &[ANN], "done", "im-channels-max     3"),
        (
            "profile set",
            &[ANN, ("instant-messaging", "disabled"), ("means", "none")],
            "done",
            "is changed",
        ),
        (
            "profile set",
            &[ANN, ("means", "email\ncontext")],
            "done",
            "means               email, context",
        ),
        ("profile show", &[ANN], "done", "its own profile"),
        ("profile show", &[AT, AGENT], "done", "enabled"),
        ("profile reset", &[ANN], "done", "is taken away"),
        (
            "profile reset",
            &[ANN],
            "done",
            "There is no chat profile of ann@localhost alone",
        ),
        ("profile show", &[ANN], "done", "the profile of its role"),
        ("profile reset", &[AT, AGENT], "done", "is taken away"),
        ("profile show", &[ANN], "done", "im-channels-max     5"),
        (
            "profile set",
            &[ANN, ("presence", "hidden")],
            "done",
            "hidden",
        ),
    ];
    play(&office, cases).await;
    let records = office.operator.store.records();
    let stored = records
        .find(CHAT_PROFILE, "ann@localhost")
        .await
        .unwrap()
        .unwrap();
    let profile: ChatProfile = serde_json::from_str(&stored.snapshot).unwrap();
    assert_eq!((profile.version, stored.version), (4, 4));
    // What was reset does not come back.
    assert_eq!(profile.instant_messaging, InstantMessaging::Enabled);
    assert_eq!(profile.means, Means::ALL.into());
    let history = records
        .events(CHAT_PROFILE, "ann@localhost", 0, 10)
        .await
        .unwrap();
    assert!(history[2].contains("\"event\":\"reset\""), "{history:?}");
}
