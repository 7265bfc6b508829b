//! A name server for tests: SRV records of XMPP servers (RFC 6120 §3.2.1, XEP-0368 §2) from a table,
//! and "no such domain" for everything else.
//!
//! The targets of its records are names made of numbers, `127.0.0.2`, which have an A record that says the
//! same. Whoever resolves a target by another way than this name server, as ejabberd does with the resolver
//! of the system, takes such a name for the address that it means. There are no AAAA records. Every
//! record has a TTL of 0, so that a change is seen at once.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, SRV};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `_xmpp-server`, RFC 6120 §5.
    StartTls,
    /// `_xmpps-server`, XEP-0368.
    DirectTls,
}

impl Entry {
    fn name(self, domain: &str) -> String {
        match self {
            Self::StartTls => format!("_xmpp-server._tcp.{domain}."),
            Self::DirectTls => format!("_xmpps-server._tcp.{domain}."),
        }
    }
}

/// By the name of the service; the first address has the best priority.
type Table = BTreeMap<String, Vec<SocketAddrV4>>;

/// Answers until it is dropped.
pub(crate) struct TestDns {
    address: SocketAddr,
    table: Arc<Mutex<Table>>,
    task: JoinHandle<()>,
}

impl TestDns {
    /// Listens on a free port.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no tracker, and the task ends with its owner"
    )]
    pub(crate) async fn start() -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let table = Arc::new(Mutex::new(Table::new()));
        let known = Arc::clone(&table);
        let task = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            // An asker that has gone makes the next call fail, which concerns nobody else.
            loop {
                if let Ok((bytes, asker)) = socket.recv_from(&mut buffer).await
                    && let Ok(reply) = answer(&buffer[..bytes], &known)
                {
                    let _gone = socket.send_to(&reply, asker).await;
                }
            }
        });
        Ok(Self {
            address,
            table,
            task,
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on `domain` is reached at these addresses, the first before the others.
    pub(crate) fn serves(&self, domain: &str, entry: Entry, addresses: &[SocketAddrV4]) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.insert(entry.name(domain), addresses.to_vec());
    }
}

impl Drop for TestDns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(question: &[u8], table: &Mutex<Table>) -> Result<Vec<u8>> {
    let question = Message::from_vec(question)?;
    let query = question.queries.first().context("nothing is asked")?;
    let (name, kind) = (query.name().clone(), query.query_type());
    let mut reply = question.into_response();
    reply.metadata.recursion_available = true;
    let asked = name.to_ascii().to_lowercase();
    let table = table.lock().unwrap_or_else(PoisonError::into_inner);
    let records = match asked.trim_end_matches('.').parse::<Ipv4Addr>() {
        Ok(address) => vec![(RecordType::A, RData::A(A(address)))],
        Err(_) => match table.get(&asked) {
            Some(addresses) => services(addresses)?,
            None => Vec::new(),
        },
    };
    if records.is_empty() {
        reply.metadata.response_code = ResponseCode::NXDomain;
    }
    for (_, data) in records.into_iter().filter(|(of, _)| *of == kind) {
        reply.add_answer(Record::from_rdata(name.clone(), 0, data));
    }
    Ok(reply.to_vec()?)
}

fn services(addresses: &[SocketAddrV4]) -> Result<Vec<(RecordType, RData)>> {
    let mut records = Vec::new();
    for (priority, address) in (0..).zip(addresses) {
        let target = Name::from_ascii(format!("{}.", address.ip()))?;
        let srv = SRV::new(priority, 0, address.port(), target);
        records.push((RecordType::SRV, RData::SRV(srv)));
    }
    Ok(records)
}
