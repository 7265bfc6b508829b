//! Customers: found by address, by id of the CRM, and by beginnings, each only on its host.

use parlour::domain::customer::{Command, Customer, Profile, decide};
use parlour::store::{
    CustomerPlace, FoundCustomer, ListOrder, RecordWrite, RecordsWritten, Store, customer_change,
    customer_place,
};

use crate::{NOW, Place};

crate::on_both!(
    customers_are_found_by_address_and_id_of_the_crm_on_their_host,
    words_with_one_beginning_stand_together,
    a_merged_customer_is_found_by_its_id_of_the_crm_only,
);

async fn put(store: &Store, before: &Customer, command: Command) -> Customer {
    let events = decide(before, command, NOW).unwrap();
    let (after, change) = customer_change(before, &events).unwrap();
    let write = RecordWrite {
        changes: vec![change],
        ..RecordWrite::default()
    };
    let written = store.records().write(write).await.unwrap();
    assert_eq!(written, RecordsWritten::Done);
    after
}

async fn made(store: &Store, host: &str, id: &str, name: &str) -> Customer {
    let profile = Profile {
        name: name.to_owned(),
        telephones: vec!["+493012345678".to_owned()],
        emails: vec![format!("{id}@Example.org")],
        crm_id: Some(format!("crm-{id}")),
        ..Profile::default()
    };
    let before = Customer::new(id.parse().unwrap(), host.to_owned());
    put(store, &before, Command::Create(profile)).await
}

fn ids(customers: &[Customer]) -> Vec<&str> {
    customers.iter().map(|it| it.id.as_str()).collect()
}

async fn customers_are_found_by_address_and_id_of_the_crm_on_their_host(place: Place) {
    let store = place.open().await;
    let a = made(&store, "one.example", "a", "Ann").await;
    made(&store, "one.example", "b", "Bob").await;
    made(&store, "two.example", "c", "Cat").await;
    let customers = store.customers();
    let found = customers.find("one.example", "a").await.unwrap();
    assert_eq!(found, Some(a));
    assert_eq!(customers.find("two.example", "a").await.unwrap(), None);
    for (host, address, limit, expected) in [
        ("one.example", "+493012345678", 20, &["a", "b"][..]),
        ("one.example", "+493012345678", 1, &["a"]),
        ("two.example", "+493012345678", 20, &["c"]),
        ("one.example", "a@example.org", 20, &["a"]),
        ("two.example", "a@example.org", 20, &[]),
        ("one.example", "+49301234567", 20, &[]),
    ] {
        let found = customers.by_address(host, address, limit).await.unwrap();
        assert_eq!(ids(&found), expected, "{host} {address}");
    }
    let known = customers.by_crm("one.example", "crm-b").await.unwrap();
    assert_eq!(known.unwrap().profile.name, "Bob");
    assert!(
        customers
            .by_crm("two.example", "crm-b")
            .await
            .unwrap()
            .is_none()
    );
    let all = customers.of_host("one.example", "a", 10).await.unwrap();
    assert_eq!(ids(&all), ["b"]);
}

/// The order is that of bytes, whatever the locale of the database is.
async fn words_with_one_beginning_stand_together(place: Place) {
    let store = place.open().await;
    for (id, name) in [
        ("1", "Zoe"),
        ("2", "Ann-Marie Annan"),
        ("3", "anna"),
        ("4", "Ännchen"),
        ("5", "an Other"),
        ("6", "Δημήτρης"),
        ("7", "An.Nie"),
    ] {
        made(&store, "one.example", id, name).await;
    }
    made(&store, "one", "8", "Annette").await;
    made(&store, "one.example.org", "9", "Annette").await;
    let customers = store.customers();
    let search = async |text: &str, from: Option<&FoundCustomer>, order, limit| {
        let from = from.map(FoundCustomer::place);
        let found = customers.search("one.example", text, from.as_ref(), order, limit);
        found.await.unwrap()
    };
    let rows = |found: &[FoundCustomer]| -> Vec<String> {
        found.iter().map(|it| it.customer.id.to_string()).collect()
    };
    let up = search("ann", None, ListOrder::Ascending, 10).await;
    assert_eq!(rows(&up), ["2", "3", "2", "4"]);
    let first: Vec<bool> = up.iter().map(|it| it.is_first("ann")).collect();
    assert_eq!(first, [true, true, false, true]);
    let mut down = search("ann", None, ListOrder::Descending, 10).await;
    down.reverse();
    assert_eq!(up, down);
    let behind = search("ann", Some(&up[0]), ListOrder::Ascending, 2).await;
    assert_eq!(rows(&behind), ["3", "2"]);
    let before = search("ann", Some(&up[2]), ListOrder::Descending, 1).await;
    assert_eq!(rows(&before), ["3"]);
    for (text, expected) in [
        ("δημ", &["6"][..]),
        ("zoe", &["1"]),
        ("49301", &["1", "2", "3", "4", "5", "6", "7"]),
        ("3@example", &["3"]),
        ("x", &[]),
    ] {
        let found = search(text, None, ListOrder::Ascending, 10).await;
        assert_eq!(rows(&found), expected, "{text}");
    }
    assert_eq!(customer_place(&up[0].customer, "ann"), Some(up[0].place()));
    assert_eq!(customer_place(&up[0].customer, "bob"), None);
    // A place leads on when the customer is no longer there, and in its own host only.
    let told = up[1].place().told("one.example");
    let place = CustomerPlace::understood("one.example", &told);
    assert_eq!(place.as_ref(), Some(&up[1].place()));
    let renamed = Command::Edit {
        read: 1,
        profile: Profile {
            name: "Zoe".to_owned(),
            ..Profile::default()
        },
    };
    put(&store, &up[1].customer, renamed).await;
    let order = ListOrder::Ascending;
    let rest = customers.search("one.example", "ann", place.as_ref(), order, 9);
    assert_eq!(rows(&rest.await.unwrap()), ["2", "4"]);
    let elsewhere = CustomerPlace::understood("one", &told);
    assert_ne!(elsewhere, place);
}

async fn a_merged_customer_is_found_by_its_id_of_the_crm_only(place: Place) {
    let store = place.open().await;
    let a = made(&store, "one.example", "a", "Ann").await;
    let b = made(&store, "one.example", "b", "Bob").await;
    let merge = Command::MergeInto {
        read: 1,
        other: b.id.clone(),
    };
    let merged = put(&store, &a, merge).await;
    let customers = store.customers();
    let found = customers.by_address("one.example", "+493012345678", 20);
    assert_eq!(ids(&found.await.unwrap()), ["b"]);
    let order = ListOrder::Ascending;
    let found = customers.search("one.example", "ann", None, order, 10);
    assert!(found.await.unwrap().is_empty());
    assert_eq!(
        ids(&customers.of_host("one.example", "", 10).await.unwrap()),
        ["b"]
    );
    let known = customers.by_crm("one.example", "crm-a").await.unwrap();
    assert_eq!(known, Some(merged));
    // Where both have one id, who stands for both is found.
    let profile = Profile {
        crm_id: Some("crm-a".to_owned()),
        ..b.profile.clone()
    };
    let stands = put(&store, &b, Command::Edit { read: 1, profile }).await;
    let known = customers.by_crm("one.example", "crm-a").await.unwrap();
    assert_eq!(known, Some(stands));
}
