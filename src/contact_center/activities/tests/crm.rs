//! A CRM that is subscribed: it is sent every change at least once, whatever restarts.

use std::time::Duration;

use super::*;
use crate::config::{Component, ComponentRole, Config, Domain};
use crate::contact_center::center::Center;
use crate::contact_center::testing::CENTER;
use crate::hooks::{Ahead, At, Iq};
use crate::proto::IqType;
use crate::xml::{Limits, document, write};

const CRM: &str = "crm.localhost";

fn config() -> Config {
    let component = |domain: &str, role| Component {
        domain: Domain::parse(domain).unwrap(),
        role,
        ..Component::default()
    };
    let components = vec![
        component(CRM, ComponentRole::Crm),
        component("other.localhost", ComponentRole::Crm),
        component("pbx.localhost", ComponentRole::Connector),
    ];
    let mut config = Config {
        components,
        ..Config::default()
    };
    config.contact_center.activity_window = 3;
    config
}

/// Agents, and components that are connected.
async fn floor(people: &[&str], config: Config) -> Floor {
    let domains: Vec<String> = config
        .components
        .iter()
        .map(|it| it.domain.to_string())
        .collect();
    let floor = Box::pin(Floor::configured(people, config)).await;
    for domain in domains {
        floor.house.component_comes(&domain).await;
        floor.house.component_receives(&domain);
    }
    floor
}

/// Asks as a component; what it is answered, else the code of the refusal.
async fn says(floor: &Floor, from: &str, kind: IqType, payload: &str) -> Result<String, String> {
    let services = floor.house.router.services();
    let payload = match payload.contains("xmlns") {
        true => payload.to_owned(),
        false => payload.replacen("/>", &format!(" xmlns='{NS}'/>"), 1),
    };
    let iq = Iq {
        from: from.parse().unwrap(),
        to: CENTER.parse().unwrap(),
        at: At::Service,
        kind,
        id: "c".into(),
        lang: None,
        payload: document(payload.as_bytes(), &Limits::STORED).unwrap(),
        session: None,
        ahead: Ahead::default(),
        services: Arc::clone(services),
    };
    let service = services.hooks.find_service(CENTER).unwrap();
    match Arc::clone(service).request(iq).await.unwrap() {
        Ok(Some(answer)) => {
            let mut xml = Vec::new();
            write::element(&mut xml, &answer, "");
            Ok(String::from_utf8(xml).unwrap())
        }
        Ok(None) => Ok(String::new()),
        Err(error) => Err(match error.application {
            Some(own) => own.name().to_owned(),
            None => error.condition.name().to_owned(),
        }),
    }
}

async fn set(floor: &Floor, payload: &str) -> String {
    says(floor, CRM, IqType::Set, payload).await.unwrap()
}

/// A page of changes as the CRM fetches it: the cursors.
async fn fetched(floor: &Floor, page: &str) -> Vec<String> {
    let request = format!(
        "<changes xmlns='{NS}'><set xmlns='http://jabber.org/protocol/rsm'>{page}</set></changes>"
    );
    let answer = says(floor, CRM, IqType::Get, &request).await.unwrap();
    all(&answer, "cursor")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Waits for so many changes; each as cursor and version of its activity.
async fn sent(floor: &Floor, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    let told = async {
        loop {
            found.extend(floor.house.component_receives(CRM));
            if found.len() >= count {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    assert!(told.is_ok(), "{count}: {found:?}");
    let brief = |xml: &String| {
        assert!(xml.contains(&format!("from='{CENTER}'")) && xml.contains(" id='activity-"));
        format!("{} v{}", all(xml, "cursor")[0], all(xml, "version")[0])
    };
    found.iter().map(brief).collect()
}

/// Waits until whoever sends has looked at everything: nothing more comes.
async fn sends_no_more(floor: &Floor) {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(floor.house.component_receives(CRM), Vec::<String>::new());
}

/// Every change in its order, so many at a time as the window has, and once more when nothing is acknowledged in
/// time.
#[tokio::test]
async fn every_change_is_sent_in_order_within_the_window_until_it_is_acknowledged() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    floor.customer("c1", "Ann Example", "ann@example.net").await;
    let answer = set(&floor, "<subscribe/>").await;
    assert!(answer.contains("after='0' last='0'"), "{answer}");
    let mut call = Dealing::offered(&floor, "call-1", Medium::Voice, "ann").await;
    assert_eq!(sent(&floor, 1).await, ["1 v1"]);
    call.done(&floor, "ann", Verb::Accept).await;
    call.identify(&floor, "c1").await;
    call.report(&floor, Fact::Ended).await;
    call.take(&floor, Command::FinishWrapUp { by: id("ann") })
        .await;
    // The window is full with the first three; what is shown is the activity as it is when it is sent.
    let first = sent(&floor, 2).await;
    let cursors: Vec<&str> = first
        .iter()
        .map(|it| it.split(' ').next().unwrap())
        .collect();
    assert_eq!(cursors, ["2", "3"]);
    sends_no_more(&floor).await;
    set(&floor, "<acknowledge cursor='2'/>").await;
    assert_eq!(sent(&floor, 2).await, ["4 v5", "5 v5"]);
    // An older acknowledgement takes nothing back.
    set(&floor, "<acknowledge cursor='1'/>").await;
    sends_no_more(&floor).await;
    floor.house.clock.advance_seconds(60);
    floor.inside().0.feed.wake();
    assert_eq!(sent(&floor, 3).await, ["3 v5", "4 v5", "5 v5"]);
    set(&floor, "<acknowledge cursor='5'/>").await;
    floor.house.clock.advance_seconds(600);
    floor.inside().0.feed.wake();
    sends_no_more(&floor).await;
}

/// The server stops and starts with changes that were not acknowledged, and some that were not sent.
#[tokio::test]
async fn what_was_not_acknowledged_is_sent_again_after_a_restart() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    set(&floor, "<subscribe/>").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    sent(&floor, 2).await;
    set(&floor, "<acknowledge cursor='1'/>").await;
    let services = Arc::clone(floor.house.router.services());
    services.hooks.run_stopping(&services).await;
    call.report(&floor, Fact::Ended).await;
    assert_eq!(floor.house.component_receives(CRM), Vec::<String>::new());
    let center = Arc::new(Center::new(&services.config));
    Arc::clone(&center)
        .start(Arc::clone(&services))
        .await
        .unwrap();
    assert_eq!(sent(&floor, 2).await, ["2 v3", "3 v3"]);
    center.stop().await;
}

/// Who subscribes anew goes on where it has acknowledged, or where it says.
#[tokio::test]
async fn a_crm_goes_on_where_it_was_or_where_it_wants_to() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    // What was before is not sent unless it is wanted.
    let answer = set(&floor, "<subscribe/>").await;
    assert!(answer.contains("after='2' first='1' last='2'"), "{answer}");
    sends_no_more(&floor).await;
    call.report(&floor, Fact::Ended).await;
    assert_eq!(sent(&floor, 1).await, ["3 v3"]);
    let answer = set(&floor, "<subscribe/>").await;
    assert!(answer.contains("after='2' first='1' last='3'"), "{answer}");
    assert_eq!(sent(&floor, 1).await, ["3 v3"]);
    set(&floor, "<subscribe after='0'/>").await;
    assert_eq!(sent(&floor, 3).await, ["1 v3", "2 v3", "3 v3"]);
    set(&floor, "<unsubscribe/>").await;
    set(&floor, "<unsubscribe/>").await;
    call.take(&floor, Command::FinishWrapUp { by: id("ann") })
        .await;
    sends_no_more(&floor).await;
    let refused = says(&floor, CRM, IqType::Set, "<acknowledge cursor='3'/>").await;
    assert_eq!(refused.unwrap_err(), "not-subscribed");
}

/// What was sent over a connection that is gone may be lost: a CRM that is back is sent it again at once, though the old
/// connection was never seen to be gone.
#[tokio::test]
async fn a_crm_that_is_back_is_fed_at_once() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    set(&floor, "<subscribe/>").await;
    let _call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    assert_eq!(sent(&floor, 2).await.len(), 2);
    floor.house.component_goes(CRM).await;
    floor.house.component_comes(CRM).await;
    assert_eq!(sent(&floor, 2).await, ["1 v2", "2 v2"]);
}

/// A CRM that was away for so long that changes are forgotten which it has not acknowledged is told so.
#[tokio::test]
async fn a_gap_is_told() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    set(&floor, "<subscribe/>").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    set(&floor, "<acknowledge cursor='1'/>").await;
    floor.house.component_goes(CRM).await;
    call.report(&floor, Fact::Ended).await;
    let services = floor.house.router.services();
    let bounds = crate::store::JournalBounds {
        before: services.clock.now(),
        entries_max: 1,
    };
    let journal = super::super::journal("localhost");
    let journals = services.store.journals();
    journals.forget(&journal, bounds).await.unwrap();
    floor.house.component_comes(CRM).await;
    let answer = set(&floor, "<subscribe/>").await;
    assert!(
        answer.contains("after='1' first='3' last='3' gap='true'"),
        "{answer}"
    );
    let refused = says(&floor, CRM, IqType::Set, "<subscribe after='1'/>").await;
    assert_eq!(refused.unwrap_err(), "cursor-gone");
    let answer = set(&floor, "<subscribe after='2'/>").await;
    assert!(!answer.contains("gap"), "{answer}");
}

/// A CRM fetches changes and activities without being subscribed, too.
#[tokio::test]
async fn changes_and_activities_are_fetched() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    call.report(&floor, Fact::Ended).await;
    for (page, expected) in [
        ("", &["1", "2", "3"][..]),
        ("<max>2</max>", &["1", "2"]),
        ("<max>2</max><after>2</after>", &["3"]),
        ("<after>3</after>", &[]),
        ("<max>0</max>", &[]),
    ] {
        assert_eq!(fetched(&floor, page).await, expected, "{page}");
    }
    let known = call.activity(&floor, 0).await.id;
    let request = format!("<activity id='{known}'/>");
    let answer = says(&floor, CRM, IqType::Get, &request).await.unwrap();
    assert!(answer.contains("interaction='call-1'"), "{answer}");
    assert!(answer.contains("<count>0</count>"), "{answer}");
}

/// Other components, agents, and what makes no sense.
#[tokio::test]
async fn what_a_component_may_not_is_refused() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    let _call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let paged = |page: &str| {
        format!(
            "<changes xmlns='{NS}'><set xmlns='http://jabber.org/protocol/rsm'>{page}</set></changes>"
        )
    };
    let (get, set) = (IqType::Get, IqType::Set);
    for (from, kind, payload, expected) in [
        ("pbx.localhost", set, "<subscribe/>", "stranger"),
        ("pbx.localhost", get, "<changes/>", "stranger"),
        (
            "elsewhere.example",
            set,
            "<subscribe/>",
            "operation-unknown",
        ),
        (CRM, get, "<subscribe/>", "operation-type"),
        (CRM, set, "<note/>", "stranger"),
        (CRM, set, "<subscribe after='3'/>", "cursor-unknown"),
        (CRM, set, "<subscribe after='-1'/>", "field-malformed"),
        (CRM, set, "<subscribe after='x'/>", "field-malformed"),
        (CRM, set, "<subscribe until='1'/>", "field-unknown"),
        (CRM, set, "<acknowledge cursor='1'/>", "not-subscribed"),
        (CRM, set, "<acknowledge/>", "field-missing"),
        (CRM, get, &paged("<after>9</after>"), "cursor-unknown"),
        (CRM, get, &paged("<after>x</after>"), "field-malformed"),
        (CRM, get, &paged("<before/>"), "feature-not-implemented"),
        (CRM, get, "<activity id='unknown'/>", "activity-unknown"),
        (CRM, get, "<activity/>", "field-missing"),
    ] {
        let refused = says(&floor, from, kind, payload).await;
        assert_eq!(refused.unwrap_err(), expected, "{from} {payload}");
    }
    says(&floor, CRM, set, "<subscribe/>").await.unwrap();
    let refused = says(&floor, CRM, set, "<acknowledge cursor='3'/>").await;
    assert_eq!(refused.unwrap_err(), "cursor-unknown");
    let mut ann = agent(&floor, "ann/desk").await;
    let answer = request(&mut ann, "set", "subscribe", "").await;
    assert_eq!(code(&answer), "operation-unknown");
}

/// Who was a CRM and is configured as one no longer is sent nothing, whoever has its domain now.
#[tokio::test]
async fn who_is_no_crm_any_more_is_sent_nothing() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    let journals = floor.house.router.services().store.journals();
    journals
        .follow("activity localhost", "pbx.localhost", 0)
        .await
        .unwrap();
    set(&floor, "<subscribe/>").await;
    Dealing::offered(&floor, "call-1", Medium::Voice, "ann").await;
    assert_eq!(sent(&floor, 1).await, ["1 v1"]);
    sends_no_more(&floor).await;
    assert_eq!(
        floor.house.component_receives("pbx.localhost"),
        Vec::<String>::new()
    );
}

/// One that says nothing keeps no other from being told.
#[tokio::test]
async fn two_crms_are_told_at_their_own_pace() {
    let floor = Box::pin(floor(&["ann"], config())).await;
    set(&floor, "<subscribe/>").await;
    let other = "other.localhost";
    says(&floor, other, IqType::Set, "<subscribe/>")
        .await
        .unwrap();
    for number in 0..5 {
        let which = format!("call-{number}");
        Dealing::offered(&floor, &which, Medium::Voice, "ann").await;
        let cursor = format!("<acknowledge cursor='{}'/>", number + 1);
        assert_eq!(sent(&floor, 1).await.len(), 1);
        set(&floor, &cursor).await;
    }
    assert_eq!(floor.house.component_receives(other).len(), 3);
}
