"""Two people talk with slixmpp: they log in, add each other, see each other's
presence, exchange messages, and one gets what was sent while it was away.

Told by the environment as slixmpp_person.py says, and XMPP_ROMEO, XMPP_JULIET (bare JIDs). Exits with 0
when all was seen.
"""

import asyncio
import os

from slixmpp_person import PATIENCE_S, Person, expect, says

PLUGINS = ("xep_0030", "xep_0092", "xep_0199", "xep_0203")
EVENTS = (("got_online", "online"), ("got_offline", "offline"))


class Talker(Person):
    """Somebody who adds others and talks."""

    def __init__(self, jid):
        super().__init__(jid, PLUGINS, EVENTS)

    async def arrives(self):
        """Logs in as people's clients do: session, roster, presence."""
        self.dial()
        await self.sees("session")
        mechanism = self.plugin["feature_mechanisms"].mech.name
        print(f"{self.boundjid}: logged in with {mechanism}", flush=True)
        expect(mechanism.startswith("SCRAM-"), f"the mechanism is {mechanism}")
        await self.get_roster(timeout=PATIENCE_S)
        self.send_presence()


def comes_from(bare):
    return lambda stanza: stanza["from"].bare == bare


async def main():
    romeo_jid, juliet_jid = os.environ["XMPP_ROMEO"], os.environ["XMPP_JULIET"]
    romeo, juliet = Talker(romeo_jid), Talker(juliet_jid)
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

    juliet = Talker(juliet_jid)
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
