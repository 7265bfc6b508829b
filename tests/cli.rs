//! The program as operators and their scripts use it: exit codes, standard error, JSON, and the same
//! answers whether the server runs or not.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

struct Office {
    folder: TempDir,
}

impl Office {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let config = format!(
            "data_dir = {:?}\n[[host]]\ndomain = 'localhost'\n\
             [listen]\nc2s = ['127.0.0.1:0']\nc2s_direct_tls = []\nhttp = []\nhttps = []\n\
             [auth]\nscram_iterations = 4096\n",
            folder.path().join("data")
        );
        std::fs::write(folder.path().join("parlour.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlour"));
        command
            .arg("--config")
            .arg(self.path().join("parlour.toml"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str]) -> (i32, String, String) {
        told(self.command(words).output().unwrap())
    }

    fn json(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let (code, out, err) = self.run(&words);
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    }

    /// The running server; returns when it listens.
    fn serve(&self) -> Server {
        let mut child = self.command(&[]).stderr(Stdio::null()).spawn().unwrap();
        let listeners = self.path().join("data/listeners");
        while !listeners.exists() {
            assert!(child.try_wait().unwrap().is_none(), "the server has ended");
            std::thread::yield_now();
        }
        Server(child)
    }
}

struct Server(Child);

impl Server {
    /// As an operator ends it; returns its exit code.
    fn stop(mut self) -> i32 {
        let pid = self.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.0.wait().unwrap().code().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn exit_codes_tell_refusals_from_misunderstandings() {
    let office = Office::new();
    for (words, code, says) in [
        (
            &["account", "add", "ann@localhost", "--password", "p"][..],
            0,
            "",
        ),
        (
            &["account", "add", "ann@localhost", "--password", "p"],
            1,
            "already",
        ),
        (
            &["account", "add", "ann", "--password", "p"],
            2,
            "did you mean ann@localhost?",
        ),
        (&["account", "add", "ann"], 2, "did you mean ann@localhost?"),
        (
            &["account", "add", "ann@else.where", "--password", "p"],
            2,
            "the hosts are: localhost",
        ),
        (
            &["account", "add", "bob@localhost"],
            2,
            "use --password-stdin",
        ),
        (
            &[
                "account",
                "add",
                "bob@localhost",
                "--role",
                "boss",
                "--password",
                "p",
            ],
            2,
            "the roles are",
        ),
        (&["account", "add"], 2, "required"),
        (&["account", "destroy"], 2, "destroy"),
        (
            &["account", "remove", "eve@localhost"],
            1,
            "no account eve@localhost",
        ),
        (&["account", "import", "no-such-file"], 1, "no-such-file"),
        (&["session", "list"], 1, "not running"),
        (&["session", "end", "ann@localhost/x"], 1, "not running"),
        (&["--no-such-option"], 2, "no-such-option"),
    ] {
        let (found, out, err) = office.run(words);
        assert_eq!(found, code, "{words:?}: {err}");
        assert!(err.contains(says), "{words:?}: {err}");
        assert_eq!(out.is_empty(), code != 0, "{words:?}: {out}");
    }
    let (code, out, _) = office.run(&["--help"]);
    assert_eq!(code, 0);
    assert!(out.contains("Exit codes"));
}

#[test]
fn refusals_are_json_too() {
    let office = Office::new();
    let (code, out, err) = office.run(&["account", "disable", "eve@localhost", "--json"]);
    assert_eq!((code, out.as_str()), (1, ""));
    let told: Value = serde_json::from_str(&err).unwrap();
    assert_eq!(told["error"]["kind"], "not-found");
}

#[test]
fn a_password_may_come_from_standard_input_and_a_table_too() {
    let office = Office::new();
    for (words, input) in [
        (
            &["account", "add", "ann@localhost", "--password-stdin"][..],
            "geheim\nmore\n",
        ),
        (
            &["account", "import", "-"],
            "jid,password\nbob@localhost,p\n",
        ),
    ] {
        let mut child = office.command(words).stdin(Stdio::piped()).spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let (code, _, err) = told(child.wait_with_output().unwrap());
        assert_eq!(code, 0, "{err}");
    }
    let listed = office.json(&["account", "list"]);
    assert_eq!(listed["accounts"][0]["jid"], "ann@localhost");
    assert_eq!(listed["accounts"][1]["jid"], "bob@localhost");
    assert_eq!(listed["accounts"][0]["sessions"], Value::Null);
}

#[test]
fn with_the_server_running_commands_act_in_it() {
    let office = Office::new();
    let (code, _, err) = office.run(&["account", "add", "ann@localhost", "--password", "p"]);
    assert_eq!(code, 0, "{err}");
    let server = office.serve();

    // A number, where the database alone could not tell.
    let listed = office.json(&["account", "list"]);
    assert_eq!(listed["accounts"][0]["sessions"], 0);
    assert_eq!(office.json(&["session", "list"])["total"], 0);
    let (code, _, err) = office.run(&["session", "end", "ann@localhost"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("there is no session of ann@localhost"),
        "{err}"
    );
    assert_eq!(
        office.json(&["account", "remove", "ann@localhost"])["jid"],
        "ann@localhost"
    );

    let (code, _, err) = office.run(&["serve"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("another parlour serves this data_dir"),
        "{err}"
    );
    assert_eq!(server.stop(), 0);
    assert!(!office.path().join("data/control.sock").exists());
    let (code, _, _) = office.run(&["session", "list"]);
    assert_eq!(code, 1);
}

#[test]
fn what_is_typed_goes_into_the_audit_trail_with_or_without_a_server() {
    let office = Office::new();
    let (code, _, err) = office.run(&["account", "add", "ann@localhost", "--password", "hunter2"]);
    assert_eq!(code, 0);
    assert!(
        err.contains("there was no database") && err.contains("parlour.db"),
        "{err}"
    );
    let server = office.serve();
    let (code, _, err) = office.run(&["account", "disable", "ann@localhost", "eve@localhost"]);
    assert_eq!(code, 1);
    assert!(
        err.contains("ann@localhost is disabled") && err.contains("eve"),
        "{err}"
    );
    let trail = office.json(&["audit", "list"]);
    let entries = trail["entries"].as_array().unwrap();
    assert!(!trail.to_string().contains("hunter2"));
    let shown: Vec<_> = entries
        .iter()
        .map(|it| {
            (
                it["operation"].as_str().unwrap(),
                it["target"].as_str().unwrap(),
                &it["done"],
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("account disable", "eve@localhost", &Value::Bool(false)),
            ("account disable", "ann@localhost", &Value::Bool(true)),
            ("account add", "ann@localhost", &Value::Bool(true)),
        ]
    );
    for entry in entries {
        assert_eq!(entry["actor"], "command line");
        assert!(
            entry["origin"].as_str().unwrap().starts_with("uid "),
            "{entry}"
        );
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_reload_follows_what_it_can_and_names_the_rest() {
    let office = Office::new();
    let server = office.serve();
    let file = office.path().join("parlour.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let nothing = office.json(&["server", "reload"]);
    assert_eq!(
        nothing["followed"].as_array().unwrap().len(),
        0,
        "{nothing}"
    );
    assert_eq!(nothing["restart"].as_array().unwrap().len(), 0, "{nothing}");

    std::fs::write(&file, format!("{text}[log]\nlevel = 'loud'\n")).unwrap();
    let (code, _, err) = office.run(&["server", "reload"]);
    assert_eq!(code, 1);
    assert!(err.contains("[log] level"), "{err}");

    let changed = text.replace("scram_iterations = 4096", "scram_iterations = 5000");
    std::fs::write(&file, format!("{changed}[log]\nlevel = 'warn'\n")).unwrap();
    let reloaded = office.json(&["server", "reload"]);
    assert_eq!(reloaded["followed"], serde_json::json!(["log.level"]));
    assert_eq!(
        reloaded["restart"],
        serde_json::json!(["auth.scram_iterations"])
    );
    assert_eq!(office.json(&["log", "show"])["level"], "warn");
    assert_eq!(office.json(&["log", "set", "error"])["level"], "error");
    assert_eq!(office.json(&["log", "show"])["level"], "error");
    let certificates = office.json(&["certificate", "list"]);
    assert_eq!(certificates["certificates"][0]["hosts"][0], "localhost");
    assert!(
        certificates["certificates"][0]["days_left"]
            .as_i64()
            .unwrap()
            > 0
    );
    assert_eq!(server.stop(), 0);
}

#[test]
fn an_administrator_restarts_the_server_and_shuts_it_down() {
    let office = Office::new();
    let mut server = office.serve();
    let started = office.json(&["server", "status"])["started_at"].clone();
    let listeners = office.path().join("data/listeners");
    let delayed = office.json(&["server", "shutdown", "--delay", "3600"]);
    assert_eq!(delayed["delay_seconds"], 3600);
    // The later word counts.
    office.json(&["server", "restart"]);
    // The same process ends serving, and serves again.
    loop {
        assert!(
            server.0.try_wait().unwrap().is_none(),
            "the server has ended"
        );
        let (code, out, _) = office.run(&["server", "status", "--json"]);
        let again = (code == 0).then(|| serde_json::from_str::<Value>(&out).unwrap());
        match again {
            Some(status) if status["started_at"] != started && listeners.exists() => break,
            Some(_) | None => std::thread::yield_now(),
        }
    }
    office.json(&["server", "shutdown"]);
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
}

#[test]
fn check_looks_and_changes_nothing() {
    let office = Office::new();
    let report = office.json(&["check"]);
    assert_eq!(report["good"], true, "{report}");
    assert!(!office.path().join("data").exists());

    // Below what is no folder, none can be made.
    let file = office.path().join("parlour.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let below_a_file = office.path().join("parlour.toml/data");
    std::fs::write(
        &file,
        text.replace(
            office.path().join("data").to_str().unwrap(),
            below_a_file.to_str().unwrap(),
        ),
    )
    .unwrap();
    let (code, out, _) = office.run(&["check"]);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("cannot be made") || out.contains("Not a directory"),
        "{out}"
    );
    std::fs::write(&file, text).unwrap();

    let version = office.json(&["migrate"]);
    assert_eq!(version["database"], "SQLite");
    let (code, out, _) = office.run(&["check"]);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains(&format!("the tables are at version {}", version["version"])),
        "{out}"
    );

    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let file = office.path().join("parlour.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let port = held.local_addr().unwrap().port();
    std::fs::write(
        &file,
        text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")),
    )
    .unwrap();
    let (code, out, _) = office.run(&["check"]);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("is held by another program") && out.contains("-> find it"),
        "{out}"
    );
}

#[test]
fn mistakes_in_the_configuration_are_all_told_by_check() {
    let office = Office::new();
    std::fs::write(
        office.path().join("parlour.toml"),
        "data_dri = 'x'\n[c2s]\nrequire_tls = 3\n",
    )
    .unwrap();
    let (code, out, _) = office.run(&["check"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("data_dri") && out.contains("require_tls"),
        "{out}"
    );
    let (code, _, err) = office.run(&["account", "list"]);
    assert_eq!(code, 1);
    assert!(err.contains("data_dri"), "{err}");
}

#[test]
fn the_reference_of_the_configuration_is_a_configuration() {
    let office = Office::new();
    let (code, reference, _) = office.run(&["config"]);
    assert_eq!(code, 0);
    std::fs::write(office.path().join("parlour.toml"), reference).unwrap();
    let (_, out, _) = office.run(&["check"]);
    assert!(out.contains("configuration  understood"), "{out}");
}
