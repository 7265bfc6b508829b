//! Queries of an archive (XEP-0313 §4, §5), of an account's or of a room's: whoever calls has decided that
//! the asker may see it.

use std::collections::BTreeSet;

use super::page::{Envelope, Shown};
use super::{FULL_TEXT, words};
use crate::clock::Timestamp;
use crate::config::Archive as Settings;
use crate::hooks::Iq;
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::proto::{BareJid, Condition, Jid, StanzaError, ns};
use crate::store::{
    ArchiveEnd, ArchiveFilter, ArchiveId, ArchivePage, ArchivePageLimits, Archived,
};
use crate::xml::Element;

/// What the asker may see of an archive.
#[derive(Clone, Copy)]
pub(crate) struct Access<'a> {
    /// Whose archive it is.
    pub(crate) owner: &'a BareJid,
    /// Where it was asked for. The results come from there: clients believe no others.
    pub(crate) asked_at: &'a BareJid,
    /// Whether it may be asked who said something.
    pub(crate) senders: Senders,
    /// What the asker is shown instead of the stored messages.
    pub(crate) shown: Option<&'a Shown>,
}

/// Whether the field `with` is understood (§4.1.1): not in a room that hides who its occupants are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Senders {
    /// It is.
    Known,
    /// It is not.
    Hidden,
}

/// A query that was read.
#[derive(Debug, Default)]
struct Query {
    filter: ArchiveFilter,
    /// §4.1.3: exactly these.
    ids: Option<BTreeSet<ArchiveId>>,
    /// Ids that must be in the archive.
    named: Vec<ArchiveId>,
    /// Nothing can match: a search for what has no words.
    nothing: bool,
}

/// Messages that a question for their number counts; more are not told.
const COUNT_MAX: u32 = 100_000;

/// The fields that may be asked for (§4.1.5).
pub(crate) fn form(settings: &Settings, senders: Senders) -> Element {
    let text = |name| Field::new(name, FieldType::TextSingle);
    let mut form = Form::new(FormType::Form).form_type(ns::MAM);
    if senders == Senders::Known {
        form = form.field(Field::new("with", FieldType::JidSingle));
    }
    form = form
        .field(text("start"))
        .field(text("end"))
        .field(text("before-id"))
        .field(text("after-id"))
        .field(Field::new("ids", FieldType::ListMulti))
        .field(Field::new("include-groupchat", FieldType::Boolean));
    if settings.full_text {
        form = form.field(text(&full_text_field()));
    }
    let form = with_open_ids(&form.to_element());
    Element::new(ns::MAM, "query").child(form)
}

/// §4.1.5: the list of ids takes any.
fn with_open_ids(form: &Element) -> Element {
    let mut opened = Element::new(ns::DATA_FORMS, "x").attr("type", "form");
    for field in form.children() {
        let mut field = field.clone();
        if field.attribute("var") == Some("ids") {
            let open = Element::new(ns::FORM_VALIDATION, "open");
            let validate = Element::new(ns::FORM_VALIDATION, "validate");
            field.push_child(validate.attr("datatype", "xs:string").child(open));
        }
        opened.push_child(field);
    }
    opened
}

fn full_text_field() -> String {
    format!("{{{FULL_TEXT}}}fulltext")
}

/// §5: the first and the last message of the archive.
///
/// # Errors
/// When the database fails.
pub(crate) async fn metadata(iq: &Iq, owner: &BareJid) -> Result<Option<Element>, StanzaError> {
    let archive = iq.services.store.archive();
    archive.settle().await?;
    let metadata = Element::new(ns::MAM, "metadata");
    let end = |name, id: ArchiveId| {
        Element::new(ns::MAM, name)
            .attr("id", id.to_string())
            .attr("timestamp", id.moment().to_string())
    };
    Ok(Some(match Box::pin(archive.ends(owner)).await? {
        Some((first, last)) => metadata.child(end("start", first)).child(end("end", last)),
        None => metadata,
    }))
}

/// §4: puts the results ahead of the answer, which is returned with the ids of what was given.
///
/// # Errors
/// What is wrong with the query: `bad-request`, `item-not-found` for ids that are not in the
/// archive, `feature-not-implemented` for fields that nobody knows.
pub(crate) async fn answer(
    iq: &Iq,
    access: Access<'_>,
) -> Result<(Element, Vec<ArchiveId>), StanzaError> {
    let settings = &iq.services.config.archive;
    if iq.payload.attribute("node").is_some() {
        return Err(
            StanzaError::new(Condition::FeatureNotImplemented).text("no nodes are archived")
        );
    }
    let request = PageRequest::of(&iq.payload)?;
    let mut query = Query::read(iq, access, settings)?;
    let end = query.bound_by(&request.from)?;
    let archive = iq.services.store.archive();
    archive.settle().await?;
    for id in &query.named {
        if archive.find(access.owner, *id).await?.is_none() {
            return Err(Condition::ItemNotFound.into());
        }
    }
    let named = match &query.ids {
        Some(ids) => {
            let found = Box::pin(archive.matching(access.owner, ids, &query.filter)).await?;
            Some(found.ok_or(Condition::ItemNotFound)?)
        }
        None => None,
    };
    if request.max == Some(0) {
        let fin = Box::pin(count(iq, access.owner, &query, named.as_deref())).await?;
        return Ok((fin, Vec::new()));
    }
    let wished = request.max.unwrap_or(settings.page_messages);
    let limits = ArchivePageLimits {
        messages_max: wished.min(settings.page_messages_max),
        bytes_max: settings.page_bytes_max.as_usize(),
    };
    let page = match &named {
        _ if query.nothing => ArchivePage::default(),
        Some(ids) => Box::pin(archive.page_of(access.owner, ids, end, limits)).await?,
        None => Box::pin(archive.page(access.owner, &query.filter, end, limits)).await?,
    };
    let set = Page {
        ends: page
            .messages
            .first()
            .zip(page.messages.last())
            .map(|(first, last)| (first.id.to_string(), last.id.to_string())),
        ..Page::default()
    };
    let given = page.messages.iter().map(|message| message.id).collect();
    put_ahead(iq, access, &page.messages);
    Ok((fin(!page.more, &set), given))
}

/// RSM §2.6: how many there are, and none of them.
async fn count(
    iq: &Iq,
    owner: &BareJid,
    query: &Query,
    named: Option<&[ArchiveId]>,
) -> Result<Element, StanzaError> {
    let archive = iq.services.store.archive();
    let count = match named {
        _ if query.nothing => Some(0),
        Some(ids) => u64::try_from(ids.len()).ok(),
        None => archive.count(owner, &query.filter, COUNT_MAX).await?,
    };
    let page = Page {
        count,
        ..Page::default()
    };
    Ok(fin(count == Some(0), &page))
}

fn fin(complete: bool, page: &Page) -> Element {
    Element::new(ns::MAM, "fin")
        .attr_opt("complete", complete.then_some("true"))
        .child(page.to_element())
}

/// The results in their order, or the other way round (§4.3.4).
fn put_ahead(iq: &Iq, access: Access<'_>, messages: &[Archived]) {
    let envelope = Envelope::new(access.asked_at, &iq.from, iq.payload.attribute("queryid"));
    let result = |message: &Archived| match access.shown {
        Some(shown) => shown(message).map(|bytes| envelope.around(message.id, &bytes)),
        None => Some(envelope.around(message.id, &message.stanza)),
    };
    if iq.payload.find(ns::MAM, "flip-page").is_some() {
        iq.ahead.extend(messages.iter().rev().filter_map(result));
    } else {
        iq.ahead.extend(messages.iter().filter_map(result));
    }
}

impl Query {
    /// Reads the form of a query (§4.1); without one everything matches.
    fn read(iq: &Iq, access: Access<'_>, settings: &Settings) -> Result<Self, StanzaError> {
        let mut query = Self::default();
        let Some(form) = iq.payload.find(ns::DATA_FORMS, "x") else {
            return Ok(query);
        };
        let form = Form::parse(form)?;
        if form.kind != FormType::Submit {
            return Err(StanzaError::bad_request(
                "expected a form of the type submit",
            ));
        }
        if form.type_name() != Some(ns::MAM) {
            return Err(StanzaError::bad_request(
                "expected the FORM_TYPE urn:xmpp:mam:2",
            ));
        }
        for field in &form.fields {
            query.take(field, access, settings)?;
        }
        Ok(query)
    }

    fn take(
        &mut self,
        field: &Field,
        access: Access<'_>,
        settings: &Settings,
    ) -> Result<(), StanzaError> {
        let Some(var) = field.var.as_deref() else {
            return Ok(());
        };
        match var {
            "FORM_TYPE" => {}
            "with" if access.senders == Senders::Known => {
                self.filter.with = single(field)?.map(jid).transpose()?;
            }
            "start" => self.filter.start = single(field)?.map(moment).transpose()?,
            "end" => self.filter.end = single(field)?.map(moment).transpose()?,
            "after-id" => {
                self.filter.after = single(field)?.map(id).transpose()?;
                self.named.extend(self.filter.after);
            }
            "before-id" => {
                self.filter.before = single(field)?.map(id).transpose()?;
                self.named.extend(self.filter.before);
            }
            "ids" => self.ids = some_ids(field, settings)?,
            // §4.1.4: understood; there are none in an account's archive, and nothing else in a room's.
            "include-groupchat" => match single(field)? {
                None | Some("true" | "1" | "false" | "0") => {}
                Some(_) => return Err(StanzaError::bad_request("expected true or false")),
            },
            full_text if settings.full_text && full_text == full_text_field() => {
                if let Some(text) = single(field)? {
                    self.filter.words = words::of_search(access.owner, text);
                    self.nothing = self.filter.words.is_empty();
                }
            }
            unknown => {
                let text = format!("the field {unknown} is not known");
                return Err(StanzaError::new(Condition::FeatureNotImplemented).text(text));
            }
        }
        Ok(())
    }

    /// Where the page begins (§4.3.2), and from which end it is taken.
    fn bound_by(&mut self, from: &PageFrom) -> Result<ArchiveEnd, StanzaError> {
        Ok(match from {
            PageFrom::First => ArchiveEnd::Oldest,
            PageFrom::Last => ArchiveEnd::Latest,
            PageFrom::After(text) => {
                let after = id(text)?;
                self.named.push(after);
                self.filter.after = self.filter.after.max(Some(after));
                ArchiveEnd::Oldest
            }
            PageFrom::Before(text) => {
                let before = id(text)?;
                self.named.push(before);
                let known = self.filter.before;
                self.filter.before = Some(known.map_or(before, |known| known.min(before)));
                ArchiveEnd::Latest
            }
            // RSM §2.4: places in a list that grows mean little.
            PageFrom::Index(_) => return Err(Condition::FeatureNotImplemented.into()),
        })
    }
}

/// The one value of a field; none when it was left empty.
fn single(field: &Field) -> Result<Option<&str>, StanzaError> {
    match field.values.as_slice() {
        [] => Ok(None),
        [value] if value.is_empty() => Ok(None),
        [value] => Ok(Some(value)),
        _ => Err(StanzaError::bad_request("expected one value in each field")),
    }
}

fn some_ids(
    field: &Field,
    settings: &Settings,
) -> Result<Option<BTreeSet<ArchiveId>>, StanzaError> {
    let ids_max = usize::try_from(settings.page_messages_max).unwrap_or(usize::MAX);
    if field.values.len() > ids_max {
        let text = format!("at most {ids_max} ids can be asked for at once");
        return Err(StanzaError::new(Condition::PolicyViolation).text(text));
    }
    let ids: BTreeSet<_> = field
        .values
        .iter()
        .filter(|value| !value.is_empty())
        .map(|value| id(value))
        .collect::<Result<_, _>>()?;
    Ok((!ids.is_empty()).then_some(ids))
}

fn jid(text: &str) -> Result<Jid, StanzaError> {
    Jid::parse(text).map_err(|_| StanzaError::bad_request("with is no address"))
}

/// XEP-0082 §3.2.
fn moment(text: &str) -> Result<Timestamp, StanzaError> {
    let wrong = || StanzaError::bad_request("expected a time such as 2026-01-31T18:00:00Z");
    Timestamp::parse(text).ok_or_else(wrong)
}

/// An id that is none of ours is not in the archive.
fn id(text: &str) -> Result<ArchiveId, StanzaError> {
    text.parse().map_err(|_| Condition::ItemNotFound.into())
}
