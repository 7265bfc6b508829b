//! Who is logged in, and who is not yet.

use std::sync::Arc;

use super::*;
use crate::extensions::testing::{Client, House};
use crate::proto::StreamCondition;

async fn ask(client: &mut Client, kind: &str, to: &str, children: &str) -> String {
    client
        .send(&format!(
            "<iq type='{kind}' id='r' to='{to}'><query xmlns='jabber:iq:register'>{children}</query></iq>"
        ))
        .await;
    client.received_xml().concat()
}

fn fields(username: &str, password: &str) -> String {
    format!("<username>{username}</username><password>{password}</password>")
}

#[tokio::test]
async fn who_is_registered_is_told_so_without_the_password() {
    let house = House::with(&["ann"], register).await;
    let mut ann = house.client("ann/a");
    let told = ask(&mut ann, "get", "localhost", "").await;
    assert!(
        told.contains("<registered/><username>ann</username></query>"),
        "{told}"
    );
}

#[tokio::test]
async fn the_own_password_is_changed_and_no_other() {
    let house = House::with(&["ann", "bob"], register).await;
    let mut ann = house.client("ann/a");
    for (to, children, says) in [
        ("localhost", fields("bob", "new"), "<not-allowed"),
        (
            "localhost",
            "<username>ann</username>".to_owned(),
            "<not-acceptable",
        ),
        ("localhost", fields("a b", "new"), "<jid-malformed"),
        (
            "bob@localhost",
            fields("bob", "new"),
            "<service-unavailable",
        ),
        ("localhost", fields("ann", "\u{7f}"), "<not-acceptable"),
        ("localhost", fields("ANN", "new"), "type='result'"),
        ("ann@localhost", fields("ann", "newer"), "type='result'"),
    ] {
        let answer = ask(&mut ann, "set", to, &children).await;
        assert!(answer.contains(says), "{children}: {answer}");
    }
    let services = house.router.services();
    let keys = |name: &str| {
        let jid = BareJid::new(&format!("{name}@localhost")).unwrap();
        async move {
            services
                .store
                .credentials()
                .strongest(&jid)
                .await
                .unwrap()
                .unwrap()
                .keys
        }
    };
    assert!(keys("ann").await.unwrap().verify_password("newer"));
    assert!(keys("bob").await.is_none());
}

#[tokio::test]
async fn a_canceled_account_is_gone_after_the_answer() {
    let house = House::with(&["ann"], register).await;
    let (mut ann, other) = (house.client("ann/a"), house.client("ann/b"));
    let refused = ask(
        &mut ann,
        "set",
        "localhost",
        "<remove/><username>ann</username>",
    )
    .await;
    assert!(refused.contains("<bad-request"), "{refused}");
    let answer = ask(&mut ann, "set", "localhost", "<remove/>").await;
    assert!(answer.contains("type='result'"), "{answer}");
    for session in [&ann.session, &other.session] {
        let error = session.until_ended().await;
        assert_eq!(error.condition, StreamCondition::NotAuthorized);
    }
    let jid = BareJid::new("ann@localhost").unwrap();
    let found = house
        .router
        .services()
        .store
        .accounts()
        .find(&jid)
        .await
        .unwrap();
    assert_eq!(found, None);
}

fn open(hooks: &mut Hooks, config: &Arc<Config>) {
    let mut config = Config::clone(config);
    config.registration.mode = RegistrationMode::Open;
    register(hooks, &Arc::new(config));
}

fn invite(hooks: &mut Hooks, config: &Arc<Config>) {
    let mut config = Config::clone(config);
    config.registration.mode = RegistrationMode::Invite;
    register(hooks, &Arc::new(config));
}

async fn stream(
    house: &House,
    encrypted: bool,
    kind: IqType,
    children: &[(&str, &str)],
) -> Option<IqAnswer> {
    let fields = children
        .iter()
        .map(|(name, text)| Element::new(ns::REGISTER, name).text(*text));
    let services = Arc::clone(house.router.services());
    let answer = services.hooks.answer_stream(StreamIq {
        host: BareJid::new("localhost").unwrap(),
        peer: [192, 0, 2, 7].into(),
        encrypted,
        kind,
        payload: Element::new(ns::REGISTER, "query").children_from(fields),
        slots: Arc::default(),
        services: Arc::clone(&services),
    })?;
    Some(answer.await)
}

#[tokio::test]
async fn accounts_are_made_in_band_only_where_it_is_open() {
    let host = BareJid::new("localhost").unwrap();
    let offered = |house: &House| {
        let hooks = &house.router.services().hooks;
        hooks.stream_features(StreamPhase::Negotiation, &host).len()
    };
    let wanted = [("username", "carl"), ("password", "p")];
    let closed = House::with(&[], register).await;
    assert_eq!(offered(&closed), 0);
    assert!(stream(&closed, true, IqType::Set, &wanted).await.is_none());
    let invite = House::with(&[], invite).await;
    assert_eq!(offered(&invite), 2);
    let refused = stream(&invite, true, IqType::Set, &wanted).await.unwrap();
    assert_eq!(refused.unwrap_err().condition, Condition::NotAllowed);
    let open = House::with(&[], open).await;
    assert_eq!(offered(&open), 2);
    assert!(
        stream(&open, true, IqType::Set, &wanted)
            .await
            .unwrap()
            .is_ok()
    );
    let jid = BareJid::new("carl@localhost").unwrap();
    let made = open
        .router
        .services()
        .store
        .accounts()
        .find(&jid)
        .await
        .unwrap();
    assert_eq!(made.unwrap().role, Role::Member);
}

#[tokio::test]
async fn a_newcomer_is_refused_with_the_condition_that_fits() {
    let house = House::with(&["ann"], open).await;
    let form = stream(&house, true, IqType::Get, &[])
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(form.find(ns::REGISTER, "password").is_some());
    let long = "x".repeat(65);
    for (username, password, condition) in [
        ("ann", "p", Condition::Conflict),
        ("", "p", Condition::NotAcceptable),
        ("carl", "", Condition::NotAcceptable),
        ("carl@localhost", "p", Condition::JidMalformed),
        ("Admin", "p", Condition::NotAcceptable),
        (&long, "p", Condition::NotAcceptable),
    ] {
        let fields = [("username", username), ("password", password)];
        let refused = stream(&house, true, IqType::Set, &fields).await.unwrap();
        assert_eq!(refused.unwrap_err().condition, condition, "{username}");
    }
    let fields = [("username", "carl"), ("password", "p")];
    let refused = stream(&house, false, IqType::Set, &fields).await.unwrap();
    assert_eq!(refused.unwrap_err().condition, Condition::NotAuthorized);
    for number in 0..6 {
        let name = format!("u{number}");
        let fields = [("username", name.as_str()), ("password", "p")];
        let answer = stream(&house, true, IqType::Set, &fields).await.unwrap();
        // Asking for the name that is taken has cost as much as an account.
        assert_eq!(answer.is_ok(), number < 4, "{answer:?}");
    }
    let fields = [("username", "ann"), ("password", "p")];
    let refused = stream(&house, true, IqType::Set, &fields).await.unwrap();
    let condition = refused.unwrap_err().condition;
    assert_eq!(condition, Condition::ResourceConstraint, "no name is told");
}

#[tokio::test]
async fn contacts_of_a_canceled_account_learn_that_it_is_gone() {
    let house = House::new(&["ann", "bob"]).await;
    let (mut ann, mut bob) = (house.client("ann/a"), house.client("bob/b"));
    let roster = "<iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>";
    for client in [&mut ann, &mut bob] {
        client.send(roster).await;
        client.send("<presence/>").await;
    }
    for (client, to) in [(&mut ann, "bob"), (&mut bob, "ann")] {
        client
            .send(&format!("<presence type='subscribe' to='{to}@localhost'/>"))
            .await;
    }
    for (client, to) in [(&mut ann, "bob"), (&mut bob, "ann")] {
        client
            .send(&format!(
                "<presence type='subscribed' to='{to}@localhost'/>"
            ))
            .await;
    }
    let before = bob.heard();
    assert!(
        before
            .iter()
            .any(|heard| heard.contains("subscription='both'")),
        "{before:?}"
    );
    ask(&mut ann, "set", "localhost", "<remove/>").await;
    let after = bob.heard();
    for says in [
        "unavailable ann@localhost/a",
        "unsubscribed ann@localhost",
        "subscription='none'",
    ] {
        assert!(
            after.iter().any(|heard| heard.contains(says)),
            "{says}: {after:?}"
        );
    }
}
