"""An agent with an ordinary client has a call while the server is started anew. "before", as the first argument, takes the call, and "after"
goes on with it: the connector has kept it, and both sides agree on it.

Told by the environment as slixmpp_person.py says, with XMPP_ROMEO, an agent, and XMPP_PHONES, the connector's domain. Exits with 0 when all
was seen.
"""

import asyncio
import os
import sys

from slixmpp.exceptions import IqError
from slixmpp_person import expect
from slixmpp_plain_agent import PlainAgent, rows

NUMBER = "+39066981234"
PHONES = os.environ["XMPP_PHONES"]


async def writes(romeo, text, answer):
    """Tells the telephones until they answer so: they may have to connect first, and what they are asked for takes a moment."""
    while True:
        romeo.send_message(mto=PHONES, mbody=text, mtype="chat")
        told = await romeo.sees("message", lambda it: it["from"].bare == PHONES)
        if answer in told["body"]:
            return told["body"]


async def before(romeo):
    await writes(romeo, f"call romeo from {NUMBER}", "rings at romeo")
    await romeo.does("Accept an interaction")
    await writes(romeo, "list", "talks, with romeo")


async def after(romeo):
    await writes(romeo, "list", "talks, with romeo")
    [call] = rows(await romeo.does("Your interactions"))
    expect((call["Customer"], call["Line"], call["Your part"]) == (NUMBER, "connected", "connected"), call)
    while True:
        try:
            await romeo.does("Hold")
            break
        except IqError as error:
            # Until the connector has said what is so.
            expect(error.text == "The connection to the telephony or chat system is interrupted.", error.text)
            await romeo.sees("message", lambda it: "chat system is back (" in it["body"])
    await writes(romeo, "list", "on hold, with romeo")
    await romeo.does("End an interaction")
    await writes(romeo, "list", "Nobody calls or writes.")
    await romeo.does("Finish the wrap-up of an interaction")


async def main():
    romeo = PlainAgent("XMPP_ROMEO")
    await romeo.arrives()
    await romeo.does("Log in as an agent")
    await {"before": before, "after": after}[sys.argv[1]](romeo)
    await romeo.leaves()
    print("all was seen", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
