use std::net::IpAddr;

use tokio::sync::oneshot;

use super::*;
use crate::hooks::{Account, Connection, MailboxLimits};
use crate::proto::{IqType, MessageType};
use crate::session::resumables::Handover;
use crate::stream::management::NotResumed;

fn session() -> Arc<Session> {
    let account = Arc::new(Account::new(BareJid::new("juliet@localhost").unwrap()));
    Arc::new(Session::new(
        "juliet@localhost/balcony".parse().unwrap(),
        account,
        Connection {
            peer: IpAddr::from([127, 0, 0, 1]),
            transport: "tcp",
            since: Timestamp::from_micros(0),
        },
        MailboxLimits {
            stanzas_max: 16,
            bytes_max: 1_000,
        },
        Arc::default(),
    ))
}

const TERMS: Terms = Terms {
    resume: Duration::from_secs(300),
    stanzas_max: 16,
    bytes_max: 1 << 20,
};

const RESUMABLE: Enable = Enable {
    resumable: true,
    seconds_max: None,
};

fn enabled_for(asked: Enable) -> (Box<Management>, Element) {
    Management::enable(&Resumables::default(), &session(), TERMS, asked)
}

fn management() -> Box<Management> {
    enabled_for(RESUMABLE).0
}

fn mail(id: u32) -> Mail {
    Arc::new(Stanza::iq(IqType::Get, &id.to_string()))
}

fn ids(mail: impl IntoIterator<Item = impl std::borrow::Borrow<Mail>>) -> Vec<String> {
    mail.into_iter()
        .map(|mail| mail.borrow().id.clone().unwrap().to_string())
        .collect()
}

fn send(management: &mut Management, ids: std::ops::Range<u32>) {
    for id in ids {
        management.sent(mail(id), Origin::Passing);
    }
}

/// A write that is durable when the test says so.
fn write() -> (oneshot::Sender<Result<(), StoreError>>, Durable) {
    let (sender, receiver) = oneshot::channel();
    (sender, Box::pin(async move { receiver.await.unwrap() }))
}

#[test]
fn the_time_to_resume_is_the_smaller_of_both_wishes() {
    for (resumable, seconds_max, max) in [
        (true, None, Some("300")),
        (true, Some(60), Some("60")),
        (true, Some(1_000), Some("300")),
        (false, Some(60), None),
    ] {
        let (management, answer) = enabled_for(Enable {
            resumable,
            seconds_max,
        });
        assert_eq!(answer.attribute("max"), max, "{answer:?}");
        assert_eq!(answer.attribute("resume"), max.map(|_| "true"));
        assert_eq!(answer.attribute("id"), management.id().map(AsRef::as_ref));
    }
    let off = Terms {
        resume: Duration::ZERO,
        ..TERMS
    };
    let (_, answer) = Management::enable(&Resumables::default(), &session(), off, RESUMABLE);
    assert!(answer.attributes().is_empty(), "{answer:?}");
}

#[test]
fn acknowledged_stanzas_are_forgotten_and_only_those() {
    let mut management = management();
    send(&mut management, 0..5);
    assert_eq!(management.acknowledge(2), Ok(()));
    assert_eq!(ids(management.left()), ["2", "3", "4"]);
    assert_eq!(management.acknowledge(2), Ok(()));
    assert_eq!(management.acknowledge(5), Ok(()));
    assert_eq!(management.bytes, 0);
    assert_eq!(management.unacknowledged.capacity(), 0);
}

/// §6; and a count that goes back.
#[test]
fn what_was_not_sent_cannot_be_acknowledged() {
    let mut management = management();
    send(&mut management, 0..3);
    management.acknowledge(2).unwrap();
    for (h, backwards) in [(4, false), (u32::MAX / 2, false), (1, true), (0, true)] {
        let sent = 3;
        assert_eq!(
            management.acknowledge(h),
            Err(NotSent { sent, backwards }),
            "{h}"
        );
    }
    assert_eq!(ids(management.left()), ["2"]);
}

/// §4.
#[tokio::test]
async fn both_counts_begin_again_behind_32_bits() {
    let mut management = management();
    management.acknowledged = u32::MAX - 1;
    send(&mut management, 0..4);
    assert_eq!(management.acknowledge(u32::MAX), Ok(()));
    assert_eq!(management.acknowledge(1), Ok(()));
    assert_eq!(ids(management.left()), ["3"]);
    let sent = 2;
    let backwards = true;
    assert_eq!(
        management.acknowledge(u32::MAX),
        Err(NotSent { sent, backwards })
    );

    management.received.handled = u32::MAX;
    management.received(Vec::new());
    assert_eq!(management.handled(), 0);
    let (durable, written) = write();
    management.received.handled = u32::MAX;
    management.received(vec![written]);
    durable.send(Ok(())).unwrap();
    management.settled().await.unwrap();
    assert_eq!(management.handled(), 0);
}

#[tokio::test]
async fn nothing_is_handled_before_it_is_durable_and_nothing_behind_it() {
    let mut management = management();
    let ((first, first_write), (second, second_write)) = (write(), write());
    let (third, third_write) = write();
    management.received(Vec::new());
    management.received(vec![first_write, second_write]);
    management.received(Vec::new());
    management.received(vec![third_write]);
    assert_eq!(management.answer(), 1);
    third.send(Ok(())).unwrap();
    second.send(Ok(())).unwrap();
    assert!(futures_util::FutureExt::now_or_never(management.settled()).is_none());
    assert_eq!((management.handled(), management.owed()), (1, None));
    first.send(Ok(())).unwrap();
    management.settled().await.unwrap();
    assert_eq!(management.handled(), 4);
    // It was told too little, and is told the rest once.
    assert_eq!(management.owed(), Some(4));
    assert_eq!(management.owed(), None);
}

#[tokio::test]
async fn who_has_not_asked_is_told_nothing() {
    let mut management = management();
    let (durable, written) = write();
    management.received(vec![written]);
    durable.send(Ok(())).unwrap();
    management.settled_all().await.unwrap();
    assert_eq!((management.handled(), management.owed()), (1, None));
}

#[tokio::test]
async fn what_could_not_be_written_is_never_handled() {
    let mut management = management();
    let (durable, written) = write();
    management.received(Vec::new());
    management.received(vec![written]);
    management.received(Vec::new());
    durable.send(Err(StoreError::Closed)).unwrap();
    assert!(management.settled_all().await.is_err());
    assert_eq!(management.handled(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_client_is_asked_after_some_stanzas_or_some_time_and_once() {
    let mut management = management();
    let (answer, now) = (Duration::from_secs(30), Instant::now());
    assert_eq!(management.next_moment(answer, now), None);
    send(&mut management, 0..ASK_AFTER_STANZAS - 1);
    assert!(!management.is_request_due());
    assert_eq!(management.next_moment(answer, now), Some(now + ASK_AFTER));
    assert!(!management.is_late(now));
    assert!(management.is_late(now + ASK_AFTER));
    send(&mut management, 7..8);
    assert!(management.is_request_due());
    management.asked(now);
    send(&mut management, 8..16);
    assert!(!management.is_request_due(), "an answer is due");
    // Whoever says something is there, though it may take its time to read.
    let later = now + Duration::from_secs(20);
    for (moment, heard, overdue) in [
        (now, now, false),
        (now + answer, now, true),
        (now + answer, later, false),
        (later + answer, later, true),
    ] {
        assert_eq!(management.is_overdue(moment, answer, heard), overdue);
    }
    assert_eq!(management.next_moment(answer, later), Some(later + answer));
    management.acknowledge(8).unwrap();
    assert!(management.is_request_due());
}

#[test]
fn mail_waits_while_too_much_is_unacknowledged() {
    let mut management = management();
    send(&mut management, 0..15);
    assert!(!management.must_wait());
    send(&mut management, 15..16);
    assert!(management.must_wait());
    assert!(management.is_request_due());
    assert!(!management.overflows());
    // Answers to the client itself do not wait.
    send(&mut management, 16..32);
    assert!(management.overflows());
    management.acknowledge(31).unwrap();
    assert!(!management.must_wait());

    management.terms.bytes_max = mail(0).weight();
    assert!(management.must_wait());
}

#[test]
fn kept_messages_count_as_delivered_when_the_page_is_acknowledged() {
    let mut management = management();
    send(&mut management, 0..1);
    management.sent(mail(1), Origin::Kept);
    management.sent(mail(2), Origin::Kept);
    management.end_page();
    assert!(management.must_wait());
    management.acknowledge(2).unwrap();
    assert!(!management.has_page());
    management.acknowledge(3).unwrap();
    assert!(management.has_page());
    assert!(!management.has_page());
    assert!(!management.must_wait());
}

/// Whoever acknowledges nothing and asks for more is bounded also while a page is on its way.
#[test]
fn a_page_of_kept_messages_is_no_leave_to_overflow() {
    let mut management = management();
    for id in 0..100 {
        management.sent(mail(id), Origin::Kept);
    }
    management.end_page();
    assert!(!management.overflows(), "the page itself does not count");
    send(&mut management, 100..131);
    assert!(!management.overflows());
    send(&mut management, 131..132);
    assert!(management.overflows());
    management.acknowledge(50).unwrap();
    assert!(management.overflows());
    management.acknowledge(101).unwrap();
    assert!(!management.overflows());
    management.terms.bytes_max = 15 * mail(100).weight();
    assert!(management.overflows());
}

#[test]
fn kept_messages_are_asked_for_once_and_never_over_a_page_that_may_be_lost() {
    let mut management = management();
    assert!(!management.is_backlog_due());
    management.owe_backlog();
    assert!(management.is_backlog_due());
    assert!(!management.is_backlog_due());
    management.sent(mail(0), Origin::Kept);
    management.end_page();
    management.owe_backlog();
    assert!(!management.is_backlog_due(), "to ask says that it arrived");
    management.acknowledge(1).unwrap();
    assert!(management.has_page());
    assert!(management.is_backlog_due());
    assert!(!management.is_backlog_due());
}

#[tokio::test(start_paused = true)]
async fn a_resumed_client_gets_what_it_lacks_and_then_what_waited() {
    let mut management = management();
    send(&mut management, 0..3);
    assert!(management.wait([mail(3), mail(4)]));
    assert_eq!(ids(management.left()), ["0", "1", "2", "3", "4"]);
    management.asked(Instant::now());
    management.acknowledge(1).unwrap();
    let (again, waited) = management.resume(Timestamp::from_micros(0));
    assert_eq!(ids(&again), ["1", "2"]);
    assert_eq!(ids(&waited), ["3", "4"]);
    assert!(!management.is_asked());
    assert_eq!(management.count(), 3);
}

#[test]
fn a_message_that_came_before_the_client_did_says_when() {
    let at = |seconds| Some(Timestamp::from_micros(1_790_000_000_000_000).plus_seconds(seconds));
    let (mut management, session) = (management(), session());
    let message = |received_at| {
        let mut message = Stanza::message(MessageType::Chat);
        message.received_at = received_at;
        message
    };
    let stamped = |management: &Management, stanza| {
        let stamped = management.stamped(&Arc::new(stanza), &session)?;
        let delay = stamped.payload.iter().next()?.to_element(ns::CLIENT).ok()?;
        Delay::parse(&delay)
    };
    assert_eq!(stamped(&management, message(at(1))), None, "it never left");
    management.resume(at(5).unwrap());
    let delay = stamped(&management, message(at(1))).unwrap();
    assert_eq!(delay.from.unwrap().to_string(), "localhost");
    assert_eq!(Some(delay.stamp), at(1));
    let old = Delay {
        from: None,
        stamp: Timestamp::from_micros(0),
    };
    let mut iq = Stanza::iq(IqType::Get, "q");
    iq.received_at = at(1);
    for stanza in [
        message(at(5)),
        message(None),
        message(at(1)).child(&old.to_element()),
        iq,
    ] {
        assert!(management.stamped(&Arc::new(stanza), &session).is_none());
    }
}

#[test]
fn what_waits_for_a_lost_client_is_bounded() {
    let mut management = management();
    send(&mut management, 0..10);
    assert!(management.wait((10..16).map(mail)));
    assert!(!management.wait([mail(16)]));
}

#[tokio::test]
async fn a_session_that_is_over_gives_back_what_nobody_else_keeps() {
    let resumables = Resumables::default();
    let session = session();
    let (mut management, _) = Management::enable(&resumables, &session, TERMS, RESUMABLE);
    let id = management.id().unwrap().to_string();
    management.received(Vec::new());
    management.sent(mail(0), Origin::Passing);
    management.sent(mail(1), Origin::Kept);
    management.sent(mail(2), Origin::Passing);
    management.wait([mail(3)]);
    let left: Vec<_> = management.end(&resumables).await.collect();
    assert_eq!(ids(&left), ["0", "2", "3"]);

    // What was handled is known to its owner, and to nobody else.
    let [juliet, romeo] =
        ["juliet@localhost", "romeo@localhost"].map(|jid| BareJid::new(jid).unwrap());
    let unknown = |h| NotResumed::Unknown { h };
    for (id, account, h) in [
        (id.as_str(), &juliet, Some(1)),
        (id.as_str(), &romeo, None),
        ("guessed", &juliet, None),
    ] {
        assert_eq!(resumables.unknown(id, account), unknown(h));
        assert_eq!(resumables.want(id, account).unwrap_err(), unknown(h));
    }
}

#[tokio::test]
async fn a_session_goes_to_who_asked_last() {
    let resumables = Resumables::default();
    let session = session();
    let (management, _) = Management::enable(&resumables, &session, TERMS, RESUMABLE);
    let id = management.id().unwrap().to_string();
    let juliet = BareJid::new("juliet@localhost").unwrap();
    let romeo = BareJid::new("romeo@localhost").unwrap();
    assert!(resumables.want(&id, &romeo).is_err());
    assert!(!session.take_hand_over());
    let first = resumables.want(&id, &juliet).unwrap();
    let second = resumables.want(&id, &juliet).unwrap();
    assert!(first.await.is_err());
    let taker = resumables.wanted_by(&id).unwrap();
    assert!(!session.take_hand_over(), "both wishes are dealt with");
    let handover = Handover {
        session,
        management,
    };
    taker.send(handover).unwrap();
    assert_eq!(second.await.unwrap().session.account().jid(), &juliet);
    // Who is gone wants nothing.
    drop(resumables.want(&id, &juliet).unwrap());
    assert!(resumables.wanted_by(&id).is_none());
}
