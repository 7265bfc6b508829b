// Two people talk with xmpp.js (@xmpp/client): they log in, add each other, see
// each other's presence, exchange messages, and one gets what was sent while it
// was away, having come back with a token (XEP-0484).
//
// Told by the environment as slixmpp_talk.py is; the test authority comes by
// NODE_EXTRA_CA_CERTS. Exits with 0 when all was seen.

import { webcrypto } from "node:crypto";

import { client, jid, xml } from "@xmpp/client";

// Not global before Node.js 20, which Debian has had.
globalThis.crypto ??= webcrypto;

const PATIENCE_MS = 20_000;
const { XMPP_HOST, XMPP_PORT, XMPP_TRANSPORT, XMPP_ROMEO, XMPP_JULIET, XMPP_PASSWORD } =
  process.env;

function fail(why) {
  console.error(why);
  process.exit(1);
}

/** A client that keeps what it sees until somebody asks for it. */
class Person {
  constructor(address, agent = webcrypto.randomUUID(), token = null) {
    this.agent = agent;
    this.address = address;
    this.kept = [];
    this.asked = null;
    const services = {
      starttls: `xmpp://${XMPP_HOST}:${XMPP_PORT}`,
      "direct-tls": `xmpps://${XMPP_HOST}:${XMPP_PORT}`,
      // The certificate names localhost.
      websocket: `wss://localhost:${XMPP_PORT}/xmpp-websocket`,
    };
    this.xmpp = client({
      service: services[XMPP_TRANSPORT],
      domain: jid(address).domain,
      username: jid(address).local,
      // Who has a token needs no password.
      password: token ? "" : XMPP_PASSWORD,
      userAgent: xml("user-agent", { id: agent }),
    });
    this.xmpp.reconnect.stop();
    // @xmpp/connection 0.14 waits for its header to be written before it listens for the server's,
    // which may be faster; with SASL there was a second header to make up for the first.
    const write = this.xmpp.write.bind(this.xmpp);
    this.xmpp.write = async (text) => {
      write(text).catch((error) => this.xmpp.emit("error", error));
    };
    // Given before, as a browser would have kept it (XEP-0484).
    this.token = token;
    this.xmpp.fast.fetchToken = async () => this.token;
    this.xmpp.fast.saveToken = async (given) => (this.token = given);
    this.xmpp.fast.deleteToken = async () => {
      if (this.token) fail(`${address}: the token was refused`);
    };
    this.xmpp.on("error", (error) => fail(`${address}: ${error}`));
    this.xmpp.on("send", (element) => {
      if (element.is("authenticate")) this.mechanism = element.attrs.mechanism;
      if (element.is("starttls")) this.starttls = true;
    });
    this.xmpp.on("stanza", (stanza) => this.note(stanza));
  }

  note(stanza) {
    if (this.asked?.test(stanza)) this.asked.found(stanza);
    else this.kept.push(stanza);
  }

  /** Waits for a stanza; what comes before it is kept for later questions. */
  async sees(what, test) {
    const at = this.kept.findIndex(test);
    const stanza =
      at >= 0
        ? this.kept.splice(at, 1)[0]
        : await new Promise((found) => {
            const patience = setTimeout(
              () => fail(`${this.address} never saw: ${what}; kept: ${this.kept.join("\n")}`),
              PATIENCE_MS,
            );
            this.asked = {
              test,
              found: (stanza) => {
                clearTimeout(patience);
                this.asked = null;
                found(stanza);
              },
            };
          });
    console.log(`${this.address}: ${what}: ${stanza}`);
    return stanza;
  }

  async arrives() {
    const expected = this.token ? "HT-SHA-256-NONE" : "SCRAM-";
    const address = await this.xmpp.start();
    console.log(`${address}: logged in with ${this.mechanism}`);
    if (!this.mechanism.startsWith(expected)) fail(`the mechanism is ${this.mechanism}`);
    if (Boolean(this.starttls) !== (XMPP_TRANSPORT === "starttls")) fail("not this transport");
    await this.xmpp.iqCaller.get(xml("query", "jabber:iq:roster"));
    await this.xmpp.send(xml("presence"));
  }

  async leaves() {
    await this.xmpp.stop();
  }

  async says(to, text) {
    await this.xmpp.send(xml("message", { to, type: "chat" }, xml("body", {}, text)));
  }
}

const presence = (from, type) => (stanza) =>
  stanza.is("presence") && stanza.attrs.type === type && String(jid(stanza.attrs.from).bare()) === from;
const message = (text) => (stanza) => stanza.is("message") && stanza.getChildText("body") === text;

const romeo = new Person(XMPP_ROMEO);
let juliet = new Person(XMPP_JULIET);
await romeo.arrives();
await juliet.arrives();

for (const [one, other] of [[romeo, juliet], [juliet, romeo]]) {
  await one.xmpp.send(xml("presence", { to: other.address, type: "subscribe" }));
  await other.sees("a request", presence(one.address, "subscribe"));
  await other.xmpp.send(xml("presence", { to: one.address, type: "subscribed" }));
  await one.sees("approval", presence(other.address, "subscribed"));
  await one.sees("presence", presence(other.address, undefined));
}
const roster = await romeo.xmpp.iqCaller.get(xml("query", "jabber:iq:roster"));
console.log(`${XMPP_ROMEO}: the roster is ${roster}`);
const items = roster.getChildren("item").map(({ attrs }) => `${attrs.jid} ${attrs.subscription}`);
if (items.join() !== `${XMPP_JULIET} both`) fail("the subscription is not mutual");

await romeo.says(XMPP_JULIET, "Shall I hear more?");
const heard = await juliet.sees("a message", message("Shall I hear more?"));
await juliet.says(heard.attrs.from, "What man art thou? 🌹");
await romeo.sees("a message", message("What man art thou? 🌹"));

await juliet.leaves();
await romeo.sees("the end of presence", presence(XMPP_JULIET, "unavailable"));
await romeo.says(XMPP_JULIET, "while you slept");
await romeo.xmpp.iqCaller.get(xml("ping", "urn:xmpp:ping"), jid(XMPP_ROMEO).domain);

juliet = new Person(XMPP_JULIET, juliet.agent, juliet.token);
if (!juliet.token) fail("no token was given");
await juliet.arrives();
const late = await juliet.sees("a late message", message("while you slept"));
if (!late.getChild("delay", "urn:xmpp:delay")) fail("no time of sending");
await juliet.sees("presence", presence(XMPP_ROMEO, undefined));
await romeo.leaves();
await juliet.leaves();
console.log("all was seen");
