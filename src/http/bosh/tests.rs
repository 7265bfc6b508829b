//! A session of BOSH between its requests and a session that only a test sees. Time is paused.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::body::{Creation, HTTPBIND, Request};
use super::driver::{Driver, Post};
use crate::session::transport::Transport;
use crate::session::web::{Carriage, carried};
use crate::stream::Framing;
use crate::xml::Limits;

/// A session with a client and an XMPP side.
struct Scene {
    posts: mpsc::Sender<Post>,
    /// What the session's task would have.
    stream: Transport,
    driver: JoinHandle<()>,
    stop: CancellationToken,
    first: oneshot::Receiver<Bytes>,
}

fn request(attributes: &str) -> Request {
    let text = format!("<body xmlns='{HTTPBIND}' xmlns:xmpp='urn:xmpp:xbosh' {attributes}>");
    let text = match attributes.split_once('>') {
        Some(_) => format!("{text}</body>").replacen(">>", ">", 1),
        None => text.replacen(">", "/>", 1),
    };
    Request::read(text.into(), &Limits::default()).unwrap()
}

fn creation(hold: usize, wait: u64) -> Creation {
    let seconds = Duration::from_secs;
    Creation {
        sid: "s".to_owned(),
        host: "localhost".to_owned(),
        wait: seconds(wait),
        inactivity: seconds(60),
        polling: seconds(5),
        pause_max: seconds(120),
        hold,
        requests: hold + 1,
        version: Some("1.11".to_owned()),
    }
}

impl Scene {
    fn new(hold: usize, wait: u64) -> Self {
        let (posts, receiver) = mpsc::channel(8);
        let (web, carrier) = carried(Framing::Bosh, Carriage::Encrypted, Limits::default());
        let (reply, first) = oneshot::channel();
        let post = Post {
            request: request("rid='1' to='localhost' xml:lang='en' xmpp:version='1.0'"),
            reply,
        };
        let driver = Driver::new(creation(hold, wait), carrier, receiver, post, 100_000);
        let stop = CancellationToken::new();
        let driver = TaskTracker::new().spawn(driver.run(stop.clone()));
        Self {
            posts,
            stream: Transport::Web(Box::new(web)),
            driver,
            stop,
            first,
        }
    }

    /// As [`Scene::new`], with the answer to the first request given.
    async fn begun(hold: usize, wait: u64) -> Self {
        let mut scene = Self::new(hold, wait);
        assert!(scene.hears().await.starts_with("<stream:stream "));
        scene.says("<features/>").await;
        let first = std::mem::replace(&mut scene.first, oneshot::channel().1);
        assert!(text(first).await.contains("<features/>"));
        scene
    }

    async fn post(&self, attributes: &str) -> oneshot::Receiver<Bytes> {
        let (reply, answer) = oneshot::channel();
        let request = request(attributes);
        self.posts.send(Post { request, reply }).await.unwrap();
        answer
    }

    /// What the session reads next.
    async fn hears(&mut self) -> String {
        let mut buffer = BytesMut::new();
        self.stream.read(&mut buffer).await.unwrap();
        String::from_utf8(buffer.to_vec()).unwrap()
    }

    /// The session writes an element.
    async fn says(&mut self, element: &str) {
        self.stream
            .write(format!("{element}\0").as_bytes())
            .await
            .unwrap();
    }
}

async fn text(answer: oneshot::Receiver<Bytes>) -> String {
    String::from_utf8(answer.await.unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_tells_the_terms_xep_0124_section_7_2() {
    let mut scene = Scene::new(1, 50);
    let header = scene.hears().await;
    for part in ["to='localhost'", "version='1.0'", "xml:lang='en'"] {
        assert!(header.contains(part), "{header}");
    }
    scene.says("<features/>").await;
    let answer = text(scene.first).await;
    for part in [
        "sid='s'",
        "from='localhost'",
        "wait='50'",
        "inactivity='60'",
        "polling='5'",
        "maxpause='120'",
        "hold='1'",
        "requests='2'",
        "ver='1.11'",
        "xmlns:xmpp='urn:xmpp:xbosh'",
        "xmpp:version='1.0'",
        "xmpp:restartlogic='true'",
        "xmlns:stream='http://etherx.jabber.org/streams'",
        "><features/></body>",
    ] {
        assert!(answer.contains(part), "{part} in {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_held_until_there_is_something_to_say_or_its_time_is_over() {
    let mut scene = Scene::begun(1, 50).await;
    let held = scene.post("rid='2'").await;
    scene.says("<a/>").await;
    assert!(text(held).await.ends_with("><a/></body>"));
    let begun = tokio::time::Instant::now();
    let held = scene.post("rid='3'").await;
    assert!(text(held).await.ends_with("streams'/>"));
    assert_eq!(begun.elapsed().as_secs(), 50);
}

#[tokio::test(start_paused = true)]
async fn one_more_than_is_to_be_held_frees_the_oldest() {
    let mut scene = Scene::begun(1, 50).await;
    let oldest = scene.post("rid='2'").await;
    let newer = scene.post("rid='3'><x/>").await;
    assert!(text(oldest).await.ends_with("streams'/>"));
    assert_eq!(scene.hears().await, " ");
    assert_eq!(scene.hears().await, "<x/>");
    scene.says("<a/>").await;
    assert!(text(newer).await.ends_with("><a/></body>"));
}

#[tokio::test(start_paused = true)]
async fn requests_are_served_in_the_order_of_their_numbers() {
    let mut scene = Scene::begun(2, 50).await;
    let third = scene.post("rid='3'><second/>").await;
    let second = scene.post("rid='2'><first/>").await;
    assert_eq!(scene.hears().await, "<first/>");
    assert_eq!(scene.hears().await, "<second/>");
    scene.says("<a/>").await;
    scene.says("<b/>").await;
    assert!(text(second).await.ends_with("><a/></body>"));
    assert!(text(third).await.ends_with("><b/></body>"));
}

#[tokio::test(start_paused = true)]
async fn a_repeat_gets_the_same_answer() {
    let mut scene = Scene::begun(1, 50).await;
    let lost = scene.post("rid='2'><x/>").await;
    assert_eq!(scene.hears().await, "<x/>");
    scene.says("<a/>").await;
    let answer = text(lost).await;
    let again = scene.post("rid='2'><x/>").await;
    assert_eq!(text(again).await, answer);
    // It was not carried a second time.
    let _next = scene.post("rid='3'><y/>").await;
    assert_eq!(scene.hears().await, "<y/>");
}

#[tokio::test(start_paused = true)]
async fn a_repeat_of_a_held_request_takes_its_place() {
    let mut scene = Scene::begun(1, 50).await;
    let before = scene.post("rid='2'").await;
    let after = scene.post("rid='2'").await;
    assert!(text(before).await.contains("type='error'"));
    scene.says("<a/>").await;
    assert!(text(after).await.ends_with("><a/></body>"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_from_the_session_for_a_connection_that_is_gone() {
    let mut scene = Scene::begun(1, 50).await;
    drop(scene.post("rid='2'").await);
    {
        let writing = scene.stream.write(b"<a/>\0");
        tokio::pin!(writing);
        let second = Duration::from_secs(1);
        assert!(tokio::time::timeout(second, &mut writing).await.is_err());
        let (reply, answer) = oneshot::channel();
        let request = request("rid='2'");
        scene.posts.send(Post { request, reply }).await.unwrap();
        writing.await.unwrap();
        assert!(text(answer).await.ends_with("><a/></body>"));
    }
}

#[tokio::test(start_paused = true)]
async fn who_breaks_the_rules_ends_the_session_xep_0124_section_17_2() {
    for (hold, posts, condition) in [
        (1, &["rid='4'"][..], "item-not-found"),
        (1, &["rid='0'"], "item-not-found"),
        (1, &["rid='2' pause='121'"], "policy-violation"),
        // Two polls at once, though one is held already.
        (1, &["rid='2'", "rid='3'"], "policy-violation"),
        // Polling faster than was agreed.
        (0, &["rid='2'", "rid='3'"], "policy-violation"),
    ] {
        let scene = Scene::begun(hold, 50).await;
        tokio::time::advance(Duration::from_secs(10)).await;
        let mut last = None;
        for attributes in posts {
            last = Some(scene.post(attributes).await);
        }
        let answer = text(last.unwrap()).await;
        let told = format!("type='terminate' condition='{condition}'/>");
        assert!(answer.ends_with(&told), "{posts:?}: {answer}");
        scene.driver.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn polls_that_keep_the_pace_are_served() {
    let mut scene = Scene::begun(0, 0).await;
    for rid in 2..5 {
        tokio::time::advance(Duration::from_secs(6)).await;
        let answer = scene.post(&format!("rid='{rid}'")).await;
        assert!(text(answer).await.ends_with("streams'/>"), "{rid}");
        assert_eq!(scene.hears().await, " ");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_away_is_given_up() {
    let scene = Scene::begun(1, 50).await;
    let begun = tokio::time::Instant::now();
    scene.driver.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_pause_answers_all_and_gives_more_time() {
    let scene = Scene::begun(1, 50).await;
    let held = scene.post("rid='2'").await;
    let pause = scene.post("rid='3' pause='100'").await;
    for answer in [held, pause] {
        assert!(text(answer).await.ends_with("streams'/>"));
    }
    let begun = tokio::time::Instant::now();
    scene.driver.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 100);
}

#[tokio::test(start_paused = true)]
async fn the_client_ends_the_session() {
    let mut scene = Scene::begun(1, 50).await;
    let held = scene.post("rid='2'").await;
    let last = scene.post("rid='3' type='terminate'><x/>").await;
    assert_eq!(scene.hears().await, " ");
    assert_eq!(scene.hears().await, "<x/>");
    assert_eq!(scene.hears().await, "</stream:stream>");
    // What is said before the end still arrives.
    scene.says("<a/>").await;
    drop(scene.stream);
    let first = text(held).await;
    assert!(first.ends_with("type='terminate'><a/></body>"), "{first}");
    assert!(text(last).await.ends_with("type='terminate'/>"));
    scene.driver.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_error_ends_the_session_xep_0206_section_7() {
    let mut scene = Scene::begun(1, 50).await;
    let held = scene.post("rid='2'").await;
    scene.says("<stream:error/>").await;
    let answer = text(held).await;
    assert!(
        answer.ends_with("type='terminate' condition='remote-stream-error'><stream:error/></body>"),
        "{answer}"
    );
    scene.driver.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn when_the_server_stops_nobody_is_waited_for() {
    let scene = Scene::begun(1, 50).await;
    let begun = tokio::time::Instant::now();
    scene.stop.cancel();
    scene.driver.await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_restart_opens_a_new_stream_and_carries_nothing() {
    let mut scene = Scene::begun(1, 50).await;
    scene.stream.restart();
    let _held = scene
        .post("rid='2' xmpp:restart='true' to='localhost'><x/>")
        .await;
    assert!(scene.hears().await.starts_with("<stream:stream "));
    let _next = scene.post("rid='3'><y/>").await;
    assert_eq!(scene.hears().await, "<y/>");
}
