//! Archived messages as they are sent to who asked (XEP-0313 §4.2): the bytes that were stored, put into
//! `<result/>` without being read again.

use std::io::Write;

use bytes::Bytes;

use crate::proto::{BareJid, Jid, MessageType, Stanza, ns};
use crate::store::{ArchiveId, Archived};
use crate::xml::{Content, write};

/// What all results of a page have in common.
#[derive(Debug)]
pub(super) struct Envelope {
    from: BareJid,
    to: Jid,
    /// `<result …` up to the id.
    opening: Vec<u8>,
}

impl Envelope {
    pub(super) fn new(from: &BareJid, to: &Jid, query_id: Option<&str>) -> Self {
        let mut opening = format!("<result xmlns='{}'", ns::MAM).into_bytes();
        if let Some(query_id) = query_id {
            opening.extend_from_slice(b" queryid='");
            write::escape_attribute(&mut opening, query_id);
            opening.push(b'\'');
        }
        opening.extend_from_slice(b" id='");
        Self {
            from: from.clone(),
            to: to.clone(),
            opening,
        }
    }

    /// ```xml
    /// <message from='juliet@example.org' to='juliet@example.org/balcony'>
    ///   <result xmlns='urn:xmpp:mam:2' queryid='f27' id='…'>
    ///     <forwarded xmlns='urn:xmpp:forward:0'>
    ///       <delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:25Z'/>
    ///       <message xmlns='jabber:client' …>…</message>
    ///     </forwarded>
    ///   </result>
    /// </message>
    /// ```
    pub(super) fn around(&self, id: ArchiveId, message: &[u8]) -> Stanza {
        let around = self.opening.len() + HEAD_BYTES + CLOSING.len();
        let mut out = Vec::with_capacity(around + message.len());
        out.extend_from_slice(&self.opening);
        // Writing to memory does not fail.
        let _written = write!(
            out,
            "{id}'><forwarded xmlns='{}'><delay xmlns='{}' stamp='{}'/>",
            ns::FORWARD,
            ns::DELAY,
            id.moment()
        );
        out.extend_from_slice(message);
        out.extend_from_slice(CLOSING);
        let mut stanza = Stanza::message(MessageType::Normal)
            .from(self.from.clone())
            .to(self.to.clone());
        stanza.payload = Content::from_written(out.into(), ns::MAM, "result");
        stanza
    }
}

/// About how many bytes stand between the opening and the message.
const HEAD_BYTES: usize = 160;
const CLOSING: &[u8] = b"</forwarded></result>";

/// What the asker is shown instead of the stored message; nothing where it may not see it.
pub(crate) type Shown = dyn Fn(&Archived) -> Option<Bytes> + Send + Sync;
