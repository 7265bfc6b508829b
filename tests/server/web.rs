//! What is served over HTTP, to good and bad peers: WebSocket (RFC 7395), BOSH (XEP-0124), and the
//! documents that tell where they are (XEP-0156).

use anyhow::{Result, ensure};
use tokio_tungstenite::tungstenite::Message;

use crate::house::House;
use crate::peer::PASSWORD;
use crate::web_client::{Brought, Socket, ask};

const PEOPLE: [(&str, &str); 1] = [("romeo@localhost", PASSWORD)];
const OPEN: &str =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";
const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
const BODY: &str = "<body xmlns='http://jabber.org/protocol/httpbind'";

#[tokio::test]
async fn a_websocket_speaks_xmpp_rfc_7395_section_3_1() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    for (headers, status) in [
        (&[][..], 400),
        (&[("sec-websocket-protocol", "chat")], 400),
        (&[("sec-websocket-protocol", "XMPP")], 400),
    ] {
        let refused = Socket::connect(&house, headers).await?.err();
        ensure!(refused == Some(status), "{headers:?}: {refused:?}");
    }
    let both = Socket::connect(&house, &[("sec-websocket-protocol", "chat, xmpp")]).await?;
    ensure!(both.is_ok(), "xmpp is not chosen");
    let answer = ask(&house, "GET", "/xmpp-websocket", &[], "").await?;
    ensure!(answer.status == 400, "no handshake: {answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_not_one_element_ends_the_stream() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let large = format!("<auth>{}</auth>", "a".repeat(20_000));
    let huge = format!("<auth>{}</auth>", "a".repeat(400_000));
    for (opens, message, condition) in [
        (false, "<presence/>", "invalid-namespace"),
        (
            false,
            "<open xmlns='urn:other' to='localhost'/>",
            "invalid-namespace",
        ),
        (
            false,
            "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>",
            "not-well-formed",
        ),
        (false, CLOSE, "bad-format"),
        (true, "<presence>", "not-well-formed"),
        (true, "<a/><b/>", "bad-format"),
        (true, "text", "bad-format"),
        (true, "<a/>text", "bad-format"),
        (true, "<a></b>", "not-well-formed"),
        (true, "<x:a/>", "bad-namespace-prefix"),
        (true, "<!-- a -->", "restricted-xml"),
        (true, OPEN, "unsupported-stanza-type"),
        (true, &large, "policy-violation"),
        (true, &huge, "policy-violation"),
    ] {
        let case = message.get(..30).unwrap_or(message);
        let mut socket = Socket::xmpp(&house).await?;
        if opens {
            socket.send(OPEN).await?;
            ensure!(socket.text().await?.starts_with("<open "), "{case}");
            ensure!(
                socket.text().await?.starts_with("<stream:features "),
                "{case}"
            );
        }
        socket.send(message).await?;
        if !opens {
            // RFC 7395 §3.4 by RFC 6120 §4.9.1.2: an error comes behind an opening.
            ensure!(socket.text().await?.starts_with("<open "), "{case}");
        }
        let error = socket.text().await?;
        ensure!(error.contains(&format!("<{condition} ")), "{case}: {error}");
        ensure!(socket.text().await? == CLOSE, "{case}");
        ensure!(socket.next().await? == Brought::Close(Some(1000)), "{case}");
    }
    Ok(())
}

#[tokio::test]
async fn binary_messages_are_refused_rfc_7395_section_3_2() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let mut socket = Socket::xmpp(&house).await?;
    socket.send(Message::binary(OPEN)).await?;
    let end = socket.next().await?;
    ensure!(end == Brought::Close(Some(1003)), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn a_websocket_is_closed_by_either_side_and_white_space_keeps_it() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let mut socket = Socket::xmpp(&house).await?;
    socket.send(OPEN).await?;
    socket.text().await?;
    socket.text().await?;
    socket.send(" ").await?;
    socket.send(CLOSE).await?;
    ensure!(socket.text().await? == CLOSE);
    ensure!(socket.next().await? == Brought::Close(Some(1000)));
    Ok(())
}

#[tokio::test]
async fn a_silent_websocket_is_pinged() -> Result<()> {
    let config = "[http]\nwebsocket_ping_seconds = 1";
    let house = House::serving(config, &PEOPLE).await?;
    let mut socket = Socket::xmpp(&house).await?;
    ensure!(socket.next().await? == Brought::Ping);
    ensure!(socket.next().await? == Brought::Ping);
    Ok(())
}

#[tokio::test]
async fn streams_over_http_end_when_the_server_stops() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    let mut socket = Socket::xmpp(&house).await?;
    socket.send(OPEN).await?;
    socket.text().await?;
    socket.text().await?;
    let first = format!("{BODY} rid='1' to='localhost' wait='50' hold='1'/>");
    let created = ask(&house, "POST", "/http-bind", &[], &first).await?;
    let (_, sid) = created.body.split_once("sid='").unwrap_or_default();
    let (sid, _) = sid.split_once('\'').unwrap_or_default();
    let poll = format!("{BODY} rid='2' sid='{sid}'/>");
    // The one that comes later takes the other's place: then it is known to be held.
    let one = Box::pin(ask(&house, "POST", "/http-bind", &[], &poll));
    let other = Box::pin(ask(&house, "POST", "/http-bind", &[], &poll));
    let (replaced, held) = futures::future::select(one, other).await.factor_first();
    let replaced = replaced?;
    ensure!(replaced.body.contains("type='error'"), "{replaced:?}");
    house.signal("TERM").await?;
    let held = held.await?;
    ensure!(held.body.contains("<system-shutdown "), "{held:?}");
    let end = "type='terminate' condition='remote-stream-error'";
    ensure!(held.body.contains(end), "{held:?}");
    let error = socket.text().await?;
    ensure!(error.contains("<system-shutdown "), "{error}");
    ensure!(socket.text().await? == CLOSE);
    ensure!(house.ended().await?.success());
    Ok(())
}

#[tokio::test]
async fn without_tls_only_a_trusted_proxy_may_speak() -> Result<()> {
    let config = "[c2s]\nrequire_tls = true\n[http]\ntrusted_proxies = []";
    let house = House::serving(config, &PEOPLE).await?;
    let refused = Socket::connect(&house, &[("sec-websocket-protocol", "xmpp")]).await?;
    ensure!(refused.err() == Some(403));
    let first = format!("{BODY} rid='1' to='localhost'/>");
    let answer = ask(&house, "POST", "/http-bind", &[], &first).await?;
    ensure!(answer.status == 403, "{answer:?}");
    // What says where to go instead is for everybody.
    let answer = ask(&house, "GET", "/.well-known/host-meta", &[], "").await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn limits_count_whom_a_proxy_speaks_for() -> Result<()> {
    let house = House::serving("[c2s]\nconnections_per_address_max = 1", &PEOPLE).await?;
    let from = |address: &'static str| {
        [
            ("sec-websocket-protocol", "xmpp"),
            ("x-forwarded-for", address),
        ]
    };
    let first = Socket::connect(&house, &from("203.0.113.9")).await?;
    ensure!(first.is_ok());
    let second = Socket::connect(&house, &from("203.0.113.9")).await?;
    ensure!(second.err() == Some(429));
    // What stands before the proxy's own entry may be invented.
    let invented = Socket::connect(&house, &from("192.0.2.1, 203.0.113.9")).await?;
    ensure!(invented.err() == Some(429));
    let other = Socket::connect(&house, &from("203.0.113.10")).await?;
    ensure!(other.is_ok());
    let headers = [("X-Forwarded-For", "203.0.113.9")];
    let first = format!("{BODY} rid='1' to='localhost'/>");
    let answer = ask(&house, "POST", "/http-bind", &headers, &first).await?;
    ensure!(answer.status == 429, "{answer:?}");
    ensure!(answer.header("retry-after").is_some(), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn browsers_are_told_which_pages_may_connect() -> Result<()> {
    let preflight = [
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let house = House::serving("", &PEOPLE).await?;
    let answer = ask(&house, "OPTIONS", "/http-bind", &preflight, "").await?;
    ensure!(answer.status == 204, "{answer:?}");
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", "content-type"),
    ] {
        ensure!(answer.header(name) == Some(value), "{answer:?}");
    }
    let config = "[http]\norigins = ['https://chat.example']";
    let house = House::serving(config, &PEOPLE).await?;
    let answer = ask(&house, "OPTIONS", "/http-bind", &preflight, "").await?;
    ensure!(
        answer.header("access-control-allow-origin").is_none(),
        "{answer:?}"
    );
    let page = |origin: &'static str| [("sec-websocket-protocol", "xmpp"), ("origin", origin)];
    let evil = Socket::connect(&house, &page("https://evil.example")).await?;
    ensure!(evil.err() == Some(403));
    let good = Socket::connect(&house, &page("https://chat.example")).await?;
    ensure!(good.is_ok());
    Ok(())
}

#[tokio::test]
async fn host_meta_tells_where_clients_connect_xep_0156() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let port = house.address("https")?.port();
    let public = House::serving("[http]\npublic_url = 'https://chat.example/'", &PEOPLE).await?;
    for (house, authority) in [
        (&house, format!("localhost:{port}")),
        (&public, "chat.example".to_owned()),
    ] {
        let websocket = format!("wss://{authority}/xmpp-websocket");
        let bosh = format!("https://{authority}/http-bind");
        let made_up = [("Host", "evil.example")];
        let xrd = ask(house, "GET", "/.well-known/host-meta", &made_up, "").await?;
        for link in [
            format!("<Link rel='urn:xmpp:alt-connections:websocket' href='{websocket}'/>"),
            format!("<Link rel='urn:xmpp:alt-connections:xbosh' href='{bosh}'/>"),
        ] {
            ensure!(xrd.body.contains(&link), "{xrd:?}");
        }
        let json = ask(house, "GET", "/.well-known/host-meta.json", &[], "").await?;
        let links: serde_json::Value = serde_json::from_str(&json.body)?;
        ensure!(links["links"][0]["href"] == websocket, "{json:?}");
        ensure!(links["links"][1]["href"] == bosh, "{json:?}");
        for (answer, kind) in [
            (&xrd, "application/xrd+xml; charset=utf-8"),
            (&json, "application/json"),
        ] {
            ensure!(answer.header("content-type") == Some(kind), "{answer:?}");
            let origin = answer.header("access-control-allow-origin");
            ensure!(origin == Some("*"), "{answer:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_request_of_bosh_that_breaks_the_rules_is_told_so_xep_0124_section_17_2() -> Result<()> {
    let house = House::serving("[http]\nbosh_sessions_max = 1", &PEOPLE).await?;
    let huge = format!("{BODY} rid='1'>{}</body>", "<a/>".repeat(200_000));
    for (body, condition) in [
        ("", "bad-request"),
        ("<body/>", "bad-request"),
        (&format!("{BODY} to='localhost'/>"), "bad-request"),
        (&format!("{BODY} rid='1'><a></body>"), "bad-request"),
        (&format!("{BODY} rid='1'/>"), "improper-addressing"),
        (&format!("{BODY} rid='1' to=''/>"), "improper-addressing"),
        (
            &format!("{BODY} rid='1' to='verona.invalid'/>"),
            "host-unknown",
        ),
        (&format!("{BODY} rid='1' to='@'/>"), "host-unknown"),
        (&format!("{BODY} rid='1' sid='nobody'/>"), "item-not-found"),
        (&huge, "policy-violation"),
    ] {
        let case = body.get(..100).unwrap_or(body);
        let answer = ask(&house, "POST", "/http-bind", &[], body).await?;
        let told = format!("type='terminate' condition='{condition}'");
        ensure!(answer.status == 200, "{case}: {answer:?}");
        ensure!(answer.body.contains(&told), "{case}: {answer:?}");
        let kind = answer.header("content-type");
        ensure!(
            kind == Some("text/xml; charset=utf-8"),
            "{case}: {answer:?}"
        );
    }
    let first = format!("{BODY} rid='1' to='localhost'/>");
    let answer = ask(&house, "POST", "/http-bind", &[], &first).await?;
    ensure!(answer.body.contains("<stream:features "), "{answer:?}");
    let answer = ask(&house, "POST", "/http-bind", &[], &first).await?;
    ensure!(
        answer.body.contains("condition='policy-violation'"),
        "{answer:?}"
    );
    let about = ask(&house, "GET", "/http-bind", &[], "").await?;
    ensure!(
        about.status == 200 && about.body.contains("BOSH"),
        "{about:?}"
    );
    let put = ask(&house, "PUT", "/http-bind", &[], "").await?;
    ensure!(put.status == 405, "{put:?}");
    Ok(())
}
