//! Options of subscriptions (XEP-0060 §6.3, §6.4): whether a subscriber is told at all, and at which of its
//! sessions.
//!
//! Which sessions show what is known of accounts of this server only; others are not offered
//! `pubsub#show-values`. Digests, bodies, leases and depths are not offered, and whoever wants them is refused.

use super::error::{node_required, refusal};
use super::people::{no_subid, own_jid};
use super::place::Place;
use crate::hooks::{Iq, IqAnswer, Session};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::common::kept;
use crate::proto::{Condition, ErrorType, IqType, Jid, StanzaError, ns};
use crate::store::PubsubSubscription;
use crate::xml::Element;

/// §16.4.2.
const SUBSCRIBE_OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";
const DELIVER: &str = "pubsub#deliver";
const SHOW_VALUES: &str = "pubsub#show-values";

/// The values of `pubsub#show-values`, and what they are called.
const SHOWS: [(&str, &str); 5] = [
    ("chat", "Want to Chat"),
    ("online", "Available"),
    ("away", "Away"),
    ("xa", "Extended Away"),
    ("dnd", "Do Not Disturb"),
];

/// Registered fields that are not offered, and the values by which nobody wants them.
const ABSENT: [(&str, &[&str]); 6] = [
    ("pubsub#digest", &["0", "false"]),
    ("pubsub#digest_frequency", &[]),
    ("pubsub#expire", &[]),
    ("pubsub#include_body", &["0", "false"]),
    ("pubsub#subscription_depth", &["1"]),
    ("pubsub#subscription_type", &["items"]),
];

/// What a subscriber wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Whether it is told of anything.
    deliver: bool,
    /// What those of its sessions show that are told; empty for its address, whatever it shows.
    shows: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deliver: true,
            shows: Vec::new(),
        }
    }
}

/// Whether it is known what a subscriber's sessions show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Seen,
    Unseen,
}

impl Presence {
    fn of(place: &Place, jid: &Jid) -> Self {
        if place.services.serves(jid.domain()) {
            Self::Seen
        } else {
            Self::Unseen
        }
    }
}

impl Options {
    fn form(&self, kind: FormType, presence: Presence) -> Form {
        let deliver = Field::new(DELIVER, FieldType::Boolean).label("Tell of what happens");
        let form = Form::new(kind)
            .form_type(SUBSCRIBE_OPTIONS)
            .field(deliver.value(if self.deliver { "1" } else { "0" }));
        match presence {
            Presence::Unseen => form,
            Presence::Seen => {
                let label =
                    "Only at sessions that show this; none for the address, whatever it shows";
                let shows = Field::new(SHOW_VALUES, FieldType::ListMulti).label(label);
                let shows = SHOWS.iter().fold(shows, |field, (show, label)| {
                    field.option(show, Some(label))
                });
                let fill = |field: Field, show: &String| field.value(show.as_str());
                form.field(self.shows.iter().fold(shows, fill))
            }
        }
    }

    /// What is in force, as it is told (§6.3.7, §6.4.2).
    fn result(&self, presence: Presence) -> Element {
        let mut form = self.form(FormType::Result, presence);
        for field in &mut form.fields {
            field.options.clear();
            field.label = None;
        }
        form.to_element()
    }

    /// The options after that form was filled in; what it leaves out stays.
    ///
    /// # Errors
    /// `invalid-options` for what is not offered (§6.3.6.2).
    fn filled(&self, answer: &Element, presence: Presence) -> Result<Self, StanzaError> {
        let answer = Form::parse(answer)?;
        for (var, harmless) in ABSENT {
            let wanted = answer.find(var).map(|field| field.values.iter());
            let mut wanted = wanted.into_iter().flatten();
            if wanted.any(|value| !value.is_empty() && !harmless.contains(&value.as_str())) {
                return Err(invalid(&format!("{var} is not offered")));
            }
        }
        if presence == Presence::Unseen
            && answer
                .find(SHOW_VALUES)
                .is_some_and(|it| !it.values.is_empty())
        {
            return Err(invalid("what that address shows is not known here"));
        }
        let asked = self.form(FormType::Form, presence);
        let filled = asked
            .submission(&answer)
            .map_err(|error| invalid(&error.to_string()))?;
        let mut shows = filled.values(SHOW_VALUES).to_vec();
        shows.sort_unstable();
        shows.dedup();
        Ok(Self {
            deliver: filled.flag(DELIVER).unwrap_or(self.deliver),
            shows,
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let form = self.form(FormType::Submit, Presence::Seen);
        kept::to_bytes(&form.to_element())
    }

    fn from_bytes(bytes: Option<&[u8]>) -> Result<Self, StanzaError> {
        let Some(bytes) = bytes else {
            return Ok(Self::default());
        };
        Self::default().filled(&kept::from_bytes(bytes)?, Presence::Seen)
    }

    fn lets(&self, session: &Session) -> bool {
        let presence = session.presence();
        let show = presence.as_ref().and_then(|it| {
            let show = it.find(ns::CLIENT, "show")?;
            Some(show.to_element(ns::CLIENT).ok()?.text_content())
        });
        let shown = show.as_deref().map_or("online", str::trim);
        session.is_available() && self.shows.iter().any(|wanted| wanted == shown)
    }
}

/// Where a subscriber is told.
pub(super) fn addresses(place: &Place, subscription: &PubsubSubscription) -> Vec<Jid> {
    told(place, &subscription.jid, subscription.options.as_deref())
}

/// The same for the subscription of that address; nowhere when it has none.
///
/// # Errors
/// When the database fails.
pub(super) async fn addresses_of(
    place: &Place,
    node: &str,
    jid: &Jid,
) -> Result<Vec<Jid>, StanzaError> {
    let store = place.store();
    let options = store
        .subscription_options(&place.address, node, jid)
        .await?;
    Ok(options.map_or_else(Vec::new, |options| told(place, jid, options.as_deref())))
}

fn told(place: &Place, jid: &Jid, options: Option<&[u8]>) -> Vec<Jid> {
    // What cannot be read any more restricts nothing.
    let options = Options::from_bytes(options).unwrap_or_default();
    if !options.deliver {
        return Vec::new();
    }
    if options.shows.is_empty() {
        return vec![jid.clone()];
    }
    let online = place.services.online(jid.bare());
    let sessions = online.map(|account| account.sessions()).unwrap_or_default();
    let told = sessions
        .iter()
        .filter(|session| jid.is_bare() || session.is_addressed_by(jid))
        .filter(|session| options.lets(session));
    told.map(|session| session.address()).collect()
}

/// §6.3.7: the options in a request to subscribe, and how they are told back.
///
/// # Errors
/// `bad-request` where they are not as §6.3.7 has them, `invalid-options`.
pub(super) fn at_once(
    place: &Place,
    iq: &Iq,
    jid: &Jid,
) -> Result<Option<(Vec<u8>, Element)>, StanzaError> {
    let Some(options) = iq.payload.find(ns::PUBSUB, "options") else {
        return Ok(None);
    };
    if options.attribute("node").is_some() || options.attribute("jid").is_some() {
        return Err(StanzaError::bad_request(
            "the request to subscribe says which node and whose address",
        ));
    }
    let presence = Presence::of(place, jid);
    let wanted = match options.find(ns::DATA_FORMS, "x") {
        Some(form) => Options::default().filled(form, presence)?,
        None => Options::default(),
    };
    let told = Element::new(ns::PUBSUB, "options").child(wanted.result(presence));
    Ok(Some((wanted.to_bytes(), told)))
}

/// §6.3.2, §6.3.5.
pub(super) async fn request(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").ok_or_else(node_required)?;
    let jid = own_jid(iq, request)?.ok_or(Condition::Forbidden)?;
    place.node(name).await?;
    if request
        .attribute("subid")
        .is_some_and(|subid| !subid.is_empty())
    {
        return Err(no_subid());
    }
    let store = place.store();
    let known = store
        .subscription_options(&place.address, name, &jid)
        .await?;
    let known = known.ok_or_else(not_subscribed)?;
    let options = Options::from_bytes(known.as_deref()).unwrap_or_default();
    let presence = Presence::of(place, &jid);
    if iq.kind == IqType::Get {
        let form = options.form(FormType::Form, presence).to_element();
        let shown = Element::new(ns::PUBSUB, "options")
            .attr("node", name)
            .attr("jid", jid.to_string())
            .child(form);
        return Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(shown)));
    }
    let answer = request
        .find(ns::DATA_FORMS, "x")
        .ok_or_else(|| StanzaError::bad_request("expected a form"))?;
    if Form::parse(answer)?.kind == FormType::Cancel {
        return Ok(None);
    }
    let options = options.filled(answer, presence)?.to_bytes();
    if !store
        .configure_subscription(&place.address, name, &jid, &options)
        .await?
    {
        return Err(not_subscribed());
    }
    Ok(None)
}

/// §6.4.
pub(super) async fn default(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    let name = request.attribute("node").filter(|name| !name.is_empty());
    if let Some(name) = name {
        place.node(name).await?;
    }
    let told = Options::default().result(Presence::of(place, &iq.from));
    let default = Element::new(ns::PUBSUB, "default")
        .attr_opt("node", name)
        .child(told);
    Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(default)))
}

/// §6.3.4.2.
fn not_subscribed() -> StanzaError {
    refusal(Condition::UnexpectedRequest, "not-subscribed").kind(ErrorType::Modify)
}

fn invalid(text: &str) -> StanzaError {
    refusal(Condition::BadRequest, "invalid-options").text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &[&str])]) -> Element {
        let form = Form::new(FormType::Submit).form_type(SUBSCRIBE_OPTIONS);
        let form = fields.iter().fold(form, |form, (var, values)| {
            let field = Field::new(var, FieldType::TextSingle);
            let fill = |field: Field, value: &&str| field.value(*value);
            form.field(values.iter().fold(field, fill))
        });
        form.to_element()
    }

    #[test]
    fn what_is_filled_in_is_stored_and_what_is_not_offered_is_refused() {
        let default = Options::default();
        for (fields, expected) in [
            (&[][..], Some((true, &[][..]))),
            (&[(DELIVER, &["0"][..])][..], Some((false, &[]))),
            (
                &[(SHOW_VALUES, &["online", "chat", "online"])],
                Some((true, &["chat", "online"])),
            ),
            (&[(SHOW_VALUES, &["invisible"])], None),
            (&[(DELIVER, &["perhaps"])], None),
            (&[("pubsub#digest", &["1"])], None),
            (&[("pubsub#digest", &["0"])], Some((true, &[]))),
            (&[("pubsub#include_body", &["true"])], None),
            (&[("pubsub#expire", &["2006-02-28T11:59:59Z"])], None),
            (&[("pubsub#subscription_depth", &["all"])], None),
        ] {
            let filled = default.filled(&form(fields), Presence::Seen).ok();
            let short = filled.as_ref().map(|it| (it.deliver, it.shows.clone()));
            let expected = expected.map(|(deliver, shows)| {
                (deliver, shows.iter().map(|it| (*it).to_owned()).collect())
            });
            assert_eq!(short, expected, "{fields:?}");
            if let Some(filled) = filled {
                let stored = Options::from_bytes(Some(&filled.to_bytes())).unwrap();
                assert_eq!(stored, filled);
            }
        }
    }

    #[test]
    fn presence_that_is_not_seen_is_not_asked_for() {
        let wanted = form(&[(SHOW_VALUES, &["chat"])]);
        let refused = Options::default().filled(&wanted, Presence::Unseen);
        assert_eq!(refused.unwrap_err().condition, Condition::BadRequest);
        let offered = Options::default().form(FormType::Form, Presence::Unseen);
        assert!(offered.find(SHOW_VALUES).is_none());
    }
}
