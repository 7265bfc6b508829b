//! The task that connects for a link and sends what waits there, for as long as something does.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::{Instrument, debug, error, info, info_span};

use super::Federation;
use super::connect::{self, Outcome};
use super::dialback::{Pair, Verdict};
use super::exchange::{End, Exchange};
use super::failure::{Failure, Step};
use super::initiating::Purpose;
use super::link::Claim;
use crate::hooks::{PeerDirection, PeerKind, PeerSecurity, PeerState, PeerStatus, Published};
use crate::proto::Condition;

/// Serves the link until nothing waits there any more.
pub(super) async fn run(federation: Arc<Federation>, claim: Claim) {
    let link = Arc::clone(&claim.link);
    let span = info_span!("s2s", local = %link.pair.local, remote = %link.pair.remote);
    let serving = AssertUnwindSafe(Box::pin(serve(&federation, claim)));
    if serving.catch_unwind().instrument(span).await.is_err() {
        error!("a stream to another server panicked");
        let error = Condition::InternalServerError.into();
        federation.bounce(link.queue.drain(), &error).await;
    }
}

async fn serve(federation: &Arc<Federation>, mut claim: Claim) {
    loop {
        let (end, mut claim_back) = Box::pin(once(federation, claim)).await;
        let left = claim_back.link.queue.depth().0;
        let failure = match end {
            // What came meanwhile wants another stream.
            End::Over { useful } if useful || left == 0 => None,
            End::Over { .. } => Some(Failure::passing(
                Step::Established,
                "the other server closed the stream and took nothing",
            )),
            End::Broken { failure, useful } => {
                federation.failed(&claim_back.link.pair.remote, &failure);
                (!useful).then_some(failure)
            }
        };
        if federation.stop.is_cancelled() {
            let error = Condition::RemoteServerTimeout.into();
            return federation
                .bounce(claim_back.link.queue.drain(), &error)
                .await;
        }
        if let Some(failure) = failure {
            return give_up(federation, claim_back, &failure).await;
        }
        match claim_back.give_back_if_idle() {
            None => return,
            Some(still) => claim_back = still,
        }
        claim = claim_back;
    }
}

/// One stream, from connecting to its end.
async fn once(federation: &Arc<Federation>, claim: Claim) -> (End, Claim) {
    let pair = claim.link.pair.clone();
    let published = publish(federation, &claim);
    let limit = federation.config.s2s.connect_seconds.duration();
    let reaching = connect::reach(federation, &pair, &Purpose::Stanzas);
    let reaching = federation.connecting.connect(limit, reaching);
    let (leaving, stop) = (federation.leaving.clone(), federation.stop.clone());
    // What is tried after that are last words, which may succeed.
    let left = leaving.is_cancelled();
    let stopping = || Err(Failure::passing(Step::Connect, "this server stops"));
    let reached = tokio::select! {
        reached = Box::pin(reaching) => reached,
        () = leaving.cancelled(), if !left => stopping(),
        () = stop.cancelled() => stopping(),
    };
    let useless = |failure| End::Broken {
        failure,
        useful: false,
    };
    let reached = match reached {
        Ok(reached) => reached,
        Err(failure) => return (useless(failure), claim),
    };
    let Outcome::Ready(agreed) = reached.outcome else {
        let failure = Failure::passing(Step::Stream, "the stream is not for stanzas");
        return (useless(failure), claim);
    };
    claim.link.succeeded();
    info!(
        bidi = agreed.bidi,
        management = agreed.management,
        "stream established"
    );
    let security = if agreed.authenticated {
        PeerSecurity::Authenticated
    } else if reached.connection.tls().is_some() {
        PeerSecurity::Encrypted
    } else {
        PeerSecurity::Plain
    };
    published.change(federation.clock.now(), |status| {
        status.state = PeerState::Established;
        status.address = Some(reached.address);
        status.security = security;
        if agreed.bidi {
            status.direction = PeerDirection::Both;
        }
    });
    let exchange = Exchange::ours(federation, reached.connection, reached.scope, claim, agreed);
    Box::pin(exchange.run_ours(published)).await
}

fn publish(federation: &Federation, claim: &Claim) -> Published {
    let link = Arc::clone(&claim.link);
    let status = PeerStatus {
        kind: PeerKind::Server,
        domain: link.pair.remote.clone(),
        local: link.pair.local.clone(),
        direction: PeerDirection::Outgoing,
        state: PeerState::Connecting,
        since: federation.clock.now(),
        address: None,
        security: PeerSecurity::Nothing,
        queued_stanzas: 0,
        queued_bytes: 0,
    };
    federation.peers.publish(status, move || link.queue.depth())
}

/// Everything that waits goes back, and what comes until the next attempt.
async fn give_up(federation: &Federation, claim: Claim, failure: &Failure) {
    let error = failure.to_stanza_error();
    let random = getrandom::u32().unwrap_or(0).to_le_bytes();
    let random = u16::from_le_bytes([random[0], random[1]]);
    let backoff = federation.backoff();
    let link = Arc::clone(&claim.link);
    link.failed(error.clone(), |failures| {
        Instant::now() + backoff.after(failures, random)
    });
    claim.forget();
    let back = link.queue.drain();
    debug!(stanzas = back.len(), "given back to their senders");
    federation.bounce(back, &error).await;
}

/// Asks a domain whether it has made a key (XEP-0220 §2.1.2).
pub(super) async fn verify(
    federation: Arc<Federation>,
    pair: Pair,
    id: String,
    key: String,
) -> (Pair, Verdict) {
    let purpose = Purpose::Verify { id, key };
    let reached = Box::pin(connect::reach(&federation, &pair, &purpose)).await;
    let verdict = match reached {
        Ok(reached) => {
            let verdict = match reached.outcome {
                Outcome::Verified(verdict) => verdict,
                Outcome::Ready(_) => Verdict::Error(Condition::UndefinedCondition),
            };
            federation.tasks.spawn(close(reached.connection));
            verdict
        }
        Err(failure) => {
            federation.failed(&pair.remote, &failure);
            Verdict::Error(failure.condition)
        }
    };
    if verdict == Verdict::Invalid {
        let failure = Failure::passing(Step::Dialback, "the key of a stream to us is not its own");
        federation.failed(&pair.remote, &failure);
    }
    (pair, verdict)
}

async fn close(mut connection: crate::peer::Connection) {
    // The answer is there; whether the end is said politely does not matter.
    let _ = connection.write(super::wire::CLOSE).await;
    connection.close().await;
}
