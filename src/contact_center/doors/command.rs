//! The door for every client: the operation as an ad-hoc command (XEP-0050) with a form made from its
//! fields.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::super::at_node;
use super::super::center::{Center, Place};
use super::super::errors::{Refused, malformed};
use super::super::operation::{
    Caller, Field as Told, Kind, Need, Operation, Outcome, Shown, Table,
};
use super::super::values::{Given, Named, Values};
use super::pages::{self, Way};
use crate::extensions::commands::{Done, Executable, execute_command};
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::forms::{
    Field, FieldType, Form, FormType, ITEMS_MAX, Submission, VALUES_MAX,
};
use crate::proto::common::rsm::PageRequest;
use crate::proto::{Condition, StanzaError};

/// One command for one caller.
struct Called {
    operation: &'static Operation,
    caller: Caller,
}

/// Executes a command, or a step of one.
pub(in crate::contact_center) async fn execute(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: Iq,
) -> IqAnswer {
    let node = iq.payload.attribute("node").unwrap_or_default();
    let operation = at_node(node).ok_or(Condition::ItemNotFound)?;
    let caller = super::caller(center, place, &iq).await?;
    super::require(&caller, operation)?;
    let called = Called { operation, caller };
    Box::pin(execute_command(&iq, &called)).await
}

impl Executable for Called {
    fn node(&self) -> &'static str {
        self.operation.node
    }

    fn form(&self) -> BoxFuture<'_, Result<Option<Form>, StanzaError>> {
        Box::pin(async move { Ok(form(self.operation, &self.caller).await?) })
    }

    fn second<'a>(
        &'a self,
        first: &'a Submission,
    ) -> BoxFuture<'a, Result<Option<Form>, StanzaError>> {
        Box::pin(async move { Ok(second(self.operation, &self.caller, first).await?) })
    }

    fn read_second(&self) -> Option<Form> {
        let fields = self.operation.present.map(|_| self.operation.fields)?;
        let form = Form::new(FormType::Form).form_type(self.operation.node);
        let fields = fields.iter().filter(|told| told.kind != Kind::Element);
        Some(fields.fold(form, |form, told| form.field(unchecked(told))))
    }

    fn run(&self, filled: Submission) -> BoxFuture<'_, Result<Done, StanzaError>> {
        Box::pin(async move {
            let values = understand(self.operation.fields, &self.caller, &filled)?;
            let done = (self.operation.run)(self.caller.clone(), values).await?;
            Ok(completed(self.operation, done))
        })
    }
}

/// The form; `None` where nothing is to be asked.
async fn form(operation: &'static Operation, caller: &Caller) -> Result<Option<Form>, Refused> {
    let at_once = pages::is_at_once(operation);
    if asked(operation).next().is_none() || (at_once && !is_long(operation, caller).await?) {
        return Ok(None);
    }
    let shown = shown(operation, caller).await?;
    Ok(Some(match operation.present {
        Some(present) => with_fields(operation, present.of.iter(), &shown, &[]),
        None => with_fields(operation, asked(operation), &shown, &[]),
    }))
}

/// The form that holds what is there already of the record that was named in the first one.
async fn second(
    operation: &'static Operation,
    caller: &Caller,
    first: &Submission,
) -> Result<Option<Form>, Refused> {
    let Some(present) = operation.present else {
        return Ok(None);
    };
    let values = understand(present.of, caller, first)?;
    let named = present.of.iter().flat_map(|told| {
        let values = first.values(told.name).iter();
        values.map(|it| (told.name, it.clone()))
    });
    let named: Vec<_> = named.collect();
    let found = (present.find)(caller.clone(), values).await?;
    let mut shown = shown(operation, caller).await?;
    // What is offered first is not chosen where there is something already.
    shown.values = named.into_iter().chain(found.values).collect();
    for option in found.options {
        let known =
            |(name, value, _): &(&str, String, String)| *name == option.0 && *value == option.1;
        if !shown.options.iter().any(known) {
            shown.options.push(option);
        }
    }
    shown.about = found.about;
    let hidden = present.of.iter().map(|told| told.name);
    let hidden: Vec<_> = hidden.chain(present.unseen.iter().copied()).collect();
    Ok(Some(with_fields(
        operation,
        asked(operation),
        &shown,
        &hidden,
    )))
}

async fn shown(operation: &'static Operation, caller: &Caller) -> Result<Shown, Refused> {
    match operation.shown {
        Some(shows) => shows(caller.clone()).await,
        None => Ok(Shown::default()),
    }
}

fn with_fields(
    operation: &'static Operation,
    fields: impl Iterator<Item = &'static Told>,
    shown: &Shown,
    hidden: &[&str],
) -> Form {
    // Nobody types an element: of those that are offered one is chosen, and where none is, there is nothing to choose.
    let offered = |told: &Told| shown.options.iter().any(|(name, ..)| *name == told.name);
    let fields = fields.filter(|told| told.kind != Kind::Element || offered(told));
    let form = Form::new(FormType::Form)
        .title(operation.title)
        .instruction(operation.about)
        .form_type(operation.node);
    let form = shown
        .about
        .iter()
        .fold(form, |form, it| form.instruction(it));
    fields.fold(form, |form, told| {
        form.field(match hidden.contains(&told.name) {
            true => hidden_field(told, shown),
            false => field(told, shown),
        })
    })
}

/// It comes back as it is.
fn hidden_field(told: &Told, shown: &Shown) -> Field {
    let values = shown.values.iter().filter(|(name, _)| *name == told.name);
    let field = Field::new(told.name, FieldType::Hidden);
    values.fold(field, |field, (_, value)| field.value(value.as_str()))
}

/// A field of a form that comes back, whatever was offered in it: what may be chosen is decided by who does it.
fn unchecked(told: &Told) -> Field {
    if let Some(way) = Way::of(told.kind) {
        return way.field();
    }
    let kind = match (told.kind, told.need) {
        (Kind::Flag, _) => FieldType::Boolean,
        (Kind::Text { .. }, _) | (_, Need::Several(_)) => FieldType::TextMulti,
        _ => FieldType::TextSingle,
    };
    let field = Field::new(told.name, kind);
    match told.need {
        Need::Required => field.required(),
        Need::Optional | Need::Several(_) => field,
    }
}

/// Whether a list has more than one page, which have to be asked for.
async fn is_long(operation: &'static Operation, caller: &Caller) -> Result<bool, Refused> {
    let first = understand(operation.fields, caller, &Submission::default())?;
    let outcome = (operation.run)(caller.clone(), first).await?;
    Ok(pages::rest(operation, &outcome).is_some())
}

fn asked(operation: &'static Operation) -> impl Iterator<Item = &'static Told> {
    operation.fields.iter().filter(|field| match field.kind {
        // Nobody types an element: of those that are offered one is chosen.
        Kind::Element => operation.shown.is_some(),
        _ => true,
    })
}

fn field(told: &Told, shown: &Shown) -> Field {
    if let Some(way) = Way::of(told.kind) {
        return way.field();
    }
    let several = matches!(told.need, Need::Several(_));
    let offered = shown.options.iter().any(|(name, ..)| *name == told.name);
    let kind = match (told.kind, several) {
        (Kind::Agent, false) => FieldType::JidSingle,
        (Kind::Agent, true) => FieldType::JidMulti,
        (Kind::Code | Kind::Word(_) | Kind::Element, false) => FieldType::ListSingle,
        (Kind::Code | Kind::Word(_) | Kind::Element, true) => FieldType::ListMulti,
        (Kind::Line { .. }, true) if offered => FieldType::ListMulti,
        (Kind::Text { .. }, _) | (Kind::Id | Kind::Line { .. }, true) => FieldType::TextMulti,
        (Kind::Flag, _) => FieldType::Boolean,
        (Kind::Id, false) if offered => FieldType::ListSingle,
        (Kind::Id | Kind::Line { .. } | Kind::Page | Kind::PageFromEnd, _) => FieldType::TextSingle,
    };
    let mut field = Field::new(told.name, kind).label(told.label);
    if let Kind::Word(words) = told.kind {
        field = words.iter().fold(field, |field, word| {
            field.option(word, Some(&readable(word)))
        });
    }
    for (_, value, label) in shown.options.iter().filter(|(name, ..)| *name == told.name) {
        field = field.option(value, Some(label));
    }
    for (_, value) in shown.values.iter().filter(|(name, _)| *name == told.name) {
        field = match told.kind {
            Kind::Text { .. } => with_lines(field, value),
            _ => field.value(value.as_str()),
        };
    }
    match told.need {
        Need::Required => field.required(),
        Need::Optional | Need::Several(_) => field,
    }
}

/// `interaction-record` as people write it: Interaction record.
fn readable(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect::<String>().replace('-', " ")
}

/// A text, line by line; of more lines than a form takes, none: a part of it would take its place.
fn with_lines(field: Field, text: &str) -> Field {
    match text.lines().count() > VALUES_MAX {
        true => field,
        false => text.lines().fold(field, Field::value),
    }
}

/// What was filled in of those fields. What was left empty is left out.
fn understand(
    fields: &'static [Told],
    caller: &Caller,
    filled: &Submission,
) -> Result<Values, Refused> {
    let mut given = Vec::new();
    let mut page = PageRequest::default();
    for told in fields {
        if let Some(way) = Way::of(told.kind) {
            let filled = filled.values(way.var()).first();
            page = way.page(filled.filter(|item| !item.trim().is_empty()).cloned());
            continue;
        }
        let texts = match told.kind {
            Kind::Text { .. } => filled.text(told.name).into_iter().collect(),
            _ => filled.values(told.name).to_vec(),
        };
        let texts = texts.into_iter().filter(|text| !text.trim().is_empty());
        given.extend(texts.map(|text| (told.name, Given::Text(text))));
    }
    Values::understand(fields, &caller.place.host, given, page, Named::Label).map_err(as_form)
}

/// A form is answered by a form: what is missing in it is told in its words.
fn as_form(refused: Refused) -> Refused {
    match refused {
        Refused::Stanza(error) => Refused::Stanza(error),
        other => malformed("form", other.to_string()),
    }
}

fn completed(operation: &'static Operation, outcome: Outcome) -> Done {
    let told = pages::told(operation, &outcome);
    let warns = outcome.warns;
    let form = outcome.table.map(|table| listed(operation, &table));
    let done = match form {
        Some(form) => Done::form(form),
        None => Done::default(),
    };
    match (told.is_empty(), warns) {
        (true, _) => done,
        (false, true) => done.warning(told),
        (false, false) => done.saying(told),
    }
}

/// XEP-0004 §3.4.
fn listed(operation: &Operation, table: &Table) -> Form {
    let mut form = Form::new(FormType::Result).title(operation.title);
    let column = |(name, label): &(&'static str, &'static str)| {
        Field::new(name, FieldType::TextSingle).label(label)
    };
    form.reported = table.columns.iter().map(column).collect();
    let row = |cells: &Vec<String>| {
        let cells = table.columns.iter().zip(cells);
        let cell = |((name, _), text): (&(&'static str, &'static str), &String)| Field {
            var: Some((*name).to_owned()),
            ..Field::default().value(text.as_str())
        };
        cells.map(cell).collect()
    };
    form.items = table.rows.iter().take(ITEMS_MAX).map(row).collect();
    form
}
