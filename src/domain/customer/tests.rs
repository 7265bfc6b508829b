//! The rules of customers as tables, and under any order.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

fn profile(name: &str, telephones: &[&str], emails: &[&str]) -> Profile {
    let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    Profile {
        name: name.to_owned(),
        telephones: owned(telephones),
        emails: owned(emails),
        ..Profile::default()
    }
}

fn made(profile: Profile) -> Customer {
    let mut customer = Customer::new("c".parse().unwrap(), "localhost".to_owned());
    for event in decide(&customer, Command::Create(profile), NOW).unwrap() {
        apply(&mut customer, &event);
    }
    customer
}

/// S2-10, S2-12, S2-29: numbers as E.164, addresses as on an envelope.
#[test]
fn numbers_and_addresses_are_what_they_should_be() {
    for (number, good) in [
        ("+390612345", true),
        ("+1234", true),
        ("+123456789012345", true),
        ("+1234567890123456", false),
        ("+0612345", false),
        ("0612345", false),
        ("+12 34", false),
        ("+12", false),
        ("", false),
    ] {
        assert_eq!(is_e164(number), good, "{number}");
    }
    for (address, good) in [
        ("ann@example.org", true),
        ("Ann.B+c@Example.ORG", true),
        ("ann", false),
        ("@example.org", false),
        ("ann@", false),
        ("a@b@c", false),
        ("ann@example.org\r\nBcc: x", false),
        ("<ann@example.org>", false),
        ("ann@.org", false),
    ] {
        assert_eq!(is_email(address), good, "{address}");
    }
}

#[test]
fn a_profile_within_its_limits_is_taken_with_each_address_once() {
    let twice = profile(" Ann ", &["+1234", "+1234"], &["A@b.c", "a@B.c", "d@e.f"]);
    let checked = twice.checked().unwrap();
    assert_eq!(checked, profile("Ann", &["+1234"], &["A@b.c", "d@e.f"]));
    let keys: Vec<String> = checked.keys().collect();
    assert_eq!(keys, ["+1234", "a@b.c", "d@e.f"]);
    let many: Vec<String> = (1000..1021).map(|n| format!("+{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let bad_url = |url: &str| Profile {
        url: Some(url.to_owned()),
        ..profile("Ann", &[], &[])
    };
    for (bad, rejection) in [
        (profile(" ", &[], &[]), Rejection::Nameless),
        (profile(&"x".repeat(257), &[], &[]), Rejection::Name),
        (profile("a\nb", &[], &[]), Rejection::Name),
        (profile("Ann", &["1234"], &[]), Rejection::Telephone),
        (profile("Ann", &[], &["ann"]), Rejection::Email),
        (profile("Ann", &many, &[]), Rejection::TooMany),
        (bad_url("javascript:alert(1)"), Rejection::Reference),
    ] {
        assert_eq!(bad.clone().checked(), Err(rejection), "{bad:?}");
    }
}

#[test]
fn a_write_from_an_old_version_is_refused_and_one_that_says_nothing_new_is_none() {
    let customer = made(profile("Ann", &[], &[]));
    let edit = |read, name: &str| Command::Edit {
        read,
        profile: profile(name, &[], &[]),
    };
    let nobody = Customer::new("n".parse().unwrap(), "localhost".to_owned());
    for (customer, command, expected) in [
        (&customer, edit(1, "Bea"), Ok(1)),
        (&customer, edit(1, "Ann"), Ok(0)),
        (&customer, edit(0, "Bea"), Err(Rejection::Stale)),
        (
            &customer,
            Command::Create(profile("Ann", &[], &[])),
            Err(Rejection::Exists),
        ),
        (&nobody, edit(0, "Bea"), Err(Rejection::Unknown)),
    ] {
        let events = decide(customer, command.clone(), NOW).map(|events| events.len());
        assert_eq!(events, expected, "{command:?}");
    }
}

/// Two that are the same: one has everything, the other leads to it.
#[test]
fn of_two_that_are_merged_one_has_everything_and_the_other_leads_to_it() {
    let mut one = made(profile("Ann", &["+1111"], &[]));
    let mut other = made(profile("Ann B", &["+1111", "+2222"], &["ann@b.c"]));
    other.id = "d".parse().unwrap();
    let absorb = Command::Absorb {
        read: 1,
        other: other.profile.clone(),
    };
    for event in decide(&one, absorb, NOW).unwrap() {
        apply(&mut one, &event);
    }
    assert_eq!(
        one.profile,
        profile("Ann", &["+1111", "+2222"], &["ann@b.c"])
    );
    let into = |into: &CustomerId| Command::MergeInto {
        read: 1,
        other: into.clone(),
    };
    assert_eq!(decide(&other, into(&other.id), NOW), Err(Rejection::Itself));
    for event in decide(&other, into(&one.id), NOW).unwrap() {
        apply(&mut other, &event);
    }
    assert_eq!(other.merged_into, Some(one.id.clone()));
    assert_eq!(decide(&other, into(&one.id), NOW), Err(Rejection::Merged));
}

/// S2-10, S2-12, S2-13.
#[test]
fn a_screen_pop_is_a_form_a_customer_or_a_list() {
    let ids = |count: usize| -> Vec<CustomerId> {
        (0..count)
            .map(|n| format!("c{n}").parse().unwrap())
            .collect()
    };
    let address = "+1234".to_owned();
    assert_eq!(screen_pop("+1234", vec![]), ScreenPop::None { address });
    let customer = "c0".parse().unwrap();
    assert_eq!(screen_pop("+1234", ids(1)), ScreenPop::Single { customer });
    let customers = ids(2);
    assert_eq!(
        screen_pop("+1234", ids(2)),
        ScreenPop::Multiple { customers }
    );
    let ScreenPop::Multiple { customers } = screen_pop("+1234", ids(50)) else {
        panic!()
    };
    assert_eq!(customers, ids(MATCHES_MAX));
}

proptest! {
    /// Replaying the events gives the customer, and a refusal changes nothing.
    #[test]
    fn the_events_give_the_customer_again(steps in vec((0..4_u8, 0..4_u64, "[A-C]{0,2}"), 0..30)) {
        let mut customer = Customer::new("c".parse().unwrap(), "localhost".to_owned());
        let mut log = vec![];
        for (what, read, name) in steps {
            let profile = profile(&name, &[], &[]);
            let command = match what {
                0 => Command::Create(profile),
                1 => Command::Edit { read, profile },
                2 => Command::Absorb { read, other: profile },
                _ => Command::MergeInto { read, other: "d".parse().unwrap() },
            };
            for event in decide(&customer, command, NOW).unwrap_or_default() {
                apply(&mut customer, &event);
                log.push(event);
            }
        }
        let json = serde_json::to_string(&log).unwrap();
        let mut replayed = Customer::new("c".parse().unwrap(), "localhost".to_owned());
        for event in serde_json::from_str::<Vec<Event>>(&json).unwrap() {
            apply(&mut replayed, &event);
        }
        prop_assert_eq!(&replayed, &customer);
        prop_assert_eq!(replayed.version, log.len() as u64);
    }
}
