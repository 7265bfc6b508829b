//! S0-28: what belongs to an interaction is among the recent objects of those who deal with it, to be sent to colleagues.

use super::*;

/// An offer that brings an object, and one that cannot be shown as one.
const OFFER: &str = "<offer interaction='c1' medium='voice' direction='inbound' address='+493012345678' agent='ann@localhost'>\
    <data name='object/case/1'>Fire\nhttps://crm.example/1</data><data name='object/Case/2'>Flood</data>\
    <data name='order'>4711</data></offer>";

/// The recent objects, each in short.
async fn recent(client: &mut Client) -> Vec<String> {
    let answer = ask(client, "get", "<recent xmlns='urn:parlour:context:0'/>").await;
    let entries = answer.split("<entry ").skip(1);
    let short = |entry: &str| {
        let touch = attribute(&format!("<entry {entry}"), "entry", "touch").unwrap();
        let word = |name| attribute(entry, "object", name).unwrap();
        let title = entry.split_once("<title>").unwrap().1;
        let title = title.split('<').next().unwrap();
        format!("{touch} {}/{} {title}", word("type"), word("id"))
    };
    entries.map(short).collect()
}

/// From the moment at which the agent is connected: the customer and what the data name, then what is added.
#[tokio::test]
async fn what_belongs_to_an_interaction_is_among_the_recent_objects() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    floor.customer("k1", "Eve", NUMBER).await;
    floor.customer("k2", "Adam", "adam@mail.example").await;
    says(&floor, PBX, "set", OFFER).await;
    // It may still be for somebody else.
    assert_eq!(recent(&mut ann).await, Vec::<String>::new());
    done(&floor, &mut ann, "c1", "accept").await;
    let first = ["attached customer/k1 Eve", "attached case/1 Fire"];
    assert_eq!(recent(&mut ann).await, first);
    want(
        &mut ann,
        "c1",
        "attach <data name='object/lead/7'>Tip</data>",
    )
    .await;
    want(&mut ann, "c1", "identify customer='k2'").await;
    let all = [
        "attached customer/k2 Adam",
        "attached lead/7 Tip",
        "attached customer/k1 Eve",
        "attached case/1 Fire",
    ];
    assert_eq!(recent(&mut ann).await, all);
    // What the connector adds is for whoever is there.
    let more = "<attach interaction='c1'><data name='object/order/3'>Pen</data></attach>";
    says(&floor, PBX, "set", more).await;
    assert_eq!(recent(&mut ann).await[0], "attached order/3 Pen");
    // What is taken away was in hand nevertheless, and is put there by nothing.
    want(&mut ann, "c1", "attach <data name='object/lead/7'/>").await;
    assert_eq!(recent(&mut ann).await[0], "attached order/3 Pen");
    let key = "<object type='case' id='1'/>";
    let send = format!("<send xmlns='urn:parlour:context:0'><to>bob@localhost</to>{key}</send>");
    let sent = ask(&mut ann, "set", &send).await;
    assert!(
        sent.contains("<title>Fire</title><url>https://crm.example/1</url>"),
        "{sent}"
    );
    bob.received();
}

/// S1-33, S1-36: whoever is consulted reads as long as that lasts, and keeps it only where it takes over.
#[tokio::test]
async fn the_consulted_keep_no_objects_until_they_take_over() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    floor.customer("k1", "Eve", NUMBER).await;
    says(&floor, PBX, "set", OFFER).await;
    done(&floor, &mut ann, "c1", "accept").await;
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    done(&floor, &mut bob, "c1", "accept").await;
    want(
        &mut ann,
        "c1",
        "attach <data name='object/lead/7'>Tip</data>",
    )
    .await;
    assert_eq!(recent(&mut bob).await, Vec::<String>::new());
    done(&floor, &mut ann, "c1", "complete-transfer").await;
    let all = [
        "attached customer/k1 Eve",
        "attached case/1 Fire",
        "attached lead/7 Tip",
    ];
    assert_eq!(recent(&mut bob).await, all);
}

/// A customer who is erased is in no list any more; what else there was stays.
#[tokio::test]
async fn an_erased_customer_is_no_recent_object() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    floor.customer("k1", "Eve", NUMBER).await;
    says(&floor, PBX, "set", OFFER).await;
    done(&floor, &mut ann, "c1", "accept").await;
    done(&floor, &mut ann, "c1", "end").await;
    want(&mut ann, "c1", "finish-wrap-up").await;
    assert_eq!(recent(&mut ann).await.len(), 2);
    let given = [("id", "k1"), ("confirm", "true")];
    floor.operate("customer erase", &given).await;
    assert_eq!(recent(&mut ann).await, ["attached case/1 Fire"]);
    let opened = "<opened xmlns='urn:parlour:context:0'><object type='case' id='1'/></opened>";
    let answer = ask(&mut ann, "set", opened).await;
    assert!(answer.contains("type='result'"), "{answer}");
    assert_eq!(recent(&mut ann).await, ["opened case/1 Fire"]);
}
