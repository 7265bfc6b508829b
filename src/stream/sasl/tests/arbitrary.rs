//! Messages that no client would write.

use proptest::prelude::*;

use super::*;

/// Bytes that look enough like SCRAM to come far, and bytes that do not.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "n",
        "y",
        "p=tls-exporter",
        ",",
        ",,",
        "=",
        "a=",
        "n=user",
        "n=",
        "r=x",
        "=2C",
        "=3D",
        "c=",
        "c=biws",
        "p=",
        "p=AAE=",
        "m=1",
        "x=1",
        "\0",
        "\u{AD}",
        "\u{1F98A}",
        "user@example.com",
    ]);
    let shaped = prop::collection::vec(piece, 0..12).prop_map(|all| all.concat().into_bytes());
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), shaped]
}

proptest! {
    /// Nothing a client sends is a panic, and no bytes at all are a login.
    #[test]
    fn arbitrary_messages_never_panic_and_never_log_in(
        choice in 0..Mechanism::ALL.len(),
        first in message(),
        second in message(),
        text in "\\PC{0,40}",
    ) {
        let offer = bound();
        let mechanism = Mechanism::ALL[choice].name();
        let stored = ScramKeys::derive("pencil", ScramHash::Sha1, vec![1], 1).unwrap();
        for known in [None, Some(stored)] {
            if let Step::NeedKeys { next, .. } = begin(&offer, mechanism, &first)
                && let Step::Challenge { next, .. } = next.resolve(known, &decoys())
            {
                prop_assert!(matches!(next.respond(&second), Step::Failure(_)));
            }
        }
        let _ = begin(&offer, &text, &first);
        if let Ok(data) = decode(&text) {
            prop_assert!(text == "=" || encode(&data) == text);
        }
    }

    /// Any prefix, cut or changed byte of a good last message is refused without a panic.
    #[test]
    fn a_changed_last_message_is_refused(at in 0..200_usize, byte in any::<u8>(), cut in any::<bool>()) {
        let hash = ScramHash::Sha1;
        let bare = "n=user,r=x";
        let stored = ScramKeys::derive("pencil", hash, vec![1], 1).unwrap();
        let (server_first, next) = challenge(begin(&proxied(), "SCRAM-SHA-1", b"n,,n=user,r=x"), Some(stored));
        let good = last_message(hash, "pencil", bare, &server_first, b"n,,").into_bytes();
        let at = at % good.len();
        let mut changed = good.clone();
        if cut {
            changed.truncate(at);
        } else {
            changed[at] = byte;
        }
        let step = next.respond(&changed);
        prop_assert_eq!(changed == good, matches!(step, Step::Success { .. }));
    }
}
