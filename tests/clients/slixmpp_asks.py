"""Somebody with slixmpp talks to a bot or gateway: "echo", "on_call" or "biboumi", which the first argument
names and XMPP_BOT has the address of. The rest is told as slixmpp_talk.py describes.
"""

import asyncio
import os
import sys

from slixmpp.exceptions import IqError

from slixmpp_person import PATIENCE_S, expect
from slixmpp_talk import Talker, comes_from

BURSTS = 200
COMMANDS = "http://jabber.org/protocol/commands"


def answers(body, sender):
    return lambda stanza: stanza["body"] == body and stanza["from"].bare == sender


async def echo(romeo, bot):
    # Requests to be seen are granted, and then it is seen.
    romeo.send_presence_subscription(pto=bot)
    online = await romeo.sees("online", comes_from(bot))
    # It answers while more comes.
    for burst in range(BURSTS):
        told = [f"art thou there {burst} {number}?" for number in range(3)]
        for body in told:
            romeo.send_message(mto=bot, mbody=body, mtype="chat")
        for body in told:
            await romeo.sees("message", answers(body, bot))
    # What it does not know it refuses, so that whoever asks does not wait for ever.
    try:
        version = await romeo.plugin["xep_0092"].get_version(online["from"], timeout=PATIENCE_S)
        expect(False, f"it is {version}")
    except IqError as error:
        expect(error.condition == "service-unavailable", f"it says {error}")


async def on_call(romeo, bot):
    items = await romeo.plugin["xep_0030"].get_items(jid="localhost", timeout=PATIENCE_S)
    listed = {str(jid): name for jid, _, name in items["disco_items"]["items"]}
    expect(listed.get(bot) == "Who is on call", f"the services are {listed}")
    info = await romeo.plugin["xep_0030"].get_info(jid=bot, timeout=PATIENCE_S)
    kinds = [identity[:2] for identity in info["disco_info"]["identities"]]
    expect(("client", "bot") in kinds, f"it says that it is {kinds}")

    sales = f"sales@{bot}"
    romeo.send_presence_subscription(pto=sales)
    await romeo.sees("online", comes_from(sales))
    romeo.send_message(mto=sales, mbody="who is on call?", mtype="chat")
    await romeo.sees("message", answers("On call for sales: Ada", sales))
    # The file is read at each question.
    with open(os.environ["BOT_FILE"], "w", encoding="utf-8") as file:
        file.write("# the plan\nsales: Grace\n")
    romeo.send_message(mto=sales, mbody="and now?", mtype="chat")
    await romeo.sees("message", answers("On call for sales: Grace", sales))
    romeo.send_message(mto=bot, mbody="help", mtype="chat")
    await romeo.sees("message", answers("I know these teams: sales. Write to one of them.", bot))


async def biboumi(romeo, bot):
    info = await romeo.plugin["xep_0030"].get_info(jid=bot, timeout=PATIENCE_S)
    kinds = [identity[:2] for identity in info["disco_info"]["identities"]]
    expect(("conference", "irc") in kinds, f"it says that it is {kinds}")
    version = await romeo.plugin["xep_0092"].get_version(bot, timeout=PATIENCE_S)
    expect(version["software_version"]["name"] == "biboumi", f"it is {version}")
    commands = await romeo.plugin["xep_0030"].get_items(jid=bot, node=COMMANDS, timeout=PATIENCE_S)
    nodes = [node for _, node, _ in commands["disco_items"]["items"]]
    expect("ping" in nodes, f"its commands are {nodes}")
    await romeo.plugin["xep_0199"].send_ping(jid=bot, timeout=PATIENCE_S)


async def main(conversation):
    romeo = Talker(os.environ["XMPP_ROMEO"])
    await romeo.arrives()
    await conversation(romeo, os.environ["XMPP_BOT"])
    await romeo.leaves()
    print("all was seen", flush=True)


if __name__ == "__main__":
    conversations = {"echo": echo, "on_call": on_call, "biboumi": biboumi}
    asyncio.run(asyncio.wait_for(main(conversations[sys.argv[1]]), 100))
