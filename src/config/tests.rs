//! The rules of the configuration file and its variables, as tables.

use std::collections::BTreeSet;

use super::*;

mod wrong;

fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    pairs.into_iter()
}

fn file(text: &str) -> Result<Config, ConfigErrors> {
    Config::parse("parlour.toml", text, std::iter::empty())
}

fn with(pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::parse("parlour.toml", "", variables(pairs))
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    for (text, line) in [
        ("[c2s\nrequire_tls = true", 1),
        ("[log]\nlevel = info", 2),
        ("[log]\nlevel = 'info'\nlevel = 'warn'", 3),
        ("\n\ndata_dir", 3),
    ] {
        let errors = file(text).expect_err(text);
        let place = format!("parlour.toml:{line}:");
        assert!(errors.to_string().starts_with(&place), "{text}: {errors}");
    }
}

#[test]
fn a_word_without_quotes_is_explained() {
    let errors = file("[log]\nlevel = info").unwrap_err().to_string();
    assert!(errors.starts_with("parlour.toml:2:9: "), "{errors}");
    assert!(errors.ends_with("; text stands in quotes"), "{errors}");
}

#[test]
fn without_a_file_localhost_is_served_on_both_families() {
    let config = file("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    let domains: Vec<_> = config
        .hosts
        .iter()
        .map(|host| host.domain.as_str())
        .collect();
    assert_eq!(domains, ["localhost"]);
    let c2s: Vec<_> = config.listen.c2s.iter().map(ToString::to_string).collect();
    assert_eq!(c2s, ["0.0.0.0:5222", "[::]:5222"]);
    assert!(!config.listen.c2s[0].may_be_absent());
    assert!(config.listen.c2s[1].may_be_absent());
    assert!(config.c2s.require_tls);
    assert_eq!(config.registration.mode, RegistrationMode::Closed);
    assert_eq!(
        config.database_location(),
        DatabaseLocation::SqliteFile("./data/parlour.db".into())
    );
}

#[test]
fn a_file_says_what_it_says() {
    let config = file(
        "data_dir = '/srv/parlour'\n\
         [listen]\nc2s = ['127.0.0.1:0', '[::1]:0']\nc2s_direct_tls = []\n\
         s2s = ['0.0.0.0:5269']\nhttps = ['0.0.0.0:5443']\n\
         [c2s]\nrequire_tls = false\nstanza_bytes_max = 0x1_0000\nconflict = 'refuse'\n\
         [tls]\nmin_version = '1.3'\n\
         [database]\nurl = 'postgres://u:p@h/d'\n\
         [[host]]\ndomain = 'Weiß.example'\n\
         [host.contact]\nabuse = ['mailto:a@b.example', 'xmpp:a@b.example']\n\
         [[component]]\ndomain = 'sms.example'\nsecret = 's'\nrole = 'connector'\n",
    )
    .unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/srv/parlour"));
    assert!(
        config
            .listen
            .c2s
            .iter()
            .all(|address| address.is_loopback())
    );
    assert!(config.listen.c2s_direct_tls.is_empty());
    assert!(!config.c2s.require_tls);
    assert_eq!(config.c2s.stanza_bytes_max.as_usize(), 65_536);
    assert_eq!(config.c2s.conflict, Conflict::Refuse);
    assert_eq!(config.tls.min_version, TlsVersion::Tls13);
    assert_eq!(config.hosts[0].domain.as_str(), "weiss.example");
    assert_eq!(config.hosts[0].domain.to_jid().to_string(), "weiss.example");
    let (field, addresses) = config.hosts[0].contact.fields()[0];
    assert_eq!((field, addresses.len()), ("abuse-addresses", 2));
    assert_eq!(config.components[0].role, ComponentRole::Connector);
    let DatabaseLocation::Url(url) = config.database_location() else {
        panic!("a URL was given");
    };
    assert_eq!(url.expose(), "postgres://u:p@h/d");
}

#[test]
fn variables_override_the_file() {
    let text = "[log]\nformat = 'json'\n[tls]\ncertificate = 'c'\nkey = 'k'\n\
                [[host]]\ndomain = 'a.example'\ncertificate = 'c'\nkey = 'k'\n";
    let config = Config::parse(
        "parlour.toml",
        text,
        variables(&[
            ("HOME", "/nowhere"),
            ("PARLOUR_CONFIG", "ignored.toml"),
            ("PARLOUR_DATA_DIR", "/data"),
            ("PARLOUR_DATABASE_URL", "sqlite:x.db"),
            ("PARLOUR_LISTEN_C2S", "127.0.0.1:5222, [::1]:5222"),
            ("PARLOUR_LISTEN_C2S_DIRECT_TLS", ""),
            ("PARLOUR_C2S_REQUIRE_TLS", "false"),
            ("PARLOUR_C2S_STANZA_BYTES_MAX", "64 KiB"),
            ("PARLOUR_TLS_CERTIFICATE", ""),
            ("PARLOUR_TLS_KEY", ""),
            ("PARLOUR_LOG_FORMAT", "text"),
            ("PARLOUR_PRIVATE_STORAGE_BYTES_MAX", "1000"),
            ("PARLOUR_HOST", "b.example,a.example"),
        ]),
    )
    .unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/data"));
    assert_eq!(config.listen.c2s.len(), 2);
    assert!(config.listen.c2s_direct_tls.is_empty());
    assert!(!config.c2s.require_tls);
    assert_eq!(config.c2s.stanza_bytes_max, Bytes::kib(64));
    assert_eq!(config.tls.certificate, None);
    assert_eq!(config.log.format, crate::observe::Format::Text);
    assert_eq!(config.private_storage.bytes_max, Bytes::new(1000));
    // A host that the file knows keeps what the file says about it.
    let [b, a] = config.hosts.as_slice() else {
        panic!("{:?}", config.hosts);
    };
    assert_eq!((b.domain.as_str(), &b.certificate), ("b.example", &None));
    assert_eq!(a.certificate, Some(PathBuf::from("c")));
}

#[test]
fn wrong_variables_are_refused_by_name() {
    for (pair, told) in [
        (
            ("PARLOUR_LISTEN_CS2", ""),
            "unknown variable \"PARLOUR_LISTEN_CS2\"; did you mean \"PARLOUR_LISTEN_C2S\"?",
        ),
        (("PARLOUR_", "1"), "unknown variable \"PARLOUR_\""),
        (
            ("PARLOUR_HOST_DOMAIN", "a.example"),
            "unknown variable \"PARLOUR_HOST_DOMAIN\"",
        ),
        (
            ("PARLOUR_LISTEN_C2S", "127.0.0.1:1,5222"),
            "expected \"address:port\", found \"5222\"",
        ),
        (
            ("PARLOUR_AUTH_ATTEMPTS_MAX", "9"),
            "expected an integer from 2 to 5, found 9",
        ),
        (
            ("PARLOUR_C2S_REQUIRE_TLS", "no"),
            "expected true or false, found \"no\"",
        ),
        (
            ("PARLOUR_C2S_REQUIRE_TLS", "false"),
            "[c2s] require_tls: false is accepted on loopback addresses only, \
             but [listen] c2s has \"0.0.0.0:5222\"",
        ),
        (
            ("PARLOUR_HOST", "a.example,b c"),
            "expected a domain such as \"example.org\", found \"b c\"",
        ),
        (("PARLOUR_HOST", ""), "expected at least one domain"),
        (
            ("PARLOUR_HOST", "a.example,A.example"),
            "a.example is listed twice",
        ),
        (
            ("PARLOUR_DATABASE_URL_FILE", "/nonexistent/url"),
            "cannot read the secret's file \"/nonexistent/url\": \
             No such file or directory (os error 2)",
        ),
    ] {
        let errors = with(&[pair]).expect_err(pair.0);
        assert_eq!(
            errors.to_string(),
            format!("{}: {told}", pair.0),
            "{pair:?}"
        );
    }
}

#[test]
fn a_secret_is_read_from_its_file_without_the_last_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "postgres://u:p@h/d\r\n").unwrap();
    let path = path.to_str().unwrap();
    let by_variable = with(&[("PARLOUR_DATABASE_URL_FILE", path)]).unwrap();
    let by_key = file(&format!("[database]\nurl_file = '{path}'")).unwrap();
    for config in [by_variable, by_key] {
        let url = config.database.url.unwrap();
        assert_eq!(url.expose(), "postgres://u:p@h/d");
    }
}

#[test]
fn secrets_do_not_appear_in_debug_output_nor_in_complaints() {
    let text = "[database]\nurl = 'postgres://u:hunter2@h/d'\n\
                [[component]]\ndomain = 'c.example'\nsecret = 'hunter3'\n";
    let shown = format!("{:#?}", file(text).unwrap());
    assert!(shown.contains("c.example"), "{shown}");
    assert!(!shown.contains("hunter"), "{shown}");
    for wrong in ["[c2s]\nx = 1", "[tls]\nkey = 'k'", "[log]\nlevel = 1"] {
        let errors = file(&format!("{text}{wrong}")).unwrap_err();
        assert!(!errors.to_string().contains("hunter"), "{errors}");
        assert!(!format!("{errors:?}").contains("hunter"), "{errors:?}");
    }
}

#[test]
fn a_named_file_is_read_and_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, "data_dir = '/one'").unwrap();
    let none = std::iter::empty();
    let config = Config::load(Some(&path), none).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/one"));

    let name = path.to_str().unwrap();
    let config = Config::load(None, variables(&[(FILE_VARIABLE, name)])).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("/one"));

    let missing = folder.path().join("missing.toml");
    let errors = Config::load(Some(&missing), std::iter::empty()).unwrap_err();
    let told = errors.to_string();
    assert!(told.starts_with(missing.to_str().unwrap()), "{told}");
    assert!(told.contains("cannot be read"), "{told}");
}

/// The lines that begin with `#` and no space, without the `#`.
fn uncommented(page: &str) -> String {
    page.lines()
        .filter_map(|line| line.strip_prefix('#'))
        .filter(|line| !line.is_empty() && !line.starts_with(' '))
        .fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn the_reference_says_the_defaults_commented_or_not() {
    let page = reference();
    assert_eq!(file(&page), Ok(Config::default()), "{page}");
    let text = uncommented(&page);
    assert!(text.contains("[[host]]\ndomain = \"localhost\""), "{text}");
    assert_eq!(file(&text), Ok(Config::default()), "{text}");
}

#[test]
fn the_reference_has_every_field_of_every_struct() {
    let text = "[[component]]\ndomain = 'c.example'\nsecret = 's'";
    let everything = format!("{:#?}", file(text).unwrap());
    let fields: BTreeSet<_> = everything
        .lines()
        .filter_map(|line| line.trim_start().split_once(": "))
        .map(|(field, _)| field)
        .collect();
    assert!(fields.len() > 50, "{fields:?}");
    let page = reference();
    for field in fields {
        let singular = field.trim_end_matches('s');
        let written = [
            format!("\n#{field} = "),
            format!("\n# {field} = "),
            format!("\n#[{field}]\n"),
            format!(".{field}]\n"),
            format!(".{singular}]]\n"),
            format!("\n#[[{singular}]]\n"),
            format!("\n# [[{singular}]]\n"),
        ];
        assert!(
            written.iter().any(|w| page.contains(w)),
            "{field} in\n{page}"
        );
    }
}
