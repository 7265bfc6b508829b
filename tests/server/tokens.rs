//! People log in with tokens that somebody else signed (OAUTHBEARER, RFC 7628).

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rcgen::KeyPair;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::house::House;
use crate::peer::{PASSWORD, Peer, mechanisms};
use crate::xml::Node;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// Whoever signs.
struct Signer(EncodingKey);

impl Signer {
    fn new() -> Result<Self> {
        let pem = KeyPair::generate()?.serialize_pem();
        Ok(Self(EncodingKey::from_ec_pem(pem.as_bytes())?))
    }

    fn jwks(&self) -> Result<String> {
        let mut jwk = Jwk::from_encoding_key(&self.0, Algorithm::ES256)?;
        jwk.common.key_id = Some("k1".to_owned());
        Ok(json!({ "keys": [jwk] }).to_string())
    }

    /// A good token for somebody, with some claims replaced.
    fn token(&self, user: &str, changes: &Value) -> Result<String> {
        let mut claims = json!({
            "iss": "https://login.example.org",
            "aud": ["parlour"],
            "exp": get_current_timestamp() + 600,
            "preferred_username": user,
            "name": "Anna Agent",
            "roles": ["lead"],
        });
        let claims_of = claims.as_object_mut().context("an object")?;
        claims_of.extend(changes.as_object().context("an object")?.clone());
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("k1".to_owned());
        Ok(encode(&header, &claims, &self.0)?)
    }
}

fn config(sources: &str, keys: &str) -> String {
    format!(
        "[auth]\nsources = [{sources}]\n[auth.oauth]\nissuer = 'https://login.example.org'\n\
         audiences = ['parlour']\n{keys}\n[[auth.oauth.role]]\nvalue = 'lead'\nrole = 'supervisor'\n\
         [[auth.oauth.role]]\nvalue = 'desk'\nrole = 'agent'\n"
    )
}

async fn from_file(
    signer: &Signer,
    sources: &str,
    accounts: &[(&str, &str)],
) -> Result<(House, tempfile::NamedTempFile)> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), signer.jwks()?)?;
    let keys = format!("jwks_file = {:?}", file.path());
    let house = House::serving(&config(sources, &keys), accounts).await?;
    Ok((house, file))
}

fn message(authzid: &str, token: &str) -> String {
    format!("n,{authzid},\x01auth=Bearer {token}\x01\x01")
}

async fn authenticate(house: &House, message: &str) -> Result<(Peer, Node)> {
    let mut peer = Peer::connect(house, "localhost").await?;
    peer.open().await?;
    let answer = peer.authenticate("OAUTHBEARER", message.as_bytes()).await?;
    Ok((peer, answer))
}

#[tokio::test]
async fn a_token_logs_in_over_sasl_and_sasl2() -> Result<()> {
    let signer = Signer::new()?;
    let (house, _file) = from_file(&signer, "'oauth'", &[]).await?;
    let mut peer = Peer::connect(&house, "localhost").await?;
    let features = peer.open().await?;
    ensure!(mechanisms(&features) == ["OAUTHBEARER"], "{features}");
    let token = signer.token("anna", &json!({}))?;
    for authzid in ["", "a=anna@localhost"] {
        let (mut peer, answer) = authenticate(&house, &message(authzid, &token)).await?;
        ensure!(answer.name == "success", "{answer}");
        peer.open().await?;
        let jid = peer.bind("desk").await?;
        ensure!(jid == "anna@localhost/desk", "{jid}");
        peer.send("<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>")
            .await?;
        let answer = peer.until(|it| it.attribute("id") == Some("v")).await?;
        let name = answer.child("vCard").and_then(|card| card.child("FN"));
        let name = name.context("no name")?;
        ensure!(name.text == "Anna Agent", "{answer}");
    }
    let list = house.command(&["account", "list"]).output().await?;
    let list = String::from_utf8(list.stdout)?;
    ensure!(list.contains("supervisor"), "{list}");

    let mut peer = Peer::connect(&house, "localhost").await?;
    let features = peer.open().await?;
    ensure!(features.child("authentication").is_some(), "{features}");
    let initial = BASE64.encode(message("", &signer.token("bert", &json!({}))?));
    peer.send(&format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='OAUTHBEARER'>\
         <initial-response>{initial}</initial-response></authenticate>"
    ))
    .await?;
    let answer = peer.element().await?;
    let who = answer.child("authorization-identifier");
    let who = who.with_context(|| answer.to_string())?;
    ensure!(who.text == "bert@localhost", "{answer}");
    ensure!(!house.log().contains(&token), "the token is in the log");
    Ok(())
}

/// RFC 7628 §3.2.2, §3.2.3.
#[tokio::test]
async fn a_token_that_is_not_taken_is_answered_with_the_reason_and_then_the_failure() -> Result<()>
{
    let signer = Signer::new()?;
    let (house, _file) = from_file(&signer, "'oauth'", &[]).await?;
    let stranger = Signer::new()?;
    let past = json!({ "exp": get_current_timestamp() - 600 });
    for token in [
        signer.token("anna", &past)?,
        signer.token("anna", &json!({ "aud": "others" }))?,
        signer.token("anna", &json!({ "iss": "https://login.example.net" }))?,
        signer.token("anna/desk", &json!({}))?,
        stranger.token("anna", &json!({}))?,
        "nonsense".to_owned(),
    ] {
        let (mut peer, answer) = authenticate(&house, &message("", &token)).await?;
        ensure!(answer.name == "challenge", "{answer}");
        let reason: Value = serde_json::from_slice(&BASE64.decode(&answer.text)?)?;
        let discovery = "https://login.example.org/.well-known/openid-configuration";
        ensure!(
            reason == json!({ "status": "invalid_token", "openid-configuration": discovery }),
            "{reason}"
        );
        peer.send(&format!("<response xmlns='{SASL}'>AQ==</response>"))
            .await?;
        let answer = peer.element().await?;
        ensure!(answer.child("not-authorized").is_some(), "{answer}");
    }
    let good = signer.token("anna", &json!({}))?;
    for (message, condition) in [
        (message("a=bert@localhost", &good), "invalid-authzid"),
        (format!("n,,\x01auth=Bearer {good}"), "malformed-request"),
        (
            format!("p=tls-exporter,,\x01auth=Bearer {good}\x01\x01"),
            "malformed-request",
        ),
    ] {
        let (_, answer) = authenticate(&house, &message).await?;
        ensure!(answer.child(condition).is_some(), "{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_token_takes_no_account_that_has_a_password_of_its_own() -> Result<()> {
    let signer = Signer::new()?;
    let accounts = [("admin@localhost", PASSWORD)];
    let token = signer.token("admin", &json!({}))?;
    for sources in ["'local', 'oauth'", "'oauth', 'local'", "'oauth'"] {
        let (house, _file) = from_file(&signer, sources, &accounts).await?;
        let (_, answer) = authenticate(&house, &message("", &token)).await?;
        ensure!(answer.name == "failure", "{sources}: {answer}");
        let list = house.command(&["account", "list"]).output().await?;
        let list = String::from_utf8(list.stdout)?;
        ensure!(
            list.contains("admin@localhost") && !list.contains("supervisor"),
            "{list}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn keys_come_from_a_url_and_the_check_says_whether_they_do() -> Result<()> {
    let signer = Signer::new()?;
    let site = TcpListener::bind("127.0.0.1:0").await?;
    let keys = format!("jwks_url = 'http://{}/jwks'", site.local_addr()?);
    let body = signer.jwks()?;
    let serve = async move {
        loop {
            let (mut socket, _) = site.accept().await?;
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") && socket.read_buf(&mut request).await? > 0 {}
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            socket.write_all(answer.as_bytes()).await?;
        }
    };
    let visit = async {
        let house = House::serving(&config("'oauth'", &keys), &[]).await?;
        let token = signer.token("anna", &json!({}))?;
        let (_, answer) = authenticate(&house, &message("", &token)).await?;
        ensure!(answer.name == "success", "{answer}");
        house.command(&["check"]).output().await.map_err(Into::into)
    };
    let output = tokio::select! {
        output = visit => output?,
        served = serve => {
            let ended: std::io::Result<()> = served;
            ended?;
            anyhow::bail!("the site ended");
        }
    };
    let report = String::from_utf8(output.stdout)?;
    ensure!(report.contains("1 keys of the issuer are read"), "{report}");

    // Nobody listens there any more.
    let house = House::serving(&config("'oauth'", &keys), &[]).await?;
    let token = signer.token("anna", &json!({}))?;
    let (_, answer) = authenticate(&house, &message("", &token)).await?;
    ensure!(answer.child("temporary-auth-failure").is_some(), "{answer}");
    let output = house.command(&["check"]).output().await?;
    let report = String::from_utf8(output.stdout)?;
    ensure!(report.contains("cannot be read"), "{report}");
    Ok(())
}

/// Logs in with the roles that the token names; an open session.
async fn session(house: &House, token: &str, resource: &str) -> Result<Peer> {
    let (mut peer, answer) = authenticate(house, &message("", token)).await?;
    ensure!(answer.name == "success", "{answer}");
    peer.open().await?;
    peer.bind(resource).await?;
    Ok(peer)
}

async fn ask(peer: &mut Peer, kind: &str, payload: &str) -> Result<String> {
    let iq = format!("<iq type='{kind}' id='ask' to='center.localhost'>{payload}</iq>");
    peer.send(&iq).await?;
    let answer = peer.until(|it| it.attribute("id") == Some("ask")).await?;
    Ok(answer.to_string())
}

/// What another login gives or takes holds at once in the sessions that are there.
#[tokio::test]
async fn a_role_that_a_token_brings_is_followed_in_open_sessions() -> Result<()> {
    let login = "<login xmlns='urn:parlour:agent:0'/>";
    let agents = "<agents xmlns='urn:parlour:agent:0'/>";
    let signer = Signer::new()?;
    let (house, _file) = from_file(&signer, "'oauth'", &[]).await?;
    let token = |user, roles: &[&str]| signer.token(user, &json!({ "roles": roles }));
    let mut sue = session(&house, &token("sue", &["lead"])?, "desk").await?;
    let mut anna = session(&house, &token("anna", &["desk"])?, "desk").await?;
    let answer = ask(&mut anna, "set", login).await?;
    ensure!(answer.contains("available"), "{answer}");
    let answer = ask(&mut anna, "get", agents).await?;
    ensure!(answer.contains("right-missing"), "{answer}");

    // A role taken away.
    session(&house, &token("anna", &[])?, "phone").await?;
    let answer = ask(&mut sue, "get", agents).await?;
    ensure!(
        answer.contains("logged-out") && answer.contains("right-taken"),
        "{answer}"
    );
    let answer = ask(&mut anna, "set", login).await?;
    ensure!(answer.contains("right-missing"), "{answer}");

    // And a higher one given.
    session(&house, &token("anna", &["lead"])?, "phone").await?;
    let answer = ask(&mut anna, "get", agents).await?;
    ensure!(answer.contains("anna@localhost"), "{answer}");
    Ok(())
}
