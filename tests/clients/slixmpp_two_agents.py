"""Two agents work with ordinary clients, as slixmpp_plain_agent.py has them.

One finds and adds the other, who sees its state change (S0-18, S0-20, S0-21, S1-5), invites it, talks with it, ends that and reads the
transcript (S1-8, S1-9, S1-13 to S1-16, S1-18, S1-22); a business object is sent (S0-27 to S0-29); and the history of
both shows all of it as text.

Told by the environment as slixmpp_person.py says, with XMPP_ROMEO and XMPP_JULIET (bare JIDs). Both are agents; Lunch and Shift is over are
reasons. Exits with 0 when all was seen.
"""

import asyncio

from slixmpp_forms import notes
from slixmpp_person import expect, says
from slixmpp_plain_agent import PlainAgent, rows

# A contact who is there and says nothing of itself.
ONLINE = ("", "")

WAYS = ["instant-message", "telephone", "email", "context"]

FIRST = "Can you help me?\nIt is urgent."
TRANSCRIPT = [
    ("romeo", "message", FIRST),
    ("juliet", "accepted", ""),
    ("juliet", "message", "Of course."),
    ("romeo", "message", "My printer is on fire."),
    ("juliet", "message", "Which one?"),
    ("romeo", "context", ""),
    ("romeo", "ended", ""),
]

OBJECT = "Look at this.\n\nService ticket: Printer is on fire (open)\nhttps://crm.example/4711"


async def become_contacts(romeo, juliet):
    [found] = rows(await romeo.does("Search for a colleague", {"Name": "jul"}))
    expect((found["Address"], found["State"]) == (juliet.boundjid.bare, "Online"), f"{found}")
    romeo.send_presence_subscription(pto=found["Address"])
    await romeo.has(juliet)
    await juliet.has(romeo)
    await romeo.shows(juliet, ONLINE)
    await juliet.shows(romeo, ONLINE)


async def states(romeo, juliet):
    """S0-21: what an agent chooses its contacts see."""
    await romeo.does("Be not ready", {"Why": "Lunch"})
    await juliet.shows(romeo, ("dnd", "Busy – Lunch"))
    await romeo.does("Be available")
    await juliet.shows(romeo, ONLINE)
    ways = rows(await juliet.does("How to reach a colleague", {"Colleague": "romeo"}))
    expect([way["Means"] for way in ways] == WAYS, f"{ways}")
    [listed] = rows(await juliet.does("Your personal contacts"))
    expect((listed["Address"], listed["State"]) == (romeo.boundjid.bare, "Online"), f"{listed}")


async def talk(romeo, juliet):
    """S1-8 to S1-31: an invitation by a form, answered by replying."""
    sent = {"Colleague": juliet.boundjid.bare, "Message": FIRST}
    await romeo.does("Send an instant message to a colleague", sent)
    first = await juliet.sees("message", says(FIRST))
    expect(first["from"].bare == romeo.boundjid.bare, f"it comes from {first['from']}")
    first.reply("Of course.").send()
    told = await romeo.sees("message", says("juliet has accepted the invitation."))
    expect(told["from"] == romeo.service, f"it comes from {told['from']}")
    answer = await romeo.sees("message", says("Of course."))
    expect(answer["from"] == juliet.boundjid, f"it comes from {answer['from']}")
    romeo.send_message(mto=juliet.boundjid.bare, mbody="My printer is on fire.", mtype="chat")
    await juliet.sees("message", says("My printer is on fire."))
    juliet.send_message(mto=romeo.boundjid.bare, mbody="Which one?", mtype="chat")
    await romeo.sees("message", says("Which one?"))


async def context(romeo, juliet):
    """S0-27 to S0-29: a business object typed into a form is text for who gets it."""
    [session] = rows(await romeo.does("Your IM sessions"))
    expect((session["Colleague"], session["Status"]) == (juliet.boundjid.bare, "connected"), session)
    ticket = {
        "In this IM session": session["Session"],
        "To whom": [juliet.boundjid.bare],
        "Another object: its type, such as service-ticket": "service-ticket",
        "Its id": "4711",
        "Its title": "Printer is on fire",
        "Its link": "https://crm.example/4711",
        "Its status": "open",
        "What you say to it": "Look at this.",
    }
    done = await romeo.does("Send business objects", ticket)
    expect("Printer is on fire is sent to juliet." in notes(done), notes(done))
    brought = await juliet.sees("message", says(OBJECT))
    expect(brought["from"].bare == romeo.boundjid.bare, f"it comes from {brought['from']}")
    offered = {"Which one": "romeo: Printer is on fire"}
    await juliet.does("Open business objects that you were sent", offered)
    told = await romeo.sees("message", says("juliet has opened Printer is on fire."))
    expect(told["from"] == romeo.service, f"it comes from {told['from']}")


async def end(romeo, juliet):
    await romeo.does("End an IM session")
    await juliet.sees("message", says("romeo has ended the IM session."))
    await romeo.sees("message", says("You have ended the IM session with juliet."))
    for person in (romeo, juliet):
        lines = rows(await person.does("Transcript of an IM session"))
        expect([(line["Sender"], line["Kind"], line["Text"]) for line in lines] == TRANSCRIPT, f"{lines}")
        await person.does("Mark an IM session done")
        expect(rows(await person.does("Your IM sessions")) == [], "what is done is listed")


async def histories(romeo, juliet):
    """XEP-0313: what was said, in the history of both, and what the service has told."""
    said = [(sender, text) for sender, kind, text in TRANSCRIPT if kind == "message"]
    for person, other in ((romeo, juliet), (juliet, romeo)):
        lines = await person.history(other.boundjid.bare)
        expect(lines == [*said, ("romeo", OBJECT)], f"{person.boundjid.bare} reads {lines}")
    told = [text for _, text in await romeo.history(romeo.service)]
    for text in ("juliet has accepted the invitation.", "juliet has opened Printer is on fire."):
        expect(text in told, f"the service has told {told}")


async def main():
    romeo, juliet = PlainAgent("XMPP_ROMEO"), PlainAgent("XMPP_JULIET")
    for person in (romeo, juliet):
        await person.arrives()
        await person.does("Log in as an agent")
    await become_contacts(romeo, juliet)
    await states(romeo, juliet)
    await talk(romeo, juliet)
    await context(romeo, juliet)
    await end(romeo, juliet)
    await histories(romeo, juliet)
    await romeo.does("Log out as an agent", {"Why": "Shift is over"})
    await romeo.refused("Be available", "You are not logged in as an agent.")
    for person in (romeo, juliet):
        await person.leaves()
    print("all was seen", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
