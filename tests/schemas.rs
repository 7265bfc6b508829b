//! Every schema of `schemas/` is a valid one, takes what the server sends, and refuses what is
//! wrong. `xmllint` of libxml2 is the judge (Debian: `libxml2-utils`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot read what it checks has failed"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A schema, documents that it takes, and documents that it refuses.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "streams.xsd",
        &[
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xml:lang='en' from='example.org' id='a'/>",
            "<features xmlns='http://etherx.jabber.org/streams'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></features>",
        ],
        &[
            "<stream xmlns='http://etherx.jabber.org/streams' version='one'/>",
            "<features xmlns='http://etherx.jabber.org/streams'>text</features>",
        ],
    ),
    (
        "framing.xsd",
        &[
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' from='localhost' id='s1' xml:lang='en'/>",
            "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        ],
        &[
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
            "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'>now</close>",
            "<reopen xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        ],
    ),
    (
        "httpbind.xsd",
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' sid='a' from='localhost' wait='50' inactivity='60' polling='5' maxpause='120' hold='1' requests='2' ver='1.11' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' xmpp:restartlogic='true'><stream:features/></body>",
            "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind'><message xmlns='jabber:client'><body>Hi</body></message></body>",
        ],
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' type='end'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind' condition='unheard-of'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='0'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind'>text</body>",
        ],
    ),
    (
        "xbosh.xsd",
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='a' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>",
        ],
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='a' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='maybe'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='one'/>",
        ],
    ),
    (
        "stream-errors.xsd",
        &[
            "<error xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>too many</text></error>",
        ],
        &[
            "<error xmlns='http://etherx.jabber.org/streams'/>",
            "<error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
            "<error xmlns='http://etherx.jabber.org/streams'><unheard-of xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
        ],
    ),
    (
        "client.xsd",
        &[
            "<message xmlns='jabber:client' from='a@example.org/x' to='b@example.org' type='chat' id='1'><body>Hello</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/></message>",
            "<presence xmlns='jabber:client'><show>dnd</show><status xml:lang='de'>Pause</status><priority>-1</priority></presence>",
            "<iq xmlns='jabber:client' type='result' id='1'/>",
            "<iq xmlns='jabber:client' type='get' id='1' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        ],
        &[
            "<message xmlns='jabber:client' type='letter'/>",
            "<message xmlns='jabber:client' to=''/>",
            "<presence xmlns='jabber:client' type='available'/>",
            "<presence xmlns='jabber:client'><show>online</show></presence>",
            "<presence xmlns='jabber:client'><priority>128</priority></presence>",
            "<iq xmlns='jabber:client' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'>text</ping></iq>",
        ],
    ),
    (
        "http-upload.xsd",
        &[
            "<request xmlns='urn:xmpp:http:upload:0' filename='a b.jpg' size='1' content-type='image/jpeg'><profile xmlns='urn:xmpp:http:upload:purpose:0'/></request>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/upload/a/tr%C3%A8s.jpg'><header name='Authorization'>Bearer x</header></put><get url='https://example.org/upload/a/tr%C3%A8s.jpg'/></slot>",
            "<file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>20000</max-file-size></file-too-large>",
            "<retry xmlns='urn:xmpp:http:upload:0' stamp='2026-12-03T23:42:05Z'/>",
        ],
        &[
            "<request xmlns='urn:xmpp:http:upload:0' filename='a'/>",
            "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='0'/>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/a'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='http://example.org/a'/><get url='https://example.org/a'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/\u{e8}'/><get url='https://example.org/a'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/a'><header name='Host'>x</header></put><get url='https://example.org/a'/></slot>",
            "<retry xmlns='urn:xmpp:http:upload:0' stamp='2026-12-03T23:42:05+01:00'/>",
        ],
    ),
    (
        "http-upload-purpose.xsd",
        &[
            "<message xmlns='urn:xmpp:http:upload:purpose:0'/>",
            "<ephemeral xmlns='urn:xmpp:http:upload:purpose:0' expire-before='2026-09-10T23:08:25Z'/>",
        ],
        &[
            "<permanent xmlns='urn:xmpp:http:upload:purpose:0'>text</permanent>",
            "<ephemeral xmlns='urn:xmpp:http:upload:purpose:0'/>",
            "<forever xmlns='urn:xmpp:http:upload:purpose:0'/>",
        ],
    ),
    (
        "stanza-errors.xsd",
        &[
            "<error xmlns='jabber:client' type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            "<iq xmlns='jabber:client' type='error' id='1'><error type='modify' by='example.org'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>why</text><bad-action xmlns='http://jabber.org/protocol/commands'/></error></iq>",
        ],
        &[
            "<error xmlns='jabber:client' type='cancel'/>",
            "<error xmlns='jabber:client' type='fatal'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            "<error xmlns='jabber:client'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        ],
    ),
    (
        "tls.xsd",
        &[
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        ],
        &["<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></proceed>"],
    ),
    (
        "sasl.xsd",
        &[
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>",
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>no</text></failure>",
        ],
        &[
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>plain</mechanism></mechanisms>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>!</challenge>",
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><bad-protocol/></failure>",
        ],
    ),
    (
        "bind.xsd",
        &[
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/desk</jid></bind>",
        ],
        &["<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org</jid></bind>"],
    ),
    (
        "session.xsd",
        &["<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"],
        &["<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><required/></session>"],
    ),
    (
        "roster.xsd",
        &[
            "<query xmlns='jabber:iq:roster' ver=''><item jid='b@example.org' name='B' subscription='both' ask='subscribe' approved='true'><group>Sales</group></item></query>",
        ],
        &[
            "<query xmlns='jabber:iq:roster'><item name='B'/></query>",
            "<query xmlns='jabber:iq:roster'><item jid='b@example.org' subscription='some'/></query>",
        ],
    ),
    (
        "roster-versioning.xsd",
        &["<ver xmlns='urn:xmpp:features:rosterver'/>"],
        &["<ver xmlns='urn:xmpp:features:rosterver'>1</ver>"],
    ),
    (
        "pre-approval.xsd",
        &["<sub xmlns='urn:xmpp:features:pre-approval'/>"],
        &["<sub xmlns='urn:xmpp:features:pre-approval' from='a'/>"],
    ),
    (
        "sasl-channel-binding.xsd",
        &[
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>",
        ],
        &[
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'/>",
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding/></sasl-channel-binding>",
        ],
    ),
    (
        "disco-info.xsd",
        &[
            "<query xmlns='http://jabber.org/protocol/disco#info' node='n'><identity category='server' type='im' name='Parlour' xml:lang='en'/><feature var='urn:xmpp:ping'/><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field></x></query>",
        ],
        &[
            "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='server'/></query>",
            "<query xmlns='http://jabber.org/protocol/disco#info'><feature/></query>",
        ],
    ),
    (
        "disco-items.xsd",
        &[
            "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='example.org' node='n' name='N'/></query>",
        ],
        &["<query xmlns='http://jabber.org/protocol/disco#items'><item node='n'/></query>"],
    ),
    (
        "caps.xsd",
        &[
            "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>",
        ],
        &[
            "<c xmlns='http://jabber.org/protocol/caps' node='https://example.org' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>",
        ],
    ),
    (
        "caps2.xsd",
        &[
            "<c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=</hash></c>",
        ],
        &["<c xmlns='urn:xmpp:caps'/>"],
    ),
    (
        "hashes.xsd",
        &["<hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>AAAA</hash>"],
        &[
            "<hash xmlns='urn:xmpp:hashes:2'>AAAA</hash>",
            "<hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>?</hash>",
        ],
    ),
    (
        "ping.xsd",
        &["<ping xmlns='urn:xmpp:ping'/>"],
        &["<ping xmlns='urn:xmpp:ping'><pong/></ping>"],
    ),
    (
        "version.xsd",
        &[
            "<query xmlns='jabber:iq:version'/>",
            "<query xmlns='jabber:iq:version'><name>Parlour</name><version>0.1.0</version></query>",
        ],
        &["<query xmlns='jabber:iq:version'><name>Parlour</name></query>"],
    ),
    (
        "time.xsd",
        &["<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2026-01-02T03:04:05Z</utc></time>"],
        &[
            "<time xmlns='urn:xmpp:time'><tzo>CET</tzo><utc>2026-01-02T03:04:05Z</utc></time>",
            "<time xmlns='urn:xmpp:time'><tzo>Z</tzo><utc>2026-01-02T03:04:05+01:00</utc></time>",
        ],
    ),
    (
        "last.xsd",
        &["<query xmlns='jabber:iq:last' seconds='903'>Heading Home</query>"],
        &["<query xmlns='jabber:iq:last' seconds='-1'/>"],
    ),
    (
        "vcard-temp.xsd",
        &["<vCard xmlns='vcard-temp'><FN>B</FN><N><FAMILY>B</FAMILY></N></vCard>"],
        &["<vCard xmlns='vcard-temp'>B</vCard>"],
    ),
    (
        "private.xsd",
        &["<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>"],
        &["<query xmlns='jabber:iq:private'>text</query>"],
    ),
    (
        "stream-limits.xsd",
        &[
            "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes><idle-seconds>900</idle-seconds></limits>",
        ],
        &["<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>much</max-bytes></limits>"],
    ),
    (
        "register.xsd",
        &[
            "<query xmlns='jabber:iq:register'><instructions>Choose</instructions><password/><username/></query>",
            "<query xmlns='jabber:iq:register'><remove/></query>",
        ],
        &["<query xmlns='jabber:iq:register'><remove/><username>a</username></query>"],
    ),
    (
        "register-feature.xsd",
        &["<register xmlns='http://jabber.org/features/iq-register'/>"],
        &["<register xmlns='http://jabber.org/features/iq-register'><optional/></register>"],
    ),
    (
        "commands.xsd",
        &[
            "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s' status='executing'><actions execute='complete'><complete/></actions><x xmlns='jabber:x:data' type='form'><field var='a' type='text-single'/></x></command>",
        ],
        &[
            "<command xmlns='http://jabber.org/protocol/commands'/>",
            "<command xmlns='http://jabber.org/protocol/commands' node='n' status='running'/>",
            "<command xmlns='http://jabber.org/protocol/commands' node='n'><x xmlns='jabber:x:data' type='letter'/></command>",
        ],
    ),
    (
        "data-forms.xsd",
        &[
            "<x xmlns='jabber:x:data' type='form'><title>T</title><field var='a' type='list-single'><required/><value>1</value><option label='One'><value>1</value></option></field></x>",
            "<x xmlns='jabber:x:data' type='result'><reported><field var='a'/></reported><item><field var='a'><value>1</value></field></item></x>",
        ],
        &[
            "<x xmlns='jabber:x:data'/>",
            "<x xmlns='jabber:x:data' type='form'><field type='number'/></x>",
            "<x xmlns='jabber:x:data' type='result'><item/></x>",
        ],
    ),
    (
        "form-validation.xsd",
        &[
            "<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'><range min='1' max='9'/></validate>",
        ],
        &[
            "<validate xmlns='http://jabber.org/protocol/xdata-validate'><open/><basic/></validate>",
            "<validate xmlns='http://jabber.org/protocol/xdata-validate'><list-range min='-1'/></validate>",
        ],
    ),
    (
        "delay.xsd",
        &[
            "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-01-02T03:04:05.678Z'>Offline</delay>",
        ],
        &[
            "<delay xmlns='urn:xmpp:delay'/>",
            "<delay xmlns='urn:xmpp:delay' stamp='20260102T03:04:05'/>",
        ],
    ),
    (
        "xml.xsd",
        &["<body xmlns='jabber:client' xml:lang=''>neutral</body>"],
        &["<body xmlns='jabber:client' xml:lang='no language'/>"],
    ),
];

/// What `xmllint` says of documents by all schemas together, so that payloads are looked at inside
/// their stanzas too: for each whether it is taken.
fn judged(documents: &[&str]) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    let mut all = String::from("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n");
    for path in schema_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, target) = text.split_once("targetNamespace=\"").unwrap();
        let (target, _) = target.split_once('"').unwrap();
        let location = path.display();
        all.push_str(&format!(
            "<xs:import namespace='{target}' schemaLocation='{location}'/>\n"
        ));
    }
    all.push_str("</xs:schema>");
    let schema = folder.path().join("all.xsd");
    std::fs::write(&schema, all).unwrap();
    let mut command = Command::new("xmllint");
    command
        .args(["--noout", "--nonet", "--schema"])
        .arg(&schema);
    for (number, document) in documents.iter().enumerate() {
        let path = folder.path().join(format!("{number}.xml"));
        std::fs::write(&path, document).unwrap();
        command.arg(path);
    }
    let output = command
        .output()
        .expect("xmllint is installed (Debian: libxml2-utils)");
    let said = String::from_utf8(output.stderr).unwrap();
    // 5: a schema cannot be compiled.
    assert_ne!(output.status.code(), Some(5), "{said}");
    let verdict = |number: usize| {
        let path = folder.path().join(format!("{number}.xml"));
        let path = path.display();
        let taken = said.contains(&format!("{path} validates"));
        let refused = said.contains(&format!("{path} fails to validate"));
        assert_ne!(taken, refused, "no verdict on {number}:\n{said}");
        taken
    };
    (0..documents.len()).map(verdict).collect()
}

fn schema_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xsd"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn each_schema_takes_what_is_right_and_refuses_what_is_wrong() {
    let expected: Vec<(&str, bool)> = CASES
        .iter()
        .flat_map(|(_, right, wrong)| {
            let right = right.iter().map(|document| (*document, true));
            right.chain(wrong.iter().map(|document| (*document, false)))
        })
        .collect();
    let documents: Vec<&str> = expected.iter().map(|(document, _)| *document).collect();
    for ((document, right), taken) in expected.iter().zip(judged(&documents)) {
        assert_eq!(taken, *right, "{document}");
    }
}

#[test]
fn every_schema_has_a_document_that_it_takes_and_one_that_it_refuses() {
    let files: BTreeSet<String> = schema_files()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let tried: BTreeSet<String> = CASES
        .iter()
        .filter(|(_, right, wrong)| !right.is_empty() && !wrong.is_empty())
        .map(|(file, _, _)| (*file).to_owned())
        .collect();
    assert_eq!(files, tried);
}

#[test]
fn each_schema_is_valid_by_itself() {
    for path in schema_files() {
        let document = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(document.path(), "<nothing/>").unwrap();
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(&path)
            .arg(document.path())
            .output()
            .expect("xmllint is installed (Debian: libxml2-utils)");
        // 3: the document is refused, so the schema could be compiled.
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{}: {said}", path.display());
    }
}
