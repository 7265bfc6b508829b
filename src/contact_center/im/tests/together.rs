//! Many at the same moment: each is answered as it would be if it had come alone.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::*;

/// More than may lose against the others one after the other.
const MANY: usize = 16;

/// The names of that many agents.
fn names() -> Vec<String> {
    (0..MANY).map(|number| format!("a{number}")).collect()
}

/// A floor with them, with Romeo and with Juliet.
async fn floor() -> Floor {
    let names = names();
    let names = names.iter().map(String::as_str);
    let people: Vec<&str> = ["romeo", "juliet"].into_iter().chain(names).collect();
    Floor::new(&people).await
}

/// So many devices of one agent.
fn devices(floor: &Floor, name: &str) -> Vec<Client> {
    let device = |number| floor.house.client(&format!("{name}/d{number}"));
    (0..MANY).map(device).collect()
}

/// An invitation through one of the two doors.
async fn invites(client: &mut Client, colleague: &str, is_typed: bool) -> String {
    let jid = format!("{colleague}@localhost");
    match is_typed {
        true => set(client, &format!("invite colleague='{jid}' <text>hi</text>")).await,
        false => {
            let fields = [("colleague", jid.as_str()), ("text", "hi")];
            command(client, &format!("{NS}#invite"), &fields).await
        }
    }
}

/// The answers by what they say: done, or the code of the refusal.
fn counted(answers: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        let refused = answer.split_once(" xmlns='urn:parlour:errors:0'/>");
        let code = refused.and_then(|(before, _)| before.rsplit('<').next());
        assert_eq!(code.is_none(), answer.contains("type='result'"), "{answer}");
        *counts.entry(code.unwrap_or("done")).or_default() += 1;
    }
    counts
}

/// S1-29: who is wanted by many is invited by all of them, and accepts as many as it has channels (S0-26).
#[tokio::test]
async fn many_invite_one_who_accepts_them_all_at_once() {
    for is_typed in [true, false] {
        let floor = floor().await;
        let mut juliet = agent(&floor, "juliet/desk").await;
        let mut inviters = Vec::new();
        for name in names() {
            inviters.push(agent(&floor, &format!("{name}/desk")).await);
        }
        let invitations = inviters.iter_mut();
        let invitations = invitations.map(|client| invites(client, "juliet", is_typed));
        let answers = join_all(invitations).await;
        assert_eq!(counted(&answers), [("done", MANY)].into(), "{answers:?}");
        let list = set(&mut juliet, "sessions").await;
        let ids = list.split("<session id='").skip(1);
        let ids: Vec<&str> = ids.map(|it| it.split('\'').next().unwrap()).collect();
        assert_eq!(ids.len(), MANY, "{list}");
        let mut devices = devices(&floor, "juliet");
        let accepting = devices
            .iter_mut()
            .zip(&ids)
            .map(async |(client, id)| match is_typed {
                true => set(client, &format!("accept id='{id}'")).await,
                false => command(client, &format!("{NS}#accept"), &[("id", id)]).await,
            });
        let answers = join_all(accepting).await;
        let expected = [("done", 5), ("im-channels-full", MANY - 5)];
        assert_eq!(counted(&answers), expected.into(), "{answers:?}");
        let list = set(&mut juliet, "sessions").await;
        assert_eq!(list.matches("status='connected'").count(), 5, "{list}");
        assert_eq!(list.matches("status='pending'").count(), MANY - 5, "{list}");
        // Everybody else finds her busy, whoever comes at the same moment.
        let mut others = self::devices(&floor, "romeo");
        let invitations = others.iter_mut();
        let invitations = invitations.map(|client| invites(client, "juliet", is_typed));
        let answers = join_all(invitations).await;
        assert_eq!(counted(&answers), [("invitee-busy", MANY)].into());
    }
}

/// S0-26: one who invites many from many devices has five channels; the others are refused for that reason, through both doors.
#[tokio::test]
async fn one_invites_many_and_has_five_channels() {
    for is_typed in [true, false] {
        let floor = floor().await;
        let _romeo = agent(&floor, "romeo/desk").await;
        let mut invitees = Vec::new();
        for name in names() {
            invitees.push(agent(&floor, &format!("{name}/desk")).await);
        }
        let names = names();
        let mut devices = devices(&floor, "romeo");
        let invitations = devices.iter_mut().zip(&names);
        let invitations = invitations.map(|(client, name)| invites(client, name, is_typed));
        let answers = join_all(invitations).await;
        let expected = [("done", 5), ("im-channels-full", MANY - 5)];
        assert_eq!(counted(&answers), expected.into(), "{answers:?}");
    }
}

/// S1-18, S1-22: all devices of both in one session: one acceptance, every word, one end.
#[tokio::test]
async fn many_devices_answer_talk_and_end_at_the_same_moment() {
    let floor = floor().await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let _juliet = agent(&floor, "juliet/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    let mut hers = devices(&floor, "juliet");
    let mut his = devices(&floor, "romeo");
    let all = async |clients: &mut [Client], request: &str| {
        let asked = clients.iter_mut().map(async |it| set(it, request).await);
        join_all(asked).await
    };
    let answers = all(&mut hers, &format!("accept id='{id}'")).await;
    assert_eq!(counted(&answers), [("done", MANY)].into(), "{answers:?}");
    let say = format!("say id='{id}' <text>word</text>");
    let (one, other) = tokio::join!(all(&mut hers, &say), all(&mut his, &say));
    for answers in [one, other] {
        assert_eq!(counted(&answers), [("done", MANY)].into(), "{answers:?}");
    }
    let talking = his.iter_mut().map(async |client| {
        client.received();
        chat(client, "juliet@localhost", "chat", None).await;
        heard(client)
    });
    for heard in join_all(talking).await {
        let refused = heard.iter().any(|it| it.starts_with("error"));
        assert!(!refused, "{heard:?}");
    }
    let transcript = set(&mut romeo, &format!("transcript id='{id}'")).await;
    assert_eq!(transcript.matches("kind='accepted'").count(), 1);
    assert_eq!(transcript.matches("<text>word</text>").count(), 2 * MANY);
    assert_eq!(transcript.matches("<text>chat</text>").count(), MANY);
    let end = format!("end id='{id}'");
    let (one, other) = tokio::join!(all(&mut hers, &end), all(&mut his, &end));
    for answers in [one, other] {
        assert_eq!(counted(&answers), [("done", MANY)].into(), "{answers:?}");
    }
    let transcript = set(&mut romeo, &format!("transcript id='{id}'")).await;
    assert_eq!(transcript.matches("kind='ended'").count(), 1);
}
