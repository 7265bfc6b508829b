//! `parlour export FILE …` and `parlour import FILE…`: accounts in the format that servers exchange (XEP-0227).

use std::path::{Path, PathBuf};

use serde_json::json;

use super::keeping::{alone, place};
use super::{Answer, CliError, shown};
use crate::admin::portable::{self, Choice, Exported, Imported, PortableError, Remark};
use crate::clock::Clock;
use crate::config::Config;
use crate::proto::BareJid;
use crate::server::{open_store, portable_rules};
use crate::store::SchemaVersion;

/// What no file carries; told with every export.
const NOT_CARRIED: &str =
    "Not in the file: roles, push registrations, tokens, invitations, uploaded files, and rooms.";

pub(super) async fn export(
    config: &Config,
    path: &Path,
    host: Option<&str>,
    jids: &[String],
    json: bool,
) -> Result<Answer, CliError> {
    let choice = choice(config, host, jids)?;
    let (location, limits) = place(config)?;
    // Opening would make a database, or change the tables under a server that runs.
    let version = SchemaVersion::of(&location, &limits)
        .await
        .map_err(PortableError::from)?;
    match version.found {
        None => return Err(PortableError::Nothing.into()),
        Some(found) if found != version.wanted => {
            let text =
                "stop the server and call `parlour migrate`, or take the version that wrote them";
            return Err(PortableError::Version(text).into());
        }
        Some(_) => {}
    }
    let store = open_store(config).await?;
    let exported = Box::pin(portable::export(&store, &choice, path)).await;
    store.close().await;
    let exported = exported?;
    let text = exported_text(&exported, path);
    let data = json!({ "file": path, "exported": exported, "not_carried": NOT_CARRIED });
    Ok(shown(json, text, || data))
}

fn choice(config: &Config, host: Option<&str>, jids: &[String]) -> Result<Choice, CliError> {
    let hosts = config.hosts.iter().map(|host| host.domain.as_str());
    if !jids.is_empty() {
        let jids = jids.iter().map(|text| {
            let jid = BareJid::new(text).ok().filter(|jid| jid.node().is_some());
            jid.ok_or_else(|| {
                CliError::Usage(format!("{text:?} is no account: expected name@domain"))
            })
        });
        let mut jids = jids.collect::<Result<Vec<_>, _>>()?;
        jids.sort();
        jids.dedup();
        return Ok(Choice::Accounts(jids));
    }
    let Some(wanted) = host else {
        return Ok(Choice::Hosts(hosts.map(str::to_owned).collect()));
    };
    let mut hosts = hosts.filter(|host| *host == wanted);
    match hosts.next() {
        Some(host) => Ok(Choice::Hosts(vec![host.to_owned()])),
        None => Err(CliError::Usage(format!(
            "{wanted} is no host of this server"
        ))),
    }
}

fn exported_text(exported: &Exported, path: &Path) -> String {
    let mut text = format!(
        "{}: {} accounts.\n{NOT_CARRIED}\n",
        path.display(),
        exported.accounts
    );
    if exported.with_role > 0 {
        text.push_str(&format!(
            "{} of them are more than members; where they are imported they are members.\n",
            exported.with_role
        ));
    }
    if exported.disabled > 0 {
        text.push_str(&format!(
            "{} disabled accounts are written without what they log in with, so that they stay locked.\n",
            exported.disabled
        ));
    }
    for jid in &exported.too_large {
        text.push_str(&format!(
            "{jid} is larger than what `parlour import` reads.\n"
        ));
    }
    text
}

pub(super) async fn import(
    config: &Config,
    files: &[PathBuf],
    dry_run: bool,
    json: bool,
) -> Result<Answer, CliError> {
    // A running server would not know of what is written behind its back.
    let _alone = alone(config)?;
    let store = open_store(config).await?;
    let (now, rules) = (Clock::system().now(), portable_rules());
    let mut imported = Imported::default();
    let mut failed = Ok(());
    for file in files {
        let from = (file.as_path(), now);
        let read = portable::import(&store, config, &rules, from, dry_run, &mut imported);
        match Box::pin(read).await {
            Ok(()) => {}
            Err(error @ (PortableError::Unreadable { .. } | PortableError::File(_))) => {
                // The other files may be whole, and what was done is to be told.
                imported.end(file, &error);
            }
            Err(error) => {
                failed = Err(error);
                break;
            }
        }
    }
    store.close().await;
    failed?;
    let text = imported_text(&imported, dry_run);
    let success = imported.is_complete();
    let answer = shown(
        json,
        text,
        || json!({ "dry_run": dry_run, "imported": imported }),
    );
    Ok(Answer { success, ..answer })
}

fn imported_text(imported: &Imported, dry_run: bool) -> String {
    let mut text = String::new();
    for remark in &imported.problems {
        text.push_str(&line(remark));
    }
    for remark in &imported.notes {
        text.push_str(&format!("note: {}", line(remark)));
    }
    if imported.untold > 0 {
        text.push_str(&format!("and {} more\n", imported.untold));
    }
    let (made, skipped) = (imported.accounts, imported.skipped);
    let verb = if dry_run {
        "would be imported"
    } else {
        "imported"
    };
    text.push_str(&format!(
        "{made} accounts {verb}, as members; {skipped} skipped.\n"
    ));
    text
}

fn line(remark: &Remark) -> String {
    let account = remark.account.iter().map(|account| format!("{account}: "));
    let account: String = account.collect();
    format!(
        "{}:{}: {account}{}\n",
        remark.file.display(),
        remark.line,
        remark.text
    )
}
