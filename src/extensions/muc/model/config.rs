//! The configuration of a room (XEP-0045 §10.1.3), and what follows from it.

use crate::config::Rooms as Limits;
use crate::proto::common::forms::{Form, FormType};
use crate::proto::{Stanza, StanzaError, ns};

use super::rank::{Affiliation, Role, Standing};

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
    /// Whether members may invite others into a members-only room.
    pub(in crate::extensions::muc) allow_invites: bool,
    pub(in crate::extensions::muc) allow_pm: Allow,
    pub(in crate::extensions::muc) max_users: u32,
    pub(in crate::extensions::muc) public: bool,
    pub(in crate::extensions::muc) persistent: bool,
    pub(in crate::extensions::muc) moderated: bool,
    pub(in crate::extensions::muc) members_only: bool,
    /// Whether an admin decides who registers (§9.9).
    pub(in crate::extensions::muc) approval: bool,
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

impl Allow {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Participants => "participants",
            Self::Moderators => "moderators",
            Self::Nobody => "none",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
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
            allow_invites: false,
            allow_pm: Allow::Anyone,
            max_users: limits.occupants_max,
            public: limits.public,
            persistent: limits.persistent,
            moderated: false,
            members_only: false,
            approval: false,
            password: None,
            nonanonymous: limits.nonanonymous,
            logging: true,
            history_max: limits.history_messages_max.min(20),
            broadcast: vec![Role::Moderator, Role::Participant, Role::Visitor],
            member_list: vec![Role::Moderator, Role::Participant],
        }
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

/// Whether a message is about the subject: it has one, and no body (§7.2.15).
pub(in crate::extensions::muc) fn is_subject(message: &Stanza) -> bool {
    message.has(ns::CLIENT, "subject")
        && !message.has(ns::CLIENT, "body")
        && !message.has(ns::CLIENT, "thread")
}

#[cfg(test)]
mod tests {
    use super::*;

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
