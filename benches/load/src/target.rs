//! Which server is loaded, how it is reached, and who logs in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::process::{Server, Usage};
use crate::report::Record;
use crate::scram::{Mechanism, SaltedPasswords};

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// Not at all.
    Plain,
    /// RFC 6120 §5.
    Starttls,
    /// XEP-0368: TLS from the first byte.
    Tls,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct TargetOptions {
    /// Name of the server in the results.
    #[arg(long, default_value = "server")]
    server: String,
    /// Where it listens, in 127.0.0.0/8.
    #[arg(long)]
    connect: SocketAddr,
    /// Process id of the server; what runs below it counts as part of it.
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long, value_enum, default_value = "plain")]
    transport: Transport,
    #[arg(long, default_value = "localhost")]
    domain: String,
    /// Accounts are called by this name and a number from 0.
    #[arg(long, default_value = "user")]
    account: String,
    /// The password of all accounts.
    #[arg(long, default_value = "password")]
    password: String,
    #[arg(long, value_enum, default_value = "SCRAM-SHA-1")]
    mechanism: Mechanism,
    /// Connections come from this many loopback addresses in turn, so that ports and limits per address suffice.
    #[arg(long, default_value_t = 16)]
    sources: u8,
}

/// The options with what is made once from them.
pub(crate) struct Target {
    options: TargetOptions,
    tls: TlsConnector,
    pub(crate) salted: SaltedPasswords,
}

impl Target {
    pub(crate) fn new(options: TargetOptions) -> Result<Arc<Self>> {
        refuse_foreign(options.connect)?;
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        // Every login pays for a whole handshake, on every server alike.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(Self {
            options,
            tls: TlsConnector::from(Arc::new(config)),
            salted: SaltedPasswords::default(),
        }))
    }

    pub(crate) fn transport(&self) -> Transport {
        self.options.transport
    }

    pub(crate) fn domain(&self) -> &str {
        &self.options.domain
    }

    pub(crate) fn account(&self, number: usize) -> String {
        format!("{}{number}", self.options.account)
    }

    pub(crate) fn password(&self) -> &str {
        &self.options.password
    }

    pub(crate) fn mechanism(&self) -> Mechanism {
        self.options.mechanism
    }

    /// A connection from one of the source addresses, chosen by `number`.
    pub(crate) async fn connect(&self, number: usize) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        let source = u8::try_from(number % usize::from(self.options.sources.max(1)))?;
        let address = Ipv4Addr::new(127, 0, 0, source.saturating_add(1));
        socket
            .bind(SocketAddr::new(IpAddr::V4(address), 0))
            .context("no free port on the source address")?;
        let stream = socket
            .connect(self.options.connect)
            .await
            .context("connect")?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    pub(crate) async fn secure(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.options.domain.clone())?;
        self.tls
            .connect(name, stream)
            .await
            .context("TLS handshake")
    }

    /// What the server has used until now; nothing where no process was named.
    pub(crate) fn usage(&self) -> Result<Option<Usage>> {
        self.options
            .pid
            .map(|pid| Server::new(pid).usage())
            .transpose()
    }

    /// A record with the server's name and the transport filled in.
    pub(crate) fn record(&self, load: &str, unit: &str, shape: String) -> Record {
        let transport = match self.options.transport {
            Transport::Plain => "plain",
            Transport::Starttls => "starttls",
            Transport::Tls => "tls",
        };
        Record {
            server: self.options.server.clone(),
            load: load.to_owned(),
            transport: transport.to_owned(),
            shape,
            unit: unit.to_owned(),
            machine_load: crate::process::machine_load(),
            ..Record::default()
        }
    }
}

/// The loads are made to exhaust a server: they run against this machine only.
pub(crate) fn refuse_foreign(address: SocketAddr) -> Result<()> {
    let own = matches!(address.ip(), IpAddr::V4(ip) if ip.is_loopback());
    ensure!(own, "{address} is not in 127.0.0.0/8");
    Ok(())
}

/// Takes any certificate: the servers under load show self-signed ones made a moment ago, on
/// the loopback interface. Signatures are checked, so that a handshake costs what it costs.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
