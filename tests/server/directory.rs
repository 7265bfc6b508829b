//! People who are kept in a directory log in with its passwords. The directory is Debian's slapd.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::time::timeout;

use crate::authority::Authority;
use crate::house::{House, PATIENCE};
use crate::peer::{PASSWORD, Peer, mechanisms};
use crate::slapd::{PEOPLE, SERVICE_PASSWORD, Slapd};
use crate::xml::Node;

const ROLES: &str = "[[auth.ldap.role]]
group = 'CN=supervisors, ou=groups, dc=example, dc=org'
role = 'supervisor'
";

/// What the configuration says of the directory, up to the keys of the mode.
fn base(slapd: &Slapd, sources: &str, url: &str) -> String {
    format!(
        "[auth]\nsources = [{sources}]\n[auth.ldap]\nurls = ['{url}']\nca = {:?}\ntimeout_seconds = 2\n",
        slapd.ca()
    )
}

fn searching(slapd: &Slapd, sources: &str, url: &str) -> String {
    format!(
        "{}bind_dn = 'cn=parlour,dc=example,dc=org'\nbind_password = '{SERVICE_PASSWORD}'\n\
         base = 'dc=example,dc=org'\n{ROLES}",
        base(slapd, sources, url)
    )
}

fn binding(slapd: &Slapd, sources: &str, url: &str) -> String {
    format!(
        "{}mode = 'bind'\nuser_dn = 'uid={{user}},ou=people,dc=example,dc=org'\n{ROLES}",
        base(slapd, sources, url)
    )
}

/// Where no attribute of a person lists the groups.
fn searching_groups(slapd: &Slapd, sources: &str, url: &str) -> String {
    let groups = "groups_base = 'ou=groups,dc=example,dc=org'\n[[auth.ldap.role]]";
    searching(slapd, sources, url).replace("[[auth.ldap.role]]", groups)
}

async fn house(config: &str, accounts: &[(&str, &str)]) -> Result<House> {
    // Not even an account for the first start, which would have a password of its own.
    House::serving(config, accounts).await
}

/// The answer to PLAIN on a new connection.
async fn plain(house: &House, user: &str, password: &str) -> Result<(Peer, Node)> {
    let mut peer = Peer::connect(house, "localhost").await?;
    peer.open().await?;
    let message = format!("\0{user}\0{password}");
    let answer = peer.authenticate("PLAIN", message.as_bytes()).await?;
    Ok((peer, answer))
}

async fn refused(house: &House, user: &str, password: &str, condition: &str) -> Result<()> {
    let (_, answer) = plain(house, user, password).await?;
    ensure!(
        answer.name == "failure" && answer.child(condition).is_some(),
        "{user}: {answer}"
    );
    Ok(())
}

/// Logs in and says which name the vCard has.
async fn name_of(house: &House, user: &str, password: &str) -> Result<Option<String>> {
    let (mut peer, answer) = plain(house, user, password).await?;
    ensure!(answer.name == "success", "{answer}");
    peer.open().await?;
    let jid = peer.bind("desk").await?;
    ensure!(jid == format!("{user}@localhost/desk"), "{jid}");
    peer.send("<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>")
        .await?;
    let answer = peer.until(|node| node.attribute("id") == Some("v")).await?;
    let name = answer.child("vCard").and_then(|card| card.child("FN"));
    Ok(name.map(|name| name.text.clone()))
}

/// What a command prints, whether it succeeds or not.
async fn printed(house: &House, arguments: &[&str]) -> Result<String> {
    let output = timeout(PATIENCE, house.command(arguments).output()).await??;
    let (out, err) = (output.stdout, output.stderr);
    Ok(String::from_utf8_lossy(&out).into_owned() + &String::from_utf8_lossy(&err))
}

async fn role_of(house: &House, user: &str) -> Result<String> {
    let list = printed(house, &["account", "list"]).await?;
    let mut lines = list.lines();
    let line = lines.find(|line| line.starts_with(&format!("{user}@")));
    let line = line.with_context(|| format!("{user} has no account:\n{list}"))?;
    let role = line.split_whitespace().nth(1);
    Ok(role.context("no role")?.to_owned())
}

/// Makes the configuration of a mode: for a directory, the order of the sources, and a URL.
type Mode = fn(&Slapd, &str, &str) -> String;

#[tokio::test]
async fn people_log_in_in_both_modes_over_ldaps_and_starttls() -> Result<()> {
    let authority = Authority::new("directory")?;
    let slapd = Slapd::start(&authority, PEOPLE).await?;
    let ldaps = format!("ldaps://localhost:{}", slapd.ldaps);
    let starttls = format!("ldap://localhost:{}", slapd.ldap);
    let both: [(Mode, &str); 5] = [
        (searching, &ldaps),
        (searching, &starttls),
        (binding, &ldaps),
        (binding, &starttls),
        (searching_groups, &ldaps),
    ];
    for (mode, url) in both {
        let house = house(&mode(&slapd, "'local', 'ldap'", url), &[]).await?;
        let name = name_of(&house, "anna", "anna secret").await?;
        ensure!(name.as_deref() == Some("Anna Agent"), "{url}: {name:?}");
        ensure!(role_of(&house, "anna").await? == "supervisor");
        ensure!(name_of(&house, "bert", "bert secret").await?.is_none());
        ensure!(role_of(&house, "bert").await? == "member");
        // Over the connection that is there by now.
        name_of(&house, "anna", "anna secret").await?;

        for (user, password) in [
            ("anna", "bert secret"),
            ("anna", "service secret"),
            ("nobody", "anna secret"),
            ("parlour", "service secret"),
            ("*", "anna secret"),
            ("anna)(uid=*", "anna secret"),
            ("anna,ou=people,dc=example,dc=org", "anna secret"),
            ("anna,ou=people", "anna secret"),
            ("anna+cn=Anna", "anna secret"),
            ("an*", "anna secret"),
        ] {
            refused(&house, user, password, "not-authorized").await?;
        }
        refused(&house, "anna", "", "malformed-request").await?;
        let log = house.log();
        ensure!(
            !log.contains("anna secret") && !log.contains(SERVICE_PASSWORD),
            "a password is in the log"
        );
        let report = printed(&house, &["check"]).await?;
        ensure!(report.contains("directory      answers"), "{report}");
    }
    Ok(())
}

#[tokio::test]
async fn whom_a_filter_does_not_tell_from_another_does_not_log_in() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    let house = house(&searching(&slapd, "'ldap'", &url), &[]).await?;
    refused(&house, "carla", "carla secret", "not-authorized").await?;
    house.logs("more than one entry", 1).await
}

#[tokio::test]
async fn only_mechanisms_that_the_sources_have_are_offered() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    for (sources, expected) in [
        ("'ldap'", "PLAIN"),
        (
            "'local', 'ldap'",
            "SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1 PLAIN",
        ),
    ] {
        let house = house(&searching(&slapd, sources, &url), &[]).await?;
        let mut peer = Peer::connect(&house, "localhost").await?;
        let features = peer.open().await?;
        ensure!(mechanisms(&features).join(" ") == expected, "{features}");
    }
    Ok(())
}

#[tokio::test]
async fn the_first_source_that_knows_the_account_decides() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    let accounts = [("bert@localhost", PASSWORD), ("admin@localhost", PASSWORD)];
    let house = house(&searching(&slapd, "'local', 'ldap'", &url), &accounts).await?;
    name_of(&house, "bert", PASSWORD).await?;
    name_of(&house, "admin", PASSWORD).await?;
    refused(&house, "bert", "bert secret", "not-authorized").await?;
    refused(&house, "admin", "admin", "not-authorized").await?;

    let house = self::house(&searching(&slapd, "'ldap', 'local'", &url), &accounts).await?;
    refused(&house, "bert", PASSWORD, "not-authorized").await?;
    name_of(&house, "admin", PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn who_took_a_name_before_gets_no_role_of_the_directory_s_person() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    // A stranger has registered with the supervisor's name.
    let accounts = [("anna@localhost", PASSWORD)];
    for sources in ["'ldap', 'local'", "'local', 'ldap'", "'ldap'"] {
        let house = house(&searching(&slapd, sources, &url), &accounts).await?;
        refused(&house, "anna", "anna secret", "not-authorized").await?;
        ensure!(role_of(&house, "anna").await? == "member", "{sources}");
    }
    let house = house(&searching(&slapd, "'ldap', 'local'", &url), &accounts).await?;
    refused(&house, "anna", "anna secret", "not-authorized").await?;
    house.logs("the account is somebody else's", 1).await?;
    house.ask(&["account", "remove", "anna@localhost"]).await?;
    name_of(&house, "anna", "anna secret").await?;
    ensure!(role_of(&house, "anna").await? == "supervisor");
    Ok(())
}

#[tokio::test]
async fn a_directory_that_is_down_is_no_wrong_password_and_comes_back() -> Result<()> {
    let mut slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    let local = [("admin@localhost", PASSWORD)];
    let house = house(&searching(&slapd, "'local', 'ldap'", &url), &local).await?;
    name_of(&house, "anna", "anna secret").await?;
    slapd.stop().await?;
    refused(&house, "anna", "anna secret", "temporary-auth-failure").await?;
    refused(&house, "nobody", "x", "temporary-auth-failure").await?;
    name_of(&house, "admin", PASSWORD).await?;
    let report = printed(&house, &["check"]).await?;
    ensure!(
        report.contains("no server of the directory answers"),
        "{report}"
    );
    slapd.resume().await?;
    name_of(&house, "anna", "anna secret").await?;
    Ok(())
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_does_not_answer() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    // Port 1 is nobody's.
    let urls = format!(
        "ldaps://localhost:1', 'ldaps://127.0.0.1:{port}', 'ldaps://localhost:{port}",
        port = slapd.ldaps
    );
    let house = house(&searching(&slapd, "'ldap'", &urls), &[]).await?;
    name_of(&house, "anna", "anna secret").await?;
    // The certificate does not name the address.
    house.logs("no connection to the directory", 2).await
}

/// It takes connections, and nothing ever comes back: the time for an answer is two seconds here.
#[tokio::test]
async fn a_directory_that_hangs_is_given_up_and_the_next_one_asked() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let hanging = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = hanging.local_addr()?.port();
    let alone = format!("ldaps://localhost:{port}");
    let local = [("admin@localhost", PASSWORD)];
    let house = house(&searching(&slapd, "'local', 'ldap'", &alone), &local).await?;
    refused(&house, "anna", "anna secret", "temporary-auth-failure").await?;
    house.logs("no connection to the directory", 1).await?;
    // Who is known here does not wait for it.
    name_of(&house, "admin", PASSWORD).await?;
    let urls = format!("{alone}', 'ldaps://localhost:{}", slapd.ldaps);
    let house = self::house(&searching(&slapd, "'ldap'", &urls), &[]).await?;
    name_of(&house, "anna", "anna secret").await?;
    Ok(())
}

#[tokio::test]
async fn a_directory_that_shows_a_stranger_s_certificate_hears_no_password() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let others = tempfile::NamedTempFile::new()?;
    std::fs::write(others.path(), Authority::new("strangers")?.pem())?;
    for url in [
        format!("ldaps://localhost:{}", slapd.ldaps),
        format!("ldap://localhost:{}", slapd.ldap),
    ] {
        let config = searching(&slapd, "'ldap'", &url);
        let own = format!("ca = {:?}", slapd.ca());
        let config = config.replace(&own, &format!("ca = {:?}", others.path()));
        let house = house(&config, &[]).await?;
        refused(&house, "anna", "anna secret", "temporary-auth-failure").await?;
        house.logs("no connection to the directory", 1).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_service_password_is_told_by_the_check() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    let config = searching(&slapd, "'ldap'", &url).replace(SERVICE_PASSWORD, "other secret");
    let house = house(&config, &[]).await?;
    refused(&house, "anna", "anna secret", "temporary-auth-failure").await?;
    let report = printed(&house, &["check"]).await?;
    ensure!(
        report.contains("refuses the bind of its bind_dn") && !report.contains("other secret"),
        "{report}"
    );
    Ok(())
}

#[tokio::test]
async fn an_account_of_the_directory_has_no_password_here_and_can_be_disabled() -> Result<()> {
    let slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    let house = house(&searching(&slapd, "'local', 'ldap'", &url), &[]).await?;
    let (mut peer, answer) = plain(&house, "anna", "anna secret").await?;
    ensure!(answer.name == "success", "{answer}");
    peer.open().await?;
    peer.bind("desk").await?;
    peer.send(
        "<iq type='set' id='p' to='localhost'><query xmlns='jabber:iq:register'>\
         <username>anna</username><password>another secret</password></query></iq>",
    )
    .await?;
    let answer = peer.until(|it| it.attribute("id") == Some("p")).await?;
    let error = answer.child("error").context("it was changed")?;
    ensure!(error.child("not-allowed").is_some(), "{answer}");
    refused(&house, "anna", "another secret", "not-authorized").await?;

    house.ask(&["account", "disable", "anna@localhost"]).await?;
    refused(&house, "anna", "anna secret", "account-disabled").await?;
    house.ask(&["account", "enable", "anna@localhost"]).await?;
    name_of(&house, "anna", "anna secret").await?;
    Ok(())
}

/// The proof of XEP-0484 without a channel.
fn token_proof(user: &str, token: &str) -> Result<String> {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(token.as_bytes())?;
    mac.update(b"Initiator");
    let mut message = format!("{user}\0").into_bytes();
    message.extend_from_slice(&mac.finalize().into_bytes());
    Ok(BASE64.encode(message))
}

async fn authenticate2(house: &House, mechanism: &str, initial: &str, more: &str) -> Result<Node> {
    const AGENT: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>";
    let mut peer = Peer::connect(house, "localhost").await?;
    peer.open().await?;
    peer.send(&format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='{mechanism}'>\
         <initial-response>{initial}</initial-response>{AGENT}{more}</authenticate>"
    ))
    .await?;
    peer.element().await
}

#[tokio::test]
async fn a_token_does_not_outlive_that_its_owner_is_in_the_directory() -> Result<()> {
    let mut slapd = Slapd::start(&Authority::new("directory")?, PEOPLE).await?;
    let url = format!("ldaps://localhost:{}", slapd.ldaps);
    let house = house(&searching(&slapd, "'ldap'", &url), &[]).await?;
    let plain = BASE64.encode("\0anna\0anna secret");
    let ask = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>\
               <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>";
    let answer = authenticate2(&house, "PLAIN", &plain, ask).await?;
    // Not <continue/>: keys of SCRAM would be a password here.
    ensure!(answer.name == "success", "{answer}");
    let token = answer.child("token").and_then(|it| it.attribute("token"));
    let proof = token_proof("anna", token.context("no token")?)?;
    let fast = "<fast xmlns='urn:xmpp:fast:0'/>";
    let answer = authenticate2(&house, "HT-SHA-256-NONE", &proof, fast).await?;
    ensure!(answer.name == "success", "{answer}");

    slapd.stop().await?;
    let answer = authenticate2(&house, "HT-SHA-256-NONE", &proof, fast).await?;
    ensure!(answer.child("temporary-auth-failure").is_some(), "{answer}");
    let without = PEOPLE
        .replace("uid=anna,", "uid=other,")
        .replace("uid: anna", "uid: other");
    slapd.fill(&without).await?;
    slapd.resume().await?;
    let answer = authenticate2(&house, "HT-SHA-256-NONE", &proof, fast).await?;
    ensure!(answer.child("not-authorized").is_some(), "{answer}");
    Ok(())
}
