//! Recipients and tags by the first letters of a name (S4-11, S4-16), and the tags that a form offers.

use super::NS;
use crate::contact_center::contacts;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Outcome, Shown, Table};
use crate::contact_center::values::Values;
use crate::domain::directory::words;
use crate::domain::message_stream::search::Words;
use crate::domain::message_stream::{Availability, Tag};
use crate::domain::rights::Right;
use crate::xml::Element;

/// Tags of one answer: who gets so many types one letter more.
const TAGS_MAX: usize = 50;

/// The tags that messages can have.
fn choice(caller: &Caller) -> Vec<Tag> {
    let settings = caller.place.settings.load_full();
    let all = settings.tags.tags.iter();
    all.filter(|it| !it.availability.is_empty())
        .cloned()
        .collect()
}

/// The tags as the options of the field `tag`, for those who may set them.
pub(super) fn tags_shown(caller: &Caller) -> Shown {
    let tags = match caller.rights.has(Right::TagCreate) {
        true => choice(caller),
        false => Vec::new(),
    };
    let option = |tag: &Tag| {
        let billable = tag.availability.contains(&Availability::MessageBillable);
        let label = match billable {
            true => format!("{} (billable)", tag.name),
            false => tag.name.clone(),
        };
        ("tag", tag.name.clone(), label)
    };
    Shown {
        options: tags.iter().map(option).collect(),
        ..Shown::default()
    }
}

/// The operation `suggest`. Colleagues are found as in the directory, by whoever may look there.
pub(super) async fn suggest(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let text = values.text("text")?;
    let wanted = Words::new(text)?;
    let recipients = match caller.rights.has(Right::Directory) {
        true => contacts::suggested(&caller, text).await?,
        false => Vec::new(),
    };
    let sees = caller.rights.has(Right::TagShow) || caller.rights.has(Right::TagCreate);
    let mut tags = match sees {
        true => choice(&caller),
        false => Vec::new(),
    };
    tags.retain(|tag| wanted.find(&words(&tag.name).join(" "), std::iter::empty()));
    tags.truncate(TAGS_MAX);
    let recipient = |(account, name): &(crate::proto::BareJid, String)| {
        Element::new(NS, "recipient")
            .attr("name", name)
            .text(account.to_string())
    };
    let tag = |it: &Tag| {
        let billable = it.availability.contains(&Availability::MessageBillable);
        Element::new(NS, "tag")
            .attr_opt("billable", billable.then_some("true"))
            .text(it.name.as_str())
    };
    let answer = Element::new(NS, "suggest")
        .children_from(recipients.iter().map(recipient))
        .children_from(tags.iter().map(tag));
    let names = recipients
        .iter()
        .map(|(account, name)| vec![name.clone(), account.to_string()]);
    let marks = tags
        .iter()
        .map(|it| vec![it.name.clone(), "tag".to_owned()]);
    let table = Table {
        columns: &[("name", "Name"), ("what", "Address, or tag")],
        rows: names.chain(marks).collect(),
    };
    let told = format!("{} recipients, {} tags.", recipients.len(), tags.len());
    Ok(Outcome::told(told).with(answer).listing(table))
}
