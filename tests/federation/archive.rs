//! Archives (XEP-0313) of conversations between two servers: each side has its own, with its own ids.

use anyhow::{Context as _, Result, ensure};

use crate::neighbour::Kind;
use crate::person::{Person, text};
use crate::stage::{OURS, Setup, play};
use crate::with_each_neighbour;
use crate::xml::Node;

with_each_neighbour!(both_sides_archive_a_conversation_under_ids_of_their_own);

/// What an archive has of one message.
struct Kept {
    id: String,
    message: Node,
}

/// The messages with `contact` in the archive of `person` (XEP-0313 §4.1.1), the oldest first.
async fn archived(person: &mut Person, contact: &str) -> Result<Vec<Kept>> {
    let field = |var: &str, kind: &str, value: &str| {
        format!("<field var='{var}'{kind}><value>{value}</value></field>")
    };
    let form = field("FORM_TYPE", " type='hidden'", "urn:xmpp:mam:2") + &field("with", "", contact);
    person
        .orders(
            "",
            &format!(
                "<query xmlns='urn:xmpp:mam:2' queryid='all'>\
                 <x xmlns='jabber:x:data' type='submit'>{form}</x></query>"
            ),
        )
        .await?;
    // The results came before the answer (§4.2).
    let mut found = Vec::new();
    while person.has_heard(|it| it.child("result").is_some()).await? {
        let page = person
            .hears("a result", |it| it.child("result").is_some())
            .await?;
        let result = page.child("result").context("no result")?;
        let forwarded = result.child("forwarded").context("nothing forwarded")?;
        found.push(Kept {
            id: result.attribute("id").context("without an id")?.to_owned(),
            message: forwarded.child("message").context("no message")?.clone(),
        });
    }
    Ok(found)
}

/// The id that the archive of `by` says it gave to a message (XEP-0359 §3.1).
fn stanza_id(message: &Node, by: &str) -> Option<String> {
    let mut ids = message.children.iter().filter(|it| it.name == "stanza-id");
    let id = ids.find(|it| it.attribute("by") == Some(by))?;
    id.attribute("id").map(str::to_owned)
}

/// XEP-0313 §3.4, §5.1.1; XEP-0359 §3.1, §6
async fn both_sides_archive_a_conversation_under_ids_of_their_own(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        let (ours, theirs) = (romeo.bare().to_owned(), juliet.bare().to_owned());
        romeo.writes(&theirs, "out", "a question").await?;
        let read = juliet.reads("a question").await?;
        let hers = stanza_id(&read, &theirs).context("her server gave no id")?;
        ensure!(
            stanza_id(&read, &ours).is_none(),
            "the id of his archive is hers: {read}"
        );

        // An id that claims to be of our archive is no id of ours.
        juliet
            .says(&format!(
                "<message type='chat' id='in' to='{ours}'><body>an answer</body>\
                 <stanza-id xmlns='urn:xmpp:sid:0' by='{ours}' id='forged'/></message>"
            ))
            .await?;
        let read = romeo.reads("an answer").await?;
        let his = stanza_id(&read, &ours).context("our server gave no id")?;
        ensure!(his != "forged", "{read}");

        let kept = archived(&mut romeo, &theirs).await?;
        let bodies: Vec<_> = kept.iter().map(|it| text(&it.message)).collect();
        ensure!(
            bodies == [Some("a question"), Some("an answer")],
            "{bodies:?} at {OURS}"
        );
        let froms: Vec<_> = kept.iter().map(|it| it.message.attribute("from")).collect();
        ensure!(
            froms == [Some(&*romeo.full), Some(&*juliet.full)],
            "{froms:?}"
        );
        ensure!(kept[1].id == his, "{} is not {his}", kept[1].id);

        let kept = archived(&mut juliet, &ours).await?;
        let bodies: Vec<_> = kept.iter().map(|it| text(&it.message)).collect();
        ensure!(
            bodies == [Some("a question"), Some("an answer")],
            "{bodies:?} at theirs"
        );
        ensure!(kept[0].id == hers, "{} is not {hers}", kept[0].id);
        ensure!(kept[0].message.attribute("from") == Some(&*romeo.full));
        Ok(())
    })
    .await
}
