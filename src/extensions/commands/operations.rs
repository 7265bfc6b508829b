//! Operations of [`crate::admin`] as commands: the form is made from the definition's arguments, arguments
//! from the form that comes back, and the answer from the outcome.

use super::{Caller, Done, NoteKind};
use crate::admin::{
    self, Argument, Asked, Count, Given, Kind, Need, Operation, Outcome, Refusal, Table,
};
use crate::domain::rights::{Right, Role};
use crate::proto::common::forms::{
    Datatype, Field, FieldType, Form, FormType, ITEMS_MAX, Submission, VALUES_MAX,
};
use crate::proto::{Condition, StanzaError, ns};
use crate::xml::Element;

/// The node's beginning and the type of its forms.
const STANDARD: &str = "http://jabber.org/protocol/admin";

/// The type of the forms of this server's own commands.
const OWN: &str = "urn:parlour:admin:0";

/// The format of an operation that makes a file of its table.
const CSV: &str = "csv";

/// The second field of a password.
const VERIFY: &str = "password-verify";

/// The form; `None` where nothing is to be asked.
pub(super) async fn form(
    operation: &'static Operation,
    caller: &Caller,
) -> Result<Option<Form>, Refusal> {
    let mut asked = asked(operation).peekable();
    if asked.peek().is_none() {
        return Ok(None);
    }
    let shown = match operation.prefill {
        Some(prefill) => prefill(caller.operator.clone().as_seen_by(&caller.actor)).await?,
        None => Vec::new(),
    };
    let mut form = Form::new(FormType::Form)
        .title(operation.face.title)
        .instruction(operation.about)
        .form_type(form_type(operation));
    for argument in asked {
        let mut field = field(argument, caller);
        let values = shown.iter().filter(|(name, _)| *name == argument.name);
        for (_, value) in values.filter(|(_, value)| !value.is_empty()) {
            let lines = value.split('\n').map(str::to_owned);
            field.values.extend(lines.take(VALUES_MAX));
        }
        form = form.field(field);
        if argument.asked == Asked::Twice {
            let again = Field::new(VERIFY, FieldType::TextPrivate);
            form = form.field(again.label("Once more").required());
        }
    }
    Ok(Some(form))
}

fn asked(operation: &'static Operation) -> impl Iterator<Item = &'static Argument> {
    let arguments = operation.arguments.iter();
    arguments.filter(|argument| argument.asked != Asked::Never)
}

fn form_type(operation: &Operation) -> &'static str {
    match operation.face.node.starts_with(STANDARD) {
        true => STANDARD,
        false => OWN,
    }
}

fn field(argument: &Argument, caller: &Caller) -> Field {
    let several = argument.count != Count::One;
    let jids = if several {
        FieldType::JidMulti
    } else {
        FieldType::JidSingle
    };
    let new = |kind| Field::new(argument.var, kind);
    let list = if several {
        FieldType::ListMulti
    } else {
        FieldType::ListSingle
    };
    let among = |words: &mut dyn Iterator<Item = &str>| {
        words.fold(new(list), |field, word| field.option(word, None))
    };
    let mut field = match argument.kind {
        Kind::Account | Kind::Session | Kind::Address | Kind::Room => new(jids),
        Kind::Host => {
            let hosts = caller.operator.config.hosts.iter();
            let mut hosts = hosts.map(|host| host.domain.as_str());
            let mut field = among(&mut hosts.by_ref().filter(|host| caller.actor.reaches(host)));
            let here = caller.host.as_str();
            field
                .values
                .extend(caller.actor.reaches(here).then(|| here.to_owned()));
            field
        }
        Kind::Password => new(FieldType::TextPrivate),
        Kind::Role => among(&mut Role::ALL.iter().map(|role| role.name())),
        Kind::Right => among(&mut Right::ALL.iter().map(|right| right.name())),
        Kind::Choice(words) => among(&mut words.iter().copied()),
        Kind::Flag => new(FieldType::Boolean).value("false"),
        Kind::Text | Kind::Table => new(FieldType::TextMulti),
        Kind::Number { min, max } => new(FieldType::TextSingle).datatype(Datatype::Integer {
            min: min.into(),
            max: max.into(),
        }),
        Kind::Time => new(FieldType::TextSingle).datatype(Datatype::DateTime),
        Kind::Name if several => new(FieldType::TextMulti),
        Kind::Name | Kind::LogFilter => new(FieldType::TextSingle),
    };
    if let Asked::Among(values) = argument.asked {
        field = among(&mut values.iter().copied());
    }
    let field = field.label(argument.about);
    match argument.need {
        Need::Required => field.required(),
        Need::Optional => field,
    }
}

/// What was filled in, as the texts of arguments. What was left empty is left out.
fn given(
    operation: &'static Operation,
    caller: &Caller,
    filled: &Submission,
) -> Result<Given, StanzaError> {
    let mut given = Given::new();
    for argument in operation.arguments {
        let text = match argument.asked {
            // What a command is not asked for is what it was sent to.
            Asked::Never if argument.kind == Kind::Host => Some(caller.host.to_string()),
            Asked::Never => None,
            Asked::Once | Asked::Twice | Asked::Among(_) => filled.text(argument.var),
        };
        if argument.asked == Asked::Twice && filled.text(VERIFY) != text {
            let differ = "the two passwords differ";
            return Err(StanzaError::new(Condition::NotAcceptable).text(differ));
        }
        given.extend(text.map(|text| (argument.name.to_owned(), text)));
    }
    Ok(given)
}

pub(super) async fn run(
    operation: &'static Operation,
    caller: Caller,
    filled: Submission,
) -> Result<Done, StanzaError> {
    let given = given(operation, &caller, &filled)?;
    let performed = admin::perform(&caller.operator, &caller.actor, operation.name, &given);
    let outcome = Box::pin(performed).await?;
    let stanza_bytes_max = caller.operator.config.c2s.stanza_bytes_max.as_usize();
    Ok(done(operation, &outcome, stanza_bytes_max))
}

fn done(operation: &'static Operation, outcome: &Outcome, stanza_bytes_max: usize) -> Done {
    let results = operation.face.results;
    let form = Form::new(FormType::Result).title(operation.face.title);
    let form = form.form_type(form_type(operation));
    let form = if !results.is_empty() {
        let field = |result: &admin::ResultField| {
            // COMPAT: Profanity 0.13 shows "(null)" for a field without a label.
            let label = result.key.replace('_', " ");
            let mut field = Field::new(result.var, result.kind).label(&label);
            field.values = outcome
                .values(result.key)
                .into_iter()
                .take(VALUES_MAX)
                .collect();
            field
        };
        Some(
            results
                .iter()
                .fold(form, |form, result| form.field(field(result))),
        )
    } else {
        let table = outcome.table.as_ref();
        table.map(|table| listed(form, table))
    };
    let table = outcome.table.as_ref().filter(|_| results.is_empty());
    let cut = table.and_then(|table| cut(operation, table, stanza_bytes_max));
    let kind = if outcome.warning || cut.is_some() {
        NoteKind::Warn
    } else {
        NoteKind::Info
    };
    let mut text = outcome.text.trim_end().to_owned();
    if let Some(cut) = cut {
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(&cut);
    }
    Done {
        note: (!text.is_empty()).then_some((kind, text)),
        form,
        beside: roster(operation, outcome),
    }
}

/// XEP-0004 §3.4. Columns are named by their numbers, for headers are words for people.
fn listed(mut form: Form, table: &Table) -> Form {
    let var = |at: usize| format!("column-{at}");
    let column = |(at, name): (usize, &String)| {
        let label = if name.is_empty() { " " } else { name };
        Field::new(&var(at), FieldType::TextSingle).label(label)
    };
    form.reported = table.columns.iter().enumerate().map(column).collect();
    let row = |cells: &Vec<String>| {
        let cells = cells.iter().enumerate();
        cells
            .map(|(at, cell)| Field {
                var: Some(var(at)),
                ..Field::default().value(cell.as_str())
            })
            .collect()
    };
    form.items = table.rows.iter().take(ITEMS_MAX).map(row).collect();
    form
}

/// What is said of a table that has more rows than a form takes, and how to have all of it.
fn cut(operation: &Operation, table: &Table, stanza_bytes_max: usize) -> Option<String> {
    let rows = table.rows.len();
    if rows <= ITEMS_MAX {
        return None;
    }
    let offers_csv =
        |argument: &Argument| matches!(argument.kind, Kind::Choice(words) if words.contains(&CSV));
    let has_csv = operation.arguments.iter().any(offers_csv);
    let how = match has_csv && table.fits_as_csv(stanza_bytes_max) {
        true => "All of them come with the format csv, or on the command line",
        false => "Fill in more of the form for fewer of them; all come on the command line",
    };
    let name = operation.name;
    Some(format!(
        "These are the first {ITEMS_MAX} of {rows} rows. {how}: parlour {name}."
    ))
}

/// XEP-0133 §4.8: rosters are told as rosters.
fn roster(operation: &Operation, outcome: &Outcome) -> Option<Element> {
    if operation.name != "account roster" {
        return None;
    }
    let contacts = outcome.data.get("contacts")?.as_array()?;
    let items = contacts.iter().filter_map(|contact| {
        let text = |key: &str| contact.get(key)?.as_str();
        let item = Element::new(ns::ROSTER, "item").attr("jid", text("jid")?);
        let item = item.attr_opt("name", text("name"));
        Some(item.attr_opt("subscription", text("subscription")))
    });
    Some(Element::new(ns::ROSTER, "query").children_from(items))
}
