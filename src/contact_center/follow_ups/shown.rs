//! What forms offer: sources that the agent has in hand (S3-5, S3-13), the types of transactions that may follow on the channel
//! on which it works (S3-4, S3-14), reasons (S3-20), types of notes (S3-15), and the agent's own follow-ups.

use super::{
    AUTHOR, KIND, RESPONSIBLE, access, changes, of_status, scratch_pad, source, wire, written,
};
use crate::clock::Timestamp;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Shown};
use crate::contact_center::values::Values;
use crate::contact_center::{activities, context, record};
use crate::domain::activity::Activity;
use crate::domain::catalogue::Entry;
use crate::domain::follow_up::{FollowUp, NO_CHANNEL, Rejection, SourceKind, Status};
use crate::domain::reason_code::Kind as ReasonKind;
use crate::store::ListOrder;

/// Own follow-ups that a form offers; who has more types the id.
const OFFERED_MAX: u32 = 20;

type Options = Vec<(&'static str, String, String)>;

/// For a new follow-up.
pub(super) async fn plan(caller: Caller) -> Result<Shown, Refused> {
    let settings = caller.place.settings.load_full();
    let (in_hand, others) = activities::at_hand(&caller).await?;
    // Of one interaction several parts may be the agent's.
    let mut options: Options = Vec::new();
    for activity in in_hand.iter().chain(&others) {
        let option = of_activity(activity);
        options.extend(option.filter(|it| !options.contains(it)));
    }
    options.extend(objects(&caller).await?);
    let mut shown = Shown {
        values: chosen(&in_hand),
        options,
        ..Shown::default()
    };
    let channels = channels(&in_hand);
    let permitted = |it: &&Entry| {
        let may = |channel: &&str| settings.permitted.require(&it.code, channel).is_ok();
        channels.iter().any(may)
    };
    let types = settings.permitted.types.iter().filter(permitted);
    shown
        .options
        .extend(types.map(|it| entry("type", it, &caller)));
    offer_reasons(&mut shown, &caller);
    offer_note_types(&mut shown, &caller);
    Ok(shown)
}

/// The channels on which the agent works now: the media of what it has in hand, or none.
fn channels(in_hand: &[Activity]) -> Vec<&'static str> {
    let media = in_hand.iter().filter_map(|it| it.subject.as_ref());
    let media: Vec<_> = media.map(|it| it.medium.name()).collect();
    match media.is_empty() {
        true => vec![NO_CHANNEL],
        false => media,
    }
}

/// The only interaction in hand is chosen already.
fn chosen(in_hand: &[Activity]) -> Vec<(&'static str, String)> {
    match in_hand {
        [only] => of_activity(only)
            .map(|(name, value, _)| (name, value))
            .into_iter()
            .collect(),
        _ => vec![],
    }
}

fn of_activity(activity: &Activity) -> Option<(&'static str, String, String)> {
    let subject = activity.subject.as_ref()?;
    let at = activity.created_at.map(|at| at.to_string());
    let medium = subject.medium.name();
    let label = format!("{}, {medium}, {}", subject.name, at.unwrap_or_default());
    let key = source::key(SourceKind::InteractionRecord, subject.interaction.as_str());
    Some(("from", key, label))
}

/// The agent's recent objects that something can follow from.
async fn objects(caller: &Caller) -> Result<Options, Refused> {
    let recent = context::recent_of(&caller.services, &caller.agent).await?;
    let objects = recent.entries.iter().filter_map(|entry| {
        let object = &entry.object;
        let kind = SourceKind::named(&object.key.object_type)?;
        let key = source::key(kind, &object.key.id);
        Some(("from", key, context::named(object)))
    });
    Ok(objects.collect())
}

/// For a follow-up that is planned otherwise. A type that it has already stays, so that all are offered.
pub(super) async fn edit(caller: Caller) -> Result<Shown, Refused> {
    let mut shown = open(caller.clone()).await?;
    let settings = caller.place.settings.load_full();
    let types = settings.permitted.types.iter();
    shown
        .options
        .extend(types.map(|it| entry("type", it, &caller)));
    offer_reasons(&mut shown, &caller);
    Ok(shown)
}

/// The follow-up that is meant, written down where it is another's, for who may change it.
async fn meant(caller: &Caller, values: &Values) -> Result<FollowUp, Refused> {
    let id = written::id(values)?;
    let (follow_up, way) = Box::pin(changes::open(caller, &id)).await?;
    access::note(caller, way, "follow-up show", id.as_str()).await?;
    Ok(follow_up)
}

/// Which one it is, and in which version, for who has it done.
pub(super) async fn present_as_it_is(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let follow_up = Box::pin(meant(&caller, &values)).await?;
    Ok(as_it_is(&caller, &follow_up))
}

fn as_it_is(caller: &Caller, follow_up: &FollowUp) -> Shown {
    Shown {
        values: vec![("version", follow_up.version_read().to_string())],
        about: Some(wire::sentence(follow_up, &wire::Words::of(caller))),
        ..Shown::default()
    }
}

/// The same with who does it.
pub(super) async fn present_responsible(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let follow_up = Box::pin(meant(&caller, &values)).await?;
    let mut shown = as_it_is(&caller, &follow_up);
    let plan = follow_up.plan.as_ref();
    let responsible = plan.map(|plan| ("responsible", plan.responsible.to_string()));
    shown.values.extend(responsible);
    Ok(shown)
}

/// The same for a note, of the first type where nobody chooses another.
pub(super) async fn present_note(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let settings = caller.place.settings.load_full();
    let mut shown = present_as_it_is(caller, values).await?;
    let first = settings.note_types.types.first();
    shown
        .values
        .extend(first.map(|it| ("note-type", it.code.clone())));
    Ok(shown)
}

/// The plan as it is, for who may change it.
pub(super) async fn present(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let follow_up = Box::pin(meant(&caller, &values)).await?;
    let words = wire::Words::of(&caller);
    let plan = follow_up.plan.as_ref().ok_or(Rejection::Unknown)?;
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let values = [
        ("version", Some(follow_up.version_read().to_string())),
        ("type", Some(plan.transaction_type.clone())),
        ("title", Some(plan.title.clone())),
        ("customer", plan.customer.as_ref().map(ToString::to_string)),
        ("start", moment(plan.start)),
        ("end", moment(plan.end)),
        ("due", moment(plan.due)),
        ("reason", plan.reason.clone()),
    ];
    // What was removed from the administrator's lists stays where it was chosen.
    let kind = plan.transaction_type.as_str();
    let label = words.transaction_type(kind).to_owned();
    let mut options = vec![("type", kind.to_owned(), label)];
    options.extend(plan.reason.as_deref().map(|code| {
        let label = words.reason(code).unwrap_or(code);
        ("reason", code.to_owned(), label.to_owned())
    }));
    let present = |(name, value): (_, Option<String>)| value.map(|value| (name, value));
    Ok(Shown {
        options,
        values: values.into_iter().filter_map(present).collect(),
        about: Some(wire::sentence(&follow_up, &words)),
    })
}

/// The agent's planned follow-ups, for the field `id`.
pub(super) async fn open(caller: Caller) -> Result<Shown, Refused> {
    let planned = |agent: &str| of_status(agent, Status::Planned);
    own(&caller, planned).await
}

/// For a new note: own follow-ups of every status, types of notes.
pub(super) async fn note(caller: Caller) -> Result<Shown, Refused> {
    let mut shown = own(&caller, str::to_owned).await?;
    offer_note_types(&mut shown, &caller);
    Ok(shown)
}

/// For the history of a note: its type. Whose follow-up it is need not be the agent's own.
pub(super) async fn history(caller: Caller) -> Result<Shown, Refused> {
    let mut shown = Shown::default();
    offer_note_types(&mut shown, &caller);
    shown.values.clear();
    Ok(shown)
}

/// What is on the scratch pad.
pub(super) async fn pad(caller: Caller) -> Result<Shown, Refused> {
    scratch_pad::shown(caller).await
}

/// Follow-ups of which the agent is author or responsible. Nothing is offered to choose from where there are more, or where those of
/// others may be meant, too: then the id is typed.
async fn own(caller: &Caller, owner: impl Fn(&str) -> String) -> Result<Shown, Refused> {
    let words = wire::Words::of(caller);
    let owner = owner(caller.agent.jid().as_str());
    let records = caller.services.store.records();
    let mut options: Options = Vec::new();
    for list in [RESPONSIBLE, AUTHOR] {
        let order = ListOrder::Descending;
        let page = records.listed(KIND, (list, &owner), None, order, OFFERED_MAX + 1);
        let page = page.await?;
        let more = u32::try_from(page.len()).is_ok_and(|length| length > OFFERED_MAX);
        if more || access::by_right(caller).is_some() {
            return Ok(Shown::default());
        }
        for stored in &page {
            let it: FollowUp = record::read(stored)?;
            let option = ("id", it.id.to_string(), wire::sentence(&it, &words));
            if access::is_own(caller, &it) && !options.contains(&option) {
                options.push(option);
            }
        }
    }
    Ok(Shown {
        options,
        ..Shown::default()
    })
}

/// An entry of a list as an option of that field.
fn entry(field: &'static str, entry: &Entry, caller: &Caller) -> (&'static str, String, String) {
    let label = entry.label(&caller.language).to_owned();
    (field, entry.code.clone(), label)
}

fn offer_reasons(shown: &mut Shown, caller: &Caller) {
    let settings = caller.place.settings.load();
    let reasons = settings.reasons.choice(ReasonKind::Interaction);
    // Nobody has to choose one: without a word for that some forms show an empty line, and others choose the first.
    let none = ("reason", String::new(), "None".to_owned());
    shown.options.push(none);
    let option = |it: &crate::domain::reason_code::ReasonCode| {
        let label = it.label(&caller.language).to_owned();
        ("reason", it.code.clone(), label)
    };
    shown.options.extend(reasons.map(option));
}

/// The first type is chosen already.
fn offer_note_types(shown: &mut Shown, caller: &Caller) {
    let settings = caller.place.settings.load();
    let types = &settings.note_types.types;
    let options = types.iter().map(|it| entry("note-type", it, caller));
    shown.options.extend(options);
    let first = types.first().map(|it| ("note-type", it.code.clone()));
    shown.values.extend(first);
}
