//! Pages of lists in forms: a field names the item that the page begins behind, or ends before, and the answer tells which
//! one to name for the rest. In a typed request XEP-0059 says it.

use crate::contact_center::operation::{Kind, Operation, Outcome};
use crate::proto::common::forms::{Field, FieldType};
use crate::proto::common::rsm::{PageFrom, PageRequest};
use crate::proto::ns;
use crate::xml::Element;

/// How a form asks for another page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Begins with the first page, and goes on behind its last item.
    Behind,
    /// Begins with the last page, and goes on before its first item.
    Before,
}

impl Way {
    /// That of a field; `None` of one that asks for no page.
    pub(super) const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Page => Some(Self::Behind),
            Kind::PageFromEnd => Some(Self::Before),
            Kind::Agent
            | Kind::Id
            | Kind::Code
            | Kind::Word(_)
            | Kind::Line { .. }
            | Kind::Text { .. }
            | Kind::Flag
            | Kind::Element => None,
        }
    }

    /// The field's name: the word of XEP-0059.
    pub(super) const fn var(self) -> &'static str {
        match self {
            Self::Behind => "after",
            Self::Before => "before",
        }
    }

    /// The field.
    pub(super) fn field(self) -> Field {
        let label = match self {
            Self::Behind => "Behind which entry, for the rest of a long list",
            Self::Before => "Before which entry, for older ones",
        };
        Field::new(self.var(), FieldType::TextSingle).label(label)
    }

    /// The page that is asked for by what was filled in.
    pub(super) fn page(self, item: Option<String>) -> PageRequest {
        let from = match (self, item) {
            (Self::Behind, None) => PageFrom::First,
            (Self::Behind, Some(item)) => PageFrom::After(item),
            (Self::Before, None) => PageFrom::Last,
            (Self::Before, Some(item)) => PageFrom::Before(item),
        };
        PageRequest { max: None, from }
    }

    /// How to come to the rest, where there is one.
    fn rest(self, rows: usize, set: &Element) -> Option<String> {
        let number = |text: Option<String>| text?.parse::<u64>().ok();
        let rows = u64::try_from(rows).ok()?;
        let count = number(set.child_text(ns::RSM, "count"))?;
        let first = set.find(ns::RSM, "first")?;
        let index = number(first.attribute("index").map(str::to_owned));
        let (is_rest, item) = match self {
            Self::Behind => {
                let shown = index.unwrap_or(0).saturating_add(rows);
                (shown < count, set.child_text(ns::RSM, "last")?)
            }
            Self::Before => (rows < count && index != Some(0), first.text_content()),
        };
        let word = match self {
            Self::Behind => "The rest is behind",
            Self::Before => "Older ones are before",
        };
        is_rest.then(|| format!("{word} {item}."))
    }
}

/// The same of a list that is not counted, and says itself whether there may be more.
fn uncounted(way: Way, answer: &Element) -> Option<String> {
    let is_part = way == Way::Behind && answer.attribute("complete") == Some("false");
    let set = answer.find(ns::RSM, "set").filter(|_| is_part)?;
    if set.child_text(ns::RSM, "count").is_some() {
        return None;
    }
    let last = set.child_text(ns::RSM, "last")?;
    Some(format!("The rest is behind {last}."))
}

/// Whether there is nothing to be said of a list but which page of it: it is shown at once, without a form, where all of it fits on
/// one.
pub(super) fn is_at_once(operation: &Operation) -> bool {
    operation.fields.iter().all(|told| told.kind.is_page())
}

/// What a form tells, with how to come to the rest of its list, where it asks for that.
pub(super) fn told(operation: &Operation, outcome: &Outcome) -> String {
    let told = outcome.told.clone();
    match rest(operation, outcome) {
        Some(rest) => format!("{told} {rest}"),
        None => told,
    }
}

/// How to come to the rest of the list that is told; `None` where that is all.
pub(super) fn rest(operation: &Operation, outcome: &Outcome) -> Option<String> {
    let way = operation.fields.iter().find_map(|it| Way::of(it.kind))?;
    let answer = outcome.payload.as_ref()?;
    let set = answer.find(ns::RSM, "set")?;
    let rows = outcome.table.as_ref().map_or(0, |it| it.rows.len());
    way.rest(rows, set).or_else(|| uncounted(way, answer))
}
