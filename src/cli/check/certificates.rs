//! Certificates: can they be used, how long, and for which hosts?

use std::path::PathBuf;

use super::Report;
use crate::clock::Clock;
use crate::config::Config;
use crate::net::tls::certificates::PemFiles;
use crate::net::tls::leaf::Validity;
use crate::net::tls::resolver::{
    CertificateSources, CertificateStatus, CertificateStore, HostCertificate,
};

const SUBJECT: &str = "certificates";

/// certbot renews 30 days before the end: with less than this its renewal has failed for weeks.
const DAYS_LEFT_MIN: i64 = 14;

pub(super) async fn check(config: &Config, clock: &Clock, report: &mut Report) {
    let (sources, own) = sources(config);
    if own.is_some() {
        // Some host rests on the certificate that the server makes itself.
        self_signed(config, report);
    }
    if own.is_some_and(|files| !files.certificate.exists()) {
        report.good(SUBJECT, "a self-signed one is made at the first start");
        return;
    }
    let now = clock.now();
    let loaded = tokio::task::spawn_blocking(move || CertificateStore::load(sources)).await;
    match loaded {
        Ok(Ok((store, problems))) => {
            for problem in problems {
                report.warn(SUBJECT, problem.to_string(), "until then it is passed over");
            }
            for status in store.status(now) {
                tell(&status, report);
            }
        }
        Ok(Err(problem)) => {
            report.fail(
                SUBJECT,
                problem.to_string(),
                "the server does not start without it",
            );
        }
        Err(error) => report.fail(
            SUBJECT,
            error.to_string(),
            "this is a mistake of parlour; report it",
        ),
    }
}

fn self_signed(config: &Config, report: &mut Report) {
    let public = config
        .hosts
        .iter()
        .find(|host| host.certificate.is_none() && !super::dns::is_local(host.domain.as_str()));
    if let Some(host) = public {
        let domain = &host.domain;
        report.warn(
            SUBJECT,
            format!(
                "{domain} has no certificate; a self-signed one is shown, which clients refuse"
            ),
            format!(
                "certbot certonly -d {domain}, then [tls] directory = \"/etc/letsencrypt/live\""
            ),
        );
    }
}

fn tell(status: &CertificateStatus, report: &mut Report) {
    let file = status.files.certificate.display();
    let names = status.names.join(", ");
    match status.validity {
        Validity::Expired => report.fail(
            SUBJECT,
            format!("{file} ({names}) expired {}", status.not_after),
            "renew it (certbot renew); the running server takes it up by itself",
        ),
        Validity::NotYet => report.fail(
            SUBJECT,
            format!("{file} ({names}) is valid only from {}", status.not_before),
            "look at this machine's clock, or use the certificate that was valid until now",
        ),
        Validity::Valid if status.days_left < DAYS_LEFT_MIN => report.warn(
            SUBJECT,
            format!("{file} ({names}) expires in {} days", status.days_left),
            "renew it (certbot renew); the running server takes it up by itself",
        ),
        Validity::Valid => report.good(
            SUBJECT,
            format!("{file} ({names}) is valid for {} days", status.days_left),
        ),
    }
    if !status.hosts_not_covered.is_empty() {
        let hosts = status.hosts_not_covered.join(", ");
        report.fail(
            SUBJECT,
            format!("{file} serves {hosts}, for which it is not valid: clients refuse it"),
            format!("have one issued for {hosts}, and name it under [[host]]"),
        );
    }
}

/// The sources as the server takes them, without making anything; and the files of the
/// self-signed certificate where one is needed.
fn sources(config: &Config) -> (CertificateSources, Option<PemFiles>) {
    let hosts: Vec<_> = config
        .hosts
        .iter()
        .map(|host| HostCertificate {
            domain: host.domain.as_str().to_owned(),
            files: pair(&host.certificate, &host.key),
        })
        .collect();
    let configured = pair(&config.tls.certificate, &config.tls.key);
    let all_own = hosts.iter().all(|host| host.files.is_some());
    let own =
        (configured.is_none() && config.tls.directory.is_none() && !all_own).then(|| PemFiles {
            certificate: config.data_dir.join("self-signed.pem"),
            key: config.data_dir.join("self-signed.key"),
        });
    let sources = CertificateSources {
        default: configured.or_else(|| own.clone()),
        hosts,
        directory: config.tls.directory.clone(),
    };
    (sources, own)
}

fn pair(certificate: &Option<PathBuf>, key: &Option<PathBuf>) -> Option<PemFiles> {
    Some(PemFiles {
        certificate: certificate.clone()?,
        key: key.clone()?,
    })
}
