"""An agent sends e-mail to a colleague through a relay, which is one that others wrote (aiosmtpd): one that it takes,
one that it takes the second time only, and one that it refuses, of which the agent is told.

Told by the environment as slixmpp_talk.py is, and by SMTP_PORT where the relay shall listen. Exits with 0 when all went
as it should.
"""

import asyncio
import email
import email.policy
import os
import sys
import xml.etree.ElementTree as ET

import slixmpp
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult, LoginPassword

PATIENCE_S = 30
CENTER = "center.localhost"
AGENT = "urn:parlour:agent:0"
REACH = "urn:parlour:reach:0"


def expect(truth, otherwise):
    if not truth:
        sys.exit(otherwise)


class Relay:
    """Keeps what it takes."""

    def __init__(self):
        self.taken = asyncio.Queue()
        self.later = 0

    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if letter["Subject"] == "Refused":
            return "550 not here"
        if letter["Subject"] == "Later" and self.later == 0:
            self.later += 1
            return "451 try again"
        self.taken.put_nowait((envelope, letter))
        return "250 taken"


def authenticated(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"parlour", b"secret")
    return AuthResult(success=good)


class Agent(slixmpp.ClientXMPP):
    def __init__(self, jid):
        super().__init__(jid, os.environ["XMPP_PASSWORD"])
        self.ca_certs = os.environ["XMPP_CA"]
        self.enable_direct_tls = os.environ["XMPP_TRANSPORT"] == "direct-tls"
        self.enable_starttls = not self.enable_direct_tls
        self.enable_plaintext = False
        self.ready = asyncio.Event()
        self.heard = asyncio.Queue()
        self.add_event_handler("session_start", lambda _: self.ready.set())
        self.add_event_handler("message", self.heard.put_nowait)

    async def begin(self, address):
        self.connect(os.environ["XMPP_HOST"], int(os.environ["XMPP_PORT"]))
        await asyncio.wait_for(self.ready.wait(), PATIENCE_S)
        self.send_presence()
        card = (
            f"<vCard xmlns='vcard-temp'><FN>{self.boundjid.user.title()}</FN>"
            f"<EMAIL><USERID>{address}</USERID></EMAIL></vCard>"
        )
        await self.does(card, to=self.boundjid.bare)
        await self.does(f"<login xmlns='{AGENT}'/>")

    async def does(self, payload, to=CENTER):
        iq = self.make_iq_set(ito=to)
        iq.append(ET.fromstring(payload))
        answer = await iq.send(timeout=PATIENCE_S)
        return answer.xml

    async def sends(self, subject, text):
        answer = await self.does(
            f"<send-email xmlns='{REACH}' colleague='juliet'>"
            f"<subject>{subject}</subject><text>{text}</text></send-email>"
        )
        queued = answer.find(f"{{{REACH}}}send-email")
        expect(queued is not None and queued.get("id"), ET.tostring(answer))


async def main():
    relay = Relay()
    controller = UnthreadedController(
        relay,
        hostname="127.0.0.1",
        port=int(os.environ["SMTP_PORT"]),
        authenticator=authenticated,
        auth_required=True,
        auth_require_tls=False,
        loop=asyncio.get_running_loop(),
    )
    server = await controller._create_server()
    romeo, juliet = Agent(os.environ["XMPP_ROMEO"]), Agent(os.environ["XMPP_JULIET"])
    await juliet.begin("juliet@mail.example")
    await romeo.begin("romeo@mail.example")

    await romeo.sends("Mittag – ja?", "Um zwölf?\n.\nRomeo")
    envelope, letter = await asyncio.wait_for(relay.taken.get(), PATIENCE_S)
    expect(envelope.mail_from == "center@parlour.example", envelope.mail_from)
    expect(envelope.rcpt_tos == ["juliet@mail.example"], envelope.rcpt_tos)
    expect(letter["Subject"] == "Mittag – ja?", letter["Subject"])
    expect(letter["From"] == "Romeo <center@parlour.example>", letter["From"])
    expect(letter["Reply-To"] == "Romeo <romeo@mail.example>", letter["Reply-To"])
    expect(letter.get_content().split() == ["Um", "zwölf?", ".", "Romeo"], letter.get_content())

    await romeo.sends("Later", "x")
    _, letter = await asyncio.wait_for(relay.taken.get(), PATIENCE_S)
    expect(letter["Subject"] == "Later" and relay.later == 1, letter["Subject"])

    await romeo.sends("Refused", "x")
    told = await asyncio.wait_for(romeo.heard.get(), PATIENCE_S)
    expect("“Refused” to juliet@mail.example was not sent" in told["body"], told["body"])
    expect("with code 550" in told["body"], told["body"])
    expect(told.xml.find(f"{{{REACH}}}email-failed") is not None, ET.tostring(told.xml))
    expect(relay.taken.empty(), "more was sent")

    for agent in (romeo, juliet):
        agent.disconnect()
    server.close()
    print("all was done", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
