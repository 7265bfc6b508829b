//! The rules of the scripts' notation, which `tests/scripts.rs` plays by.

#![expect(dead_code, reason = "only the parts without a server are tested here")]

#[path = "support/client.rs"]
mod client;
#[path = "support/judge.rs"]
mod judge;
#[path = "support/login.rs"]
mod login;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/play/mod.rs"]
mod play;
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its database no test can go on"
)]
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/server.rs"]
mod server;
#[path = "support/xml.rs"]
mod xml;

#[cfg(test)]
mod pattern_tests {
    use crate::play::pattern::*;
    use crate::xml::Node;

    #[test]
    fn a_pattern_matches_by_structure() {
        for (pattern, actual, matches) in [
            ("<a x='1' y='2'/>", "<a y='2' x='1'/>", true),
            ("<a x='1'/>", "<a x='1' y='2'/>", false),
            ("<a x='1' …/>", "<a x='1' y='2'/>", true),
            ("<a x='1'/>", "<a/>", false),
            ("<a x?='1'/>", "<a/>", true),
            ("<a x?='1'/>", "<a x='1'/>", true),
            ("<a x?='1'/>", "<a x='2'/>", false),
            ("<a><b/><c/></a>", "<a> <c/> <b/> </a>", true),
            ("<a><b/></a>", "<a><b/><c/></a>", false),
            ("<a><b/>…</a>", "<a><c/><b/>text</a>", true),
            ("<a><b/><b/></a>", "<a><b/></a>", false),
            (
                "<a><b i='${_}'/><b i='1'/></a>",
                "<a><b i='1'/><b i='2'/></a>",
                true,
            ),
            ("<a>hi</a>", "<a>ho</a>", false),
            ("<a>what?</a>", "<a>what?</a>", true),
            ("<a/>", "<a xmlns='urn:other'/>", false),
            ("<a><absent><b/></absent>…</a>", "<a><c/></a>", true),
            ("<a><absent><b/></absent>…</a>", "<a><c/><b/></a>", false),
            ("<a x='${v}' y='${v}'/>", "<a x='1' y='1'/>", true),
            ("<a x='${v}' y='${v}'/>", "<a x='1' y='2'/>", false),
            ("<a x='pre-${v}-post'/>", "<a x='pre-1-post'/>", true),
            ("<a x='pre-${v}'/>", "<a x='post-1'/>", false),
            ("<a x='${v}'/>", "<a x=''/>", false),
        ] {
            let expected = parse(pattern).unwrap().remove(0);
            let actual_node = Node::parse_all(actual).unwrap().remove(0);
            let found = check(&expected, &actual_node, &mut Variables::new());
            assert_eq!(
                found.is_ok(),
                matches,
                "{pattern} against {actual}: {found:?}"
            );
        }
    }

    #[test]
    fn a_failed_match_binds_nothing() {
        let mut variables = Variables::new();
        let expected = parse("<a x='${v}' y='2'/>").unwrap().remove(0);
        let actual = Node::parse_all("<a x='1' y='3'/>").unwrap().remove(0);
        assert!(check(&expected, &actual, &mut variables).is_err());
        assert!(variables.is_empty());
    }
}

#[cfg(test)]
mod phrase_tests {
    use crate::play::pattern::Variables;
    use crate::play::phrase::*;
    use crate::play::script::Script;
    use std::path::Path;

    fn cast() -> Cast {
        let text = "# None\naccount romeo@localhost\nroom hall@rooms.localhost\n\nromeo logs in\n";
        let script = Script::parse(Path::new("x.play"), text).unwrap();
        Cast::new(&script, "7")
    }

    #[test]
    fn names_are_real_on_the_wire_and_scripted_in_reports() {
        assert_eq!(
            cast().real("to='romeo@localhost/a'"),
            "to='romeo-7@localhost/a'"
        );
        assert_eq!(
            cast().real("to='xromeo@localhost'"),
            "to='xromeo@localhost'"
        );
        assert_eq!(cast().scripted("romeo-7@localhost"), "romeo@localhost");
        let room = "hall@rooms.localhost/romeo";
        assert_eq!(cast().real(room), "hall-7@rooms.localhost/romeo");
        assert_eq!(cast().scripted(&cast().real(room)), room);
    }

    #[test]
    fn phrases_are_spoken_from_the_inside_out() {
        let variables = Variables::from([("v".to_owned(), "1".to_owned())]);
        for (text, spoken) in [
            ("${v}-${v}", "1-1"),
            ("${repeat:3:ab}", "ababab"),
            ("${user:romeo}", "romeo-7"),
            ("${plain:romeo:pw}", "AHJvbWVvLTcAcHc="),
            ("${base64:${user:romeo}}", "cm9tZW8tNw=="),
        ] {
            assert_eq!(cast().spoken(text, &variables).unwrap(), spoken);
        }
        assert!(cast().spoken("${nobody}", &variables).is_err());
    }

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(unescape("a\\xff\\n\\\\").unwrap(), b"a\xff\n\\");
        assert!(unescape("\\q").is_err());
    }
}

#[cfg(test)]
mod script_tests {
    use std::path::Path;

    use crate::client::Transport;
    use crate::play::script::*;

    const PLAY: &str = "# RFC 6120 §1: an example
transports: tcp starttls
config:
  [registration]
  mode = 'open'
account romeo@localhost password r0 meo
romeo/orchard logs in
romeo/orchard sends:
  <message to='juliet@localhost'>
    <body>Hi</body>
  </message>
romeo/orchard receives <iq …/>
stranger receives stream error host-unknown or host-gone
";

    #[test]
    fn a_script_is_read_into_steps() {
        let script = Script::parse(Path::new("x.play"), PLAY).unwrap();
        assert_eq!(script.transports, [Transport::Tcp, Transport::StartTls]);
        assert_eq!(script.config, "[registration]\nmode = 'open'");
        assert_eq!(script.accounts[0].password, "r0 meo");
        let steps: Vec<_> = script
            .steps
            .iter()
            .map(|step| (step.line, &step.act))
            .collect();
        assert!(matches!(steps[0], (7, Act::LogIn(None))));
        assert!(
            matches!(steps[1], (8, Act::Send(text)) if text.ends_with("Hi</body>\n</message>"))
        );
        assert!(
            matches!(steps[2], (12, Act::Receive(Order::AsWritten, text)) if text == "<iq …/>")
        );
        assert!(matches!(steps[3], (13, Act::StreamError(names)) if names.len() == 2));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "romeo logs in\n",
            "# about\n",
            "# about\nromeo sings\n",
            "# about\nromeo sends <a>\n",
            "# about\nromeo receives:\n",
            "# about\nromeo logs in:\n  <a/>\n",
            "# about\nromeo receives error service-unavailable for x\n",
            "# about\ntransports: pigeon\nromeo logs in\n",
        ] {
            assert!(Script::parse(Path::new("x.play"), text).is_err(), "{text}");
        }
    }
}

#[cfg(test)]
mod judge_tests {
    use std::collections::BTreeMap;

    use crate::judge::complaints;
    use crate::xml::Node;

    const FORM: &str = "<iq type='result' id='1'><x xmlns='jabber:x:data' type='form'>\
        <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>\
        <field var='with' type='jid-single'/>MORE</x></iq>";

    #[test]
    fn what_no_schema_has_is_found_wherever_it_stands() {
        for (element, fault) in [
            ("<message><body>a &lt; b\n&apos;</body></message>", None),
            ("<stream:features/>", None),
            ("<message><any xmlns='urn:example' a='b'><c/></any></message>", None),
            ("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>", None),
            ("<presence type='busy'/>", Some("'busy'")),
            ("<other xmlns='urn:example'/>", Some("urn:example")),
            (
                "<iq type='result' id='1'><query xmlns='jabber:iq:roster'><item/></query></iq>",
                Some("'jid'"),
            ),
            (
                "<message><any xmlns='urn:example'><ping xmlns='urn:xmpp:ping'>now</ping></any></message>",
                Some("ping"),
            ),
            ("<iq type='result'/>", Some("without an id")),
            ("<iq type='error'/>", None),
            (FORM, None),
            (&FORM.replace("MORE", "<field var='since'/>"), Some("since")),
            (&FORM.replace("MORE", "<field var='with'/>"), Some("twice")),
            (&FORM.replace("hidden", "text-single"), Some("not hidden")),
            (
                &FORM.replace("MORE", "<field var='end'><value>a</value><value>b</value></field>"),
                Some("2 values"),
            ),
            (
                &FORM.replace("MORE", "<field var='end' type='boolean'><value>no</value></field>"),
                Some("boolean"),
            ),
            (
                &FORM.replace(
                    "MORE",
                    "<field var='end' type='list-single'><value>a</value><option><value>b</value></option></field>",
                ),
                Some("no option"),
            ),
        ] {
            let element = element.replace("MORE", "");
            let node = Node::parse_all(&element).unwrap().remove(0);
            let heard = BTreeMap::from([(node.to_string(), (node, "here".to_owned()))]);
            let found = complaints(&heard).unwrap();
            match fault {
                None => assert!(found.is_empty(), "{element}: {found:?}"),
                Some(fault) => assert!(
                    found.iter().any(|it| it.starts_with("here: ") && it.contains(fault)),
                    "{element}: {found:?}"
                ),
            }
        }
    }
}
