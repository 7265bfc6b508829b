//! XEP-0484: Fast Authentication Streamlining Tokens, version 0.2.0, beside the stream: the tokens
//! whose time is over are removed. Logging in with them is a part of negotiation
//! (`stream/sasl/hashed_token.rs`, `stream/machine/completion.rs`), and so are SASL2, Bind 2 and the
//! tasks, whose documents are declared here too.

use std::sync::Arc;

use tracing::{info, warn};

use crate::config::Config;
use crate::hooks::{Hooks, Services};
use crate::proto::document::Document;

/// Declares the documents, and registers what is done daily.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(
        Document::new("XEP-0386", "Bind 2", "1.1.0")
            .note("messages kept for somebody offline are delivered and not dropped"),
    );
    hooks.document(Document::new(
        "XEP-0388",
        "Extensible SASL Profile",
        "1.0.4",
    ));
    hooks.document(Document::new(
        "XEP-0474",
        "SASL SCRAM Downgrade Protection",
        "0.5.0",
    ));
    hooks.document(
        Document::new("XEP-0480", "SASL Upgrade Tasks", "0.2.0")
            .note("SCRAM, for hashes that the account has no keys for"),
    );
    hooks.document(
        Document::new(
            "XEP-0484",
            "Fast Authentication Streamlining Tokens",
            "0.2.0",
        )
        .note("HT-SHA-256 with NONE, ENDP and EXPR; no TLS 0-RTT"),
    );
    hooks.daily(purge);
}

async fn purge(services: Arc<Services>) {
    match services
        .store
        .fast_tokens()
        .purge(services.clock.now())
        .await
    {
        Ok(0) => {}
        Ok(tokens) => info!(tokens, "expired tokens removed"),
        Err(error) => warn!(%error, "expired tokens could not be removed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extensions::testing::House;
    use crate::proto::BareJid;
    use crate::store::{NewToken, TokenExchange};

    #[tokio::test]
    async fn a_token_that_is_over_is_removed_and_others_stay() {
        let house = House::with(&["romeo"], register).await;
        let services = house.router.services();
        let (tokens, now) = (services.store.fast_tokens(), services.clock.now());
        let romeo = BareJid::new("romeo@localhost").unwrap();
        for (agent, lifetime_seconds) in [("short", 60), ("long", 3_600)] {
            let exchange = TokenExchange {
                account: &romeo,
                agent,
                redeemed: None,
                request: Some("HT-SHA-256-NONE"),
                proved_at: now,
                now: now.plus_seconds(-600),
                next: NewToken {
                    id: agent.to_owned(),
                    secret: agent.to_owned(),
                    lifetime_seconds,
                    rotation_seconds: 60,
                    clients_max: 2,
                },
            };
            tokens.exchange(&exchange).await.unwrap();
        }
        purge(Arc::clone(services)).await;
        assert!(tokens.find(&romeo, "short").await.unwrap().is_empty());
        assert_eq!(tokens.find(&romeo, "long").await.unwrap().len(), 1);
    }
}
