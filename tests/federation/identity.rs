//! Certificates of servers, right and wrong ones.

use anyhow::Result;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, date_time_ymd};

use crate::authority::{Authority, Issued};

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Nothing.
    Valid,
    /// Nothing either, but it is for servers only, as public authorities issue them now, and is shown all the same
    /// when its server is the client of TLS.
    ForServersOnly,
    /// It was valid until a day that is over.
    Expired,
    /// It names another domain.
    OfAnother,
    /// Nobody knows who has signed it.
    UnknownAuthority,
}

impl Identity {
    /// Those that prove nothing.
    pub(crate) const WRONG: [Self; 3] = [Self::Expired, Self::OfAnother, Self::UnknownAuthority];

    /// A certificate for `domain` and its rooms, signed by `authority` where that is not what is
    /// wrong with it.
    ///
    /// It serves both ends of a connection, as servers use it (XEP-0178 §3).
    pub(crate) fn issue(self, authority: &Authority, domain: &str) -> Result<Issued> {
        let domain = match self {
            Self::OfAnother => "another.example",
            Self::Valid | Self::ForServersOnly | Self::Expired | Self::UnknownAuthority => domain,
        };
        let names = vec![domain.to_owned(), format!("rooms.{domain}")];
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, domain);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if self != Self::ForServersOnly {
            let client = ExtendedKeyUsagePurpose::ClientAuth;
            params.extended_key_usages.push(client);
        }
        let end = if self == Self::Expired { 2021 } else { 2046 };
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(end, 1, 1);
        match self {
            Self::UnknownAuthority => Authority::new("a stranger")?.issue(&params),
            Self::Valid | Self::ForServersOnly | Self::Expired | Self::OfAnother => {
                authority.issue(&params)
            }
        }
    }
}
