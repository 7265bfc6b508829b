//! The floor: hands on the bytes of one connection of a pair to the other and reads none of them.
//!
//! What the chat load costs here is what the runtime, the sockets and, with a certificate, TLS cost alone.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::io::{AsyncReadExt, copy_bidirectional_with_sizes};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::session::Wire;
use crate::target::refuse_foreign;

#[derive(Args)]
pub(crate) struct Options {
    /// Where to listen, in 127.0.0.0/8.
    #[arg(long)]
    listen: SocketAddr,
    /// Certificate in PEM: TLS from the first byte.
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key in PEM.
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
}

/// What a connection sends first: the number of its pair, in as many bytes as the relay waits for.
pub(crate) fn hello(pair: usize) -> [u8; 8] {
    (pair as u64).to_be_bytes()
}

type Hello = ([u8; 8], Box<dyn Wire>);

/// Serves until the process is ended.
pub(crate) async fn run(options: Options) -> Result<()> {
    refuse_foreign(options.listen)?;
    let tls = acceptor(&options)?;
    let listener = TcpListener::bind(options.listen).await.context("listen")?;
    let (arrived, mut arrivals) = mpsc::channel::<Hello>(WAITING_MAX);
    tokio::spawn(async move {
        let mut waiting: HashMap<[u8; 8], Box<dyn Wire>> = HashMap::new();
        while let Some((pair, mut wire)) = arrivals.recv().await {
            if let Some(mut other) = waiting.remove(&pair) {
                tokio::spawn(async move {
                    // One side closes in the end; how is of no interest.
                    let _ = copy_bidirectional_with_sizes(
                        &mut wire,
                        &mut other,
                        BUFFER_BYTES,
                        BUFFER_BYTES,
                    )
                    .await;
                });
            } else if waiting.len() < WAITING_MAX {
                waiting.insert(pair, wire);
            }
        }
    });
    loop {
        let (stream, _) = listener.accept().await.context("accept")?;
        stream.set_nodelay(true)?;
        let (arrived, tls) = (arrived.clone(), tls.clone());
        tokio::spawn(async move {
            if let Ok(Ok(hello)) = timeout(HELLO_TIME_MAX, greet(stream, tls)).await {
                let _ = arrived.send(hello).await;
            }
        });
    }
}

async fn greet(stream: TcpStream, tls: Option<TlsAcceptor>) -> Result<Hello> {
    let mut wire: Box<dyn Wire> = match tls {
        Some(tls) => Box::new(tls.accept(stream).await?),
        None => Box::new(stream),
    };
    let mut pair = hello(0);
    wire.read_exact(&mut pair).await?;
    Ok((pair, wire))
}

fn acceptor(options: &Options) -> Result<Option<TlsAcceptor>> {
    let (Some(certificate), Some(key)) = (&options.certificate, &options.key) else {
        return Ok(None);
    };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    ensure!(
        !chain.is_empty(),
        "{} holds no certificate",
        certificate.display()
    );
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// A window of messages fits.
const BUFFER_BYTES: usize = 8 * 1024;
/// Connections whose other half has not come yet.
const WAITING_MAX: usize = 1024;
const HELLO_TIME_MAX: Duration = Duration::from_secs(10);
