//! The program `parlour`: arguments to a configuration, the configuration to a server or an
//! answer. The only place that prints.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;
use parlour::cli::{self, Act, Answer, Invocation};
use parlour::demo::Demo;
use parlour::server::Ending;
use parlour::{observe, server};

#[tokio::main]
async fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os()) {
        Ok(invocation) => invocation,
        // Prints help and complaints where they belong, and exits with 0 or 2.
        Err(told) => told.exit(),
    };
    match invocation.act {
        Act::Serve => match Box::pin(serve(&invocation)).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("parlour: {error:#}"));
                ExitCode::FAILURE
            }
        },
        Act::Demo { keep } => match Box::pin(demo(keep)).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                complain(&format!("parlour: {error:#}"));
                ExitCode::FAILURE
            }
        },
        Act::Check
        | Act::Config
        | Act::Migrate
        | Act::Move(..)
        | Act::Backup(_)
        | Act::Restore(_)
        | Act::Export { .. }
        | Act::Import { .. }
        | Act::Disclose(..)
        | Act::Operation(..) => match Box::pin(cli::run(&invocation)).await {
            Ok(Answer {
                text,
                note,
                success,
            }) => {
                print(&text);
                if let Some(note) = note {
                    complain(&format!("parlour: {note}"));
                }
                if success {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                }
            }
            Err(error) => {
                complain(&if invocation.json {
                    let told =
                        serde_json::json!({ "kind": error.kind(), "text": error.to_string() });
                    serde_json::json!({ "error": told }).to_string()
                } else {
                    format!("parlour: {error}")
                });
                ExitCode::from(error.exit_code())
            }
        },
    }
}

async fn serve(invocation: &Invocation) -> anyhow::Result<()> {
    // Asked before the file may be replaced by another version.
    let program = std::env::current_exe();
    let config = cli::load(invocation)?;
    let log = observe::start(&config.log.level, config.log.format).context("log")?;
    let origin = server::Origin {
        load: cli::load_from,
        file: invocation.config.clone(),
        log: Some(log),
    };
    match Box::pin(server::run(config, origin)).await? {
        Ending::Stop => Ok(()),
        Ending::Restart => {
            let arguments = std::env::args_os().skip(1);
            // The same process, so that whoever watches it sees no end.
            let failed = Command::new(program?).args(arguments).exec();
            Err(failed).context("starting again")
        }
    }
}

async fn demo(keep: Option<PathBuf>) -> anyhow::Result<()> {
    let demo = Box::pin(Demo::prepare(keep)).await?;
    let log = &demo.config.log;
    let log = observe::start(&log.level, log.format).context("log")?;
    Ok(Box::pin(demo.serve(log, print)).await?)
}

/// A reader that is gone (`parlour config | head`) is no failure.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[expect(
    clippy::print_stderr,
    reason = "complaints of commands are for whoever typed them"
)]
fn complain(text: &str) {
    eprintln!("{text}");
}
