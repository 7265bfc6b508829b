//! Rules of what a component is trusted with.

use super::Config;
use super::component::Component;
use super::delegation::Delegation;
use super::privileges::PresencePrivilege;
use super::reader::Reader;

/// Complains about hosts that there are not, about what is delegated to two, and about privileges that
/// need another.
pub(super) fn trust(config: &Config, index: usize, reader: &mut Reader<'_>) {
    let Some(component) = config.components.get(index) else {
        return;
    };
    let path = |key: &str| format!("component[{index}].{key}");
    let unknown = component.hosts.iter().find(|it| {
        let mut hosts = config.hosts.iter();
        hosts.all(|host| host.domain != **it)
    });
    if let Some(unknown) = unknown {
        let message = format!("{unknown} is no host of this server");
        reader.complain_at(&path("hosts"), "[[component]] hosts", message);
    }
    let before = config.components.iter().take(index);
    if let Some((delegation, other)) = shared(component, before) {
        let message = format!(
            "{} is delegated to {} already",
            delegation.namespace, other.domain
        );
        reader.complain_at(&path("delegations"), "[[component]] delegations", message);
    }
    let privileges = &component.privileges;
    // XEP-0356 §7.4: the server must reject it.
    if privileges.presence == PresencePrivilege::Roster && !privileges.roster.may_get() {
        let message = "\"roster\" needs roster to be \"get\" or \"both\"".to_owned();
        let label = "[component.privileges] presence";
        reader.complain_at(&path("privileges.presence"), label, message);
    }
}

/// What an earlier component has for the same hosts, so that it would never be this one's.
fn shared<'a>(
    component: &'a Component,
    mut before: impl Iterator<Item = &'a Component>,
) -> Option<(&'a Delegation, &'a Component)> {
    before.find_map(|other| {
        let overlap = component.hosts.is_empty()
            || other.hosts.is_empty()
            || component
                .hosts
                .iter()
                .any(|host| other.hosts.contains(host));
        let mut own = component.delegations.iter().filter(|_| overlap);
        own.find(|it| other.delegations.contains(it))
            .map(|it| (it, other))
    })
}
