"""What a client of slixmpp does with ad-hoc commands and their forms (XEP-0050, XEP-0004)."""

from slixmpp_person import PATIENCE_S, expect

# Plugins of slixmpp that are needed for it.
PLUGINS = ("xep_0030", "xep_0004", "xep_0050")


class Executes:
    """Beside a client: executes the commands of somebody. `service` is the address of who has them."""

    service = None

    async def command(self, node, action=None, session=None, form=None):
        """One step of a command; the answer."""
        iq = self.make_iq_set(ito=self.service)
        iq["command"]["node"] = node
        if action:
            iq["command"]["action"] = action
        if session:
            iq["command"]["sessionid"] = session
        if form is not None:
            iq["command"].append(form)
        answer = await iq.send(timeout=PATIENCE_S)
        expect(answer["command"]["sessionid"], f"{node}: no sessionid")
        return answer["command"]

    async def commands(self):
        """The commands that are listed: each node with what it is called."""
        listed = await self.plugin["xep_0050"].get_commands(self.service, timeout=PATIENCE_S)
        return {node: name for _, node, name in listed["disco_items"]["items"]}

    def filled(self, values):
        form = self.plugin["xep_0004"].make_form(ftype="submit")
        for var, value in values.items():
            form.add_field(var=var, value=value)
        return form


def notes(command):
    """The sentences of an answer."""
    return " ".join(text for _, text in command["notes"])
