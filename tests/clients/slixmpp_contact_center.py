"""Two agents use the plugins of examples/parlour_slixmpp: another implementation of the protocols than the server's.

Told by the environment as slixmpp_talk.py is. Romeo and Juliet are agents, and `lunch` and `shift-over` are reasons. Exits with 0
when all went as it should.
"""

import asyncio
import os
import pathlib
import sys

import slixmpp

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples"))

import parlour_slixmpp  # noqa: E402
from parlour_slixmpp import Object, Refused  # noqa: E402

PATIENCE_S = 20


def expect(truth, otherwise):
    if not truth:
        sys.exit(otherwise)


class Person(slixmpp.ClientXMPP):
    def __init__(self, who):
        super().__init__(os.environ[who], os.environ["XMPP_PASSWORD"])
        self.ca_certs = os.environ["XMPP_CA"]
        self.enable_direct_tls = os.environ["XMPP_TRANSPORT"] == "direct-tls"
        self.enable_starttls = not self.enable_direct_tls
        self.enable_plaintext = False
        # Receipts are sent by the library, which knows nothing of contexts.
        self.register_plugin("xep_0184")
        parlour_slixmpp.register(self)
        self.ready = asyncio.Event()
        self.brought = asyncio.Queue()
        self.steps = asyncio.Queue()
        self.add_event_handler("session_start", lambda _: self.ready.set())
        self.add_event_handler("parlour_context", self.brought.put_nowait)
        self.add_event_handler("parlour_context_progress", self.steps.put_nowait)

    async def arrive(self):
        self.connect(os.environ["XMPP_HOST"], int(os.environ["XMPP_PORT"]))
        await asyncio.wait_for(self.ready.wait(), PATIENCE_S)
        self.send_presence()


async def refused(code, request):
    try:
        await request
    except Refused as refusal:
        expect(refusal.code == code, f"{refusal.code}, not {code}: {refusal}")
        expect(refusal.text, f"{code} without a sentence")
    else:
        sys.exit(f"{code} is not refused")


async def next_of(queue):
    return await asyncio.wait_for(queue.get(), PATIENCE_S)


async def states(romeo):
    agent = romeo.plugin["parlour_agent"]
    await refused("agent-logged-out", agent.ready())
    state = await agent.login()
    expect(state.state == "available" and state.jid == romeo.boundjid.bare, state)
    state = await agent.not_ready("lunch")
    expect((state.state, state.reason, state.label) == ("not-ready", "lunch", "Lunch"), state)
    await refused("reason-code-unknown", agent.not_ready("dinner"))
    expect((await agent.state()).state == "not-ready", "what was refused has changed something")
    expect((await agent.ready()).state == "available", "not available again")
    state = await agent.logout("shift-over")
    expect(state.state == "logged-out" and state.since, state)


async def contexts(romeo, juliet):
    ours, hers = romeo.plugin["parlour_context"], juliet.plugin["parlour_context"]
    fire = Object("case", "4711", "Printer is on fire", "https://crm.example/4711", "open", {"Site": "Verona"})
    order = Object("sales-order", "7", "Order & delivery")
    await ours.opened(order)
    sent = await ours.send([juliet.boundjid.bare], [fire, Object("sales-order", "7")], "Look <here>")
    expect(sent.objects == [fire, order] and sent.note == "Look <here>", sent)
    brought = await next_of(juliet.brought)
    expect((brought.id, brought.objects, brought.note) == (sent.id, sent.objects, sent.note), brought)
    about, step = await next_of(romeo.steps)
    expect((about, step.jid, step.progress) == (sent.id, juliet.boundjid.bare, "delivered"), step)
    opened = await hers.open(sent.id)
    expect([step.progress for step in opened.recipients] == ["opened"], opened)
    about, step = await next_of(romeo.steps)
    expect((about, step.progress) == (sent.id, "opened"), step)
    expect((await ours.find(sent.id)).recipients == [step], "the sender sees something else")
    second = await ours.send([juliet.boundjid.bare], [order])
    await next_of(juliet.brought)
    page = await hers.received(max=1)
    expect([it.id for it in page] == [second.id], page)
    page = await hers.received(max=5, after=second.id)
    expect([it.id for it in page] == [sent.id], page)
    expect([it.id for it in await ours.sent()] == [second.id, sent.id], "not in the order of sending")
    names = [it.id for it in await hers.recent()]
    expect(sorted(names) == ["4711", "7"], names)
    await hers.forget("case", "4711")
    await refused("object-not-recent", hers.forget("case", "4711"))
    await refused("oneself", ours.send([romeo.boundjid.bare], [order]))
    await refused("object-url-malformed", ours.opened(Object("case", "1", "One", "javascript:x")))
    await refused("context-unknown", hers.open("no-such-context"))


async def main():
    romeo, juliet = Person("XMPP_ROMEO"), Person("XMPP_JULIET")
    await romeo.arrive()
    await juliet.arrive()
    await states(romeo)
    await contexts(romeo, juliet)
    for person in (romeo, juliet):
        await person.disconnect()


asyncio.run(main())
