//! XEP-0055: Jabber Search, version 1.3: the directory for clients that know no other; by the same rule and with
//! the same right. Fields beside the name are not searched, and found colleagues have no more in the answer than
//! their names, as a vCard has the rest.

use std::sync::Arc;

use super::directory::{find, views};
use super::listed::{self, Listed};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors;
use crate::contact_center::errors::Refused;
use crate::domain::directory::Query;
use crate::domain::rights::Right;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::forms::{Field, FieldType, Form, FormError, FormType};
use crate::proto::common::rsm::PageRequest;
use crate::proto::{IqType, ns};
use crate::xml::Element;

/// XEP-0055 §5.
pub(in crate::contact_center) const NS: &str = "jabber:iq:search";

const INSTRUCTIONS: &str = "The beginning of a name: three letters or more.";

/// Answers with the form, or with what was found.
pub(in crate::contact_center) async fn answer(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: Iq,
) -> IqAnswer {
    let caller = doors::caller(center, place, &iq).await?;
    caller
        .rights
        .require(Right::Directory)
        .map_err(Refused::from)?;
    match iq.kind {
        IqType::Set => Ok(Some(Box::pin(found(&caller, &iq.payload)).await?)),
        IqType::Get | IqType::Result | IqType::Error => Ok(Some(asked())),
    }
}

/// §2.1, §3: both kinds of fields.
fn asked() -> Element {
    Element::new(NS, "query")
        .child(Element::new(NS, "instructions").text(INSTRUCTIONS))
        .child(Element::new(NS, "nick"))
        .child(form().to_element())
}

fn form() -> Form {
    let view = Field::new("view", FieldType::ListMulti).label("Only who is seen so");
    let view = ["online", "busy", "offline"]
        .into_iter()
        .fold(view, |view, name| view.option(name, None));
    Form::new(FormType::Form)
        .title("Search for a colleague")
        .instruction(INSTRUCTIONS)
        .form_type(NS)
        .field(
            Field::new("nick", FieldType::TextSingle)
                .label("Name")
                .required(),
        )
        .field(view)
}

/// §2.2, §3: who was found, in the words of the question.
async fn found(
    caller: &crate::contact_center::operation::Caller,
    asked: &Element,
) -> Result<Element, Refused> {
    let submitted = asked.find(ns::DATA_FORMS, "x");
    let (text, wanted) = match submitted {
        Some(submitted) => {
            let answer = Form::parse(submitted);
            let filled = answer.and_then(|answer| form().submission(&answer));
            let filled = filled.map_err(|error: FormError| Refused::Stanza(error.into()))?;
            (
                filled.text("nick").unwrap_or_default(),
                filled.values("view").to_vec(),
            )
        }
        None => {
            let names = ["first", "last", "nick"];
            let names = names.iter().filter_map(|name| asked.child_text(NS, name));
            (names.collect::<Vec<_>>().join(" "), Vec::new())
        }
    };
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let query = Query::new(&text, views(&wanted))?;
    let hits = find(caller, &query, &PageRequest::of(asked)?).await?;
    let rows = &hits.colleagues;
    let answer = Element::new(NS, "query");
    let answer = match submitted {
        Some(_) => answer.child(table(rows).to_element()),
        None => answer.children_from(rows.iter().map(item)),
    };
    // XEP-0055 §2.3: who asks by pages is told of them.
    let pages = asked
        .find(ns::RSM, "set")
        .map(|_| listed::page(rows, None, None));
    Ok(answer.child_opt(pages))
}

/// §2.2: nothing is known of which part of a name is the first.
fn item(row: &Listed) -> Element {
    let field = |name: &str, text: &str| Element::new(NS, name).text(text);
    Element::new(NS, "item")
        .attr("jid", row.account.as_str())
        .child(field("first", row.name.as_deref().unwrap_or_default()))
        .child(field("last", ""))
        .child(field(
            "nick",
            row.nickname.as_deref().unwrap_or_else(|| row.logon()),
        ))
        .child(field("email", ""))
}

fn table(rows: &[Listed]) -> Form {
    let mut form = Form::new(FormType::Result).form_type(NS);
    form.reported = vec![
        Field::new("jid", FieldType::JidSingle).label("Address"),
        Field::new("nick", FieldType::TextSingle).label("Name"),
        Field::new("view", FieldType::TextSingle).label("State"),
    ];
    let cell = |var: &str, text: &str| Field {
        var: Some(var.to_owned()),
        ..Field::default().value(text)
    };
    let row = |row: &Listed| {
        vec![
            cell("jid", row.account.as_str()),
            cell("nick", row.title()),
            cell("view", &row.status),
        ]
    };
    form.items = rows.iter().map(row).collect();
    form
}
