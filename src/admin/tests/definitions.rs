//! What holds of every definition.

use std::collections::BTreeSet;

use super::*;

#[test]
fn names_nodes_and_fields_are_unique_and_groups_are_known() {
    let mut seen = BTreeSet::new();
    for operation in operations() {
        let Operation { name, face, .. } = operation;
        assert!(seen.insert(*name), "{name} is there twice");
        assert!(seen.insert(face.node), "{} is there twice", face.node);
        assert!(operation.about.ends_with('.'), "{name}");
        let group = operation.group();
        assert!(GROUPS.iter().any(|(known, _)| *known == group), "{group}");
        let own = face.node.strip_prefix("urn:parlour:admin:0#");
        if let Some(own) = own {
            assert_eq!(own, name.replace(' ', "-"), "{name}");
        }
        let mut vars = BTreeSet::new();
        for argument in operation.arguments {
            assert!(vars.insert(argument.var), "{name}: {}", argument.var);
            let several = argument.count != Count::One;
            let lines = matches!(argument.kind, Kind::Text | Kind::Table);
            assert!(!(several && lines), "{name}: lines of lines");
        }
    }
    for (group, _) in GROUPS {
        assert!(
            operations().any(|it| it.group() == *group),
            "{group} is empty"
        );
    }
}

/// Every command of XEP-0133 §4 but the retracted one, with the names of its fields.
#[test]
fn every_command_of_xep_0133_is_there() {
    for (act, vars) in [
        ("add-user", "accountjid password email given_name surname"),
        ("delete-user", "accountjids"),
        ("disable-user", "accountjids"),
        ("reenable-user", "accountjids"),
        ("end-user-session", "accountjids"),
        ("change-user-password", "accountjid password"),
        ("get-user-roster", "accountjids"),
        ("get-user-lastlogin", "accountjids"),
        ("user-stats", "accountjid"),
        ("edit-blacklist", "blacklistjids"),
        ("edit-whitelist", "whitelistjids"),
        ("get-registered-users-num", ""),
        ("get-disabled-users-num", ""),
        ("get-online-users-num", ""),
        ("get-active-users-num", ""),
        ("get-idle-users-num", ""),
        ("get-registered-users-list", "max_items"),
        ("get-disabled-users-list", "max_items"),
        ("get-online-users-list", "max_items"),
        ("get-active-users", "max_items"),
        ("get-idle-users", "max_items"),
        ("announce", "announcement"),
        ("set-motd", "motd"),
        ("edit-motd", "motd"),
        ("delete-motd", ""),
        ("set-welcome", "welcome"),
        ("delete-welcome", ""),
        ("edit-admin", "adminjids"),
        ("restart", "delay announcement"),
        ("shutdown", "delay announcement"),
    ] {
        let node = format!("http://jabber.org/protocol/admin#{act}");
        let found = operations().find(|it| it.face.node == node);
        let operation = found.unwrap_or_else(|| panic!("{act} is missing"));
        for var in vars.split_whitespace() {
            let known = operation.arguments.iter().any(|it| it.var == var);
            assert!(known, "{act} has no field {var}");
        }
    }
}
