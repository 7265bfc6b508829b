//! What administrators set for the contact center: reason codes, chat profiles, rights.

use super::*;
use crate::admin::center::{ACCOUNT_GRANTS, CHAT_PROFILE, REASON_CODES, ROLE_GRANTS};
use crate::domain::chat_profile::{ChatProfile, InstantMessaging, Means};
use crate::domain::reason_code::{Kind as ReasonKind, ReasonCodes};
use crate::domain::rights::Right;

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
const LUNCH: (&str, &str) = ("code", "lunch");
const NOT_READY: (&str, &str) = ("kind", "not-ready");
const LABELS: (&str, &str) = ("label", "en: Lunch\nde: Mittag");
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

const ANN: (&str, &str) = ("jid", "ann@localhost");
const AGENT: (&str, &str) = ("role", "agent");

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

/// S0-10, S1-4, S4-3 to S4-5: rights of roles and accounts, with their history.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn rights_are_given_taken_and_reset() {
    let office = Office::new().await;
    office.add("ann@localhost").await;
    let cases: &[Case] = &[
        ("right give", &[AT, AGENT], "usage", "right is missing"),
        (
            "right give",
            &[AT, AGENT, ("right", "fly")],
            "usage",
            "the rights are agent-state",
        ),
        (
            "right give",
            &[AT, ("right", "tag-show")],
            "usage",
            "role or jid is missing",
        ),
        (
            "right give",
            &[AT, AGENT, ("right", "tag-show")],
            "done",
            "the role agent has the right tag-show.",
        ),
        (
            "right give",
            &[AT, AGENT, ("right", "tag-show")],
            "done",
            "already",
        ),
        (
            "right list",
            &[AT],
            "done",
            "tag-show           -       yes    yes",
        ),
        (
            "right give",
            &[ANN, ("right", "context")],
            "done",
            "ann@localhost has the right context",
        ),
        (
            "right take",
            &[ANN, ("right", "tag-show")],
            "done",
            "has not the right tag-show",
        ),
        (
            "right list",
            &[ANN],
            "done",
            "context            yes     given",
        ),
        (
            "right list",
            &[ANN],
            "done",
            "tag-show           -       withheld",
        ),
        (
            "right reset",
            &[ANN, ("right", "context")],
            "done",
            "as usual.",
        ),
        (
            "right reset",
            &[ANN],
            "done",
            "all rights of ann@localhost: as usual.",
        ),
        ("right reset", &[ANN], "done", "as usual already"),
        (
            "right take",
            &[AT, AGENT, ("right", "context")],
            "done",
            "has not the right context",
        ),
        (
            "right reset",
            &[AT, AGENT],
            "done",
            "all rights of the role agent",
        ),
        (
            "right list",
            &[AT],
            "done",
            "context            -       yes    yes",
        ),
        (
            "right list",
            &[AT],
            "done",
            "tag-show           -       -      -           yes",
        ),
        (
            "right give",
            &[("jid", "bob@localhost"), ("right", "context")],
            "not found",
            "no account",
        ),
    ];
    play(&office, cases).await;
    let records = office.operator.store.records();
    let of_role = records
        .find(ROLE_GRANTS, "localhost")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(of_role.version, 4);
    let own = records
        .find(ACCOUNT_GRANTS, "ann@localhost")
        .await
        .unwrap()
        .unwrap();
    let history = records
        .events(ACCOUNT_GRANTS, "ann@localhost", 0, 10)
        .await
        .unwrap();
    assert_eq!((own.version, history.len()), (4, 4));
    office
        .perform("right give", &[ANN, ("right", "context")])
        .await
        .unwrap();
    office.perform("account remove", &[ANN]).await.unwrap();
    office.add("ann@localhost").await;
    let ann = jid("ann@localhost");
    let rights = rights_of(&office.operator.store, &ann, Role::Member);
    assert!(
        !rights.await.unwrap().has(Right::Context),
        "a newcomer of the name"
    );
}

/// Who has the right to an operation needs no role for it, and nothing else comes with it.
#[tokio::test]
async fn a_right_to_edit_can_be_given_to_who_is_no_administrator() {
    let office = Office::new().await;
    office.add("sue@localhost").await;
    let from: crate::proto::Jid = "sue@localhost/desk".parse().unwrap();
    let put = texts(&[AT, NOT_READY, LUNCH, LABELS]);
    let store = &office.operator.store;
    let actor = async || {
        let rights = rights_of(store, from.bare(), Role::Supervisor)
            .await
            .unwrap();
        Actor::account(&office.operator.config, &from, Role::Supervisor, None).with_rights(rights)
    };
    let refused = Box::pin(perform(
        &office.operator,
        &actor().await,
        "reason put",
        &put,
    ))
    .await;
    assert_eq!(told(&refused).0, "forbidden");
    let give = [("jid", "sue@localhost"), ("right", "reason-code-edit")];
    office.perform("right give", &give).await.unwrap();
    let done = Box::pin(perform(
        &office.operator,
        &actor().await,
        "reason put",
        &put,
    ))
    .await;
    assert_eq!(told(&done).0, "done");
    let elsewhere = texts(&[("host", "example.org"), NOT_READY, LUNCH, LABELS]);
    let refused = Box::pin(perform(
        &office.operator,
        &actor().await,
        "reason put",
        &elsewhere,
    ))
    .await;
    assert_eq!(told(&refused).0, "forbidden");
    let give = texts(&[AT, AGENT, ("right", "context")]);
    let refused = Box::pin(perform(
        &office.operator,
        &actor().await,
        "right give",
        &give,
    ))
    .await;
    assert_eq!(told(&refused).0, "forbidden");
    let trail = office
        .perform("audit list", &[("operation", "reason put")])
        .await;
    assert!(told(&trail).1.contains("sue@localhost"), "{trail:?}");
}
