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
        told.contains("leg='offered'") && !told.contains(">4711<"),
        "{told}"
    );
    let answer = want(&mut bob, "c1", "interaction").await;
    assert!(
        answer.contains("leg='offered'") && !answer.contains(">4711<"),
        "{answer}"
    );
    bob.received();
    done(&floor, &mut bob, "c1", "accept").await;
    assert!(bob.received_xml().concat().contains(">4711<"));
    let write = want(&mut bob, "c1", "attach <data name='order'>0</data>").await;
    assert_eq!(code(&write), "read-only");
    bob.received();
    done(&floor, &mut ann, "c1", "retrieve").await;
    let mut told = bob.received_xml();
    told.retain(|xml| xml.starts_with("<message"));
    let told = told.pop().unwrap();
    assert!(
        told.contains("leg='wrap-up'") && !told.contains(">4711<"),
        "{told}"
    );
    assert_eq!(
        code(&want(&mut bob, "c1", "interaction").await),
        "interaction-unknown"
    );
}

/// What fits on a page is shown at once; of more the command asks which page, and tells where the rest is.
#[tokio::test]
async fn more_interactions_than_a_page_are_read_by_form() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let node = format!("{NS}#interactions");
    let data = |name: usize| format!("<data name='n{name}'>{}</data>", "x".repeat(4_000));
    let data: String = (0..8).map(data).collect();
    let offer = |id: usize| {
        format!(
            "<offer interaction='c{id}' medium='chat' direction='inbound' address='eve@mail.example' agent='ann@localhost'>{data}</offer>"
        )
    };
    says(&floor, PBX, "set", &offer(1)).await;
    let answer = command(&mut ann, &node, &[]).await;
    assert_eq!(answer.matches("<item>").count(), 1, "{answer}");
    assert!(!answer.contains("The rest is behind"), "{answer}");
    says(&floor, PBX, "set", &offer(2)).await;
    let begun = format!("<command xmlns='http://jabber.org/protocol/commands' node='{node}'/>");
    let form = ask(&mut ann, "set", &begun).await;
    assert!(
        form.contains("status='executing'") && form.contains("var='after'"),
        "{form}"
    );
    for (fields, shown, rest) in [(&[][..], "c1", true), (&[("after", "c1")], "c2", false)] {
        let answer = command(&mut ann, &node, fields).await;
        assert_eq!(answer.matches("<item>").count(), 1, "{answer}");
        assert!(
            answer.contains(&format!("<value>{shown}</value>")),
            "{answer}"
        );
        assert_eq!(answer.contains("The rest is behind c1."), rest, "{answer}");
    }
    // What typed requests are told is as it was.
    let typed = ask(&mut ann, "get", &format!("<interactions xmlns='{NS}'/>")).await;
    assert!(typed.contains("<count>2</count>"), "{typed}");
}
