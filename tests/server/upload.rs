//! Files over HTTP (XEP-0363): what goes up comes down, and nothing else does.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;

use crate::exchange::{Exchange, Reply};
use crate::house::{House, PATIENCE};
use crate::peer::{PASSWORD, Peer, Presence};

const PEOPLE: [(&str, &str); 1] = [("romeo@localhost", PASSWORD)];

/// Between two looks at the disk.
const LOOK: Duration = Duration::from_millis(5);

/// A served house with these keys in `[upload]`.
async fn house(keys: &str) -> Result<House> {
    let config = format!(
        "[listen]\nhttp = ['127.0.0.1:0']\nhttps = []\n\
         [upload]\npublic_url = 'https://files.example/'\n{keys}"
    );
    House::serving(&config, &PEOPLE).await
}

/// What a client was granted.
pub(crate) struct Slot {
    /// Where it is uploaded to, and where it can be had.
    pub(crate) url: String,
    path: String,
    token: String,
}

/// Asks for a slot of an image.
pub(crate) async fn slot(romeo: &mut Peer, name: &str, size: usize) -> Result<Slot> {
    romeo
        .send(&format!(
            "<iq type='get' id='slot' to='upload.localhost'><request xmlns='urn:xmpp:http:upload:0' \
             filename='{name}' size='{size}' content-type='image/png'/></iq>"
        ))
        .await?;
    let answer = romeo
        .until(|node| node.attribute("id") == Some("slot"))
        .await?;
    let put = answer.child("slot").and_then(|slot| slot.child("put"));
    let put = put.with_context(|| format!("no slot: {answer}"))?;
    let url = put.attribute("url").context("no URL")?;
    let path = url
        .strip_prefix("https://files.example")
        .context("another URL")?;
    let header = put.child("header").context("no header")?;
    ensure!(
        header.attribute("name") == Some("Authorization"),
        "{header}"
    );
    Ok(Slot {
        url: url.to_owned(),
        path: path.to_owned(),
        token: header.text.clone(),
    })
}

impl Slot {
    /// The head of an upload as a client sends it.
    fn head(&self, size: usize) -> String {
        format!(
            "PUT {} HTTP/1.1\r\nHost: files.example\r\nAuthorization: {}\r\n\
             Content-Type: image/png\r\nContent-Length: {size}\r\n",
            self.path, self.token
        )
    }

    pub(crate) async fn put(&self, house: &House, body: &[u8]) -> Result<Reply> {
        Exchange::whole(house, &self.head(body.len()), body).await
    }

    pub(crate) async fn get(&self, house: &House, more: &str) -> Result<Reply> {
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: files.example\r\n{more}",
            self.path
        );
        Exchange::whole(house, &head, b"").await
    }
}

/// Every file below the folder of uploads.
fn files(house: &House) -> Vec<PathBuf> {
    files_below(&house.path("data/upload"))
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(folder, &mut found);
    found
}

async fn until_files(house: &House, count: usize) -> Result<()> {
    let settled = async {
        while files(house).len() != count {
            tokio::time::sleep(LOOK).await;
        }
    };
    let settled = timeout(PATIENCE, settled).await;
    settled.with_context(|| format!("{count} files were expected: {:?}", files(house)))
}

#[tokio::test]
async fn a_file_goes_up_once_and_comes_down_whole_and_in_parts() -> Result<()> {
    let mut house = house("").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let body: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let slot = slot(&mut romeo, "très cool.png", body.len()).await?;
    ensure!(
        slot.path.ends_with("/tr%C3%A8s%20cool.png"),
        "{}",
        slot.path
    );
    let early = slot.get(&house, "").await?;
    ensure!(early.status == 404, "given before it came: {early:?}");
    let put = slot.put(&house, &body).await?;
    ensure!(put.status == 201, "{put:?}");
    let again = slot.put(&house, &body).await?;
    ensure!(again.status == 409, "{again:?}");
    let [file] = files(&house)
        .try_into()
        .map_err(|_| anyhow::anyhow!("one file"))?;
    let mode = std::fs::metadata(&file)?.permissions().mode() & 0o777;
    ensure!(mode == 0o600, "{mode:o}");
    // It is still there after a restart.
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    house.start().await?;
    let get = slot.get(&house, "").await?;
    ensure!(get.status == 200 && get.body == body, "{}", get.status);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-length", "2800000"),
        (
            "content-disposition",
            "inline; filename=\"tr_s cool.png\"; filename*=UTF-8''tr%C3%A8s%20cool.png",
        ),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "sandbox; default-src 'none'; frame-ancestors 'none'",
        ),
        ("access-control-allow-origin", "*"),
        ("accept-ranges", "bytes"),
    ] {
        ensure!(get.header(name) == Some(value), "{name}: {get:?}");
    }
    ensure!(
        get.header("cache-control")
            .is_some_and(|it| it.starts_with("private"))
    );
    for (range, status, part) in [
        ("bytes=0-9", 206, body.get(..10)),
        ("bytes=2799990-", 206, body.get(2_799_990..)),
        ("bytes=-5", 206, body.get(2_799_995..)),
        ("bytes=2800000-", 416, None),
        ("pages=1", 200, Some(body.as_slice())),
    ] {
        let get = slot.get(&house, &format!("Range: {range}\r\n")).await?;
        ensure!(get.status == status, "{range}: {}", get.status);
        if let Some(part) = part {
            ensure!(get.body == part, "{range}");
        }
    }
    let head = format!("HEAD {} HTTP/1.1\r\nHost: files.example\r\n", slot.path);
    let head = Exchange::whole(&house, &head, b"").await?;
    ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
    ensure!(head.header("content-length") == Some("2800000"), "{head:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_not_as_the_slot_says_is_refused_and_leaves_nothing() -> Result<()> {
    let house = house("").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 5).await?;
    let good = slot.head(5);
    let replaced = |from: &str, to: &str| {
        let head = good.replace(from, to);
        assert_ne!(head, good, "{from}");
        head
    };
    let wrong = format!("Bearer {}", "x".repeat(43));
    for (what, head, body, status) in [
        (
            "no token",
            replaced(&format!("Authorization: {}\r\n", slot.token), ""),
            "hello",
            403,
        ),
        ("another token", replaced(&slot.token, &wrong), "hello", 403),
        (
            "another scheme",
            replaced("Bearer ", "Basic "),
            "hello",
            403,
        ),
        ("another name", replaced("/a.png", "/b.png"), "hello", 404),
        (
            "another slot",
            replaced("/upload/", "/upload/0"),
            "hello",
            404,
        ),
        (
            "no type",
            replaced("Content-Type: image/png\r\n", ""),
            "hello",
            415,
        ),
        (
            "another type",
            replaced("image/png", "text/html"),
            "hello",
            415,
        ),
        ("longer", replaced("Length: 5", "Length: 6"), "hello!", 413),
        ("shorter", replaced("Length: 5", "Length: 4"), "hell", 400),
        ("nothing", replaced("Length: 5", "Length: 0"), "", 400),
        (
            "length unknown",
            replaced("Content-Length: 5", "Transfer-Encoding: chunked"),
            "5\r\nhello\r\n0\r\n\r\n",
            411,
        ),
    ] {
        let reply = Exchange::whole(&house, &head, body.as_bytes()).await?;
        ensure!(reply.status == status, "{what}: {reply:?}");
        ensure!(files(&house).is_empty(), "{what} left {:?}", files(&house));
        ensure!(
            !String::from_utf8_lossy(&reply.body).contains("data"),
            "{what}"
        );
    }
    // None of them has used up the slot; a parameter of the type does not matter.
    let head = replaced("image/png", "Image/PNG; x=y");
    let reply = Exchange::whole(&house, &head, b"hello").await?;
    ensure!(reply.status == 201, "{reply:?}");
    let token = slot.token.trim_start_matches("Bearer ");
    ensure!(!house.log().contains(token), "a token is logged");
    Ok(())
}

#[tokio::test]
async fn other_methods_are_refused() -> Result<()> {
    let house = house("").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 5).await?;
    for method in ["POST", "DELETE", "PATCH"] {
        let head = slot.head(5).replace("PUT", method);
        let reply = Exchange::whole(&house, &head, b"hello").await?;
        ensure!(reply.status == 405, "{method}: {reply:?}");
        ensure!(
            files(&house).is_empty(),
            "{method} left {:?}",
            files(&house)
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_may_begin_again() -> Result<()> {
    let house = house("").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 1_000_000).await?;
    let mut begun = Exchange::begin(&house, &slot.head(1_000_000)).await?;
    begun.send(&[7; 500_000]).await?;
    until_files(&house, 1).await?;
    let second = slot.put(&house, &[8; 1_000_000]).await?;
    ensure!(second.status == 409, "two at once: {second:?}");
    let meanwhile = slot.get(&house, "").await?;
    ensure!(
        meanwhile.status == 404,
        "half of it is given: {meanwhile:?}"
    );
    drop(begun);
    until_files(&house, 0).await?;
    let again = slot.put(&house, &[9; 1_000_000]).await?;
    ensure!(again.status == 201, "{again:?}");
    ensure!(slot.get(&house, "").await?.body == [9; 1_000_000]);
    Ok(())
}

#[tokio::test]
async fn an_upload_from_which_nothing_comes_is_given_up() -> Result<()> {
    let house = house("idle_seconds = 1").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 10).await?;
    let mut begun = Exchange::begin(&house, &slot.head(10)).await?;
    begun.send(b"hello").await?;
    let reply = begun.reply().await?;
    ensure!(reply.status == 408, "{reply:?}");
    until_files(&house, 0).await
}

#[tokio::test]
async fn one_more_upload_than_there_are_places_is_told_to_try_again() -> Result<()> {
    let house = house("uploads_max = 1").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let first = slot(&mut romeo, "a.png", 10).await?;
    let second = slot(&mut romeo, "b.png", 5).await?;
    let mut begun = Exchange::begin(&house, &first.head(10)).await?;
    begun.send(b"hello").await?;
    until_files(&house, 1).await?;
    let busy = second.put(&house, b"hello").await?;
    ensure!(busy.status == 503, "{busy:?}");
    ensure!(busy.header("retry-after").is_some(), "{busy:?}");
    begun.send(b" you!").await?;
    let reply = begun.reply().await?;
    ensure!(reply.status == 201, "{reply:?}");
    let reply = second.put(&house, b"hello").await?;
    ensure!(reply.status == 201, "{reply:?}");
    Ok(())
}

#[tokio::test]
async fn a_slot_is_for_a_limited_time() -> Result<()> {
    let house = house("slot_seconds = 1").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 5).await?;
    let over = async {
        // Too short while the time runs, too late afterwards.
        loop {
            match slot.put(&house, b"hell").await?.status {
                400 => tokio::time::sleep(LOOK).await,
                status => return Ok::<_, anyhow::Error>(status),
            }
        }
    };
    let status = timeout(PATIENCE, over)
        .await
        .context("the slot does not end")??;
    ensure!(status == 403, "{status}");
    let late = slot.put(&house, b"hello").await?;
    ensure!(late.status == 403, "{late:?}");
    Ok(())
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() -> Result<()> {
    let house = house("").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 5).await?;
    ensure!(slot.put(&house, b"hello").await?.status == 201);
    let file = files(&house).pop().context("no file")?;
    let id = file
        .file_name()
        .and_then(|name| name.to_str())
        .context("no name")?;
    for path in [
        "/upload/../parlour.db".to_owned(),
        "/upload/../../parlour.toml".to_owned(),
        "/upload/..%2F..%2Fparlour.toml/a.png".to_owned(),
        "/upload/%2e%2e/parlour.db".to_owned(),
        "/upload/%2e%2e%2f%2e%2e%2fparlour.toml".to_owned(),
        "/upload//etc/passwd".to_owned(),
        "//etc/passwd".to_owned(),
        format!("/upload/{id}"),
        format!("/upload/{id}/"),
        format!("/upload/{id}/.."),
        format!("/upload/{id}/..%2F..%2F..%2Fparlour.db"),
        format!("/upload/{id}/a.png/../../parlour.db"),
        format!("/upload/{id}/a.png%00"),
        format!("/upload/{id}/%ff"),
        format!("/upload/{id}.part/a.png"),
        format!("/upload/{}/a.png", id.to_uppercase()),
    ] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: files.example\r\n");
        let reply = Exchange::whole(&house, &head, b"").await?;
        // Digits alone have no upper case.
        let same = path == slot.path;
        ensure!(
            same || [400, 404].contains(&reply.status),
            "{path}: {reply:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn web_pages_are_let_in_as_configured() -> Result<()> {
    let config = "[listen]\nhttp = ['127.0.0.1:0']\nhttps = []\n\
                  [http]\norigins = ['https://chat.example']\n\
                  [upload]\npublic_url = 'https://files.example'";
    let strict = House::serving(config, &PEOPLE).await?;
    let open = house("").await?;
    for (house, origin, allowed) in [
        (&open, "https://any.example", Some("*")),
        (
            &strict,
            "https://chat.example",
            Some("https://chat.example"),
        ),
        (&strict, "https://evil.example", None),
    ] {
        let mut romeo = Peer::session(house, "romeo", Presence::Silent).await?;
        let slot = slot(&mut romeo, "a.png", 5).await?;
        let origin = format!("Origin: {origin}\r\n");
        let preflight = format!(
            "OPTIONS {} HTTP/1.1\r\nHost: files.example\r\n{origin}\
             Access-Control-Request-Method: PUT\r\n\
             Access-Control-Request-Headers: authorization, content-type\r\n",
            slot.path
        );
        let reply = Exchange::whole(house, &preflight, b"").await?;
        ensure!(reply.status == 204, "{reply:?}");
        let methods = reply
            .header("access-control-allow-methods")
            .unwrap_or_default();
        let names = reply
            .header("access-control-allow-headers")
            .unwrap_or_default();
        ensure!(methods.contains("PUT") == allowed.is_some(), "{reply:?}");
        ensure!(
            names.contains("Authorization") == allowed.is_some(),
            "{reply:?}"
        );
        let put = Exchange::whole(house, &format!("{}{origin}", slot.head(5)), b"hello").await?;
        let get = slot.get(house, &origin).await?;
        // A page learns why it is refused, too.
        let refused = slot.put(house, b"hello").await?;
        ensure!((put.status, get.status, refused.status) == (201, 200, 409));
        for reply in [reply, put, get] {
            ensure!(
                reply.header("access-control-allow-origin") == allowed,
                "{reply:?}"
            );
            ensure!(
                reply.header("access-control-allow-credentials").is_none(),
                "{reply:?}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn files_go_with_their_account() -> Result<()> {
    let house = house("").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 5).await?;
    ensure!(slot.put(&house, b"hello").await?.status == 201);
    ensure!(files(&house).len() == 1);
    house.ask(&["account", "remove", "romeo@localhost"]).await?;
    ensure!(slot.get(&house, "").await?.status == 404);
    ensure!(files(&house).is_empty(), "{:?}", files(&house));
    Ok(())
}

#[tokio::test]
async fn what_a_crash_and_the_end_of_time_leave_is_gone_after_the_next_start() -> Result<()> {
    let mut house = house("slot_seconds = 1\ntransfer_seconds_max = 1").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let slot = slot(&mut romeo, "a.png", 10).await?;
    let mut begun = Exchange::begin(&house, &slot.head(10)).await?;
    begun.send(b"hello").await?;
    until_files(&house, 1).await?;
    house.signal("KILL").await?;
    ensure!(!house.ended().await?.success());
    ensure!(files(&house).len() == 1, "a crash cannot clean up");
    // The slot is over when a second for its beginning and one for its transfer are.
    let gone = async {
        loop {
            house.start().await?;
            house.signal("TERM").await?;
            house.ended().await?;
            if files(&house).is_empty() {
                return Ok::<_, anyhow::Error>(());
            }
        }
    };
    timeout(PATIENCE, gone).await.context("it stays")?
}
