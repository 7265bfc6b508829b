//! Chat profiles (S0-12, S0-15, S0-26, S1-9, S2-46): what agents may use, and how much of it at once.

use serde_json::json;

use super::arguments::Arguments;
use super::center::{self, CHAT_PROFILE, Change, HOST, JID, Kept, ROLE, Whose, role_profile_id};
use super::operation::{Argument, Count, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::domain::chat_profile::{
    CAPACITY_MAX, ChatProfile, IM_CHANNELS_MAX, INVITATION_SECONDS_MAX, INVITATION_SECONDS_MIN,
    InstantMessaging, Means, PresenceDisplay,
};
use crate::domain::rights::Right;

const CAPACITY: Kind = Kind::Number {
    min: 0,
    max: CAPACITY_MAX as u32,
};

/// Beside the means of [`Means::ALL`].
const NO_MEANS: &str = "none";
const MEANS: &[&str] = &["instant-message", "telephone", "email", "context", NO_MEANS];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "profile set",
        "Changes a chat profile; what is left out stays as it is.",
        Face::new(own!("profile-set"), "Edit a chat profile"),
        FIELDS,
        |operator, arguments| Box::pin(set(operator, arguments)),
    )
    .with_right(Right::ChatProfileEdit),
    Operation::new(
        "profile show",
        "Shows the chat profile that holds for a role or an account.",
        Face::new(own!("profile-show"), "Show a chat profile"),
        &[ROLE, JID, HOST],
        |operator, arguments| Box::pin(show(operator, arguments)),
    )
    .with_right(Right::ChatProfileEdit)
    .only_looking(),
    Operation::new(
        "profile reset",
        "Takes away the chat profile of an account, which then has that of its role, or of a role, which then has the usual one.",
        Face::new(own!("profile-reset"), "Take away a chat profile"),
        &[ROLE, JID, HOST],
        |operator, arguments| Box::pin(reset(operator, arguments)),
    )
    .with_right(Right::ChatProfileEdit),
];

const FIELDS: &[Argument] = &[
    ROLE,
    JID,
    Argument::optional(
        "instant-messaging",
        Kind::Choice(&["enabled", "disabled"]),
        "whether agents use instant messages",
    ),
    Argument::optional(
        "im-channels-max",
        Kind::Number {
            min: 1,
            max: IM_CHANNELS_MAX as u32,
        },
        "IM sessions that an agent has open at most",
    ),
    Argument::optional(
        "invitation-seconds",
        Kind::Number {
            min: INVITATION_SECONDS_MIN,
            max: INVITATION_SECONDS_MAX,
        },
        "seconds after which an invitation has timed out",
    ),
    Argument::optional(
        "presence",
        Kind::Choice(&["shown", "hidden"]),
        "whether colleagues see the agent's state",
    ),
    Argument::optional(
        "means",
        Kind::Choice(MEANS),
        "how colleagues reach each other",
    )
    .count(Count::All),
    Argument::optional("voice-max", CAPACITY, "calls at once"),
    Argument::optional("chat-max", CAPACITY, "chats with customers at once"),
    Argument::optional("email-max", CAPACITY, "e-mails in work at once"),
    HOST,
];

/// The id of the record of a profile.
fn id(host: &str, whose: &Whose) -> String {
    match whose {
        Whose::Role(role) => role_profile_id(host, *role),
        Whose::Account(jid) => jid.to_string(),
    }
}

async fn set(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let (host, whose) = center::whose(&operator, &arguments).await?;
    // What an account had from its role until now.
    let (usual, _) = holding(&operator, &host, &whose).await?;
    let decided = |kept: Kept<ChatProfile>, now| {
        let before = kept.value.unwrap_or_else(|| usual.clone());
        let mut after = edited(before.clone(), &arguments)?;
        if after == before {
            return Ok(Change {
                after: None,
                events: Vec::new(),
            });
        }
        after.version = kept.version.saturating_add(1);
        let after = after.checked().map_err(center::refused)?;
        let event = json!({ "event": "set", "at": now, "profile": after });
        Ok(Change {
            after: Some(after),
            events: vec![event],
        })
    };
    let changed = change(&operator, &host, &whose, decided).await?;
    let (profile, _) = holding(&operator, &host, &whose).await?;
    let text = match changed {
        true => format!("The chat profile of {whose} is changed.\n"),
        false => format!("The chat profile of {whose} is already so.\n"),
    };
    let data = json!({ "changed": changed, "profile": profile });
    Ok(Outcome::told(data, text).with(table(&profile)))
}

async fn reset(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let (host, whose) = center::whose(&operator, &arguments).await?;
    let decided = |kept: Kept<ChatProfile>, now| {
        let event = || json!({ "event": "reset", "at": now });
        Ok(Change {
            after: None,
            events: kept.value.iter().map(|_| event()).collect(),
        })
    };
    let changed = change(&operator, &host, &whose, decided).await?;
    let text = match changed {
        true => format!("The chat profile of {whose} is taken away.\n"),
        false => format!("There is no chat profile of {whose} alone.\n"),
    };
    Ok(Outcome::told(json!({ "changed": changed }), text))
}

async fn change(
    operator: &Operator,
    host: &str,
    whose: &Whose,
    decided: impl Fn(Kept<ChatProfile>, crate::clock::Timestamp) -> Result<Change<ChatProfile>, Refusal>,
) -> Result<bool, Refusal> {
    let id = id(host, whose);
    center::change(operator, (CHAT_PROFILE, &id), host, decided).await
}

async fn show(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let (host, whose) = center::whose(&operator, &arguments).await?;
    let (profile, whence) = holding(&operator, &host, &whose).await?;
    let text = format!("For {whose}: {whence}.\n");
    let data = json!({ "profile": profile, "from": whence });
    Ok(Outcome::told(data, text).with(table(&profile)))
}

/// The profile that holds, and where it comes from.
async fn holding(
    operator: &Operator,
    host: &str,
    whose: &Whose,
) -> Result<(ChatProfile, &'static str), Refusal> {
    let read = async |whose: &Whose| {
        let id = id(host, whose);
        center::kept::<ChatProfile>(&operator.store, CHAT_PROFILE, &id).await
    };
    if let Some(own) = read(whose).await?.value {
        return Ok((own, "its own profile"));
    }
    if let Whose::Account(jid) = whose {
        let account = operator.store.accounts().find(jid).await?;
        let role = account.ok_or_else(|| Refusal::no_account(jid))?.role;
        if let Some(of_role) = read(&Whose::Role(role)).await?.value {
            return Ok((of_role, "the profile of its role"));
        }
    }
    Ok((ChatProfile::default(), "the usual profile"))
}

/// The profile with what was given in place of what it had.
fn edited(mut profile: ChatProfile, arguments: &Arguments) -> Result<ChatProfile, Refusal> {
    match arguments.text("instant-messaging") {
        Some("enabled") => profile.instant_messaging = InstantMessaging::Enabled,
        Some(_) => profile.instant_messaging = InstantMessaging::Disabled,
        None => {}
    }
    match arguments.text("presence") {
        Some("shown") => profile.presence = PresenceDisplay::Shown,
        Some(_) => profile.presence = PresenceDisplay::Hidden,
        None => {}
    }
    if let Some(seconds) = arguments.number("invitation-seconds") {
        profile.invitation_seconds = seconds;
    }
    // Their bounds are below those of the type.
    let small = |name: &str| arguments.number(name).and_then(|it| u16::try_from(it).ok());
    let capacity = &mut profile.capacity;
    for (name, place) in [
        ("im-channels-max", &mut profile.im_channels_max),
        ("voice-max", &mut capacity.voice),
        ("chat-max", &mut capacity.chat),
        ("email-max", &mut capacity.email),
    ] {
        *place = small(name).unwrap_or(*place);
    }
    let means: Vec<&str> = arguments.texts("means").collect();
    if means.len() > 1 && means.contains(&NO_MEANS) {
        let text = "means is either none or a list of others";
        return Err(Refusal::Usage(text.to_owned()));
    }
    if !means.is_empty() {
        profile.means = means.into_iter().filter_map(Means::from_name).collect();
    }
    Ok(profile)
}

fn table(profile: &ChatProfile) -> Table {
    let im = match profile.instant_messaging {
        InstantMessaging::Enabled => "enabled",
        InstantMessaging::Disabled => "disabled",
    };
    let presence = match profile.presence {
        PresenceDisplay::Shown => "shown",
        PresenceDisplay::Hidden => "hidden",
    };
    let means: Vec<&str> = profile.means.iter().map(|means| means.name()).collect();
    let means = match means.is_empty() {
        true => NO_MEANS.to_owned(),
        false => means.join(", "),
    };
    let row = |name: &str, value: String| [name.to_owned(), value];
    let rows = vec![
        row("instant-messaging", im.to_owned()),
        row("im-channels-max", profile.im_channels_max.to_string()),
        row("invitation-seconds", profile.invitation_seconds.to_string()),
        row("presence", presence.to_owned()),
        row("means", means),
        row("voice-max", profile.capacity.voice.to_string()),
        row("chat-max", profile.capacity.chat.to_string()),
        row("email-max", profile.capacity.email.to_string()),
    ];
    Table::new(["FIELD", "VALUE"], rows)
}
