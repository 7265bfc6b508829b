//! What a switchboard does, refuses, and remembers.

use super::*;

const ROMEO: &str = "romeo@localhost";
const JULIET: &str = "juliet@localhost";

/// A request in few words: `verb agent to`.
fn asked(number: usize, words: &str) -> Request {
    let mut words = words.split(' ').map(str::to_owned);
    Request {
        id: format!("r{number}"),
        interaction: "c1".to_owned(),
        verb: words.next().unwrap(),
        agent: format!("{}@localhost", words.next().unwrap()),
        to: words.next().map(|to| format!("{to}@localhost")),
        address: Some("+39066981234".to_owned()),
        ..Request::default()
    }
}

fn rung() -> Board {
    let mut board = Board::default();
    assert!(board.arrive("c1", ROMEO, "voice", "+39066981234"));
    board
}

/// What is done, and then: the line, who talks, who is asked.
type Row = (
    &'static [&'static str],
    Line,
    &'static [&'static str],
    &'static [&'static str],
);

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_call_goes_the_way_that_is_asked_for() {
    let rows: &[Row] = &[
        (&[], Line::Waits, &[], &[ROMEO]),
        (&["accept romeo"], Line::Talks, &[ROMEO], &[]),
        (&["reject romeo"], Line::Waits, &[], &[]),
        (&["accept romeo", "hold romeo"], Line::Held, &[ROMEO], &[]),
        (
            &["accept romeo", "hold romeo", "resume romeo"],
            Line::Talks,
            &[ROMEO],
            &[],
        ),
        (
            &["accept romeo", "transfer romeo juliet"],
            Line::Waits,
            &[],
            &[JULIET],
        ),
        (
            &["accept romeo", "transfer romeo juliet", "accept juliet"],
            Line::Talks,
            &[JULIET],
            &[],
        ),
        (
            &["accept romeo", "consult romeo juliet"],
            Line::Held,
            &[ROMEO],
            &[JULIET],
        ),
        (
            &["accept romeo", "consult romeo juliet", "accept juliet"],
            Line::Held,
            &[ROMEO, JULIET],
            &[],
        ),
        (
            &[
                "accept romeo",
                "consult romeo juliet",
                "accept juliet",
                "retrieve romeo",
            ],
            Line::Talks,
            &[ROMEO],
            &[],
        ),
        (
            &[
                "accept romeo",
                "consult romeo juliet",
                "accept juliet",
                "complete-transfer romeo",
            ],
            Line::Talks,
            &[JULIET],
            &[],
        ),
        (
            &[
                "accept romeo",
                "consult romeo juliet",
                "accept juliet",
                "conference romeo",
                "leave romeo",
            ],
            Line::Talks,
            &[JULIET],
            &[],
        ),
    ];
    for (verbs, line, talking, ringing) in rows {
        let mut board = rung();
        for (number, verb) in verbs.iter().enumerate() {
            assert_eq!(
                board.does(&asked(number, verb)),
                Ok(()),
                "{verbs:?}: {verb}"
            );
        }
        let call = board.find("c1").unwrap();
        assert_eq!(call.line, *line, "{verbs:?}");
        assert_eq!(call.talking().collect::<Vec<_>>(), *talking, "{verbs:?}");
        assert_eq!(call.ringing().collect::<Vec<_>>(), *ringing, "{verbs:?}");
    }
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    for (before, verb, why) in [
        ("", "accept juliet", "this agent is not being called"),
        ("", "hold romeo", "the customer does not talk"),
        (
            "accept romeo",
            "resume romeo",
            "the customer is not on hold",
        ),
        (
            "accept romeo",
            "transfer romeo",
            "nobody is named to take over",
        ),
        ("accept romeo", "consult romeo", "no colleague is named"),
        (
            "accept romeo",
            "complete-transfer romeo",
            "nobody is being consulted",
        ),
        (
            "accept romeo",
            "conference romeo",
            "nobody is being consulted",
        ),
        (
            "consult romeo juliet",
            "complete-transfer romeo",
            "nobody is being consulted",
        ),
        ("end romeo", "hold romeo", GONE),
        ("end romeo", "end romeo", GONE),
        ("", "sing romeo", "this telephone system cannot do sing"),
    ] {
        let mut board = rung();
        if !before.is_empty() {
            assert_eq!(board.does(&asked(0, before)), Ok(()));
        }
        let was = board.find("c1").cloned();
        assert_eq!(
            board.does(&asked(1, verb)),
            Err(why.to_owned()),
            "{before}, {verb}"
        );
        assert_eq!(board.find("c1").cloned(), was, "{before}, {verb}");
    }
}

/// The server asks again with the same id after it was killed: it gets the same answer, and nothing is done twice.
#[test]
fn a_request_that_comes_again_is_not_done_again() {
    let mut board = rung();
    let end = asked(0, "end romeo");
    assert_eq!(board.does(&end), Ok(()));
    assert_eq!(board.does(&end), Ok(()));
    let hold = asked(1, "hold romeo");
    assert_eq!(board.does(&hold), Err(GONE.to_owned()));
    assert!(board.arrive("c1", ROMEO, "voice", "+39066981234"));
    assert_eq!(board.does(&hold), Err(GONE.to_owned()));
}

#[test]
fn a_customer_who_is_called_answers_once() {
    let mut board = Board::default();
    assert_eq!(board.does(&asked(0, "dial romeo")), Ok(()));
    assert_eq!(
        board.find("c1").unwrap().talking().collect::<Vec<_>>(),
        [ROMEO]
    );
    assert!(board.answers("c1"));
    assert!(!board.answers("c1"));
    assert!(board.remove("c1"));
    assert!(!board.answers("c1") && !board.remove("c1"));
}

#[test]
fn there_is_a_bound() {
    let mut board = Board::default();
    for number in 0..CALLS_MAX {
        assert!(board.arrive(&number.to_string(), ROMEO, "voice", "+39066981234"));
    }
    assert!(!board.arrive("more", ROMEO, "voice", "+39066981234"));
    assert!(board.does(&asked(0, "dial romeo")).is_err());
    for number in 0..2 * ANSWERED_MAX {
        let _ = board.does(&asked(number, "hold romeo"));
    }
    assert_eq!(board.answered.len(), ANSWERED_MAX);
}

#[test]
fn a_customer_who_waits_is_passed_on() {
    let mut board = rung();
    assert_eq!(board.pass("c1", JULIET), Ok(()));
    assert_eq!(
        board.find("c1").unwrap().ringing().collect::<Vec<_>>(),
        [JULIET]
    );
    assert_eq!(board.does(&asked(0, "accept juliet")), Ok(()));
    assert!(board.pass("c1", ROMEO).is_err());
    assert!(board.pass("c2", ROMEO).is_err());
}
