//! Namespaces, each with the document that defines it.

/// RFC 6120 §4.8.2: stanzas between client and server.
pub const CLIENT: &str = "jabber:client";
/// RFC 6120 §4.8.2: stanzas between servers.
pub const SERVER: &str = "jabber:server";
/// XEP-0220 §2: dialback.
pub const DIALBACK: &str = "jabber:server:dialback";
/// XEP-0220 §2.2.2: the stream feature for it.
pub const DIALBACK_FEATURE: &str = "urn:xmpp:features:dialback";
/// XEP-0288 §2.2: streams in both directions.
pub const BIDI: &str = "urn:xmpp:bidi";
/// XEP-0288 §2.1: the stream feature for it.
pub const BIDI_FEATURE: &str = "urn:xmpp:features:bidi";
/// XEP-0114 §3: stanzas between a component and its server.
pub const COMPONENT: &str = "jabber:component:accept";
/// XEP-0356 §4.2: what a component may do in the name of others.
pub const PRIVILEGE: &str = "urn:xmpp:privilege:2";
/// XEP-0355 §4.2: requests that a component answers in the server's place.
pub const DELEGATION: &str = "urn:xmpp:delegation:2";
/// RFC 6120 §4.8.1: the stream itself.
pub const STREAMS: &str = "http://etherx.jabber.org/streams";
/// RFC 7395 §3.3: a stream over WebSocket.
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// RFC 6120 §4.9.2: stream error conditions.
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// RFC 6120 §8.3.2: stanza error conditions.
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// RFC 6120 §5.4: STARTTLS.
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// RFC 6120 §6.4: SASL.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// RFC 6120 §7.3: resource binding.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// RFC 3921 §3: session establishment, optional since RFC 6121.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// RFC 6121 §2.1: roster.
pub const ROSTER: &str = "jabber:iq:roster";
/// RFC 6121 §2.6.1: roster versioning feature.
pub const ROSTER_VERSIONING: &str = "urn:xmpp:features:rosterver";
/// RFC 6121 §3.4.1: subscription pre-approval feature.
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// XEP-0440 §3: channel-binding types.
pub const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// XEP-0199 §3: ping.
pub const PING: &str = "urn:xmpp:ping";
/// XEP-0004 §3.1: data forms.
pub const DATA_FORMS: &str = "jabber:x:data";
/// XEP-0122 §3: datatypes of form fields.
pub const FORM_VALIDATION: &str = "http://jabber.org/protocol/xdata-validate";
/// XEP-0203 §3: delayed delivery.
pub const DELAY: &str = "urn:xmpp:delay";
/// XEP-0030 §3: what is at an address.
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// XEP-0030 §4: what stands under an address.
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0115 §4: entity capabilities.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// XEP-0390 §4: entity capabilities 2.0.
pub const CAPS2: &str = "urn:xmpp:caps";
/// XEP-0300 §3: hashes.
pub const HASHES: &str = "urn:xmpp:hashes:2";
/// XEP-0092 §3: software version.
pub const VERSION: &str = "jabber:iq:version";
/// XEP-0202 §3: entity time.
pub const TIME: &str = "urn:xmpp:time";
/// XEP-0012 §3: last activity.
pub const LAST_ACTIVITY: &str = "jabber:iq:last";
/// XEP-0054 §3: vCards.
pub const VCARD: &str = "vcard-temp";
/// XEP-0049 §3: private storage.
pub const PRIVATE: &str = "jabber:iq:private";
/// XEP-0478 §3: stream limits.
pub const STREAM_LIMITS: &str = "urn:xmpp:stream-limits:0";
/// XEP-0157 §3: the form type of contact addresses.
pub const SERVER_INFO: &str = "http://jabber.org/network/serverinfo";
/// XEP-0334 §4: hints on processing.
pub const HINTS: &str = "urn:xmpp:hints";
/// XEP-0085 §5: chat states.
pub const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
/// XEP-0077 §3: in-band registration.
pub const REGISTER: &str = "jabber:iq:register";
/// XEP-0077 §7: the stream feature of in-band registration.
pub const REGISTER_FEATURE: &str = "http://jabber.org/features/iq-register";
/// XEP-0050 §3: ad-hoc commands.
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0059 §2: pages of a list.
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0297 §3: a stanza inside of another.
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// XEP-0359 §3: ids that stay.
pub const STANZA_ID: &str = "urn:xmpp:sid:0";
/// XEP-0198 §3: stream management.
pub const STREAM_MANAGEMENT: &str = "urn:xmpp:sm:3";
/// XEP-0352 §3: client state indication.
pub const CLIENT_STATE: &str = "urn:xmpp:csi:0";
/// XEP-0280 §4: message carbons.
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// XEP-0313 §3: message archive management.
pub const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0428 §2.2: which part of a message is there for clients that do not know the rest.
pub const FALLBACK: &str = "urn:xmpp:fallback:0";
/// XEP-0184 §3: delivery receipts.
pub const RECEIPTS: &str = "urn:xmpp:receipts";
/// XEP-0333 §3: displayed markers.
pub const CHAT_MARKERS: &str = "urn:xmpp:chat-markers:0";
/// XEP-0060: publish-subscribe.
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// XEP-0060 §4.2: what the owner of a node asks.
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// XEP-0060 §7: notifications.
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0060 §16: conditions of errors.
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
/// XEP-0045: rooms.
pub const MUC: &str = "http://jabber.org/protocol/muc";
/// XEP-0045 §7: what rooms tell and users ask.
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
/// XEP-0045 §9.
pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
/// XEP-0045 §10.
pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
/// XEP-0249 §2: direct invitations to a room.
pub const CONFERENCE: &str = "jabber:x:conference";
/// XEP-0388 §2: SASL2.
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0386 §3: Bind 2.
pub const BIND2: &str = "urn:xmpp:bind:0";
/// XEP-0191 §3: blocking.
pub const BLOCKING: &str = "urn:xmpp:blocking";
/// XEP-0363 §3: HTTP upload.
pub const HTTP_UPLOAD: &str = "urn:xmpp:http:upload:0";
