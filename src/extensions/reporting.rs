//! XEP-0377: Blocking Command Reports, version 0.4.1: reports of spam and abuse inside of `<block/>`.
//!
//! Reports are kept for administrators (`report list`), and those whom the configuration names are sent
//! a message about each. What a reporter allows beyond that, telling the origin or third parties, is not made
//! use of. Reports outside of blocking are outside of the document.

use std::sync::Arc;

use tracing::{info, warn};

use crate::config::Config;
use crate::hooks::{At, Hooks, Iq, Services};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, Jid, MessageType, Stanza, StanzaError, ns};
use crate::store::{AbuseReport, ReportLimits};
use crate::xml::Element;

/// XEP-0377 §4.
const REPORTING: &str = "urn:xmpp:reporting:1";

/// The longest reason: a URN of a registry.
const REASON_BYTES_MAX: usize = 256;

/// The longest text: a page.
const TEXT_BYTES_MAX: usize = 4096;

/// The most messages that one report names.
const STANZA_IDS_MAX: usize = 100;

/// The longest id of a message, and of who gave it.
const STANZA_ID_BYTES_MAX: usize = 1023;

/// The most reports of one request.
const REPORTS_MAX: usize = 50;

/// Registers the feature.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    if !config.reporting.enabled {
        return;
    }
    let document = Document::new("XEP-0377", "Blocking Command Reports", "0.4.1");
    hooks.document(document.note("reports stay on the server"));
    hooks.feature(&[At::Host], REPORTING);
    let days = config.reporting.keep_days;
    hooks.daily(move |services| async move {
        let before = services.clock.now().minus_days(days);
        if let Err(error) = services.store.abuse_reports().expire(before).await {
            warn!(%error, "old reports are not deleted");
        }
    });
}

/// The reports among the items of `<block/>`; none where they are not taken.
///
/// # Errors
/// `bad-request` when one is not as §4 says.
pub(super) fn read(iq: &Iq) -> Result<Vec<AbuseReport>, StanzaError> {
    if !iq.services.config.reporting.enabled {
        return Ok(Vec::new());
    }
    let mut reports = Vec::new();
    for item in iq.payload.children() {
        let (Some(report), Some(jid)) = (item.find(REPORTING, "report"), item.attribute("jid"))
        else {
            continue;
        };
        let reported = Jid::parse(jid).map_err(|_| Condition::JidMalformed)?;
        reports.push(parse(report, reported, iq)?);
    }
    if reports.len() > REPORTS_MAX {
        return Err(StanzaError::bad_request("too many reports"));
    }
    Ok(reports)
}

fn parse(report: &Element, reported: Jid, iq: &Iq) -> Result<AbuseReport, StanzaError> {
    let reason = report
        .attribute("reason")
        .filter(|reason| !reason.is_empty() && reason.len() <= REASON_BYTES_MAX)
        .ok_or_else(|| StanzaError::bad_request("a report needs a reason"))?;
    let text = report.child_text(REPORTING, "text").unwrap_or_default();
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return Err(StanzaError::bad_request("the text is too long"));
    }
    let ids = report
        .children()
        .filter(|it| it.is(ns::STANZA_ID, "stanza-id"));
    let stanza_ids: Vec<_> = ids
        .map(|it| (it.attribute("by"), it.attribute("id")))
        .map(|(by, id)| (by.unwrap_or_default().into(), id.unwrap_or_default().into()))
        .collect();
    let bad = |(by, id): &(String, String)| {
        id.is_empty() || id.len() > STANZA_ID_BYTES_MAX || by.len() > STANZA_ID_BYTES_MAX * 3
    };
    if stanza_ids.len() > STANZA_IDS_MAX || stanza_ids.iter().any(bad) {
        return Err(StanzaError::bad_request(
            "the stanza-ids are not acceptable",
        ));
    }
    let now = iq.services.clock.now();
    Ok(AbuseReport {
        id: crate::id::sorted(now),
        reporter: iq.from.bare().clone(),
        reported,
        reason: reason.to_owned(),
        text: text.to_owned(),
        stanza_ids,
        reported_at: now,
    })
}

/// Keeps the reports and tells of them. The block stands also where that fails.
pub(super) async fn take(services: &Services, reports: Vec<AbuseReport>) {
    if reports.is_empty() {
        return;
    }
    let config = &services.config.reporting;
    let kept = services.store.abuse_reports();
    let limits = ReportLimits {
        all_max: config.reports_max,
        per_day_max: config.reports_per_day_max,
    };
    let taken = match Box::pin(kept.put(&reports, limits)).await {
        Ok(taken) => taken,
        Err(error) => {
            warn!(%error, "reports are not kept");
            reports.len()
        }
    };
    if taken < reports.len() {
        info!("reports of an account are over its number of a day");
    }
    for report in reports.iter().take(taken) {
        for address in &config.notify {
            services.route(notice(report, &address.0)).await;
        }
    }
}

/// From the reporter's host, for people.
fn notice(report: &AbuseReport, to: &BareJid) -> Stanza {
    let AbuseReport {
        reporter,
        reported,
        reason,
        text,
        ..
    } = report;
    let body = format!("{reporter} reports {reported} ({reason}). {text}");
    let host = BareJid::from_parts(None, reporter.domain());
    Stanza::message(MessageType::Normal)
        .from(host)
        .to(to.clone())
        .child(&Element::new(ns::CLIENT, "body").text(body.trim_end()))
}
