//! An e-mail as RFC 5322 has it, and the relay that takes it (RFC 5321).
//!
//! Header fields are made by the library, which encodes whatever stands in them (RFC 2047), so that no text of an
//! agent becomes a field of its own.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncTransport as _, Tokio1Executor};

use super::record::Email;
use crate::config::{Email as Settings, EmailTls};

/// How many of the relay's answers one e-mail waits for: greeting, hello twice, TLS, login, sender, recipient,
/// text, and its end.
const ANSWERS: u32 = 10;

/// Why an e-mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Whether it would be the same another time.
    pub(super) permanent: bool,
    /// For the agent.
    pub(super) text: String,
}

/// The relay, ready to be used.
#[derive(Clone)]
pub(super) struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: String,
    /// The longest that one e-mail may take.
    pub(super) patience: Duration,
}

impl Relay {
    /// The relay of the configuration; `None` where there is none.
    pub(super) fn new(settings: &Settings) -> Result<Option<Self>, Unusable> {
        let Some(host) = settings.host.as_deref() else {
            return Ok(None);
        };
        let tls = match settings.tls {
            EmailTls::Starttls => Tls::Required(trusted(settings, host)?),
            EmailTls::Implicit => Tls::Wrapper(trusted(settings, host)?),
            EmailTls::None => Tls::None,
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).tls(tls);
        let timeout = Duration::from_secs(settings.timeout_seconds.as_u32().into());
        // The configuration takes no greater port.
        let port = u16::try_from(settings.port).unwrap_or(u16::MAX);
        let mut builder = builder.port(port).timeout(Some(timeout));
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            builder = builder.credentials(credentials);
        }
        Ok(Some(Self {
            transport: builder.build(),
            from: settings.from.clone().unwrap_or_default(),
            patience: timeout * ANSWERS,
        }))
    }

    /// Gives the e-mail to the relay.
    pub(super) async fn send(&self, email: &Email) -> Result<(), Failure> {
        let letter = letter(email, &self.from)?;
        let sent = tokio::time::timeout(self.patience, self.transport.send(letter)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(Failure {
                permanent: false,
                text: "The mail relay takes too long.".to_owned(),
            }),
        }
    }
}

/// Whose certificates the relay may show.
fn trusted(settings: &Settings, host: &str) -> Result<TlsParameters, Unusable> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca {
        let unread = |cause| Unusable::Unread {
            path: path.clone(),
            cause,
        };
        let pem = std::fs::read(path).map_err(unread)?;
        // The library takes a file without a certificate, and would then trust nobody.
        if !pem.windows(PEM.len()).any(|it| it == PEM) {
            let cause = std::io::Error::other("there is no certificate in it");
            return Err(unread(cause));
        }
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(&pem)?);
    }
    Ok(parameters.build()?)
}

/// What a certificate begins with (RFC 7468 §5.1).
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Why there is no relay although one is configured.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// The file of authorities.
    #[error("[contact_center.email] ca: {}: {cause}", path.display())]
    Unread {
        path: PathBuf,
        cause: std::io::Error,
    },
    /// TLS.
    #[error(transparent)]
    Tls(#[from] lettre::transport::smtp::Error),
}

/// What an agent is told: of the relay its code only.
fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let text = match error.status() {
        Some(code) if error.is_permanent() => {
            format!("The mail relay has refused it with code {code}.")
        }
        Some(code) => format!("The mail relay cannot take it now, with code {code}."),
        None => "The mail relay cannot be reached.".to_owned(),
    };
    Failure {
        permanent: error.is_permanent(),
        text,
    }
}

/// The e-mail as it goes over the wire.
fn letter(email: &Email, from: &str) -> Result<Message, Failure> {
    let unfit = |what: &'static str| Failure {
        permanent: true,
        text: format!("{what} is no e-mail address."),
    };
    let mailbox = |name: Option<&str>, address: &str, what| {
        let address = address.parse().map_err(|_| unfit(what))?;
        Ok(Mailbox::new(name.map(ToOwned::to_owned), address))
    };
    // The library panics at a control character in a name.
    let name = email.sender_name.replace(char::is_control, " ");
    let name = Some(name.as_str());
    let written = u64::try_from(email.queued_at.as_seconds()).unwrap_or(0);
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}@{}>", email.id, email.sender.host())))
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(written))
        .from(mailbox(name, from, "The sender of this service")?)
        .to(mailbox(None, &email.to, "What the colleague has")?)
        .subject(email.subject.as_str())
        .header(ContentType::TEXT_PLAIN);
    if let Some(reply_to) = &email.reply_to {
        builder = builder.reply_to(mailbox(name, reply_to, "What you have")?);
    }
    builder.body(email.text.clone()).map_err(|_| Failure {
        permanent: true,
        text: "It cannot be written as an e-mail.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::record::Stage;
    use super::*;
    use crate::clock::Timestamp;

    fn email() -> Email {
        Email {
            id: "m1".to_owned(),
            version: 1,
            sender: "romeo@localhost".parse().unwrap(),
            sender_name: "Romeo Montague".to_owned(),
            reply_to: Some("romeo@mail.example".to_owned()),
            colleague: "juliet@localhost".parse().unwrap(),
            to: "juliet@mail.example".to_owned(),
            subject: "Lunch".to_owned(),
            text: "At noon?\nRomeo".to_owned(),
            queued_at: Timestamp::from_micros(1_790_000_000_000_000),
            tries: 0,
            stage: Stage::New,
        }
    }

    #[test]
    fn a_file_of_authorities_that_names_none_is_no_reason_to_trust_everybody() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let settings = |tls| Settings {
            host: Some("mail.example".to_owned()),
            tls,
            ca: Some(file.clone()),
            ..Settings::default()
        };
        for tls in [EmailTls::Starttls, EmailTls::Implicit] {
            let missing = Relay::new(&settings(tls)).err().unwrap().to_string();
            assert!(missing.contains("ca.pem: No such file"), "{missing}");
        }
        std::fs::write(&file, "nothing").unwrap();
        let empty = Relay::new(&settings(EmailTls::Starttls)).err().unwrap();
        assert!(empty.to_string().contains("no certificate"), "{empty}");
        let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/certs/authority.pem");
        std::fs::copy(authority, &file).unwrap();
        assert!(Relay::new(&settings(EmailTls::Implicit)).unwrap().is_some());
    }

    fn text(email: &Email) -> String {
        let letter = letter(email, "center@parlour.example").unwrap();
        String::from_utf8(letter.formatted()).unwrap()
    }

    /// S0-3.
    #[test]
    fn a_letter_comes_from_the_service_and_is_answered_to_the_agent() {
        let letter = text(&email());
        for line in [
            "Message-ID: <m1@localhost>",
            "From: \"Romeo Montague\" <center@parlour.example>",
            "To: juliet@mail.example",
            "Reply-To: \"Romeo Montague\" <romeo@mail.example>",
            "Subject: Lunch",
            "At noon?\r\nRomeo",
        ] {
            assert!(letter.contains(line), "{line} is not in:\n{letter}");
        }
        let anonymous = Email {
            reply_to: None,
            ..email()
        };
        assert!(!text(&anonymous).contains("Reply-To"));
    }

    #[test]
    fn nothing_that_an_agent_writes_becomes_a_header_field() {
        let evil = "x\r\nBcc: all@mail.example\r\n\r\ny\0\u{7f}\u{85}\"<>";
        for email in [
            Email {
                subject: evil.to_owned(),
                ..email()
            },
            Email {
                sender_name: evil.to_owned(),
                ..email()
            },
        ] {
            let letter = text(&email);
            let (head, _) = letter.split_once("\r\n\r\n").unwrap();
            let fields = head.split("\r\n").filter(|line| !line.starts_with(' '));
            let names: Vec<_> = fields.map(|line| line.split_once(':').unwrap().0).collect();
            assert!(!names.contains(&"Bcc"), "{letter}");
        }
        for address in [evil, "a@b\r\nBcc: c@d", "", "juliet"] {
            let email = Email {
                to: address.to_owned(),
                ..email()
            };
            assert!(letter(&email, "center@parlour.example").is_err());
        }
    }
}
