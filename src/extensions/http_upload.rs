//! XEP-0363: HTTP File Upload, version 1.2.0: slots for files, at `upload.<host>` of each host.
//!
//! Here a client asks for a slot and is told where to upload and what others will download; the
//! files themselves come and go over HTTP. Whoever has an account on this server may ask, nobody
//! else. An upload is allowed by a token in a header, so that the URL that is passed on gives no right
//! to upload. Files and slots are forgotten here once a day. What is uploaded for a message stream of the contact center
//! has to be of one of the types that can be attached there, by its name and declaration already.

mod request;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use sha2::{Digest as _, Sha256};
use tracing::{error, info};

use crate::clock::Timestamp;
use crate::config::{Config, Upload as Settings};
use crate::domain::message_stream::attachment;
use crate::domain::refusal::{Class, Refusal};
use crate::hooks::{
    At, Effects, Hooks, Identity, Info, Iq, IqAnswer, Item, Parcel, Service, Services,
};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, IqType, Kind, StanzaError, ns, uri};
use crate::store::{FileRows, NewUpload, Reserved, UploadFiles, UploadId, UploadLimits};
use crate::xml::Element;
use request::{Purpose, Request, STREAM};

/// What a slot is used for (§5).
const PURPOSE: &str = "urn:xmpp:http:upload:purpose:0";

/// The namespace of our own conditions.
const ERRORS: &str = "urn:parlour:errors:0";

const NAME: &str = "HTTP File Upload";

/// Registers the service of each host, and what is done once a day.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0363", NAME, "1.2.0"));
    let mut domains = Vec::new();
    for served in &config.hosts {
        let host = served.domain.to_jid();
        let Some((url, domain)) = url_of(config, &host).zip(domain_of(&host)) else {
            continue;
        };
        let service = UploadService {
            domain: domain.clone(),
            url,
            settings: config.upload.clone(),
            for_streams: config.has_contact_center(served),
        };
        hooks.service(domain.clone(), Arc::new(service));
        domains.push((host, domain));
    }
    // §3: a server lists the services that it knows.
    hooks.disco_items(&[At::Host], move |ask| {
        let mut known = domains.iter();
        let found = known.find(|(host, _)| *host == ask.iq.to && ask.node.is_none());
        let item = found.map(|(_, domain)| item(domain));
        async move { Ok(item.map(|item| vec![item])) }
    });
    hooks.daily(forget);
}

fn item(domain: &BareJid) -> Item {
    Item {
        jid: domain.clone().into(),
        node: None,
        name: Some(NAME.to_owned()),
    }
}

fn domain_of(host: &BareJid) -> Option<BareJid> {
    BareJid::new(&format!("upload.{host}")).ok()
}

/// What the URLs of that host's uploads begin with; `None` where none are to be had.
pub(crate) fn url_of(config: &Config, host: &BareJid) -> Option<String> {
    files_url(config, host).map(|url| format!("{url}/upload"))
}

/// Where clients get the files of that host; `None` where none are to be had.
pub(crate) fn files_url(config: &Config, host: &BareJid) -> Option<String> {
    if !config.upload.enabled {
        return None;
    }
    if let Some(url) = &config.upload.public_url {
        return Some(url.as_str().to_owned());
    }
    if let Some(url) = &config.http.public_url {
        // §4: the host must provide TLS.
        let url = url.as_str();
        return url.starts_with("https:").then(|| url.to_owned());
    }
    // RFC 3986 §3.2.2: a name that is not ASCII is percent-encoded.
    let name = uri::encode(host.as_str());
    match config.listen.https.first()?.0.port() {
        // The system chooses one, which nobody knows yet.
        0 => None,
        443 => Some(format!("https://{name}")),
        port => Some(format!("https://{name}:{port}")),
    }
}

struct UploadService {
    domain: BareJid,
    /// What stands before `/<id>/<name>`.
    url: String,
    settings: Settings,
    /// Whether there is a contact center that the files can be for.
    for_streams: bool,
}

impl Service for UploadService {
    fn request(self: Arc<Self>, iq: Iq) -> BoxFuture<'static, Option<IqAnswer>> {
        Box::pin(async move {
            if iq.to != self.domain {
                return None;
            }
            let node = iq.payload.attribute("node").filter(|node| !node.is_empty());
            match (iq.kind, iq.payload.ns(), iq.payload.name()) {
                (IqType::Get, ns::HTTP_UPLOAD, "request") => Some(Box::pin(self.slot(iq)).await),
                (IqType::Get, ns::DISCO_INFO | ns::DISCO_ITEMS, "query") if node.is_some() => {
                    Some(Err(Condition::ItemNotFound.into()))
                }
                (IqType::Get, ns::DISCO_INFO, "query") => {
                    Some(Ok(Some(self.info(&iq.services).to_element(None))))
                }
                (IqType::Get, ns::DISCO_ITEMS, "query") => {
                    Some(Ok(Some(Element::new(ns::DISCO_ITEMS, "query"))))
                }
                _ => None,
            }
        })
    }

    /// There is nobody here to talk to.
    fn take(self: Arc<Self>, parcel: Parcel) -> BoxFuture<'static, Result<Effects, StanzaError>> {
        Box::pin(async move {
            match parcel.stanza.kind {
                Kind::Message(_) | Kind::Iq(_) => Err(Condition::ServiceUnavailable.into()),
                Kind::Presence(_) => Ok(Effects::default()),
            }
        })
    }
}

impl UploadService {
    /// §3, with what every service answers.
    fn info(&self, services: &Services) -> Info {
        let size = self.settings.file_bytes_max.as_u64().to_string();
        let form = Form::new(FormType::Result)
            .form_type(ns::HTTP_UPLOAD)
            .field(Field::new("max-file-size", FieldType::TextSingle).value(size));
        let mut info = services.hooks.disco().info(At::Service, &self.domain);
        info.identities.push(Identity::new("store", "file", NAME));
        let own = [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::HTTP_UPLOAD];
        info.features.extend(own.map(Into::into));
        let purposes = Purpose::NAMES.iter();
        let offered = purposes.filter(|name| self.settings.permanent || **name != "permanent");
        info.features
            .extend(offered.map(|name| format!("{PURPOSE}#{name}").into()));
        if self.for_streams {
            info.features.push(STREAM.into());
        }
        info.features.sort_unstable();
        info.features.dedup();
        info.forms.push(form);
        info
    }

    /// §4.
    async fn slot(&self, iq: Iq) -> IqAnswer {
        // Only who is logged in here is a session of ours.
        let own = iq.session.is_some() && iq.services.serves(iq.from.domain());
        if !own {
            let text = "only accounts of this server may upload";
            return Err(StanzaError::new(Condition::Forbidden).text(text));
        }
        let request = Request::read(&iq.payload)?;
        let now = iq.services.clock.now();
        self.check(&request, now)?;
        let token = token()?;
        let new = NewUpload {
            id: UploadId::random(),
            owner: iq.from.bare().clone(),
            token_hash: Sha256::digest(token.as_bytes()).to_vec(),
            file_name: request.file_name,
            media_type: request.media_type.map(|it| it.as_str().to_owned()),
            size: request.size,
            created_at: now,
            put_until: now.plus_seconds(i64::from(self.settings.slot_seconds.as_u32())),
            expires_at: request.purpose.expires_at(&iq.services.config, now),
        };
        let uploads = iq.services.store.uploads();
        let limits = limits(&self.settings);
        match Box::pin(uploads.reserve(&new, &limits)).await? {
            Reserved::Granted => Ok(Some(self.granted(&new, &token))),
            Reserved::Full(until) => Err(full(until)),
        }
    }

    /// §6, and what the operator does not want.
    fn check(&self, request: &Request, now: Timestamp) -> Result<(), StanzaError> {
        let settings = &self.settings;
        let bytes_max = match request.purpose {
            Purpose::Profile => settings.profile_bytes_max.min(settings.file_bytes_max),
            Purpose::Message
            | Purpose::Permanent
            | Purpose::Attachment
            | Purpose::Ephemeral { .. } => settings.file_bytes_max,
        };
        if request.size > bytes_max.as_u64() {
            return Err(too_large(bytes_max.as_u64()));
        }
        let unknown = "application/octet-stream";
        let essence = request
            .media_type
            .as_ref()
            .map_or(unknown, |it| it.essence());
        if !settings.takes(essence) {
            let text = format!("files of the type {essence} are not taken");
            return Err(StanzaError::new(Condition::NotAllowed).text(text));
        }
        match request.purpose {
            Purpose::Permanent if !settings.permanent => {
                let text = "files are not kept for ever here";
                Err(StanzaError::new(Condition::FeatureNotImplemented).text(text))
            }
            Purpose::Ephemeral { before } if before <= now => {
                Err(StanzaError::bad_request("expire-before is over already"))
            }
            Purpose::Attachment => attachable(&request.file_name, essence),
            Purpose::Message
            | Purpose::Profile
            | Purpose::Permanent
            | Purpose::Ephemeral { .. } => Ok(()),
        }
    }

    fn granted(&self, new: &NewUpload, token: &str) -> Element {
        let (id, name) = (new.id.as_str(), uri::encode(&new.file_name));
        let url = format!("{}/{id}/{name}", self.url);
        let header = Element::new(ns::HTTP_UPLOAD, "header")
            .attr("name", "Authorization")
            .text(format!("Bearer {token}"));
        let put = Element::new(ns::HTTP_UPLOAD, "put").attr("url", &url);
        Element::new(ns::HTTP_UPLOAD, "slot")
            .child(put.child(header))
            .child(Element::new(ns::HTTP_UPLOAD, "get").attr("url", &url))
    }
}

/// S4-21: what can be told before the file is there.
fn attachable(name: &str, essence: &str) -> Result<(), StanzaError> {
    let Err(rejection) = attachment::announced(name, essence) else {
        return Ok(());
    };
    let refusal = Refusal::from(rejection);
    let condition = match refusal.class {
        Class::Invalid => Condition::BadRequest,
        Class::Forbidden
        | Class::NotFound
        | Class::NotAllowed
        | Class::Conflict
        | Class::Limit
        | Class::Busy => Condition::NotAllowed,
    };
    let own = Element::new(ERRORS, refusal.code);
    Err(StanzaError::new(condition)
        .text(refusal.text)
        .application(own))
}

fn token() -> Result<String, StanzaError> {
    let mut token = [0; 32];
    getrandom::fill(&mut token).map_err(|_| Condition::InternalServerError)?;
    Ok(URL_SAFE_NO_PAD.encode(token))
}

fn too_large(bytes_max: u64) -> StanzaError {
    let max = Element::new(ns::HTTP_UPLOAD, "max-file-size").text(bytes_max.to_string());
    StanzaError::new(Condition::NotAcceptable)
        .text(format!("a file may have at most {bytes_max} bytes"))
        .application(Element::new(ns::HTTP_UPLOAD, "file-too-large").child(max))
}

fn full(until: Option<Timestamp>) -> StanzaError {
    let error = StanzaError::new(Condition::ResourceConstraint)
        .text("the account has no room for this file");
    match until {
        Some(until) => error
            .application(Element::new(ns::HTTP_UPLOAD, "retry").attr("stamp", until.to_string())),
        None => error,
    }
}

fn limits(settings: &Settings) -> UploadLimits {
    UploadLimits {
        account_bytes_max: settings.account_bytes_max.as_u64(),
        day_bytes_max: settings.day_bytes_max.as_u64(),
        day_files_max: settings.day_files_max,
        transfer_seconds_max: settings.transfer_seconds_max.as_u32(),
    }
}

/// Deletes what is past its time, and what a crash or a removed account has left.
async fn forget(services: Arc<Services>) {
    let files = UploadFiles::new(&services.config.data_dir);
    let uploads = services.store.uploads();
    let limits = limits(&services.config.upload);
    let work = async {
        let mut deleted = 0_u64;
        loop {
            let old = Box::pin(uploads.take_old(services.clock.now(), &limits)).await?;
            if old.is_empty() {
                break;
            }
            for id in &old {
                match files.remove(id).await {
                    Ok(()) => deleted += 1,
                    // The sweep will find it again.
                    Err(error) => error!(%error, "an old upload could not be deleted"),
                }
            }
        }
        Ok::<_, crate::store::StoreError>((deleted, files.sweep(FileRows::Uploads(uploads)).await?))
    };
    match Box::pin(work).await {
        Ok((0, 0)) => {}
        Ok((old, lost)) => info!(old, lost, "uploads were deleted"),
        Err(error) => error!(%error, "old uploads could not be looked for"),
    }
}

#[cfg(test)]
mod tests;
