//! Every schema of `schemas/` is a valid one, takes what the server sends, and refuses what is
//! wrong. `xmllint` of libxml2 is the judge (Debian: `libxml2-utils`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot read what it checks has failed"
)]

#[path = "schemas/documents.rs"]
mod documents;
#[path = "schemas/errors.rs"]
mod errors;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A schema, documents that it takes, and documents that it refuses.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (
        "activity.xsd",
        &[
            "<note xmlns='urn:parlour:activity:0' id='a1'><text xml:lang='de'>Will zwei.</text></note>",
            "<wrap-up xmlns='urn:parlour:activity:0' code='sold'/>",
            "<activity xmlns='urn:parlour:activity:0'/>",
            "<activity xmlns='urn:parlour:activity:0' id='a1' version='1' interaction='call-1' agent='romeo@example.org' role='primary' medium='email' direction='inbound' category='chat' address='ann@example.net' name='Ann' created='2026-01-31T12:00:00Z' duration='0' notes='1'><note n='1' at='2026-01-31T12:00:00Z' xml:lang='en'>So.</note><set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set></activity>",
            "<activities xmlns='urn:parlour:activity:0' customer='c1'><activity id='a1'/></activities>",
            "<subscribe xmlns='urn:parlour:activity:0' after='0'/>",
            "<subscribed xmlns='urn:parlour:activity:0' after='0' first='1' last='2'/>",
            "<changes xmlns='urn:parlour:activity:0'><change cursor='1'><activity id='a1'/></change></changes>",
        ],
        &[
            "<note xmlns='urn:parlour:activity:0' id='a1'/>",
            "<note xmlns='urn:parlour:activity:0'>So.</note>",
            "<wrap-up xmlns='urn:parlour:activity:0'/>",
            "<activity xmlns='urn:parlour:activity:0' role='customer'/>",
            "<activity xmlns='urn:parlour:activity:0' agent='example.org'/>",
            "<activity xmlns='urn:parlour:activity:0' created='yesterday'/>",
            "<activity xmlns='urn:parlour:activity:0' duration='-1'/>",
            "<activity xmlns='urn:parlour:activity:0'><note n='1'>So.</note></activity>",
            "<subscribe xmlns='urn:parlour:activity:0' after='x'/>",
            "<acknowledge xmlns='urn:parlour:activity:0'/>",
            "<change xmlns='urn:parlour:activity:0' cursor='1'/>",
        ],
    ),
    (
        "agent.xsd",
        &[
            "<login xmlns='urn:parlour:agent:0'/>",
            "<not-ready xmlns='urn:parlour:agent:0' reason='lunch'/>",
            "<agent xmlns='urn:parlour:agent:0' jid='juliet@example.org'/>",
            "<agent xmlns='urn:parlour:agent:0' state='not-ready' reason='lunch' label='Lunch' since='2026-01-31T12:00:00Z' view='busy'/>",
            "<agents xmlns='urn:parlour:agent:0'><state>available</state><set xmlns='http://jabber.org/protocol/rsm'><max>5</max></set></agents>",
            "<agents xmlns='urn:parlour:agent:0'><agent jid='juliet@example.org' state='available' view='online' seconds='5'/><set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set></agents>",
            "<history xmlns='urn:parlour:agent:0' jid='juliet@example.org'><change id='1' at='2026-01-31T12:00:00Z' change='login'/></history>",
        ],
        &[
            "<login xmlns='urn:parlour:agent:0' reason='early'/>",
            "<not-ready xmlns='urn:parlour:agent:0'/>",
            "<logout xmlns='urn:parlour:agent:0' reason='shift over'/>",
            "<agent xmlns='urn:parlour:agent:0' state='asleep'/>",
            "<agent xmlns='urn:parlour:agent:0' jid='example.org'/>",
            "<agent xmlns='urn:parlour:agent:0' state='available' since='yesterday'/>",
            "<agent xmlns='urn:parlour:agent:0' state='available' seconds='-1'/>",
            "<agents xmlns='urn:parlour:agent:0'><state>available</state><agent jid='juliet@example.org'/></agents>",
            "<history xmlns='urn:parlour:agent:0'><change id='1' change='login'/></history>",
        ],
    ),
    (
        "avatar-data.xsd",
        &["<data xmlns='urn:xmpp:avatar:data'>AAAA</data>"],
        &["<data xmlns='urn:xmpp:avatar:data'><b/></data>"],
    ),
    (
        "avatar-metadata.xsd",
        &[
            "<metadata xmlns='urn:xmpp:avatar:metadata'/>",
            "<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='3' id='a' type='image/png'/></metadata>",
        ],
        &["<metadata xmlns='urn:xmpp:avatar:metadata'><info id='a'/></metadata>"],
    ),
    (
        "bidi-feature.xsd",
        &["<bidi xmlns='urn:xmpp:features:bidi'/>"],
        &["<bidi xmlns='urn:xmpp:features:bidi'>yes</bidi>"],
    ),
    (
        "bidi.xsd",
        &["<bidi xmlns='urn:xmpp:bidi'/>"],
        &["<bidi xmlns='urn:xmpp:bidi'>yes</bidi>"],
    ),
    (
        "bind.xsd",
        &[
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org/desk</jid></bind>",
        ],
        &["<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>a@example.org</jid></bind>"],
    ),
    (
        "bind2.xsd",
        &[
            "<bind xmlns='urn:xmpp:bind:0'/>",
            "<bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:sm:3'/></inline></bind>",
            "<bound xmlns='urn:xmpp:bind:0'/>",
        ],
        &[
            "<bind xmlns='urn:xmpp:bind:0'><inline/></bind>",
            "<bind xmlns='urn:xmpp:bind:0'><inline><feature/></inline></bind>",
            "<bound xmlns='urn:xmpp:bind:0'><tag/></bound>",
        ],
    ),
    (
        "blocking-errors.xsd",
        &["<blocked xmlns='urn:xmpp:blocking:errors'/>"],
        &["<blocked xmlns='urn:xmpp:blocking:errors'>text</blocked>"],
    ),
    (
        "blocking.xsd",
        &[
            "<blocklist xmlns='urn:xmpp:blocking'/>",
            "<block xmlns='urn:xmpp:blocking'><item jid='romeo@example.org/x'/></block>",
            "<unblock xmlns='urn:xmpp:blocking'/>",
        ],
        &[
            "<block xmlns='urn:xmpp:blocking'/>",
            "<block xmlns='urn:xmpp:blocking'><item/></block>",
            "<blocklist xmlns='urn:xmpp:blocking'><item jid=''/></blocklist>",
        ],
    ),
    (
        "bookmarks.xsd",
        &[
            "<conference xmlns='urn:xmpp:bookmarks:1' name='A' autojoin='true'><nick>n</nick></conference>",
        ],
        &["<conference xmlns='urn:xmpp:bookmarks:1' autojoin='maybe'/>"],
    ),
    (
        "call-invites.xsd",
        &[
            "<invite xmlns='urn:xmpp:call-invites:0'><external uri='tel:+493012345678'/></invite>",
            "<invite xmlns='urn:xmpp:call-invites:0' video='true'><jingle sid='1' jid='a@b/c'/><external uri='https://example.org/1'/></invite>",
            "<accept xmlns='urn:xmpp:call-invites:0' id='1'><external uri='tel:+493012345678'/></accept>",
            "<reject xmlns='urn:xmpp:call-invites:0' id='1'/>",
            "<left xmlns='urn:xmpp:call-invites:0' id='1'/>",
            "<retract xmlns='urn:xmpp:call-invites:0' id='1'/>",
        ],
        &[
            "<invite xmlns='urn:xmpp:call-invites:0'/>",
            "<invite xmlns='urn:xmpp:call-invites:0'><external/></invite>",
            "<retract xmlns='urn:xmpp:call-invites:0'/>",
            "<accept xmlns='urn:xmpp:call-invites:0'><external uri='tel:1'/></accept>",
        ],
    ),
    (
        "caps.xsd",
        &[
            "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>",
        ],
        &[
            "<c xmlns='http://jabber.org/protocol/caps' node='https://example.org' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>",
        ],
    ),
    (
        "caps2.xsd",
        &[
            "<c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=</hash></c>",
        ],
        &["<c xmlns='urn:xmpp:caps'/>"],
    ),
    (
        "carbons.xsd",
        &[
            "<enable xmlns='urn:xmpp:carbons:2'/>",
            "<private xmlns='urn:xmpp:carbons:2'/>",
            "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded></sent>",
        ],
        &[
            "<received xmlns='urn:xmpp:carbons:2'/>",
            "<disable xmlns='urn:xmpp:carbons:2'>now</disable>",
        ],
    ),
    (
        "chat-markers.xsd",
        &[
            "<markable xmlns='urn:xmpp:chat-markers:0'/>",
            "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
        ],
        &["<displayed xmlns='urn:xmpp:chat-markers:0'/>"],
    ),
    (
        "client-state.xsd",
        &[
            "<csi xmlns='urn:xmpp:csi:0'/>",
            "<inactive xmlns='urn:xmpp:csi:0'/>",
        ],
        &["<active xmlns='urn:xmpp:csi:0'>very</active>"],
    ),
    (
        "client.xsd",
        &[
            "<message xmlns='jabber:client' from='a@example.org/x' to='b@example.org' type='chat' id='1'><body>Hello</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/></message>",
            "<presence xmlns='jabber:client'><show>dnd</show><status xml:lang='de'>Pause</status><priority>-1</priority></presence>",
            "<iq xmlns='jabber:client' type='result' id='1'/>",
            "<iq xmlns='jabber:client' type='get' id='1' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
        ],
        &[
            "<message xmlns='jabber:client' type='letter'/>",
            "<message xmlns='jabber:client' to=''/>",
            "<presence xmlns='jabber:client' type='available'/>",
            "<presence xmlns='jabber:client'><show>online</show></presence>",
            "<presence xmlns='jabber:client'><priority>128</priority></presence>",
            "<iq xmlns='jabber:client' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'>text</ping></iq>",
        ],
    ),
    (
        "commands.xsd",
        &[
            "<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s' status='executing'><actions execute='complete'><complete/></actions><x xmlns='jabber:x:data' type='form'><field var='a' type='text-single'/></x></command>",
        ],
        &[
            "<command xmlns='http://jabber.org/protocol/commands'/>",
            "<command xmlns='http://jabber.org/protocol/commands' node='n' status='running'/>",
            "<command xmlns='http://jabber.org/protocol/commands' node='n'><x xmlns='jabber:x:data' type='letter'/></command>",
        ],
    ),
    (
        "component.xsd",
        &[
            "<handshake xmlns='jabber:component:accept'/>",
            "<handshake xmlns='jabber:component:accept'>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>",
            "<message xmlns='jabber:component:accept' from='a@example.org/x' to='bot.example.org'><body>Hello</body><delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/></message>",
            "<iq xmlns='jabber:component:accept' type='get' id='1' from='example.org' to='bot.example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<presence xmlns='jabber:component:accept' type='error' from='a@example.org' to='bot.example.org'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>",
        ],
        &[
            "<handshake xmlns='jabber:component:accept'>AAEE83C26AEEAFCBABEABFCBCD50DF997E0A2A1E</handshake>",
            "<message xmlns='jabber:component:accept' from='a@example.org/x'/>",
            "<message xmlns='jabber:component:accept' to='a@example.org/x'/>",
            "<presence xmlns='jabber:component:accept' from='a@example.org' to='bot.example.org' type='here'/>",
        ],
    ),
    (
        "conference.xsd",
        &["<x xmlns='jabber:x:conference' jid='c@d' continue='true' thread='t'/>"],
        &[
            "<x xmlns='jabber:x:conference'/>",
            "<x xmlns='jabber:x:conference' jid='c@d'>text</x>",
        ],
    ),
    (
        "connector.xsd",
        &[
            "<offer xmlns='urn:parlour:connector:0' interaction='c1' medium='voice' direction='inbound' address='+493012345678' agent='ann@example.org' queue='sales'><data name='order'>4711</data></offer>",
            "<offer xmlns='urn:parlour:connector:0' interaction='c1' medium='voice' direction='inbound' address='+493012345678' agent='ann@example.org' uri='sip:c1@pbx.example.org'/>",
            "<done xmlns='urn:parlour:connector:0' uri='sip:c1@pbx.example.org'/>",
            "<deliver xmlns='urn:parlour:connector:0' stream='s1' message='m1' author='ann@example.org' at='2026-09-21T14:13:20.000001Z'><title>T</title><text>x</text></deliver>",
            "<deliver xmlns='urn:parlour:connector:0' stream='s1' message='m1' customer='c1' author='ann@example.org' at='2026-09-21T14:13:20Z' corrects='true'><name>N</name><address medium='email'>a@example.org</address><address medium='voice'>+493012345678</address><title>T</title><text>x</text><attachment name='a.png' type='image/png' bytes='0'/><attachment name='b.png' type='image/png' bytes='1' url='https://example.org/attachment/1/b.png?for=x'/></deliver>",
            "<report xmlns='urn:parlour:connector:0' interaction='c1' fact='left' agent='ann@example.org'/>",
            "<attach xmlns='urn:parlour:connector:0' interaction='c1'><data name='order'/></attach>",
            "<interactions xmlns='urn:parlour:connector:0'/>",
            "<interactions xmlns='urn:parlour:connector:0'><interaction id='c1' line='held'><agent jid='ann@example.org'/></interaction></interactions>",
            "<interaction xmlns='urn:parlour:connector:0' id='c1' version='7' line='connected'><agent jid='ann@example.org' role='primary' leg='connected'/><request id='r1' verb='hold' agent='ann@example.org' until='2026-09-21T14:13:30Z'/></interaction>",
            "<request xmlns='urn:parlour:connector:0' id='r1' interaction='c1' verb='consult' agent='ann@example.org' to='bob@example.org' until='2026-09-21T14:13:30Z'/>",
            "<request xmlns='urn:parlour:connector:0' id='r1' interaction='c1' verb='dial' agent='ann@example.org' address='+493012345678' medium='voice' until='2026-09-21T14:13:30Z'/>",
        ],
        &[
            "<offer xmlns='urn:parlour:connector:0' interaction='c1' medium='voice' direction='inbound' address='+493012345678'/>",
            "<offer xmlns='urn:parlour:connector:0' interaction='c1' medium='fax' direction='inbound' address='1' agent='ann@example.org'/>",
            "<done xmlns='urn:parlour:connector:0' uri=''/>",
            "<deliver xmlns='urn:parlour:connector:0' stream='s1' message='m1' author='ann@example.org' at='2026-09-21T14:13:20Z'><title>T</title></deliver>",
            "<deliver xmlns='urn:parlour:connector:0' stream='s1' author='ann@example.org' at='2026-09-21T14:13:20Z'><title>T</title><text>x</text></deliver>",
            "<deliver xmlns='urn:parlour:connector:0' stream='s1' message='m1' author='ann@example.org' at='2026-09-21T14:13:20Z'><address>1</address><title>T</title><text>x</text></deliver>",
            "<deliver xmlns='urn:parlour:connector:0' stream='s1' message='m1' author='ann@example.org' at='2026-09-21T14:13:20Z' corrects='m1'><title>T</title><text>x</text></deliver>",
            "<report xmlns='urn:parlour:connector:0' interaction='c1' fact='lost'/>",
            "<attach xmlns='urn:parlour:connector:0'><data name='order'/></attach>",
            "<interaction xmlns='urn:parlour:connector:0' line='held'/>",
            "<request xmlns='urn:parlour:connector:0' id='r1' interaction='c1' verb='sing' agent='ann@example.org' until='2026-09-21T14:13:30Z'/>",
            "<request xmlns='urn:parlour:connector:0' id='r1' interaction='c1' verb='hold' agent='ann@example.org' until='soon'/>",
        ],
    ),
    (
        "contact.xsd",
        &[
            "<contacts xmlns='urn:parlour:contact:0'/>",
            "<contacts xmlns='urn:parlour:contact:0'><colleague jid='a@b' view='online'><name>A</name><status>Online</status></colleague><set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set></contacts>",
            "<add-contact xmlns='urn:parlour:contact:0' colleague='juliet'/>",
            "<remove-contact xmlns='urn:parlour:contact:0' colleague='juliet@example.org'/>",
        ],
        &[
            "<add-contact xmlns='urn:parlour:contact:0'/>",
            "<add-contact xmlns='urn:parlour:contact:0' colleague=''/>",
            "<contacts xmlns='urn:parlour:contact:0'><colleague jid='a@b' view='away'><status>Away</status></colleague></contacts>",
            "<colleague xmlns='urn:parlour:contact:0' jid='a@b' view='online'/>",
        ],
    ),
    (
        "context.xsd",
        &[
            "<send xmlns='urn:parlour:context:0' session='s1'><to>juliet@example.org</to><object type='case' id='1'><title>T</title><url>https://crm.example/1</url><field name='n'>v</field></object><object type='lead' id='2'/><note>n</note></send>",
            "<context xmlns='urn:parlour:context:0' id='c1'/>",
            "<context xmlns='urn:parlour:context:0' id='c1' sender='romeo@example.org' at='2026-09-22T14:13:20Z'><object type='case' id='1'><title>T</title></object><recipient jid='juliet@example.org' progress='opened' at='2026-09-22T14:13:20Z'/></context>",
            "<contexts xmlns='urn:parlour:context:0' list='sent'><set xmlns='http://jabber.org/protocol/rsm'><count>0</count></set></contexts>",
            "<recent xmlns='urn:parlour:context:0'><entry at='2026-09-22T14:13:20Z' touch='sent'><object type='case' id='1'><title>T</title></object></entry></recent>",
            "<progress xmlns='urn:parlour:context:0' id='c1' jid='juliet@example.org' progress='delivered' at='2026-09-22T14:13:20Z'/>",
        ],
        &[
            "<send xmlns='urn:parlour:context:0'><to>juliet@example.org</to><object type='Case' id='1'/></send>",
            "<send xmlns='urn:parlour:context:0'><to>juliet@example.org</to><object type='case' id='1'><title>T</title><url>javascript:x</url></object></send>",
            "<opened xmlns='urn:parlour:context:0'/>",
            "<open xmlns='urn:parlour:context:0'/>",
            "<contexts xmlns='urn:parlour:context:0' list='all'/>",
            "<recent xmlns='urn:parlour:context:0'><entry at='today' touch='sent'><object type='case' id='1'><title>T</title></object></entry></recent>",
            "<progress xmlns='urn:parlour:context:0' id='c1' jid='juliet@example.org' progress='lost'/>",
        ],
    ),
    (
        "customer.xsd",
        &[
            "<find xmlns='urn:parlour:customer:0' address='+493012345678'/>",
            "<find xmlns='urn:parlour:customer:0'><customer crm-id='1'><name>A</name></customer></find>",
            "<customer xmlns='urn:parlour:customer:0' id='c' version='1' created='2026-01-31T12:00:00Z' merged-into='d' crm-id='1' url='https://crm.example/'><name>A</name><company>B</company><telephone>+4930</telephone><telephone>+4931</telephone><email>a@b</email></customer>",
            "<search xmlns='urn:parlour:customer:0'><text>ann</text><set xmlns='http://jabber.org/protocol/rsm'><max>10</max></set></search>",
            "<search xmlns='urn:parlour:customer:0' complete='true'><customer id='c' version='1'><company>B</company></customer><set xmlns='http://jabber.org/protocol/rsm'/></search>",
            "<create xmlns='urn:parlour:customer:0' crm-id='1'><email>a@b</email><name>A</name></create>",
            "<edit xmlns='urn:parlour:customer:0' id='c' version='7'><name>A</name></edit>",
            "<merge xmlns='urn:parlour:customer:0' id='c' version='7' other='d' other-version='1'/>",
            "<export xmlns='urn:parlour:customer:0' id='c'/>",
            "<history xmlns='urn:parlour:customer:0' id='c'><set xmlns='http://jabber.org/protocol/rsm'><max>10</max></set></history>",
            "<history xmlns='urn:parlour:customer:0' id='c' complete='true'><entry kind='follow-up' id='f1' at='2026-01-31T12:00:00Z' agent='ann@example.org' state='planned'><title>So</title><summary>Task</summary></entry><entry kind='interaction' id='call-1'><title/></entry><set xmlns='http://jabber.org/protocol/rsm'/></history>",
        ],
        &[
            "<find xmlns='urn:parlour:customer:0' address=''/>",
            "<customer xmlns='urn:parlour:customer:0' id='a b'/>",
            "<customer xmlns='urn:parlour:customer:0' id='c' version='0'/>",
            "<customer xmlns='urn:parlour:customer:0' id='c'><email>a@b</email><name>A</name></customer>",
            "<search xmlns='urn:parlour:customer:0' complete='perhaps'/>",
            "<create xmlns='urn:parlour:customer:0'/>",
            "<edit xmlns='urn:parlour:customer:0' id='c'><name>A</name></edit>",
            "<merge xmlns='urn:parlour:customer:0' id='c' version='7' other='d'/>",
            "<export xmlns='urn:parlour:customer:0'/>",
            "<history xmlns='urn:parlour:customer:0'/>",
            "<history xmlns='urn:parlour:customer:0' id='c'><entry kind='case' id='1'><title>So</title></entry></history>",
            "<history xmlns='urn:parlour:customer:0' id='c'><entry kind='activity' id='1'/></history>",
        ],
    ),
    (
        "data-forms.xsd",
        &[
            "<x xmlns='jabber:x:data' type='form'><title>T</title><field var='a' type='list-single'><required/><value>1</value><option label='One'><value>1</value></option></field></x>",
            "<x xmlns='jabber:x:data' type='result'><reported><field var='a'/></reported><item><field var='a'><value>1</value></field></item></x>",
        ],
        &[
            "<x xmlns='jabber:x:data'/>",
            "<x xmlns='jabber:x:data' type='form'><field type='number'/></x>",
            "<x xmlns='jabber:x:data' type='result'><item/></x>",
        ],
    ),
    (
        "delay.xsd",
        &[
            "<delay xmlns='urn:xmpp:delay' from='example.org' stamp='2026-01-02T03:04:05.678Z'>Offline</delay>",
        ],
        &[
            "<delay xmlns='urn:xmpp:delay'/>",
            "<delay xmlns='urn:xmpp:delay' stamp='20260102T03:04:05'/>",
        ],
    ),
    (
        "delegation.xsd",
        &[
            "<delegation xmlns='urn:xmpp:delegation:2'><delegated namespace='urn:xmpp:mam:2'><attribute name='node'/></delegated><delegated namespace='urn:example'/></delegation>",
            "<delegation xmlns='urn:xmpp:delegation:2'><forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client' type='get' id='1' from='a@example.org/x'><ping xmlns='urn:xmpp:ping'/></iq></forwarded></delegation>",
        ],
        &[
            "<delegation xmlns='urn:xmpp:delegation:2'/>",
            "<delegation xmlns='urn:xmpp:delegation:2'><delegated/></delegation>",
            "<delegation xmlns='urn:xmpp:delegation:2'><delegated namespace='urn:example'><attribute/></delegated></delegation>",
            "<delegation xmlns='urn:xmpp:delegation:2'><attribute name='node'/></delegation>",
        ],
    ),
    (
        "dialback-feature.xsd",
        &["<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"],
        &["<dialback xmlns='urn:xmpp:features:dialback'><required/></dialback>"],
    ),
    (
        "dialback.xsd",
        &[
            "<db:result xmlns:db='jabber:server:dialback' from='a.example' to='b.example'>1a2b</db:result>",
            "<db:result xmlns:db='jabber:server:dialback' from='b.example' to='a.example' type='error'><error xmlns='jabber:server' type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>",
            "<db:verify xmlns:db='jabber:server:dialback' from='a.example' to='b.example' id='s1' type='valid'/>",
        ],
        &[
            "<db:result xmlns:db='jabber:server:dialback' from='a.example'>1a2b</db:result>",
            "<db:result xmlns:db='jabber:server:dialback' from='a.example' to='b.example' type='maybe'/>",
            "<db:verify xmlns:db='jabber:server:dialback' from='a.example' to='b.example'>1a2b</db:verify>",
        ],
    ),
    (
        "directory.xsd",
        &[
            "<search xmlns='urn:parlour:directory:0'><text>mon</text><view>online</view><view>busy</view><set xmlns='http://jabber.org/protocol/rsm'><max>10</max></set></search>",
            "<search xmlns='urn:parlour:directory:0' complete='true'><colleague jid='a@b' view='offline'><nickname>A</nickname><status>Offline</status></colleague></search>",
            "<search xmlns='urn:parlour:directory:0' complete='false'><set xmlns='http://jabber.org/protocol/rsm'/></search>",
        ],
        &[
            "<search xmlns='urn:parlour:directory:0'><view>online</view></search>",
            "<search xmlns='urn:parlour:directory:0'><text>mon</text><view>away</view></search>",
            "<search xmlns='urn:parlour:directory:0' complete='perhaps'/>",
            "<search xmlns='urn:parlour:directory:0'><colleague view='online'><status/></colleague></search>",
        ],
    ),
    (
        "disco-info.xsd",
        &[
            "<query xmlns='http://jabber.org/protocol/disco#info' node='n'><identity category='server' type='im' name='Parlour' xml:lang='en'/><feature var='urn:xmpp:ping'/><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field></x></query>",
        ],
        &[
            "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='server'/></query>",
            "<query xmlns='http://jabber.org/protocol/disco#info'><feature/></query>",
        ],
    ),
    (
        "disco-items.xsd",
        &[
            "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='example.org' node='n' name='N'/></query>",
        ],
        &["<query xmlns='http://jabber.org/protocol/disco#items'><item node='n'/></query>"],
    ),
    (
        "errors.xsd",
        &["<no-agent xmlns='urn:parlour:errors:0'/>"],
        &[
            "<no-agent xmlns='urn:parlour:errors:0'>text</no-agent>",
            "<nothing-of-this xmlns='urn:parlour:errors:0'/>",
        ],
    ),
    (
        "external-services.xsd",
        &[
            "<services xmlns='urn:xmpp:extdisco:2' type='turn'><service host='turn.example' port='3478' transport='udp' type='turn' restricted='true' username='1790086400:33aa' password='WA==' expires='2026-09-22T14:13:20Z'/></services>",
            "<credentials xmlns='urn:xmpp:extdisco:2'><service host='turn.example' type='turn'/></credentials>",
        ],
        &[
            "<services xmlns='urn:xmpp:extdisco:2'><service type='turn'/></services>",
            "<services xmlns='urn:xmpp:extdisco:2'><service host='turn.example' type='turn' port='70000'/></services>",
            "<services xmlns='urn:xmpp:extdisco:2'><service host='turn.example' type='turn' expires='soon'/></services>",
        ],
    ),
    (
        "fallback.xsd",
        &[
            "<fallback xmlns='urn:xmpp:fallback:0' for='urn:parlour:im:0'><body/></fallback>",
            "<fallback xmlns='urn:xmpp:fallback:0'><subject/><body start='0' end='3'/></fallback>",
        ],
        &["<fallback xmlns='urn:xmpp:fallback:0'><body start='-1'/></fallback>"],
    ),
    (
        "fast.xsd",
        &[
            "<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>",
            "<token xmlns='urn:xmpp:fast:0' expiry='2026-09-21T14:13:20Z' token='abc'/>",
        ],
        &[
            "<fast xmlns='urn:xmpp:fast:0'/>",
            "<token xmlns='urn:xmpp:fast:0' expiry='tomorrow' token='abc'/>",
            "<token xmlns='urn:xmpp:fast:0' expiry='2026-09-21T14:13:20Z' token=''/>",
        ],
    ),
    (
        "follow-up.xsd",
        &[
            "<plan xmlns='urn:parlour:follow-up:0' source='case' source-id='case 1' type='task' due='2026-01-31T12:00:00Z' responsible='ann@example.org' note-type='note'><title>So</title><note xml:lang='de'>Also</note></plan>",
            "<plan xmlns='urn:parlour:follow-up:0' source='interaction-record' source-id='call-1' type='phone-call' scratch-pad='true'/>",
            "<edit xmlns='urn:parlour:follow-up:0' id='f1' version='1' type='task'><title>So</title></edit>",
            "<reassign xmlns='urn:parlour:follow-up:0' id='f1' responsible='ann@example.org'/>",
            "<complete xmlns='urn:parlour:follow-up:0' id='f1'/>",
            "<cancel xmlns='urn:parlour:follow-up:0' id='f1'/>",
            "<note xmlns='urn:parlour:follow-up:0' id='f1' note-type='report'><text xml:lang='en'>So</text></note>",
            "<follow-up xmlns='urn:parlour:follow-up:0' id='f1' version='2' status='cancelled' source='complaint' source-id='1' display-area='business-context' type='task' type-label='Task' responsible='ann@example.org' author='bob@example.org' planned='2026-01-31T12:00:00Z' over='2026-01-31T13:00:00Z' notes='1'><title>So</title><note n='1' note-type='note' versions='2' at='2026-01-31T12:00:00Z' by='ann@example.org' xml:lang='en'>So</note><set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set></follow-up>",
            "<notes-history xmlns='urn:parlour:follow-up:0' id='f1' note-type='note' language='de'><version n='3' at='2026-01-31T12:00:00Z' by='ann@example.org'>So</version></notes-history>",
            "<follow-ups xmlns='urn:parlour:follow-up:0' source='case' source-id='1' status='any'><follow-up id='f1'/></follow-ups>",
            "<scratch-pad xmlns='urn:parlour:follow-up:0' version='1' at='2026-01-31T12:00:00Z'><text>So</text></scratch-pad>",
            "<notice xmlns='urn:parlour:follow-up:0' what='due'><follow-up id='f1'/></notice>",
            "<notice xmlns='urn:parlour:follow-up:0' what='linked'><follow-up id='f1'/></notice>",
            "<notice xmlns='urn:parlour:follow-up:0' what='removed'><follow-up id='f1'/></notice>",
            "<notice xmlns='urn:parlour:follow-up:0' what='erased'><follow-up id='f1'/></notice>",
        ],
        &[
            "<plan xmlns='urn:parlour:follow-up:0' source='lead' source-id='1' type='task'/>",
            "<plan xmlns='urn:parlour:follow-up:0' source='case' type='task'/>",
            "<plan xmlns='urn:parlour:follow-up:0' source='case' source-id='1'/>",
            "<plan xmlns='urn:parlour:follow-up:0' source='case' source-id='1' type='task' due='tomorrow'/>",
            "<edit xmlns='urn:parlour:follow-up:0' id='f1' type='task'><title>So</title></edit>",
            "<reassign xmlns='urn:parlour:follow-up:0' id='f1'/>",
            "<complete xmlns='urn:parlour:follow-up:0'/>",
            "<note xmlns='urn:parlour:follow-up:0' id='f1'>So</note>",
            "<follow-up xmlns='urn:parlour:follow-up:0'/>",
            "<follow-up xmlns='urn:parlour:follow-up:0' id='f1' status='late'/>",
            "<follow-up xmlns='urn:parlour:follow-up:0' id='f1'><note n='1' note-type='note' versions='1' at='2026-01-31T12:00:00Z' by='ann@example.org'>So</note></follow-up>",
            "<notes-history xmlns='urn:parlour:follow-up:0' id='f1'/>",
            "<follow-ups xmlns='urn:parlour:follow-up:0' list='mine'/>",
            "<notice xmlns='urn:parlour:follow-up:0' what='late'><follow-up id='f1'/></notice>",
            "<notice xmlns='urn:parlour:follow-up:0' what='due'/>",
        ],
    ),
    (
        "form-validation.xsd",
        &[
            "<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'><range min='1' max='9'/></validate>",
        ],
        &[
            "<validate xmlns='http://jabber.org/protocol/xdata-validate'><open/><basic/></validate>",
            "<validate xmlns='http://jabber.org/protocol/xdata-validate'><list-range min='-1'/></validate>",
        ],
    ),
    (
        "forward.xsd",
        &["<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'/></forwarded>"],
        &[
            "<forwarded xmlns='urn:xmpp:forward:0'>text</forwarded>",
            "<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay'/></forwarded>",
        ],
    ),
    (
        "framing.xsd",
        &[
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' from='localhost' id='s1' xml:lang='en'/>",
            "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        ],
        &[
            "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
            "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'>now</close>",
            "<reopen xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        ],
    ),
    (
        "hashes.xsd",
        &["<hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>AAAA</hash>"],
        &[
            "<hash xmlns='urn:xmpp:hashes:2'>AAAA</hash>",
            "<hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>?</hash>",
        ],
    ),
    (
        "hats.xsd",
        &[
            "<hats xmlns='urn:xmpp:hats:0'><hat title='Host' uri='urn:hat:host' hue='12.5'/></hats>",
            "<hats xmlns='urn:xmpp:hats:0'/>",
        ],
        &[
            "<hats xmlns='urn:xmpp:hats:0'><hat title='Host'/></hats>",
            "<hats xmlns='urn:xmpp:hats:0'><hat title='' uri='urn:hat:host'/></hats>",
            "<hats xmlns='urn:xmpp:hats:0'><hat title='Host' uri='urn:hat:host' hue='361'/></hats>",
        ],
    ),
    (
        "hints.xsd",
        &["<store xmlns='urn:xmpp:hints'/>"],
        &["<store xmlns='urn:xmpp:hints'>for ever</store>"],
    ),
    (
        "http-upload-purpose.xsd",
        &[
            "<message xmlns='urn:xmpp:http:upload:purpose:0'/>",
            "<ephemeral xmlns='urn:xmpp:http:upload:purpose:0' expire-before='2026-09-10T23:08:25Z'/>",
        ],
        &[
            "<permanent xmlns='urn:xmpp:http:upload:purpose:0'>text</permanent>",
            "<ephemeral xmlns='urn:xmpp:http:upload:purpose:0'/>",
            "<forever xmlns='urn:xmpp:http:upload:purpose:0'/>",
        ],
    ),
    (
        "http-upload.xsd",
        &[
            "<request xmlns='urn:xmpp:http:upload:0' filename='a b.jpg' size='1' content-type='image/jpeg'><profile xmlns='urn:xmpp:http:upload:purpose:0'/></request>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/upload/a/tr%C3%A8s.jpg'><header name='Authorization'>Bearer x</header></put><get url='https://example.org/upload/a/tr%C3%A8s.jpg'/></slot>",
            "<file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>20000</max-file-size></file-too-large>",
            "<retry xmlns='urn:xmpp:http:upload:0' stamp='2026-12-03T23:42:05Z'/>",
        ],
        &[
            "<request xmlns='urn:xmpp:http:upload:0' filename='a'/>",
            "<request xmlns='urn:xmpp:http:upload:0' filename='a' size='0'/>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/a'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='http://example.org/a'/><get url='https://example.org/a'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/\u{e8}'/><get url='https://example.org/a'/></slot>",
            "<slot xmlns='urn:xmpp:http:upload:0'><put url='https://example.org/a'><header name='Host'>x</header></put><get url='https://example.org/a'/></slot>",
            "<retry xmlns='urn:xmpp:http:upload:0' stamp='2026-12-03T23:42:05+01:00'/>",
        ],
    ),
    (
        "httpbind.xsd",
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' sid='a' from='localhost' wait='50' inactivity='60' polling='5' maxpause='120' hold='1' requests='2' ver='1.11' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0' xmpp:restartlogic='true'><stream:features/></body>",
            "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind'><message xmlns='jabber:client'><body>Hi</body></message></body>",
        ],
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' type='end'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind' condition='unheard-of'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='0'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind'>text</body>",
        ],
    ),
    (
        "ibr-token.xsd",
        &["<register xmlns='urn:xmpp:ibr-token:0'/>"],
        &["<register xmlns='urn:xmpp:ibr-token:0' token='t'>text</register>"],
    ),
    (
        "im.xsd",
        &[
            "<invite xmlns='urn:parlour:im:0' colleague='juliet@example.org'><text>Hello</text></invite>",
            "<accept xmlns='urn:parlour:im:0' id='s1'/>",
            "<say xmlns='urn:parlour:im:0' id='s1'><text>Hello</text></say>",
            "<session xmlns='urn:parlour:im:0' id='s1' with='juliet@example.org' logon='juliet' side='inviter' status='timed-out' since='2026-09-21T14:13:20Z' invited='2026-09-21T14:13:20Z'/>",
            "<sessions xmlns='urn:parlour:im:0' all='true'/>",
            "<sessions xmlns='urn:parlour:im:0'><session id='s1'/><set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set></sessions>",
            "<transcript xmlns='urn:parlour:im:0' id='s1'><entry n='1' kind='message' sender='a@a.example' logon='a' at='2026-09-21T14:13:20Z' message='m1'><text>hi</text></entry><entry n='2' kind='ended' sender='a@a.example' logon='a' at='2026-09-21T14:13:20Z' cause='implied'/></transcript>",
            "<invitation xmlns='urn:parlour:im:0' id='s1' from='romeo@example.org' until='2026-09-21T14:13:50Z'/>",
            "<said xmlns='urn:parlour:im:0' id='s1'/>",
            "<event xmlns='urn:parlour:im:0' id='s1' type='timed-out' at='2026-09-21T14:13:50Z'/>",
        ],
        &[
            "<invite xmlns='urn:parlour:im:0' colleague='juliet@example.org'/>",
            "<accept xmlns='urn:parlour:im:0'/>",
            "<accept xmlns='urn:parlour:im:0' id='two words'/>",
            "<session xmlns='urn:parlour:im:0' id='s1' status='not-connected'/>",
            "<transcript xmlns='urn:parlour:im:0' id='s1'><entry n='0' kind='message' sender='a@a.example' logon='a' at='2026-09-21T14:13:20Z'/></transcript>",
            "<invitation xmlns='urn:parlour:im:0' id='s1' from='romeo@example.org'/>",
            "<event xmlns='urn:parlour:im:0' id='s1' type='lost' at='2026-09-21T14:13:50Z'/>",
            "<event xmlns='urn:parlour:im:0' id='s1' type='ended' at='yesterday'/>",
        ],
    ),
    (
        "interaction.xsd",
        &[
            "<accept xmlns='urn:parlour:interaction:0' interaction='c1'/>",
            "<transfer xmlns='urn:parlour:interaction:0' interaction='c1' queue='sales'/>",
            "<consult xmlns='urn:parlour:interaction:0' interaction='c1' colleague='bob@example.org'/>",
            "<conference xmlns='urn:parlour:interaction:0' interaction='c1'/>",
            "<dial xmlns='urn:parlour:interaction:0' address='+493012345678' medium='voice' connector='pbx.example.org' object='lead'/>",
            "<attach xmlns='urn:parlour:interaction:0' interaction='c1'><data name='order'>4711</data><data name='tone'/></attach>",
            "<identify xmlns='urn:parlour:interaction:0' interaction='c1' customer='k1'/>",
            "<focus xmlns='urn:parlour:interaction:0' interaction='c1'/>",
            "<interactions xmlns='urn:parlour:interaction:0'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></interactions>",
            "<interaction xmlns='urn:parlour:interaction:0' id='c1' version='7' medium='voice' direction='inbound' address='+493012345678' line='held' role='primary' leg='connected' pending='retrieve' queue='sales' customer='k1' interrupted='true' began='2026-09-21T14:13:20Z'><participant agent='ann@example.org' role='primary' leg='connected' since='2026-09-21T14:13:20Z'/><data name='order'>4711</data></interaction>",
            "<screen-pop xmlns='urn:parlour:interaction:0' interaction='c1' match='single' address='+493012345678'><customer xmlns='urn:parlour:customer:0' id='k1' version='1'/></screen-pop>",
        ],
        &[
            "<accept xmlns='urn:parlour:interaction:0'/>",
            "<hold xmlns='urn:parlour:interaction:0' interaction='two words'/>",
            "<dial xmlns='urn:parlour:interaction:0' medium='fax'/>",
            "<attach xmlns='urn:parlour:interaction:0' interaction='c1'><data>4711</data></attach>",
            "<identify xmlns='urn:parlour:interaction:0' interaction='c1'/>",
            "<interaction xmlns='urn:parlour:interaction:0' id='c1' line='ringing'/>",
            "<interaction xmlns='urn:parlour:interaction:0' id='c1'><participant agent='ann@example.org' role='boss' leg='connected' since='2026-09-21T14:13:20Z'/></interaction>",
            "<screen-pop xmlns='urn:parlour:interaction:0' interaction='c1' match='some' address='1'/>",
        ],
    ),
    (
        "last.xsd",
        &["<query xmlns='jabber:iq:last' seconds='903'>Heading Home</query>"],
        &["<query xmlns='jabber:iq:last' seconds='-1'/>"],
    ),
    (
        "mam.xsd",
        &[
            "<query xmlns='urn:xmpp:mam:2' queryid='f27'><x xmlns='jabber:x:data' type='submit'/><set xmlns='http://jabber.org/protocol/rsm'/><flip-page/></query>",
            "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/><message xmlns='jabber:client'/></forwarded></result>",
            "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'/></fin>",
            "<metadata xmlns='urn:xmpp:mam:2'/>",
            "<metadata xmlns='urn:xmpp:mam:2'><start id='1' timestamp='2026-01-02T03:04:05Z'/><end id='2' timestamp='2026-01-02T03:04:05Z'/></metadata>",
            "<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>a@example.org</jid></always><never/></prefs>",
        ],
        &[
            "<result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'/></result>",
            "<result xmlns='urn:xmpp:mam:2' id='1'/>",
            "<fin xmlns='urn:xmpp:mam:2'/>",
            "<metadata xmlns='urn:xmpp:mam:2'><start id='1' timestamp='2026-01-02T03:04:05Z'/></metadata>",
            "<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>",
        ],
    ),
    (
        "mds.xsd",
        &[
            "<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='a@example.org' id='1'/></displayed>",
        ],
        &["<displayed xmlns='urn:xmpp:mds:displayed:0'/>"],
    ),
    (
        "message-moderate.xsd",
        &[
            "<moderate xmlns='urn:xmpp:message-moderate:1' id='1'><retract xmlns='urn:xmpp:message-retract:1'/><reason>no</reason></moderate>",
            "<moderated xmlns='urn:xmpp:message-moderate:1' by='c@d/J'><occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/></moderated>",
        ],
        &["<moderate xmlns='urn:xmpp:message-moderate:1'/>"],
    ),
    (
        "message-retract.xsd",
        &[
            "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>",
            "<retract xmlns='urn:xmpp:message-retract:1' id='1'><moderated xmlns='urn:xmpp:message-moderate:1' by='c@d/J'/><reason>no</reason></retract>",
            "<retracted xmlns='urn:xmpp:message-retract:1' id='1' stamp='2026-01-02T03:04:05Z'/>",
        ],
        &["<retracted xmlns='urn:xmpp:message-retract:1' stamp='today'/>"],
    ),
    (
        "message-stream.xsd",
        &[
            "<create xmlns='urn:parlour:message-stream:0' customer='c1' whisper='true'><title>T</title><text>x</text><recipient>romeo</recipient><tag>a</tag><attachment>https://example.org/a.png</attachment></create>",
            "<reply xmlns='urn:parlour:message-stream:0' id='s1'><text>x</text></reply>",
            "<edit xmlns='urn:parlour:message-stream:0' id='s1' message='m1' version='2'><text>x</text><keep>a1</keep></edit>",
            "<properties xmlns='urn:parlour:message-stream:0' id='s1' version='1' minutes='0' billable='true' deliver='false'><recipient>romeo@example.org</recipient></properties>",
            "<tags xmlns='urn:parlour:message-stream:0' id='s1' version='1'/>",
            "<complete xmlns='urn:parlour:message-stream:0' id='s1'/>",
            "<reopen xmlns='urn:parlour:message-stream:0' id='s1'/>",
            "<delete xmlns='urn:parlour:message-stream:0' id='s1' confirm='true'/>",
            "<stream xmlns='urn:parlour:message-stream:0' id='s1' version='1' customer='c1' author='romeo@example.org' created='2026-01-31T12:00:00Z' completed='2026-01-31T12:00:00Z' replies='1' recipients='all'><title>T</title><tag>a</tag><message id='m1' author='romeo@example.org' at='2026-01-31T12:00:00Z'><text>x</text><attachment id='a' name='a.png' type='image/png' bytes='1' url='https://example.org/a'/></message><set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set></stream>",
            "<versions xmlns='urn:parlour:message-stream:0' id='s1' message='m1'><version n='1' until='2026-01-31T12:00:00Z'><title>So</title><text>x</text><attachment id='a1' name='a.txt' type='text/plain' bytes='3'/></version><version n='2' until='2026-01-31T12:00:00Z'><text>y</text></version></versions>",
            "<streams xmlns='urn:parlour:message-stream:0' customer='c1' order='ascending' complete='true'><stream id='s1'/></streams>",
            "<streams xmlns='urn:parlour:message-stream:0' customer='c1' state='open' tag='a'><text>abc</text></streams>",
            "<unread xmlns='urn:parlour:message-stream:0' messages='1' complete='true'><stream id='s1' customer='c1' unread='1'><title>T</title></stream></unread>",
            "<mark-read xmlns='urn:parlour:message-stream:0'/>",
            "<stop-watch xmlns='urn:parlour:message-stream:0' draft='d' action='start'/>",
            "<stop-watch xmlns='urn:parlour:message-stream:0' draft='d' seconds='61' minutes='2' since='2026-01-31T12:00:00Z'/>",
            "<suggest xmlns='urn:parlour:message-stream:0'><recipient name='Juliet'>juliet@example.org</recipient><tag billable='true'>a</tag></suggest>",
            "<watch xmlns='urn:parlour:message-stream:0' on='true'/>",
            "<changed xmlns='urn:parlour:message-stream:0' id='s1' customer='c1' version='1' what='added'/>",
            "<changed xmlns='urn:parlour:message-stream:0' id='s1' customer='c2' version='2' what='moved'/>",
            "<gone xmlns='urn:parlour:message-stream:0' id='s1'/>",
            "<not-delivered xmlns='urn:parlour:message-stream:0' id='s1' message='m1'>The mailbox is full.</not-delivered>",
            "<reload xmlns='urn:parlour:message-stream:0'/>",
            "<ended xmlns='urn:parlour:message-stream:0'/>",
            "<upload xmlns='urn:parlour:message-stream:0'/>",
        ],
        &[
            "<create xmlns='urn:parlour:message-stream:0' customer='c1'><title>T</title></create>",
            "<create xmlns='urn:parlour:message-stream:0'><title>T</title><text>x</text></create>",
            "<create xmlns='urn:parlour:message-stream:0' customer='c1' minutes='-1'><title>T</title><text>x</text></create>",
            "<reply xmlns='urn:parlour:message-stream:0' id='s1'/>",
            "<edit xmlns='urn:parlour:message-stream:0' id='s1' message='m1'><text>x</text></edit>",
            "<properties xmlns='urn:parlour:message-stream:0' id='s1'/>",
            "<tags xmlns='urn:parlour:message-stream:0' id='s1' version='1'><tag/></tags>",
            "<tags xmlns='urn:parlour:message-stream:0' id='s1'/>",
            "<complete xmlns='urn:parlour:message-stream:0'/>",
            "<delete xmlns='urn:parlour:message-stream:0' id='s1' confirm='perhaps'/>",
            "<stream xmlns='urn:parlour:message-stream:0'/>",
            "<stream xmlns='urn:parlour:message-stream:0' id='s1' recipients='none'/>",
            "<stream xmlns='urn:parlour:message-stream:0' id='s1'><message id='m1' author='romeo@example.org'><text>x</text></message></stream>",
            "<streams xmlns='urn:parlour:message-stream:0' customer='c1' order='random'/>",
            "<streams xmlns='urn:parlour:message-stream:0'/>",
            "<stop-watch xmlns='urn:parlour:message-stream:0' draft='d' action='run'/>",
            "<watch xmlns='urn:parlour:message-stream:0'/>",
            "<changed xmlns='urn:parlour:message-stream:0' id='s1' customer='c1' version='1' what='deleted'/>",
            "<gone xmlns='urn:parlour:message-stream:0'/>",
            "<not-delivered xmlns='urn:parlour:message-stream:0' id='s1'>The mailbox is full.</not-delivered>",
            "<ended xmlns='urn:parlour:message-stream:0' id='s1'/>",
        ],
    ),
    (
        "muc-admin.xsd",
        &[
            "<query xmlns='http://jabber.org/protocol/muc#admin'/>",
            "<query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='outcast' jid='a@b'><reason>no</reason></item></query>",
        ],
        &[
            "<query xmlns='http://jabber.org/protocol/muc#admin'><item role='owner' nick='x'/></query>",
        ],
    ),
    (
        "muc-owner.xsd",
        &[
            "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'/></query>",
            "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy jid='c@d'><reason>rain</reason></destroy></query>",
        ],
        &["<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/><destroy/></query>"],
    ),
    (
        "muc-unique.xsd",
        &["<unique xmlns='http://jabber.org/protocol/muc#unique'>0123abcd</unique>"],
        &["<unique xmlns='http://jabber.org/protocol/muc#unique'>a@b</unique>"],
    ),
    (
        "muc-user.xsd",
        &[
            "<x xmlns='http://jabber.org/protocol/muc#user'/>",
            "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none' jid='a@b/c'><actor nick='J'/><reason>out</reason></item><status code='110'/><status code='307'/></x>",
            "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'><reason>come</reason><continue thread='t'/></invite><password>burn</password></x>",
            "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='none'/><destroy jid='c@d'><reason>rain</reason></destroy></x>",
        ],
        &[
            "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='king'/></x>",
            "<x xmlns='http://jabber.org/protocol/muc#user'><status code='99'/></x>",
            "<x xmlns='http://jabber.org/protocol/muc#user'><status/></x>",
        ],
    ),
    (
        "muc.xsd",
        &[
            "<x xmlns='http://jabber.org/protocol/muc'/>",
            "<x xmlns='http://jabber.org/protocol/muc'><password>burn</password><history maxstanzas='20' since='1970-01-01T00:00:00Z'/></x>",
        ],
        &["<x xmlns='http://jabber.org/protocol/muc'><history maxchars='many'/></x>"],
    ),
    (
        "occupant-id.xsd",
        &[
            "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='dd72603deec90a38ba552f7c68cbcc61bca202cd'/>",
        ],
        &[
            "<occupant-id xmlns='urn:xmpp:occupant-id:0'/>",
            "<occupant-id xmlns='urn:xmpp:occupant-id:0' id=''/>",
        ],
    ),
    (
        "ping.xsd",
        &["<ping xmlns='urn:xmpp:ping'/>"],
        &["<ping xmlns='urn:xmpp:ping'><pong/></ping>"],
    ),
    (
        "pre-approval.xsd",
        &["<sub xmlns='urn:xmpp:features:pre-approval'/>"],
        &["<sub xmlns='urn:xmpp:features:pre-approval' from='a'/>"],
    ),
    (
        "private.xsd",
        &["<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>"],
        &["<query xmlns='jabber:iq:private'>text</query>"],
    ),
    (
        "privilege.xsd",
        &[
            "<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='both' push='true'/><perm access='message' type='outgoing'/><perm access='iq'><namespace ns='vcard-temp' type='get'/></perm></privilege>",
            "<privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client' type='result' id='1' from='a@example.org' to='b@example.org'/></forwarded></privilege>",
            "<privileged_iq xmlns='urn:xmpp:privilege:2'><iq xmlns='jabber:client' type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq></privileged_iq>",
        ],
        &[
            "<privilege xmlns='urn:xmpp:privilege:2'/>",
            "<privilege xmlns='urn:xmpp:privilege:2'><perm type='both'/></privilege>",
            "<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='most'/></privilege>",
            "<privilege xmlns='urn:xmpp:privilege:2'><perm access='iq'><namespace type='get'/></perm></privilege>",
            "<privileged_iq xmlns='urn:xmpp:privilege:2'/>",
        ],
    ),
    (
        "pubsub-errors.xsd",
        &[
            "<precondition-not-met xmlns='http://jabber.org/protocol/pubsub#errors'/>",
            "<node-full xmlns='http://jabber.org/protocol/pubsub#errors'/>",
            "<pending-subscription xmlns='http://jabber.org/protocol/pubsub#errors'/>",
            "<unsupported-access-model xmlns='http://jabber.org/protocol/pubsub#errors'/>",
            "<unsupported xmlns='http://jabber.org/protocol/pubsub#errors' feature='subscription-options'/>",
        ],
        &[
            "<closed-node xmlns='http://jabber.org/protocol/pubsub#errors'>why</closed-node>",
            "<unsupported xmlns='http://jabber.org/protocol/pubsub#errors' feature='magic'/>",
        ],
    ),
    (
        "pubsub-event.xsd",
        &[
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'><t xmlns='urn:example'/></item></items></event>",
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><retract id='1'/></items></event>",
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><delete node='n'><redirect uri='xmpp:a@example.org'/></delete></event>",
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><purge node='n'/></event>",
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><subscription node='n' jid='a@example.org' subscription='none'/></event>",
        ],
        &[
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><items/></event>",
            "<event xmlns='http://jabber.org/protocol/pubsub#event'><purge node='n'>all</purge></event>",
        ],
    ),
    (
        "pubsub-owner.xsd",
        &[
            "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'><x xmlns='jabber:x:data' type='form'><field var='a'/></x></configure></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><default><x xmlns='jabber:x:data' type='form'><field var='a'/></x></default></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><affiliations node='n'><affiliation jid='a@example.org' affiliation='owner'/></affiliations></pubsub>",
        ],
        &[
            "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete/></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><subscriptions node='n'><subscription jid='a@example.org'/></subscriptions></pubsub>",
        ],
    ),
    (
        "pubsub.xsd",
        &[
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'><item id='1'><t xmlns='urn:example'/></item></items><set xmlns='http://jabber.org/protocol/rsm'><count>1</count></set></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='1'/></publish></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions><subscription node='n' jid='a@example.org' subscription='subscribed'/></subscriptions></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='n'/></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='n' jid='a@example.org' subscription='pending'/></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscription node='n' jid='a@example.org' subscription='subscribed'/><options><x xmlns='jabber:x:data' type='result'/></options></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><default node='n'><x xmlns='jabber:x:data' type='result'/></default></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><affiliations node='n'><affiliation jid='a@example.org' affiliation='none'/></affiliations></pubsub>",
        ],
        &[
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items/></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><options node='n' jid='a@example.org'/><subscription node='n' jid='a@example.org' subscription='subscribed'/></pubsub>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><affiliations><affiliation node='n' affiliation='king'/></affiliations></pubsub>",
        ],
    ),
    (
        "push.xsd",
        &[
            "<enable xmlns='urn:xmpp:push:0' jid='push.example' node='n'/>",
            "<disable xmlns='urn:xmpp:push:0' jid='push.example'/>",
            "<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'/></notification>",
        ],
        &[
            "<enable xmlns='urn:xmpp:push:0' node='n'/>",
            "<notification xmlns='urn:xmpp:push:0'>text</notification>",
        ],
    ),
    (
        "reach.xsd",
        &[
            "<reach xmlns='urn:parlour:reach:0' colleague='juliet'/>",
            "<reach xmlns='urn:parlour:reach:0' jid='a@b' view='busy'><means name='email'><refused code='no-address'>None.</refused></means><means name='telephone' uri='tel:+493012345678'/></reach>",
            "<contact-by xmlns='urn:parlour:reach:0' jid='a@b' means='email' uri='mailto:a@b.example' relay='true'/>",
            "<contact-by xmlns='urn:parlour:reach:0' jid='a@b' means='telephone' uri='tel:+493012345678' interaction='i1'/>",
            "<send-email xmlns='urn:parlour:reach:0' colleague='juliet'><subject>s</subject><text>t</text></send-email>",
            "<send-email xmlns='urn:parlour:reach:0' id='x'/>",
            "<email-failed xmlns='urn:parlour:reach:0' id='x' colleague='a@b'><subject>s</subject><why>w</why></email-failed>",
        ],
        &[
            "<reach xmlns='urn:parlour:reach:0' view='away'/>",
            "<reach xmlns='urn:parlour:reach:0'><means name='pigeon'/></reach>",
            "<means xmlns='urn:parlour:reach:0' name='email'><refused>why</refused></means>",
            "<contact-by xmlns='urn:parlour:reach:0' means='email' uri='javascript:x'/>",
            "<contact-by xmlns='urn:parlour:reach:0' colleague='juliet'/>",
            "<send-email xmlns='urn:parlour:reach:0' colleague='juliet'><text>t</text></send-email>",
            "<email-failed xmlns='urn:parlour:reach:0' id='x'><subject>s</subject><why>w</why></email-failed>",
        ],
    ),
    (
        "receipts.xsd",
        &[
            "<request xmlns='urn:xmpp:receipts'/>",
            "<received xmlns='urn:xmpp:receipts' id='1'/>",
        ],
        &["<received xmlns='urn:xmpp:receipts'/>"],
    ),
    (
        "register-feature.xsd",
        &["<register xmlns='http://jabber.org/features/iq-register'/>"],
        &["<register xmlns='http://jabber.org/features/iq-register'><optional/></register>"],
    ),
    (
        "register.xsd",
        &[
            "<query xmlns='jabber:iq:register'><instructions>Choose</instructions><password/><username/></query>",
            "<query xmlns='jabber:iq:register'><remove/></query>",
        ],
        &["<query xmlns='jabber:iq:register'><remove/><username>a</username></query>"],
    ),
    (
        "roster-versioning.xsd",
        &["<ver xmlns='urn:xmpp:features:rosterver'/>"],
        &["<ver xmlns='urn:xmpp:features:rosterver'>1</ver>"],
    ),
    (
        "roster.xsd",
        &[
            "<query xmlns='jabber:iq:roster' ver=''><item jid='b@example.org' name='B' subscription='both' ask='subscribe' approved='true'><group>Sales</group></item></query>",
        ],
        &[
            "<query xmlns='jabber:iq:roster'><item name='B'/></query>",
            "<query xmlns='jabber:iq:roster'><item jid='b@example.org' subscription='some'/></query>",
        ],
    ),
    (
        "rsm.xsd",
        &[
            "<set xmlns='http://jabber.org/protocol/rsm'><max>10</max><before/></set>",
            "<set xmlns='http://jabber.org/protocol/rsm'><first index='0'>a</first><last>b</last><count>2</count></set>",
        ],
        &[
            "<set xmlns='http://jabber.org/protocol/rsm'><count>many</count></set>",
            "<set xmlns='http://jabber.org/protocol/rsm'><middle>a</middle></set>",
        ],
    ),
    (
        "sasl-channel-binding.xsd",
        &[
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='tls-exporter'/></sasl-channel-binding>",
        ],
        &[
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'/>",
            "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding/></sasl-channel-binding>",
        ],
    ),
    (
        "sasl-upgrade.xsd",
        &["<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-512</upgrade>"],
        &["<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>SCRAM-SHA-512</upgrade>"],
    ),
    (
        "sasl.xsd",
        &[
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>",
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>",
            "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>no</text></failure>",
        ],
        &[
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>plain</mechanism></mechanisms>",
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>!</challenge>",
            "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><bad-protocol/></failure>",
        ],
    ),
    (
        "sasl2.xsd",
        &[
            "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1-PLUS</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/></inline><upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade></authentication>",
            "<challenge xmlns='urn:xmpp:sasl:2'/>",
            "<success xmlns='urn:xmpp:sasl:2'><additional-data>dj0x</additional-data><authorization-identifier>a@example.org/x</authorization-identifier><bound xmlns='urn:xmpp:bind:0'/></success>",
            "<failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>",
            "<continue xmlns='urn:xmpp:sasl:2'><tasks><task>UPGR-SCRAM-SHA-256</task></tasks></continue>",
            "<task-data xmlns='urn:xmpp:sasl:2'><salt xmlns='urn:xmpp:scram-upgrade:0' iterations='4096'>YQ==</salt></task-data>",
        ],
        &[
            "<authentication xmlns='urn:xmpp:sasl:2'/>",
            "<challenge xmlns='urn:xmpp:sasl:2'>=</challenge>",
            "<success xmlns='urn:xmpp:sasl:2'/>",
            "<failure xmlns='urn:xmpp:sasl:2'/>",
            "<continue xmlns='urn:xmpp:sasl:2'><tasks/></continue>",
        ],
    ),
    (
        "scram-upgrade.xsd",
        &[
            "<salt xmlns='urn:xmpp:scram-upgrade:0' iterations='4096'>QV9TWENSWFE2c2VrOGJmX1o=</salt>",
        ],
        &[
            "<salt xmlns='urn:xmpp:scram-upgrade:0' iterations='1'>QV9T</salt>",
            "<salt xmlns='urn:xmpp:scram-upgrade:0' iterations='4096'/>",
            "<hash xmlns='urn:xmpp:scram-upgrade:0'>?</hash>",
        ],
    ),
    (
        "search.xsd",
        &[
            "<query xmlns='jabber:iq:search'/>",
            "<query xmlns='jabber:iq:search'><instructions>i</instructions><nick/><x xmlns='jabber:x:data' type='form'/></query>",
            "<query xmlns='jabber:iq:search'><item jid='a@b'><first>A</first><last/><nick>a</nick><email/></item><set xmlns='http://jabber.org/protocol/rsm'/></query>",
        ],
        &[
            "<query xmlns='jabber:iq:search'><name/></query>",
            "<query xmlns='jabber:iq:search'><item><first/><last/><nick/><email/></item></query>",
            "<item xmlns='jabber:iq:search' jid='a@b'><nick>a</nick></item>",
        ],
    ),
    (
        "server.xsd",
        &[
            "<message xmlns='jabber:server' from='a@a.example/r' to='b@b.example' type='chat'><body>hi</body></message>",
            "<iq xmlns='jabber:server' from='a.example' to='b.example' type='result' id='i'/>",
        ],
        &[
            "<message xmlns='jabber:server' to='b@b.example'/>",
            "<presence xmlns='jabber:server' from='a@a.example'/>",
            "<iq xmlns='jabber:server' from='a.example' to='b.example' type='ask' id='i'/>",
        ],
    ),
    (
        "session.xsd",
        &["<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"],
        &["<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><required/></session>"],
    ),
    (
        "stanza-errors.xsd",
        &[
            "<error xmlns='jabber:client' type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            "<iq xmlns='jabber:client' type='error' id='1'><error type='modify' by='example.org'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>why</text><bad-action xmlns='http://jabber.org/protocol/commands'/></error></iq>",
        ],
        &[
            "<error xmlns='jabber:client' type='cancel'/>",
            "<error xmlns='jabber:client' type='fatal'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
            "<error xmlns='jabber:client'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
        ],
    ),
    (
        "stanza-id.xsd",
        &[
            "<stanza-id xmlns='urn:xmpp:sid:0' by='a@example.org' id='1'/>",
            "<origin-id xmlns='urn:xmpp:sid:0' id='1'/>",
        ],
        &[
            "<stanza-id xmlns='urn:xmpp:sid:0' id='1'/>",
            "<stanza-id xmlns='urn:xmpp:sid:0' by='a@example.org' id='1'>text</stanza-id>",
        ],
    ),
    (
        "storage-bookmarks.xsd",
        &[
            "<storage xmlns='storage:bookmarks'><conference jid='a@example.org' autojoin='1'><nick>n</nick></conference><url url='https://example.org/'/></storage>",
        ],
        &["<storage xmlns='storage:bookmarks'><conference/></storage>"],
    ),
    (
        "stream-errors.xsd",
        &[
            "<error xmlns='http://etherx.jabber.org/streams'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>too many</text></error>",
        ],
        &[
            "<error xmlns='http://etherx.jabber.org/streams'/>",
            "<error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
            "<error xmlns='http://etherx.jabber.org/streams'><unheard-of xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
        ],
    ),
    (
        "stream-limits.xsd",
        &[
            "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes><idle-seconds>900</idle-seconds></limits>",
        ],
        &["<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>much</max-bytes></limits>"],
    ),
    (
        "stream-management.xsd",
        &[
            "<sm xmlns='urn:xmpp:sm:3'/>",
            "<r xmlns='urn:xmpp:sm:3'/>",
            "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>",
            "<enabled xmlns='urn:xmpp:sm:3' id='s1' resume='true' max='300'/>",
            "<enabled xmlns='urn:xmpp:sm:3'/>",
            "<resumed xmlns='urn:xmpp:sm:3' previd='s1' h='0'/>",
            "<failed xmlns='urn:xmpp:sm:3' h='3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
            "<handled-count-too-high xmlns='urn:xmpp:sm:3' h='10' send-count='8'/>",
        ],
        &[
            "<a xmlns='urn:xmpp:sm:3'/>",
            "<a xmlns='urn:xmpp:sm:3' h='4294967296'/>",
            "<r xmlns='urn:xmpp:sm:3'>now</r>",
            "<enabled xmlns='urn:xmpp:sm:3' max='0'/>",
            "<resumed xmlns='urn:xmpp:sm:3' h='0'/>",
            "<failed xmlns='urn:xmpp:sm:3'><unheard-of xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>",
        ],
    ),
    (
        "streams.xsd",
        &[
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xml:lang='en' from='example.org' id='a'/>",
            "<features xmlns='http://etherx.jabber.org/streams'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></features>",
        ],
        &[
            "<stream xmlns='http://etherx.jabber.org/streams' version='one'/>",
            "<features xmlns='http://etherx.jabber.org/streams'>text</features>",
        ],
    ),
    (
        "time.xsd",
        &["<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>2026-01-02T03:04:05Z</utc></time>"],
        &[
            "<time xmlns='urn:xmpp:time'><tzo>CET</tzo><utc>2026-01-02T03:04:05Z</utc></time>",
            "<time xmlns='urn:xmpp:time'><tzo>Z</tzo><utc>2026-01-02T03:04:05+01:00</utc></time>",
        ],
    ),
    (
        "tls.xsd",
        &[
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        ],
        &["<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></proceed>"],
    ),
    (
        "vcard-temp.xsd",
        &["<vCard xmlns='vcard-temp'><FN>B</FN><N><FAMILY>B</FAMILY></N></vCard>"],
        &["<vCard xmlns='vcard-temp'>B</vCard>"],
    ),
    (
        "vcard4.xsd",
        &[
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><kind><text>org</text></kind><fn><text>A</text></fn><org><text>A</text></org><tel><parameters><type><text>work</text></type></parameters><uri>tel:+4930</uri></tel><email><text>a@b</text></email><url><uri>https://crm.example/</uri></url></vcard>",
        ],
        &[
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>",
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn>A</fn></vcard>",
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><url><text>https://crm.example/</text></url></vcard>",
        ],
    ),
    (
        "vcard-update.xsd",
        &[
            "<x xmlns='vcard-temp:x:update'/>",
            "<x xmlns='vcard-temp:x:update'><photo>0123456789abcdef0123456789abcdef01234567</photo></x>",
        ],
        &["<x xmlns='vcard-temp:x:update'><photo>pretty</photo></x>"],
    ),
    (
        "version.xsd",
        &[
            "<query xmlns='jabber:iq:version'/>",
            "<query xmlns='jabber:iq:version'><name>Parlour</name><version>0.1.0</version></query>",
        ],
        &["<query xmlns='jabber:iq:version'><name>Parlour</name></query>"],
    ),
    (
        "xbosh.xsd",
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='a' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>",
        ],
        &[
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='a' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='maybe'/>",
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='one'/>",
        ],
    ),
    (
        "xml.xsd",
        &["<body xmlns='jabber:client' xml:lang=''>neutral</body>"],
        &["<body xmlns='jabber:client' xml:lang='no language'/>"],
    ),
];

/// What `xmllint` says of documents by all schemas together, so that payloads are looked at inside
/// their stanzas too: for each whether it is taken.
fn judged(documents: &[&str]) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    let mut all = String::from("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n");
    for path in schema_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, target) = text.split_once("targetNamespace=\"").unwrap();
        let (target, _) = target.split_once('"').unwrap();
        let location = path.display();
        all.push_str(&format!(
            "<xs:import namespace='{target}' schemaLocation='{location}'/>\n"
        ));
    }
    all.push_str("</xs:schema>");
    let schema = folder.path().join("all.xsd");
    std::fs::write(&schema, all).unwrap();
    let mut command = Command::new("xmllint");
    command
        .args(["--noout", "--nonet", "--schema"])
        .arg(&schema);
    for (number, document) in documents.iter().enumerate() {
        let path = folder.path().join(format!("{number}.xml"));
        std::fs::write(&path, document).unwrap();
        command.arg(path);
    }
    let output = command
        .output()
        .expect("xmllint is installed (Debian: libxml2-utils)");
    let said = String::from_utf8(output.stderr).unwrap();
    // 5: a schema cannot be compiled.
    assert_ne!(output.status.code(), Some(5), "{said}");
    let verdict = |number: usize| {
        let path = folder.path().join(format!("{number}.xml"));
        let path = path.display();
        let taken = said.contains(&format!("{path} validates"));
        let refused = said.contains(&format!("{path} fails to validate"));
        assert_ne!(taken, refused, "no verdict on {number}:\n{said}");
        taken
    };
    (0..documents.len()).map(verdict).collect()
}

fn schema_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xsd"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn each_schema_takes_what_is_right_and_refuses_what_is_wrong() {
    let expected: Vec<(&str, bool)> = CASES
        .iter()
        .flat_map(|(_, right, wrong)| {
            let right = right.iter().map(|document| (*document, true));
            right.chain(wrong.iter().map(|document| (*document, false)))
        })
        .collect();
    let documents: Vec<&str> = expected.iter().map(|(document, _)| *document).collect();
    for ((document, right), taken) in expected.iter().zip(judged(&documents)) {
        assert_eq!(taken, *right, "{document}");
    }
}

#[test]
fn every_schema_has_a_document_that_it_takes_and_one_that_it_refuses() {
    let files: BTreeSet<String> = schema_files()
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let tried: BTreeSet<String> = CASES
        .iter()
        .filter(|(_, right, wrong)| !right.is_empty() && !wrong.is_empty())
        .map(|(file, _, _)| (*file).to_owned())
        .collect();
    assert_eq!(files, tried);
}

#[test]
fn each_schema_is_valid_by_itself() {
    for path in schema_files() {
        let document = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(document.path(), "<nothing/>").unwrap();
        let output = Command::new("xmllint")
            .args(["--noout", "--nonet", "--schema"])
            .arg(&path)
            .arg(document.path())
            .output()
            .expect("xmllint is installed (Debian: libxml2-utils)");
        // 3: the document is refused, so the schema could be compiled.
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{}: {said}", path.display());
    }
}
