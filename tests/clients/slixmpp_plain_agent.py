"""An agent with an ordinary client: slixmpp with plugins of its own, which know nothing of the contact center. What people
would read it reads: names of commands, labels of fields, sentences.
"""

import os

from slixmpp.exceptions import IqError
from slixmpp.jid import JID
from slixmpp_forms import PLUGINS, Executes, notes
from slixmpp_person import PATIENCE_S, Person, expect

EVENTS = (("presence", "presence"), ("roster_update", "roster"))


class PlainAgent(Executes, Person):
    def __init__(self, who):
        super().__init__(os.environ[who], (*PLUGINS, "xep_0199", "xep_0313"), EVENTS)
        # Nothing is answered on its own: what makes contacts of both is the server.
        self.auto_authorize = None
        self.auto_subscribe = False

    async def arrives(self):
        self.dial()
        await self.sees("session")
        await self.get_roster(timeout=PATIENCE_S)
        self.send_presence()
        self.service = await self.finds("Contact center")

    async def finds(self, name):
        """The address of a service of the own host by its name (XEP-0030)."""
        disco = self.plugin["xep_0030"]
        items = await disco.get_items(jid=self.boundjid.domain, timeout=PATIENCE_S)
        listed = {name: jid for jid, _, name in items["disco_items"]["items"]}
        expect(name in listed, f"the services are {listed}")
        info = await disco.get_info(jid=listed[name], timeout=PATIENCE_S)
        features = info["disco_info"]["features"]
        expect("http://jabber.org/protocol/commands" in features, f"it has {features}")
        return listed[name]

    async def does(self, title, answers=None):
        """Executes what is called so. Fields are found by their labels, options by theirs."""
        listed = await self.commands()
        nodes = [node for node, name in listed.items() if name == title]
        expect(len(nodes) == 1, f"{title}: {listed}")
        done = await self.command(nodes[0], "execute")
        answers = dict(answers or {})
        # What is there already is asked for in a second form, which holds it.
        while done["status"] == "executing":
            form = self.answered(done["form"], answers)
            done = await self.command(nodes[0], "complete", done["sessionid"], form)
        expect(not answers, f"{title} does not ask for {answers}")
        expect(done["status"] == "completed", f"{title}: {done}")
        print(f"{self.boundjid}: {title}: {notes(done)}", flush=True)
        return done

    def answered(self, form, answers):
        """The form with these answers, and for the rest with what stands in it already."""
        values = {}
        for var, field in form.get_fields().items():
            label = field["label"]
            if label in answers:
                values[var] = chosen(field, answers.pop(label))
            elif field.get_value():
                values[var] = field.get_value()
            expect(values.get(var) or not field["required"], f"{label} is to be filled in: {field}")
        return self.filled(values)

    async def refused(self, title, sentence):
        try:
            await self.does(title)
        except IqError as error:
            expect(error.text == sentence, f"{title}: {error.text}")
        else:
            expect(False, f"{title} is not refused")

    async def shows(self, colleague, *looks):
        """Waits until the contact looks so in the contact list: show and status of each device."""

        def seen():
            devices = self.client_roster[colleague.boundjid.bare].resources.values()
            return [(device["show"], device["status"]) for device in devices]

        while seen() != list(looks):
            await self.sees("presence")

    async def has(self, colleague):
        """Waits until the colleague is a contact on both sides."""
        jid = colleague.boundjid.bare

        def tells(push):
            items = push["roster"]["items"]
            return jid in items and items[jid]["subscription"] == "both"

        await self.sees("roster", tells)

    async def history(self, other):
        """What the archive shows of a conversation: who has said what."""
        lines = []
        async for result in self.plugin["xep_0313"].iterate(with_jid=JID(other), rsm={"max": "50"}):
            message = result["mam_result"]["forwarded"]["stanza"]
            if message["body"]:
                lines.append((message["from"].user, message["body"]))
        return lines


def chosen(field, answer):
    """What is submitted for an answer: where there are options, the value of the one that is called so."""
    options = {option["label"] or option["value"]: option["value"] for option in field["options"]}
    if not options:
        return answer
    expect(answer in options, f"{answer} is none of {options}")
    return options[answer]


def rows(command):
    """A table as it is read: each row by the labels of its columns."""
    columns = {var: field["label"] for var, field in command["form"].get_reported().items()}
    items = command["form"].get_items()
    return [{columns[var]: value for var, value in item.items()} for item in items]
