//! Rules among the keys of `[auth]`, `[auth.ldap]` and `[auth.oauth]`.

use super::auth::{Auth, AuthSource};
use super::ldap::{Ldap, LdapMode};
use super::oauth::Oauth;
use super::reader::Reader;

/// Complains about every broken rule; of tables whose source is not asked, nothing is demanded.
pub(super) fn check(auth: &Auth, reader: &mut Reader<'_>) {
    if reader.is_broken("auth.sources") {
        return;
    }
    let mut sources = auth.sources.iter().enumerate();
    if auth.sources.is_empty() {
        complain(reader, "auth", "sources", "expected at least one");
    } else if sources.any(|(at, source)| auth.sources.iter().take(at).any(|it| it == source)) {
        complain(reader, "auth", "sources", "expected each source once");
    }
    if auth.asks(AuthSource::Ldap) {
        if !auth.plain {
            let message = "true is needed for \"ldap\" in sources, found false";
            complain(reader, "auth", "plain", message);
        }
        ldap(&auth.ldap, reader);
    }
    if auth.asks(AuthSource::Oauth) {
        oauth(&auth.oauth, reader);
    }
}

fn ldap(ldap: &Ldap, reader: &mut Reader<'_>) {
    const TABLE: &str = "auth.ldap";
    if ldap.urls.is_empty() {
        complain(reader, TABLE, "urls", "expected at least one URL");
    }
    let mut urls = ldap.urls.iter();
    if !ldap.starttls && urls.any(|url| !url.has_tls() && !url.is_loopback()) {
        let message = "false is accepted for ldaps:// and for loopback addresses only";
        complain(reader, TABLE, "starttls", message);
    }
    let user = |text: &str| text.contains("{user}");
    match ldap.mode {
        LdapMode::Bind if !user(&ldap.user_dn) => {
            complain(reader, TABLE, "user_dn", "expected a text with {user}");
        }
        LdapMode::Bind => {}
        LdapMode::Search => {
            for (key, given) in [
                ("base", !ldap.base.is_empty()),
                ("bind_dn", !ldap.bind_dn.is_empty()),
                ("bind_password", has_password(ldap)),
            ] {
                if !given {
                    complain(reader, TABLE, key, "needed for mode \"search\", found none");
                }
            }
        }
    }
    if (!ldap.base.is_empty() || ldap.mode == LdapMode::Search) && !user(&ldap.filter) {
        complain(reader, TABLE, "filter", "expected a filter with {user}");
    }
    // Without it everybody would be in every group.
    let personal = |filter: &str| user(filter) || filter.contains("{dn}");
    if !ldap.groups_base.is_empty() && !personal(&ldap.groups_filter) {
        let message = "expected a filter with {dn} or {user}";
        complain(reader, TABLE, "groups_filter", message);
    }
}

/// An empty one would make the bind one without authentication (RFC 4513 §5.1.2).
fn has_password(ldap: &Ldap) -> bool {
    let password = ldap.bind_password.as_ref();
    password.is_some_and(|password| !password.expose().is_empty())
}

fn oauth(oauth: &Oauth, reader: &mut Reader<'_>) {
    const TABLE: &str = "auth.oauth";
    for (key, given) in [
        ("issuer", !oauth.issuer.is_empty()),
        ("audiences", !oauth.audiences.is_empty()),
        ("algorithms", !oauth.algorithms.is_empty()),
        ("user_claim", !oauth.user_claim.is_empty()),
    ] {
        if !given {
            complain(reader, TABLE, key, "needed for \"oauth\", found none");
        }
    }
    if oauth.jwks_file.is_some() == oauth.jwks_url.is_some() {
        let message = "expected either jwks_file or jwks_url";
        complain(reader, TABLE, "jwks_url", message);
    }
}

fn complain(reader: &mut Reader<'_>, table: &str, key: &str, message: &str) {
    let path = format!("{table}.{key}");
    if !reader.is_broken(&path) {
        reader.complain_at(&path, &format!("[{table}] {key}"), message.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const LDAP: &str = "sources = ['local', 'ldap']\n[auth.ldap]\nurls = ['ldaps://ldap.example.org']\n\
        bind_dn = 'cn=parlour'\nbind_password = 'x'\nbase = 'dc=example'\n";
    const OAUTH: &str = "sources = ['oauth']\n[auth.oauth]\nissuer = 'https://login.example.org'\n\
        audiences = ['parlour']\njwks_file = 'jwks.json'\n";

    fn problems(text: &str) -> Vec<String> {
        match Config::parse("p.toml", &format!("[auth]\n{text}"), std::iter::empty()) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.problems.into_iter().map(|it| it.key).collect(),
        }
    }

    #[test]
    fn sources_bring_their_tables_along() {
        for (text, wrong) in [
            (LDAP.to_owned(), &[][..]),
            (OAUTH.to_owned(), &[]),
            ("sources = []".to_owned(), &["[auth] sources"]),
            (
                "sources = ['local', 'local']".to_owned(),
                &["[auth] sources"],
            ),
            (
                LDAP.replace("ldaps:", "ldap:") + "starttls = false",
                &["[auth.ldap] starttls"],
            ),
            (
                LDAP.replace("ldaps://ldap.example.org", "ldap://127.0.0.1") + "starttls = false",
                &[],
            ),
            (
                LDAP.replace("password = 'x'", "password = ''"),
                &["[auth.ldap] bind_password"],
            ),
            (
                LDAP.to_owned() + "filter = '(uid=anna)'",
                &["[auth.ldap] filter"],
            ),
            (LDAP.to_owned() + "mode = 'bind'", &["[auth.ldap] user_dn"]),
            (
                LDAP.to_owned() + "groups_base = 'ou=g'\ngroups_filter = '(cn=*)'",
                &["[auth.ldap] groups_filter"],
            ),
            (format!("plain = false\n{LDAP}"), &["[auth] plain"]),
            (
                OAUTH.to_owned() + "jwks_url = 'https://a/b'",
                &["[auth.oauth] jwks_url"],
            ),
            (
                OAUTH.to_owned() + "algorithms = []",
                &["[auth.oauth] algorithms"],
            ),
            (OAUTH.replace("'parlour'", ""), &["[auth.oauth] audiences"]),
        ] {
            assert_eq!(problems(&text), wrong, "{text}");
        }
    }
}
