//! Reason codes: choosing, editing, limits, labels.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_000_000);

fn code(kind: Kind, code: &str) -> ReasonCode {
    ReasonCode {
        kind,
        code: code.to_owned(),
        labels: [("en".to_owned(), code.to_uppercase())].into(),
        default: false,
        active: true,
    }
}

fn list(codes: &[ReasonCode]) -> ReasonCodes {
    let mut list = ReasonCodes::default();
    for code in codes {
        for event in decide(&list, Command::Put(code.clone()), NOW).unwrap() {
            apply(&mut list, &event);
        }
    }
    list
}

fn retired(mut list: ReasonCodes, kind: Kind, code: &str) -> ReasonCodes {
    let command = Command::Retire {
        kind,
        code: code.to_owned(),
    };
    for event in decide(&list, command, NOW).unwrap() {
        apply(&mut list, &event);
    }
    list
}

/// S2-5, S2-7.
#[test]
fn a_code_can_be_chosen_when_codes_are_configured_and_it_is_one_of_them_and_in_use() {
    let empty = ReasonCodes::default();
    let kind = Kind::Logout;
    assert_eq!(
        empty.choose(kind, "x"),
        Err(Rejection::NotConfigured { kind })
    );
    let other = list(&[code(Kind::NotReady, "lunch")]);
    assert_eq!(
        other.choose(kind, "lunch"),
        Err(Rejection::NotConfigured { kind })
    );
    let some = list(&[code(kind, "shift"), code(kind, "ill")]);
    assert_eq!(some.choose(kind, "shift"), Ok(&code(kind, "shift")));
    assert_eq!(some.choose(kind, "x"), Err(Rejection::Unknown { kind }));
    let some = retired(some, kind, "ill");
    assert_eq!(some.choose(kind, "ill"), Err(Rejection::Inactive));
    let none = retired(some, kind, "shift");
    assert_eq!(
        none.choose(kind, "shift"),
        Err(Rejection::NotConfigured { kind })
    );
}

#[test]
fn a_kind_has_one_default_which_is_in_use() {
    let default = |name: &str| ReasonCode {
        default: true,
        ..code(Kind::NotReady, name)
    };
    let other = ReasonCode {
        default: true,
        ..code(Kind::Logout, "shift")
    };
    let mut some = list(&[default("a"), other.clone(), default("b")]);
    assert_eq!(some.default_of(Kind::NotReady), Some(&default("b")));
    assert_eq!(some.default_of(Kind::Logout), Some(&other));
    assert_eq!(some.version, 3);
    some = retired(some, Kind::NotReady, "b");
    assert_eq!(some.default_of(Kind::NotReady), None);
    let inactive = ReasonCode {
        active: false,
        ..default("c")
    };
    assert_eq!(
        decide(&some, Command::Put(inactive), NOW),
        Err(Rejection::InactiveDefault)
    );
}

#[test]
fn what_is_malformed_or_too_much_is_refused_and_what_changes_nothing_is_no_event() {
    let one = code(Kind::WrapUp, "sold");
    let full: Vec<_> = (0..CODES_MAX)
        .map(|n| code(Kind::WrapUp, &format!("c{n}")))
        .collect();
    let full = ReasonCodes {
        version: 1,
        codes: full,
    };
    let labels = |labels: &[(&str, &str)]| ReasonCode {
        labels: labels
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect(),
        ..one.clone()
    };
    let long = "x".repeat(catalogue::LABEL_BYTES_MAX + 1);
    for (list, put, expected) in [
        (list(&[]), code(Kind::WrapUp, ""), Err(Rejection::Malformed)),
        (
            list(&[]),
            code(Kind::WrapUp, "two words"),
            Err(Rejection::Malformed),
        ),
        (
            list(&[]),
            code(Kind::WrapUp, &"x".repeat(65)),
            Err(Rejection::Malformed),
        ),
        (list(&[]), labels(&[]), Err(Rejection::Labels)),
        (list(&[]), labels(&[("en", " ")]), Err(Rejection::Labels)),
        (list(&[]), labels(&[("en", &long)]), Err(Rejection::Labels)),
        (full.clone(), one.clone(), Err(Rejection::TooMany)),
        (
            full.clone(),
            labels(&[("en", "other")]),
            Err(Rejection::TooMany),
        ),
        (full, code(Kind::WrapUp, "c7"), Ok(vec![])),
        (list(std::slice::from_ref(&one)), one.clone(), Ok(vec![])),
        (
            list(&[]),
            one.clone(),
            Ok(vec![Event::Put {
                at: NOW,
                code: one.clone(),
            }]),
        ),
    ] {
        assert_eq!(decide(&list, Command::Put(put), NOW), expected);
    }
    let retire = Command::Retire {
        kind: Kind::WrapUp,
        code: "x".to_owned(),
    };
    let kind = Kind::WrapUp;
    assert_eq!(
        decide(&list(&[]), retire, NOW),
        Err(Rejection::Unknown { kind })
    );
    let gone = retired(list(&[one]), Kind::WrapUp, "sold");
    assert_eq!(retired(gone.clone(), Kind::WrapUp, "sold"), gone);
}

#[test]
fn labels_are_found_by_language_as_rfc_4647_section_3_4_looks_up() {
    let labels = [("en", "Lunch"), ("de", "Mittag"), ("pt-BR", "Almoço")];
    let mut reason = code(Kind::NotReady, "lunch");
    reason.labels = labels.map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    for (language, label) in [
        ("de", "Mittag"),
        ("de-AT", "Mittag"),
        ("DE-at-1996", "Mittag"),
        ("pt-br", "Almoço"),
        ("pt", "Lunch"),
        ("", "Lunch"),
        ("fr", "Lunch"),
    ] {
        assert_eq!(reason.label(language), label, "{language}");
    }
    reason.labels.remove("en");
    assert_eq!(reason.label("fr"), "Mittag");
    reason.labels.clear();
    assert_eq!(reason.label("fr"), "lunch");
}

#[test]
fn lists_and_events_are_the_same_after_json() {
    let some = list(&[code(Kind::NotReady, "lunch")]);
    let json = serde_json::to_string(&some).unwrap();
    assert_eq!(serde_json::from_str::<ReasonCodes>(&json).unwrap(), some);
    let older: ReasonCode =
        serde_json::from_str(r#"{"kind":"logout","code":"x","labels":{}}"#).unwrap();
    assert!(older.active && !older.default);
    let event = Event::Put {
        at: NOW,
        code: older,
    };
    let json = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
}

fn edit() -> impl Strategy<Value = Command> {
    let kind = prop_oneof![Just(Kind::NotReady), Just(Kind::Logout)];
    let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("not good")];
    (kind, name, any::<(bool, bool)>(), 0..4_u8).prop_map(|(kind, name, (default, active), way)| {
        match way {
            0 => Command::Retire {
                kind,
                code: name.to_owned(),
            },
            _ => Command::Put(ReasonCode {
                default,
                active,
                ..code(kind, name)
            }),
        }
    })
}

proptest! {
    /// S2-7: whatever is edited in whatever order, an agent has at most one default of a kind, chooses what is offered and
    /// nothing else, and each change is there once.
    #[test]
    fn no_order_of_edits_makes_an_illegal_list(edits in vec(edit(), 0..40)) {
        let (mut list, mut log) = (ReasonCodes::default(), Vec::new());
        for edit in edits {
            let before = list.clone();
            let decided = decide(&list, edit.clone(), NOW);
            for event in decided.iter().flatten() {
                apply(&mut list, event);
                log.push(event.clone());
            }
            match decided {
                Ok(_) => prop_assert_eq!(decide(&list, edit, NOW), Ok(vec![])),
                Err(_) => prop_assert_eq!(&list, &before),
            }
            for kind in [Kind::NotReady, Kind::Logout] {
                let of_kind = || list.codes.iter().filter(|it| it.kind == kind);
                prop_assert!(of_kind().filter(|it| it.default).count() <= 1);
                prop_assert!(of_kind().all(|it| it.active || !it.default));
                for it in of_kind() {
                    prop_assert_eq!(of_kind().filter(|other| other.code == it.code).count(), 1);
                    prop_assert_eq!(list.choose(kind, &it.code).is_ok(), it.active);
                }
            }
        }
        prop_assert_eq!(list.version, log.len() as u64);
        let mut replayed = ReasonCodes::default();
        let json = serde_json::to_string(&log).unwrap();
        for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
            apply(&mut replayed, &event);
        }
        prop_assert_eq!(replayed, list);
    }
}
