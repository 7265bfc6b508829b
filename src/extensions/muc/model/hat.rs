//! Hats (XEP-0317): what somebody is called in a room besides affiliation and role, `Host` or
//! `Presenter`. Which there are, and how they are told.

use crate::xml::Element;

/// XEP-0317 §3.1.
pub(in crate::extensions::muc) const HATS: &str = "urn:xmpp:hats:0";

/// Hats that one room keeps.
pub(in crate::extensions::muc) const HATS_MAX: usize = 64;

/// Hats that one account wears in a room: everybody who enters is sent them.
pub(in crate::extensions::muc) const WORN_MAX: usize = 8;

/// Bytes of a title, and of a URI.
const TEXT_BYTES_MAX: usize = 255;

/// A hat that may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::extensions::muc) struct Hat {
    /// What it is known by.
    pub(in crate::extensions::muc) uri: String,
    /// What people see.
    pub(in crate::extensions::muc) title: String,
    /// The angle of its colour (XEP-0392), as it was written.
    pub(in crate::extensions::muc) hue: Option<String>,
}

impl Hat {
    /// A hat; none where the URI is no URI, the title cannot be shown, or the hue is no angle.
    pub(in crate::extensions::muc) fn new(
        uri: &str,
        title: &str,
        hue: Option<&str>,
    ) -> Option<Self> {
        let scheme = uri.split_once(':')?.0;
        let named = !scheme.is_empty() && scheme.chars().all(|it| it.is_ascii_alphanumeric());
        let plain = |it: char| !it.is_whitespace() && !it.is_control();
        let title = title.trim();
        let shown = !title.is_empty() && !title.chars().any(char::is_control);
        let short = uri.len().max(title.len()) <= TEXT_BYTES_MAX;
        let angle = hue.is_none_or(|hue| {
            let angle: Option<f64> = hue.parse().ok();
            hue.len() <= 32 && angle.is_some_and(|angle| (0.0..=360.0).contains(&angle))
        });
        let good = named && uri.chars().all(plain) && shown && short && angle;
        good.then(|| Self {
            uri: uri.to_owned(),
            title: title.to_owned(),
            hue: hue.map(str::to_owned),
        })
    }

    fn to_element(&self) -> Element {
        Element::new(HATS, "hat")
            .attr("title", &self.title)
            .attr("uri", &self.uri)
            .attr_opt("hue", self.hue.as_ref())
    }
}

/// The element `<hats/>`.
pub(in crate::extensions::muc) fn element<'a, I: IntoIterator<Item = &'a Hat>>(hats: I) -> Element {
    Element::new(HATS, "hats").children_from(hats.into_iter().map(Hat::to_element))
}

/// What [`element`] made; a hat that cannot be read is left out.
pub(in crate::extensions::muc) fn listed(hats: &Element) -> Vec<Hat> {
    let hats = hats.children().filter(|it| it.is(HATS, "hat"));
    hats.filter_map(|it| {
        Hat::new(
            it.attribute("uri")?,
            it.attribute("title")?,
            it.attribute("hue"),
        )
    })
    .take(HATS_MAX)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hat_has_a_uri_and_a_title_and_may_have_a_colour() {
        let long = format!("urn:{}", "x".repeat(TEXT_BYTES_MAX));
        for (uri, title, hue, good) in [
            ("http://example.org/hats#host", "Host", None, true),
            ("urn:hat:1", "Host", Some("327.255249"), true),
            ("urn:hat:1", "Host", Some("360"), true),
            ("urn:hat:1", "Host", Some("361"), false),
            ("urn:hat:1", "Host", Some("-1"), false),
            ("urn:hat:1", "Host", Some("NaN"), false),
            ("urn:hat:1", "Host", Some("red"), false),
            ("urn:hat:1", " ", None, false),
            ("urn:hat:1", "a\nb", None, false),
            ("urn:hat 1", "Host", None, false),
            ("urn:hat\n1", "Host", None, false),
            ("host", "Host", None, false),
            (":host", "Host", None, false),
            ("", "Host", None, false),
            (&long, "Host", None, false),
            ("urn:hat:1", &long, None, false),
        ] {
            assert_eq!(
                Hat::new(uri, title, hue).is_some(),
                good,
                "{uri} {title} {hue:?}"
            );
        }
    }

    #[test]
    fn hats_are_read_as_they_are_written() {
        let hats = [
            Hat::new("urn:hat:1", "Host & <more>", Some("12.5")).unwrap(),
            Hat::new("urn:hat:2", "Guest", None).unwrap(),
        ];
        assert_eq!(listed(&element(&hats)), hats);
    }
}
