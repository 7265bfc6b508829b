//! How a node is configured (XEP-0060 §16.4.4): a struct, and the form that shows and changes it.
//!
//! The same form is what is stored, what an owner fills in, and what publish options (§7.1.5) are held
//! against.

use super::error::{precondition, refusal};
use super::place::Face;
use crate::proto::common::forms::{Field, FieldType, Form, FormError, FormType, Submission};
use crate::proto::common::kept;
use crate::proto::{Condition, MessageType, StanzaError};
use crate::xml::Element;

/// §16.4.4.
pub(super) const NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";
/// §7.1.5.
const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

/// A choice that stands in forms by its name.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal / $label:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::extensions) enum $name { $(#[doc = $label] $variant,)+ }

        impl $name {
            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            pub(super) fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }

            fn options(mut field: Field) -> Field {
                $(field = field.option($text, Some($label));)+
                field
            }
        }
    };
}

choice! {
    /// Who may subscribe and read (§4.5).
    AccessModel {
        Open = "open" / "Anyone may subscribe and retrieve items",
        Presence = "presence" / "Those who see the owner's presence",
        Roster = "roster" / "Those in groups of the owner's roster",
        Authorize = "authorize" / "Those whom an owner has let subscribe",
        Whitelist = "whitelist" / "Those whom the owner has named",
    }
}
choice! {
    /// Who may publish.
    PublishModel {
        Publishers = "publishers" / "Only publishers may publish",
        Subscribers = "subscribers" / "Subscribers may publish",
        Open = "open" / "Anyone may publish",
    }
}
choice! {
    /// When somebody is sent the last item.
    SendLast {
        Never = "never" / "Never",
        OnSubscription = "on_sub" / "When a new subscription is processed",
        OnPresence = "on_sub_and_presence" / "Then, and whenever a subscriber comes online",
    }
}
choice! {
    /// What becomes of an item that is one too many.
    NodeFull {
        RetractOldest = "retract-oldest" / "Retract the oldest item",
        DiscardOldest = "discard-oldest" / "Discard the oldest item",
        Reject = "reject" / "Reject the new item",
    }
}
choice! {
    /// The type of messages.
    Delivery {
        Normal = "normal" / "Messages of type normal",
        Headline = "headline" / "Messages of type headline",
    }
}

/// The configuration of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::extensions) struct NodeConfig {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    /// The namespace of what is published.
    pub(super) kind: Option<String>,
    pub(in crate::extensions) access: AccessModel,
    pub(super) publish: PublishModel,
    pub(super) roster_groups: Vec<String>,
    pub(super) persist_items: bool,
    /// `None` for as many as the server allows.
    pub(in crate::extensions) max_items: Option<u32>,
    /// After how many seconds an item goes; `None` for never.
    pub(super) item_expire: Option<u32>,
    /// How many bytes a payload may have; `None` for as many as the server allows.
    pub(super) max_payload: Option<u32>,
    pub(super) node_full: NodeFull,
    /// Whether items go when their publisher goes offline.
    pub(super) purge_offline: bool,
    pub(in crate::extensions) send_last: SendLast,
    pub(super) deliver_notifications: bool,
    pub(super) deliver_payloads: bool,
    pub(super) notify_config: bool,
    pub(super) notify_delete: bool,
    pub(super) notify_retract: bool,
    pub(super) delivery: Delivery,
}

impl Delivery {
    pub(super) const fn message_type(self) -> MessageType {
        match self {
            Self::Normal => MessageType::Normal,
            Self::Headline => MessageType::Headline,
        }
    }
}

impl NodeConfig {
    /// What a node has that nobody has configured: on accounts the defaults of XEP-0163 §5.
    pub(in crate::extensions) const fn of(face: Face) -> Self {
        let (access, max_items, send_last) = match face {
            Face::Account => (AccessModel::Presence, Some(1), SendLast::OnPresence),
            Face::Service => (AccessModel::Open, None, SendLast::OnSubscription),
        };
        Self {
            title: None,
            description: None,
            kind: None,
            access,
            publish: PublishModel::Publishers,
            roster_groups: Vec::new(),
            persist_items: true,
            max_items,
            item_expire: None,
            max_payload: None,
            node_full: NodeFull::DiscardOldest,
            purge_offline: false,
            send_last,
            deliver_notifications: true,
            deliver_payloads: true,
            notify_config: false,
            notify_delete: true,
            notify_retract: true,
            delivery: Delivery::Headline,
        }
    }

    /// One that only its owner reads, with many items (XEP-0223 §3).
    pub(in crate::extensions) fn private() -> Self {
        Self {
            access: AccessModel::Whitelist,
            max_items: None,
            send_last: SendLast::Never,
            ..Self::of(Face::Account)
        }
    }

    /// One of an account that everybody reads.
    pub(in crate::extensions) fn open() -> Self {
        Self {
            access: AccessModel::Open,
            ..Self::of(Face::Account)
        }
    }

    /// The form that shows it.
    pub(super) fn form(&self, kind: FormType, face: Face) -> Form {
        let mut form = Form::new(kind).form_type(NODE_CONFIG);
        form.fields.extend(self.about());
        form.fields.extend(self.people(face));
        form.fields.extend(self.keeping());
        form.fields.extend(self.telling());
        form
    }

    fn about(&self) -> [Field; 4] {
        let text = |name: &str, label: &str, value: &Option<String>| {
            let field = Field::new(name, FieldType::TextSingle).label(label);
            let fill = |field: Field, value: &String| field.value(value.as_str());
            value.iter().fold(field, fill)
        };
        [
            text("pubsub#title", "A name for people", &self.title),
            text("pubsub#description", "What it is about", &self.description),
            text("pubsub#type", "The namespace of payloads", &self.kind),
            list("pubsub#node_type", "Leaf or collection", "leaf").option("leaf", None),
        ]
    }

    fn people(&self, face: Face) -> Vec<Field> {
        let access = list("pubsub#access_model", "Who may read", self.access.name());
        let mut access = AccessModel::options(access);
        access
            .options
            .retain(|option| face.has_access(&option.value));
        let publish = list(
            "pubsub#publish_model",
            "Who may publish",
            self.publish.name(),
        );
        let mut fields = vec![access, PublishModel::options(publish)];
        if face == Face::Account {
            let groups = Field::new("pubsub#roster_groups_allowed", FieldType::TextMulti);
            let groups = groups.label("The groups of the roster that may read");
            let fill = |field: Field, group: &String| field.value(group.as_str());
            fields.push(self.roster_groups.iter().fold(groups, fill));
        }
        fields
    }

    fn keeping(&self) -> [Field; 6] {
        let number = |name: &str, label: &str, value: Option<u32>| {
            let field = Field::new(name, FieldType::TextSingle).label(label);
            field.value(value.map_or_else(|| MAX.to_owned(), |value| value.to_string()))
        };
        let full = self.node_full.name();
        let full = list("pubsub#publish_node_full", "When the node is full", full);
        [
            flag("pubsub#persist_items", "Keep items", self.persist_items),
            number("pubsub#max_items", "How many, or max", self.max_items),
            number(
                "pubsub#item_expire",
                "For how many seconds, or max",
                self.item_expire,
            ),
            number(
                "pubsub#max_payload_size",
                "How many bytes one has, or max",
                self.max_payload,
            ),
            NodeFull::options(full),
            flag(
                "pubsub#purge_offline",
                "Items go when their publisher goes offline",
                self.purge_offline,
            ),
        ]
    }

    fn telling(&self) -> [Field; 7] {
        let last = self.send_last.name();
        let last = list(
            "pubsub#send_last_published_item",
            "When to send the last item",
            last,
        );
        let delivery = self.delivery.name();
        let delivery = list("pubsub#notification_type", "The type of messages", delivery);
        let deliver = "pubsub#deliver_notifications";
        [
            SendLast::options(last),
            flag(deliver, "Tell of what happens", self.deliver_notifications),
            flag(
                "pubsub#deliver_payloads",
                "… with payloads",
                self.deliver_payloads,
            ),
            flag(
                "pubsub#notify_config",
                "… of configurations",
                self.notify_config,
            ),
            flag(
                "pubsub#notify_delete",
                "… of the node's end",
                self.notify_delete,
            ),
            flag(
                "pubsub#notify_retract",
                "… of items that go",
                self.notify_retract,
            ),
            Delivery::options(delivery),
        ]
    }

    /// The configuration after that form was filled in; what it leaves out stays.
    ///
    /// # Errors
    /// `bad-request` where the form is none of its kind, `not-acceptable` for what is not offered.
    pub(super) fn filled(
        &self,
        face: Face,
        answer: &Form,
        items_max: u32,
    ) -> Result<Self, StanzaError> {
        let access = answer.find("pubsub#access_model");
        if let Some(wanted) = access.and_then(|field| field.values.first())
            && !(wanted.is_empty() || face.has_access(wanted))
        {
            return Err(refusal(
                Condition::NotAcceptable,
                "unsupported-access-model",
            ));
        }
        let filled = self.form(FormType::Form, face).submission(answer)?;
        let config = self.read(face, &filled)?;
        match config.max_items {
            Some(count) if count > items_max => {
                Err(refusal(Condition::NotAcceptable, "max-items-exceeded"))
            }
            // The same by another name.
            Some(count) if count == items_max => Ok(Self {
                max_items: None,
                ..config
            }),
            Some(_) | None => Ok(config),
        }
    }

    fn read(&self, face: Face, filled: &Submission) -> Result<Self, FormError> {
        let text = |var: &str| filled.value(var).map(str::to_owned);
        let flag = |var: &str, now: bool| filled.flag(var).unwrap_or(now);
        let groups = filled.values("pubsub#roster_groups_allowed").to_vec();
        let choice = |var: &str| filled.value(var).unwrap_or_default();
        let access = AccessModel::from_name(choice("pubsub#access_model"));
        Ok(Self {
            title: text("pubsub#title"),
            description: text("pubsub#description"),
            kind: text("pubsub#type"),
            access: access.unwrap_or(self.access),
            publish: PublishModel::from_name(choice("pubsub#publish_model"))
                .unwrap_or(self.publish),
            roster_groups: if face == Face::Account {
                groups
            } else {
                Vec::new()
            },
            persist_items: flag("pubsub#persist_items", self.persist_items),
            max_items: number(filled, "pubsub#max_items", 1)?,
            item_expire: number(filled, "pubsub#item_expire", 1)?,
            max_payload: number(filled, "pubsub#max_payload_size", 1)?,
            node_full: NodeFull::from_name(choice("pubsub#publish_node_full"))
                .unwrap_or(self.node_full),
            purge_offline: flag("pubsub#purge_offline", self.purge_offline),
            send_last: SendLast::from_name(choice("pubsub#send_last_published_item"))
                .unwrap_or(self.send_last),
            deliver_notifications: flag("pubsub#deliver_notifications", self.deliver_notifications),
            deliver_payloads: flag("pubsub#deliver_payloads", self.deliver_payloads),
            notify_config: flag("pubsub#notify_config", self.notify_config),
            notify_delete: flag("pubsub#notify_delete", self.notify_delete),
            notify_retract: flag("pubsub#notify_retract", self.notify_retract),
            delivery: Delivery::from_name(choice("pubsub#notification_type"))
                .unwrap_or(self.delivery),
        })
    }

    /// What is stored.
    pub(super) fn to_bytes(&self, face: Face) -> Vec<u8> {
        kept::to_bytes(&self.form(FormType::Submit, face).to_element())
    }

    /// What was stored.
    pub(super) fn from_bytes(bytes: &[u8], face: Face) -> Result<Self, StanzaError> {
        let form = Form::parse(&kept::from_bytes(bytes)?);
        let form = form.map_err(|_| Condition::InternalServerError)?;
        // The bound of today may be lower than that of the day on which it was stored.
        Self::of(face).filled(face, &form, u32::MAX)
    }

    /// Where `<publish-options/>` are given: what a node that is to be made has of them (§7.1.5).
    ///
    /// # Errors
    /// As [`NodeConfig::filled`], and `precondition-not-met` for a field that no node has.
    pub(super) fn with_options(
        &self,
        face: Face,
        options: &Element,
        items_max: u32,
    ) -> Result<Self, StanzaError> {
        let mut form = Form::parse(options)?;
        if form.type_name() != Some(PUBLISH_OPTIONS) {
            return Err(StanzaError::bad_request("expected publish options"));
        }
        form.fields
            .retain(|field| field.var.as_deref() != Some("FORM_TYPE"));
        let known = self.form(FormType::Form, face);
        let is_known = |field: &Field| {
            field
                .var
                .as_deref()
                .is_some_and(|var| known.find(var).is_some())
        };
        if !form.fields.iter().all(is_known) {
            return Err(precondition());
        }
        self.filled(face, &form, items_max)
    }

    /// Whether people are told of items that go for a new one.
    pub(super) fn tells_of_the_oldest(&self) -> bool {
        self.node_full == NodeFull::RetractOldest && self.notify_retract
    }

    /// How many bytes a payload may have.
    pub(super) fn payload_max(&self, allowed: usize) -> usize {
        let own = self.max_payload.map(usize::try_from);
        own.and_then(Result::ok)
            .map_or(allowed, |bytes| bytes.min(allowed))
    }

    /// How many items the node holds at most.
    pub(super) fn items_max(&self, allowed: u32) -> u32 {
        self.max_items.map_or(allowed, |count| count.min(allowed))
    }
}

fn flag(name: &str, label: &str, value: bool) -> Field {
    let field = Field::new(name, FieldType::Boolean).label(label);
    field.value(if value { "1" } else { "0" })
}

fn list(name: &str, label: &str, value: &str) -> Field {
    let field = Field::new(name, FieldType::ListSingle).label(label);
    field.value(value)
}

/// A number, or `None` for the word `max`.
fn number(filled: &Submission, var: &str, min: i64) -> Result<Option<u32>, FormError> {
    let wrong = || FormError::Value {
        var: var.to_owned(),
        expected: format!("a whole number of {min} or more, or {MAX}"),
    };
    match filled.value(var).map(str::trim) {
        None | Some(MAX) => Ok(None),
        Some(text) => {
            let number: i64 = text.parse().map_err(|_| wrong())?;
            if number < min {
                return Err(wrong());
            }
            Ok(Some(u32::try_from(number).unwrap_or(u32::MAX)))
        }
    }
}

/// No bound but the server's (`#config-node-max`).
const MAX: &str = "max";

#[cfg(test)]
mod tests;
