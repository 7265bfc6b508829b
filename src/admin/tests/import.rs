//! Tables of accounts.

use super::*;

const BAD_TABLES: &[(&str, &[&str])] = &[
    ("", &["no column jid"]),
    ("jid\na@localhost\n", &["line 1", "no column password"]),
    ("jid,password,colour\n", &["unknown column \"colour\""]),
    ("jid,password,jid\n", &["the column jid is there twice"]),
    (
        "jid,password\na@localhost,p\nb@localhost,p\nA@localhost,q\n",
        &["line 4: a@localhost stands in line 2 already"],
    ),
    (
        "jid,password\na@localhost,p\nthere@localhost,p\n",
        &["line 3: there is an account there@localhost"],
    ),
    (
        "jid,password\na@localhost,\nb,p\n,p\n",
        &[
            "line 2: no password",
            "line 3: \"b\" has no domain",
            "line 4: no jid",
        ],
    ),
    (
        "jid,password,role\na@localhost,p,boss\n",
        &["line 2: \"boss\" is no role"],
    ),
    (
        "jid,password\r\na@localhost,p\r\n\r\nb,p\r\n",
        &["line 4: \"b\" has no domain"],
    ),
    (
        "jid,password\na@localhost,p,q\n",
        &["line 2: more cells than columns"],
    ),
    (
        "jid,password\na@localhost,p\nb@localhost,\u{7}\n",
        &["line 3: the password holds"],
    ),
];

#[tokio::test]
async fn a_table_makes_all_its_accounts_or_none() {
    let office = Office::new().await;
    office.add("there@localhost").await;
    for (table, says) in BAD_TABLES {
        let done = office.perform("account import", &[("file", table)]).await;
        let (kind, text) = told(&done);
        assert_eq!(kind, "not acceptable", "{table}: {text}");
        for says in *says {
            assert!(text.contains(says), "{table}: {text}");
        }
        let left = office
            .operator
            .store
            .accounts()
            .count("localhost")
            .await
            .unwrap();
        assert_eq!(left, 1, "{table}");
    }

    let table =
        "\u{FEFF}Jid,Password,Role,Name\r\na@localhost,\"p,q\",agent,Änne\r\nb@localhost, x ,,\r\n";
    let done = office
        .perform("account import", &[("file", table)])
        .await
        .unwrap();
    assert_eq!(done.data["made"], 2);
    let semicolons = "jid;password\nc@localhost;p\n";
    office
        .perform("account import", &[("file", semicolons)])
        .await
        .unwrap();
    let store = &office.operator.store;
    for (name, password, role) in [
        ("a@localhost", "p,q", Role::Agent),
        ("b@localhost", " x ", Role::Member),
        ("c@localhost", "p", Role::Member),
    ] {
        let login = store
            .credentials()
            .strongest(&jid(name))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(login.role, role, "{name}");
        assert!(login.keys.unwrap().verify_password(password), "{name}");
    }
}
