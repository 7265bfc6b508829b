//! Stanzas in, stanzas out.

use super::*;
use crate::proto::reading;
use crate::xml::{Limits, Scope, parse};

const START: i64 = 1_790_000_000_000_000;
const LATER: &str = "2099-01-01T00:00:00Z";

struct Stage {
    desk: Desk,
    now: Instant,
}

impl Stage {
    fn new() -> Self {
        let jid = |text| BareJid::new(text).unwrap();
        let clock = Clock::manual(Timestamp::from_micros(START));
        let (own, host) = (jid("phones.localhost"), jid("localhost"));
        let desk = Desk::new(own, host, jid("center.localhost"), clock);
        let now = Instant::now();
        Self { desk, now }
    }

    /// What is answered at once.
    fn takes(&mut self, text: &str) -> Vec<String> {
        let scope = Scope::with_default(ns::COMPONENT);
        let parsed = parse(text.to_owned().into(), &scope, &Limits::default()).unwrap();
        let stanza = reading::stanza(parsed, ns::COMPONENT).unwrap();
        shown(&self.desk.take(stanza, self.now))
    }

    fn asks(&mut self, id: &str, verb: &str, more: &str) -> Vec<String> {
        self.takes(&format!(
            "<iq type='set' id='{id}' from='center.localhost' to='phones.localhost'>\
             <request xmlns='{NS}' id='{id}' interaction='c1' verb='{verb}' \
             agent='romeo@localhost' {more}/></iq>"
        ))
    }

    fn says(&mut self, text: &str) -> Vec<String> {
        self.takes(&format!(
            "<message type='chat' from='romeo@localhost/desk' to='phones.localhost'>\
             <body>{text}</body></message>"
        ))
    }

    /// What is said when so much time has gone by.
    fn waits(&mut self, duration: Duration) -> Vec<String> {
        self.now += duration;
        shown(&self.desk.on_time(self.now))
    }

    /// A call of romeo's to a customer, who has not answered yet.
    fn dials(&mut self, address: &str) {
        let more = format!("address='{address}' medium='voice' until='{LATER}'");
        assert_eq!(self.asks("r0", "dial", &more), Vec::<String>::new());
        assert!(self.waits(MOMENT).concat().contains("type='result'"));
    }
}

fn shown(stanzas: &[Stanza]) -> Vec<String> {
    let text = |stanza: &Stanza| String::from_utf8(stanza.to_document()).unwrap();
    stanzas.iter().map(text).collect()
}

fn id(stanza: &str) -> &str {
    stanza
        .split(" id='")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap()
}

#[test]
fn an_order_becomes_an_offer_and_its_answer_a_sentence() {
    let mut stage = Stage::new();
    let said = stage.says("call romeo from +39 06 698 1234");
    assert_eq!(said.len(), 1);
    let offered =
        " medium='voice' direction='inbound' address='+39 06 698 1234' agent='romeo@localhost'/>";
    assert!(said[0].contains(offered), "{}", said[0]);
    let answer = format!(
        "<iq type='result' id='{}' from='center.localhost' to='phones.localhost'/>",
        id(&said[0])
    );
    let told = stage.takes(&answer);
    assert!(told[0].contains(" rings at romeo.</body>"), "{}", told[0]);
    assert!(told[0].contains("to='romeo@localhost/desk'"), "{}", told[0]);
    assert_eq!(stage.takes(&answer), Vec::<String>::new());
    let listed = stage.says("list");
    assert!(
        listed[0].contains("waits, ringing at romeo"),
        "{}",
        listed[0]
    );
}

#[test]
fn an_offer_that_is_refused_leaves_no_call() {
    let mut stage = Stage::new();
    let said = stage.says("chat romeo from mary@example.com");
    let told = stage.takes(&format!(
        "<iq type='error' id='{}' from='center.localhost' to='phones.localhost'>\
         <error type='wait'><recipient-unavailable xmlns='{errors}'/>\
         <text xmlns='{errors}'>This agent is not logged in.</text></error></iq>",
        id(&said[0]),
        errors = ns::STANZA_ERRORS
    ));
    let expected = "<body>Not done: This agent is not logged in.</body>";
    assert!(told[0].contains(expected), "{}", told[0]);
    assert!(stage.says("list")[0].contains("Nobody calls or writes."));
}

#[test]
fn a_request_is_done_in_a_moment_and_refused_with_a_reason() {
    let mut stage = Stage::new();
    let until = format!("until='{LATER}'");
    stage.asks("r1", "hold", &until);
    assert_eq!(stage.waits(Duration::ZERO), Vec::<String>::new());
    let refused = stage.waits(MOMENT);
    assert!(
        refused[0].contains("type='error' id='r1'"),
        "{}",
        refused[0]
    );
    assert!(
        refused[0].contains("the customer has hung up"),
        "{}",
        refused[0]
    );
    stage.dials("+39066981234");
    assert!(stage.waits(RINGING)[0].contains("fact='talking'"));
    stage.asks("r2", "hold", &until);
    assert!(stage.waits(MOMENT)[0].contains("type='result' id='r2'"));
}

/// The server has given up by then, and would not hear of it.
#[test]
fn what_is_asked_too_late_is_not_done() {
    let mut stage = Stage::new();
    stage.dials("+39066981234");
    stage.waits(RINGING);
    for until in ["until='2000-01-01T00:00:00Z'", "until='soon'"] {
        stage.asks("r1", "hold", until);
        let refused = stage.waits(MOMENT);
        assert!(
            refused[0].contains("<remote-server-timeout"),
            "{}",
            refused[0]
        );
    }
    stage.asks("r2", "hold", "");
    assert!(stage.waits(MOMENT)[0].contains("<bad-request"));
    assert!(stage.says("list")[0].contains("talks"));
}

#[test]
fn nobody_answers_some_numbers_and_nobody_waits_for_ever() {
    let mut stage = Stage::new();
    stage.dials("+39066981200");
    assert!(stage.waits(RINGING)[0].contains("fact='ended'"));
    stage.says("call romeo from +39 06 698 1234");
    assert_eq!(stage.waits(PATIENCE - MOMENT), Vec::<String>::new());
    assert!(stage.waits(MOMENT)[0].contains("fact='ended'"));
    assert!(stage.desk.next_due().is_none());
}

#[test]
fn only_the_service_asks_and_only_people_of_the_host_order() {
    let mut stage = Stage::new();
    let request = format!(
        "<iq type='set' id='r1' from='mallory@localhost/x' to='phones.localhost'>\
         <request xmlns='{NS}' id='r1' interaction='c1' verb='end' agent='romeo@localhost' until='{LATER}'/></iq>"
    );
    assert!(stage.takes(&request)[0].contains("<service-unavailable"));
    let stranger = "<message type='chat' from='mallory@example.org/x' to='phones.localhost'><body>list</body></message>";
    assert_eq!(stage.takes(stranger), Vec::<String>::new());
    let error = "<message type='error' from='romeo@localhost/x' to='phones.localhost'><body>list</body></message>";
    assert_eq!(stage.takes(error), Vec::<String>::new());
}

/// The customer's words go to who is in the chat, the agents' to who plays the customer.
#[test]
fn a_chat_is_talked_in() {
    let mut stage = Stage::new();
    let offer = stage.says("chat romeo from mary@example.com");
    let call = offer[0].split("interaction='").nth(1).unwrap();
    let call = call.split('\'').next().unwrap();
    let address = format!("{call}@phones.localhost");
    let writes = |agent: &str| {
        format!(
            "<message type='chat' from='{agent}@localhost/x' to='{address}'><body>Hello</body></message>"
        )
    };
    assert!(stage.says(&format!("say {call} Hi"))[0].contains("Nobody is in this chat."));
    assert!(stage.takes(&writes("romeo"))[0].contains("You are not in this chat."));
    let accept = format!(
        "<iq type='set' id='r1' from='center.localhost' to='phones.localhost'><request xmlns='{NS}' id='r1' \
         interaction='{call}' verb='accept' agent='romeo@localhost' until='{LATER}'/></iq>"
    );
    stage.takes(&accept);
    let done = stage.waits(MOMENT);
    assert!(done[0].contains("type='result'"), "{done:?}");
    assert!(
        done[1].contains("What you write here goes to mary@example.com."),
        "{done:?}"
    );
    let said = stage.says(&format!("say {call} Hi there"));
    let expected = format!("from='{address}' to='romeo@localhost' type='chat'");
    assert!(
        said[0].contains(&expected) && said[0].contains("Hi there"),
        "{said:?}"
    );
    let heard = stage.takes(&writes("romeo"));
    let expected = format!("<body>{call}, romeo: Hello</body>");
    assert!(heard[0].contains("to='romeo@localhost/desk'"), "{heard:?}");
    assert!(heard[0].contains(&expected), "{heard:?}");
    assert!(stage.takes(&writes("juliet"))[0].contains("You are not in this chat."));
    stage.says(&format!("hang up {call}"));
    assert!(stage.takes(&writes("romeo"))[0].contains("You are not in this chat."));
    assert!(stage.says(&format!("say {call} Hi"))[0].contains("There is no such chat."));
}

/// XEP-0030: whoever looks through the services of the host gets an answer.
#[test]
fn it_says_what_it_is() {
    let mut stage = Stage::new();
    let asked = |query: &str| {
        format!(
            "<iq type='get' id='q1' from='romeo@localhost/x' to='phones.localhost'>{query}</iq>"
        )
    };
    let info = format!("<query xmlns='{}'/>", ns::DISCO_INFO);
    let answer = stage.takes(&asked(&info));
    assert!(
        answer[0].contains("name='Telephones and chats'"),
        "{}",
        answer[0]
    );
    let answer = stage.takes(&asked("<ping xmlns='urn:xmpp:ping'/>"));
    assert!(answer[0].contains("type='result'"), "{}", answer[0]);
    let answer = stage.takes(&asked("<query xmlns='jabber:iq:version'/>"));
    assert!(answer[0].contains("<service-unavailable"), "{}", answer[0]);
}

/// After a new connection the server asks, and is asked, what is so.
#[test]
fn both_sides_are_compared() {
    let mut stage = Stage::new();
    stage.dials("+39066981234");
    stage.waits(RINGING);
    stage.desk.disconnected();
    let asked = shown(&stage.desk.connected());
    let question = format!(
        "<iq type='get' id='q1' from='center.localhost' to='phones.localhost'><interactions xmlns='{NS}'/></iq>"
    );
    let answer = stage.takes(&question);
    let so = "<interaction id='c1' line='connected'><agent jid='romeo@localhost'/></interaction>";
    assert!(answer[0].contains(so), "{}", answer[0]);
    stage.takes(&format!(
        "<iq type='result' id='{}' from='center.localhost' to='phones.localhost'><interactions xmlns='{NS}'>\
         <set xmlns='{}'><count>0</count></set></interactions></iq>",
        id(&asked[0]),
        ns::RSM
    ));
    assert!(stage.says("list")[0].contains("Nobody calls or writes."));
}

/// What an agent passes to a customer is shown once, and said in its chat; one without an address is refused.
#[test]
fn what_is_passed_to_a_customer_is_shown_once() {
    let mut stage = Stage::new();
    let said = stage.says("chat romeo from mary@example.com");
    assert!(said.concat().contains("medium='chat'"), "{said:?}");
    let delivery = |id: &str, from: &str, attributes: &str, address: &str| {
        format!(
            "<message id='{id}' from='{from}' to='phones.localhost'><deliver xmlns='{NS}' stream='s' \
             message='m'{attributes}>{address}<title>Call back</title><text>Tomorrow.</text>\
             <attachment name='a' url='https://localhost/a'/></deliver></message>"
        )
    };
    let address = "<address medium='email'>mary@example.com</address>";
    let first = delivery("1", "center.localhost", "", address);
    let said = stage.takes(&first);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("to='romeo@localhost/desk'"), "{said:?}");
    assert!(said[0].contains(": Call back\nTomorrow."), "{said:?}");
    assert_eq!(stage.takes(&first), Vec::<String>::new());
    let elsewhere = "<address medium='email'>paul@example.com</address>";
    let edited = delivery("2", "center.localhost", " corrects='true'", elsewhere);
    assert_eq!(stage.takes(&edited), Vec::<String>::new());
    let written = |to: &str, head: &str| Written {
        to: to.to_owned(),
        text: format!("{head}\nTomorrow.\nhttps://localhost/a"),
    };
    let expected = [
        written("mary@example.com", "Call back"),
        written("paul@example.com", "Call back (corrected)"),
    ];
    assert_eq!(stage.desk.written(), expected);
    let refused = stage.takes(&delivery("3", "center.localhost", "", ""));
    assert!(refused.concat().contains("<item-not-found "), "{refused:?}");
    let strange = stage.takes(&delivery("4", "romeo@localhost/desk", "", address));
    assert!(strange.concat().contains("<not-acceptable "), "{strange:?}");
    assert_eq!(stage.desk.written(), []);
}
