//! What is said to everybody: announcements, the message of the day, the welcome of new accounts
//! (XEP-0133 §4.23 to §4.28).
//!
//! An announcement reaches who is online. The message of the day is shown once to each account, to those
//! who are online at once; editing it corrects the text for those who have not seen it. The welcome is
//! for accounts at their first login. Each host has its own.

use serde_json::json;

use super::arguments::Arguments;
use super::operation::{Argument, Face, Handler, Kind, Operation, own, standard};
use super::operator::Operator;
use super::outcome::Outcome;
use super::refusal::Refusal;
use crate::proto::{BareJid, Jid, MessageType, Stanza, ns};
use crate::store::Notice;
use crate::xml::Element;

/// The kind of notice that is the message of the day.
pub const MOTD: &str = "motd";

/// The kind of notice that is the welcome.
pub const WELCOME: &str = "welcome";

const HOST: Argument = Argument::optional(
    "host",
    Kind::Host,
    "of this host; of every host if left out",
);
const SUBJECT: Argument = Argument::optional("subject", Kind::Name, "the subject");

const MOTD_ARGUMENTS: &[Argument] = &[
    Argument::required("text", Kind::Text, "the message of the day").var("motd"),
    SUBJECT,
    HOST,
];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "announce send",
        "Sends a message to everybody who is online.",
        Face::new(
            standard!("announce"),
            "Send an announcement to online users",
        ),
        &[
            Argument::required("text", Kind::Text, "what is announced").var("announcement"),
            SUBJECT,
            HOST,
        ],
        |operator, arguments| Box::pin(send(operator, arguments)),
    ),
    Operation::new(
        "motd set",
        "Sets the message of the day, which every account sees once.",
        Face::new(standard!("set-motd"), "Set the message of the day"),
        MOTD_ARGUMENTS,
        |operator, arguments| Box::pin(set(operator, arguments, MOTD, Edition::New)),
    ),
    Operation::new(
        "motd edit",
        "Corrects the message of the day for those who have not seen it.",
        Face::new(standard!("edit-motd"), "Edit the message of the day"),
        MOTD_ARGUMENTS,
        |operator, arguments| Box::pin(set(operator, arguments, MOTD, Edition::Same)),
    )
    .prefilled(|operator| Box::pin(prefill(operator, MOTD))),
    plain(
        "motd show",
        "Shows the message of the day.",
        Face::new(own!("motd-show"), "Show the message of the day"),
        |operator, arguments| Box::pin(show(operator, arguments, MOTD)),
    )
    .only_looking(),
    plain(
        "motd delete",
        "Deletes the message of the day.",
        Face::new(standard!("delete-motd"), "Delete the message of the day"),
        |operator, arguments| Box::pin(delete(operator, arguments, MOTD)),
    ),
    Operation::new(
        "welcome set",
        "Sets the message that new accounts get at their first login.",
        Face::new(standard!("set-welcome"), "Set the welcome message"),
        &[
            Argument::required("text", Kind::Text, "the welcome message").var("welcome"),
            SUBJECT,
            HOST,
        ],
        |operator, arguments| Box::pin(set(operator, arguments, WELCOME, Edition::New)),
    )
    .prefilled(|operator| Box::pin(prefill(operator, WELCOME))),
    plain(
        "welcome show",
        "Shows the welcome message.",
        Face::new(own!("welcome-show"), "Show the welcome message"),
        |operator, arguments| Box::pin(show(operator, arguments, WELCOME)),
    )
    .only_looking(),
    plain(
        "welcome delete",
        "Deletes the welcome message.",
        Face::new(standard!("delete-welcome"), "Delete the welcome message"),
        |operator, arguments| Box::pin(delete(operator, arguments, WELCOME)),
    ),
];

/// §4.26, §4.28: done without a form, at the host that the command is sent to.
const fn plain(name: &'static str, about: &'static str, face: Face, run: Handler) -> Operation {
    const THIS_HOST: &[Argument] = &[HOST.asked(super::operation::Asked::Never)];
    Operation::new(name, about, face, THIS_HOST, run)
}

/// Whether those who have seen a notice are to see it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edition {
    New,
    Same,
}

/// A message of the server, whose text may have many lines.
#[must_use]
pub fn notice_message(
    kind: MessageType,
    host: &BareJid,
    to: Jid,
    subject: &str,
    text: &str,
) -> Stanza {
    let message = Stanza::message(kind).from(host.clone()).to(to);
    let message = match subject.is_empty() {
        true => message,
        false => message.child(&Element::new(ns::CLIENT, "subject").text(subject)),
    };
    message.child(&Element::new(ns::CLIENT, "body").text(text))
}

fn hosts(operator: &Operator, arguments: &Arguments) -> Vec<String> {
    match arguments.host("host") {
        Some(host) => vec![host.to_owned()],
        None => operator.hosts().map(str::to_owned).collect(),
    }
}

async fn send(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let text = arguments.text("text").unwrap_or_default();
    let subject = arguments.text("subject").unwrap_or_default();
    let count = announce(&operator, &hosts(&operator, &arguments), subject, text).await?;
    let words = format!("It was sent to {count} sessions.\n");
    Ok(Outcome::told(json!({ "sessions": count }), words))
}

/// Sends a headline to every session at these hosts.
pub(super) async fn announce(
    operator: &Operator,
    hosts: &[String],
    subject: &str,
    text: &str,
) -> Result<usize, Refusal> {
    let router = operator.router()?;
    let mut count = 0;
    for account in operator.all_online()? {
        let domain = account.jid().domain().as_str();
        let (true, Ok(host)) = (
            hosts.iter().any(|host| host == domain),
            BareJid::new(domain),
        ) else {
            continue;
        };
        for session in account.sessions().iter() {
            let to = session.address();
            let message = notice_message(MessageType::Headline, &host, to, subject, text);
            router.route(message).await;
            count += 1;
        }
    }
    Ok(count)
}

async fn set(
    operator: Operator,
    arguments: Arguments,
    kind: &'static str,
    edition: Edition,
) -> Result<Outcome, Refusal> {
    let notices = operator.store.notices();
    let hosts = hosts(&operator, &arguments);
    let mut told = 0;
    for host in &hosts {
        let before = notices.list(host).await?;
        let before = before.into_iter().find(|notice| notice.kind == kind);
        let edition = match (edition, before) {
            (Edition::Same, Some(before)) => before.edition,
            (Edition::Same, None) => {
                let text = format!("there is no message of the day at {host}");
                return Err(Refusal::NotFound(text));
            }
            (Edition::New, _) => crate::id::sorted(operator.clock.now()),
        };
        let notice = Notice {
            kind: kind.to_owned(),
            subject: arguments.text("subject").unwrap_or_default().to_owned(),
            body: arguments.text("text").unwrap_or_default().to_owned(),
            edition,
        };
        notices.put(host, &notice).await?;
        if kind == MOTD {
            told += tell(&operator, host, &notice).await?;
        }
    }
    let text = match told {
        0 => "It is set.\n".to_owned(),
        told => format!("It is set, and shown to {told} accounts that are online.\n"),
    };
    Ok(Outcome::told(
        json!({ "hosts": hosts, "shown": told }),
        text,
    ))
}

/// Shows a notice to those who are online and have not seen it.
async fn tell(operator: &Operator, host: &str, notice: &Notice) -> Result<usize, Refusal> {
    let (Some(services), Ok(from)) = (&operator.services, BareJid::new(host)) else {
        return Ok(0);
    };
    let mut told = 0;
    for account in operator.all_online()? {
        let jid = account.jid();
        let available = account.sessions().iter().any(|it| it.is_available());
        if jid.domain().as_str() != host || !available {
            continue;
        }
        if operator
            .store
            .notices()
            .show(jid, &notice.kind, &notice.edition)
            .await?
        {
            let to = jid.clone().into();
            let (subject, body) = (&notice.subject, &notice.body);
            let message = notice_message(MessageType::Normal, &from, to, subject, body);
            services.route(message).await;
            told += 1;
        }
    }
    Ok(told)
}

/// §4.25, §4.27: the text that is there, of the first host that has one.
async fn prefill(
    operator: Operator,
    kind: &'static str,
) -> Result<Vec<(&'static str, String)>, Refusal> {
    for host in operator.hosts() {
        let notices = operator.store.notices().list(host).await?;
        if let Some(notice) = notices.into_iter().find(|notice| notice.kind == kind) {
            return Ok(vec![("text", notice.body), ("subject", notice.subject)]);
        }
    }
    Ok(Vec::new())
}

async fn show(operator: Operator, arguments: Arguments, kind: &str) -> Result<Outcome, Refusal> {
    let mut data = Vec::new();
    let mut text = String::new();
    for host in hosts(&operator, &arguments) {
        let notices = operator.store.notices().list(&host).await?;
        let Some(notice) = notices.into_iter().find(|notice| notice.kind == kind) else {
            text.push_str(&format!("{host} has none.\n"));
            continue;
        };
        text.push_str(&format!("{host}: {}\n", notice.body));
        data.push(json!({ "host": host, "subject": notice.subject, "text": notice.body }));
    }
    Ok(Outcome::told(json!({ "notices": data }), text))
}

async fn delete(operator: Operator, arguments: Arguments, kind: &str) -> Result<Outcome, Refusal> {
    let mut hosts_with = Vec::new();
    for host in hosts(&operator, &arguments) {
        if operator.store.notices().delete(&host, kind).await? {
            hosts_with.push(host);
        }
    }
    if hosts_with.is_empty() {
        return Err(Refusal::NotFound("there is none".to_owned()));
    }
    Ok(Outcome::told(
        json!({ "hosts": hosts_with }),
        "It is deleted.\n",
    ))
}
