"""Two people walk through `parlour demo` with ordinary clients, as it tells them to.

Told by the environment as slixmpp_person.py says, with XMPP_ROMEO and XMPP_JULIET, and XMPP_WALK: what the demonstration has printed.
Exits with 0 when all was seen.
"""

import asyncio
import os

from slixmpp_forms import notes
from slixmpp_person import expect, says
from slixmpp_plain_agent import PlainAgent

PHONES = "phones.localhost"
NUMBER = "+39066981234"
SHARED = "+390458001000"


class Walker(PlainAgent):
    async def does(self, title, answers=None):
        expect(title in os.environ["XMPP_WALK"], f"nobody is told to do: {title}")
        return await super().does(title, answers)

    async def writes(self, text, answer):
        """Tells the telephones; gives what they say, which has to have these words."""
        self.send_message(mto=PHONES, mbody=text, mtype="chat")
        told = await self.sees("message", lambda it: it["from"] == PHONES)
        expect(answer in told["body"], f"{text}: {told['body']}")
        return told["body"]

    async def writes_until(self, text, answer):
        """The same until they say it: what a command asks them for takes a moment."""
        told = ""
        while answer not in told:
            told = await self.writes(text, "")

    async def is_told(self, beginning):
        return await self.sees("message", lambda it: it["from"] == self.service and it["body"].startswith(beginning))


async def walk(romeo, juliet):
    expect("call romeo from +39 06 698 1234" in os.environ["XMPP_WALK"], "another call is meant")
    told = await romeo.writes("call romeo from +39 06 698 1234", "rings at romeo")
    call = told.split(" ", 1)[0]
    await romeo.is_told(f"New call from {NUMBER}.")
    await romeo.does("Accept an interaction")
    await romeo.writes_until("list", f"{call}: voice +39 06 698 1234, talks, with romeo")
    await romeo.does("Hold")
    await romeo.writes_until("list", "on hold")
    await romeo.does("Resume")
    await romeo.writes_until("list", "talks")
    question = {"Colleague": "juliet", "Message": "Do you know her?", "Interaction that it is about": call}
    await romeo.does("Send an instant message to a colleague", question)
    asked = await juliet.sees("message", says("Do you know her?"))
    asked.reply("I do.").send()
    await romeo.sees("message", says("I do."))
    # Whom he consults by messages stands in the form already.
    await romeo.does("Consult a colleague by voice")
    await juliet.is_told(f"romeo asks for your advice on the call with {NUMBER}.")
    await juliet.does("Accept an interaction")
    await romeo.is_told("juliet has accepted.")
    await romeo.does("Complete the transfer")
    await juliet.is_told("You deal with the customer now.")
    await juliet.does("Write a note into an activity", {"Note": "Mary wants two roses."})
    await juliet.does("End an interaction")
    await juliet.is_told(f"The call with {NUMBER} has ended.")
    for person in (romeo, juliet):
        await person.does("Say what came of an interaction", {"What came of it": "Resolved"})
        done = await person.does("Finish the wrap-up of an interaction")
        expect("Written up." in notes(done), notes(done))


async def is_one_of_two(romeo):
    """Two customers have the number; a client without the protocol is told by a form who they are."""
    told = await romeo.writes(f"call romeo from {SHARED}", "rings at romeo")
    await romeo.is_told(f"New call from {SHARED}.")
    await romeo.does("Accept an interaction")
    call = told.split(" ", 1)[0]
    await romeo.writes_until("list", f"{call}: voice {SHARED}, talks, with romeo")
    await romeo.does("Say who the customer is", {"Customer": "Balthasar Montague, Montague & Sons"})
    await romeo.writes(f"hang up {call}", "is over")
    await romeo.is_told(f"The call with {SHARED} has ended.")
    await romeo.does("Say what came of an interaction", {"What came of it": "Sold"})
    await romeo.does("Finish the wrap-up of an interaction")


async def chat(romeo, juliet):
    """Juliet plays the customer of a chat that Romeo accepts."""
    told = await juliet.writes("chat romeo from mary@example.com", "rings at romeo")
    await romeo.is_told("New chat from mary@example.com.")
    await romeo.does("Accept an interaction")
    call = told.split(" ", 1)[0]
    welcome = await romeo.sees("message", says("What you write here goes to mary@example.com."))
    expect(welcome["from"] == f"{call}@{PHONES}", welcome)
    welcome.reply("How can I help?").send()
    await juliet.sees("message", says(f"{call}, romeo: How can I help?"))
    juliet.send_message(mto=PHONES, mbody=f"say {call} Two roses, please.", mtype="chat")
    said = await romeo.sees("message", says("Two roses, please."))
    expect(said["from"] == welcome["from"], said)
    await juliet.writes(f"hang up {call}", "is over")
    await romeo.is_told("The chat with mary@example.com has ended.")
    await romeo.does("Say what came of an interaction", {"What came of it": "Sold"})
    await romeo.does("Finish the wrap-up of an interaction")


async def refusals(romeo):
    """What cannot be is said in words."""
    await romeo.writes("call nobody from +39 06 698 1234", "Not done: There is no such account.")
    await romeo.writes("call mercutio from +39 06 698 1234", "Not done: This agent is not logged in.")
    await romeo.writes("call romeo from 12", "Not done: ")
    await romeo.writes("hang up call-1", "There is no such call.")
    await romeo.writes("sing", "I do not understand.")
    told = await romeo.writes("chat romeo from mary@example.com", "rings at romeo")
    await romeo.is_told("New chat from mary@example.com.")
    call = told.split(" ", 1)[0]
    await romeo.writes(f"hang up {call}", "is over")
    await romeo.is_told("The chat with mary@example.com is no longer offered to you.")
    await romeo.writes("list", "Nobody calls or writes.")


async def main():
    romeo, juliet = Walker("XMPP_ROMEO"), Walker("XMPP_JULIET")
    for person in (romeo, juliet):
        await person.arrives()
        await person.does("Log in as an agent")
    await walk(romeo, juliet)
    await is_one_of_two(romeo)
    await chat(romeo, juliet)
    await refusals(romeo)
    for person in (romeo, juliet):
        await person.leaves()
    print("all was seen", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
