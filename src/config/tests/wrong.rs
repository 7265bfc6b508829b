//! Files that are refused, and what is said of them.

use super::file;

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
        "[contact_center]\nlookup_component = 'c.example'",
        &[
            "2:20: [contact_center] lookup_component: c.example is no [[component]] with role = \"crm\"",
        ],
    ),
    (
        "[contact_center]\ndelivery = 'c.example'\n[[component]]\ndomain = 'c.example'\nsecret = 's'\nrole = 'crm'",
        &[
            "2:12: [contact_center] delivery: c.example is no [[component]] with role = \"connector\"",
        ],
    ),
    (
        "[contact_center]\nlookup_milliseconds = 20",
        &[
            "2:23: [contact_center] lookup_milliseconds: expected an integer from 50 to 10000, found 20",
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
    (
        "[[component]]\ndomain = 'rooms.localhost'\nsecret = 's'",
        &["2:10: [[component]] domain: rooms.localhost is a service already"],
    ),
    (
        "[[component]]\ndomain = 'center.localhost'\nsecret = 's'",
        &["2:10: [[component]] domain: center.localhost is a service already"],
    ),
    (
        "[[component]]\ndomain = 'c.example'\nsecret = 's'\nhosts = ['elsewhere.example']",
        &["4:9: [[component]] hosts: elsewhere.example is no host of this server"],
    ),
    (
        "[[component]]\ndomain = 'c.example'\nsecret = 's'\ndelegations = ['urn:a', 'urn:b']\n\
         [[component]]\ndomain = 'd.example'\nsecret = 's'\nhosts = ['localhost']\n\
         delegations = ['urn:b node', 'urn:b']",
        &["9:15: [[component]] delegations: urn:b is delegated to c.example already"],
    ),
    (
        "[[component]]\ndomain = 'c.example'\nsecret = 's'\n\
         [component.privileges]\nroster = 'set'\npresence = 'roster'",
        &[
            "6:12: [component.privileges] presence: \"roster\" needs roster to be \"get\" or \"both\"",
        ],
    ),
    (
        "[[component]]\ndomain = 'c.example'\nsecret = 's'\nqueue_bytes_max = '64KiB'",
        &[
            "4:19: [[component]] queue_bytes_max: expected at least stanza_bytes_max of [c2s], \
             262144 bytes, found 65536",
        ],
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
