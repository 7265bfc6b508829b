//! What a token says, judged (RFC 7519 §4.1): for whom, by whom, how long, and who it is.

use serde_json::{Map, Value};

use super::Flaw;
use crate::clock::Timestamp;
use crate::config::{AuthSource, Oauth};
use crate::identity::{Person, is_for, role};
use crate::proto::BareJid;

/// Whom the claims make of the client of a stream to `host`.
pub(super) fn judge(
    claims: &Map<String, Value>,
    host: &BareJid,
    config: &Oauth,
    now: Timestamp,
) -> Result<Person, Flaw> {
    in_time(claims, config, now)?;
    if text(claims, "iss") != Some(config.issuer.as_str()) {
        return Err(Flaw::Issuer);
    }
    let audiences = words(claims.get("aud"));
    if !config
        .audiences
        .iter()
        .any(|own| audiences.contains(&own.as_str()))
    {
        return Err(Flaw::Audience);
    }
    if !config.scope.is_empty() && !scopes(claims).any(|scope| scope == config.scope) {
        return Err(Flaw::Scope);
    }
    let account = account(claims, host, config).ok_or(Flaw::User)?;
    let roles = words(find(claims, &config.role_claim));
    let given = config.roles.iter().map(|given| {
        let applies = roles.contains(&given.value.as_str());
        (given.role, applies)
    });
    let name = text(claims, &config.name_claim);
    Ok(Person {
        account,
        source: AuthSource::Oauth,
        name: name.filter(|name| !name.is_empty()).map(str::to_owned),
        role: role(given),
    })
}

/// `exp` has to be there: a token that never ends is a password that nobody can change.
fn in_time(claims: &Map<String, Value>, config: &Oauth, now: Timestamp) -> Result<(), Flaw> {
    let leeway = i64::from(config.leeway_seconds.as_u32());
    let now = now.as_seconds();
    let expires = moment(claims.get("exp")).ok_or(Flaw::Expired)?;
    if now.saturating_sub(leeway) >= expires {
        return Err(Flaw::Expired);
    }
    match claims.get("nbf") {
        None => Ok(()),
        Some(begins) => {
            let begins = moment(Some(begins)).ok_or(Flaw::NotYet)?;
            let begun = begins <= now.saturating_add(leeway);
            begun.then_some(()).ok_or(Flaw::NotYet)
        }
    }
}

/// A `NumericDate`: whole seconds, or a fraction of which the whole seconds count.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a number beyond the range becomes its end, which lies as far away"
)]
fn moment(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    let whole = value.as_i64();
    whole.or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
}

fn account(claims: &Map<String, Value>, host: &BareJid, config: &Oauth) -> Option<BareJid> {
    let name = text(claims, &config.user_claim)?;
    let user = match name.rsplit_once('@') {
        None => name,
        Some((user, domain)) => {
            let wanted = config.user_domain.as_ref();
            let wanted = wanted.map_or_else(|| host.domain().as_str(), |domain| domain.as_str());
            let domain = crate::config::Domain::parse(domain)?;
            (domain.as_str() == wanted).then_some(user)?
        }
    };
    // No part of an address of its own: an account has no second @ and no slash.
    let account = host.domain().with_node_str(user).ok()?;
    is_for(&config.hosts, &account).then_some(account)
}

/// `scope` as OAuth has it (RFC 8693 §4.2), `scp` as Microsoft and Okta do.
fn scopes(claims: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let claimed = ["scope", "scp"].into_iter();
    let values = claimed.flat_map(|name| words(claims.get(name)));
    values.flat_map(str::split_ascii_whitespace)
}

/// One text, or a list of them.
fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    find(claims, name)?.as_str()
}

/// A claim by its name, which may have dots in it, or by the names that lead to it.
fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::{ClaimRole, Domain, GivenRole};
    use crate::domain::rights::Role;

    const NOW: i64 = 1_800_000_000;

    fn config() -> Oauth {
        Oauth {
            issuer: "https://login.example.org".to_owned(),
            audiences: vec!["parlour".to_owned(), "chat".to_owned()],
            scope: "xmpp".to_owned(),
            role_claim: "realm_access.roles".to_owned(),
            roles: vec![ClaimRole {
                value: "lead".to_owned(),
                role: GivenRole::Supervisor,
            }],
            ..Oauth::default()
        }
    }

    fn good() -> Value {
        json!({
            "iss": "https://login.example.org",
            "aud": "parlour",
            "exp": NOW + 60,
            "scope": "openid xmpp",
            "preferred_username": "anna",
            "name": "Anna Agent",
        })
    }

    fn judged(config: &Oauth, claims: &Value) -> Result<Person, Flaw> {
        let host = BareJid::new("example.org").unwrap();
        let now = Timestamp::from_micros(NOW * 1_000_000);
        judge(claims.as_object().unwrap(), &host, config, now)
    }

    /// The good claims with some replaced; null takes one away.
    fn with(changes: &Value) -> Value {
        let mut claims = good();
        let object = claims.as_object_mut().unwrap();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(object.remove(name)),
                value => drop(object.insert(name.clone(), value.clone())),
            }
        }
        claims
    }

    #[test]
    fn claims_are_judged_as_rfc_7519_section_4_1_says() {
        for (changes, flaw) in [
            (json!({}), None),
            (json!({"aud": ["other", "chat"]}), None),
            (json!({"nbf": NOW}), None),
            (json!({"nbf": NOW + 30}), None),
            (json!({"exp": NOW - 29}), None),
            (json!({"exp": 1_800_000_000.5}), None),
            (json!({"scope": null, "scp": ["a", "xmpp"]}), None),
            (json!({"exp": NOW - 30}), Some(Flaw::Expired)),
            (json!({"exp": null}), Some(Flaw::Expired)),
            (json!({"exp": "never"}), Some(Flaw::Expired)),
            (json!({"nbf": NOW + 31}), Some(Flaw::NotYet)),
            (json!({"nbf": "now"}), Some(Flaw::NotYet)),
            (json!({"iss": null}), Some(Flaw::Issuer)),
            (
                json!({"iss": "https://login.example.org/"}),
                Some(Flaw::Issuer),
            ),
            (
                json!({"iss": ["https://login.example.org"]}),
                Some(Flaw::Issuer),
            ),
            (json!({"aud": null}), Some(Flaw::Audience)),
            (json!({"aud": ["other"]}), Some(Flaw::Audience)),
            (json!({"aud": {"parlour": true}}), Some(Flaw::Audience)),
            (json!({"scope": null}), Some(Flaw::Scope)),
            (json!({"scope": "xmppx"}), Some(Flaw::Scope)),
            (json!({"preferred_username": null}), Some(Flaw::User)),
            (json!({"preferred_username": 7}), Some(Flaw::User)),
        ] {
            let found = judged(&config(), &with(&changes));
            assert_eq!(found.err(), flaw, "{changes}");
        }
    }

    #[test]
    fn the_name_becomes_an_account_of_the_host() {
        let elsewhere = Oauth {
            user_domain: Domain::parse("corp.example"),
            ..config()
        };
        let closed = Oauth {
            hosts: vec![Domain::localhost()],
            ..config()
        };
        for (config, name, account) in [
            (config(), "anna", Some("anna@example.org")),
            (config(), "Anna", Some("anna@example.org")),
            (config(), "anna@Example.org", Some("anna@example.org")),
            (config(), "anna@corp.example", None),
            (
                elsewhere.clone(),
                "anna@corp.example",
                Some("anna@example.org"),
            ),
            (elsewhere, "anna@example.org", None),
            (closed, "anna", None),
            (config(), "", None),
            (config(), "@example.org", None),
            (config(), "a@b@example.org", None),
            (config(), "anna/desk", None),
            (config(), "anna@example.org/desk", None),
            (config(), "an na", None),
        ] {
            let found = judged(&config, &with(&json!({"preferred_username": name})));
            let found = found.map(|person| person.account.to_string()).ok();
            assert_eq!(found.as_deref(), account, "{name:?}");
        }
    }

    #[test]
    fn roles_are_found_behind_dots() {
        for (claims, role) in [
            (json!({}), Role::Member),
            (
                json!({"realm_access": {"roles": ["lead"]}}),
                Role::Supervisor,
            ),
            (json!({"realm_access": {"roles": "lead"}}), Role::Supervisor),
            (json!({"realm_access.roles": ["lead"]}), Role::Supervisor),
            (json!({"realm_access": {"roles": ["leader"]}}), Role::Member),
            (json!({"realm_access": ["lead"]}), Role::Member),
        ] {
            let person = judged(&config(), &with(&claims)).unwrap();
            assert_eq!(person.role, Some(role), "{claims}");
            assert_eq!(person.name.as_deref(), Some("Anna Agent"));
        }
    }
}
