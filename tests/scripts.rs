//! Plays the conversation scripts under `tests/scripts/` to the server, each over
//! every transport that it does not exclude.
//!
//! Every script and transport is one test: `cargo test --test scripts roster` plays
//! what has `roster` in its name. Scripts with the same configuration share one
//! server; each has accounts of its own on it.

#[path = "support/client.rs"]
mod client;
#[path = "support/login.rs"]
mod login;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/play/mod.rs"]
mod play;
#[path = "support/server.rs"]
mod server;
#[path = "support/xml.rs"]
mod xml;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use libtest_mimic::{Arguments, Failed, Trial};

use client::Transport;
use play::phrase::Cast;
use play::script::Script;
use server::Server;

/// The longest that one script may take.
const SCRIPT_S: u64 = 120;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The scripts wait for the network more than they compute.
    arguments.test_threads = arguments.test_threads.or(Some(8));
    let mut stages = Stages::default();
    let trials = match trials(&arguments, &mut stages) {
        Ok(trials) => trials,
        Err(why) => vec![Trial::test("the scripts can be read", move || {
            Err(format!("{why:#}").into())
        })],
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    // The servers stop here, before the process ends.
    drop(stages);
    conclusion.exit_code()
}

fn trials(arguments: &Arguments, stages: &mut Stages) -> Result<Vec<Trial>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut paths = Vec::new();
    find(&folder, &mut paths)?;
    paths.sort();
    let mut wanted = Vec::new();
    for path in &paths {
        let script = Arc::new(Script::load(path)?);
        let name = path.strip_prefix(&folder)?.with_extension("");
        for &transport in &script.transports {
            let name = format!("{}::{}", name.display(), transport.name());
            if is_wanted(arguments, &name) {
                wanted.push((name, Arc::clone(&script), transport));
            }
        }
    }
    anyhow::ensure!(!paths.is_empty(), "there are no scripts");
    let mut played = Vec::new();
    for (number, (name, script, transport)) in wanted.into_iter().enumerate() {
        let cast = Cast::new(&script.accounts, &format!("{number}"));
        let stage = stages.for_script(&script, &cast, number);
        played.push((name, script, transport, cast, stage));
    }
    let trials = played
        .into_iter()
        .map(|(name, script, transport, cast, stage)| {
            let differs = differs(&script);
            Trial::test(name, move || {
                run(&script, &cast, transport, &stage)
                    .map_err(|why| Failed::from(format!("{why:#}")))
            })
            .with_ignored_flag(differs)
        });
    Ok(trials.collect())
}

fn is_wanted(arguments: &Arguments, name: &str) -> bool {
    let fits = |filter: &String| {
        if arguments.exact {
            name == filter
        } else {
            name.contains(filter)
        }
    };
    arguments.filter.as_ref().is_none_or(fits) && !arguments.skip.iter().any(fits)
}

fn differs(script: &Script) -> bool {
    peer::name().is_some_and(|peer| script.differs.iter().any(|(name, _)| *name == peer))
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "play")
        {
            paths.push(path);
        }
    }
    Ok(())
}

fn run(script: &Script, cast: &Cast, transport: Transport, stage: &SharedStage) -> Result<()> {
    let server = stage.server()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let played = play::stage::play(script, cast, transport, server);
        tokio::time::timeout(Duration::from_secs(SCRIPT_S), played)
            .await
            .context("the script does not end")?
            .map_err(|why| anyhow!("{why:#}\n  the server's log ends with:\n{}", server.log()))
    })
}

/// The servers, by the configuration that the scripts ask for.
#[derive(Default)]
struct Stages {
    stages: HashMap<String, Arc<SharedStage>>,
}

/// One server, started when the first script needs it.
struct SharedStage {
    config: String,
    accounts: std::sync::Mutex<Vec<(String, String)>>,
    server: OnceLock<Result<Server, String>>,
}

impl Stages {
    fn for_script(&mut self, script: &Script, cast: &Cast, number: usize) -> Arc<SharedStage> {
        let key = if script.own_server {
            format!("# {number}\n{}", script.config)
        } else {
            script.config.clone()
        };
        let stage = self.stages.entry(key).or_insert_with(|| {
            Arc::new(SharedStage {
                config: script.config.clone(),
                accounts: std::sync::Mutex::default(),
                server: OnceLock::new(),
            })
        });
        if let Ok(mut accounts) = stage.accounts.lock() {
            accounts.extend(cast.credentials());
        }
        Arc::clone(stage)
    }
}

impl SharedStage {
    fn server(&self) -> Result<&Server> {
        let started = self.server.get_or_init(|| {
            let accounts = self.accounts.lock().map_err(|why| why.to_string())?;
            Server::start(&self.config, &accounts).map_err(|why| format!("{why:#}"))
        });
        started
            .as_ref()
            .map_err(|why| anyhow!("the server did not start: {why}"))
    }
}
