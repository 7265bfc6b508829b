//! Accounts into a file, one after the other.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Exported, FileError, PIE, PIE_MAM, PortableError, USER_BYTES_MAX};
use super::{contacts, credentials, mail, nodes};
use crate::domain::rights::Role;
use crate::proto::scram::ScramHash;
use crate::proto::{BareJid, Jid, ns};
use crate::store::{Account, ArchiveEnd, ArchiveFilter, ArchivePageLimits, Slice, Store};
use crate::xml::{Element, write};

/// Accounts, messages and items that are read at once.
const PAGE: u32 = 250;

/// Bytes of archived messages that are read at once, save the last of them.
const PAGE_BYTES: usize = 4 << 20;

/// Nodes of one account, and people of one node: far more than either may have.
const NODES_MAX: u32 = 100_000;

/// Who is exported.
#[derive(Clone, Debug)]
pub enum Choice {
    /// Everybody of these hosts.
    Hosts(Vec<String>),
    /// These accounts.
    Accounts(Vec<BareJid>),
}

impl Choice {
    fn hosts(&self) -> Vec<String> {
        let mut hosts = match self {
            Self::Hosts(hosts) => hosts.clone(),
            Self::Accounts(jids) => jids.iter().map(|jid| jid.domain().to_string()).collect(),
        };
        hosts.sort();
        hosts.dedup();
        hosts
    }
}

/// Writes the accounts into a file, which is made, for its owner alone; a server may run meanwhile. What was
/// begun and not finished stays beside it, under its name and `.partial`, until the next attempt.
///
/// # Errors
/// When it failed, or an account does not exist; there is no such file then.
pub async fn export(
    store: &Store,
    choice: &Choice,
    path: &Path,
) -> Result<Exported, PortableError> {
    if path.exists() {
        return Err(PortableError::Exists(path.to_owned()));
    }
    let mut out = Out::create(path)?;
    out.text("<?xml version='1.0' encoding='UTF-8'?>\n<server-data xmlns='urn:xmpp:pie:0'>\n")?;
    let mut exported = Exported::default();
    for host in choice.hosts() {
        let element = Element::new(PIE, "host").attr("jid", &host);
        out.open(&element, PIE)?;
        out.text("\n")?;
        match choice {
            Choice::Hosts(_) => everybody(store, &host, &mut out, &mut exported).await?,
            Choice::Accounts(jids) => {
                for jid in jids.iter().filter(|jid| jid.domain().as_str() == host) {
                    let account = store.accounts().find(jid).await?;
                    let account = account.ok_or_else(|| PortableError::NoAccount(jid.clone()))?;
                    user(store, &account, &mut out, &mut exported).await?;
                }
            }
        }
        out.text("</host>\n")?;
    }
    out.text("</server-data>\n")?;
    out.finish(path)?;
    Ok(exported)
}

async fn everybody(
    store: &Store,
    host: &str,
    out: &mut Out,
    exported: &mut Exported,
) -> Result<(), PortableError> {
    let mut last: Option<BareJid> = None;
    loop {
        let page = store.accounts().page(host, last.as_ref(), PAGE).await?;
        let Some(account) = page.last() else {
            return Ok(());
        };
        last = Some(account.jid.clone());
        for account in &page {
            user(store, account, out, exported).await?;
        }
    }
}

/// `<user/>` with everything.
async fn user(
    store: &Store,
    account: &Account,
    out: &mut Out,
    exported: &mut Exported,
) -> Result<(), PortableError> {
    let jid = &account.jid;
    exported.accounts += 1;
    exported.with_role += u64::from(account.role != Role::Member);
    let before = out.written;
    let name = jid.node().map(|node| node.to_string()).unwrap_or_default();
    out.open(&Element::new(PIE, "user").attr("name", name), PIE)?;
    if account.enabled {
        keys(store, jid, out).await?;
    } else {
        // No file can say that an account is locked; without keys it stays so.
        exported.disabled += 1;
    }
    Box::pin(people(store, jid, out)).await?;
    Box::pin(kept(store, jid, out)).await?;
    Box::pin(published(store, jid, out)).await?;
    Box::pin(waiting(store, jid, out)).await?;
    Box::pin(archive(store, jid, out)).await?;
    out.text("</user>\n")?;
    if out.written - before > USER_BYTES_MAX as u64 {
        exported.too_large.push(jid.to_string());
    }
    Ok(())
}

async fn keys(store: &Store, jid: &BareJid, out: &mut Out) -> Result<(), PortableError> {
    for hash in ScramHash::ALL {
        let login = store.credentials().find(jid, hash).await?;
        if let Some(keys) = login.and_then(|login| login.keys) {
            out.element(&credentials::write(&keys), PIE)?;
        }
    }
    Ok(())
}

async fn people(store: &Store, jid: &BareJid, out: &mut Out) -> Result<(), PortableError> {
    let roster = store.rosters().load(jid).await?;
    if let Some(query) = contacts::write_roster(roster.items) {
        out.element(&query, PIE)?;
    }
    for request in store.subscription_requests().list(jid).await? {
        out.bytes(&request.stanza)?;
    }
    let blocked = store.blocked().list(jid).await?;
    if let Some(list) = contacts::write_blocked(&blocked) {
        out.element(&list, PIE)?;
    }
    Ok(())
}

async fn kept(store: &Store, jid: &BareJid, out: &mut Out) -> Result<(), PortableError> {
    if let Some(vcard) = store.vcards().find(jid).await? {
        out.bytes(&vcard.xml)?;
    }
    let private = store.private_xml().all(jid).await?;
    if !private.is_empty() {
        out.text("<query xmlns='jabber:iq:private'>")?;
        for xml in private {
            out.bytes(&xml)?;
        }
        out.text("</query>")?;
    }
    Ok(())
}

async fn published(store: &Store, jid: &BareJid, out: &mut Out) -> Result<(), PortableError> {
    let pubsub = store.pubsub();
    let all = pubsub.nodes(jid, NODES_MAX).await?;
    if all.is_empty() {
        return Ok(());
    }
    out.open(&Element::new(ns::PUBSUB_OWNER, "pubsub"), PIE)?;
    for node in &all {
        let affiliations = pubsub.affiliations(jid, &node.node, NODES_MAX).await?;
        let subscriptions = pubsub.subscriptions(jid, &node.node, NODES_MAX).await?;
        for element in nodes::write_owner(node, &affiliations, &subscriptions) {
            out.element(&element, ns::PUBSUB_OWNER)?;
        }
    }
    out.text("</pubsub>")?;
    out.open(&Element::new(ns::PUBSUB, "pubsub"), PIE)?;
    for node in &all {
        out.open(
            &Element::new(ns::PUBSUB, "items").attr("node", &node.node),
            ns::PUBSUB,
        )?;
        let mut behind = 0;
        loop {
            let page = pubsub
                .items(jid, &node.node, Slice::After(behind, 0), PAGE)
                .await?;
            let Some(last) = page.last() else { break };
            behind = last.revision;
            for item in &page {
                out.element(&nodes::write_item(item, jid), ns::PUBSUB)?;
            }
        }
        out.text("</items>")?;
    }
    out.text("</pubsub>")
}

async fn waiting(store: &Store, jid: &BareJid, out: &mut Out) -> Result<(), PortableError> {
    let host = Jid::from(BareJid::from_parts(None, jid.domain()));
    let (mut behind, mut open) = (0, false);
    loop {
        let page = store.offline_messages().page(jid, behind, PAGE).await?;
        let Some(last) = page.iter().map(|message| message.id).max() else {
            break;
        };
        behind = last;
        for message in page
            .into_iter()
            .filter_map(|it| mail::write_offline(it, &host))
        {
            if !std::mem::replace(&mut open, true) {
                out.text("<offline-messages>")?;
            }
            out.bytes(&message)?;
        }
    }
    if open {
        out.text("</offline-messages>")?;
    }
    Ok(())
}

async fn archive(store: &Store, jid: &BareJid, out: &mut Out) -> Result<(), PortableError> {
    let limits = ArchivePageLimits {
        messages_max: PAGE,
        bytes_max: PAGE_BYTES,
    };
    let mut filter = ArchiveFilter::default();
    loop {
        let page = store
            .archive()
            .page(jid, &filter, ArchiveEnd::Oldest, limits)
            .await?;
        let first = filter.after.is_none();
        let Some(last) = page.messages.last() else {
            if !first {
                out.text("</archive>")?;
            }
            break;
        };
        filter.after = Some(last.id);
        if first {
            out.open(&Element::new(PIE_MAM, "archive"), PIE)?;
        }
        for message in &page.messages {
            let mut bytes = Vec::new();
            mail::write_archived(&mut bytes, message);
            out.bytes(&bytes)?;
        }
    }
    if let Some(Some(preference)) = store.archive().preference(jid).await? {
        out.element(&mail::write_preference(&preference), PIE)?;
    }
    Ok(())
}

/// The file that is being written.
struct Out {
    file: BufWriter<File>,
    path: PathBuf,
    written: u64,
}

impl Out {
    fn create(path: &Path) -> Result<Self, PortableError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        let failed = |cause: io::Error| FileError::new(&partial, cause);
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(error).into());
            }
            Ok(()) | Err(_) => {}
        }
        // There are credentials and messages in it (XEP-0227 §6).
        let mut options = File::options();
        let options = options.write(true).create_new(true).mode(0o600);
        let file = options.open(&partial).map_err(failed)?;
        Ok(Self {
            file: BufWriter::new(file),
            path: partial,
            written: 0,
        })
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), PortableError> {
        self.written += bytes.len() as u64;
        let written = self.file.write_all(bytes);
        written.map_err(|cause| FileError::new(&self.path, cause).into())
    }

    fn text(&mut self, text: &str) -> Result<(), PortableError> {
        self.bytes(text.as_bytes())
    }

    fn element(&mut self, element: &Element, within: &str) -> Result<(), PortableError> {
        let mut bytes = Vec::new();
        write::element(&mut bytes, element, within);
        self.bytes(&bytes)
    }

    /// The start tag of an element that has nothing inside yet.
    fn open(&mut self, element: &Element, within: &str) -> Result<(), PortableError> {
        let mut bytes = Vec::new();
        write::element(&mut bytes, element, within);
        if bytes.ends_with(b"/>") {
            bytes.truncate(bytes.len() - 2);
            bytes.push(b'>');
        }
        self.bytes(&bytes)
    }

    /// Everything on the disk, under the file's own name.
    fn finish(self, path: &Path) -> Result<(), PortableError> {
        let flushed = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        flushed
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.path, path))
            .map_err(|cause| FileError::new(path, cause).into())
    }
}
