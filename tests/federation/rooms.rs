//! Rooms (XEP-0045) with occupants of both servers, at the one and at the other.

use anyhow::{Result, ensure};

use crate::neighbour::Kind;
use crate::person::{Person, is_from, is_presence, text};
use crate::stage::{OURS, Setup, Stage, THEIRS, play};
use crate::with_each_neighbour;
use crate::xml::Node;

with_each_neighbour!(
    ours_talk_in_a_room_of_the_other_server,
    theirs_talk_in_a_room_of_ours,
    who_logs_out_or_goes_offline_leaves_the_rooms_of_both,
);

const MUC: &str = "http://jabber.org/protocol/muc";

/// XEP-0045 §7 and §8, our account is the guest.
async fn ours_talk_in_a_room_of_the_other_server(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let (guest, host) = (stage.ours("romeo").await?, stage.theirs("juliet").await?);
        visit(host, guest, &format!("tower@rooms.{THEIRS}")).await
    })
    .await
}

/// XEP-0045 §7 and §8, our server has the room.
async fn theirs_talk_in_a_room_of_ours(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let (host, guest) = (stage.ours("romeo").await?, stage.theirs("juliet").await?);
        visit(host, guest, &format!("tower@rooms.{OURS}")).await
    })
    .await
}

/// The host makes a room; the guest enters, talks, leaves, comes back and is shown the door.
async fn visit(mut host: Person, mut guest: Person, room: &str) -> Result<()> {
    create(&mut host, room).await?;
    enter(&mut guest, room, "guest").await?;
    let (host_there, guest_there) = (format!("{room}/host"), format!("{room}/guest"));
    guest
        .hears("the host in the room", |it| {
            is_presence(it, "", &host_there)
        })
        .await?;
    host.hears("the guest enters", |it| is_presence(it, "", &guest_there))
        .await?;

    talk(&mut host, &mut guest, room).await?;
    come_and_go(&mut host, &mut guest, room).await
}

/// XEP-0045 §7.4, §7.5
async fn talk(host: &mut Person, guest: &mut Person, room: &str) -> Result<()> {
    let (host_there, guest_there) = (format!("{room}/host"), format!("{room}/guest"));
    speak(guest, room, "good evening").await?;
    for person in [&mut *host, &mut *guest] {
        let read = person.reads("good evening").await?;
        ensure!(is_from(&read, &guest_there), "{read}");
    }
    speak(host, room, "be welcome").await?;
    for person in [&mut *guest, &mut *host] {
        let read = person.reads("be welcome").await?;
        ensure!(is_from(&read, &host_there), "{read}");
    }
    // To one occupant only (XEP-0045 §7.5).
    guest
        .writes(&host_there, "private", "for your ears only")
        .await?;
    let read = host.reads("for your ears only").await?;
    ensure!(is_from(&read, &guest_there), "{read}");
    Ok(())
}

/// XEP-0045 §7.14, §8.2
async fn come_and_go(host: &mut Person, guest: &mut Person, room: &str) -> Result<()> {
    let guest_there = format!("{room}/guest");
    guest
        .says(&format!(
            "<presence type='unavailable' to='{guest_there}'/>"
        ))
        .await?;
    host.hears("the guest leaves", |it| {
        is_presence(it, "unavailable", &guest_there)
    })
    .await?;
    guest
        .hears("the own leave", |it| {
            is_presence(it, "unavailable", &guest_there) && has_status(it, "110")
        })
        .await?;
    enter(guest, room, "guest").await?;
    host.hears("the guest again", |it| is_presence(it, "", &guest_there))
        .await?;
    host.orders(
        room,
        &format!("<query xmlns='{MUC}#admin'><item nick='guest' role='none'/></query>"),
    )
    .await?;
    guest
        .hears("the kick", |it| {
            is_presence(it, "unavailable", &guest_there) && has_status(it, "307")
        })
        .await?;
    // Whoever is not in the room may not speak there (§7.4).
    guest
        .says(&format!(
            "<message type='groupchat' id='outside' to='{room}'><body>hello?</body></message>"
        ))
        .await?;
    let condition = guest.is_refused("outside").await?;
    ensure!(condition == "not-acceptable", "{condition}");
    ensure!(!host.has_heard(|it| text(it) == Some("hello?")).await?);
    Ok(())
}

/// XEP-0045 §7.14, RFC 6121 §4.6.3: unavailable presence goes to whom presence was sent.
async fn who_logs_out_or_goes_offline_leaves_the_rooms_of_both(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage: &mut Stage| {
        let (host, guest) = (stage.theirs("juliet").await?, stage.ours("romeo").await?);
        log_out_of(host, guest, &format!("tower@rooms.{THEIRS}")).await?;
        let (host, guest) = (stage.ours("romeo").await?, stage.theirs("juliet").await?);
        log_out_of(host, guest, &format!("tower@rooms.{OURS}")).await
    })
    .await
}

async fn log_out_of(mut host: Person, mut guest: Person, room: &str) -> Result<()> {
    create(&mut host, room).await?;
    enter(&mut guest, room, "guest").await?;
    let there = format!("{room}/guest");
    host.hears("the guest enters", |it| is_presence(it, "", &there))
        .await?;
    guest.leaves().await?;
    host.hears("the guest leaves", |it| {
        is_presence(it, "unavailable", &there)
    })
    .await?;
    host.leaves().await
}

/// Makes a room as its first occupant, with the defaults of its server (XEP-0045 §10.1.2).
async fn create(host: &mut Person, room: &str) -> Result<()> {
    enter(host, room, "host").await?;
    let defaults = "<x xmlns='jabber:x:data' type='submit'/>";
    let query = format!("<query xmlns='{MUC}#owner'>{defaults}</query>");
    host.orders(room, &query).await.map(drop)
}

/// Waits for the own presence in the room, which comes behind that of the others (XEP-0045 §7.2.2).
async fn enter(person: &mut Person, room: &str, nick: &str) -> Result<()> {
    let there = format!("{room}/{nick}");
    person
        .says(&format!(
            "<presence to='{there}'><x xmlns='{MUC}'/></presence>"
        ))
        .await?;
    person
        .hears(&format!("being in {room}"), |it| {
            is_presence(it, "", &there) && has_status(it, "110")
        })
        .await
        .map(drop)
}

async fn speak(person: &mut Person, room: &str, body: &str) -> Result<()> {
    person
        .says(&format!(
            "<message type='groupchat' to='{room}'><body>{body}</body></message>"
        ))
        .await
}

/// Whether a presence of a room has this status code (XEP-0045 §15.6).
fn has_status(presence: &Node, code: &str) -> bool {
    let user = presence
        .children
        .iter()
        .find(|it| it.ns == format!("{MUC}#user"));
    user.is_some_and(|it| {
        let mut statuses = it.children.iter().filter(|it| it.name == "status");
        statuses.any(|it| it.attribute("code") == Some(code))
    })
}
