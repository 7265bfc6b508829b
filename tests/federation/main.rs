//! Parlour in the network: with Debian's Prosody and ejabberd, with another Parlour, and with servers that
//! lie or hang.
//!
//! Every test starts the servers that it needs on loopback addresses of their own, with a name server and an
//! authority made on the spot, and plays people who log in to both. `tests/run` installs what is
//! needed (Debian: `prosody`, `lua-unbound`, `ejabberd`); a server that is missing fails its tests. No
//! code of Parlour is used, except that its program is run.

#![expect(clippy::large_futures, reason = "a test has one future")]

#[expect(dead_code, reason = "what the tests of the process need beside")]
#[path = "../server/authority.rs"]
mod authority;
#[expect(dead_code, reason = "what the scripts need beside")]
#[path = "../support/client.rs"]
mod client;
#[path = "../support/dns.rs"]
mod dns;
#[expect(dead_code, reason = "what the tests of the process need beside")]
#[path = "../server/exchange.rs"]
mod exchange;
#[expect(dead_code, reason = "what the tests of the process need beside")]
#[path = "../server/house.rs"]
mod house;
#[path = "../support/judge.rs"]
mod judge;
#[expect(dead_code, reason = "what the scripts need beside")]
#[path = "../support/login.rs"]
mod login;
#[expect(dead_code, reason = "what the tests of the process need beside")]
#[path = "../server/peer.rs"]
mod peer;
#[expect(dead_code, reason = "what the scripts need beside")]
#[path = "../support/xml.rs"]
mod xml;

mod ejabberd;
mod identity;
mod neighbour;
mod person;
mod place;
mod prosody;
mod stage;
mod stranger;

mod archive;
mod liars;
mod messages;
mod neighbours;
mod pep;
mod policy;
mod presence;
mod restarts;
mod rooms;
mod trust;
mod watched;

/// The same rules for every kind of server: a module for each, with a test for each rule.
macro_rules! with_each_neighbour {
    ($($rule:ident),+ $(,)?) => {
        mod prosody {
            $(#[tokio::test]
            async fn $rule() -> anyhow::Result<()> {
                super::$rule(crate::neighbour::Kind::Prosody).await
            })+
        }
        mod ejabberd {
            $(#[tokio::test]
            async fn $rule() -> anyhow::Result<()> {
                super::$rule(crate::neighbour::Kind::Ejabberd).await
            })+
        }
    };
}
pub(crate) use with_each_neighbour;
