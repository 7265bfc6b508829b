//! Lists of follow-ups, the newest first: the agent's own, those of a customer (S3-6), and those of an interaction or of an
//! object of the CRM, where they are shown (S3-7 to S3-10).

use super::access::{self, Way};
use super::{
    AUTHOR, CUSTOMER, KIND, NS, RESPONSIBLE, SOURCE, listed, of_host, of_source, source, wire,
};
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::newest;
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::values::Values;
use crate::contact_center::{activities, customers};
use crate::domain::customer;
use crate::domain::follow_up::{FollowUp, Source, SourceKind};
use crate::domain::ids::CustomerId;
use crate::id;
use crate::xml::Element;

/// Follow-ups of one page: without their notes they fit into a stanza.
pub(super) const PAGE_MAX: u32 = 20;

/// Which of them are asked for when nothing else is said.
const PLANNED: &str = "planned";
/// The word for all of them.
const ANY: &str = "any";
/// What can be asked for.
pub(super) const STATUSES: &[&str] = &[PLANNED, "completed", "cancelled", ANY];
/// Which of an agent's own.
pub(super) const OWN: &[&str] = &[RESPONSIBLE, AUTHOR];

/// One of the lists.
struct Asked {
    list: &'static str,
    owner: String,
    by: Way,
    /// What is shown where nothing else is asked for.
    usual: &'static str,
    /// Of an object of the CRM, or an interaction that is over for the caller: each is seen or not for itself.
    each: bool,
}

/// The operation `follow-ups`.
pub(super) async fn follow_ups(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let asked = asked(&caller, &values).await?;
    let status = values.optional_text("status").unwrap_or(asked.usual);
    let owner = match status {
        ANY => asked.owner.clone(),
        status => format!("{} {status}", asked.owner),
    };
    let list = (asked.list, owner.as_str());
    let some = asked.each || asked.by == Way::Own && has_older(&caller, list).await?;
    let (found, page): (Vec<FollowUp>, _) = match some {
        true => Box::pin(listed::seen(&caller, list, (values.page(), asked.by))).await?,
        false => newest::page(&caller.services, list, (values.page(), PAGE_MAX), None).await?,
    };
    let words = wire::Words::of(&caller);
    let attribute = |name: &str| values.optional_text(name);
    let element = Element::new(NS, "follow-ups")
        .attr_opt("list", attribute("list"))
        .attr_opt("customer", attribute("customer"))
        .attr_opt("source", attribute("source"))
        .attr_opt("source-id", attribute("source-id"))
        .attr("status", status)
        .children_from(found.iter().map(|it| wire::brief(it, &words)))
        .child(page.to_element());
    let all = page.count.map(|all| format!(" of {all}"));
    let told = format!("{}{} follow-ups.", found.len(), all.unwrap_or_default());
    let table = wire::table(&found, &words);
    Ok(Outcome::told(told).with(element).listing(table))
}

/// Whether the list of an agent's own has some from before there was the account. An earlier one of the same name may have left
/// them, or they were given to this one since: each has to be looked at, and how many there are in all is not told.
async fn has_older(caller: &Caller, list: (&'static str, &str)) -> Result<bool, Refused> {
    let records = caller.services.store.records();
    let begin = id::floor(caller.since);
    Ok(records.count_before(KIND, list, &begin).await? > 0)
}

/// The list that is asked for, and why the caller may read it.
async fn asked(caller: &Caller, values: &Values) -> Result<Asked, Refused> {
    let source = source::named(values)?;
    match (values.optional_text("customer"), source) {
        (None, None) => Ok(Asked {
            list: match values.optional_text("list") {
                Some(AUTHOR) => AUTHOR,
                Some(_) | None => RESPONSIBLE,
            },
            owner: caller.agent.to_string(),
            by: Way::Own,
            usual: PLANNED,
            each: false,
        }),
        (Some(customer), None) => of_customer(caller, customer).await,
        (None, Some(source)) => of(caller, &source).await,
        (Some(_), Some(_)) => Err(malformed(
            "field-repeated",
            "Either the customer or the source can be named.",
        )),
    }
}

/// Who may not read it does not learn whether there is such a customer.
async fn of_customer(caller: &Caller, customer: &str) -> Result<Asked, Refused> {
    let unknown = || Refused::from(customer::Rejection::Unknown);
    let id = customer.parse::<CustomerId>().map_err(|_| unknown())?;
    let found = customers::find(&caller.services, &caller.place, &id).await?;
    let id = found.ok_or_else(unknown)?.id;
    let by = match activities::dealt_with(caller).await?.contains(&id) {
        true => Way::ByPart,
        false => access::by_right(caller).ok_or_else(unknown)?,
    };
    access::note(caller, by, "follow-up customer list", id.as_str()).await?;
    Ok(Asked {
        list: CUSTOMER,
        owner: of_host(caller.place.host.as_str(), id.as_str()),
        by,
        usual: PLANNED,
        each: false,
    })
}

/// Of an interaction, to whom it concerns now; to who only had a part in it, or was offered it, and of an object of the CRM,
/// what of it the caller may see.
async fn of(caller: &Caller, named: &Source) -> Result<Asked, Refused> {
    let (by, each) = match (named.kind, access::by_right(caller)) {
        (SourceKind::InteractionRecord, right) => {
            match (source::interaction(caller, &named.id).await, right) {
                (Ok(it), _) if activities::has_part_in(caller, &it.id).await? => {
                    (Way::ByPart, false)
                }
                (Ok(_) | Err(Refused::Rule(_)), Some(by)) => (by, false),
                (Ok(_), None) => (Way::ByPart, true),
                (Err(refused), _) => return Err(refused),
            }
        }
        (_, Some(by)) => (by, false),
        (_, None) => (Way::ByPart, true),
    };
    access::note(caller, by, "follow-up source list", &named.id).await?;
    Ok(Asked {
        list: SOURCE,
        owner: of_source(caller.place.host.as_str(), named.kind, &named.id),
        by,
        usual: ANY,
        each,
    })
}
