//! The rules of the configuration file and its variables, as tables.

use std::collections::BTreeSet;

use super::*;

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

/// Each text with everything that must be said about it, after `parlour.toml:`.
const WRONG: &[(&str, &[&str])] = &[
    // Keys that nobody knows.
    ("data = 1", &["1:1: unknown key \"data\""]),
    (
        "\n[lisen]\nc2s = []",
        &["2:2: unknown key \"lisen\"; did you mean \"listen\"?"],
    ),
    (
        "[c2s]\nrequire_tsl = true",
        &["2:1: [c2s]: unknown key \"require_tsl\"; did you mean \"require_tls\"?"],
    ),
    (
        "[[host]]\ndomain = 'a.example'\n[host.contact]\nabus = []",
        &["4:1: [host.contact]: unknown key \"abus\"; did you mean \"abuse\"?"],
    ),
    (
        "[tls]\nkey_file = 'x'",
        &["2:1: [tls]: unknown key \"key_file\""],
    ),
    // Values of the wrong type.
    (
        "data_dir = 5",
        &["1:12: data_dir: expected a path, found 5"],
    ),
    (
        "data_dir = ''",
        &["1:12: data_dir: expected a path, found \"\""],
    ),
    (
        "[listen]\nc2s = '127.0.0.1:5222'",
        &["2:7: [listen] c2s: expected a list (each \"address:port\"), found \"127.0.0.1:5222\""],
    ),
    (
        "# é\n[listen]\nc2s = ['[::]:5222', '5222',\n  'localhost:1', 7]",
        &[
            "3:21: [listen] c2s: expected \"address:port\", found \"5222\"",
            "4:3: [listen] c2s: expected \"address:port\", found \"localhost:1\"",
            "4:18: [listen] c2s: expected \"address:port\", found 7",
        ],
    ),
    (
        "[c2s]\nrequire_tls = 'no'",
        &["2:15: [c2s] require_tls: expected true or false, found \"no\""],
    ),
    (
        "[auth]\nattempts_max = '3'",
        &["2:16: [auth] attempts_max: expected an integer from 2 to 5, found \"3\""],
    ),
    (
        "[c2s]\nstanza_bytes_max = '1 parsec'",
        &[
            "2:20: [c2s] stanza_bytes_max: expected a size such as 65536 or \"64 KiB\" \
           from 10000 to \"16 MiB\", found \"1 parsec\"",
        ],
    ),
    ("listen = 5", &["1:10: expected a table [listen], found 5"]),
    (
        "[host]\ndomain = 'a.example'",
        &["1:1: expected tables [[host]], found a table"],
    ),
    (
        "host = ['a.example']",
        &["1:8: expected tables [[host]], found a list"],
    ),
    // Values out of range, and words that are none of the choices.
    (
        "[auth]\nscram_iterations = 1000",
        &["2:20: [auth] scram_iterations: expected an integer from 4096 to 1000000, found 1000"],
    ),
    (
        "[auth]\nscram_iterations = -1",
        &["2:20: [auth] scram_iterations: expected an integer from 4096 to 1000000, found -1"],
    ),
    (
        "[c2s]\nnegotiation_timeout_seconds = 0",
        &["2:31: [c2s] negotiation_timeout_seconds: \
           expected whole seconds from 1 to 600, found 0"],
    ),
    (
        "[registration]\nmode = 'everyone'",
        &["2:8: [registration] mode: \
           expected \"closed\" or \"invite\" or \"open\", found \"everyone\""],
    ),
    (
        "[log]\nlevel = 'inf'\nformat = 'xml'",
        &[
            "2:9: [log] level: expected a log level such as \"info\", or \
             \"info,parlour::router=debug\", found \"inf\"",
            "3:10: [log] format: expected \"text\" or \"json\", found \"xml\"",
        ],
    ),
    (
        "[[host]]\ndomain = 'a.example'\n[host.contact]\nabuse = ['abuse@a.example']",
        &["4:10: [host.contact] abuse: expected a URI such as \
           \"mailto:abuse@example.org\" or \"xmpp:admin@example.org\", \
           found \"abuse@a.example\""],
    ),
    // Hosts.
    ("host = []", &["1:8: [[host]]: expected at least one host"]),
    (
        "[[host]]\ncertificate = 'c'\nkey = 'k'",
        &["1:1: [[host]] domain: missing"],
    ),
    (
        "[[host]]\ndomain = 'a@b'",
        &["2:10: [[host]] domain: expected a domain such as \"example.org\", found \"a@b\""],
    ),
    (
        "[[host]]\ndomain = 'a.example:5222'",
        &[
            "2:10: [[host]] domain: expected a domain such as \"example.org\", \
           found \"a.example:5222\"",
        ],
    ),
    (
        "[[host]]\ndomain = 'a.example'\n[[host]]\ndomain = 'A.Example.'",
        &["4:10: [[host]] domain: a.example is a host already"],
    ),
    (
        "[[host]]\ndomain = 'a.example'\ncertificate = 'c.pem'",
        &["3:15: [[host]] certificate: expected a key with it, found none"],
    ),
    (
        "[tls]\nkey = 'k.pem'",
        &["2:7: [tls] key: expected a certificate with it, found none"],
    ),
    // Components.
    (
        "[[external_service]]\nhost = 'turn.example'",
        &["1:1: [[external_service]] kind: missing"],
    ),
    (
        "[[external_service]]\nkind = 'turn'\nhost = ''",
        &["3:8: [[external_service]] host: expected a domain or an IP address, found none"],
    ),
    (
        "[[external_service]]\nkind = 'turn'\nhost = 'h'\nsecret = 's'\npassword = 'p'",
        &["4:10: [[external_service]] secret: expected either secret or password, found both"],
    ),
    (
        "[reporting]\nnotify = ['nobody']",
        &[
            "2:11: [reporting] notify: expected an address such as \"admin@example.org\", \
             found \"nobody\"",
        ],
    ),
    (
        "[[component]]\ndomain = 'c.example'",
        &["1:1: [[component]] secret: missing"],
    ),
    (
        "[[component]]\ndomain = 'c.example'\nsecret = ''",
        &["3:10: [[component]] secret: expected a secret, found an empty one"],
    ),
    (
        "[[component]]\ndomain = 'c.example'\nsecret_file = '/nonexistent/secret'",
        &[
            "3:15: [[component]] secret_file: cannot read the secret's file \
           \"/nonexistent/secret\": No such file or directory (os error 2)",
        ],
    ),
    (
        "[[component]]\ndomain = 'c.example'\nsecret = 's'\nsecret_file = 'f'",
        &["4:15: [[component]] secret_file: expected either secret or secret_file, found both"],
    ),
    (
        "[[component]]\ndomain = 'localhost'\nsecret = 's'",
        &["2:10: [[component]] domain: localhost is a host already"],
    ),
    // A value that is wrong is not judged again by the rules across keys.
    (
        "[tls]\ncertificate = 1\nkey = 'k'\n[[host]]\ndomain = 1\n[[host]]\ndomain = 2",
        &[
            "2:15: [tls] certificate: expected a path, found 1",
            "5:10: [[host]] domain: expected a domain such as \"example.org\", found 1",
            "7:10: [[host]] domain: expected a domain such as \"example.org\", found 2",
        ],
    ),
    // Secrets are not repeated.
    (
        "[[component]]\ndomain = 'c.example'\nsecret = 8472",
        &["3:10: [[component]] secret: expected a string, found an integer (not shown)"],
    ),
    (
        "[database]\nurl = 'mysql://u:hunter2@h/d'",
        &["2:7: [database] url: expected \"sqlite:path\" or \
           \"postgres://user:password@server/database\""],
    ),
    // Rules across keys.
    (
        "[c2s]\nrequire_tls = false",
        &[
            "2:15: [c2s] require_tls: false is accepted on loopback addresses only, \
           but [listen] c2s has \"0.0.0.0:5222\"",
        ],
    ),
    (
        "[c2s]\nmailbox_bytes_max = '128 KiB'",
        &["2:21: [c2s] mailbox_bytes_max: \
           expected at least stanza_bytes_max, 262144 bytes, found 131072"],
    ),
    (
        "[c2s]\nstanza_bytes_max = '2 MiB'",
        &["2:20: [c2s] mailbox_bytes_max: \
           expected at least stanza_bytes_max, 2097152 bytes, found 1048576"],
    ),
    // Several mistakes are all told, in the file's order.
    (
        "nonsense = 1\n[tls]\nmin_version = '1.1'\n[log]\nformat = 1",
        &[
            "1:1: unknown key \"nonsense\"",
            "3:15: [tls] min_version: expected \"1.2\" or \"1.3\", found \"1.1\"",
            "5:10: [log] format: expected \"text\" or \"json\", found 1",
        ],
    ),
];

#[test]
fn wrong_files_are_refused_with_place_and_expectation() {
    for (text, expected) in WRONG {
        let told = file(text).expect_err(text).to_string();
        let told: Vec<_> = told
            .lines()
            .map(|line| line.strip_prefix("parlour.toml:").unwrap_or(line))
            .collect();
        assert_eq!(told, *expected, "{text}");
    }
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
    assert_eq!(config.unserved(), [""; 0]);
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
         [[component]]\ndomain = 'sms.example'\nsecret = 's'\nrole = 'contact_center'\n",
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
    assert_eq!(config.components[0].role, ComponentRole::ContactCenter);
    assert_eq!(config.unserved(), ["[[component]]"]);
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
            format!("\n#[host.{field}]\n"),
            format!("\n#[[{singular}]]\n"),
            format!("\n# [[{singular}]]\n"),
        ];
        assert!(
            written.iter().any(|w| page.contains(w)),
            "{field} in\n{page}"
        );
    }
}
