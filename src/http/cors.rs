//! Which web pages may read what is answered (the CORS protocol of the Fetch standard), and
//! which may open a WebSocket, for which a server has to ask by itself (RFC 6455 §10.2).

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;

use super::Web;
use crate::config::WebOrigin;

/// How long a browser may remember that it may: a day.
const MAX_AGE: HeaderValue = HeaderValue::from_static("86400");

/// A layer: answers a preflight (OPTIONS) itself, and marks every answer as readable by the
/// pages that the configuration allows.
pub(super) async fn allow(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let allowed = answer(&web.http().origins, request.headers());
    let preflight = request.method() == Method::OPTIONS;
    let mut response = if preflight {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = allowed else {
        return response;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if preflight {
        let methods = HeaderValue::from_static("GET, POST, OPTIONS");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static("content-type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    }
    response
}

/// Whether a request may be served: it comes from no browser, or from a page that is allowed.
pub(super) fn admits(origins: &[WebOrigin], headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_none() || answer(origins, headers).is_some()
}

/// What to tell the browser; `None` when it is not to show the page anything.
pub(super) fn answer(origins: &[WebOrigin], headers: &HeaderMap) -> Option<HeaderValue> {
    if origins.iter().any(WebOrigin::is_any) {
        return Some(HeaderValue::from_static("*"));
    }
    let origin = headers.get(header::ORIGIN)?;
    let known = |allowed: &WebOrigin| {
        let given = origin.as_bytes();
        given.eq_ignore_ascii_case(allowed.as_str().as_bytes())
    };
    origins.iter().any(known).then(|| origin.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_list_are_answered_and_others_are_not() {
        let any = [WebOrigin::any()];
        let one = crate::config::Config::parse(
            "test",
            "[http]\norigins = ['https://Chat.example']",
            std::iter::empty(),
        );
        let one = one.unwrap().http.origins;
        for (origins, page, answered, admitted) in [
            (&any[..], None, Some("*"), true),
            (&any[..], Some("https://evil.example"), Some("*"), true),
            (&one[..], None, None, true),
            (
                &one[..],
                Some("https://chat.example"),
                Some("https://chat.example"),
                true,
            ),
            (&one[..], Some("https://evil.example"), None, false),
            (&one[..], Some("http://chat.example"), None, false),
            (&one[..], Some("null"), None, false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(page) = page {
                headers.insert(header::ORIGIN, page.parse().unwrap());
            }
            let told = answer(origins, &headers);
            let told = told.as_ref().map(|told| told.to_str().unwrap());
            assert_eq!(told, answered, "{page:?}");
            assert_eq!(admits(origins, &headers), admitted, "{page:?}");
        }
    }
}
