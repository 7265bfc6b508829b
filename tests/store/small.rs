//! Private XML (XEP-0049), vCards (XEP-0054) and settings.

use parlour::store::{Put, StoreError, Vcard};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    private_xml_is_kept_by_namespace_and_name_within_its_bound,
    a_vcard_is_replaced_and_bounded,
    a_secret_is_made_once_however_many_ask,
);

async fn private_xml_is_kept_by_namespace_and_name_within_its_bound(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let private = store.private_xml();
    assert_eq!(private.find(&alice, "n", "a").await.unwrap(), None);
    for (ns, name, xml, answer) in [
        ("n", "a", "<first/>", Put::Stored),
        ("n", "b", "<second/>", Put::Stored),
        ("m", "a", "<third/>", Put::Stored),
        // 8 + 9 + 8 bytes are there; the bound is 30.
        ("m", "b", "<six__/>", Put::Full),
        ("n", "a", "<thirteen.../", Put::Stored),
        ("n", "a", "<fourteen..../>", Put::Full),
    ] {
        let put = private.put(&alice, ns, name, xml.as_bytes(), 30).await;
        assert_eq!(put.unwrap(), answer, "{ns} {name}");
    }
    for (ns, name, xml) in [
        ("n", "a", Some("<thirteen.../")),
        ("n", "b", Some("<second/>")),
        ("m", "a", Some("<third/>")),
        ("m", "b", None),
    ] {
        let found = private.find(&alice, ns, name).await.unwrap();
        assert_eq!(found.as_deref(), xml.map(str::as_bytes), "{ns} {name}");
        assert_eq!(private.find(&bob, ns, name).await.unwrap(), None);
    }
    let nobody = private.put(&jid("nobody@b.c"), "n", "a", b"<a/>", 30).await;
    assert!(
        matches!(nobody, Err(StoreError::NoAccount(_))),
        "{nobody:?}"
    );
}

async fn a_vcard_is_replaced_and_bounded(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let vcards = store.vcards();
    assert_eq!(vcards.find(&alice).await.unwrap(), None);
    let of = |text: &str, seconds| Vcard {
        xml: text.as_bytes().to_vec(),
        updated_at: NOW.plus_seconds(seconds),
    };
    let second = of("<vCard>2</vCard>", 1);
    for (vcard, answer) in [
        (&of("<vCard/>", 0), Put::Stored),
        (&second, Put::Stored),
        (&of("<vCard>far too long</vCard>", 2), Put::Full),
    ] {
        assert_eq!(vcards.put(&alice, vcard, 16).await.unwrap(), answer);
    }
    assert_eq!(vcards.find(&alice).await.unwrap(), Some(second.clone()));
    let nobody = vcards.put(&jid("nobody@b.c"), &second, 16).await;
    assert!(
        matches!(nobody, Err(StoreError::NoAccount(_))),
        "{nobody:?}"
    );
}

async fn a_secret_is_made_once_however_many_ask(place: Place) {
    let store = place.open().await;
    let asks = (0..16_u8).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let settings = store.settings();
            settings.find_or_create("secret", || vec![n, 0, 255]).await
        })
    });
    let mut answers = Vec::new();
    for asked in futures_util::future::join_all(asks).await {
        answers.push(asked.unwrap().unwrap());
    }
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:?}"
    );
    let kept = store.settings().find("secret").await.unwrap();
    assert_eq!(kept.as_ref(), answers.first());
    assert_eq!(store.settings().find("other").await.unwrap(), None);
}
