use super::*;

#[test]
fn what_goes_to_each_is_written_with_the_address_of_who_reads_it() {
    let reader: FullJid = "juliet@example.org/the 'balcony'".parse().unwrap();
    let from = Jid::parse("room@rooms.example.org/romeo").unwrap();
    let mail = Stanza::message(MessageType::Groupchat).from(from).to_each();
    let written = |stanza: &Stanza, reader| {
        let mut out = Vec::new();
        stanza.write_for(reader, &mut out, None);
        String::from_utf8(out).unwrap()
    };
    let expected = "<message from='room@rooms.example.org/romeo' \
                    to='juliet@example.org/the &apos;balcony&apos;' type='groupchat'/>";
    assert_eq!(written(&mail, Some(&reader)), expected);
    // Out of the mailbox it is to that session alone, whoever writes it.
    let own = mail.of_reader(&reader);
    let other: FullJid = "nurse@example.org/x".parse().unwrap();
    assert_eq!(written(&own, Some(&other)), expected);
    // To the account, if that was said.
    let presence = Stanza::presence(PresenceType::Available).to_each_account();
    let expected = "<presence to='juliet@example.org'/>";
    assert_eq!(written(&presence, Some(&reader)), expected);
    assert_eq!(written(&presence.of_reader(&reader), None), expected);
    let unaddressed = Stanza::presence(PresenceType::Available);
    assert_eq!(written(&unaddressed, Some(&other)), "<presence/>");
}
