//! Tokens instead of passwords (XEP-0484).

use parlour::clock::Timestamp;
use parlour::proto::jid::BareJid;
use parlour::proto::scram::ScramHash;
use parlour::store::{NewToken, Redeemed, Store, TokenExchange, TokensExchanged};

use crate::{NOW, Place, account, jid, keys};

crate::on_both!(
    a_new_token_leaves_the_used_one_until_it_is_used,
    a_count_must_grow_and_time_ends_a_token,
    an_old_token_is_replaced_unless_it_is_given_up,
    tokens_go_with_password_and_account,
    only_so_many_clients_have_tokens,
    missing_keys_are_added_once_and_not_for_an_old_password,
);

const NONE: &str = "HT-SHA-256-NONE";
const DAY: i64 = 86_400;

fn exchange<'a>(
    account: &'a BareJid,
    agent: &'a str,
    id: &str,
    now: Timestamp,
) -> TokenExchange<'a> {
    TokenExchange {
        account,
        agent,
        redeemed: None,
        request: None,
        proved_at: now,
        now,
        next: NewToken {
            id: id.to_owned(),
            secret: format!("secret of {id}"),
            lifetime_seconds: 20 * DAY,
            rotation_seconds: DAY,
            clients_max: 3,
        },
    }
}

async fn issue(store: &Store, account: &BareJid, agent: &str, id: &str, now: Timestamp) {
    let exchange = TokenExchange {
        request: Some(NONE),
        ..exchange(account, agent, id, now)
    };
    let issued = store.fast_tokens().exchange(&exchange).await.unwrap();
    let expiry = now.plus_seconds(20 * DAY);
    assert_eq!(issued, TokensExchanged::Issued(expiry), "{id}");
}

fn redeemed(token: &str, count: Option<u32>) -> Option<Redeemed<'_>> {
    Some(Redeemed {
        token,
        count,
        invalidate: false,
    })
}

async fn use_up(
    store: &Store,
    account: &BareJid,
    redeemed: Option<Redeemed<'_>>,
    now: Timestamp,
) -> TokensExchanged {
    let id = format!("next of {}", redeemed.unwrap().token);
    let exchange = TokenExchange {
        redeemed,
        ..exchange(account, "phone", &id, now)
    };
    store.fast_tokens().exchange(&exchange).await.unwrap()
}

async fn ids(store: &Store, account: &BareJid, agent: &str) -> Vec<String> {
    let found = store.fast_tokens().find(account, agent).await.unwrap();
    found.into_iter().map(|token| token.id).collect()
}

/// XEP-0484 §3.5, §5.1.
async fn a_new_token_leaves_the_used_one_until_it_is_used(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let at = |seconds| NOW.plus_seconds(seconds);
    issue(&store, &alice, "phone", "a", at(0)).await;
    let used = use_up(&store, &alice, redeemed("a", None), at(1)).await;
    assert_eq!(used, TokensExchanged::Kept);
    issue(&store, &alice, "phone", "b", at(2)).await;
    issue(&store, &alice, "phone", "c", at(3)).await;
    assert_eq!(
        ids(&store, &alice, "phone").await,
        ["c", "a"],
        "b was never used"
    );
    use_up(&store, &alice, redeemed("a", None), at(4)).await;
    assert_eq!(ids(&store, &alice, "phone").await, ["c", "a"]);
    use_up(&store, &alice, redeemed("c", None), at(5)).await;
    assert_eq!(ids(&store, &alice, "phone").await, ["c"]);
    let again = use_up(&store, &alice, redeemed("a", None), at(6)).await;
    assert_eq!(again, TokensExchanged::Refused);
    let found = store.fast_tokens().find(&alice, "phone").await.unwrap();
    assert_eq!(found[0].secret, "secret of c");
    assert_eq!(found[0].mechanism, NONE);
    assert!(!format!("{found:?}").contains("secret of"));
}

async fn a_count_must_grow_and_time_ends_a_token(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    issue(&store, &alice, "phone", "a", NOW).await;
    for (count, seconds, expected) in [
        (Some(0), 0, TokensExchanged::Kept),
        (Some(0), 0, TokensExchanged::Refused),
        (Some(7), 0, TokensExchanged::Kept),
        (Some(7), 0, TokensExchanged::Refused),
        (Some(6), 0, TokensExchanged::Refused),
        (None, 0, TokensExchanged::Kept),
        (Some(7), 0, TokensExchanged::Refused),
        (Some(u32::MAX), 0, TokensExchanged::Kept),
        (None, 20 * DAY, TokensExchanged::Refused),
    ] {
        let now = NOW.plus_seconds(seconds);
        let used = use_up(&store, &alice, redeemed("a", count), now).await;
        assert_eq!(used, expected, "{count:?} after {seconds}");
    }
    let of_another = use_up(&store, &bob, redeemed("a", None), NOW).await;
    assert_eq!(of_another, TokensExchanged::Refused);
}

async fn an_old_token_is_replaced_unless_it_is_given_up(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    issue(&store, &alice, "phone", "a", NOW).await;
    let later = NOW.plus_seconds(DAY);
    let used = use_up(&store, &alice, redeemed("a", None), later.plus_seconds(-1)).await;
    assert_eq!(used, TokensExchanged::Kept);
    let used = use_up(&store, &alice, redeemed("a", None), later).await;
    assert_eq!(used, TokensExchanged::Issued(later.plus_seconds(20 * DAY)));
    assert_eq!(ids(&store, &alice, "phone").await, ["next of a", "a"]);
    let given_up = Some(Redeemed {
        token: "next of a",
        count: None,
        invalidate: true,
    });
    let used = use_up(&store, &alice, given_up, later.plus_seconds(DAY)).await;
    assert_eq!(used, TokensExchanged::Kept);
    assert!(ids(&store, &alice, "phone").await.is_empty());
}

async fn tokens_go_with_password_and_account(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let at = |seconds| NOW.plus_seconds(seconds);
    issue(&store, &alice, "phone", "a", at(0)).await;
    let accounts = store.accounts();
    assert!(accounts.set_password(&alice, &[], at(5)).await.unwrap());
    assert!(ids(&store, &alice, "phone").await.is_empty());

    // Whoever was let in by the old password gets no token after it.
    let late = TokenExchange {
        request: Some(NONE),
        proved_at: at(4),
        ..exchange(&alice, "phone", "b", at(6))
    };
    let kept = store.fast_tokens().exchange(&late).await.unwrap();
    assert_eq!(kept, TokensExchanged::Kept);

    issue(&store, &alice, "phone", "c", at(7)).await;
    assert!(accounts.disable(&alice).await.unwrap());
    assert!(ids(&store, &alice, "phone").await.is_empty());
    let disabled = TokenExchange {
        request: Some(NONE),
        ..exchange(&alice, "phone", "d", at(8))
    };
    let refused = store.fast_tokens().exchange(&disabled).await.unwrap();
    assert_eq!(refused, TokensExchanged::Refused);
    assert!(accounts.enable(&alice).await.unwrap());
    issue(&store, &alice, "phone", "e", at(9)).await;
    accounts.remove(&alice).await.unwrap();
    assert!(ids(&store, &alice, "phone").await.is_empty());
    assert!(!accounts.disable(&alice).await.unwrap());
    assert!(!accounts.enable(&alice).await.unwrap());
}

async fn only_so_many_clients_have_tokens(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    issue(&store, &bob, "other", "bob's", NOW).await;
    for (seconds, agent) in [
        (0, "one"),
        (1, "two"),
        (2, "three"),
        (3, "one"),
        (4, "four"),
    ] {
        let id = format!("{agent} {seconds}");
        issue(&store, &alice, agent, &id, NOW.plus_seconds(seconds)).await;
    }
    for (agent, tokens) in [("one", 1), ("two", 0), ("three", 1), ("four", 1)] {
        assert_eq!(ids(&store, &alice, agent).await.len(), tokens, "{agent}");
    }
    assert_eq!(ids(&store, &bob, "other").await.len(), 1);
}

/// XEP-0480 §3.
async fn missing_keys_are_added_once_and_not_for_an_old_password(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let credentials = store.credentials();
    let at = |seconds| NOW.plus_seconds(seconds);
    let old = [keys(ScramHash::Sha1, 1)];
    store
        .accounts()
        .set_password(&alice, &old, at(5))
        .await
        .unwrap();
    let new = keys(ScramHash::Sha256, 2);
    for (proved_at, key, expected) in [
        (at(4), &new, false),
        (at(5), &new, true),
        (at(6), &new, false),
        (at(6), &old[0], false),
    ] {
        let added = credentials.add(&alice, key, proved_at).await.unwrap();
        assert_eq!(added, expected, "{:?}", key.hash);
    }
    let mut hashes = credentials.hashes(&alice).await.unwrap();
    hashes.sort();
    assert_eq!(hashes, [ScramHash::Sha1, ScramHash::Sha256]);
    let found = credentials.find(&alice, ScramHash::Sha256).await.unwrap();
    assert_eq!(found.unwrap().keys, Some(new));
    assert!(
        !credentials
            .add(&jid("nobody@b.c"), &old[0], at(9))
            .await
            .unwrap()
    );
}
