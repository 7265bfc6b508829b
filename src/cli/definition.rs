//! What can be typed: the words of the command line and their meaning.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::admin::{self, Argument, Count, Given, Kind, Need, Operation};

/// What was typed, understood.
#[derive(Debug)]
pub struct Invocation {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--json`.
    pub json: bool,
    /// What shall be done.
    pub act: Act,
}

/// What shall be done.
#[derive(Debug)]
pub enum Act {
    /// Serve until a signal; also without any word.
    Serve,
    /// Serve a contact center to walk through, in that folder or in one that goes afterwards.
    Demo {
        /// The folder that stays.
        keep: Option<PathBuf>,
    },
    /// Look whether the server can do its work.
    Check,
    /// Print the reference of the configuration.
    Config,
    /// Bring the database to this version.
    Migrate,
    /// Copy everything from one database to another: their URLs.
    Move(String, String),
    /// Make a backup in that folder.
    Backup(PathBuf),
    /// Read the backup in that folder.
    Restore(PathBuf),
    /// Write accounts in the format of XEP-0227.
    Export {
        /// Where to.
        file: PathBuf,
        /// Of that host only.
        host: Option<String>,
        /// Those only.
        jids: Vec<String>,
    },
    /// Read accounts in the format of XEP-0227.
    Import {
        /// From where.
        files: Vec<PathBuf>,
        /// Only tell what would be done.
        dry_run: bool,
    },
    /// Write all that is kept of a customer into that folder.
    Disclose(&'static Operation, Given, PathBuf),
    /// An operation; the source of a password that is not among the arguments.
    Operation(&'static Operation, Given, PasswordSource),
}

/// Where a password comes from that was not given as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// A line of standard input.
    Stdin,
    /// Whoever sits at the terminal is asked.
    Prompt,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, or all is well; 1 refused or failed, or something is wrong; 2 the command was \
not understood. Errors go to standard error.\n\n\
With the server running, operations act through its control socket in data_dir, else on the database.";

/// Understands the arguments of the process.
///
/// # Errors
/// What to print and with which exit code: a complaint, help, or the version.
pub fn parse<I, T>(arguments: I) -> Result<Invocation, clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<std::ffi::OsString> + Clone,
{
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    let act = match matches.subcommand() {
        None | Some(("serve", _)) => Some(Act::Serve),
        Some(("demo", inner)) => Some(Act::Demo {
            keep: inner.get_one("keep").cloned(),
        }),
        Some(("check", _)) => Some(Act::Check),
        Some(("config", _)) => Some(Act::Config),
        Some(("migrate", inner)) => Some(match (inner.get_one("from"), inner.get_one("to")) {
            (Some(from), Some(to)) => Act::Move(String::clone(from), String::clone(to)),
            _ => Act::Migrate,
        }),
        Some(("backup", inner)) => inner.get_one("folder").cloned().map(Act::Backup),
        Some(("restore", inner)) => inner.get_one("folder").cloned().map(Act::Restore),
        Some(("export", inner)) => inner.get_one::<PathBuf>("file").map(|file| Act::Export {
            file: file.clone(),
            host: inner.get_one::<String>("host").cloned(),
            jids: inner.get_many("jid").unwrap_or_default().cloned().collect(),
        }),
        Some(("import", inner)) => Some(Act::Import {
            files: inner
                .get_many("file")
                .unwrap_or_default()
                .cloned()
                .collect(),
            dry_run: inner.get_flag("dry-run"),
        }),
        Some((group, inner)) => inner.subcommand().and_then(|(act, matches)| {
            let operation = admin::find(&format!("{group} {act}"))?;
            let (given, password) = given(operation, matches);
            let into = (operation.name == super::disclosing::OPERATION)
                .then(|| matches.get_one::<PathBuf>(INTO).cloned());
            Some(match into.flatten() {
                Some(folder) => Act::Disclose(operation, given, folder),
                None => Act::Operation(operation, given, password),
            })
        }),
    };
    if matches!(act, Some(Act::Demo { .. })) && matches.get_one::<PathBuf>("config").is_some() {
        let text = "the demonstration has a configuration of its own, in its folder";
        return Err(command.error(ErrorKind::ArgumentConflict, text));
    }
    // The option is global, and clap carries it up and down.
    match act {
        Some(act) => Ok(Invocation {
            config: matches.get_one::<PathBuf>("config").cloned(),
            json: matches.get_flag("json"),
            act,
        }),
        None => Err(command.error(ErrorKind::InvalidSubcommand, "no such command")),
    }
}

fn command() -> Command {
    let mut command = Command::new("parlour")
        .version(env!("CARGO_PKG_VERSION"))
        .about("An XMPP server for contact centers. Without a command it serves.")
        .after_help(EXIT_CODES)
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .global(true)
                .value_parser(value_parser!(PathBuf))
                .help("The configuration [default: ./parlour.toml, else /etc/parlour/parlour.toml, else none]"),
        )
        .arg(
            Arg::new("json")
                .long("json")
                .global(true)
                .action(ArgAction::SetTrue)
                .help("Answer in JSON"),
        )
        .subcommand(Command::new("serve").about("Serves until SIGTERM or Ctrl-C."))
        .subcommand(
            Command::new("demo")
                .about("Serves a contact center with sample agents, customers and telephones on this machine, and tells what to try.")
                .arg(
                    Arg::new("keep")
                        .long("keep")
                        .value_name("FOLDER")
                        .value_parser(value_parser!(PathBuf))
                        .help("Keep everything in this folder, and go on with what is there"),
                ),
        )
        .subcommand(Command::new("check").about(
            "Looks at configuration, certificates, ports, database and DNS, and names the fix of what is wrong.",
        ))
        .subcommand(
            Command::new("config").about("Prints every key of the configuration with its meaning and default."),
        )
        .subcommand(
            Command::new("migrate")
                .about("Brings the tables of the database to this version; with --from and --to, copies everything into another, empty database.")
                .arg(database("from", "to").help("Copy from this database: sqlite:data/parlour.db"))
                .arg(database("to", "from").help("Copy into this one: postgres://user@host/database")),
        )
        .subcommand(
            Command::new("backup")
                .about("Copies all that the server keeps into a folder, also while it runs.")
                .arg(folder("Where to; it is made")),
        )
        .subcommand(
            Command::new("restore")
                .about("Reads a backup into the database of the configuration, which has to be empty, and into data_dir.")
                .arg(folder("What `parlour backup` has made")),
        )
        .subcommands(exchange());
    for (group, about) in admin::GROUPS.iter().copied() {
        let operations = admin::operations().filter(|operation| operation.group() == group);
        command = command.subcommand(
            Command::new(group)
                .about(about)
                .subcommand_required(true)
                .arg_required_else_help(true)
                .subcommands(operations.map(operation)),
        );
    }
    command
}

/// Accounts from and to other servers.
fn exchange() -> [Command; 2] {
    [
        Command::new("export")
            .about("Writes accounts with what they have in the format that servers exchange (XEP-0227), also while the server runs.")
            .arg(file("Where to; it is made").required(true))
            .arg(Arg::new("host").long("host").value_name("HOST").help("Only the accounts of this host"))
            .arg(
                Arg::new("jid")
                    .value_name("JID")
                    .action(ArgAction::Append)
                    .num_args(0..)
                    .conflicts_with("host")
                    .help("Only these accounts"),
            ),
        Command::new("import")
            .about("Makes the accounts of files in that format, as ejabberd and Prosody write it. The server has to be stopped; accounts that are there stay as they are.")
            .arg(
                file("The files, each with what it includes")
                    .required(true)
                    .action(ArgAction::Append)
                    .num_args(1..),
            )
            .arg(
                Arg::new("dry-run")
                    .long("dry-run")
                    .action(ArgAction::SetTrue)
                    .help("Only tell what would be done"),
            ),
    ]
}

fn database(name: &'static str, other: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("URL").requires(other)
}

fn folder(about: &'static str) -> Arg {
    let folder = Arg::new("folder").value_name("FOLDER").required(true);
    folder.value_parser(value_parser!(PathBuf)).help(about)
}

fn file(about: &'static str) -> Arg {
    let file = Arg::new("file").value_name("FILE");
    file.value_parser(value_parser!(PathBuf)).help(about)
}

fn operation(operation: &'static Operation) -> Command {
    let mut command = Command::new(operation.act()).about(operation.about);
    for argument in operation.arguments {
        command = command.arg(arg(argument));
        if argument.kind == Kind::Password {
            command = command.arg(
                Arg::new(STDIN)
                    .long(STDIN)
                    .action(ArgAction::SetTrue)
                    .conflicts_with(argument.name)
                    .help("Read the password from the first line of standard input"),
            );
        }
    }
    if operation.name == super::disclosing::OPERATION {
        command = command.arg(
            Arg::new(INTO)
                .long(INTO)
                .value_name("FOLDER")
                .value_parser(value_parser!(PathBuf))
                .help("Write all of it into this folder, which is made, with the files"),
        );
    }
    command
}

const STDIN: &str = "password-stdin";
const INTO: &str = "into";

/// What must be given stands at its place, the rest are options; a password is asked for.
fn arg(argument: &'static Argument) -> Arg {
    let arg = Arg::new(argument.name).help(argument.about);
    match (argument.kind, argument.need) {
        (Kind::Flag, _) => arg.long(argument.name).action(ArgAction::SetTrue),
        (Kind::Password, _) => arg
            .long(argument.name)
            .value_name("PASSWORD")
            .allow_hyphen_values(true)
            .help(format!(
                "{}; others on this machine may see it",
                argument.about
            )),
        // Words of a list are few; where they may be left out, it is said what they are.
        (Kind::Choice(words), Need::Optional) if argument.count != Count::One => arg
            .long(argument.name)
            .num_args(1..)
            .value_name(placeholder(argument.kind))
            .help(format!("{}: {}", argument.about, words.join(", "))),
        // A list may be empty.
        (kind, need) if argument.count != Count::One => arg
            .required(need == Need::Required)
            .num_args(if need == Need::Required { 1.. } else { 0.. })
            .value_name(placeholder(kind)),
        (kind, Need::Required) => arg.required(true).value_name(placeholder(kind)),
        (Kind::Choice(words), Need::Optional) => arg
            .long(argument.name)
            .value_name(placeholder(argument.kind))
            .help(format!("{}: {}", argument.about, words.join(", "))),
        (kind, Need::Optional) => arg.long(argument.name).value_name(placeholder(kind)),
    }
}

const fn placeholder(kind: Kind) -> &'static str {
    match kind {
        Kind::Account => "JID",
        Kind::Session => "JID[/RESOURCE]",
        Kind::Host => "HOST",
        Kind::Password => "PASSWORD",
        Kind::Role => "ROLE",
        Kind::Right => "RIGHT",
        Kind::Name => "NAME",
        Kind::Address => "JID|DOMAIN",
        Kind::Room => "ROOM",
        Kind::Text => "TEXT",
        Kind::Number { .. } => "NUMBER",
        Kind::Choice(_) => "WORD",
        Kind::Time => "TIME",
        Kind::LogFilter => "LEVEL",
        Kind::Table => "FILE",
        Kind::Flag => "",
    }
}

fn given(operation: &Operation, matches: &ArgMatches) -> (Given, PasswordSource) {
    let mut given = Given::new();
    let mut password = PasswordSource::Prompt;
    for argument in operation.arguments {
        let text = match argument.kind {
            Kind::Flag => matches.get_flag(argument.name).then(|| "true".to_owned()),
            _ => matches.get_many::<String>(argument.name).map(|values| {
                let values: Vec<&str> = values.map(String::as_str).collect();
                values.join("\n")
            }),
        };
        if argument.kind == Kind::Password && matches.get_flag(STDIN) {
            password = PasswordSource::Stdin;
        }
        given.extend(text.map(|text| (argument.name.to_owned(), text)));
    }
    (given, password)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        command().debug_assert();
    }

    #[test]
    fn every_operation_can_be_typed() {
        for operation in admin::operations() {
            let mut line = vec!["parlour", operation.group(), operation.act()];
            let positional = operation.arguments.iter().filter(|argument| {
                argument.need == Need::Required && argument.kind != Kind::Password
            });
            line.extend(positional.map(|_| "x"));
            let typed = parse(line).unwrap();
            assert!(
                matches!(typed.act, Act::Operation(found, _, PasswordSource::Prompt) if found.name == operation.name)
            );
        }
    }

    #[test]
    fn what_is_disclosed_can_go_into_a_folder() {
        let typed = parse(["parlour", "customer", "disclose", "c1", "--into", "x"]).unwrap();
        assert!(matches!(typed.act, Act::Disclose(_, _, folder) if folder == Path::new("x")));
        let refused = parse(["parlour", "customer", "erase", "c1", "--into", "x"]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::UnknownArgument);
    }

    #[test]
    fn a_demonstration_has_a_configuration_of_its_own() {
        let typed = parse(["parlour", "demo", "--keep", "x"]).unwrap();
        assert!(matches!(typed.act, Act::Demo { keep: Some(folder) } if folder == Path::new("x")));
        let typed = parse(["parlour", "demo"]).unwrap();
        assert!(matches!(typed.act, Act::Demo { keep: None }));
        let refused = parse(["parlour", "demo", "--config", "x.toml"]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn without_a_word_it_serves() {
        let typed = parse(["parlour", "--config", "x.toml"]).unwrap();
        assert!(matches!(typed.act, Act::Serve));
        assert_eq!(typed.config, Some(PathBuf::from("x.toml")));
        let typed = parse(["parlour", "account", "list", "--json", "--config", "x.toml"]).unwrap();
        assert!(typed.json && typed.config.is_some());
    }
}
