"""An agent sends e-mail to a colleague through a relay, which is one that others wrote (aiosmtpd): one that it takes,
one that it takes the second time only, and one that it refuses, of which the agent is told.

Told by the environment as slixmpp_person.py says, by SMTP_PORT where the relay shall listen, and by SMTP_TLS whether it
speaks TLS (starttls, implicit, none) with the certificate in SMTP_CERTIFICATE and SMTP_KEY. Exits with 0 when all went
as it should.
"""

import asyncio
import email
import email.policy
import os
import pathlib
import ssl
import sys

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult, LoginPassword
from slixmpp_person import PATIENCE_S, Person, expect

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples"))

import parlour_slixmpp  # noqa: E402


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


class Agent(Person):
    def __init__(self, jid):
        super().__init__(jid, (), (("parlour_email_failed", "failed"),))
        parlour_slixmpp.register(self)

    async def begin(self, address):
        self.dial()
        await self.sees("session")
        self.send_presence()
        name = self.boundjid.user.title()
        await self.publishes(f"<FN>{name}</FN><EMAIL><USERID>{address}</USERID></EMAIL>")
        await self.plugin["parlour_agent"].login()

    async def sends(self, subject, text):
        sent = await self.plugin["parlour_reach"].send_email("juliet", subject, text)
        expect(sent.id and sent.uri is None, f"{sent}")
        return sent


async def main():
    relay = Relay()
    tls = os.environ["SMTP_TLS"]
    context = None
    if tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(os.environ["SMTP_CERTIFICATE"], os.environ["SMTP_KEY"])
    controller = UnthreadedController(
        relay,
        hostname="127.0.0.1",
        port=int(os.environ["SMTP_PORT"]),
        authenticator=authenticated,
        auth_required=True,
        auth_require_tls=tls == "starttls",
        tls_context=context if tls == "starttls" else None,
        require_starttls=tls == "starttls",
        ssl_context=context if tls == "implicit" else None,
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

    sent = await romeo.sends("Refused", "x")
    told = await romeo.sees("message")
    expect("“Refused” to juliet@mail.example was not sent" in told["body"], told["body"])
    expect("with code 550" in told["body"], told["body"])
    failed = await romeo.sees("failed")
    expect((failed.id, failed.colleague) == (sent.id, juliet.boundjid.bare), f"{failed}")
    expect(failed.subject == "Refused" and "550" in failed.why, f"{failed}")
    expect(relay.taken.empty(), "more was sent")

    for agent in (romeo, juliet):
        await agent.leaves()
    server.close()
    print("all was done", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
