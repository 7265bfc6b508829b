//! XEP-0059: Result Set Management, version 1.0: one page out of a long list.

use crate::proto::{Condition, StanzaError, ns};
use crate::xml::Element;

/// Which page is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// At most that many items; 0 asks for the count only (§2.6).
    pub max: Option<u32>,
    /// From where.
    pub from: PageFrom,
}

/// Where a page begins or ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageFrom {
    /// With the first item.
    #[default]
    First,
    /// Behind the item of that id (§2.2).
    After(String),
    /// Before the item of that id, backwards (§2.3).
    Before(String),
    /// The last page (§2.5).
    Last,
    /// With the item at that place, from 0 (§2.4).
    Index(u64),
}

/// What is told of the page that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The id of its first and of its last item; none for an empty page.
    pub ends: Option<(String, String)>,
    /// The place of the first item in the whole list, where it is known.
    pub index: Option<u64>,
    /// How long the whole list is, where it is known.
    pub count: Option<u64>,
}

impl PageRequest {
    /// Reads the child `<set/>` of a request; the first page without limit where there is none.
    ///
    /// # Errors
    /// `bad-request` for numbers that are none, and where before and after are both given.
    pub fn of(request: &Element) -> Result<Self, StanzaError> {
        let Some(set) = request.find(ns::RSM, "set") else {
            return Ok(Self::default());
        };
        let number = |name| -> Result<Option<u64>, StanzaError> {
            let text = set.child_text(ns::RSM, name);
            let number = text.map(|text| text.trim().parse()).transpose();
            number.map_err(|_| StanzaError::bad_request("a number in <set/> is none"))
        };
        let max = number("max")?.map(|max| u32::try_from(max).unwrap_or(u32::MAX));
        let from = match (
            set.child_text(ns::RSM, "before"),
            set.child_text(ns::RSM, "after"),
            number("index")?,
        ) {
            (None, None, None) => PageFrom::First,
            (Some(id), None, None) if id.is_empty() => PageFrom::Last,
            (Some(id), None, None) => PageFrom::Before(id),
            (None, Some(id), None) if id.is_empty() => PageFrom::First,
            (None, Some(id), None) => PageFrom::After(id),
            (None, None, Some(index)) => PageFrom::Index(index),
            _ => return Err(Condition::BadRequest.into()),
        };
        Ok(Self { max, from })
    }
}

impl Page {
    /// The element `<set/>` of an answer.
    #[must_use]
    pub fn to_element(&self) -> Element {
        let mut set = Element::new(ns::RSM, "set");
        if let Some((first, last)) = &self.ends {
            let index = self.index.map(|index| index.to_string());
            let first = Element::new(ns::RSM, "first").text(first);
            set = set
                .child(first.attr_opt("index", index))
                .child(Element::new(ns::RSM, "last").text(last));
        }
        match self.count {
            Some(count) => set.child(Element::new(ns::RSM, "count").text(count.to_string())),
            None => set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(children: &[(&str, &str)]) -> Result<PageRequest, StanzaError> {
        let child = |(name, text): &(&str, &str)| Element::new(ns::RSM, name).text(*text);
        let set = Element::new(ns::RSM, "set").children_from(children.iter().map(child));
        PageRequest::of(&Element::new("urn:example", "query").child(set))
    }

    #[test]
    fn pages_are_asked_for_in_five_ways() {
        let page = |max, from| Ok(PageRequest { max, from });
        for (children, expected) in [
            (&[][..], page(None, PageFrom::First)),
            (&[("max", "10")], page(Some(10), PageFrom::First)),
            (
                &[("max", "99999999999")],
                page(Some(u32::MAX), PageFrom::First),
            ),
            (&[("before", "")], page(None, PageFrom::Last)),
            (&[("before", "x")], page(None, PageFrom::Before("x".into()))),
            (
                &[("after", "x"), ("max", "5")],
                page(Some(5), PageFrom::After("x".into())),
            ),
            (&[("index", "371")], page(None, PageFrom::Index(371))),
        ] {
            assert_eq!(request(children), expected, "{children:?}");
        }
        for children in [
            &[("max", "many")][..],
            &[("max", "-1")],
            &[("before", "x"), ("after", "y")],
        ] {
            let error = request(children).unwrap_err();
            assert_eq!(error.condition, Condition::BadRequest, "{children:?}");
        }
    }

    #[test]
    fn an_empty_page_has_no_ends() {
        let page = Page {
            count: Some(0),
            ..Page::default()
        };
        let set = page.to_element();
        assert_eq!(set.child_text(ns::RSM, "count").as_deref(), Some("0"));
        assert!(set.find(ns::RSM, "first").is_none());
    }
}
