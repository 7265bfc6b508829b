//! The stage itself: what two servers of others do with this name server and this authority is what
//! the tests expect of Parlour.

use anyhow::Result;

use crate::dns::Entry;
use crate::identity::Identity;
use crate::neighbour::{Kind, Neighbour, Proof};
use crate::person::Person;
use crate::place::{CLIENTS, SERVERS};
use crate::stage::World;
use crate::stranger::Door;

#[tokio::test]
async fn servers_of_others_find_and_trust_each_other_here() -> Result<()> {
    let world = World::new().await?;
    let start = async |kind, domain| {
        let identity = (&world.authority, Identity::Valid);
        let name_server = world.dns.address();
        Neighbour::start_new(kind, domain, identity, Proof::Certificate, name_server).await
    };
    let (one, other) = tokio::try_join!(
        start(Kind::Prosody, "one.example"),
        start(Kind::Ejabberd, "other.example")
    )?;
    world.announce("one.example", Entry::StartTls, one.place);
    world.announce("other.example", Entry::StartTls, other.place);
    let mut anna = Person::arrive(one.place.socket(CLIENTS), "anna@one.example").await?;
    let mut bob = Person::arrive(other.place.socket(CLIENTS), "bob@other.example").await?;
    anna.writes(bob.bare(), "1", "from Prosody").await?;
    bob.reads("from Prosody").await?;
    bob.writes(anna.bare(), "2", "from ejabberd").await?;
    anna.reads("from ejabberd").await?;
    // And they let in what the tests make by hand.
    for (server, domain, to) in [
        (&one, "one.example", anna.bare()),
        (&other, "other.example", bob.bare()),
    ] {
        let door = Door {
            at: server.place.socket(SERVERS),
            domain,
            authority: &world.authority,
        };
        let mut stranger = door.proven("stranger.example").await?;
        stranger.is_judged = false;
        let greeting =
            format!("<message from='me@stranger.example' to='{to}'><body>by hand</body></message>");
        stranger.send(&greeting).await?;
    }
    anna.reads("by hand").await?;
    bob.reads("by hand").await?;
    other
        .logs("Accepted inbound s2s EXTERNAL authentication one.example -> other.example")
        .await
}
