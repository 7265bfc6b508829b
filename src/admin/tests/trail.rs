//! The audit trail.

use super::*;
use crate::proto::Jid;

#[tokio::test]
async fn every_act_and_every_refusal_is_kept_without_secrets() {
    let office = Office::new().await;
    let given = [("jid", "ann@localhost"), ("password", "hunter2")];
    office.perform("account add", &given).await.unwrap();
    let wrong = [("jid", "ann@localhost"), ("pasword", "hunter2")];
    office.perform("account add", &wrong).await.unwrap_err();
    let table = [("file", "jid,password\nbob@localhost,hunter2\n")];
    office.perform("account import", &table).await.unwrap();
    let from = Jid::parse("eve@localhost/den").unwrap();
    let peer = Some([192, 0, 2, 7].into());
    let eve = Actor::account(&office.operator.config, &from, Role::Member, peer);
    let refused = perform(
        &office.operator,
        &eve,
        "account remove",
        &texts(&given[..1]),
    )
    .await;
    assert_eq!(told(&refused).0, "forbidden");

    let trail = office.perform("audit list", &[]).await.unwrap();
    let entries = trail.data["entries"].as_array().unwrap();
    assert!(!trail.data.to_string().contains("hunter2"), "{entries:?}");
    let shown: Vec<_> = entries
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            (
                text("actor"),
                text("origin"),
                text("operation"),
                text("target"),
                it["done"] == true,
            )
        })
        .collect();
    let line = |actor: &str, origin: &str, operation: &str, target: &str, done| {
        (
            actor.to_owned(),
            origin.to_owned(),
            operation.to_owned(),
            target.to_owned(),
            done,
        )
    };
    let ann = "ann@localhost";
    let mut expected = vec![
        line(
            "eve@localhost",
            "192.0.2.7 den",
            "account remove",
            ann,
            false,
        ),
        line("command line", "uid 7", "account import", "", true),
        line("command line", "uid 7", "account add", ann, false),
        line("command line", "uid 7", "account add", ann, true),
    ];
    // All have the same time, and ids of one moment are in no order.
    let mut shown = shown;
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn looking_leaves_no_entry_and_the_own_account_is_no_act_of_an_administrator() {
    let office = Office::new().await;
    office.add("ann@localhost").await;
    office.perform("account list", &[]).await.unwrap();
    office.perform("host list", &[]).await.unwrap();
    let given = texts(&[("password", "new")]);
    let owner = jid("ann@localhost");
    let own = perform_own(&office.operator, &owner, "account passwd", given);
    own.await.unwrap();
    let by = Actor::newcomer();
    let given = texts(&[("jid", "new@localhost"), ("password", "p")]);
    perform(&office.operator, &by, "account add", &given)
        .await
        .unwrap();
    let trail = office.perform("audit list", &[]).await.unwrap();
    assert_eq!(trail.data["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_trail_is_searched_and_read_in_pages() {
    let office = Office::new().await;
    let Office { operator, .. } = &office;
    let names: Vec<String> = (0..5).map(|n| format!("user{n}@localhost")).collect();
    for name in &names {
        office.add(name).await;
        operator.clock.advance_seconds(1);
    }
    let list = async |given: &[(&str, &str)]| {
        let outcome = office.perform("audit list", given).await.unwrap();
        let entries = outcome.data["entries"].as_array().unwrap();
        let targets: Vec<String> = entries
            .iter()
            .map(|it| it["target"].as_str().unwrap().to_owned())
            .collect();
        let next = outcome.data["next_before"].as_str().map(str::to_owned);
        (targets, next)
    };
    let (first, next) = list(&[("max", "2"), ("operation", "account add")]).await;
    assert_eq!(first, [names[4].as_str(), &names[3]]);
    let next = next.unwrap();
    let (rest, next) = list(&[("before", &next), ("operation", "account add")]).await;
    assert_eq!(rest, [names[2].as_str(), &names[1], &names[0]]);
    assert_eq!(next, None);
    let (one, _) = list(&[("target", &names[1])]).await;
    assert_eq!(one, [names[1].as_str()]);
    let since = NOW.plus_seconds(3).to_string();
    let (late, _) = list(&[
        ("since", &since),
        ("actor", "command line"),
        ("operation", "account add"),
    ])
    .await;
    assert_eq!(late, [names[4].as_str(), &names[3]]);
}

#[tokio::test]
async fn an_act_that_cannot_be_written_down_says_so() {
    let office = Office::new().await;
    office.operator.store.close().await;
    let done = office.perform("account list", &[]).await;
    let (kind, text) = told(&done);
    assert_eq!(kind, "failed");
    assert!(
        text.contains("could not be written into the audit trail"),
        "{text}"
    );
}
