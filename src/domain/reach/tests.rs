//! Reaching colleagues: each reason why a means is not offered.

use super::*;
use crate::clock::Timestamp;
use crate::domain::agent_state::{Connection, Occupation, Origin, Reason, Stance};
use crate::domain::chat_profile::ChatProfile;
use crate::domain::chat_profile::InstantMessaging;
use crate::domain::rights::{Rights, Role};

fn agent(change: impl FnOnce(&mut Agent)) -> Agent {
    let mut agent = Agent::new("b@h".parse().unwrap());
    agent.stance = Stance::Available;
    change(&mut agent);
    agent
}

struct World {
    own: ChatProfile,
    theirs: ChatProfile,
    agent: Agent,
    role: Option<Role>,
    addresses: Addresses,
    channels: (usize, usize),
    blocking: Blocking,
}

fn world() -> World {
    World {
        own: ChatProfile::default(),
        theirs: ChatProfile::default(),
        agent: agent(|_| {}),
        role: Some(Role::Agent),
        addresses: Addresses {
            telephone: Some("+4930123456".to_owned()),
            email: Some("b@mail.example".to_owned()),
        },
        channels: (0, 0),
        blocking: Blocking::None,
    }
}

/// The answers for all means; [`ask`] must give the same one by one.
fn answers(world: &World) -> (View, Vec<Result<Address, Rejection>>) {
    let (a, b) = ("a@h".parse().unwrap(), "b@h".parse().unwrap());
    let asker = Asker {
        colleague: Colleague {
            id: &a,
            role: Some(Role::Agent),
            rights: Rights::of_agent(),
            profile: &world.own,
        },
        channels: world.channels.0,
    };
    let target = Target {
        colleague: Colleague {
            id: &b,
            role: world.role,
            rights: Rights::of_agent(),
            profile: &world.theirs,
        },
        agent: &world.agent,
        addresses: &world.addresses,
        channels: world.channels.1,
        blocking: world.blocking,
    };
    let reach = reach(Some(&asker), &target);
    for offer in &reach.offers {
        assert_eq!(ask(offer.means, &asker, &target), offer.answer);
    }
    let means: Vec<_> = reach.offers.iter().map(|offer| offer.means).collect();
    assert_eq!(means, Means::ALL);
    (
        reach.view,
        reach.offers.into_iter().map(|offer| offer.answer).collect(),
    )
}

/// S0-3, S0-4, S0-5, S0-17, S0-23, S0-25: all four at once, so that one can switch at any time.
#[test]
fn who_is_online_and_ready_can_be_reached_by_all_four_means() {
    let account = Address::Account("b@h".parse().unwrap());
    let telephone = Address::Telephone("+4930123456".to_owned());
    let email = Address::Email("b@mail.example".to_owned());
    let expected = [account.clone(), telephone, email, account].map(Ok);
    assert_eq!(answers(&world()), (View::Online, expected.into()));
}

/// S0-15, S0-21, S0-22.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn who_is_not_online_and_ready_cannot_be_reached_and_why() {
    let until = Timestamp::from_micros(0);
    let not_ready = Stance::NotReady {
        reason: Reason::Client,
        origin: Origin::Client,
    };
    let engaged = Occupation::Engaged {
        interactions: ["i".parse().unwrap()].into(),
    };
    let hidden = ChatProfile {
        presence: PresenceDisplay::Hidden,
        ..ChatProfile::default()
    };
    let logged_out = Stance::LoggedOut { reason: None };
    for (world, view, why) in [
        (
            World {
                agent: agent(|it| it.stance = not_ready),
                ..world()
            },
            View::Busy,
            Rejection::NotReady,
        ),
        (
            World {
                agent: agent(|it| it.occupation = engaged),
                ..world()
            },
            View::Busy,
            Rejection::Engaged,
        ),
        (
            World {
                agent: agent(|it| it.occupation = Occupation::WrapUp { until: None }),
                ..world()
            },
            View::Busy,
            Rejection::WrapUp,
        ),
        (
            World {
                agent: agent(|it| it.client_busy = true),
                ..world()
            },
            View::Busy,
            Rejection::Away,
        ),
        (
            World {
                agent: agent(|it| it.stance = logged_out),
                ..world()
            },
            View::Offline,
            Rejection::Offline,
        ),
        (
            World {
                agent: agent(|it| it.connection = Connection::Lost { until }),
                ..world()
            },
            View::Offline,
            Rejection::Offline,
        ),
        (
            World {
                theirs: hidden,
                ..world()
            },
            View::Offline,
            Rejection::PresenceHidden,
        ),
        (
            World {
                blocking: Blocking::ByThem,
                ..world()
            },
            View::Offline,
            Rejection::Offline,
        ),
        (
            World {
                blocking: Blocking::ByYou,
                ..world()
            },
            View::Online,
            Rejection::BlockedByYou,
        ),
        (
            World {
                role: None,
                ..world()
            },
            View::Online,
            Prerequisite::NoAccount.into(),
        ),
        (
            World {
                role: Some(Role::Member),
                ..world()
            },
            View::Online,
            Prerequisite::NoAgent.into(),
        ),
    ] {
        assert_eq!(answers(&world), (view, vec![Err(why); 4]));
    }
}

/// S0-12, S0-26.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_means_needs_both_profiles_an_address_and_a_free_channel() {
    let without = |means: Means| ChatProfile {
        means: Means::ALL.into_iter().filter(|it| *it != means).collect(),
        ..ChatProfile::default()
    };
    let off = || ChatProfile {
        instant_messaging: InstantMessaging::Disabled,
        ..ChatProfile::default()
    };
    for (world, means, why) in [
        (
            World {
                own: off(),
                ..world()
            },
            Means::InstantMessage,
            Prerequisite::ImDisabledForYou.into(),
        ),
        (
            World {
                theirs: off(),
                ..world()
            },
            Means::InstantMessage,
            Prerequisite::ImDisabledForThem.into(),
        ),
        (
            World {
                channels: (5, 0),
                ..world()
            },
            Means::InstantMessage,
            Rejection::ChannelsFull,
        ),
        (
            World {
                channels: (4, 5),
                ..world()
            },
            Means::InstantMessage,
            Rejection::TheirChannelsFull,
        ),
        (
            World {
                addresses: Addresses {
                    telephone: None,
                    ..world().addresses
                },
                ..world()
            },
            Means::Telephone,
            Rejection::NoAddress,
        ),
        (
            World {
                addresses: Addresses {
                    email: None,
                    ..world().addresses
                },
                ..world()
            },
            Means::Email,
            Rejection::NoAddress,
        ),
        (
            World {
                own: without(Means::Context),
                ..world()
            },
            Means::Context,
            Rejection::MeansNotYours,
        ),
        (
            World {
                theirs: without(Means::Email),
                ..world()
            },
            Means::Email,
            Rejection::MeansNotTheirs,
        ),
    ] {
        let (view, answers) = answers(&world);
        assert_eq!(view, View::Online);
        for (it, answer) in Means::ALL.into_iter().zip(answers) {
            assert_eq!(answer.err(), (it == means).then(|| why.clone()), "{it:?}");
        }
    }
}

/// S0-17: what a program is told does not depend on anybody's own limits, only on the colleague.
#[test]
fn without_an_asker_only_the_colleague_counts() {
    let id = "b@h".parse().unwrap();
    let (world, other) = (world(), agent(|it| it.client_busy = true));
    let target = |role, agent| Target {
        colleague: Colleague {
            id: &id,
            role,
            rights: Rights::of_agent(),
            profile: &world.theirs,
        },
        agent,
        addresses: &world.addresses,
        channels: 5,
        blocking: Blocking::None,
    };
    let answers = |role, agent| {
        let reach = reach(None, &target(role, agent));
        let answers = reach.offers.into_iter().map(|offer| offer.answer.err());
        answers.collect::<Vec<_>>()
    };
    let full = Some(Rejection::TheirChannelsFull);
    assert_eq!(
        answers(Some(Role::Agent), &world.agent),
        [full, None, None, None]
    );
    assert_eq!(
        answers(Some(Role::Agent), &other),
        vec![Some(Rejection::Away); 4]
    );
    for (role, why) in [
        (None, Prerequisite::NoAccount),
        (Some(Role::Member), Prerequisite::NoAgent),
    ] {
        assert_eq!(answers(role, &world.agent), vec![Some(why.into()); 4]);
    }
}
