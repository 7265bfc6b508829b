//! Which room may use which. `ARCHITECTURE.md` has the same table with the reasons.

use crate::nothing_found;
use crate::source::{Source, sources};

/// A room, and the rooms that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("id", &["clock"]),
    ("observe", &[]),
    ("config", &["observe"]),
    ("xml", &[]),
    ("domain", &["clock", "id"]),
    ("proto", &["clock", "xml"]),
    ("stream", &["clock", "proto", "xml"]),
    ("store", &["clock", "domain", "id", "observe", "proto"]),
    (
        "identity",
        &[
            "clock", "config", "domain", "id", "net", "proto", "store", "xml",
        ],
    ),
    (
        "hooks",
        &["clock", "config", "observe", "proto", "store", "xml"],
    ),
    ("router", &["config", "hooks", "observe", "proto", "xml"]),
    ("net", &["clock", "config", "proto"]),
    ("peer", &["hooks", "proto", "xml"]),
    (
        "component",
        &[
            "clock", "config", "hooks", "id", "net", "peer", "proto", "stream", "xml",
        ],
    ),
    (
        "s2s",
        &[
            "clock", "config", "hooks", "id", "net", "peer", "proto", "store", "stream", "xml",
        ],
    ),
    (
        "session",
        &[
            "clock", "config", "hooks", "id", "identity", "net", "observe", "proto", "router",
            "store", "stream", "xml",
        ],
    ),
    (
        "extensions",
        &[
            "admin", "clock", "config", "domain", "hooks", "id", "proto", "store", "xml",
        ],
    ),
    (
        "admin",
        &[
            "clock", "config", "domain", "hooks", "id", "observe", "proto", "store", "xml",
        ],
    ),
    (
        "contact_center",
        &[
            "admin",
            "clock",
            "config",
            "domain",
            "extensions",
            "hooks",
            "id",
            "proto",
            "store",
            "xml",
        ],
    ),
    (
        "http",
        &[
            "admin", "config", "hooks", "id", "net", "observe", "proto", "session", "store",
            "stream", "xml",
        ],
    ),
    (
        "server",
        &[
            "admin",
            "clock",
            "component",
            "config",
            "contact_center",
            "domain",
            "extensions",
            "hooks",
            "http",
            "id",
            "identity",
            "net",
            "observe",
            "proto",
            "router",
            "s2s",
            "session",
            "store",
            "stream",
            "xml",
        ],
    ),
    (
        "cli",
        &[
            "admin", "clock", "config", "domain", "identity", "net", "observe", "proto", "server",
            "store",
        ],
    ),
    (
        "demo",
        &[
            "admin", "clock", "config", "id", "observe", "peer", "proto", "server", "stream", "xml",
        ],
    ),
    ("main", &["cli", "config", "demo", "observe", "server"]),
    // Declares the rooms and uses none.
    ("lib", &[]),
];

/// Uses that the table does not allow and that stand for now: file, room, reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// Every use of another room: its place and the room.
fn uses(source: &Source) -> Vec<(String, String)> {
    let entrance = if source.room() == "main" {
        "parlour::"
    } else {
        "crate::"
    };
    let mut found = Vec::new();
    let mut before = String::new();
    let mut parts = source.code.split(entrance);
    let mut last = parts.next().unwrap_or_default();
    for part in parts {
        before.push_str(last);
        let place = source.place(&before);
        for room in named(part) {
            found.push((place.clone(), room));
        }
        before.push_str(entrance);
        last = part;
    }
    found
}

/// The first names behind `crate::`, of a group all of them.
fn named(path: &str) -> Vec<String> {
    let Some(group) = path.trim_start().strip_prefix('{') else {
        return vec![first_name(path)];
    };
    let mut depth = 1;
    let mut members = vec![String::new()];
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if letter == ',' && depth == 1 {
            members.push(String::new());
        } else if let Some(member) = members.last_mut() {
            member.push(letter);
        }
    }
    let names = members.iter().map(|member| first_name(member));
    names.filter(|name| !name.is_empty()).collect()
}

fn first_name(path: &str) -> String {
    let letters = path.trim_start().chars();
    letters
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

/// A chain of `super::` that leaves the room, which would hide a use.
fn leaves_by_super(source: &Source) -> Option<String> {
    let inside = source.path.strip_prefix("src/")?;
    let depth = inside.matches('/').count() + usize::from(!inside.ends_with("mod.rs"));
    let chain = "super::".repeat(depth);
    let (before, _) = source.code.split_once(&chain)?;
    Some(source.place(before))
}

fn not_allowed(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        let room = source.room();
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            violations.push(format!("{}: {room} is no room of the table", source.path));
            continue;
        };
        for (place, used) in uses(source) {
            let excepted = EXCEPTIONS
                .iter()
                .any(|(path, room, _)| *path == source.path && *room == used);
            if used != room && !allowed.contains(&used.as_str()) && !excepted {
                violations.push(format!("{place}: {room} may not use {used}"));
            }
        }
        if let Some(place) = leaves_by_super(source) {
            violations.push(format!("{place}: {room} is left by super::, write crate::"));
        }
    }
    violations
}

#[test]
fn a_room_uses_only_the_rooms_that_the_table_allows_it() {
    nothing_found(&not_allowed(&sources()));
}

#[test]
fn a_use_that_the_table_does_not_allow_is_found() {
    for (path, code) in [
        ("src/xml/parse.rs", "use crate::proto::Jid;"),
        ("src/router/mod.rs", "fn f() { crate::extensions::ping(); }"),
        (
            "src/stream/header.rs",
            "use crate::{proto::ns, store::{Store, x}};",
        ),
        (
            "src/domain/rights.rs",
            "fn f(it: super::super::store::Store) {}",
        ),
        ("src/cellar/mod.rs", ""),
        ("src/main.rs", "use parlour::router::Router;"),
    ] {
        let source = Source::new(path, code);
        assert_eq!(not_allowed(&[source]).len(), 1, "{path}: {code}");
    }
    let allowed = "// crate::store\nuse crate::{proto::ns, xml::{Element, parse}};\n\
                   #[cfg(test)] mod tests { use crate::store::Store; }\n\
                   const A: &str = \"crate::store\"; use super::ns;";
    let source = Source::new("src/stream/header.rs", allowed);
    assert_eq!(not_allowed(&[source]), Vec::<String>::new());
}

#[test]
fn an_exception_that_nobody_needs_any_more_is_taken_off_the_list() {
    let sources = sources();
    for (path, room, _) in EXCEPTIONS {
        let needed = sources
            .iter()
            .filter(|source| source.path == *path)
            .any(|source| uses(source).iter().any(|(_, used)| used == room));
        assert!(needed, "{path} does not use {room}");
    }
}

/// The rooms in an order in which each uses earlier ones only; those left over form a cycle.
fn in_a_cycle(rooms: &[(&str, &[&str])]) -> Vec<String> {
    let mut left: Vec<_> = rooms.to_vec();
    loop {
        let names: Vec<&str> = left.iter().map(|(name, _)| *name).collect();
        let before = left.len();
        left.retain(|(_, uses)| uses.iter().any(|used| names.contains(used)));
        if left.len() == before {
            return names.into_iter().map(str::to_owned).collect();
        }
    }
}

#[test]
fn the_rooms_allow_no_cycle() {
    assert_eq!(in_a_cycle(ROOMS), Vec::<String>::new());
    let round: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &[])];
    assert_eq!(in_a_cycle(round), ["a", "b", "c"]);
}

/// Crates that only some rooms may use: what is pure stays pure, and one room speaks SQL.
const CRATES: &[(&str, &[&str])] = &[
    ("anyhow", &["main"]),
    ("axum", &["http"]),
    ("clap", &["cli"]),
    ("hickory_resolver", &["net"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("jsonwebtoken", &["identity"]),
    ("ldap3", &["identity"]),
    ("rcgen", &["net"]),
    ("reqwest", &["identity"]),
    ("rpassword", &["cli"]),
    ("sqlx", &["store"]),
    (
        "tokio",
        &[
            "admin",
            "cli",
            "component",
            "contact_center",
            "demo",
            "extensions",
            "hooks",
            "http",
            "identity",
            "main",
            "net",
            "peer",
            "s2s",
            "server",
            "session",
            "store",
        ],
    ),
    (
        "tokio_rustls",
        &["http", "net", "peer", "s2s", "server", "session"],
    ),
    ("toml", &["config"]),
    ("x509_parser", &["net"]),
];

fn foreign_crates(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        for (name, rooms) in CRATES {
            if rooms.contains(&source.room()) {
                continue;
            }
            let mut before = String::new();
            for part in source.code.split_inclusive(&format!("{name}::")) {
                before.push_str(part);
                let Some(path) = before.strip_suffix(&format!("{name}::")) else {
                    continue;
                };
                // `crate::cli::tokio::` would be a module of ours.
                if !path.ends_with(|end: char| end.is_alphanumeric() || end == '_' || end == ':') {
                    let (place, room) = (source.place(path), source.room());
                    violations.push(format!("{place}: {room} may not use the crate {name}"));
                }
            }
        }
    }
    violations
}

#[test]
fn a_room_uses_only_the_crates_that_are_for_it() {
    nothing_found(&foreign_crates(&sources()));
    for (path, code) in [
        ("src/domain/rights.rs", "use tokio::sync::mpsc;"),
        ("src/router/mod.rs", "async fn f() -> sqlx::Result<()> {}"),
        ("src/stream/machine.rs", "fn f() -> anyhow::Result<()> {}"),
    ] {
        assert_eq!(
            foreign_crates(&[Source::new(path, code)]).len(),
            1,
            "{code}"
        );
    }
}

/// A task that waited for another's mailbox could wait for one that waits for it: to put
/// something in is no `async fn`, and only a session's own task waits for what comes.
fn waits_for_a_mailbox(sources: &[Source]) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources {
        let mut waits = match source.path.as_str() {
            "src/hooks/mailbox.rs" => vec!["async fn put("],
            "src/hooks/online.rs" => vec!["async fn deliver("],
            _ => vec![],
        };
        if !source.path.starts_with("src/session/") {
            waits.push("session.mail()");
        }
        for call in waits {
            if let Some((before, _)) = source.code.split_once(call) {
                let place = source.place(before);
                violations.push(format!("{place}: waits for a mailbox"));
            }
        }
    }
    violations
}

#[test]
fn no_task_waits_for_a_place_in_a_mailbox() {
    nothing_found(&waits_for_a_mailbox(&sources()));
    for (path, code) in [
        ("src/router/mod.rs", "session.mail().await;"),
        ("src/hooks/mailbox.rs", "async fn put(&self, mail: Mail) {}"),
    ] {
        assert_eq!(
            waits_for_a_mailbox(&[Source::new(path, code)]).len(),
            1,
            "{code}"
        );
    }
}
