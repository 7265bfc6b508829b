//! Hashes of clients, and whether an answer to disco#info makes them (XEP-0115 §5.4, XEP-0390 §4.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use sha3::{Sha3_256, Sha3_512};

use super::{input, input2};
use crate::hooks::Info;
use crate::proto::ns;
use crate::xml::Element;

/// The hash that a client announces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::extensions) struct CapsHash {
    format: Format,
    algo: Algo,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Format {
    /// XEP-0115.
    First,
    /// XEP-0390.
    Second,
}

/// Names of hash functions (XEP-0300 §4), which are those of IANA that XEP-0115 §4 means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Algo {
    Sha1,
    Sha256,
    Sha512,
    Sha3With256,
    Sha3With512,
}

impl Algo {
    /// The better ones first.
    const ALL: [Self; 5] = [
        Self::Sha3With256,
        Self::Sha256,
        Self::Sha3With512,
        Self::Sha512,
        Self::Sha1,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
            Self::Sha3With256 => "sha3-256",
            Self::Sha3With512 => "sha3-512",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    fn digest(self, input: &[u8]) -> String {
        match self {
            Self::Sha1 => BASE64.encode(Sha1::digest(input)),
            Self::Sha256 => BASE64.encode(Sha256::digest(input)),
            Self::Sha512 => BASE64.encode(Sha512::digest(input)),
            Self::Sha3With256 => BASE64.encode(Sha3_256::digest(input)),
            Self::Sha3With512 => BASE64.encode(Sha3_512::digest(input)),
        }
    }
}

impl CapsHash {
    /// The attributes `hash` and `ver` of XEP-0115; `None` where the function is not known.
    pub(in crate::extensions) fn first(algo: &str, ver: &str) -> Option<Self> {
        Some(Self {
            format: Format::First,
            algo: Algo::from_name(algo)?,
            value: ver.to_owned(),
        })
    }

    /// The best of the hashes in `<c xmlns='urn:xmpp:caps'/>` whose function is known; SHA-1 is not for it
    /// (XEP-0300 §5).
    pub(in crate::extensions) fn second(element: &Element) -> Option<Self> {
        let known = |child: &Element| {
            let algo = Algo::from_name(child.attribute("algo")?)?;
            let value = child.text_content().trim().to_owned();
            let fits = algo != Algo::Sha1 && !value.is_empty() && value.len() <= VALUE_BYTES_MAX;
            fits.then_some(Self {
                format: Format::Second,
                algo,
                value,
            })
        };
        let hashes = element
            .children()
            .filter(|child| child.is(ns::HASHES, "hash"));
        let rank = |hash: &Self| Algo::ALL.iter().position(|algo| *algo == hash.algo);
        hashes.filter_map(known).min_by_key(rank)
    }

    /// The node of a hash of XEP-0390 (§5.5).
    pub(in crate::extensions) fn node(&self) -> String {
        format!("{}#{}.{}", ns::CAPS2, self.algo.name(), self.value)
    }

    /// Whether what a client answers to disco#info makes the hash.
    pub(in crate::extensions) fn is_made_by(&self, query: &Element) -> bool {
        let Some(mut info) = Info::parse(query) else {
            return false;
        };
        let typed = info.forms.iter().all(|form| form.type_name().is_some());
        let made = match self.format {
            Format::First => {
                info.forms.retain(|form| form.type_name().is_some());
                if is_ambiguous(&info) {
                    return false;
                }
                self.algo.digest(input(&info).as_bytes())
            }
            Format::Second if typed => self.algo.digest(&input2(&info)),
            Format::Second => return false,
        };
        made == self.value
    }
}

/// Whether the answer may have been made so that it has the string of another one (XEP-0115 §8.1): what is hashed does
/// not tell where a part ends that has the separator in it, nor a feature from another part. Only the
/// interest in nodes is read from what is proved, so that it may stand nowhere else.
fn is_ambiguous(info: &Info) -> bool {
    let identities = info.identities.iter().flat_map(|identity| {
        let known = [Some(&identity.category), Some(&identity.kind)];
        let optional = [identity.lang.as_ref(), identity.name.as_ref()];
        known
            .into_iter()
            .chain(optional)
            .flatten()
            .map(AsRef::as_ref)
    });
    let fields = info.forms.iter().flat_map(|form| &form.fields);
    let texts = fields.flat_map(|field| field.var.iter().chain(&field.values));
    let mut others = identities.chain(texts.map(String::as_str));
    let mut features = info.features.iter();
    features.any(|feature| feature.contains('<'))
        || others.any(|text| text.contains('<') || text.ends_with("+notify"))
}

/// The verification string of XEP-0115 for an answer.
#[cfg(test)]
pub(in crate::extensions) fn ver_of(query: &Element) -> Option<String> {
    let mut info = Info::parse(query)?;
    info.forms.retain(|form| form.type_name().is_some());
    (!is_ambiguous(&info)).then(|| super::ver(&info))
}

/// A hash in base64; the longest has 88 bytes.
const VALUE_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Limits, document};

    fn query(inside: &str) -> Element {
        let xml = format!("<query xmlns='http://jabber.org/protocol/disco#info'>{inside}</query>");
        document(xml.as_bytes(), &Limits::default()).unwrap()
    }

    /// The client of XEP-0115 §5.2.
    const EXODUS: &str = "
        <identity category='client' name='Exodus 0.9.1' type='pc'/>
        <feature var='http://jabber.org/protocol/muc'/>
        <feature var='http://jabber.org/protocol/disco#items'/>
        <feature var='http://jabber.org/protocol/disco#info'/>
        <feature var='http://jabber.org/protocol/caps'/>";
    const FORMLESS: &str =
        "<x xmlns='jabber:x:data' type='result'><field var='a'><value>b</value></field></x>";

    #[test]
    fn an_answer_makes_its_hash_and_no_other() {
        let ver = "QgayPKawpkPSDYmwT/WM94uAlu0=";
        let sha256 = Algo::Sha256.digest(input(&Info::parse(&query(EXODUS)).unwrap()).as_bytes());
        let once_more = format!("{EXODUS}<feature var='http://jabber.org/protocol/caps'/>");
        for (algo, value, inside, made) in [
            ("sha-1", ver, EXODUS.to_owned(), true),
            ("sha-1", ver, format!("{EXODUS}{FORMLESS}"), true),
            ("sha-1", ver, format!("{EXODUS}<feature var='x'/>"), false),
            ("sha-1", ver, once_more, false),
            ("sha-256", &sha256, EXODUS.to_owned(), true),
            ("sha-256", ver, EXODUS.to_owned(), false),
        ] {
            let hash = CapsHash::first(algo, value).unwrap();
            assert_eq!(hash.is_made_by(&query(&inside)), made, "{algo} {inside}");
        }
        assert_eq!(CapsHash::first("md2", ver), None);
    }

    #[test]
    fn hashes_of_xep_0390_are_those_of_its_examples() {
        let simple = include_str!("testdata/xep-0390-simple.xml");
        let simple = document(simple.trim().as_bytes(), &Limits::default()).unwrap();
        // §6: the hashes of the first example.
        for (algo, value, made) in [
            (
                "sha-256",
                "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
                true,
            ),
            (
                "sha3-256",
                "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q=",
                true,
            ),
            (
                "sha3-256",
                "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
                false,
            ),
        ] {
            let hash = Element::new(ns::HASHES, "hash")
                .attr("algo", algo)
                .text(value);
            let hash = CapsHash::second(&Element::new(ns::CAPS2, "c").child(hash)).unwrap();
            assert_eq!(hash.is_made_by(&simple), made, "{algo}");
            assert_eq!(hash.node(), format!("urn:xmpp:caps#{algo}.{value}"));
        }
    }

    #[test]
    fn forms_without_a_type_have_no_hash_of_xep_0390() {
        let told = query(&format!("{EXODUS}{FORMLESS}"));
        let value = Algo::Sha256.digest(&input2(&Info::parse(&told).unwrap()));
        let hash = Element::new(ns::HASHES, "hash")
            .attr("algo", "sha-256")
            .text(value);
        let hash = CapsHash::second(&Element::new(ns::CAPS2, "c").child(hash)).unwrap();
        assert!(!hash.is_made_by(&told));
    }
}
