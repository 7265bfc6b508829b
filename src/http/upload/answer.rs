//! The headers of answers: what a file is, how it may be shown, and to whom.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::proto::{MediaType, uri};

/// A file as those see it who get it.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) media_type: Option<&'a str>,
}

/// A file never changes, but it goes with its account: a day is as long as it may be
/// remembered after that.
const CACHE_SECONDS_MAX: i64 = 86_400;

/// How long a browser may remember what [`allow`] says, in seconds.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Says what the file is. Whatever it holds, a browser runs nothing of it: the type is not to be
/// guessed, all but pictures, sound and films is saved, and what is opened has no rights.
pub(super) fn describe(headers: &mut HeaderMap, file: &File<'_>) {
    let declared = file.media_type.and_then(MediaType::parse);
    let inline = declared.as_ref().is_some_and(MediaType::is_safe_inline);
    let media_type = declared.and_then(|it| HeaderValue::from_str(it.as_str()).ok());
    let unknown = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, media_type.unwrap_or(unknown));
    let disposition = disposition(inline, file.name);
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Says how long it may be remembered: as long as it is here.
pub(super) fn remember(headers: &mut HeaderMap, seconds_left: Option<i64>) {
    let seconds = seconds_left.unwrap_or(CACHE_SECONDS_MAX);
    let seconds = seconds.clamp(0, CACHE_SECONDS_MAX);
    let cache = format!("private, max-age={seconds}, immutable");
    if let Ok(cache) = HeaderValue::from_str(&cache) {
        headers.insert(header::CACHE_CONTROL, cache);
    }
}

/// Says that it may not be remembered: whoever gets it now may not have it any more in a moment.
pub(super) fn forget(headers: &mut HeaderMap) {
    let never = HeaderValue::from_static("private, no-store");
    headers.insert(header::CACHE_CONTROL, never);
}

/// `attachment; filename="tr_s cool.jpg"; filename*=UTF-8''tr%C3%A8s%20cool.jpg` (RFC 6266 §4).
fn disposition(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    // RFC 6266 appendix D: what readers disagree on is kept out of the simple form.
    let plain = |c: char| match c {
        '"' | '\\' | '%' | '/' | ';' => '_',
        ' '..='~' => c,
        _ => '_',
    };
    let simple: String = name.chars().map(plain).collect();
    if simple == name {
        format!("{kind}; filename=\"{name}\"")
    } else {
        let encoded = uri::encode(name);
        format!("{kind}; filename=\"{simple}\"; filename*=UTF-8''{encoded}")
    }
}

/// Lets an origin in, if it is one that is allowed (CORS). No credentials ever are: the token that a
/// client sends is its own, and there are no cookies.
pub(super) fn allow(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let Some(origin) = origin else {
        return;
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, HEAD, PUT, OPTIONS",
        ),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, Range",
        ),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "Content-Disposition, Content-Length, Content-Range, Retry-After",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_content_disposition_as_rfc_6266_says() {
        for (inline, name, wanted) in [
            (true, "photo 1.jpg", "inline; filename=\"photo 1.jpg\""),
            (
                false,
                "très \"cool\".html",
                "attachment; filename=\"tr_s _cool_.html\"; filename*=UTF-8''tr%C3%A8s%20%22cool%22.html",
            ),
            (
                false,
                "100%; x",
                "attachment; filename=\"100__ x\"; filename*=UTF-8''100%25%3B%20x",
            ),
            (
                false,
                "a\r\nX: y",
                "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y",
            ),
        ] {
            assert_eq!(disposition(inline, name), wanted);
        }
    }

    fn headers(media_type: Option<&str>, seconds_left: Option<i64>) -> HeaderMap {
        let file = File {
            name: "a",
            media_type,
        };
        let mut headers = HeaderMap::new();
        describe(&mut headers, &file);
        remember(&mut headers, seconds_left);
        headers
    }

    #[test]
    fn only_what_is_safe_is_shown_and_nothing_is_run() {
        for (media_type, told, inline) in [
            (Some("image/png"), "image/png", true),
            (Some("image/svg+xml"), "image/svg+xml", false),
            (
                Some("text/html; charset=utf-8"),
                "text/html; charset=utf-8",
                false,
            ),
            (None, "application/octet-stream", false),
        ] {
            let headers = headers(media_type, None);
            let value = |name: &HeaderName| headers.get(name).unwrap().to_str().unwrap();
            assert_eq!(value(&header::CONTENT_TYPE), told);
            let disposition = value(&header::CONTENT_DISPOSITION);
            assert_eq!(disposition.starts_with("inline"), inline, "{disposition}");
            assert_eq!(value(&header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            let policy = value(&header::CONTENT_SECURITY_POLICY);
            assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"));
        }
    }

    #[test]
    fn nothing_is_remembered_past_its_end() {
        for (seconds, told) in [
            (None, "private, max-age=86400, immutable"),
            (Some(10), "private, max-age=10, immutable"),
            (Some(1_000_000), "private, max-age=86400, immutable"),
        ] {
            let headers = headers(None, seconds);
            assert_eq!(headers.get(header::CACHE_CONTROL).unwrap(), told);
        }
    }

    #[test]
    fn who_is_let_in_may_send_the_token_and_no_cookies() {
        for origin in [Some("*"), Some("https://chat.example.org"), None] {
            let mut headers = HeaderMap::new();
            allow(&mut headers, origin.map(HeaderValue::from_static));
            let value = |name| headers.get(name).map(|it| it.to_str().unwrap());
            assert_eq!(value(header::ACCESS_CONTROL_ALLOW_ORIGIN), origin);
            assert_eq!(value(header::VARY), Some("origin"));
            let methods = value(header::ACCESS_CONTROL_ALLOW_METHODS);
            assert_eq!(
                methods.is_some_and(|it| it.contains("PUT")),
                origin.is_some()
            );
            let names = value(header::ACCESS_CONTROL_ALLOW_HEADERS);
            assert_eq!(
                names.is_some_and(|it| it.contains("Authorization")),
                origin.is_some()
            );
            assert_eq!(value(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), None);
        }
    }
}
