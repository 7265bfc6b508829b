//! The server as a whole: its state, its hosts and certificates, its log and configuration, and its end
//! (XEP-0133 §4.30, §4.31).

use std::time::Duration;

use serde_json::json;

use super::announcements::announce;
use super::arguments::Arguments;
use super::machinery::{Ending, Reloaded};
use super::operation::{Argument, Asked, Face, Kind, Operation, own, standard};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;

/// The longest that the end of the server can be put off: a day.
const DELAY_SECONDS_MAX: u32 = 86_400;

/// §4.30, §4.31.
const ENDING: &[Argument] = &[
    Argument::optional(
        "delay",
        Kind::Number {
            min: 0,
            max: DELAY_SECONDS_MAX,
        },
        "after how many seconds; at once if left out",
    )
    .asked(Asked::Among(&[
        "30", "60", "90", "120", "180", "240", "300",
    ])),
    Argument::optional("announcement", Kind::Text, "what everybody is told before"),
];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "host list",
        "Lists the hosts that are served, with their accounts.",
        Face::new(own!("host-list"), "List hosts"),
        &[],
        |operator, arguments| Box::pin(hosts(operator, arguments)),
    )
    .only_looking(),
    Operation::new(
        "certificate list",
        "Lists certificates with their names and when they end.",
        Face::new(own!("certificate-list"), "List certificates"),
        &[],
        |operator, arguments| Box::pin(certificates(operator, arguments)),
    )
    .only_looking(),
    Operation::new(
        "certificate reload",
        "Reads the certificates from their files again.",
        Face::new(own!("certificate-reload"), "Reload certificates"),
        &[],
        |operator, _| {
            Box::pin(async move {
                let reloaded = operator.machinery()?.reload_certificates().await;
                Ok(told(&reloaded.map_err(Refusal::Failed)?))
            })
        },
    )
    .of_the_server(),
    Operation::new(
        "server status",
        "Tells how the server is: version, time since the start, accounts, sessions.",
        Face::new(own!("server-status"), "Show the state of the server"),
        &[],
        |operator, arguments| Box::pin(status(operator, arguments)),
    )
    .only_looking(),
    Operation::new(
        "server reload",
        "Reads the configuration and the certificates again, and tells what needs a restart.",
        Face::new(own!("server-reload"), "Reload the configuration"),
        &[],
        |operator, _| {
            Box::pin(async move {
                let reloaded = operator.machinery()?.reload().await;
                Ok(told(&reloaded.map_err(Refusal::NotAcceptable)?))
            })
        },
    )
    .of_the_server(),
    Operation::new(
        "server restart",
        "Ends the server and starts it again.",
        Face::new(standard!("restart"), "Restart the server"),
        ENDING,
        |operator, arguments| Box::pin(end(operator, arguments, Ending::Restart)),
    )
    .of_the_server(),
    Operation::new(
        "server shutdown",
        "Ends the server.",
        Face::new(standard!("shutdown"), "Shut the server down"),
        ENDING,
        |operator, arguments| Box::pin(end(operator, arguments, Ending::Stop)),
    )
    .of_the_server(),
    Operation::new(
        "log show",
        "Shows what is logged.",
        Face::new(own!("log-show"), "Show what is logged"),
        &[],
        |operator, _| {
            Box::pin(async move {
                let filter = operator.machinery()?.log_filter().to_string();
                let text = format!("{filter}\n");
                Ok(Outcome::told(json!({ "level": filter }), text))
            })
        },
    )
    .of_the_server()
    .only_looking(),
    Operation::new(
        "log set",
        "Changes what is logged, until the next start or reload.",
        Face::new(own!("log-set"), "Change what is logged"),
        &[Argument::required(
            "level",
            Kind::LogFilter,
            "error, warn, info, debug or trace, for parts of the program too: info,parlour::router=debug",
        )],
        |operator, arguments| Box::pin(set_log(operator, arguments)),
    )
    .of_the_server()
    .prefilled(|operator| {
        Box::pin(async move {
            let filter = operator.machinery()?.log_filter();
            Ok(vec![("level", filter.to_string())])
        })
    }),
];

async fn hosts(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let mut data = Vec::new();
    let mut rows = Vec::new();
    let online = operator.all_online().unwrap_or_default();
    for host in operator.hosts() {
        let accounts = operator.store.accounts().count(host).await?;
        let here = online
            .iter()
            .filter(|it| it.jid().domain().as_str() == host);
        let here = operator.services.as_ref().map(|_| here.count());
        data.push(json!({ "host": host, "accounts": accounts, "online": here }));
        let here = here.map_or_else(|| "-".to_owned(), |count| count.to_string());
        rows.push([host.to_owned(), accounts.to_string(), here]);
    }
    let table = Table::new(["HOST", "ACCOUNTS", "ONLINE"], rows);
    Ok(Outcome::told(json!({ "hosts": data }), "").with(table))
}

async fn certificates(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let mut data = Vec::new();
    let mut rows = Vec::new();
    let mut text = String::new();
    for certificate in operator.machinery()?.certificates() {
        let reached = certificate
            .hosts
            .iter()
            .any(|host| operator.reach.includes(host));
        if !reached && operator.reach.host().is_some() {
            continue;
        }
        for host in &certificate.hosts_not_covered {
            let file = &certificate.file;
            text.push_str(&format!(
                "{file} does not name {host}: clients refuse it there.\n"
            ));
        }
        let days = certificate.days_left;
        data.push(json!({
            "file": certificate.file,
            "names": certificate.names,
            "hosts": certificate.hosts,
            "hosts_not_covered": certificate.hosts_not_covered,
            "not_after": certificate.not_after.to_string(),
            "days_left": days,
        }));
        rows.push([
            certificate.hosts.join(" "),
            certificate.not_after.to_string(),
            if days < 0 {
                "ended".to_owned()
            } else {
                format!("{days} days")
            },
            certificate.names.join(" "),
            certificate.file,
        ]);
    }
    let table = Table::new(["HOSTS", "UNTIL", "LEFT", "NAMES", "FILE"], rows);
    Ok(Outcome::told(json!({ "certificates": data }), text).with(table))
}

async fn status(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let mut accounts = 0;
    for host in operator.hosts() {
        accounts += operator.store.accounts().count(host).await?;
    }
    let online = operator.all_online()?;
    let sessions: usize = online.iter().map(|account| account.sessions().len()).sum();
    let started = operator
        .machinery()
        .ok()
        .map(|machinery| machinery.started_at());
    let seconds = started.map(|at| operator.clock.now().seconds_since(at));
    let version = env!("CARGO_PKG_VERSION");
    let database = operator.store.database_name();
    let online = online.len();
    let up = seconds.map_or_else(String::new, |seconds| {
        format!(", up for {}", spell(seconds))
    });
    let text = format!(
        "Parlour {version} on {database}{up}: {accounts} accounts, {online} online with {sessions} sessions.\n"
    );
    Ok(Outcome::told(
        json!({
            "version": version,
            "database": database,
            "started_at": started.map(|at| at.to_string()),
            "uptime_seconds": seconds,
            "accounts": accounts,
            "accounts_online": online,
            "sessions": sessions,
        }),
        text,
    ))
}

fn spell(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// What a reload did, in words.
fn told(reloaded: &Reloaded) -> Outcome {
    let Reloaded {
        followed,
        restart,
        problems,
    } = reloaded;
    let mut text = match followed.is_empty() {
        true => "Nothing is new.\n".to_owned(),
        false => format!("In use from now on: {}.\n", followed.join(", ")),
    };
    if !restart.is_empty() {
        text.push_str(&format!(
            "Changed, and in use after a restart: {}.\n",
            restart.join(", ")
        ));
    }
    let data = json!({ "followed": followed, "restart": restart, "problems": problems });
    let outcome = Outcome::told(data, text);
    problems.iter().fold(outcome, |outcome, problem| {
        outcome.warn(&format!("Not in use: {problem}"))
    })
}

async fn end(operator: Operator, arguments: Arguments, ending: Ending) -> Result<Outcome, Refusal> {
    let machinery = operator.machinery()?;
    let delay = arguments.number("delay").unwrap_or(0);
    let mut told = 0;
    if let Some(text) = arguments.text("announcement") {
        let hosts: Vec<String> = operator.hosts().map(str::to_owned).collect();
        told = announce(&operator, &hosts, "", text).await?;
    }
    machinery.end(ending, Duration::from_secs(u64::from(delay)));
    let act = match ending {
        Ending::Stop => "ends",
        Ending::Restart => "starts again",
    };
    let when = match delay {
        0 => "now".to_owned(),
        delay => format!("in {delay} s"),
    };
    Ok(Outcome::told(
        json!({ "delay_seconds": delay, "sessions_told": told }),
        format!("The server {act} {when}.\n"),
    ))
}

async fn set_log(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let filter = arguments.filter("level")?.clone();
    let text = format!("Logged from now on: {filter}\n");
    let data = json!({ "level": filter.as_str() });
    let set = operator.machinery()?.set_log_filter(filter);
    set.map_err(Refusal::Failed)?;
    Ok(Outcome::told(data, text))
}
