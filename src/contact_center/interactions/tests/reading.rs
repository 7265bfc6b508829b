//! Who may look at interactions.

use super::*;

/// Supervisors read what they take no part in, which is in the audit trail; others learn of nothing.
#[tokio::test]
async fn a_supervisor_reads_and_is_written_down() {
    let floor = floor(&["ann", "eve", "boss:supervisor", "peter:member"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut eve = agent(&floor, "eve/desk").await;
    let mut boss = floor.online("boss/desk").await;
    let mut peter = floor.online("peter/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "attach <data name='order'>4711</data>").await;
    assert_eq!(
        code(&want(&mut eve, "c1", "interaction").await),
        "interaction-unknown"
    );
    assert_eq!(
        code(&want(&mut peter, "c1", "interaction").await),
        "right-missing"
    );
    let audit = floor.house.router.services().store.audit();
    let entries = async || {
        let filter = crate::store::AuditFilter {
            operation: Some("interaction show".to_owned()),
            ..Default::default()
        };
        audit.list(&filter, 10).await.unwrap().len()
    };
    assert_eq!(entries().await, 0);
    let answer = want(&mut boss, "c1", "interaction").await;
    assert!(
        answer.contains("<data name='order'>4711</data>"),
        "{answer}"
    );
    assert_eq!(entries().await, 1);
    assert_eq!(
        code(&want(&mut boss, "c1", "hold").await),
        "interaction-unknown"
    );
}

/// S2-20, S1-36: who is asked for advice sees that it is asked, and what belongs to the interaction from when it accepts until the
/// end of the consultation.
#[tokio::test]
async fn who_is_consulted_by_voice_reads_while_it_lasts() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "attach <data name='order'>4711</data>").await;
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    let told = bob.received_xml().concat();
    assert!(
        told.contains("leg='offered'") && !told.contains("4711"),
        "{told}"
    );
    let answer = want(&mut bob, "c1", "interaction").await;
    assert!(
        answer.contains("leg='offered'") && !answer.contains("4711"),
        "{answer}"
    );
    bob.received();
    done(&floor, &mut bob, "c1", "accept").await;
    assert!(bob.received_xml().concat().contains("4711"));
    let write = want(&mut bob, "c1", "attach <data name='order'>0</data>").await;
    assert_eq!(code(&write), "read-only");
    bob.received();
    done(&floor, &mut ann, "c1", "retrieve").await;
    let mut told = bob.received_xml();
    told.retain(|xml| xml.starts_with("<message"));
    let told = told.pop().unwrap();
    assert!(
        told.contains("leg='wrap-up'") && !told.contains("4711"),
        "{told}"
    );
    assert_eq!(
        code(&want(&mut bob, "c1", "interaction").await),
        "interaction-unknown"
    );
}
