use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "an Instant cannot be made otherwise; every test goes on from one"
)]
fn start() -> Instant {
    Instant::now()
}

fn limits() -> Limits {
    Limits {
        connections_max: 2,
        negotiations_max: 2,
        connections_per_second: 10,
        connections_burst: 3,
        failures_free: 2,
        failure_forgiven_after: Duration::from_secs(60),
        failure_delay: Duration::from_secs(1),
        failure_delay_max: Duration::from_secs(5),
        loopback: Loopback::Exempt,
    }
}

#[test]
fn a_slot_is_given_back_when_dropped() {
    let table = AddressLimits::new(limits());
    let (now, address) = (start(), ip("192.0.2.1"));
    let first = table.connect(address, now).unwrap();
    let second = table.connect(address, now).unwrap();
    assert_eq!(table.connect(address, now).unwrap_err(), Refusal::TooMany);
    assert_eq!(table.open(), 2);
    let other = table.connect(ip("192.0.2.2"), now).unwrap();
    drop(first);
    let third = table.connect(address, now).unwrap();
    drop((second, third, other));
    assert_eq!(table.open(), 0);
    assert!(lock(&table.addresses).open.is_empty());
}

#[test]
fn who_is_logged_in_does_not_count_among_the_logins_under_way() {
    let table = AddressLimits::new(Limits {
        negotiations_max: 1,
        ..limits()
    });
    let (address, now) = (ip("192.0.2.1"), start());
    let (_slot, place) = table.connect(address, now).unwrap();
    assert_eq!(
        table.connect(address, now).unwrap_err(),
        Refusal::TooManyNegotiations
    );
    drop(place);
    let _second = table.connect(address, now).unwrap();
    assert_eq!(table.connect(address, now).unwrap_err(), Refusal::TooMany);
}

#[test]
fn new_connections_fill_a_bucket_that_leaks() {
    let table = AddressLimits::new(limits());
    let (begin, address) = (start(), ip("192.0.2.1"));
    let at = |ms: u64| begin + Duration::from_millis(ms);
    for (ms, expected) in [
        (0, Ok(())),
        (0, Ok(())),
        (0, Ok(())),
        (0, Err(Refusal::TooFast(Duration::from_millis(100)))),
        (60, Err(Refusal::TooFast(Duration::from_millis(40)))),
        (100, Ok(())),
        (100, Err(Refusal::TooFast(Duration::from_millis(100)))),
        (10_000, Ok(())),
        (10_000, Ok(())),
        (10_000, Ok(())),
        (10_000, Err(Refusal::TooFast(Duration::from_millis(100)))),
    ] {
        let taken = table.connect(address, at(ms)).map(drop);
        assert_eq!(taken, expected, "after {ms} ms");
    }
}

#[test]
fn failures_cost_a_growing_delay_and_are_forgiven() {
    let table = AddressLimits::new(limits());
    let (begin, address) = (start(), ip("192.0.2.1"));
    let at = |s: u64| begin + Duration::from_secs(s);
    for (s, delay_s) in [(0, 0), (0, 0), (1, 1), (1, 2), (1, 4), (1, 5), (1, 5)] {
        let delay = table.authentication_failed(address, at(s));
        assert_eq!(delay, Duration::from_secs(delay_s));
        assert_eq!(table.authentication_delay(address, at(s)), delay);
    }
    // Seven failures; one less each minute.
    for (s, delay_s) in [
        (59, 5),
        (60, 5),
        (119, 5),
        (120, 4),
        (180, 2),
        (240, 1),
        (300, 0),
    ] {
        let delay = table.authentication_delay(address, at(s));
        assert_eq!(delay, Duration::from_secs(delay_s), "after {s} s");
    }
    let other = table.authentication_delay(ip("192.0.2.2"), at(1));
    assert_eq!(other, Duration::ZERO);
}

#[test]
fn many_failures_never_overflow() {
    let table = AddressLimits::new(limits());
    let (now, address) = (start(), ip("192.0.2.1"));
    for _ in 0..100 {
        table.authentication_failed(address, now);
    }
    let delay = table.authentication_delay(address, now);
    assert_eq!(delay, limits().failure_delay_max);
}

#[test]
fn addresses_of_one_subscriber_count_together() {
    for (one, other, together) in [
        ("2001:db8::1", "2001:db8::2", true),
        ("2001:db8:0:0:ffff::1", "2001:db8::", true),
        ("2001:db8:0:1::1", "2001:db8::1", false),
        ("::ffff:192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
    ] {
        let table = AddressLimits::new(Limits {
            connections_max: 1,
            ..limits()
        });
        let now = start();
        let _slot = table.connect(ip(one), now).unwrap();
        let second = table.connect(ip(other), now);
        assert_eq!(second.is_err(), together, "{one} {other}");
    }
}

#[test]
fn loopback_is_exempt_unless_the_limits_say_otherwise() {
    for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        for (loopback, refused) in [(Loopback::Exempt, false), (Loopback::Limited, true)] {
            let table = AddressLimits::new(Limits {
                loopback,
                ..limits()
            });
            let now = start();
            let slots: Vec<_> = (0..9).map(|_| table.connect(ip(address), now)).collect();
            assert_eq!(slots.iter().any(Result::is_err), refused, "{address}");
            for _ in 0..9 {
                table.authentication_failed(ip(address), now);
            }
            let delay = table.authentication_delay(ip(address), now);
            assert_eq!(delay > Duration::ZERO, refused, "{address}");
        }
    }
}

#[test]
fn the_table_is_bounded_and_forgets_the_silent_first() {
    let table = AddressLimits::new(limits());
    let now = start();
    let (busy, silent) = (ip("192.0.2.1"), ip("192.0.2.2"));
    let _slot = table.connect(silent, now).unwrap();
    for _ in 0..9 {
        table.authentication_failed(busy, now);
        table.authentication_failed(silent, now);
    }
    let crowd = u32::try_from(ADDRESSES_MAX).unwrap() * 2;
    for number in 0..crowd {
        let address = IpAddr::from((0x0a00_0000 + number).to_be_bytes());
        table.authentication_failed(address, now);
        if number % 10_000 == 0 {
            table.authentication_failed(busy, now);
        }
    }
    let known = {
        let addresses = lock(&table.addresses);
        addresses.recent.younger.len() + addresses.recent.older.len()
    };
    assert!(known <= ADDRESSES_MAX, "{known}");
    assert!(table.authentication_delay(busy, now) > Duration::ZERO);
    assert_eq!(table.authentication_delay(silent, now), Duration::ZERO);
    assert_eq!(table.open(), 1, "open connections are never forgotten");
}
