"""Somebody who uses slixmpp, as the scripts beside this file play him.

Told by the environment: XMPP_HOST, XMPP_PORT, XMPP_TRANSPORT (starttls or direct-tls), XMPP_CA (a
PEM file), XMPP_PASSWORD.
"""

import asyncio
import os
import sys
import xml.etree.ElementTree as ET

import slixmpp

PATIENCE_S = 20


class Person(slixmpp.ClientXMPP):
    """A client that keeps what it sees until somebody asks for it.

    `events` are pairs of an event of slixmpp's and what it is called here.
    """

    def __init__(self, jid, plugins, events):
        super().__init__(jid, os.environ["XMPP_PASSWORD"])
        self.ca_certs = os.environ["XMPP_CA"]
        self.enable_direct_tls = os.environ["XMPP_TRANSPORT"] == "direct-tls"
        self.enable_starttls = not self.enable_direct_tls
        self.enable_plaintext = False
        for plugin in plugins:
            self.register_plugin(plugin)
        self.seen = asyncio.Queue()
        self.kept = []
        common = (
            ("session_start", "session"),
            ("failed_all_auth", "refused"),
            ("message", "message"),
            ("disconnected", "gone"),
        )
        for event, what in common + events:
            self.add_event_handler(event, lambda stanza, what=what: self.note(what, stanza))

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
                sys.exit(f"{self.boundjid} never saw: {what}; kept: {self.kept}")
            if kind == "refused":
                sys.exit(f"{self.boundjid} was refused")
            if kind == what and test(stanza):
                return self.tell(what, stanza)
            self.kept.append((kind, stanza))

    def tell(self, what, stanza):
        print(f"{self.boundjid}: {what} {stanza if stanza is not None else ''}", flush=True)
        return stanza

    def dial(self):
        self.connect(os.environ["XMPP_HOST"], int(os.environ["XMPP_PORT"]))

    async def publishes(self, card):
        """Stores a vCard of these elements (XEP-0054)."""
        iq = self.make_iq_set()
        iq.append(ET.fromstring(f"<vCard xmlns='vcard-temp'>{card}</vCard>"))
        await iq.send(timeout=PATIENCE_S)

    async def leaves(self):
        self.disconnect()
        await self.sees("gone")


def expect(truth, otherwise):
    if not truth:
        sys.exit(otherwise)


def says(text):
    return lambda stanza: stanza["body"] == text
