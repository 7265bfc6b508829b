"""Two people do with slixmpp what instant messaging is made of: an archive that is read back,
copies of what other devices send, a room, events of an avatar and a nickname, a file, and a
connection that breaks and goes on.

Told by the environment as slixmpp_person.py says, and XMPP_ROMEO, XMPP_JULIET (bare JIDs) and XMPP_ROOMS,
the domain of rooms. Exits with 0 when all was seen.
"""

import asyncio
import io
import os

import aiohttp
from slixmpp.jid import JID
from slixmpp_person import PATIENCE_S, Person, expect, says

PLUGINS = (
    "xep_0030", "xep_0045", "xep_0054", "xep_0060", "xep_0084", "xep_0115", "xep_0163", "xep_0172",
    "xep_0198", "xep_0199", "xep_0203", "xep_0280", "xep_0297", "xep_0313", "xep_0359", "xep_0363",
)
EVENTS = (
    ("session_resumed", "resumed"),
    ("sm_enabled", "managed"),
    ("groupchat_message", "in the room"),
    ("carbon_sent", "copy of what was sent"),
    ("carbon_received", "copy of what came"),
    ("avatar_metadata_publish", "avatar"),
    ("user_nick_publish", "nickname"),
)


class Messenger(Person):
    """Somebody with all that instant messaging is made of."""

    def __init__(self, jid):
        super().__init__(jid, PLUGINS, EVENTS)

    async def arrives(self):
        self.dial()
        await self.sees("session")
        await self.sees("managed")
        await self.get_roster(timeout=PATIENCE_S)
        # Before presence, so that the first announcement of what it can do has it.
        for node in ("urn:xmpp:avatar:metadata", "http://jabber.org/protocol/nick"):
            self.plugin["xep_0163"].add_interest(node)
        await self.plugin["xep_0115"].update_caps()
        self.send_presence()
        await self.plugin["xep_0280"].enable(timeout=PATIENCE_S)

    async def settles(self):
        await self.plugin["xep_0199"].send_ping(jid=self.boundjid.domain, timeout=PATIENCE_S)


async def archive(romeo, juliet_jid):
    """XEP-0313: all of it page by page, then forwards from an id, then the last page."""
    mam = romeo.plugin["xep_0313"]
    bodies, ids = [], []
    async for result in mam.iterate(with_jid=JID(juliet_jid), rsm={"max": "3"}):
        bodies.append(result["mam_result"]["forwarded"]["stanza"]["body"])
        ids.append(result["mam_result"]["id"])
    said = [f"line {number}" for number in range(8)] + ["for one device"]
    expect(bodies == said, f"the archive tells {bodies}")
    expect(len(set(ids)) == 9, f"ids repeat: {ids}")
    behind = []
    async for result in mam.iterate(with_jid=JID(juliet_jid), rsm={"max": "2", "after": ids[4]}):
        behind.append(result["mam_result"]["id"])
    expect(behind == ids[5:], f"behind {ids[4]} the archive tells {behind}")
    last = []
    async for result in mam.iterate(with_jid=JID(juliet_jid), rsm={"max": "2"}, reverse=True, total=2):
        last.append(result["mam_result"]["id"])
    expect(sorted(last, key=ids.index) == ids[7:], f"the last page is {last}")
    print(f"{romeo.boundjid}: the archive was read", flush=True)


async def copies(romeo, second, juliet, juliet_jid):
    """XEP-0280: what one device sends and gets, the other sees."""
    for number in range(8):
        romeo.send_message(mto=juliet_jid, mbody=f"line {number}", mtype="chat")
    for number in range(8):
        await juliet.sees("message", says(f"line {number}"))
        copy = await second.sees("copy of what was sent")
        body = copy["carbon_sent"]["body"]
        expect(body == f"line {number}", f"the copy says {body}")
    juliet.send_message(mto=romeo.boundjid, mbody="for one device", mtype="chat")
    await romeo.sees("message", says("for one device"))
    copy = await second.sees("copy of what came")
    expect(copy["carbon_received"]["body"] == "for one device", f"the copy is {copy}")


async def room(romeo, juliet):
    """XEP-0045: enter, talk, see what was said before, leave."""
    address = JID(f"balcony@{os.environ['XMPP_ROOMS']}")
    muc = romeo.plugin["xep_0045"]
    await muc.join_muc_wait(address, "Romeo", timeout=PATIENCE_S)
    form = await muc.get_room_config(address)
    form["type"] = "submit"
    await muc.set_room_config(address, form)
    romeo.send_message(mto=address, mbody="He jests at scars", mtype="groupchat")
    await romeo.sees("in the room", says("He jests at scars"))
    joined = await juliet.plugin["xep_0045"].join_muc_wait(address, "Juliet", maxstanzas=10, timeout=PATIENCE_S)
    history = [message["body"] for message in joined[3]]
    expect(history == ["He jests at scars"], f"the room tells {history}")
    juliet.send_message(mto=address, mbody="Ay me!", mtype="groupchat")
    heard = await romeo.sees("in the room", says("Ay me!"))
    expect(heard["from"].resource == "Juliet", f"said by {heard['from']}")
    occupants = sorted(muc.get_roster(address))
    expect(occupants == ["Juliet", "Romeo"], f"in the room are {occupants}")


async def events(romeo, juliet, juliet_jid):
    """XEP-0163: what one publishes, those see who see the presence and want to know."""
    png = b"\x89PNG\r\n\x1a\n" + bytes(64)
    avatars = juliet.plugin["xep_0084"]
    identity = avatars.generate_id(png)
    await avatars.publish_avatar(png, timeout=PATIENCE_S)
    await avatars.publish_avatar_metadata(
        [{"id": identity, "type": "image/png", "bytes": len(png)}], timeout=PATIENCE_S
    )
    await romeo.sees("avatar", lambda event: event["from"].bare == juliet_jid)
    data = await romeo.plugin["xep_0084"].retrieve_avatar(juliet_jid, identity, timeout=PATIENCE_S)
    got = data["pubsub"]["items"]["item"]["avatar_data"]["value"]
    expect(got == png, f"the avatar is {got}")
    await juliet.plugin["xep_0172"].publish_nick("Jule", timeout=PATIENCE_S)
    await romeo.sees("nickname", lambda event: event["from"].bare == juliet_jid)


async def file(romeo, juliet, juliet_jid):
    """XEP-0363: a place for a file, the file, its link."""
    link = await romeo.plugin["xep_0363"].upload_file(
        "rose.txt", content_type="text/plain", input_file=io.BytesIO(b"a rose\n"), size=7, timeout=PATIENCE_S
    )
    romeo.send_message(mto=juliet_jid, mbody=link, mtype="chat")
    await juliet.sees("message", says(link))
    async with aiohttp.ClientSession() as web:
        async with web.get(link) as answer:
            body = await answer.read()
            expect(answer.status == 200 and body == b"a rose\n", f"{answer.status}: {body}")


async def broken(romeo, juliet):
    """XEP-0198: the connection breaks; what is sent meanwhile comes when the session goes on."""
    address = romeo.boundjid.full
    romeo.transport.abort()
    await romeo.sees("gone")
    juliet.send_message(mto=address, mbody="while the line was cut", mtype="chat")
    await juliet.settles()
    romeo.dial()
    await romeo.sees("resumed")
    expect(romeo.boundjid.full == address, f"it is {romeo.boundjid} now")
    await romeo.sees("message", says("while the line was cut"))


async def main():
    romeo_jid, juliet_jid = os.environ["XMPP_ROMEO"], os.environ["XMPP_JULIET"]
    romeo, second, juliet = (
        Messenger(jid) for jid in (f"{romeo_jid}/desk", f"{romeo_jid}/pocket", juliet_jid)
    )
    for person in (romeo, second, juliet):
        await person.arrives()
    romeo.send_presence_subscription(pto=juliet_jid)
    await juliet.settles()
    await copies(romeo, second, juliet, juliet_jid)
    await archive(romeo, juliet_jid)
    await room(romeo, juliet)
    await events(romeo, juliet, juliet_jid)
    await file(romeo, juliet, juliet_jid)
    await broken(romeo, juliet)
    for person in (romeo, second, juliet):
        await person.leaves()
    print("all was seen", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
