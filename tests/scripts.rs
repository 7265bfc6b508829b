//! Plays the conversation scripts under `tests/scripts/` to the server, each over
//! every transport that it does not exclude.
//!
//! Every script and transport is one test: `cargo test --test scripts roster` plays
//! what has `roster` in its name. Scripts with the same configuration share one
//! server; each has accounts of its own on it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a harness of its own tells what it found"
)]

#[path = "support/client.rs"]
mod client;
#[path = "support/judge.rs"]
mod judge;
#[path = "support/login.rs"]
mod login;
#[path = "support/peer.rs"]
mod peer;
#[path = "support/play/mod.rs"]
mod play;
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its database no test can go on"
)]
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/server.rs"]
mod server;
#[path = "support/xml.rs"]
mod xml;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use libtest_mimic::{Arguments, Failed, Trial};

use client::Transport;
use play::phrase::Cast;
use play::script::Script;
use server::{Database, Server};
use xml::Node;

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
    let fits = peer::chosen() || what_was_heard_fits();
    if fits {
        conclusion.exit_code()
    } else {
        ExitCode::FAILURE
    }
}

/// What the server sent, as text and as a tree, with the first scene that heard it.
type Heard = BTreeMap<String, (Node, String)>;

static HEARD: Mutex<Heard> = Mutex::new(BTreeMap::new());

/// Whether each element that the server sent in all the scenes is as its schema has it.
fn what_was_heard_fits() -> bool {
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    if heard.is_empty() {
        return true;
    }
    match judge::complaints(&heard) {
        Ok(wrong) if wrong.is_empty() => {
            println!(
                "{} different elements are as their schemas have them",
                heard.len()
            );
            true
        }
        Ok(wrong) => {
            let (count, wrong) = (wrong.len(), wrong.join("\n  "));
            eprintln!("not as the schemas have it, {count}:\n  {wrong}");
            false
        }
        Err(why) => {
            eprintln!("what was heard cannot be judged: {why:#}");
            false
        }
    }
}

fn trials(arguments: &Arguments, stages: &mut Stages) -> Result<Vec<Trial>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let mut paths = Vec::new();
    find(&folder, &mut paths)?;
    paths.sort();
    anyhow::ensure!(!paths.is_empty(), "there are no scripts");
    let mut scenes = Vec::new();
    for path in &paths {
        let script = Arc::new(Script::load(path)?);
        let name = path.strip_prefix(&folder)?.with_extension("");
        scenes.extend(scenes_of(&script, &name.display().to_string())?);
    }
    scenes.retain(|scene| is_wanted(arguments, &scene.name));
    let mut trials = Vec::new();
    for (number, scene) in scenes.into_iter().enumerate() {
        let cast = Cast::new(&scene.script, &format!("{number}"));
        let stage = stages.for_scene(&scene, &cast, number);
        let differs = differs(&scene.script);
        let trial = Trial::test(scene.name.clone(), move || {
            run(&scene, &cast, &stage).map_err(|why| Failed::from(format!("{why:#}")))
        });
        trials.push(trial.with_ignored_flag(differs));
    }
    Ok(trials)
}

/// A script with the ways it is played: one test.
struct Scene {
    name: String,
    script: Arc<Script>,
    transport: Transport,
    database: Database,
}

/// Every transport on the default database, and the first transport on the others: what the
/// database does cannot depend on how the client is connected.
fn scenes_of(script: &Arc<Script>, name: &str) -> Result<Vec<Scene>> {
    let usual = match std::env::var("PARLOUR_TEST_DATABASE") {
        Ok(name) => name.parse()?,
        Err(_) => Database::Sqlite,
    };
    let scene = |transport: Transport, database: Database, suffix: &str| Scene {
        name: format!("{name}::{}{suffix}", transport.name()),
        script: Arc::clone(script),
        transport,
        database,
    };
    let mut scenes: Vec<Scene> = script
        .transports
        .iter()
        .filter(|transport| !peer::chosen() || transport.is_a_stream())
        .map(|&transport| scene(transport, usual, ""))
        .collect();
    let others = script
        .databases
        .iter()
        .filter(|database| **database != usual);
    for (&database, &transport) in others.zip(script.transports.first()) {
        scenes.push(scene(
            transport,
            database,
            &format!("::{}", database.name()),
        ));
    }
    Ok(scenes)
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

fn run(scene: &Scene, cast: &Cast, stage: &SharedStage) -> Result<()> {
    let server = stage.server()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut heard = Vec::new();
    let outcome = runtime.block_on(async {
        let played = play::stage::play(&scene.script, cast, scene.transport, server, &mut heard);
        let played = Box::pin(played);
        tokio::time::timeout(Duration::from_secs(SCRIPT_S), played)
            .await
            .context("the script does not end")?
            .map_err(|why| anyhow!("{why:#}\n  the server's log ends with:\n{}", server.log()))
    });
    let mut all = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    for node in heard {
        let (text, name) = (node.to_string(), || scene.name.clone());
        all.entry(text).or_insert_with(|| (node, name()));
    }
    drop(all);
    outcome
}

/// The servers, by the configuration and the database that the scripts ask for; a script that
/// restarts its server has one for itself.
#[derive(Default)]
struct Stages {
    stages: HashMap<(String, Database, Option<usize>), Arc<SharedStage>>,
}

/// One server, started when the first script needs it.
struct SharedStage {
    config: String,
    database: Database,
    accounts: Mutex<Vec<(String, String)>>,
    server: OnceLock<Result<Server, String>>,
}

impl Stages {
    fn for_scene(&mut self, scene: &Scene, cast: &Cast, number: usize) -> Arc<SharedStage> {
        let config = &scene.script.config;
        let alone = scene.script.own_server.then_some(number);
        let stage = self
            .stages
            .entry((config.clone(), scene.database, alone))
            .or_insert_with(|| {
                Arc::new(SharedStage {
                    config: config.clone(),
                    database: scene.database,
                    accounts: Mutex::default(),
                    server: OnceLock::new(),
                })
            });
        let mut accounts = stage
            .accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        accounts.extend(cast.credentials());
        drop(accounts);
        Arc::clone(stage)
    }
}

impl SharedStage {
    fn server(&self) -> Result<&Server> {
        let started = self.server.get_or_init(|| {
            let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            Server::start(&self.config, &accounts, self.database).map_err(|why| format!("{why:#}"))
        });
        started
            .as_ref()
            .map_err(|why| anyhow!("the server did not start: {why}"))
    }
}
