//! XEP-0156: Discovering Alternative XMPP Connection Methods, version 1.4.0.
//!
//! Where WebSocket and BOSH are, as `/.well-known/host-meta` (XRD, RFC 6415) and
//! `/.well-known/host-meta.json`. Left out: TXT records (removed from the document), and
//! `xmpps` endpoints, which SRV records tell.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;

use super::{Web, cors};
use crate::xml::Element;

const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";
const WEBSOCKET: &str = "urn:xmpp:alt-connections:websocket";
const BOSH: &str = "urn:xmpp:alt-connections:xbosh";

/// Both documents, readable by any page: a client has to find them before it logs in.
pub(super) fn routes(web: &Arc<Web>) -> Router {
    Router::new()
        .route("/.well-known/host-meta", get(xrd))
        .route("/.well-known/host-meta.json", get(json))
        .layer(from_fn_with_state(Arc::clone(web), cors::allow))
        .with_state(Arc::clone(web))
}

async fn xrd(State(web): State<Arc<Web>>, headers: HeaderMap) -> impl IntoResponse {
    let links = links(&web, &headers).into_iter().map(|(rel, href)| {
        Element::new(XRD, "Link")
            .attr("rel", rel)
            .attr("href", href)
    });
    let document = Element::new(XRD, "XRD").children_from(links);
    let text = format!("<?xml version='1.0' encoding='utf-8'?>\n{document}\n");
    (
        [(header::CONTENT_TYPE, "application/xrd+xml; charset=utf-8")],
        text,
    )
}

async fn json(State(web): State<Arc<Web>>, headers: HeaderMap) -> impl IntoResponse {
    let links = links(&web, &headers)
        .into_iter()
        .map(|(rel, href)| json!({ "rel": rel, "href": href }));
    let document = json!({ "links": links.collect::<Vec<_>>() });
    (
        [(header::CONTENT_TYPE, "application/json")],
        document.to_string(),
    )
}

/// Each relation with its URL; none where nobody knows what clients reach.
fn links(web: &Web, headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let hosts = web.config().hosts.iter().map(|host| host.domain.as_str());
    let asked = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Some(domain) = domain(hosts, asked) else {
        return Vec::new();
    };
    let Some(base) = web.public_url(domain) else {
        return Vec::new();
    };
    let (websocket, bosh) = (&web.http().websocket_path, &web.http().bosh_path);
    // ws and wss stand for http and https (RFC 6455 §3).
    let socket_base = base.replacen("http", "ws", 1);
    vec![
        (WEBSOCKET, format!("{socket_base}{}", websocket.as_str())),
        (BOSH, format!("{base}{}", bosh.as_str())),
    ]
}

/// The host that the request names, if it is ours, and else the first: never what a stranger
/// made up.
fn domain<'a>(mut hosts: impl Iterator<Item = &'a str>, asked: Option<&str>) -> Option<&'a str> {
    let asked = asked.map(|asked| asked.split_once(':').map_or(asked, |(name, _)| name));
    let first = hosts.next()?;
    if asked.is_some_and(|asked| asked.eq_ignore_ascii_case(first)) {
        return Some(first);
    }
    let named = hosts.find(|host| asked.is_some_and(|asked| asked.eq_ignore_ascii_case(host)));
    Some(named.unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_that_is_asked_for_is_one_of_ours() {
        for (asked, found) in [
            (None, "a.example"),
            (Some("b.example"), "b.example"),
            (Some("B.example:5443"), "b.example"),
            (Some("evil.example"), "a.example"),
        ] {
            let hosts = ["a.example", "b.example"].into_iter();
            assert_eq!(domain(hosts, asked), Some(found), "{asked:?}");
        }
    }
}
