"""Two people talk with slixmpp: they log in, add each other, see each other's
presence, exchange messages, and one gets what was sent while it was away.

Told by the environment: XMPP_HOST, XMPP_PORT, XMPP_TRANSPORT (starttls or
direct-tls), XMPP_CA (a PEM file), XMPP_ROMEO, XMPP_JULIET (bare JIDs),
XMPP_PASSWORD. Exits with 0 when all was seen.
"""

import asyncio
import os
import sys

import slixmpp

PATIENCE_S = 20


class Person(slixmpp.ClientXMPP):
    """A client that keeps what it sees until somebody asks for it."""

    def __init__(self, jid):
        super().__init__(jid, os.environ["XMPP_PASSWORD"])
        self.ca_certs = os.environ["XMPP_CA"]
        self.enable_direct_tls = os.environ["XMPP_TRANSPORT"] == "direct-tls"
        self.enable_starttls = not self.enable_direct_tls
        self.enable_plaintext = False
        for plugin in ("xep_0030", "xep_0092", "xep_0199", "xep_0203"):
            self.register_plugin(plugin)
        self.seen = asyncio.Queue()
        self.kept = []
        self.add_event_handler("session_start", lambda _: self.note("session"))
        self.add_event_handler("failed_all_auth", lambda _: self.note("refused"))
        self.add_event_handler("got_online", lambda p: self.note("online", p))
        self.add_event_handler("got_offline", lambda p: self.note("offline", p))
        self.add_event_handler("message", lambda m: self.note("message", m))
        self.add_event_handler("disconnected", lambda _: self.note("gone"))

    def note(self, what, stanza=None):
        self.seen.put_nowait((what, stanza))

    async def sees(self, what, test=lambda stanza: True):
        """Waits for something; what comes before it is kept for later questions."""
        for at, (kind, stanza) in enumerate(self.kept):
            if kind == what and test(stanza):
                del self.kept[at]
                return self.tell(what, stanza)
        while True:
            try:
                kind, stanza = await asyncio.wait_for(self.seen.get(), PATIENCE_S)
            except asyncio.TimeoutError:
                sys.exit(f"{self.boundjid.bare} never saw: {what}; kept: {self.kept}")
            if kind == "refused":
                sys.exit(f"{self.boundjid.bare} was refused")
            if kind == what and test(stanza):
                return self.tell(what, stanza)
            self.kept.append((kind, stanza))

    def tell(self, what, stanza):
        print(f"{self.boundjid}: {what} {stanza if stanza is not None else ''}", flush=True)
        return stanza

    async def arrives(self):
        """Logs in as people's clients do: session, roster, presence."""
        self.connect(os.environ["XMPP_HOST"], int(os.environ["XMPP_PORT"]))
        await self.sees("session")
        mechanism = self.plugin["feature_mechanisms"].mech.name
        print(f"{self.boundjid}: logged in with {mechanism}", flush=True)
        expect(mechanism.startswith("SCRAM-"), f"the mechanism is {mechanism}")
        await self.get_roster(timeout=PATIENCE_S)
        self.send_presence()

    async def leaves(self):
        self.disconnect()
        await self.sees("gone")


def expect(truth, otherwise):
    if not truth:
        sys.exit(otherwise)


def comes_from(bare):
    return lambda stanza: stanza["from"].bare == bare


def says(text):
    return lambda stanza: stanza["body"] == text


async def main():
    romeo_jid, juliet_jid = os.environ["XMPP_ROMEO"], os.environ["XMPP_JULIET"]
    romeo, juliet = Person(romeo_jid), Person(juliet_jid)
    await romeo.arrives()
    await juliet.arrives()

    # slixmpp answers a request with approval and a request of its own.
    romeo.send_presence_subscription(pto=juliet_jid)
    await romeo.sees("online", comes_from(juliet_jid))
    await juliet.sees("online", comes_from(romeo_jid))
    # The answer comes after the pushes that were on their way.
    await romeo.get_roster(timeout=PATIENCE_S)
    roster = romeo.client_roster
    items = {jid: roster[jid]["subscription"] for jid in roster.keys() if jid != romeo_jid}
    print(f"{romeo_jid}: the roster is {items}", flush=True)
    expect(items == {juliet_jid: "both"}, "the subscription is not mutual")

    romeo.send_message(mto=juliet_jid, mbody="Shall I hear more?", mtype="chat")
    heard = await juliet.sees("message", says("Shall I hear more?"))
    heard.reply("What man art thou? 🌹").send()
    await romeo.sees("message", says("What man art thou? 🌹"))

    await juliet.leaves()
    await romeo.sees("offline", comes_from(juliet_jid))
    for number in range(3):
        romeo.send_message(mto=juliet_jid, mbody=f"while you slept {number}", mtype="chat")
    await romeo.plugin["xep_0199"].send_ping(jid="localhost", timeout=PATIENCE_S)

    juliet = Person(juliet_jid)
    await juliet.arrives()
    for number in range(3):
        late = await juliet.sees("message")
        expect(late["body"] == f"while you slept {number}", f"out of order: {late}")
        expect(late["delay"]["stamp"], "no time of sending")
    await juliet.sees("online", comes_from(romeo_jid))
    await romeo.sees("online", comes_from(juliet_jid))
    await romeo.leaves()
    await juliet.leaves()
    print("all was seen", flush=True)


if __name__ == "__main__":
    asyncio.run(asyncio.wait_for(main(), 100))
