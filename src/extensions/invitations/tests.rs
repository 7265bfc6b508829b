//! Invitations from the command to the contact, through a router and a database.

use std::sync::Arc;

use crate::admin::{Actor, Given, Operator, Outcome, Refusal, perform};
use crate::config::{Config, InvitationsBy, RegistrationMode};
use crate::domain::rights::Role;
use crate::extensions::testing::{Client, House};
use crate::hooks::{IqAnswer, Slots, StreamIq};
use crate::proto::{BareJid, Condition, IqType, ns};
use crate::store::Subscription;
use crate::xml::Element;

use super::PARS;

async fn house(mode: RegistrationMode) -> House {
    let all = |hooks: &mut crate::hooks::Hooks, config: &Arc<Config>| {
        *hooks = crate::extensions::hooks(config);
    };
    House::configured(&["romeo", "juliet"], config(mode), all).await
}

fn config(mode: RegistrationMode) -> Config {
    let mut config = Config::default();
    config.registration.mode = mode;
    config.invitations.landing_url = "https://{host}/i/#{token}?{uri}".to_owned();
    config.invitations.open_per_account_max = 3;
    config.auth.scram_iterations = 4096;
    config
}

async fn create(house: &House, given: &[(&str, &str)]) -> Result<Outcome, Refusal> {
    let operator = Operator::running(Arc::clone(house.router.services()));
    let pairs = given.iter();
    let given: Given = pairs
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    let by = Actor::command_line(None);
    Box::pin(perform(&operator, &by, "invite create", &given)).await
}

/// The token in a link.
fn token(uri: &str) -> String {
    let rest = uri.split_once("preauth=").unwrap().1;
    rest.split([';', '<', '?']).next().unwrap().to_owned()
}

async fn created(house: &House, given: &[(&str, &str)]) -> String {
    let outcome = create(house, given).await.unwrap();
    token(outcome.data["uri"].as_str().unwrap())
}

/// One stream before authentication.
struct Stranger<'a> {
    house: &'a House,
    slots: Arc<Slots>,
}

impl<'a> Stranger<'a> {
    fn new(house: &'a House) -> Self {
        let slots = Arc::default();
        Self { house, slots }
    }

    async fn ask(&self, encrypted: bool, payload: Element) -> IqAnswer {
        let services = Arc::clone(self.house.router.services());
        let request = StreamIq {
            host: BareJid::new("localhost").unwrap(),
            peer: [192, 0, 2, 7].into(),
            encrypted,
            kind: IqType::Set,
            payload,
            slots: Arc::clone(&self.slots),
            services: Arc::clone(&services),
        };
        services.hooks.answer_stream(request).unwrap().await
    }

    async fn show(&self, token: &str) -> Result<(), Condition> {
        let preauth = Element::new(PARS, "preauth").attr("token", token);
        let answer = self.ask(true, preauth).await;
        answer.map(|_| ()).map_err(|error| error.condition)
    }

    async fn register(&self, username: &str) -> Result<(), Condition> {
        let field = |name, text| Element::new(ns::REGISTER, name).text(text);
        let query = Element::new(ns::REGISTER, "query")
            .child(field("username", username))
            .child(field("password", "secret"));
        let answer = Box::pin(self.ask(true, query)).await;
        answer.map(|_| ()).map_err(|error| error.condition)
    }
}

async fn subscription(house: &House, owner: &str, contact: &str) -> Option<Subscription> {
    let jid = |name: &str| BareJid::new(&format!("{name}@localhost")).unwrap();
    let rosters = house.router.services().store.rosters();
    let item = rosters.find(&jid(owner), &jid(contact)).await.unwrap();
    item.map(|item| item.subscription)
}

async fn command(client: &mut Client, node: &str) -> String {
    client
        .send(&format!(
            "<iq type='set' id='c' to='localhost'><command node='urn:xmpp:invite#{node}' \
             xmlns='http://jabber.org/protocol/commands' action='execute'/></iq>"
        ))
        .await;
    client.received_xml().concat()
}

#[tokio::test]
async fn a_token_makes_one_account_and_two_contacts_xep_0445_section_4() {
    let house = house(RegistrationMode::Invite).await;
    let mut romeo = house.client("romeo/orchard");
    romeo
        .send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
        .await;
    romeo.received();
    let invited = command(&mut romeo, "invite").await;
    let uri = "<value>xmpp:romeo@localhost?roster;preauth=";
    assert!(
        invited.contains(uri) && invited.contains(";ibr=y"),
        "{invited}"
    );
    let token = token(&invited);
    assert_eq!(token.len(), 32);
    let landing = format!("<value>https://localhost/i/#{token}?xmpp%3Aromeo%40localhost%3Froster");
    assert!(invited.contains(&landing), "{invited}");
    assert!(invited.contains("status='completed'"), "{invited}");

    let stranger = Stranger::new(&house);
    let refused = stranger.register("benvolio").await;
    assert_eq!(refused, Err(Condition::NotAllowed), "no token was shown");
    assert_eq!(stranger.show(&token).await, Ok(()));
    assert_eq!(stranger.show(&token).await, Ok(()), "not used by that");
    for (username, condition) in [
        ("romeo", Condition::Conflict),
        ("admin", Condition::NotAcceptable),
        ("a@b", Condition::JidMalformed),
    ] {
        assert_eq!(stranger.register(username).await, Err(condition));
    }
    assert_eq!(stranger.register("benvolio").await, Ok(()));
    assert_eq!(
        stranger.register("mercutio").await,
        Err(Condition::NotAllowed)
    );
    let other = Stranger::new(&house);
    assert_eq!(other.show(&token).await, Err(Condition::ItemNotFound));
    let both = Some(Subscription::Both);
    assert_eq!(subscription(&house, "romeo", "benvolio").await, both);
    assert_eq!(subscription(&house, "benvolio", "romeo").await, both);
    let pushed = romeo.heard();
    let last = "push <item jid='benvolio@localhost' subscription='both'";
    assert!(pushed.last().unwrap().starts_with(last), "{pushed:?}");
}

#[tokio::test]
async fn tokens_that_are_made_up_old_or_for_another_are_refused() {
    let house = house(RegistrationMode::Invite).await;
    let stranger = Stranger::new(&house);
    for made_up in ["", "0123456789abcdef", &"x".repeat(10_000)] {
        assert_eq!(stranger.show(made_up).await, Err(Condition::ItemNotFound));
    }
    let preauth = Element::new(PARS, "preauth");
    let missing = stranger.ask(true, preauth.clone()).await.unwrap_err();
    assert_eq!(missing.condition, Condition::BadRequest);
    let open = stranger.ask(false, preauth.attr("token", "x")).await;
    assert_eq!(open.unwrap_err().condition, Condition::NotAuthorized);

    let token = created(&house, &[("days", "2")]).await;
    house.clock.advance_seconds(2 * 86_400 - 1);
    let before = Stranger::new(&house);
    assert_eq!(before.show(&token).await, Ok(()));
    house.clock.advance_seconds(1);
    let after = Stranger::new(&house);
    assert_eq!(after.show(&token).await, Err(Condition::ItemNotFound));
    // XEP-0445 §4: it is looked at once whether it has ended.
    assert_eq!(before.register("benvolio").await, Ok(()));
    let mut refused = Vec::new();
    for _ in 0..20 {
        refused.push(after.show("guess").await.unwrap_err());
    }
    assert!(refused.contains(&Condition::ResourceConstraint), "guessing");
}

#[tokio::test]
async fn an_account_that_is_named_is_kept_for_the_invited() {
    let house = house(RegistrationMode::Open).await;
    let named = created(&house, &[("account", "admin@localhost")]).await;
    let outsider = Stranger::new(&house);
    assert_eq!(
        outsider.register("admin").await,
        Err(Condition::NotAcceptable)
    );
    let kept = created(&house, &[("account", "tybalt@localhost")]).await;
    assert_eq!(outsider.register("tybalt").await, Err(Condition::Conflict));
    let stranger = Stranger::new(&house);
    stranger.show(&named).await.unwrap();
    assert_eq!(
        stranger.register("tybalt").await,
        Err(Condition::NotAcceptable)
    );
    assert_eq!(stranger.register("admin").await, Ok(()));
    let other = Stranger::new(&house);
    other.show(&kept).await.unwrap();
    assert_eq!(other.register("tybalt").await, Ok(()));
}

#[tokio::test]
async fn an_invitation_counts_its_uses() {
    let house = house(RegistrationMode::Invite).await;
    let token = created(&house, &[("uses", "2"), ("inviter", "romeo@localhost")]).await;
    let streams = [0, 1, 2].map(|_| Stranger::new(&house));
    for stream in &streams {
        stream.show(&token).await.unwrap();
    }
    assert_eq!(streams[0].register("a").await, Ok(()));
    assert_eq!(streams[1].register("a").await, Err(Condition::Conflict));
    assert_eq!(streams[1].register("b").await, Ok(()));
    assert_eq!(streams[2].register("c").await, Err(Condition::NotAllowed));
    let both = Some(Subscription::Both);
    for name in ["a", "b"] {
        assert_eq!(subscription(&house, "romeo", name).await, both);
    }
}

#[tokio::test]
async fn a_subscription_request_with_a_token_is_approved_xep_0379_section_3_5() {
    let house = house(RegistrationMode::Closed).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    for client in [&mut romeo, &mut juliet] {
        client.send("<presence/>").await;
        client.received();
    }
    let invited = command(&mut romeo, "invite").await;
    assert!(!invited.contains("ibr=y"), "nobody may register: {invited}");
    let token = token(&invited);
    let request = |token: &str| {
        format!(
            "<presence type='subscribe' to='romeo@localhost'>\
             <preauth xmlns='urn:xmpp:pars:0' token='{token}'/></presence>"
        )
    };
    juliet
        .send("<presence type='subscribed' to='romeo@localhost'/>")
        .await;
    // §4.1: as if there were none.
    juliet.send(&request("forged")).await;
    assert!(romeo.heard().concat().contains("token='forged'"));
    assert_eq!(
        subscription(&house, "juliet", "romeo").await,
        Some(Subscription::None)
    );
    juliet.send(&request(&token)).await;
    let both = Some(Subscription::Both);
    assert_eq!(subscription(&house, "romeo", "juliet").await, both);
    assert_eq!(subscription(&house, "juliet", "romeo").await, both);
    let heard = juliet.heard();
    assert!(
        heard.contains(&"subscribed romeo@localhost".to_owned()),
        "{heard:?}"
    );
    assert!(
        heard.contains(&"available romeo@localhost/orchard".to_owned()),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_token_is_good_for_its_inviter_only_and_once() {
    let house = house(RegistrationMode::Closed).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    let token = token(&command(&mut romeo, "invite").await);
    romeo
        .send(&format!(
            "<presence type='subscribe' to='juliet@localhost'>\
             <preauth xmlns='urn:xmpp:pars:0' token='{token}'/></presence>"
        ))
        .await;
    assert_eq!(subscription(&house, "juliet", "romeo").await, None);
    let kept = house.router.services().store.invitations();
    let id = crate::admin::token_id(&token);
    assert_eq!(kept.find(&id).await.unwrap().unwrap().uses_left, 1);
    assert!(kept.take_use(&id).await.unwrap());
    juliet
        .send(&format!(
            "<presence type='subscribe' to='romeo@localhost'>\
             <preauth xmlns='urn:xmpp:pars:0' token='{token}'/></presence>"
        ))
        .await;
    assert_eq!(
        subscription(&house, "juliet", "romeo").await,
        Some(Subscription::None)
    );
}

#[tokio::test]
async fn who_may_invite_and_how_often_is_the_operators() {
    let house = house(RegistrationMode::Invite).await;
    let mut romeo = house.client("romeo/orchard");
    for _ in 0..3 {
        assert!(command(&mut romeo, "invite").await.contains("completed"));
    }
    assert!(
        command(&mut romeo, "invite")
            .await
            .contains("<not-acceptable ")
    );
    assert!(
        command(&mut romeo, "create-account")
            .await
            .contains("<forbidden ")
    );
    for (given, usage) in [
        (&[("uses", "0")][..], true),
        (&[("uses", "many")], true),
        (&[("days", "99999")], true),
        (&[("account", "romeo@localhost")], false),
        (&[("account", "x@localhost"), ("uses", "2")], true),
        (&[("inviter", "nobody@localhost")], false),
    ] {
        let refusal = create(&house, given).await.unwrap_err();
        let is_usage = matches!(refusal, Refusal::Usage(_));
        assert_eq!(is_usage, usage, "{given:?}: {refusal}");
    }
    let mut config = Config::clone(&house.router.services().config);
    config.invitations.allowed = InvitationsBy::Administrators;
    let mut operator = Operator::running(Arc::clone(house.router.services()));
    operator.config = Arc::new(config);
    let juliet = BareJid::new("juliet@localhost").unwrap();
    for (role, allowed) in [(Role::Member, false), (Role::Administrator, true)] {
        let made = crate::admin::invite_contact(&operator, &juliet, role);
        assert_eq!(Box::pin(made).await.is_ok(), allowed);
    }
}

#[tokio::test]
async fn an_administrator_names_the_account_in_a_form_xep_0401_section_4_4() {
    let house = house(RegistrationMode::Invite).await;
    let romeo = BareJid::new("romeo@localhost").unwrap();
    let accounts = house.router.services().store.accounts();
    accounts
        .set_role(&romeo, Role::Administrator)
        .await
        .unwrap();
    let mut romeo = house.client("romeo/orchard");
    let asked = command(&mut romeo, "create-account").await;
    assert!(asked.contains("var='username'"), "{asked}");
    let session = asked.split_once("sessionid='").unwrap().1;
    let session = session.split_once('\'').unwrap().0;
    romeo
        .send(&format!(
            "<iq type='set' id='d' to='localhost'><command sessionid='{session}' \
             node='urn:xmpp:invite#create-account' xmlns='http://jabber.org/protocol/commands'>\
             <x xmlns='jabber:x:data' type='submit'><field var='username'><value>l&apos;aura</value>\
             </field><field var='roster-subscription'><value>1</value></field></x></command></iq>"
        ))
        .await;
    let refused = romeo.received_xml().concat();
    assert!(refused.contains("type='error'"), "no localpart: {refused}");
    romeo
        .send(&format!(
            "<iq type='set' id='d' to='localhost'><command sessionid='{session}' \
             node='urn:xmpp:invite#create-account' xmlns='http://jabber.org/protocol/commands'>\
             <x xmlns='jabber:x:data' type='submit'><field var='username'><value>laura</value>\
             </field><field var='roster-subscription'><value>1</value></field></x></command></iq>"
        ))
        .await;
    let made = romeo.received_xml().concat();
    assert!(
        made.contains("<value>xmpp:laura@localhost?register;preauth="),
        "{made}"
    );
    let stranger = Stranger::new(&house);
    stranger.show(&token(&made)).await.unwrap();
    assert_eq!(stranger.register("laura").await, Ok(()));
    let both = Some(Subscription::Both);
    assert_eq!(subscription(&house, "laura", "romeo").await, both);
}
