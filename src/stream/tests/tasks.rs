//! Tasks before success: keys for other mechanisms (XEP-0480).

use super::sasl2::{NS, OLD_BIND, authenticate, failure2, proved, success};
use super::*;
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::stream::sasl::{decode, encode};

const UPGRADES: &str = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>\
    <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade>\
    <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-BLOOP-42</upgrade>";
const NEXT: &str = "<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-512'/>";

/// A client that has proved its password and wants keys; its account has those hashes.
fn upgrading(present: Vec<ScramHash>) -> (Dialogue, Output) {
    let said = authenticate("PLAIN", b"\0alice\0secret", UPGRADES);
    let (mut dialogue, output) = proved(&said);
    assert!(matches!(output.next, Next::Hashes { .. }), "{output:?}");
    let output = dialogue.tell(Input::Hashes(present));
    (dialogue, output)
}

fn continued(hash: &str) -> String {
    format!("<continue {NS}><tasks><task>UPGR-SCRAM-SHA-{hash}</task></tasks></continue>")
}

/// Plays one task; gives the keys.
fn play(dialogue: &mut Dialogue, hash: ScramHash, name: &str) -> ScramKeys {
    let output = dialogue.say(&format!("<next {NS} task='{name}'/>"));
    let salt = sent(&output)
        .strip_prefix(&format!(
            "<task-data {NS}><salt xmlns='urn:xmpp:scram-upgrade:0' iterations='4096'>"
        ))
        .unwrap();
    let salt = decode(salt.strip_suffix("</salt></task-data>").unwrap()).unwrap();
    assert_eq!(salt.len(), 16);
    let salted = encode(&hash.salted("secret", &salt, 4096));
    let output = dialogue.say(&data(&salted));
    let Next::Upgrade { account, keys } = output.next else {
        panic!("{output:?}");
    };
    assert_eq!(account, jid("alice@example.com"));
    keys
}

fn data(hash: &str) -> String {
    format!("<task-data {NS}><hash xmlns='urn:xmpp:scram-upgrade:0'>{hash}</hash></task-data>")
}

/// XEP-0480 §2.2, §3.
#[test]
fn the_client_makes_the_keys_that_the_account_lacks() {
    let (mut dialogue, output) = upgrading(vec![ScramHash::Sha1]);
    assert_eq!(sent(&output), continued("512"));
    let keys = play(&mut dialogue, ScramHash::Sha512, "UPGR-SCRAM-SHA-512");
    assert!(keys.verify_password("secret") && !keys.verify_password("Secret"));
    let output = dialogue.tell(Input::Upgraded);
    assert_eq!(sent(&output), continued("256"));
    let keys = play(&mut dialogue, ScramHash::Sha256, "UPGR-SCRAM-SHA-256");
    assert!(keys.verify_password("secret"));
    let output = dialogue.tell(Input::Upgraded);
    assert_eq!(
        sent(&output),
        success("", "alice@example.com", "", OLD_BIND)
    );
}

#[test]
fn an_account_that_lacks_nothing_is_let_in_at_once() {
    let (_, output) = upgrading(ScramHash::ALL.to_vec());
    assert_eq!(
        sent(&output),
        success("", "alice@example.com", "", OLD_BIND)
    );
}

#[test]
fn what_is_no_step_of_the_task_fails_and_nobody_is_let_in() {
    let short = encode(&[1; 32]);
    for (steps, condition) in [
        (vec![format!("<abort {NS}/>")], "aborted"),
        (vec![format!("<next {NS}/>")], "malformed-request"),
        (vec![NEXT.replace("512", "256")], "malformed-request"),
        (vec![NEXT.to_owned(), format!("<abort {NS}/>")], "aborted"),
        (
            vec![NEXT.to_owned(), format!("<task-data {NS}/>")],
            "malformed-request",
        ),
        (vec![NEXT.to_owned(), data("")], "malformed-request"),
        (vec![NEXT.to_owned(), data("?")], "incorrect-encoding"),
        (vec![NEXT.to_owned(), data(&short)], "malformed-request"),
    ] {
        let (mut dialogue, mut output) = upgrading(vec![]);
        for step in &steps {
            output = dialogue.say(step);
        }
        assert_eq!(sent(&output), failure2(condition), "{steps:?}");
        assert!(matches!(dialogue.say(PLAIN).next, Next::Password { .. }));
    }
    for said in ["<presence/>", PLAIN, "<response xmlns='urn:xmpp:sasl:2'/>"] {
        let (mut dialogue, _) = upgrading(vec![]);
        stream_error(&dialogue.say(said));
        let (mut dialogue, _) = upgrading(vec![]);
        dialogue.say(NEXT);
        stream_error(&dialogue.say(said));
    }
}
