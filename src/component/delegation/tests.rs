use super::*;
use crate::config::Config;
use crate::hooks::{At, Identity};
use crate::proto::common::forms::Form;
use crate::xml::{Limits, document};

fn read(text: &str) -> Stanza {
    reading::stored(text.to_owned().into()).unwrap()
}

fn config(delegations: &str) -> Component {
    let text = format!(
        "[[component]]\ndomain = 'pep.localhost'\nsecret = 's'\ndelegations = [{delegations}]"
    );
    let config = Config::parse("test", &text, std::iter::empty()).unwrap();
    config.components.into_iter().next().unwrap()
}

fn host() -> BareJid {
    BareJid::new("localhost").unwrap()
}

/// Requests without and with an address.
const WITHOUT: &str =
    "<iq xmlns='jabber:client' type='set' id='p' from='a@localhost/x'><q xmlns='urn:q'/></iq>";
const WITH: &str = "<iq xmlns='jabber:client' type='set' id='p' from='a@localhost/x' to='b@localhost'><q xmlns='urn:q'/></iq>";

/// The request, the head and the inside of the answer, and whether that counts.
const ANSWERS: &[(&str, &str, &str, bool)] = &[
    (
        WITHOUT,
        "type='result' id='p' to='a@localhost/x'",
        "<r xmlns='urn:q'/>",
        true,
    ),
    (WITHOUT, "type='result' id='p' to='a@localhost/x'", "", true),
    (
        WITHOUT,
        "type='result' id='p' to='a@localhost/x' from='a@localhost'",
        "",
        true,
    ),
    (
        WITH,
        "type='result' id='p' to='a@localhost/x' from='b@localhost'",
        "",
        true,
    ),
    (WITH, "type='result' id='p' to='a@localhost/x'", "", true),
    (
        WITHOUT,
        "type='error' id='p' to='a@localhost/x'",
        "<error type='cancel'/>",
        false,
    ),
    (
        WITHOUT,
        "type='set' id='p' to='a@localhost/x'",
        "<r xmlns='urn:q'/>",
        false,
    ),
    (
        WITHOUT,
        "type='result' id='q' to='a@localhost/x'",
        "",
        false,
    ),
    (WITHOUT, "type='result' id='p' to='a@localhost'", "", false),
    (WITHOUT, "type='result' id='p'", "", false),
    (
        WITH,
        "type='result' id='p' to='a@localhost/x' from='c@localhost'",
        "",
        false,
    ),
    (
        WITHOUT,
        "type='result' id='p' to='a@localhost/x' from='b@localhost'",
        "",
        false,
    ),
    (
        WITHOUT,
        "type='result' id='p' to='a@localhost/x'",
        "<r xmlns='urn:q'/><r xmlns='urn:q'/>",
        false,
    ),
];

// §4.3
#[test]
fn an_answer_counts_when_everything_in_it_fits_the_request() {
    for (request, head, payload, good) in ANSWERS {
        let request = read(request);
        let outer = read(&format!(
            "<iq xmlns='jabber:client' type='result' id='d' from='pubsub.localhost' to='localhost'>\
             <delegation xmlns='urn:xmpp:delegation:2'><forwarded xmlns='urn:xmpp:forward:0'>\
             <iq xmlns='jabber:client' {head}>{payload}</iq></forwarded></delegation></iq>"
        ));
        let answer = unwrapped(&request, &outer);
        assert_eq!(answer.is_some(), *good, "{head} {payload}");
        if let Some(answer) = answer {
            assert_eq!((&answer.to, &answer.from), (&request.from, &request.to));
            assert_eq!(answer.payload.is_empty(), payload.is_empty());
        }
    }
    let empty = read(
        "<iq xmlns='jabber:client' type='result' id='d' from='pubsub.localhost' to='localhost'/>",
    );
    assert!(unwrapped(&read(WITHOUT), &empty).is_none());
}

// §4.1, §4.3 N.B. 3
#[test]
fn a_request_is_meant_by_its_namespace_and_attributes() {
    let config = config(&format!("'urn:q', 'urn:m node x', '{}'", Delegation::ITEMS));
    for (payload, asked, meant) in [
        ("<q xmlns='urn:q'/>", "localhost", true),
        ("<q xmlns='urn:q' node='n'/>", "a@localhost", true),
        ("<q xmlns='urn:q#more'/>", "localhost", false),
        ("<m xmlns='urn:m'/>", "localhost", false),
        ("<m xmlns='urn:m' node='n'/>", "localhost", false),
        ("<m xmlns='urn:m' node='n' x=''/>", "localhost", true),
        (
            "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            "a@localhost",
            true,
        ),
        (
            "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            "localhost",
            false,
        ),
        (
            "<query xmlns='http://jabber.org/protocol/disco#info'/>",
            "a@localhost",
            false,
        ),
    ] {
        let request = read(&format!(
            "<iq xmlns='jabber:client' type='get' id='p' from='a@localhost/x'>{payload}</iq>"
        ));
        let asked = BareJid::new(asked).unwrap();
        let found = config
            .delegations
            .iter()
            .any(|it| is_meant(it, &request, &asked));
        assert_eq!(found, meant, "{payload} {asked}");
    }
}

// §7.2
#[test]
fn what_the_component_can_do_takes_the_place_of_what_the_server_could() {
    let form = |name: &str| {
        let text = format!(
            "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>{name}</value></field></x>"
        );
        Form::parse(&document(text.as_bytes(), &Limits::default()).unwrap()).unwrap()
    };
    let own = || Info {
        identities: vec![Identity::new("server", "im", "Parlour")],
        features: vec![
            "urn:other".into(),
            "urn:q".into(),
            "urn:q#old".into(),
            "urn:quite".into(),
        ],
        forms: vec![form("urn:q#meta"), form("urn:other")],
    };
    let config = config("'urn:q'");
    let nested = Nested::default();
    let shown = |nested: &Nested, at| {
        let mut info = own();
        nested.nest(&config, &host(), at, &mut info);
        let features: Vec<String> = info.features.iter().map(ToString::to_string).collect();
        let forms: Vec<String> = info
            .forms
            .iter()
            .filter_map(Form::type_name)
            .map(str::to_owned)
            .collect();
        (features.join(" "), info.identities.len(), forms.join(" "))
    };
    // Before it has said anything, nobody does what is delegated.
    let nothing = ("urn:other urn:quite".to_owned(), 1, "urn:other".to_owned());
    assert_eq!(shown(&nested, At::Host), nothing);
    let told = Info {
        identities: vec![Identity::new("pubsub", "pep", "Theirs")],
        features: vec!["urn:q".into(), "urn:q#new".into(), "urn:other".into()],
        forms: vec![form("urn:q#theirs")],
    };
    nested.set(host(), Scope::Host, "urn:q".to_owned(), told);
    let (features, identities, forms) = shown(&nested, At::Host);
    assert_eq!(features, "urn:other urn:q urn:q#new urn:quite");
    assert_eq!((identities, forms.as_str()), (2, "urn:other urn:q#theirs"));
    assert_eq!(shown(&nested, At::Own), nothing);
    assert_eq!(
        shown(&nested, At::Service).0,
        "urn:other urn:q urn:q#old urn:quite"
    );
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_wait_than_may_and_none_for_ever() {
    let mut config = config("'urn:q'");
    config.delegated_requests_max = 2;
    let delegated = Delegated::new(&config);
    let request =
        "<iq xmlns='jabber:client' type='get' id='p' from='a@localhost/x'><q xmlns='urn:q'/></iq>";
    let asked = || Asked {
        host: host(),
        what: What::Request(Box::new(read(request))),
    };
    let to = Jid::from(host());
    assert!(delegated.try_to_ask("1".to_owned(), asked()));
    assert!(delegated.try_to_ask("2".to_owned(), asked()));
    assert!(!delegated.try_to_ask("3".to_owned(), asked()));
    assert!(
        delegated
            .answered("1", &Jid::parse("elsewhere").unwrap())
            .is_none()
    );
    assert!(delegated.answered("1", &to).is_some());
    assert!(delegated.answered("1", &to).is_none());
    assert!(delegated.try_to_ask("4".to_owned(), asked()));
    let later = tokio::time::Instant::now() + config.delegated_seconds.duration();
    let (over, next) = delegated.overdue(later);
    assert_eq!((over.len(), next), (2, None));
    // The end of the connection is the end of all.
    assert!(delegated.try_to_ask("5".to_owned(), asked()));
    assert!(delegated.give_up().contains("5"));
    assert_eq!(delegated.overdue(tokio::time::Instant::now()).0.len(), 1);
    for number in 0..100 {
        let id = number.to_string();
        assert!(delegated.try_to_ask(id.clone(), asked()));
        delegated.forget(&id);
    }
    assert!(delegated.order_len() <= 6);
}
