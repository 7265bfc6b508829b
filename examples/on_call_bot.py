"""A bot that is a component, to copy from: it tells who is on call.

It serves a domain of its own, here oncall.example.org, and every address at it: "who is on call?" sent to
sales@oncall.example.org is answered from the line "sales: ..." of a file, which is read at each question:

    # team: who has the telephone
    sales: Ada, +44 20 7946 0000
    night: Grace

The server knows it by its configuration:

    [listen]
    component = ["127.0.0.1:5347"]

    [[component]]
    domain = "oncall.example.org"
    secret = "..."
    name = "Who is on call"

It needs slixmpp (pip install slixmpp) and is told the rest by its environment:

    BOT_DOMAIN=oncall.example.org BOT_SECRET=... BOT_FILE=teams.txt python3 on_call_bot.py

BOT_SERVER (host:port) is where the server takes components, 127.0.0.1:5347 when it is not set.
"""

import logging
import os
import signal
import sys

from slixmpp.componentxmpp import ComponentXMPP

# After the connection is lost: the server keeps what is for a component for a minute (reconnect_seconds).
RECONNECT_S = 5


def teams(path):
    """Who is on call, by team."""
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    pairs = [line.split(":", 1) for line in lines if ":" in line and not line.startswith("#")]
    return {team.strip().lower(): who.strip() for team, who in pairs}


def answer(team, known):
    """What is said to whoever asks the address of that team, or the domain itself."""
    if team in known:
        return f"On call for {team}: {known[team]}"
    listed = ", ".join(sorted(known)) or "none"
    return f"I know these teams: {listed}. Write to one of them."


class OnCallBot(ComponentXMPP):
    def __init__(self, domain, secret, host, port, path):
        super().__init__(domain, secret, host, port)
        self.path = path
        for plugin in ("xep_0030", "xep_0092", "xep_0199"):
            self.register_plugin(plugin)
        # What people see when they look for services (XEP-0030).
        self.plugin["xep_0030"].add_identity(category="client", itype="bot", name="Who is on call")
        self.plugin["xep_0092"].software_name = "On-call bot"
        self.add_event_handler("session_start", lambda _: print("connected", flush=True))
        self.add_event_handler("message", self.heard)
        # It keeps no list of who may see that it is there: everybody may. The library's own answer would be
        # that nobody may who is not on its list, which is empty after each start.
        self.del_event_handler("presence_probe", self._handle_probe)
        self.add_event_handler("presence_probe", self.present)
        self.add_event_handler("presence_subscribe", self.allowed)
        self.add_event_handler("disconnected", self.lost)

    def heard(self, message):
        # Never an error: its answer could be an error again. Nor what has no words, such as "is typing".
        if message["type"] not in ("chat", "normal") or not message["body"].strip():
            return
        team = message["to"].node.lower()
        try:
            text = answer(team, teams(self.path))
        except OSError as error:
            logging.error("%s: %s", self.path, error)
            text = "I cannot read my list. Somebody should look after me."
        # From the address that was asked.
        message.reply(text).send()

    def allowed(self, presence):
        self.send_presence(pto=presence["from"].bare, pfrom=presence["to"].bare, ptype="subscribed")
        self.present(presence)

    def present(self, presence):
        self.send_presence(pto=presence["from"], pfrom=presence["to"].bare)

    def lost(self, _):
        print("disconnected", flush=True)
        self.loop.call_later(RECONNECT_S, self.connect)


def main():
    environment = os.environ
    try:
        domain, secret = environment["BOT_DOMAIN"], environment["BOT_SECRET"]
        path = environment["BOT_FILE"]
    except KeyError as missing:
        sys.exit(f"{missing} is not set; see the beginning of this file")
    host, port = environment.get("BOT_SERVER", "127.0.0.1:5347").rsplit(":", 1)
    logging.basicConfig(level=logging.WARNING)
    bot = OnCallBot(domain, secret, host, int(port), path)
    bot.loop.add_signal_handler(signal.SIGTERM, bot.loop.stop)
    bot.connect()
    bot.loop.run_forever()


if __name__ == "__main__":
    main()
