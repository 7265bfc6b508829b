//! Rights that are given and taken, and what is said of it.

use super::center::{AGENT, ANN, AT, Case, LABELS, LUNCH, NOT_READY, play};
use super::*;
use crate::admin::center::{ACCOUNT_GRANTS, ROLE_GRANTS};
use crate::domain::rights::Right;

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

/// What is said of a right is so: who has it from elsewhere is said to have it still.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn who_has_a_right_still_is_warned_of() {
    let office = Office::new().await;
    office.add("ann@localhost").await;
    let show = ("right", "tag-show");
    let role = |name| ("role", name);
    let (supervisor, administrator) = (role("supervisor"), role("administrator"));
    let (give, take, reset) = ("right give", "right take", "right reset");
    for (name, given, warning, text) in [
        // A role and those below it.
        (
            give,
            &[AT, AGENT, show][..],
            false,
            "the role agent has the right tag-show.\n",
        ),
        (
            give,
            &[AT, supervisor, show],
            false,
            "the role supervisor has the right tag-show.\n",
        ),
        (
            take,
            &[AT, supervisor, show],
            true,
            "the right tag-show is taken from the role supervisor.\n\
             The role supervisor has it still: the role agent has it.\n",
        ),
        (
            take,
            &[AT, supervisor, show],
            true,
            "the right tag-show is taken from the role supervisor already.\n\
             The role supervisor has it still: the role agent has it.\n",
        ),
        (
            reset,
            &[AT, supervisor, show],
            true,
            "the right tag-show of the role supervisor: as usual already.\n\
             The role supervisor has it still: the role agent has it.\n",
        ),
        (
            take,
            &[AT, administrator, show],
            true,
            "the right tag-show is taken from the role administrator.\n\
             The role administrator has it still: administrators have every right.\n",
        ),
        // An account and its role.
        (
            give,
            &[ANN, show],
            false,
            "ann@localhost has the right tag-show.\n",
        ),
        (
            take,
            &[ANN, show],
            false,
            "ann@localhost has not the right tag-show.\n",
        ),
        (
            reset,
            &[ANN, show],
            false,
            "the right tag-show of ann@localhost: as usual.\n",
        ),
        ("account role", &[ANN, AGENT], false, "the role agent.\n"),
        (
            reset,
            &[ANN, show],
            true,
            "the right tag-show of ann@localhost: as usual already.\n\
             ann@localhost has it still: the role agent has it.\n",
        ),
        (
            take,
            &[ANN, show],
            false,
            "ann@localhost has not the right tag-show.\n",
        ),
        (
            "account role",
            &[ANN, administrator],
            false,
            "the role administrator.\n",
        ),
        (
            take,
            &[ANN, show],
            true,
            "the right tag-show is withheld from ann@localhost already.\n\
             ann@localhost has it still: administrators have every right.\n",
        ),
        (
            "account role",
            &[ANN, AGENT, ("force", "true")],
            false,
            "the role agent.\n",
        ),
        // All of them at once: what is not as it usually is.
        (
            reset,
            &[ANN],
            true,
            "all rights of ann@localhost: as usual.\n\
             ann@localhost has still, for the role agent has it: tag-show.\n",
        ),
        (
            take,
            &[AT, AGENT, ("right", "context")],
            false,
            "the role agent has not the right context.\n",
        ),
        (
            reset,
            &[AT, supervisor],
            true,
            "all rights of the role supervisor: as usual already.\n\
             The role supervisor has still, for the role agent has it: tag-show.\n\
             The role supervisor has not, for the role agent has it not: context.\n",
        ),
        (
            reset,
            &[AT, AGENT],
            false,
            "all rights of the role agent: as usual.\n",
        ),
        (
            reset,
            &[AT, supervisor],
            false,
            "all rights of the role supervisor: as usual already.\n",
        ),
    ] {
        let done = office.perform(name, given).await.unwrap();
        assert!(done.text.ends_with(text), "{name} {given:?}: {}", done.text);
        assert_eq!(done.warning, warning, "{name} {given:?}: {}", done.text);
        if given.contains(&show) {
            let has = done.data["has"] == serde_json::json!(["tag-show"]);
            let said = name == give || text.contains("still");
            assert_eq!(has, said, "{name} {given:?}: {}", done.data);
        }
    }
}
