//! What is different between the configuration that the server runs with and one that was read anew, and
//! which of it can be followed without a restart.

use super::Config;
use super::section::Section;

/// A configuration that was read anew, beside the one before.
#[derive(Clone, Debug)]
pub struct Revision {
    /// The one before, with what can be followed taken from the new one.
    pub config: Config,
    /// The keys that are followed: `log.level`, `host[0].contact.abuse`.
    pub followed: Vec<String>,
    /// The keys that have changed and are followed after a restart.
    pub restart: Vec<String>,
}

impl Config {
    /// Compares with a configuration that was read anew.
    #[must_use]
    pub fn revise(&self, new: &Self) -> Revision {
        let mut changed = Vec::new();
        self.differences(new, "", &mut changed);
        let same_hosts = self.hosts.len() == new.hosts.len();
        let moved = |at: &str| changed.contains(&format!("host[{at}].domain"));
        let (followed, restart) = changed
            .iter()
            .cloned()
            .partition(|key| can_be_followed(key, moved));
        let mut config = self.clone();
        config.log.level = new.log.level.clone();
        config.tls.certificate.clone_from(&new.tls.certificate);
        config.tls.key.clone_from(&new.tls.key);
        config.tls.directory.clone_from(&new.tls.directory);
        config.admin.clone_from(&new.admin);
        config.audit.clone_from(&new.audit);
        let pairs = config.hosts.iter_mut().zip(&new.hosts);
        for (host, new) in pairs.filter(|(host, new)| same_hosts && host.domain == new.domain) {
            host.certificate.clone_from(&new.certificate);
            host.key.clone_from(&new.key);
            host.contact.clone_from(&new.contact);
        }
        Revision {
            config,
            followed,
            restart,
        }
    }
}

/// Hosts that come or go are `host` as a whole, and need a restart, as do those at another place.
fn can_be_followed(key: &str, moved: impl Fn(&str) -> bool) -> bool {
    let of_a_host = key
        .strip_prefix("host[")
        .and_then(|rest| rest.split_once("]."));
    match (key, of_a_host) {
        (_, Some((at, key))) => {
            !moved(at) && (matches!(key, "certificate" | "key") || key.starts_with("contact."))
        }
        ("log.level" | "tls.certificate" | "tls.key" | "tls.directory", None) => true,
        (key, None) => key.starts_with("admin.") || key.starts_with("audit."),
    }
}

/// Elements are compared by their places; where their number has changed, the array as a whole has.
pub(super) fn of_arrays<T: Section>(old: &[T], new: &[T], path: &str, found: &mut Vec<String>) {
    if old.len() != new.len() {
        found.push(path.to_owned());
        return;
    }
    for (at, (old, new)) in old.iter().zip(new).enumerate() {
        old.differences(new, &format!("{path}[{at}]"), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse("test.toml", text, std::iter::empty()).unwrap()
    }

    const OLD: &str =
        "[[host]]\ndomain = 'a.example'\n[[component]]\ndomain = 'c.example'\nsecret = 's'\n";

    #[test]
    fn what_has_changed_is_followed_or_named() {
        for (new, followed, restart) in [
            (OLD.to_owned(), &[][..], &[][..]),
            (
                format!("{OLD}[log]\nlevel = 'debug'\nformat = 'json'\n"),
                &["log.level"],
                &["log.format"],
            ),
            (
                OLD.replace("secret = 's'", "secret = 't'"),
                &[],
                &["component[0].secret"],
            ),
            (
                format!("{OLD}[[host]]\ndomain = 'b.example'\n"),
                &[],
                &["host"],
            ),
            (
                OLD.replace(
                    "'a.example'",
                    "'a.example'\n[host.contact]\nabuse = ['mailto:a@b.example']",
                ),
                &["host[0].contact.abuse"],
                &[],
            ),
            (
                format!(
                    "{OLD}[audit]\nkeep_days = 3\n[admin]\nserver_administrators = ['a@a.example']\n"
                ),
                &["admin.server_administrators", "audit.keep_days"],
                &[],
            ),
        ] {
            let new = config(&new);
            let revision = config(OLD).revise(&new);
            assert_eq!(revision.followed, followed, "{new:?}");
            assert_eq!(revision.restart, restart, "{new:?}");
            // What was followed is no difference any more; what was not, still is.
            let again = revision.config.revise(&new);
            assert_eq!(again.followed, Vec::<String>::new());
            assert_eq!(again.restart, restart);
        }
    }

    #[test]
    fn hosts_that_change_places_are_not_mixed_up() {
        let two = "[[host]]\ndomain = 'a.example'\n[[host]]\ndomain = 'b.example'\n";
        let turned = "[[host]]\ndomain = 'b.example'\n[host.contact]\nabuse = ['mailto:a@b.example']\n[[host]]\ndomain = 'a.example'\n";
        let revision = config(two).revise(&config(turned));
        assert!(
            revision
                .config
                .hosts
                .iter()
                .all(|host| host.contact.abuse.is_empty())
        );
        let changed = ["host[0].domain", "host[0].contact.abuse", "host[1].domain"];
        assert_eq!(revision.restart, changed);
        assert!(revision.followed.is_empty());
    }
}
