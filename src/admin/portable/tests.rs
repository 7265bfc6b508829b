//! Files that are read and written: all that they may hold, and all that may be wrong with them.

use std::fs;

use super::*;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::domain::rights::Role;
use crate::proto::common::kept;
use crate::proto::scram::ScramHash;
use crate::store::{ArchiveEnd, ArchiveFilter, ArchivePageLimits, Limits, Location, Store};

const NOW: Timestamp = Timestamp::from_micros(1_890_000_000_000_000);

/// The node's form as it comes; the words are of another room.
const RULES: Rules = Rules {
    words: |_, _, _| Vec::new(),
    node: |form, _| (form.map(kept::to_bytes).unwrap_or_default(), Vec::new()),
};

struct Office {
    store: Store,
    config: Config,
    folder: tempfile::TempDir,
}

impl Office {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Location::Sqlite(folder.path().join("parlour.db"));
        let limits = Limits::default();
        let store = Box::pin(Store::open(&file, &limits)).await.unwrap();
        let text = "[[host]]\ndomain = 'example.org'\n[auth]\nscram_iterations = 4096\n";
        let config = Config::parse("test.toml", text, std::iter::empty()).unwrap();
        Self {
            store,
            config,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn read(&self, name: &str, dry_run: bool) -> (Imported, Result<(), PortableError>) {
        let mut imported = Imported::default();
        let path = self.path(name);
        let from = (path.as_path(), NOW);
        let done = Box::pin(import(
            &self.store,
            &self.config,
            &RULES,
            from,
            dry_run,
            &mut imported,
        ))
        .await;
        (imported, done)
    }

    async fn take(&self, text: &str) -> Imported {
        fs::write(self.path("in.xml"), text).unwrap();
        let (imported, done) = Box::pin(self.read("in.xml", false)).await;
        done.unwrap();
        imported
    }

    async fn write(&self, name: &str) -> String {
        let all = Choice::Hosts(vec!["example.org".to_owned()]);
        export(&self.store, &all, &self.path(name)).await.unwrap();
        fs::read_to_string(self.path(name)).unwrap()
    }

    async fn accounts(&self) -> Vec<String> {
        let page = self
            .store
            .accounts()
            .page("example.org", None, 1_000)
            .await
            .unwrap();
        page.iter().map(|account| account.jid.to_string()).collect()
    }
}

fn host(users: &str) -> String {
    format!(
        "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'>{users}</host></server-data>"
    )
}

/// Something of every kind, as this server writes it.
const ROMEO: &str = "<user name='romeo' password='wherefore art thou'>\
<query xmlns='jabber:iq:roster'>\
<item jid='benvolio@example.org' subscription='none' approved='true'/>\
<item jid='juliet@example.org' name='Juliet &amp; co' subscription='both'><group>Verona</group><group>Friends</group></item>\
<item jid='mercutio@example.com' subscription='from' ask='subscribe'/></query>\
<presence xmlns='jabber:client' from='nurse@example.org' to='romeo@example.org' type='subscribe' id='xk3'><nick xmlns='http://jabber.org/protocol/nick'>Nurse</nick></presence>\
<blocklist xmlns='urn:xmpp:blocking'><item jid='tybalt@example.com'/></blocklist>\
<vCard xmlns='vcard-temp'><FN>Romeo Montague</FN></vCard>\
<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'><defaultnick>Hamlet</defaultnick></exodus></query>\
<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='urn:example:node'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field></x></configure>\
<affiliations node='urn:example:node'><affiliation jid='mercutio@example.com' affiliation='member'/></affiliations>\
<subscriptions node='urn:example:node'><subscription jid='mercutio@example.com' subscription='subscribed'/></subscriptions></pubsub>\
<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:example:node'><item id='2'><a xmlns='urn:example'/></item><item id='1'/></items></pubsub>\
<offline-messages><message xmlns='jabber:client' from='juliet@example.org/b' to='romeo@example.org' type='chat'><body>Good night &lt;3</body><delay xmlns='urn:xmpp:delay' from='example.org' stamp='2024-07-10T23:09:32.000001Z'/></message></offline-messages>\
<archive xmlns='urn:xmpp:pie:0#mam'>\
<result xmlns='urn:xmpp:mam:2' id='28482-98726-73623'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2024-07-10T23:08:25Z'/><message xmlns='jabber:client' to='romeo@example.org/o' from='juliet@example.org/b' type='chat'><body>Art thou not Romeo?</body></message></forwarded></result>\
<result xmlns='urn:xmpp:mam:2' id='5d398-28273-f7382'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2024-07-10T23:09:32Z'/><message xmlns='jabber:client' to='juliet@example.org/b' from='romeo@example.org/o' type='chat' id='8a54s'><body>Neither</body></message></forwarded></result></archive>\
<prefs xmlns='urn:xmpp:mam:2' default='roster'><always/><never><jid>tybalt@example.com</jid></never></prefs></user>";

#[tokio::test]
async fn what_is_exported_and_imported_is_exported_the_same() {
    let (one, other) = (Office::new().await, Office::new().await);
    let imported = Box::pin(one.take(&host(ROMEO))).await;
    assert_eq!(
        (imported.accounts, imported.skipped),
        (1, 0),
        "{imported:?}"
    );
    assert_eq!(imported.notes, Vec::new());
    let first = one.write("out.xml").await;
    // All but the credentials and the ids of the archive is as it came.
    let (before, archive) = ROMEO.split_once("<archive").unwrap();
    let (_, kinds) = before.split_once("<query").unwrap();
    assert!(first.contains(kinds), "{first}\n{kinds}");
    assert!(!first.contains("28482-98726-73623") && !first.contains("wherefore"));
    let prefs = archive.split_once("</archive>").unwrap().1;
    assert!(first.contains(prefs), "{first}");
    for (mechanism, count) in [
        ("SCRAM-SHA-512", 1),
        ("SCRAM-SHA-256", 1),
        ("SCRAM-SHA-1", 1),
    ] {
        let wanted = format!("mechanism='{mechanism}'");
        assert_eq!(first.matches(&wanted).count(), count, "{first}");
    }

    fs::write(other.path("in.xml"), &first).unwrap();
    let (imported, done) = Box::pin(other.read("in.xml", false)).await;
    done.unwrap();
    assert_eq!((imported.accounts, imported.notes), (1, Vec::new()));
    assert_eq!(other.write("out.xml").await, first);
    let jid = BareJid::new("romeo@example.org").unwrap();
    for hash in ScramHash::ALL {
        let login = other
            .store
            .credentials()
            .find(&jid, hash)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(login.role, Role::Member);
        assert!(login.keys.unwrap().verify_password("wherefore art thou"));
    }
}

#[tokio::test]
async fn bad_users_are_told_and_the_others_go_on() {
    let office = Office::new().await;
    let credentials = |mechanism: &str, count: &str, key: &str| {
        format!(
            "<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='{mechanism}'><iter-count>{count}</iter-count>\
             <salt>QSXCR+Q6sek8bf92</salt><server-key>D+CSWLOshSulAsxiupA+qs2/fTE=</server-key><stored-key>{key}</stored-key></scram-credentials>"
        )
    };
    let good = credentials("SCRAM-SHA-1", "4096", "6dlGYMOdZcOPutkcNY8U2g7vK9Y=");
    let users = [
        "\n<user/>".to_owned(),
        "\n<user name='a@b'/>".to_owned(),
        "\n<user name='bad name' password='x'/>".to_owned(),
        format!(
            "\n<user name='count'>{}</user>",
            credentials("SCRAM-SHA-1", "0", "AAAA")
        ),
        format!(
            "\n<user name='key'>{}</user>",
            credentials("SCRAM-SHA-1", "1", "AAAA")
        ),
        format!("\n<user name='twice'>{good}{good}</user>"),
        "\n<user name='empty' password='&#173;'/>".to_owned(),
        "\n<user name='prefix'><a:b/></user>".to_owned(),
        format!("\n<user name='pencil'>{good}</user>"),
        "\n<user name='pencil' password='again'/>".to_owned(),
    ];
    let imported = Box::pin(office.take(&host(&users.concat()))).await;
    assert_eq!(office.accounts().await, ["pencil@example.org"]);
    assert_eq!(
        (imported.accounts, imported.skipped),
        (1, 8),
        "{imported:?}"
    );
    let told: Vec<(u64, &str)> = imported
        .problems
        .iter()
        .map(|it| (it.line, it.text.as_str()))
        .collect();
    for ((line, text), (expected, why)) in told.iter().zip([
        (2, "is no name of an account"),
        (3, "is no name of an account"),
        (4, "is no name of an account"),
        (5, "iter-count is no number"),
        (6, "a key has not the 20 bytes"),
        (7, "there twice"),
        (8, "the password is empty"),
        (9, "a user cannot be read"),
        (11, "such an account already"),
    ]) {
        assert!(*line == expected && text.contains(why), "{told:#?}");
    }
    assert_eq!(told.len(), 9);
    let jid = BareJid::new("pencil@example.org").unwrap();
    let login = office
        .store
        .credentials()
        .find(&jid, ScramHash::Sha1)
        .await
        .unwrap()
        .unwrap();
    assert!(login.keys.unwrap().verify_password("pencil"));
}

#[tokio::test]
async fn a_host_that_is_not_served_and_unknown_data_are_told() {
    let office = Office::new().await;
    let text = "<?xml version='1.0'?><!-- made by hand --><server-data xmlns='urn:xmpp:pie:0'>\n\
        <host jid='elsewhere.example'><user name='a' password='b'/></host>\n\
        <x xmlns='urn:example'><y>z</y></x>\n<host jid='example.org'/><host jid='example.org'>\n\
        <!-- one --><user name='c' password='d'><x xmlns='urn:example'/></user></host>\n</server-data>\n";
    let imported = Box::pin(office.take(text)).await;
    assert_eq!(
        (imported.accounts, imported.skipped),
        (1, 1),
        "{imported:?}"
    );
    assert_eq!(imported.problems.len(), 2, "{imported:?}");
    assert_eq!(
        imported.problems[0].account.as_deref(),
        Some("a@elsewhere.example")
    );
    assert_eq!((imported.problems[1].line, imported.notes[0].line), (3, 5));
    assert_eq!(office.accounts().await, ["c@example.org"]);
}

#[tokio::test]
async fn what_is_no_file_of_users_is_read_to_where_it_breaks() {
    for (text, made, why) in [
        ("", 0_u8, "ends too early"),
        ("{}", 0, "text between"),
        ("<a/>", 0, "no file of XEP-0227"),
        ("<!DOCTYPE a><a/>", 0, "document types"),
        (
            host("<user name='a' password='b'/>").get(..80).unwrap(),
            0,
            "ends too early",
        ),
        (
            &host("<user name='a' password='b'/></hast>"),
            1,
            "wrong end tag",
        ),
        (
            &host("<user name='a' password='b'/>text"),
            1,
            "text between",
        ),
        (
            &format!("{}<a/>", host("<user name='a' password='b'/>")),
            1,
            "behind the end",
        ),
    ] {
        let office = Office::new().await;
        fs::write(office.path("in.xml"), text).unwrap();
        let (imported, done) = Box::pin(office.read("in.xml", false)).await;
        let error = done.unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
        assert_eq!(
            (imported.accounts, office.accounts().await.len()),
            (u64::from(made), usize::from(made)),
            "{text}"
        );
    }
}

#[tokio::test]
async fn included_files_are_read_and_none_outside_of_the_folder() {
    let office = Office::new().await;
    let folder = office.path("in");
    fs::create_dir_all(folder.join("example.org")).unwrap();
    let xi = "xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'";
    for (name, text) in [
        ("secret.xml", "<host xmlns='urn:xmpp:pie:0' jid='example.org'><user name='secret' password='x'/></host>".to_owned()),
        ("in/main.xml", format!("<server-data {xi}><xi:include href='example.org.xml'/><xi:include href='../secret.xml'/><xi:include href='missing.xml'/></server-data>")),
        ("in/example.org.xml", format!("<?xml version='1.0'?><host {xi} jid='example.org'><xi:include href='example.org/rom%65o.xml'/><xi:include href='/etc/passwd'/></host>")),
        ("in/example.org/romeo.xml", format!("<user {xi} name='romeo' password='x'><xi:include href='card.xml'/></user>")),
        ("in/example.org/card.xml", "<?xml version='1.0'?><vCard xmlns='vcard-temp'><FN>R</FN></vCard>".to_owned()),
    ] {
        fs::write(office.path(name), text).unwrap();
    }
    let (imported, done) = Box::pin(office.read("in/main.xml", false)).await;
    done.unwrap();
    assert_eq!(office.accounts().await, ["romeo@example.org"]);
    assert_eq!(imported.problems.len(), 3, "{imported:?}");
    let card = office
        .store
        .vcards()
        .find(&BareJid::new("romeo@example.org").unwrap())
        .await
        .unwrap();
    assert!(
        String::from_utf8(card.unwrap().xml)
            .unwrap()
            .contains("<FN>R</FN>")
    );
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_nobody_is_written_over() {
    let office = Office::new().await;
    fs::write(office.path("in.xml"), host(ROMEO)).unwrap();
    let (imported, done) = Box::pin(office.read("in.xml", true)).await;
    done.unwrap();
    assert_eq!((imported.accounts, office.accounts().await.len()), (1, 0));
    Box::pin(office.take(&host(ROMEO))).await;
    let (imported, _) = Box::pin(office.read("in.xml", true)).await;
    assert_eq!((imported.accounts, imported.skipped), (0, 1));
    let missing = Choice::Accounts(vec![BareJid::new("nobody@example.org").unwrap()]);
    let refused = export(&office.store, &missing, &office.path("no.xml")).await;
    assert!(matches!(refused, Err(PortableError::NoAccount(_))));
    assert!(!office.path("no.xml").exists());
    office.write("out.xml").await;
    let again = export(&office.store, &missing, &office.path("out.xml")).await;
    assert!(matches!(again, Err(PortableError::Exists(_))));
}

#[tokio::test]
async fn the_archive_tells_when_its_messages_came_and_with_whom() {
    let office = Office::new().await;
    Box::pin(office.take(&host(ROMEO))).await;
    let owner = BareJid::new("romeo@example.org").unwrap();
    let filter = ArchiveFilter {
        with: Some("juliet@example.org".parse().unwrap()),
        ..ArchiveFilter::default()
    };
    let limits = ArchivePageLimits {
        messages_max: 10,
        bytes_max: usize::MAX,
    };
    let archive = office.store.archive();
    let page = archive.page(&owner, &filter, ArchiveEnd::Oldest, limits);
    let page = page.await.unwrap();
    let moments: Vec<String> = page
        .messages
        .iter()
        .map(|it| it.id.moment().to_string())
        .collect();
    assert_eq!(moments, ["2024-07-10T23:08:25Z", "2024-07-10T23:09:32Z"]);
    assert_eq!(
        office.store.offline_messages().count(&owner).await.unwrap(),
        1
    );
}

#[tokio::test]
async fn a_damaged_file_is_told_of_wherever_the_damage_is() {
    let office = Office::new().await;
    let whole = host(&ROMEO.replace(" password='wherefore art thou'", ""));
    for at in (0..whole.len()).step_by(13) {
        for damage in ["", "<", "&", "\u{1}", "'", "</user>"] {
            let (Some(before), Some(after)) = (whole.get(..at), whole.get(at + 1..)) else {
                continue;
            };
            let after = if damage.is_empty() { "" } else { after };
            fs::write(office.path("in.xml"), format!("{before}{damage}{after}")).unwrap();
            let (imported, done) = Box::pin(office.read("in.xml", true)).await;
            let is_told = match done {
                Ok(()) => imported.accounts == 1 || !imported.problems.is_empty(),
                Err(PortableError::Unreadable { .. }) => true,
                Err(_) => false,
            };
            assert!(is_told, "{damage:?} at {at}: {imported:?}");
        }
    }
    assert_eq!(office.accounts().await, Vec::<String>::new());
}
