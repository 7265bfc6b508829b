//! The tables of RFC 6121 §A.2 and §A.3, row by row.

use super::*;
use State::{
    Both, From, FromPendingOut, None, NonePendingIn, NonePendingOut, NonePendingOutIn, To,
    ToPendingIn,
};

const STATES: [State; 9] = [
    None,
    NonePendingOut,
    NonePendingIn,
    NonePendingOutIn,
    To,
    ToPendingIn,
    From,
    FromPendingOut,
    Both,
];

/// For each state in the order of §A.1: whether the stanza goes on, and the new state.
type Table = [(bool, State); 9];

const YES: bool = true;
const NO: bool = false;

const A_2_1_SUBSCRIBE: Table = [
    (YES, NonePendingOut),
    (YES, NonePendingOut),
    (YES, NonePendingOutIn),
    (YES, NonePendingOutIn),
    (YES, To),
    (YES, ToPendingIn),
    (YES, FromPendingOut),
    (YES, FromPendingOut),
    (YES, Both),
];

const A_2_2_UNSUBSCRIBE: Table = [
    (YES, None),
    (YES, None),
    (YES, NonePendingIn),
    (YES, NonePendingIn),
    (YES, None),
    (YES, NonePendingIn),
    (YES, From),
    (YES, From),
    (YES, From),
];

const A_2_3_SUBSCRIBED: Table = [
    (NO, None),
    (NO, NonePendingOut),
    (YES, From),
    (YES, FromPendingOut),
    (NO, To),
    (YES, Both),
    (NO, From),
    (NO, FromPendingOut),
    (NO, Both),
];

const A_2_4_UNSUBSCRIBED: Table = [
    (NO, None),
    (NO, NonePendingOut),
    (YES, None),
    (YES, NonePendingOut),
    (NO, To),
    (YES, To),
    (YES, None),
    (YES, NonePendingOut),
    (YES, To),
];

const A_3_1_SUBSCRIBE: Table = [
    (YES, NonePendingIn),
    (YES, NonePendingOutIn),
    (NO, NonePendingIn),
    (NO, NonePendingOutIn),
    (YES, ToPendingIn),
    (NO, ToPendingIn),
    (NO, From),
    (NO, FromPendingOut),
    (NO, Both),
];

const A_3_2_UNSUBSCRIBE: Table = [
    (NO, None),
    (NO, NonePendingOut),
    (YES, None),
    (YES, NonePendingOut),
    (NO, To),
    (YES, To),
    (YES, None),
    (YES, NonePendingOut),
    (YES, To),
];

const A_3_3_SUBSCRIBED: Table = [
    (NO, None),
    (YES, To),
    (NO, NonePendingIn),
    (YES, ToPendingIn),
    (NO, To),
    (NO, ToPendingIn),
    (NO, From),
    (YES, Both),
    (NO, Both),
];

const A_3_4_UNSUBSCRIBED: Table = [
    (NO, None),
    (YES, None),
    (NO, NonePendingIn),
    (YES, NonePendingIn),
    (YES, None),
    (YES, NonePendingIn),
    (NO, From),
    (YES, From),
    (YES, From),
];

fn check(table: Table, name: &str, step: impl Fn(Standing) -> Step) {
    for (state, (goes_on, new)) in STATES.into_iter().zip(table) {
        let approved = false;
        let after = step(Standing { state, approved });
        assert_eq!(
            (after.goes_on, after.standing.state),
            (goes_on, new),
            "{name} in {state:?}"
        );
    }
}

#[test]
fn outbound_stanzas_follow_the_tables_of_section_a_2() {
    check(A_2_1_SUBSCRIBE, "subscribe", |it| {
        it.outbound(Act::Subscribe)
    });
    check(A_2_2_UNSUBSCRIBE, "unsubscribe", |it| {
        it.outbound(Act::Unsubscribe)
    });
    check(A_2_3_SUBSCRIBED, "subscribed", |it| {
        it.outbound(Act::Subscribed)
    });
    check(A_2_4_UNSUBSCRIBED, "unsubscribed", |it| {
        it.outbound(Act::Unsubscribed)
    });
}

#[test]
fn inbound_stanzas_follow_the_tables_of_section_a_3() {
    check(A_3_1_SUBSCRIBE, "subscribe", |it| {
        it.inbound(Act::Subscribe)
    });
    check(A_3_2_UNSUBSCRIBE, "unsubscribe", |it| {
        it.inbound(Act::Unsubscribe)
    });
    check(A_3_3_SUBSCRIBED, "subscribed", |it| {
        it.inbound(Act::Subscribed)
    });
    check(A_3_4_UNSUBSCRIBED, "unsubscribed", |it| {
        it.inbound(Act::Unsubscribed)
    });
}

#[test]
fn an_approval_before_the_request_is_noted_where_nothing_waits_section_3_4_2() {
    for (state, (routed, new)) in STATES.into_iter().zip(A_2_3_SUBSCRIBED) {
        let step = Standing {
            state,
            approved: false,
        }
        .outbound(Act::Subscribed);
        let noted = matches!(state, None | NonePendingOut | To);
        assert_eq!(
            step.standing,
            Standing {
                state: new,
                approved: noted
            },
            "{state:?}"
        );
        assert_eq!(step.goes_on, routed, "{state:?}");
    }
}

#[test]
fn unsubscribed_takes_every_approval_back_section_3_4_2() {
    for (state, (routed, new)) in STATES.into_iter().zip(A_2_4_UNSUBSCRIBED) {
        let step = Standing {
            state,
            approved: true,
        }
        .outbound(Act::Unsubscribed);
        assert_eq!(
            step.standing,
            Standing {
                state: new,
                approved: false
            },
            "{state:?}"
        );
        assert_eq!(step.goes_on, routed, "{state:?}");
    }
}

#[test]
fn a_request_is_answered_at_once_where_it_is_granted_section_3_1_3() {
    let granted = |state, approved| {
        let step = Standing { state, approved }.inbound(Act::Subscribe);
        (step.answered, step.goes_on, step.standing.state)
    };
    for (approved, state, expected) in [
        (NO, None, (NO, YES, NonePendingIn)),
        (YES, None, (YES, NO, From)),
        (YES, NonePendingOut, (YES, NO, FromPendingOut)),
        (YES, NonePendingIn, (YES, NO, From)),
        (YES, NonePendingOutIn, (YES, NO, FromPendingOut)),
        (YES, To, (YES, NO, Both)),
        (YES, ToPendingIn, (YES, NO, Both)),
        (NO, From, (YES, NO, From)),
        (NO, FromPendingOut, (YES, NO, FromPendingOut)),
        (NO, Both, (YES, NO, Both)),
        (YES, Both, (YES, NO, Both)),
    ] {
        assert_eq!(granted(state, approved), expected, "{state:?} {approved}");
    }
}

#[test]
fn nothing_but_the_owner_changes_an_approval() {
    for state in STATES {
        for act in [
            Act::Subscribe,
            Act::Subscribed,
            Act::Unsubscribe,
            Act::Unsubscribed,
        ] {
            for approved in [NO, YES] {
                let step = Standing { state, approved }.inbound(act);
                assert_eq!(step.standing.approved, approved, "{state:?} {act:?}");
            }
        }
    }
}

#[test]
fn presence_is_shown_and_hidden_with_the_subscription() {
    let sight = |state, step: fn(Standing) -> Step| {
        let before = Standing {
            state,
            approved: true,
        };
        step(before).sight(before)
    };
    assert_eq!(
        sight(ToPendingIn, |it| it.outbound(Act::Subscribed)),
        Sight::Opened
    );
    assert_eq!(sight(None, |it| it.inbound(Act::Subscribe)), Sight::Opened);
    assert_eq!(sight(Both, |it| it.inbound(Act::Subscribe)), Sight::Same);
    assert_eq!(
        sight(Both, |it| it.outbound(Act::Unsubscribed)),
        Sight::Closed
    );
    assert_eq!(
        sight(From, |it| it.inbound(Act::Unsubscribe)),
        Sight::Closed
    );
    assert_eq!(sight(To, |it| it.outbound(Act::Unsubscribe)), Sight::Same);
}

#[test]
fn a_state_is_read_back_from_its_item_and_its_request() {
    for state in STATES {
        let item = RosterItem {
            subscription: state.subscription(),
            ask: state.asks(),
            ..RosterItem::new(crate::proto::BareJid::new("a@b.c").unwrap())
        };
        assert_eq!(Standing::of(Some(&item), state.waits()).state, state);
    }
    assert_eq!(Standing::of(Option::None, true).state, NonePendingIn);
}

/// Both sides of one subscription, each as its own roster has it.
type Sides = [Standing; 2];

/// One side sends, and all that follows from it is done before anybody sends again.
fn talk(mut sides: Sides, sender: usize, act: Act) -> Sides {
    let step = sides[sender].outbound(act);
    sides[sender] = step.standing;
    let mut passing = step.goes_on.then_some((1 - sender, act));
    while let Some((to, act)) = passing {
        let step = sides[to].inbound(act);
        sides[to] = step.standing;
        passing = step.answered.then_some((1 - to, Act::Subscribed));
    }
    sides
}

#[test]
fn two_sides_that_talk_in_turn_always_agree() {
    let stranger = Standing {
        state: None,
        approved: false,
    };
    let mut known: Vec<Sides> = vec![[stranger; 2]];
    let mut next = 0;
    while let Some(&sides) = known.get(next) {
        next += 1;
        for (one, other) in [(0, 1), (1, 0)] {
            let (one, other) = (sides[one].state, sides[other].state);
            let (sees, seen) = (one.subscription().has_to(), other.subscription().has_from());
            assert_eq!(sees, seen, "{sides:?}");
            assert_eq!(one.asks(), other.waits(), "{sides:?}");
        }
        for sender in [0, 1] {
            for act in [
                Act::Subscribe,
                Act::Subscribed,
                Act::Unsubscribe,
                Act::Unsubscribed,
            ] {
                let after = talk(sides, sender, act);
                if !known.contains(&after) {
                    known.push(after);
                }
            }
        }
    }
    assert!(
        STATES
            .iter()
            .all(|state| known.iter().any(|sides| sides[0].state == *state))
    );
}
