//! The form of a room's configuration (XEP-0045 §10.1.3, §10.2, §16.5.3).
//!
//! Left out of the registered fields: the lists of owners and admins, which have requests of their own
//! (§10.5, §10.8).

use super::config::{Allow, RoomConfig};
use super::rank::Role;
use crate::config::Rooms as Limits;
use crate::proto::StanzaError;
use crate::proto::common::forms::{Datatype, Field, FieldType, Form, FormType, Submission};

/// The `FORM_TYPE` of the configuration.
pub(in crate::extensions::muc) const ROOM_CONFIG: &str =
    "http://jabber.org/protocol/muc#roomconfig";

/// Bytes of a name, a description, a password, a language.
const TEXT_BYTES_MAX: usize = 1_023;

const MAX_USERS: [u32; 9] = [10, 20, 30, 50, 100, 200, 500, 1_000, 5_000];
const ROLES: [Role; 3] = [Role::Moderator, Role::Participant, Role::Visitor];

impl RoomConfig {
    /// The form with the present values (§10.2).
    pub(in crate::extensions::muc) fn form(&self, limits: &Limits) -> Form {
        let text = |var: &str, label: &str, value: &Option<String>| {
            let field = Field::new(&format!("muc#roomconfig_{var}"), FieldType::TextSingle);
            with_value(field.label(label), value.as_deref())
        };
        let secret = Field::new("muc#roomconfig_roomsecret", FieldType::TextPrivate);
        let form = Form::new(FormType::Form)
            .title("Configuration of the room")
            .form_type(ROOM_CONFIG)
            .field(text("roomname", "Name", &self.name))
            .field(text("roomdesc", "Description", &self.description))
            .field(text("lang", "Language of discussion", &self.lang))
            .field(text("pubsub", "Associated pubsub node", &self.pubsub));
        let flags = self.flags().into_iter().map(|(var, label, value)| {
            Field::new(&format!("muc#roomconfig_{var}"), FieldType::Boolean)
                .label(label)
                .value(if value { "1" } else { "0" })
        });
        let secret = with_value(secret.label("The password"), self.password.as_deref());
        flags
            .fold(form, Form::field)
            .field(secret)
            .field(self.allow_pm_field())
            .field(self.max_users_field(limits.occupants_max))
            .field(self.whois_field())
            .field(self.history_field(limits.history_messages_max))
            .field(roles(
                "presencebroadcast",
                "Roles whose presence is shown",
                &self.broadcast,
            ))
            .field(roles(
                "getmemberlist",
                "Roles that may get the member list",
                &self.member_list,
            ))
    }

    const fn flags(&self) -> [(&'static str, &'static str, bool); 9] {
        [
            (
                "changesubject",
                "Participants may change the subject",
                self.change_subject,
            ),
            (
                "allowinvites",
                "Members may invite others into a room for members",
                self.allow_invites,
            ),
            ("publicroom", "Listed publicly", self.public),
            (
                "persistentroom",
                "Stays when nobody is in it",
                self.persistent,
            ),
            (
                "moderatedroom",
                "Only those with voice may speak",
                self.moderated,
            ),
            ("membersonly", "Only members may enter", self.members_only),
            // Not registered with the XMPP Registrar; named as other servers name their own.
            (
                "approveregistration",
                "An admin decides who registers",
                self.approval,
            ),
            (
                "passwordprotectedroom",
                "A password is required to enter",
                self.password.is_some(),
            ),
            (
                "enablelogging",
                "Messages are kept in the archive",
                self.logging,
            ),
        ]
    }

    fn history_field(&self, messages_max: u32) -> Field {
        let range = Datatype::Integer {
            min: 0,
            max: i64::from(messages_max),
        };
        Field::new("muc#maxhistoryfetch", FieldType::TextSingle)
            .label("Most messages of history for one who enters")
            .datatype(range)
            .value(self.history_max.min(messages_max).to_string())
    }

    fn allow_pm_field(&self) -> Field {
        Field::new("muc#roomconfig_allowpm", FieldType::ListSingle)
            .label("Who may send private messages")
            .option("anyone", Some("Anyone"))
            .option("participants", Some("Those with voice"))
            .option("moderators", Some("Moderators"))
            .option("none", Some("Nobody"))
            .value(self.allow_pm.name())
    }

    fn whois_field(&self) -> Field {
        Field::new("muc#roomconfig_whois", FieldType::ListSingle)
            .label("Who sees the addresses behind nicknames")
            .option("moderators", Some("Moderators"))
            .option("anyone", Some("Anyone"))
            .value(if self.nonanonymous {
                "anyone"
            } else {
                "moderators"
            })
    }

    fn max_users_field(&self, occupants_max: u32) -> Field {
        let present = self.max_users.min(occupants_max);
        let mut choices: Vec<u32> = MAX_USERS
            .into_iter()
            .filter(|it| *it < occupants_max)
            .collect();
        choices.extend([present, occupants_max]);
        choices.sort_unstable();
        choices.dedup();
        let field = Field::new("muc#roomconfig_maxusers", FieldType::ListSingle)
            .label("Most occupants")
            .value(present.to_string());
        choices.into_iter().fold(field, |field, choice| {
            field.option(&choice.to_string(), None)
        })
    }

    /// The configuration as this form, filled in, changes it; what it leaves out stays.
    ///
    /// # Errors
    /// `bad-request` or `not-acceptable` with what is wrong.
    pub(in crate::extensions::muc) fn submitted(
        &self,
        answer: &Form,
        limits: &Limits,
    ) -> Result<Self, StanzaError> {
        let filled = self.form(limits).submission(answer)?;
        let protected = filled.flag("muc#roomconfig_passwordprotectedroom") == Some(true);
        let password = short(&filled, "roomsecret")?.filter(|_| protected);
        if protected && password.is_none() {
            return Err(not_acceptable("a room with a password needs one"));
        }
        let flag = |var: &str, present: bool| {
            filled
                .flag(&format!("muc#roomconfig_{var}"))
                .unwrap_or(present)
        };
        let number = |var: &str, present: u32| {
            let value = filled
                .value(var)
                .and_then(|value| value.trim().parse().ok());
            value.unwrap_or(present)
        };
        let allow_pm = filled
            .value("muc#roomconfig_allowpm")
            .and_then(Allow::from_name);
        let listed = |var: &str| -> Vec<Role> {
            let values = filled.values(&format!("muc#roomconfig_{var}"));
            values
                .iter()
                .filter_map(|value| Role::from_name(value))
                .collect()
        };
        Ok(Self {
            name: short(&filled, "roomname")?,
            description: short(&filled, "roomdesc")?,
            lang: short(&filled, "lang")?,
            pubsub: short(&filled, "pubsub")?,
            change_subject: flag("changesubject", self.change_subject),
            allow_invites: flag("allowinvites", self.allow_invites),
            allow_pm: allow_pm.unwrap_or(self.allow_pm),
            max_users: number("muc#roomconfig_maxusers", self.max_users),
            public: flag("publicroom", self.public),
            persistent: flag("persistentroom", self.persistent),
            moderated: flag("moderatedroom", self.moderated),
            members_only: flag("membersonly", self.members_only),
            approval: flag("approveregistration", self.approval),
            password,
            nonanonymous: filled.value("muc#roomconfig_whois") == Some("anyone"),
            logging: flag("enablelogging", self.logging),
            history_max: number("muc#maxhistoryfetch", self.history_max),
            broadcast: listed("presencebroadcast"),
            member_list: listed("getmemberlist"),
        })
    }
}

fn with_value(field: Field, value: Option<&str>) -> Field {
    match value {
        Some(value) => field.value(value),
        None => field,
    }
}

fn roles(var: &str, label: &str, chosen: &[Role]) -> Field {
    let field = Field::new(&format!("muc#roomconfig_{var}"), FieldType::ListMulti).label(label);
    let field = ROLES
        .iter()
        .fold(field, |field, role| field.option(role.name(), None));
    chosen
        .iter()
        .fold(field, |field, role| field.value(role.name()))
}

fn short(filled: &Submission, var: &str) -> Result<Option<String>, StanzaError> {
    let value = filled.value(&format!("muc#roomconfig_{var}"));
    if value.is_some_and(|value| value.len() > TEXT_BYTES_MAX) {
        return Err(not_acceptable(&format!("{var} is too long")));
    }
    Ok(value.map(str::to_owned))
}

fn not_acceptable(text: &str) -> StanzaError {
    StanzaError::new(crate::proto::Condition::NotAcceptable).text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(fields: &[(&str, &[&str])]) -> Form {
        let form = Form::new(FormType::Submit).form_type(ROOM_CONFIG);
        fields.iter().fold(form, |form, (var, values)| {
            let mut field = Field::new(var, FieldType::TextSingle);
            field.values = values.iter().map(|value| (*value).to_owned()).collect();
            form.field(field)
        })
    }

    #[test]
    fn what_is_submitted_is_stored_and_read_back() {
        let limits = Limits::default();
        let old = RoomConfig::new(&limits);
        let new = old
            .submitted(
                &fill(&[
                    ("muc#roomconfig_roomname", &["A Dark Cave"]),
                    ("muc#roomconfig_membersonly", &["1"]),
                    ("muc#roomconfig_passwordprotectedroom", &["true"]),
                    ("muc#roomconfig_roomsecret", &["cauldronburn"]),
                    ("muc#roomconfig_whois", &["anyone"]),
                    ("muc#roomconfig_maxusers", &["20"]),
                    ("muc#roomconfig_allowpm", &["none"]),
                    ("muc#maxhistoryfetch", &["7"]),
                    ("muc#roomconfig_presencebroadcast", &["moderator"]),
                ]),
                &limits,
            )
            .unwrap();
        assert_eq!(new.name.as_deref(), Some("A Dark Cave"));
        assert!(new.members_only && new.nonanonymous && !new.moderated);
        assert_eq!(new.password.as_deref(), Some("cauldronburn"));
        assert_eq!((new.max_users, new.history_max), (20, 7));
        assert_eq!(new.allow_pm, Allow::Nobody);
        assert_eq!(new.broadcast, [Role::Moderator]);
        assert_eq!(old.changes(&new), [172, 104]);
        assert_eq!(
            RoomConfig::from_bytes(&new.to_bytes(&limits), &limits).unwrap(),
            new
        );
    }

    #[test]
    fn wrong_forms_are_refused() {
        let limits = Limits::default();
        let long = "x".repeat(2_000);
        for (fields, condition) in [
            (
                &[("muc#roomconfig_membersonly", &["perhaps"][..])][..],
                "bad-request",
            ),
            (
                &[("muc#roomconfig_maxusers", &["999999999"])],
                "bad-request",
            ),
            (&[("muc#maxhistoryfetch", &["-1"])], "bad-request"),
            (&[("muc#roomconfig_whois", &["cats"])], "bad-request"),
            (
                &[("muc#roomconfig_passwordprotectedroom", &["1"])],
                "not-acceptable",
            ),
            (
                &[("muc#roomconfig_roomname", &[long.as_str()])],
                "not-acceptable",
            ),
        ] {
            let refused = RoomConfig::new(&limits).submitted(&fill(fields), &limits);
            assert_eq!(
                refused.unwrap_err().condition.name(),
                condition,
                "{fields:?}"
            );
        }
    }
}
