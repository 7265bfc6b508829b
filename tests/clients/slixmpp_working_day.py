"""A working day of two agents, with the simulated connector, and a CRM that listens: Romeo's client speaks the protocols of the contact
center (examples/parlour_slixmpp), Juliet's is an ordinary one, with commands and messages.

A call comes in, and Romeo sees who calls (S2-10, S2-14, S2-21); he takes it, holds it, attaches data (S2-2); asks Juliet by instant
messages about it, with a business object (S1-38, S0-27); consults her by voice without naming her again, and the customer is on
hold (S1-42, S1-43); she takes over (S2-19); both write up (S2-26, S2-36); he plans a call for her, of which she is reminded (S3-2, S3-5).

Later Romeo calls the customer back (S2-8), who turns out to be known twice (S2-12), and switches to the call (S2-46); Juliet has no time at first and
then joins (S2-18, S2-34); the next caller he leaves to others.

Told by the environment as slixmpp_person.py says, with XMPP_ROMEO, XMPP_JULIET and XMPP_PHONES, the connector's domain. Mary Example
is a customer with the number that calls; `resolved` and `sold` (Sold) are wrap-up reasons. Exits with 0 when all was seen.
"""

import asyncio
import os
import pathlib
import sys

from slixmpp_person import Person, expect, says
from slixmpp_plain_agent import PlainAgent

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples"))

import parlour_slixmpp  # noqa: E402
from parlour_slixmpp import Object  # noqa: E402
from parlour_slixmpp.customer import Customer  # noqa: E402

NUMBER = "+39066981234"
EVENTS = (
    ("parlour_interaction", "change"),
    ("parlour_screen_pop", "pop"),
    ("parlour_im_said", "said"),
    ("parlour_follow_up", "follow_up"),
    ("parlour_focus", "focus"),
    ("parlour_message_not_delivered", "not_delivered"),
)


class TypedAgent(Person):
    """An agent whose client has the plugins."""

    def __init__(self, who):
        super().__init__(os.environ[who], ("xep_0030", "xep_0184"), EVENTS)
        parlour_slixmpp.register(self)

    async def arrives(self):
        self.dial()
        await self.sees("session")
        await self.get_roster()
        self.send_presence()
        await self.plugin["parlour_agent"].login()

    async def is_in(self, state):
        """Waits until the agent is in that state, which follows the interaction."""
        while (await self.plugin["parlour_agent"].state()).state != state:
            await asyncio.sleep(0)

    async def becomes(self, id, **expected):
        """Waits until the interaction is so; gives the change."""

        def is_so(change):
            it = change.interaction
            return it.id == id and all(getattr(it, name) == value for name, value in expected.items())

        return await self.sees("change", is_so)

    async def follows(self, asked, **expected):
        """The same after what was asked for."""

        def is_so(change):
            it = change.interaction
            fits = all(getattr(it, name) == value for name, value in expected.items())
            return it.id == asked.id and it.version > asked.version and fits

        return await self.sees("change", is_so)


async def rings(romeo, phones):
    """The customer calls; Romeo sees who it is before he answers."""
    romeo.send_message(mto=phones, mbody=f"call romeo from {NUMBER}", mtype="chat")
    told = await romeo.sees("message", lambda it: it["from"] == phones and "rings at romeo" in it["body"])
    id = told["body"].split(" ", 1)[0]
    pop = await romeo.sees("pop", lambda pop: pop.interaction == id)
    expect((pop.interaction, pop.match, pop.address) == (id, "single", NUMBER), pop)
    [mary] = pop.customers
    expect((mary.name, mary.crm_id) == ("Mary Example", "C-1001"), mary)
    offered = await romeo.becomes(id, leg="offered", line="offered")
    expect(offered.text.startswith(f"New call from {NUMBER}. Accept or reject within "), offered)
    expect((offered.interaction.customer, offered.interaction.medium) == (mary.id, "voice"), offered)
    return id


async def is_taken(romeo, id):
    interactions = romeo.plugin["parlour_interaction"]
    asked = await interactions.accept(id)
    expect(asked.pending == "accept" and asked.leg == "offered", asked)
    await romeo.becomes(id, leg="connected", line="connected")
    await romeo.is_in("engaged")
    await interactions.hold(id)
    await romeo.becomes(id, line="held")
    await interactions.resume(id)
    await romeo.becomes(id, line="connected", pending=None)
    attached = await interactions.attach(id, {"order": "4711"})
    expect(attached.data == {"order": "4711"}, attached)


async def is_asked(romeo, juliet, id):
    """S1-38: what the call is about, before anybody is put on hold for it."""
    im, context = romeo.plugin["parlour_im"], romeo.plugin["parlour_context"]
    colleague = juliet.boundjid.bare
    session = await im.invite(colleague, "Do you know this order?", about=id)
    first = await juliet.sees("message", says("Do you know this order?"))
    first.reply("Let me see.").send()
    await romeo.sees("said", lambda said: (said.id, said.text) == (session.id, "Let me see."))
    order = Object("sales-order", "4711", "Two roses", status="late")
    await context.send([colleague], [order], "This one.", session.id)
    await juliet.sees("message", says("This one.\n\nSales order: Two roses (late)"))
    return session


async def is_escalated(romeo, juliet, id):
    """S1-42: the colleague of the session is who is meant."""
    asked = await romeo.plugin["parlour_interaction"].consult(id)
    expect(asked.pending == "consult", asked)
    held = await romeo.becomes(id, line="held", pending=None)
    legs = {it.agent: (it.role, it.leg) for it in held.interaction.participants}
    expect(legs[juliet.boundjid.bare] == ("consulted", "offered"), legs)
    told = f"romeo asks for your advice on the call with {NUMBER}."
    await juliet.sees("message", lambda it: it["body"].startswith(told))
    await juliet.does("Accept an interaction")
    change = await romeo.sees("change", lambda it: it.text == "juliet has accepted.")
    expect(change.interaction.line == "held", change)


async def is_transferred(romeo, juliet, id, session):
    await romeo.plugin["parlour_interaction"].complete_transfer(id)
    await romeo.becomes(id, leg="wrap-up", line="connected")
    await juliet.sees("message", says("You deal with the customer now."))
    await romeo.plugin["parlour_im"].end(session.id)


async def is_written_up(romeo, juliet, id):
    """Each has an activity of its own (S2-36)."""
    activities = romeo.plugin["parlour_activity"]
    noted = await activities.note("Asked about two roses.", language="en")
    expect([(it.text, it.language) for it in noted.notes] == [("Asked about two roses.", "en")], noted)
    expect((noted.interaction, noted.name, noted.category) == (id, "Mary Example", "phone-call"), noted)
    expect((await activities.wrap_up("resolved")).wrap_up == "resolved", "not wrapped up")
    done = await romeo.plugin["parlour_interaction"].finish_wrap_up(id)
    expect(done.leg == "done", done)
    await romeo.is_in("available")

    await juliet.does("Write a note into an activity", {"Note": "She gets a third one."})
    await juliet.does("End an interaction")
    await juliet.sees("message", says(f"The call with {NUMBER} has ended."))
    await juliet.does("Say what came of an interaction", {"What came of it": "Sold"})
    await juliet.does("Finish the wrap-up of an interaction")
    # The own ones, the newest first.
    [own, *_] = await activities.activities()
    expect(own.id == noted.id and own.closed and own.finished, own)


async def is_followed_up(romeo, juliet, id):
    """A call is planned from the record, with what is on the scratch pad; its time has come already (S3-2, S3-5, S3-17)."""
    follow_ups = romeo.plugin["parlour_follow_up"]
    await follow_ups.write_scratch_pad("Did the roses come?")
    planned = await follow_ups.plan(
        "interaction-record",
        id,
        "phone-call",
        due="2026-01-31T12:00:00Z",
        responsible=juliet.boundjid.bare,
        scratch_pad=True,
        note_type="preparation",
    )
    expect((planned.display_area, planned.title) == ("activity-clipboard", "Mary Example"), planned)
    expect((await follow_ups.scratch_pad()).text == "", "it is still on the scratch pad")
    call = "Phone call: Mary Example. Due 2026-01-31T12:00:00Z, juliet, planned."
    await juliet.sees("message", says(f"romeo gives you a follow-up: {call}"))
    await juliet.sees("message", says(f"A follow-up is due: {call}"))
    await juliet.does("Write a note into a follow-up", {"Follow-up": call, "Note": "They came."})
    await juliet.does("Complete a follow-up", {"Follow-up": call})
    told = await romeo.sees("follow_up", lambda it: it.follow_up.id == planned.id)
    expect((told.what, told.by, told.follow_up.status) == ("completed", juliet.boundjid.bare, "completed"), told)
    notes = (await follow_ups.follow_up(planned.id)).notes
    expect([(it.note_type, it.text) for it in notes] == [("preparation", "Did the roses come?"), ("note", "They came.")], notes)
    [version] = await follow_ups.history(planned.id, "preparation")
    expect(version.by == romeo.boundjid.bare, version)
    [own] = await follow_ups.follow_ups(list="author", status="any")
    expect(own.id == planned.id, own)


async def is_known_twice(romeo):
    """Two records of one customer become one; gives it."""
    customers = romeo.plugin["parlour_customer"]
    [mary] = (await customers.search("Mary")).customers
    twin = await customers.create(Customer(name="M. Example", telephones=["+39066981235"]))
    both = await customers.merge(mary, twin)
    expect((both.id, both.telephones) == (mary.id, [NUMBER, "+39066981235"]), both)
    expect([it.id for it in await customers.find("+39066981235")] == [mary.id], "the twin is still there")
    return both


async def is_not_written_to(romeo):
    """Who has no address gets no message, and who has written it is told so."""
    nobody = await romeo.plugin["parlour_customer"].create(Customer(name="N. N."))
    streams = romeo.plugin["parlour_message_stream"]
    sent = await streams.create(nobody.id, "Your order", "It is on its way.", deliver=True)
    told = await romeo.sees("not_delivered")
    expect((told.id, told.message, told.why) == (sent.id, sent.messages[0].id, "The customer has no address."), told)


async def is_called_back(romeo, juliet, mary):
    interactions, colleague = romeo.plugin["parlour_interaction"], juliet.boundjid.bare
    id = (await interactions.dial(customer=mary.id)).id
    await romeo.becomes(id, leg="connected", line="connected")
    await interactions.focus(id)
    await romeo.sees("focus", lambda told: told == id)

    asked = await interactions.consult(id, colleague)
    await romeo.follows(asked, line="held", pending=None)
    await juliet.sees("message", lambda it: "asks for your advice" in it["body"])
    await juliet.does("Reject an interaction")
    await romeo.sees("change", lambda it: it.text == "juliet has rejected.")
    asked = await interactions.retrieve(id)
    await romeo.follows(asked, line="connected", pending=None)

    await interactions.conference(id, colleague)
    await juliet.sees("message", lambda it: it["body"].startswith("romeo adds you to "))
    await juliet.does("Accept an interaction")
    await romeo.sees("change", lambda it: it.text == "juliet has accepted.")
    await interactions.end(id)
    await romeo.becomes(id, leg="wrap-up", line="over")
    # The agent's own state follows the interaction.
    await romeo.is_in("wrap-up")
    await interactions.finish_wrap_up(id)
    await romeo.is_in("available")
    await juliet.sees("message", says(f"The call with {NUMBER} has ended."))
    await juliet.does("Finish the wrap-up of an interaction")


async def is_left_to_others(romeo, phones):
    id = await rings(romeo, phones)
    asked = await romeo.plugin["parlour_interaction"].reject(id)
    expect(asked.pending == "reject", asked)
    await romeo.becomes(id, leg="rejected", line="offered")
    romeo.send_message(mto=phones, mbody=f"hang up {id}", mtype="chat")


async def main():
    phones = os.environ["XMPP_PHONES"]
    romeo, juliet = TypedAgent("XMPP_ROMEO"), PlainAgent("XMPP_JULIET")
    await romeo.arrives()
    await juliet.arrives()
    await juliet.does("Log in as an agent")
    id = await rings(romeo, phones)
    await is_taken(romeo, id)
    session = await is_asked(romeo, juliet, id)
    await is_escalated(romeo, juliet, id)
    await is_transferred(romeo, juliet, id, session)
    await is_written_up(romeo, juliet, id)
    await is_followed_up(romeo, juliet, id)
    mary = await is_known_twice(romeo)
    await is_not_written_to(romeo)
    await is_called_back(romeo, juliet, mary)
    await is_left_to_others(romeo, phones)
    for person in (romeo, juliet):
        await person.leaves()
    print("all was seen", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
