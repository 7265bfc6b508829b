//! Names and filters with what a client says in them, so that it stays a value: RFC 4514 §2.4 for names,
//! RFC 4515 §3 for filters.

use ldap3::{dn_escape, ldap_escape};

/// A name made from a template such as `uid={user},ou=people,dc=example,dc=org`.
pub(super) fn name(template: &str, values: &[(&str, &str)]) -> String {
    fill(template, values, |value| dn_escape(value).into_owned())
}

/// A filter made from a template such as `(uid={user})`.
pub(super) fn filter(template: &str, values: &[(&str, &str)]) -> String {
    fill(template, values, |value| ldap_escape(value).into_owned())
}

/// In one go: what a value holds is no template.
fn fill(template: &str, values: &[(&str, &str)], escape: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let known = behind.split_once('}').and_then(|(name, behind)| {
            let value = values.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value, behind))
        });
        match known {
            Some((value, behind)) => {
                filled.push_str(&escape(value));
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = behind;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// A name in the form in which two that mean the same are equal, as far as that can be said without
/// the directory's schema: case and spaces around separators do not count.
pub(super) fn comparable(name: &str) -> String {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for letter in name.chars() {
        let separates = !escaped && matches!(letter, ',' | '+' | '=');
        escaped = letter == '\\' && !escaped;
        if separates {
            parts.push(letter.to_string());
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.extend(letter.to_lowercase());
        }
    }
    parts.iter().map(|part| part.trim()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [(&str, &str); 2] = [("user", "anna"), ("domain", "example.org")];

    #[test]
    fn templates_are_filled_in_one_go() {
        for (template, filled) in [
            ("uid={user},ou=people", "uid=anna,ou=people"),
            ("{user}@{domain}", "anna@example.org"),
            ("{user}{user}", "annaanna"),
            ("{other}{user", "{other}{user"),
            ("{", "{"),
            ("", ""),
        ] {
            assert_eq!(name(template, &VALUES), filled, "{template}");
        }
        let tricky = [("user", "{domain}"), ("domain", "example.org")];
        assert_eq!(name("uid={user}", &tricky), "uid={domain}");
    }

    /// RFC 4514 §2.4.
    #[test]
    fn a_user_name_stays_one_value_of_a_name() {
        for (user, escaped) in [
            ("anna,ou=admins", "uid=anna\\2cou\\3dadmins,ou=people"),
            ("anna+cn=admin", "uid=anna\\2bcn\\3dadmin,ou=people"),
            ("a\\", "uid=a\\5c,ou=people"),
            ("a\"b;c<d>e", "uid=a\\22b\\3bc\\3cd\\3ee,ou=people"),
            ("#a", "uid=\\23a,ou=people"),
            (" a ", "uid=\\20a\\20,ou=people"),
            ("a\0", "uid=a\\00,ou=people"),
            ("möwe", "uid=möwe,ou=people"),
        ] {
            let made = name("uid={user},ou=people", &[("user", user)]);
            assert_eq!(made, escaped, "{user:?}");
        }
    }

    /// RFC 4515 §3.
    #[test]
    fn a_user_name_stays_one_value_of_a_filter() {
        for (user, escaped) in [
            ("*", "(uid=\\2a)"),
            ("anna)(uid=*", "(uid=anna\\29\\28uid=\\2a)"),
            ("a*b(c)d\\e\0", "(uid=a\\2ab\\28c\\29d\\5ce\\00)"),
            ("anna)(|(uid=bert", "(uid=anna\\29\\28|\\28uid=bert)"),
            ("möwe", "(uid=möwe)"),
        ] {
            let made = filter("(uid={user})", &[("user", user)]);
            assert_eq!(made, escaped, "{user:?}");
            assert!(ldap3::parse_filter(&made).is_ok(), "{made}");
        }
    }

    #[test]
    fn names_of_groups_are_compared_without_case_and_spaces() {
        let group = "cn=Team Lead,ou=groups,dc=example";
        for (other, same) in [
            ("CN=team lead, OU=Groups , dc = example", true),
            ("cn=team lead,ou=groups,dc=example", true),
            ("cn=teamlead,ou=groups,dc=example", false),
            ("cn=team lead\\,ou=groups,dc=example", false),
            ("cn=team lead,ou=groups", false),
        ] {
            assert_eq!(comparable(group) == comparable(other), same, "{other}");
        }
    }
}
