//! The configuration of a room and its form (XEP-0045 §10.1.3, §10.2, §16.5.3).
//!
//! Left out of the registered fields: the lists of owners and admins, which have requests of their own
//! (§10.5, §10.8).

use crate::config::Rooms as Limits;
use crate::proto::common::forms::{Datatype, Field, FieldType, Form, FormType, Submission};
use crate::proto::{Stanza, StanzaError, ns};

use super::rank::{Affiliation, Role, Standing};

/// The `FORM_TYPE` of the configuration.
pub(in crate::extensions::muc) const ROOM_CONFIG: &str =
    "http://jabber.org/protocol/muc#roomconfig";

/// Bytes of a name, a description, a password, a language.
const TEXT_BYTES_MAX: usize = 1_023;

/// Who may send private messages (`muc#roomconfig_allowpm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extensions::muc) enum Allow {
    Anyone,
    Participants,
    Moderators,
    Nobody,
}

/// What the owner of a room decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::extensions::muc) struct RoomConfig {
    pub(in crate::extensions::muc) name: Option<String>,
    pub(in crate::extensions::muc) description: Option<String>,
    pub(in crate::extensions::muc) lang: Option<String>,
    pub(in crate::extensions::muc) pubsub: Option<String>,
    /// Whether participants may change the subject.
    pub(in crate::extensions::muc) change_subject: bool,
    /// Whether others than admins may invite.
    pub(in crate::extensions::muc) allow_invites: bool,
    pub(in crate::extensions::muc) allow_pm: Allow,
    pub(in crate::extensions::muc) max_users: u32,
    pub(in crate::extensions::muc) public: bool,
    pub(in crate::extensions::muc) persistent: bool,
    pub(in crate::extensions::muc) moderated: bool,
    pub(in crate::extensions::muc) members_only: bool,
    pub(in crate::extensions::muc) password: Option<String>,
    /// Whether everybody sees real addresses (`muc#roomconfig_whois`).
    pub(in crate::extensions::muc) nonanonymous: bool,
    /// Whether messages are kept in the archive.
    pub(in crate::extensions::muc) logging: bool,
    /// The most messages of history for one who enters.
    pub(in crate::extensions::muc) history_max: u32,
    /// The roles whose presence others see.
    pub(in crate::extensions::muc) broadcast: Vec<Role>,
    /// The least role of those who may get the member list, where addresses are seen anyway.
    pub(in crate::extensions::muc) member_list: Vec<Role>,
}

const MAX_USERS: [u32; 9] = [10, 20, 30, 50, 100, 200, 500, 1_000, 5_000];
const ROLES: [Role; 3] = [Role::Moderator, Role::Participant, Role::Visitor];

impl Allow {
    const fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Participants => "participants",
            Self::Moderators => "moderators",
            Self::Nobody => "none",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Anyone,
            Self::Participants,
            Self::Moderators,
            Self::Nobody,
        ];
        all.into_iter().find(|known| known.name() == name)
    }

    /// Whether somebody of that role may.
    pub(in crate::extensions::muc) fn lets(self, role: Role) -> bool {
        match self {
            Self::Anyone => role >= Role::Visitor,
            Self::Participants => role >= Role::Participant,
            Self::Moderators => role >= Role::Moderator,
            Self::Nobody => false,
        }
    }
}

impl RoomConfig {
    /// The configuration of a new room.
    pub(in crate::extensions::muc) fn new(limits: &Limits) -> Self {
        Self {
            name: None,
            description: None,
            lang: None,
            pubsub: None,
            change_subject: false,
            allow_invites: true,
            allow_pm: Allow::Anyone,
            max_users: limits.occupants_max,
            public: limits.public,
            persistent: limits.persistent,
            moderated: false,
            members_only: false,
            password: None,
            nonanonymous: limits.nonanonymous,
            logging: true,
            history_max: limits.history_messages_max.min(20),
            broadcast: ROLES.to_vec(),
            member_list: vec![Role::Moderator, Role::Participant],
        }
    }

    /// The form with the present values (§10.2).
    pub(in crate::extensions::muc) fn form(&self, limits: &Limits) -> Form {
        let flag = |var: &str, label: &str, value: bool| {
            Field::new(&format!("muc#roomconfig_{var}"), FieldType::Boolean)
                .label(label)
                .value(if value { "1" } else { "0" })
        };
        let text = |var: &str, label: &str, value: &Option<String>| {
            let field = Field::new(&format!("muc#roomconfig_{var}"), FieldType::TextSingle);
            with_value(field.label(label), value.as_deref())
        };
        let secret = Field::new("muc#roomconfig_roomsecret", FieldType::TextPrivate);
        let history = Datatype::Integer {
            min: 0,
            max: i64::from(limits.history_messages_max),
        };
        Form::new(FormType::Form)
            .title("Configuration of the room")
            .form_type(ROOM_CONFIG)
            .field(text("roomname", "Name", &self.name))
            .field(text("roomdesc", "Description", &self.description))
            .field(text("lang", "Language of discussion", &self.lang))
            .field(text("pubsub", "Associated pubsub node", &self.pubsub))
            .field(flag(
                "changesubject",
                "Participants may change the subject",
                self.change_subject,
            ))
            .field(flag(
                "allowinvites",
                "Occupants may invite others",
                self.allow_invites,
            ))
            .field(self.allow_pm_field())
            .field(self.max_users_field(limits.occupants_max))
            .field(flag("publicroom", "Listed publicly", self.public))
            .field(flag(
                "persistentroom",
                "Stays when nobody is in it",
                self.persistent,
            ))
            .field(flag(
                "moderatedroom",
                "Only those with voice may speak",
                self.moderated,
            ))
            .field(flag(
                "membersonly",
                "Only members may enter",
                self.members_only,
            ))
            .field(flag(
                "passwordprotectedroom",
                "A password is required to enter",
                self.password.is_some(),
            ))
            .field(with_value(
                secret.label("The password"),
                self.password.as_deref(),
            ))
            .field(self.whois_field())
            .field(flag(
                "enablelogging",
                "Messages are kept in the archive",
                self.logging,
            ))
            .field(
                Field::new("muc#maxhistoryfetch", FieldType::TextSingle)
                    .label("Most messages of history for one who enters")
                    .datatype(history)
                    .value(
                        self.history_max
                            .min(limits.history_messages_max)
                            .to_string(),
                    ),
            )
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
            password,
            nonanonymous: filled.value("muc#roomconfig_whois") == Some("anyone"),
            logging: flag("enablelogging", self.logging),
            history_max: number("muc#maxhistoryfetch", self.history_max),
            broadcast: listed("presencebroadcast"),
            member_list: listed("getmemberlist"),
        })
    }

    /// The status codes that tell occupants of the change to `new` (§10.2.1); none where nothing
    /// has changed.
    pub(in crate::extensions::muc) fn changes(&self, new: &Self) -> Vec<u16> {
        let mut codes = Vec::new();
        if self.logging != new.logging {
            codes.push(if new.logging { 170 } else { 171 });
        }
        if self.nonanonymous != new.nonanonymous {
            codes.push(if new.nonanonymous { 172 } else { 173 });
        }
        let same_privacy = Self {
            logging: new.logging,
            nonanonymous: new.nonanonymous,
            ..self.clone()
        };
        if same_privacy != *new {
            codes.push(104);
        }
        codes
    }

    /// Whether others see the presence of that role.
    pub(in crate::extensions::muc) fn shows(&self, role: Role) -> bool {
        self.broadcast.contains(&role)
    }

    /// Whether somebody may get the lists of members, admins and owners (§5.2.1, §9.5).
    pub(in crate::extensions::muc) fn lets_list_members(&self, asker: Standing) -> bool {
        asker.affiliation >= Affiliation::Admin
            || (self.nonanonymous && self.member_list.contains(&asker.role))
            || (self.nonanonymous && asker.affiliation >= Affiliation::Member)
    }

    /// The features of disco#info that tell what kind of room it is (§6.4).
    pub(in crate::extensions::muc) fn features(&self) -> [&'static str; 6] {
        let either = |is: bool, yes, no| if is { yes } else { no };
        [
            either(self.public, "muc_public", "muc_hidden"),
            either(self.persistent, "muc_persistent", "muc_temporary"),
            either(self.members_only, "muc_membersonly", "muc_open"),
            either(self.moderated, "muc_moderated", "muc_unmoderated"),
            either(self.nonanonymous, "muc_nonanonymous", "muc_semianonymous"),
            either(
                self.password.is_some(),
                "muc_passwordprotected",
                "muc_unsecured",
            ),
        ]
    }

    /// The filled-in form, for the database.
    pub(in crate::extensions::muc) fn to_bytes(&self, limits: &Limits) -> Vec<u8> {
        let mut form = self.form(limits);
        form.kind = FormType::Submit;
        for field in &mut form.fields {
            field.options.clear();
            field.label = None;
            field.datatype = None;
        }
        crate::proto::common::kept::to_bytes(&form.to_element())
    }

    /// What [`RoomConfig::to_bytes`] made, within the limits of today.
    pub(in crate::extensions::muc) fn from_bytes(
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Self, StanzaError> {
        let form = Form::parse(&crate::proto::common::kept::from_bytes(bytes)?)?;
        // What was a choice or in range when it was stored need not be any more.
        let mut wide = limits.clone();
        let stored = |var: &str| -> u32 {
            let value = form.find(var).and_then(|field| field.values.first());
            value.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        wide.occupants_max = wide.occupants_max.max(stored("muc#roomconfig_maxusers"));
        wide.history_messages_max = wide.history_messages_max.max(stored("muc#maxhistoryfetch"));
        let base = Self {
            max_users: stored("muc#roomconfig_maxusers"),
            ..Self::new(&wide)
        };
        let mut config = base.submitted(&form, &wide)?;
        config.max_users = config.max_users.min(limits.occupants_max);
        config.history_max = config.history_max.min(limits.history_messages_max);
        Ok(config)
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

/// Whether a message is about the subject: it has one, and no body (§7.2.15).
pub(in crate::extensions::muc) fn is_subject(message: &Stanza) -> bool {
    message.has(ns::CLIENT, "subject")
        && !message.has(ns::CLIENT, "body")
        && !message.has(ns::CLIENT, "thread")
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

    #[test]
    fn changes_have_their_codes() {
        let old = RoomConfig::new(&Limits::default());
        type Change = fn(&mut RoomConfig);
        for (change, codes) in [
            ((|_| {}) as Change, &[][..]),
            (|it| it.logging = false, &[171]),
            (|it| it.nonanonymous = true, &[172]),
            (|it| it.name = Some("x".into()), &[104]),
        ] {
            let mut new = old.clone();
            change(&mut new);
            assert_eq!(old.changes(&new), codes);
        }
    }
}
