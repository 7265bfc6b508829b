//! Files of streams, without the doors that are before them.

mod delivering;
mod disclosing;
mod going;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::sweeping::sweep;
use super::taking::Found;
use super::{forget, link, link_for_component, look};
use crate::config::{Bytes, Component, ComponentRole, Config, Domain};
use crate::contact_center::doors::{Asker, known};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::message_streams::{KIND, find, retention};
use crate::contact_center::operation::Caller;
use crate::contact_center::testing::Floor;
use crate::domain::ids::{AgentId, MessageId, StreamId};
use crate::domain::message_stream::{
    Attachment, Command, Facts, Properties, Recipients, Stream, Written, decide,
};
use crate::domain::rights::Right;
use crate::extensions::http_upload::url_of;
use crate::hooks::{AttachmentDesk, AttachmentLink, Services, ShownAttachment};
use crate::proto::{BareJid, uri};
use crate::store::{NewUpload, Reserved, UploadFiles, UploadId, UploadLimits};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
/// Passes streams to customers.
const MAILER: &str = "mail.example";
/// A connector, too.
const OTHER: &str = "pbx.example";
const PEOPLE: &[&str] = &["romeo:administrator", "juliet:agent", "nurse:member"];

/// A floor with a folder for its files.
struct House {
    floor: Floor,
    folder: tempfile::TempDir,
}

impl House {
    async fn new(room: Option<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            data_dir: folder.path().to_owned(),
            ..Config::default()
        };
        for domain in [MAILER, OTHER] {
            config.components.push(Component {
                domain: Domain::parse(domain).unwrap(),
                role: ComponentRole::Connector,
                ..Component::default()
            });
        }
        config.contact_center.delivery = Domain::parse(MAILER);
        if let Some(room) = room {
            config.contact_center.attachments_bytes_max = Bytes::new(room);
        }
        let floor = Box::pin(Floor::configured(PEOPLE, config)).await;
        for right in [Right::MessageShow, Right::CommentShow] {
            let given = [("role", "agent"), ("right", right.name())];
            floor.operate("right give", &given).await;
        }
        Self { floor, folder }
    }

    fn services(&self) -> &Arc<Services> {
        self.floor.house.router.services()
    }

    async fn caller(&self, name: &str) -> Caller {
        let (center, place) = self.floor.inside();
        let from = format!("{name}@localhost/desk").parse().unwrap();
        let asker = Asker {
            from: &from,
            language: None,
        };
        known(&center, &place, self.services(), asker)
            .await
            .unwrap()
    }

    /// A slot, and the file in it when there is one; answers with its URL.
    async fn slot(&self, owner: &str, name: &str, declared: &str, file: Option<&[u8]>) -> String {
        let services = self.services();
        let now = services.clock.now();
        let new = NewUpload {
            id: UploadId::random(),
            owner: BareJid::new(&format!("{owner}@localhost")).unwrap(),
            token_hash: vec![7; 32],
            file_name: name.to_owned(),
            media_type: (!declared.is_empty()).then(|| declared.to_owned()),
            size: file.map_or(1, |it| u64::try_from(it.len()).unwrap()),
            created_at: now,
            put_until: now.plus_seconds(300),
            expires_at: Some(now.plus_seconds(86_400)),
        };
        let limits = UploadLimits {
            account_bytes_max: 1 << 30,
            day_bytes_max: 1 << 30,
            day_files_max: 100,
            transfer_seconds_max: 60,
        };
        let uploads = services.store.uploads();
        let granted = Box::pin(uploads.reserve(&new, &limits)).await.unwrap();
        assert_eq!(granted, Reserved::Granted);
        if let Some(file) = file {
            let files = UploadFiles::new(self.folder.path());
            let mut partial = files.begin(&new.id).await.unwrap();
            partial.write(file).await.unwrap();
            partial.keep().await.unwrap();
            assert!(uploads.stored(&new.id, now).await.unwrap());
        }
        let base = url_of(&services.config, &BareJid::new("localhost").unwrap()).unwrap();
        format!("{base}/{}/{}", new.id.as_str(), uri::encode(name))
    }

    async fn png(&self, owner: &str) -> String {
        Box::pin(self.slot(owner, "a.png", "image/png", Some(PNG))).await
    }

    /// Has that done to the stream.
    async fn change(&self, id: &StreamId, by: &str, command: Command) -> Stream {
        let caller = self.caller(by).await;
        let (center, services) = (&caller.center, self.services());
        let decided = async |mut draft: Draft| {
            let known = find(services, &caller.place, id).await?;
            let known = known.unwrap_or_else(|| Stream::new(id.clone()));
            let facts = Facts {
                rights: &caller.rights,
                since: caller.since,
                tags: &[],
                strangers: &BTreeSet::new(),
                attachment_bytes_max: u64::MAX,
            };
            let events = decide(&known, command.clone(), caller.now(), &facts)?;
            let after = draft.change(&known, &events)?;
            Ok((draft, after))
        };
        center.save(services, decided).await.unwrap()
    }

    /// A stream of romeo's, for those.
    async fn stream(&self, id: &StreamId, to: Recipients, files: Vec<Attachment>) -> Stream {
        let command = Command::Create {
            by: agent("romeo"),
            customer: "c1".parse().unwrap(),
            title: "A title".to_owned(),
            message: written("m1", files),
            properties: Properties {
                recipients: to,
                ..Properties::default()
            },
            tags: BTreeSet::new(),
        };
        Box::pin(self.change(id, "romeo", command)).await
    }

    /// What who comes with that URL is shown.
    async fn shown(&self, url: &str) -> Option<ShownAttachment> {
        let (_, path) = url.split_once("/attachment/").unwrap();
        let (path, query) = path.split_once('?').unwrap();
        let (id, name) = path.split_once('/').unwrap();
        let desk = self.services().hooks.offers().find::<AttachmentDesk>();
        let link = AttachmentLink {
            id: id.to_owned(),
            name: name.to_owned(),
            query: query.to_owned(),
        };
        let shown = desk.unwrap();
        let shown = shown.0.shown(link, Arc::clone(self.services()));
        shown.await.unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path),
                }
            }
        }
        found
    }
}

/// Looks at files, and takes them over.
async fn take(
    caller: &Caller,
    stream: &StreamId,
    urls: &[&str],
) -> Result<Vec<Attachment>, Refused> {
    let found = Box::pin(look(caller, stream, urls)).await?;
    let attachments = found.iter().map(Found::attachment).collect();
    Box::pin(super::take(caller, stream, found)).await?;
    Ok(attachments)
}

fn agent(name: &str) -> AgentId {
    format!("{name}@localhost").parse().unwrap()
}

fn written(id: &str, attachments: Vec<Attachment>) -> Written {
    Written {
        id: id.parse::<MessageId>().unwrap(),
        text: "A text".to_owned(),
        attachments,
    }
}

fn code(refused: Result<Vec<Attachment>, Refused>) -> &'static str {
    match refused.unwrap_err() {
        Refused::Rule(refusal) => refusal.code,
        other => panic!("{other}"),
    }
}

fn stream(id: &str) -> StreamId {
    id.parse().unwrap()
}

/// S4-20: a file of a stream is no upload any more, for its URL nor for its author's quota.
#[tokio::test]
async fn an_upload_becomes_a_file_of_the_stream() {
    let house = Box::pin(House::new(None)).await;
    let (url, id) = (Box::pin(house.png("romeo")).await, stream("s1"));
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &id, &[&url, &url]).await.unwrap();
    assert_eq!(taken.len(), 1, "one file, however often it is named");
    assert_eq!((taken[0].name.as_str(), taken[0].bytes), ("a.png", 18));
    assert_eq!(house.files().len(), 1);
    assert!(house.files()[0].starts_with(house.folder.path().join("attachment")));
    let slot = UploadId::parse(&taken[0].slot).unwrap();
    let uploads = house.services().store.uploads();
    assert!(uploads.find(&slot).await.unwrap().is_none());
    // Also when it is asked for once more, and when its author has gone.
    assert_eq!(take(&romeo, &id, &[&url]).await.unwrap(), taken);
    let written = Box::pin(house.stream(&id, Recipients::All, taken.clone())).await;
    forget(house.services(), &written.id).await.unwrap();
    let juliet = house.caller("juliet").await;
    let url = link(&juliet, &written, &taken[0]).unwrap();
    let romeo = BareJid::new("romeo@localhost").unwrap();
    house
        .services()
        .store
        .accounts()
        .remove(&romeo)
        .await
        .unwrap();
    let shown = house.shown(&url).await.unwrap();
    assert_eq!(std::fs::read(&shown.place).unwrap(), PNG);
    assert_eq!(shown.media_type, "image/png");
}

/// S4-21, with what is no upload of the author's.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one refusal after the other")]
async fn what_is_no_upload_of_ones_own_of_the_ten_types_is_not_attached() {
    let house = Box::pin(House::new(None)).await;
    let romeo = house.caller("romeo").await;
    let two = [PNG, b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\0\0"].concat();
    let mut cases = Vec::new();
    for (name, declared, file, expected) in [
        (
            "a.exe",
            "application/x-msdownload",
            Some(&b"MZ"[..]),
            "attachment-type",
        ),
        (
            "a.png",
            "image/png",
            Some(b"MZ\x90"),
            "attachment-content-otherwise",
        ),
        (
            "a.png",
            "text/html",
            Some(PNG),
            "attachment-declared-otherwise",
        ),
        ("a.png", "", Some(PNG), "attachment-declared-otherwise"),
        (
            "a.png",
            "image/png",
            Some(&two),
            "attachment-content-otherwise",
        ),
        (
            "a.txt",
            "text/plain",
            Some(b"#!/bin/sh"),
            "attachment-content-otherwise",
        ),
        ("a.png", "image/png", None, "attachment-unfinished"),
    ] {
        cases.push((
            Box::pin(house.slot("romeo", name, declared, file)).await,
            expected,
        ));
    }
    let (own, others) = (
        Box::pin(house.png("romeo")).await,
        Box::pin(house.png("juliet")).await,
    );
    let (base, name) = own.rsplit_once('/').unwrap();
    for wrong in [
        others,
        format!("{base}/b.png"),
        format!("{base}/../{name}"),
        format!("{own}/"),
        own.replace("https:", "http:"),
        own.replace("localhost", "elsewhere"),
        format!("{base}x/{name}"),
        "../../../../etc/passwd".to_owned(),
        String::new(),
    ] {
        cases.push((wrong, "attachment-unknown"));
    }
    for (url, expected) in cases {
        let before = house.files().len();
        let refused = take(&romeo, &stream("s1"), &[&own, &url]).await;
        assert_eq!(code(refused), expected, "{url}");
        assert_eq!(house.files().len(), before, "{url}");
    }
    let many: Vec<&str> = std::iter::repeat_n(own.as_str(), 101).collect();
    let refused = take(&romeo, &stream("s1"), &many).await;
    assert_eq!(code(refused), "attachments-full");
    house.floor.house.clock.advance_seconds(86_400);
    let refused = take(&romeo, &stream("s1"), &[&own]).await;
    assert_eq!(code(refused), "attachment-unknown", "expired");
}

/// An archive is what it is, however much would come out of it: nothing does.
#[tokio::test]
async fn a_zip_bomb_is_a_small_file() {
    let house = Box::pin(House::new(None)).await;
    // A local header that promises four gigabytes.
    let header = [&b"PK\x03\x04\x14\0\0\0\x08\0"[..], &[0xff; 12], b"\0\0\0\0"].concat();
    let end = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    let bomb = [header, end].concat();
    let url = Box::pin(house.slot("romeo", "a.zip", "application/zip", Some(&bomb))).await;
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &stream("s1"), &[&url]).await.unwrap();
    assert_eq!(taken[0].bytes, 48);
    let [file] = <[PathBuf; 1]>::try_from(house.files()).unwrap();
    assert_eq!(std::fs::read(file).unwrap(), bomb);
}

/// A write that was refused can be sent again, for another stream, too; what a stream names is its own.
#[tokio::test]
async fn a_file_belongs_to_the_stream_that_names_it() {
    let house = Box::pin(House::new(None)).await;
    let url = Box::pin(house.png("romeo")).await;
    let romeo = house.caller("romeo").await;
    let first = take(&romeo, &stream("s1"), &[&url]).await.unwrap();
    let again = take(&romeo, &stream("s2"), &[&url]).await.unwrap();
    assert_eq!(first, again);
    Box::pin(house.stream(&stream("s2"), Recipients::All, again)).await;
    // Also before anything has noted that it is named.
    let refused = take(&romeo, &stream("s3"), &[&url]).await;
    assert_eq!(code(refused), "attachment-taken");
    let juliet = house.caller("juliet").await;
    let refused = take(&juliet, &stream("s2"), &[&url]).await;
    assert_eq!(code(refused), "attachment-unknown", "another's");
}

/// S4-35: a link holds for one agent, for some time, as long as that one sees the message.
#[tokio::test]
async fn a_link_is_worth_what_its_holder_sees_now() {
    let house = Box::pin(House::new(None)).await;
    let (url, id) = (Box::pin(house.png("romeo")).await, stream("s1"));
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &id, &[&url]).await.unwrap();
    let both = Recipients::Some([agent("romeo"), agent("juliet")].into());
    let known = Box::pin(house.stream(&id, both, vec![])).await;
    let reply = Command::Reply {
        by: agent("romeo"),
        message: written("m2", taken.clone()),
    };
    let known = Box::pin(house.change(&known.id, "romeo", reply)).await;
    let juliet = house.caller("juliet").await;
    let url = link(&juliet, &known, &taken[0]).unwrap();
    assert!(house.shown(&url).await.is_some());
    assert!(house.shown(&url.replace("a.png", "b.png")).await.is_none());
    let nurse = house.caller("nurse").await;
    let of_nurse = link(&nurse, &known, &taken[0]).unwrap();
    assert!(house.shown(&of_nurse).await.is_none());
    // It is a file of a reply.
    let own = [
        ("jid", "juliet@localhost"),
        ("right", Right::CommentShow.name()),
    ];
    house.floor.operate("right take", &own).await;
    assert!(house.shown(&url).await.is_none());
    house.floor.operate("right reset", &own).await;
    assert!(house.shown(&url).await.is_some());
    let alone = Command::SetProperties {
        by: agent("romeo"),
        read: known.version,
        properties: Properties {
            recipients: Recipients::Some([agent("romeo")].into()),
            ..Properties::default()
        },
    };
    let known = Box::pin(house.change(&id, "romeo", alone)).await;
    assert!(house.shown(&url).await.is_none(), "removed recipient");
    let own = link(&romeo, &known, &taken[0]).unwrap();
    assert!(house.shown(&own).await.is_some());
    house.floor.house.clock.advance_seconds(300);
    assert!(house.shown(&own).await.is_none(), "over");
    let own = link(&romeo, &known, &taken[0]).unwrap();
    let jid = BareJid::new("romeo@localhost").unwrap();
    let accounts = house.services().store.accounts();
    assert!(accounts.disable(&jid).await.unwrap());
    assert!(house.shown(&own).await.is_none(), "kept out");
}

/// S4-17: the connector gets the files of what it passes on, for as long as that is so, and no others.
#[tokio::test]
async fn the_connector_gets_files_of_streams_that_it_passes_on() {
    let house = Box::pin(House::new(None)).await;
    let caller = house.caller("romeo").await;
    let (url, id) = (house.png("romeo").await, stream("s1"));
    let files = take(&caller, &id, &[&url]).await.unwrap();
    let set = |delivered, whisper| Properties {
        delivered,
        whisper,
        ..Properties::default()
    };
    let written = house.stream(&id, Recipients::All, files).await;
    let file = &written.messages[0].attachments[0];
    let at = (&*caller.center, &*caller.place);
    let named = (file.slot.as_str(), file.name.as_str());
    let own = link_for_component(at, house.services(), MAILER, named).unwrap();
    let others = link_for_component(at, house.services(), OTHER, named).unwrap();
    for (properties, is_shown) in [
        (None, false),
        (Some(set(true, false)), true),
        (Some(set(false, true)), false),
        (Some(set(true, false)), true),
    ] {
        if let Some(properties) = properties {
            let known = find(house.services(), &caller.place, &id).await.unwrap();
            let command = Command::SetProperties {
                by: agent("romeo"),
                read: known.unwrap().version_for(&caller.rights),
                properties,
            };
            Box::pin(house.change(&id, "romeo", command)).await;
        }
        assert_eq!(house.shown(&own).await.is_some(), is_shown);
        assert!(house.shown(&others).await.is_none());
    }
    house.floor.house.clock.advance_seconds(30 * 86_400);
    assert!(house.shown(&own).await.is_none());
}

/// S4-35: an account made anew gets no file of what its predecessor could see, by a link of that one neither.
#[tokio::test]
async fn an_account_made_anew_gets_no_file_of_its_predecessor() {
    let house = Box::pin(House::new(None)).await;
    let (url, id) = (Box::pin(house.png("romeo")).await, stream("s1"));
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &id, &[&url]).await.unwrap();
    let to = Recipients::Some([agent("juliet")].into());
    let known = Box::pin(house.stream(&id, to, taken.clone())).await;
    let link = link(&house.caller("juliet").await, &known, &taken[0]).unwrap();
    assert!(house.shown(&link).await.is_some());
    let jid = ("jid", "juliet@localhost");
    house.floor.operate("account remove", &[jid]).await;
    assert!(house.shown(&link).await.is_none());
    house.floor.house.clock.advance_seconds(1);
    let given = [jid, ("password", "secret"), ("role", "agent")];
    house.floor.operate("account add", &given).await;
    assert!(house.shown(&link).await.is_none());
}
