//! Load generator for XMPP servers: logins, idle sessions, chat, presence, agents, rooms, archives, notes, and the floor.
//!
//! It speaks raw XMPP over sockets, shares no code with the server it measures, and refuses
//! every address outside 127.0.0.0/8. It reports what the server's processes used, not what it
//! used itself. `benches/README.md` explains the method; `benches/compare` runs everything.

mod agents;
mod archive;
mod chat;
mod idle;
mod logins;
mod notes;
mod presence;
mod process;
mod ratios;
mod relay;
mod report;
mod room;
mod scan;
mod scram;
mod session;
mod target;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::report::Record;

#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    /// Threads of this program; one leaves the rest of the machine to the server.
    #[arg(long, global = true, default_value_t = 1)]
    threads: usize,
    /// Append the result to this file, as a line of JSON.
    #[arg(long, global = true)]
    json: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Log in and out: server CPU per login, logins per second, latency.
    Logins(logins::Options),
    /// Hold sessions that do nothing: resident memory per session.
    Idle(idle::Options),
    /// Chat between pairs: server CPU per delivered message, latency, order.
    Chat(chat::Options),
    /// Presence changes among contacts: server CPU per delivery.
    Presence(presence::Options),
    /// Agents who change their state: server CPU per delivery, beside that of plain presence.
    Agents(agents::Options),
    /// A room: server CPU per join and per delivery.
    Room(room::Options),
    /// The archive: server CPU per message written and per message fetched in pages.
    Archive(archive::Options),
    /// Notes about one customer: server CPU per note written, and per page of lists, searches and the history.
    Notes(notes::Options),
    /// The floor: a server that hands on bytes between the two connections of a pair and reads none of them.
    Relay(relay::Options),
    /// Compare the servers in a file of results.
    Ratios(ratios::Options),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads.max(1))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let records: Vec<Record> = match arguments.command {
            Command::Logins(options) => vec![logins::run(options).await?],
            Command::Idle(options) => vec![idle::run(options).await?],
            Command::Chat(options) => vec![chat::run(options).await?],
            Command::Presence(options) => vec![presence::run(options).await?],
            Command::Agents(options) => agents::run(options).await?,
            Command::Room(options) => room::run(options).await?,
            Command::Archive(options) => archive::run(options).await?,
            Command::Notes(options) => notes::run(options).await?,
            Command::Relay(options) => {
                relay::run(options).await?;
                Vec::new()
            }
            Command::Ratios(options) => {
                ratios::print(&options)?;
                Vec::new()
            }
        };
        for record in records {
            record.print();
            if let Some(path) = &arguments.json {
                record.append(path)?;
            }
        }
        Ok(())
    })
}
