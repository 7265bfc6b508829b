use std::borrow::Cow;

use super::*;
use crate::xml::{Limits, document};

fn info(query: &str) -> Info {
    let query = document(query.trim().as_bytes(), &Limits::default()).unwrap();
    Info::parse(&query).unwrap()
}

fn caps(query: &str) -> Caps {
    Caps::new(info(query), BareJid::new("localhost").unwrap())
}

#[test]
fn verification_strings_are_those_of_xep_0115_section_5() {
    let exodus = "
        <query xmlns='http://jabber.org/protocol/disco#info'>
          <identity category='client' name='Exodus 0.9.1' type='pc'/>
          <feature var='http://jabber.org/protocol/muc'/>
          <feature var='http://jabber.org/protocol/disco#items'/>
          <feature var='http://jabber.org/protocol/disco#info'/>
          <feature var='http://jabber.org/protocol/caps'/>
        </query>";
    assert_eq!(caps(exodus).ver, "QgayPKawpkPSDYmwT/WM94uAlu0=");
    let psi = "
        <query xmlns='http://jabber.org/protocol/disco#info'>
          <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
          <identity xml:lang='el' category='client' name='\u{3A8} 0.11' type='pc'/>
          <feature var='http://jabber.org/protocol/caps'/>
          <feature var='http://jabber.org/protocol/disco#info'/>
          <feature var='http://jabber.org/protocol/disco#items'/>
          <feature var='http://jabber.org/protocol/muc'/>
          <x xmlns='jabber:x:data' type='result'>
            <field var='os'><value>Mac</value></field>
            <field var='FORM_TYPE' type='hidden'>
              <value>urn:xmpp:dataforms:softwareinfo</value>
            </field>
            <field var='ip_version' type='text-multi'>
              <value>ipv6</value><value>ipv4</value>
            </field>
            <field var='os_version'><value>10.5.1</value></field>
            <field var='software'><value>Psi</value></field>
            <field var='software_version'><value>0.11</value></field>
          </x>
        </query>";
    assert_eq!(caps(psi).ver, "q07IKJEyjvHSyhy//CH0CxmKi8w=");
}

#[test]
fn hashes_are_those_of_xep_0390_section_4_5() {
    for (query, sha256, sha3) in [
        (
            include_str!("testdata/xep-0390-simple.xml"),
            "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
            "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q=",
        ),
        (
            include_str!("testdata/xep-0390-complex.xml"),
            "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY=",
            "XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg=",
        ),
    ] {
        let [first, second] = caps(query).hashes;
        assert_eq!(first, ("sha-256", sha256.to_owned()));
        assert_eq!(second, ("sha3-256", sha3.to_owned()));
    }
}

#[test]
fn a_node_is_one_of_the_hashes() {
    let caps = caps(include_str!("testdata/xep-0390-simple.xml"));
    let sha256 = "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=";
    for (node, known) in [
        (format!("{NODE}#{}", caps.ver), true),
        (format!("urn:xmpp:caps#sha-256.{sha256}"), true),
        (format!("urn:xmpp:caps#sha3-256.{sha256}"), false),
        (format!("urn:xmpp:caps#{sha256}"), false),
        (format!("{NODE}#"), false),
        (NODE.to_owned(), false),
        (format!("https://example.com#{}", caps.ver), false),
    ] {
        assert_eq!(caps.has_node(&node), known, "{node}");
    }
}

#[tokio::test]
async fn the_announced_hashes_are_answered_with_what_was_hashed() {
    use crate::extensions::{disco, testing::House, version};
    // The completion stands for that of the real list.
    let house = House::with(&["romeo"], |hooks, config| {
        let mut all = std::mem::take(hooks);
        for register in [register, disco::register, version::register] {
            register(&mut all, config);
        }
        *hooks = all.finish();
    })
    .await;
    let host = BareJid::new("localhost").unwrap();
    let hooks = &house.router.services().hooks;
    let mut romeo = house.client("romeo/orchard");
    for phase in [StreamPhase::Negotiation, StreamPhase::Authenticated] {
        let features = hooks.stream_features(phase, &host);
        let [caps, caps2] = features.as_slice() else {
            panic!("{features:?}");
        };
        assert_eq!(caps.attribute("hash"), Some("sha-1"));
        let mut nodes = vec![format!("{NODE}#{}", caps.attribute("ver").unwrap())];
        for hash in caps2.children() {
            let algo = hash.attribute("algo").unwrap();
            nodes.push(format!("urn:xmpp:caps#{algo}.{}", hash.text_content()));
        }
        assert_eq!(nodes.len(), 3);
        for node in nodes {
            let query = format!("<query xmlns='{}' node='{node}'/>", ns::DISCO_INFO);
            romeo
                .send(&format!(
                    "<iq type='get' id='c' to='localhost'>{query}</iq>"
                ))
                .await;
            let answer = romeo.received().remove(0);
            let told = answer.find(ns::DISCO_INFO, "query").unwrap();
            let told = String::from_utf8(told.bytes().to_vec()).unwrap();
            let info = info(&told);
            assert!(info.features.contains(&Cow::Borrowed(ns::VERSION)));
            assert!(Caps::new(info, host.clone()).has_node(&node), "{node}");
        }
    }
}
