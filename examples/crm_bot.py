"""A CRM that is a component, to copy from: it is told of every activity, and keeps up to where it was told.

It subscribes to the activities of a host (schemas/activity.md) behind the last change that it has kept, prints each, writes down its
cursor, and acknowledges. So it misses nothing, whichever of both is started anew; what it was told twice it prints once. When it was away for so
long that its cursor is gone, it says so and goes on with the oldest change that there is.

The server knows it by its configuration:

    [listen]
    component = ["127.0.0.1:5347"]

    [[component]]
    domain = "crm.example.org"
    secret = "..."
    role = "crm"

It needs slixmpp (pip install slixmpp) and is told the rest by its environment:

    BOT_DOMAIN=crm.example.org BOT_SECRET=... BOT_HOST=example.org BOT_FILE=cursor python3 crm_bot.py

BOT_HOST is the host whose agents are meant, BOT_FILE where the cursor is kept. BOT_SERVER (host:port) is where the server takes
components, 127.0.0.1:5347 when it is not set.
"""

import asyncio
import logging
import os
import pathlib
import signal
import sys

from slixmpp.componentxmpp import ComponentXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath

from parlour_slixmpp.activity import NS, Activity

# XEP-0059.
RSM = "http://jabber.org/protocol/rsm"

# What came behind the cursor is deleted, or the server was restored from before it.
GONE = {"{urn:parlour:errors:0}cursor-gone", "{urn:parlour:errors:0}cursor-unknown"}

# After the connection is lost, or the subscription was refused.
AGAIN_S = 5


def described(activity):
    """A line for whoever reads the list of activities."""
    how = "finished" if activity.finished else "closed" if activity.closed else "open"
    words = [
        f"{activity.agent.partition('@')[0]} ({activity.role})",
        f"{activity.category} with {activity.name}",
        f"{how}, {activity.duration} s",
    ]
    if activity.wrap_up:
        words.append(activity.wrap_up)
    words += [f'"{note.text}"' for note in activity.notes]
    return ", ".join(words)


class Cursor:
    """The place of the last change that was kept, in a file."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        try:
            self.place = int(self.path.read_text(encoding="ascii"))
        except FileNotFoundError:
            self.place = None

    def keep(self, place):
        """Written beside and moved there: a crash leaves the old one or the new one."""
        beside = self.path.with_name(self.path.name + ".new")
        with open(beside, "w", encoding="ascii") as file:
            file.write(str(place))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        self.place = place


class CrmBot(ComponentXMPP):
    def __init__(self, domain, secret, server, host, path):
        super().__init__(domain, secret, *server)
        self.center = f"center.{host}"
        self.cursor = Cursor(path)
        # The version of each activity that was shown last. A CRM has them in its records.
        self.versions = {}
        for plugin in ("xep_0030", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        self.plugin["xep_0030"].add_identity(category="client", itype="bot", name="CRM")
        self.add_event_handler("session_start", self.subscribe)
        self.add_event_handler("disconnected", self.lost)
        path = "{%s}message/{%s}change" % (self.default_ns, NS)
        # One after the other, in the order in which they come.
        self.changes = asyncio.Queue()
        self.register_handler(CoroutineCallback("change", MatchXPath(path), self.came))

    async def subscribe(self, _):
        try:
            answer = await self.subscribed()
        except (IqError, IqTimeout) as error:
            logging.error("not subscribed: %s", error)
            self.loop.call_later(AGAIN_S, self.disconnect)
            return
        if self.cursor.place is None:
            self.cursor.keep(int(answer.get("after")))
        print(f"subscribed after {self.cursor.place}", flush=True)

    async def subscribed(self):
        """Subscribes behind the cursor; where that is gone, for the bot was away too long, with the oldest change that there is."""
        try:
            return await self.ask(self.subscription())
        except IqError as error:
            found = {it.tag for it in error.iq.xml.iter()}
            if not found & GONE:
                raise
        page = ET.Element("{%s}set" % RSM)
        ET.SubElement(page, "{%s}max" % RSM).text = "1"
        asked = ET.Element("{%s}changes" % NS)
        asked.append(page)
        changes = await self.ask(asked, self.make_iq_get)
        oldest = changes.findtext("{%s}set/{%s}first" % (RSM, RSM))
        # A real CRM asks for the activities that it may have missed.
        print(f"a gap behind {self.cursor.place}", flush=True)
        self.cursor.place = None if oldest is None else int(oldest) - 1
        return await self.ask(self.subscription())

    def subscription(self):
        request = ET.Element("{%s}subscribe" % NS)
        if self.cursor.place is not None:
            request.set("after", str(self.cursor.place))
        return request

    async def came(self, message):
        # Only the service itself tells of changes.
        if message["from"] == self.center and message["type"] != "error":
            self.changes.put_nowait(message.xml.find("{%s}change" % NS))

    async def work(self):
        """Keeps each change and then says so, for ever."""
        while True:
            change = await self.changes.get()
            place = int(change.get("cursor"))
            if self.cursor.place is not None and place <= self.cursor.place:
                # It comes once more, for the server has not heard that it is kept.
                await self.acknowledge(self.cursor.place)
                continue
            activity = Activity.of(change.find("{%s}activity" % NS))
            if self.versions.get(activity.id, 0) < activity.version:
                self.versions[activity.id] = activity.version
                print(described(activity), flush=True)
            self.cursor.keep(place)
            await self.acknowledge(place)

    async def acknowledge(self, place):
        request = ET.Element("{%s}acknowledge" % NS, {"cursor": str(place)})
        try:
            await self.ask(request)
        except (IqError, IqTimeout) as error:
            # It is sent again, and acknowledged then.
            logging.warning("not acknowledged: %s", error)

    async def ask(self, payload, make=None):
        make = make or self.make_iq_set
        iq = make(ito=self.center, ifrom=self.boundjid.bare)
        iq.xml.append(payload)
        answer = await iq.send(timeout=20)
        return next(iter(answer.xml), None)

    def lost(self, _):
        print("disconnected", flush=True)
        self.loop.call_later(AGAIN_S, self.connect)


def main():
    environment = os.environ
    try:
        domain, secret = environment["BOT_DOMAIN"], environment["BOT_SECRET"]
        host, path = environment["BOT_HOST"], environment["BOT_FILE"]
    except KeyError as missing:
        sys.exit(f"{missing} is not set; see the beginning of this file")
    name, port = environment.get("BOT_SERVER", "127.0.0.1:5347").rsplit(":", 1)
    logging.basicConfig(level=logging.WARNING)
    bot = CrmBot(domain, secret, (name, int(port)), host, path)
    bot.loop.add_signal_handler(signal.SIGTERM, bot.loop.stop)
    working = bot.loop.create_task(bot.work())
    # A cursor that cannot be kept is no CRM.
    working.add_done_callback(lambda _: bot.loop.stop())
    bot.connect()
    bot.loop.run_forever()
    if working.done() and not working.cancelled():
        sys.exit(str(working.exception()))


if __name__ == "__main__":
    main()
