//! Accounts and what they log in with.

use parlour::domain::rights::Role;
use parlour::proto::scram::ScramHash;
use parlour::store::{
    Appended, LastSeen, Put, RosterItem, RosterWrite, StoreError, SubscriptionRequest, Vcard,
};

use crate::{NOW, Place, account, jid, keys};

crate::on_both!(
    an_account_is_found_as_it_was_made,
    of_many_who_look_at_once_each_finds_its_own,
    an_address_is_taken_once,
    of_many_who_take_an_address_one_gets_it,
    a_new_password_replaces_every_key,
    a_log_in_learns_enabled_role_and_keys_at_once,
    accounts_change_state_only_when_they_exist,
    changes_of_accounts_are_counted,
    a_removed_account_leaves_nothing,
    accounts_are_paged_by_domain,
    the_source_of_an_account_is_kept_where_it_has_no_password,
    what_is_given_up_midway_happens_wholly_or_not_at_all,
);

async fn an_account_is_found_as_it_was_made(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    assert_eq!(store.accounts().find(&alice).await.unwrap(), None);
    store
        .accounts()
        .create(&alice, Role::Agent, &[], NOW)
        .await
        .unwrap();
    let found = store.accounts().find(&alice).await.unwrap().unwrap();
    assert_eq!(found.jid, alice);
    assert_eq!(found.role, Role::Agent);
    assert!(found.enabled);
    assert_eq!(found.created_at, NOW);
    assert_eq!(found.last_seen, None);

    for status in [Some("gone \u{1F98A} fishing".to_owned()), None] {
        let seen = LastSeen {
            at: NOW.plus_seconds(60),
            status,
        };
        assert!(
            store
                .accounts()
                .set_last_seen(&alice, seen.clone())
                .await
                .unwrap()
        );
        let found = store.accounts().find(&alice).await.unwrap().unwrap();
        assert_eq!(found.last_seen, Some(seen));
    }
}

async fn of_many_who_look_at_once_each_finds_its_own(place: Place) {
    let store = place.open().await;
    let accounts = store.accounts();
    for number in 0..11 {
        account(&store, &format!("a{number}@example.com")).await;
    }
    // More than are found together, the same for several, some of nobody.
    let sought: Vec<_> = (0..300)
        .map(|number| jid(&format!("a{}@example.com", number % 13)))
        .collect();
    let found = futures_util::future::join_all(sought.iter().map(|it| accounts.find(it))).await;
    for (number, (sought, found)) in sought.iter().zip(found).enumerate() {
        let found = found.unwrap().map(|it| it.jid);
        assert_eq!(found.as_ref(), Some(sought).filter(|_| number % 13 < 11));
    }
    store.close().await;
    let refused = accounts.find(&jid("a1@example.com")).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
}

async fn an_address_is_taken_once(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let again = store
        .accounts()
        .create(
            &alice,
            Role::Administrator,
            &[keys(ScramHash::Sha1, 9)],
            NOW,
        )
        .await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let found = store.accounts().find(&alice).await.unwrap().unwrap();
    assert_eq!(found.role, Role::Member);
    let login = store.credentials().find(&alice, ScramHash::Sha1).await;
    assert!(login.unwrap().unwrap().keys.is_none());
}

async fn of_many_who_take_an_address_one_gets_it(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let keys = [keys(ScramHash::Sha1, 1), keys(ScramHash::Sha256, 1)];
    let accounts = store.accounts();
    let tries = (0..16).map(|_| accounts.create(&alice, Role::Member, &keys, NOW));
    let (made, refused): (Vec<_>, Vec<_>) = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 15));
    for refusal in refused {
        assert!(
            matches!(refusal, Err(StoreError::Conflict(_))),
            "{refusal:?}"
        );
    }
}

async fn a_new_password_replaces_every_key(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let new = keys(ScramHash::Sha512, 7);
    let replaced = store
        .accounts()
        .set_password(&alice, std::slice::from_ref(&new), NOW)
        .await;
    assert!(replaced.unwrap());
    let of = |hash| {
        let (store, alice) = (&store, &alice);
        async move {
            let login = store.credentials().find(alice, hash).await;
            login.unwrap().unwrap().keys
        }
    };
    assert!(of(ScramHash::Sha256).await.is_none());
    assert!(of(ScramHash::Sha512).await == Some(new));
    let nobody = jid("nobody@example.com");
    let changed = store
        .accounts()
        .set_password(&nobody, &[keys(ScramHash::Sha1, 1)], NOW)
        .await;
    assert!(!changed.unwrap());
}

async fn a_log_in_learns_enabled_role_and_keys_at_once(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let all = [
        keys(ScramHash::Sha256, 2),
        keys(ScramHash::Sha512, 3),
        keys(ScramHash::Sha1, 1),
    ];
    store
        .accounts()
        .create(&alice, Role::Supervisor, &all, NOW)
        .await
        .unwrap();
    for expected in &all {
        let login = store.credentials().find(&alice, expected.hash).await;
        let login = login.unwrap().unwrap();
        assert!(login.enabled);
        assert_eq!(login.role, Role::Supervisor);
        assert!(login.keys.as_ref() == Some(expected));
    }
    let strongest = store.credentials().strongest(&alice).await.unwrap();
    assert!(strongest.unwrap().keys.as_ref() == Some(&all[1]));

    let nobody = jid("nobody@example.com");
    assert!(
        store
            .credentials()
            .strongest(&nobody)
            .await
            .unwrap()
            .is_none()
    );
    let found = store.credentials().find(&nobody, ScramHash::Sha1).await;
    assert!(found.unwrap().is_none());
}

async fn accounts_change_state_only_when_they_exist(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let nobody = jid("nobody@example.com");
    let accounts = store.accounts();

    assert!(accounts.disable(&alice).await.unwrap());
    let login = store.credentials().strongest(&alice).await.unwrap();
    assert!(!login.unwrap().enabled);
    assert!(accounts.enable(&alice).await.unwrap());
    assert!(
        accounts
            .set_role(&alice, Role::Administrator)
            .await
            .unwrap()
    );
    let found = accounts.find(&alice).await.unwrap().unwrap();
    assert!(found.enabled);
    assert_eq!(found.role, Role::Administrator);

    assert!(!accounts.disable(&nobody).await.unwrap());
    assert!(!accounts.enable(&nobody).await.unwrap());
    assert!(!accounts.set_role(&nobody, Role::Agent).await.unwrap());
    assert!(accounts.remove(&nobody).await.unwrap().is_none());
}

async fn changes_of_accounts_are_counted(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let accounts = store.accounts();
    let mut counts = vec![accounts.changed()];
    // Looking changes nothing.
    assert!(accounts.find(&alice).await.unwrap().is_some());
    assert_eq!(accounts.changed(), counts[0]);
    assert!(accounts.disable(&alice).await.unwrap());
    counts.push(accounts.changed());
    assert!(accounts.enable(&alice).await.unwrap());
    counts.push(accounts.changed());
    assert!(accounts.set_role(&alice, Role::Agent).await.unwrap());
    counts.push(accounts.changed());
    assert!(accounts.remove(&alice).await.unwrap().is_some());
    counts.push(accounts.changed());
    assert!(
        counts.is_sorted_by(|before, after| before < after),
        "{counts:?}"
    );
}

async fn a_removed_account_leaves_nothing(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let put = |owner, contact| RosterWrite::Put {
        owner,
        item: RosterItem::new(contact),
    };
    let steps = [
        put(alice.clone(), bob.clone()),
        put(bob.clone(), alice.clone()),
    ];
    let _ = store.rosters().apply(&steps, 10, NOW).await.unwrap();
    let request = SubscriptionRequest {
        from: jid("carol@example.com"),
        stanza: b"<presence/>".to_vec(),
        received_at: NOW,
    };
    let kept = store
        .subscription_requests()
        .put(&alice, &request, 10)
        .await;
    assert_eq!(kept.unwrap(), Put::Stored);
    let offline = store.offline_messages();
    let kept = offline.append(&alice, "<message/>".into(), NOW, 10).await;
    assert!(matches!(kept.unwrap(), Appended::Stored(_)));
    let kept = store
        .private_xml()
        .put(&alice, "ns", "x", b"<x/>", 100)
        .await;
    assert_eq!(kept.unwrap(), Put::Stored);
    let vcard = Vcard {
        xml: b"<vCard/>".to_vec(),
        updated_at: NOW,
    };
    assert_eq!(
        store.vcards().put(&alice, &vcard, 100).await.unwrap(),
        Put::Stored
    );

    let removed = store.accounts().remove(&alice).await.unwrap().unwrap();
    assert_eq!(removed.roster.len(), 1);
    assert_eq!(removed.roster[0].contact, bob);
    let holders = store.rosters().holders(&alice, None, 10).await.unwrap();
    assert_eq!(holders, [bob]);

    // The next owner of the address finds none of it.
    let alice = account(&store, "alice@example.com").await;
    assert!(store.rosters().load(&alice).await.unwrap().items.is_empty());
    assert!(
        store
            .subscription_requests()
            .list(&alice)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(offline.page(&alice, 0, 10).await.unwrap().is_empty());
    assert_eq!(offline.count(&alice).await.unwrap(), 0);
    assert_eq!(
        store.private_xml().find(&alice, "ns", "x").await.unwrap(),
        None
    );
    assert_eq!(store.vcards().find(&alice).await.unwrap(), None);
}

async fn the_source_of_an_account_is_kept_where_it_has_no_password(place: Place) {
    let store = place.open().await;
    let bob = account(&store, "bob@example.com").await;
    let alice = jid("alice@example.com");
    let sources = store.account_sources();
    let early = sources.put(&alice, "ldap").await;
    assert!(matches!(early, Err(StoreError::NoAccount(_))), "{early:?}");
    let accounts = store.accounts();
    accounts
        .create(&alice, Role::Member, &[], NOW)
        .await
        .unwrap();
    assert_eq!(sources.find(&alice).await.unwrap(), None);
    for (source, is_theirs) in [("ldap", true), ("ldap", true), ("oauth", false)] {
        assert_eq!(sources.put(&alice, source).await.unwrap(), is_theirs);
        let found = sources.find(&alice).await.unwrap();
        assert_eq!(found.as_deref(), Some("ldap"));
    }
    assert!(!sources.put(&bob, "ldap").await.unwrap());
    assert_eq!(sources.find(&bob).await.unwrap(), None);
    accounts.remove(&alice).await.unwrap();
    assert_eq!(sources.find(&alice).await.unwrap(), None);
}

async fn accounts_are_paged_by_domain(place: Place) {
    let store = place.open().await;
    for name in [
        "dora@b.example",
        "anna@b.example",
        "carl@b.example",
        "bert@b.example",
    ] {
        account(&store, name).await;
    }
    account(&store, "eve@a.example").await;
    let accounts = store.accounts();
    let names = |page: Vec<parlour::store::Account>| -> Vec<String> {
        page.into_iter().map(|a| a.jid.to_string()).collect()
    };
    let first = names(accounts.page("b.example", None, 3).await.unwrap());
    assert_eq!(
        first,
        ["anna@b.example", "bert@b.example", "carl@b.example"]
    );
    let carl = jid("carl@b.example");
    let rest = names(accounts.page("b.example", Some(&carl), 3).await.unwrap());
    assert_eq!(rest, ["dora@b.example"]);
    assert_eq!(accounts.count("b.example").await.unwrap(), 4);
    assert_eq!(accounts.count("c.example").await.unwrap(), 0);
}

async fn what_is_given_up_midway_happens_wholly_or_not_at_all(place: Place) {
    let store = place.open().await;
    let keys = [
        keys(ScramHash::Sha1, 1),
        keys(ScramHash::Sha256, 2),
        keys(ScramHash::Sha512, 3),
    ];
    let jids: Vec<_> = (0..60).map(|n| jid(&format!("u{n}@example.com"))).collect();
    for (pause, jid) in jids.iter().enumerate() {
        let accounts = store.accounts();
        tokio::select! {
            biased;
            _ = accounts.create(jid, Role::Member, &keys, NOW) => {}
            () = async {
                // Each round trip of the database lets it go a little further.
                for _ in 0..pause * pause {
                    store.ping().await.unwrap();
                }
            } => {}
        }
    }
    account(&store, "after@example.com").await;
    // A commit that was under way may still come to its end.
    store.close().await;
    let store = place.open().await;
    let (mut whole, mut nothing) = (0, 0);
    for jid in &jids {
        let mut found = 0;
        for key in &keys {
            let login = store.credentials().find(jid, key.hash).await.unwrap();
            found += usize::from(login.is_some_and(|login| login.keys.is_some()));
        }
        match found {
            0 => nothing += 1,
            3 => whole += 1,
            part => panic!("{part} of 3 keys"),
        }
    }
    assert!(whole > 0 && nothing > 0, "{whole} {nothing}");
}
