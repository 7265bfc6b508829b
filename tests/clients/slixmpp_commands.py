"""An administrator works with ad-hoc commands as Gajim does: lists them, executes each, fills in
its form, goes on with `complete`, cancels, and reads tables and fields of the results.

Told by the environment as slixmpp_talk.py is; XMPP_ROMEO is an administrator. Exits with 0 when all
went as it should.
"""

import asyncio
import os
import sys

from slixmpp.exceptions import IqError
from slixmpp_forms import PLUGINS, Executes, notes
from slixmpp_person import Person, expect, says

ADMIN = "http://jabber.org/protocol/admin#"
OWN = "urn:parlour:admin:0#"

# What would end the server, or the session that asks.
NOT_BEGUN_WITHOUT_A_FORM = {OWN + "server-reload", OWN + "certificate-reload"}


class Administrator(Executes, Person):
    def __init__(self):
        super().__init__(os.environ["XMPP_ROMEO"], PLUGINS, ())
        self.service = self.boundjid.domain

    async def does(self, node, **values):
        """Executes, fills in what is asked, and completes."""
        begun = await self.command(node, "execute")
        if begun["status"] == "completed":
            return begun
        expect(begun["status"] == "executing", f"{node}: {begun}")
        expect("complete" in begun["actions"], f"{node} cannot be completed: {begun}")
        asked = begun["form"].get_fields()
        for var in values:
            expect(var in asked, f"{node} does not ask for {var}: {list(asked)}")
        done = await self.command(node, "complete", begun["sessionid"], self.filled(values))
        expect(done["status"] == "completed", f"{node}: {done}")
        return done

    async def refused(self, condition, node, *steps, **values):
        try:
            await self.command(node, *steps, **values)
        except IqError as error:
            expect(error.condition == condition, f"{node}: {error.condition}, not {condition}")
            return error.iq
        sys.exit(f"{node} was not refused")


async def main():
    chief = Administrator()
    chief.dial()
    await chief.sees("session")
    chief.send_presence()
    host = chief.boundjid.domain

    nodes = await chief.commands()
    expect(len(nodes) > 50, f"only {nodes}")
    begun_with_form = 0
    for node in nodes:
        if node in NOT_BEGUN_WITHOUT_A_FORM:
            continue
        try:
            begun = await chief.command(node, "execute")
        except IqError as error:
            # There is nothing to be deleted or shown yet.
            expect(error.condition == "item-not-found", f"{node}: {error.condition}")
            continue
        if begun["status"] == "executing":
            begun_with_form += 1
            expect(begun["form"]["title"], f"{node}: no title")
            for var, field in begun["form"].get_fields().items():
                expect(var == "FORM_TYPE" or field["label"], f"{node}: {var} has no label")
            canceled = await chief.command(node, "cancel", begun["sessionid"])
            expect(canceled["status"] == "canceled", f"{node}: {canceled}")
    expect(begun_with_form > 25, f"only {begun_with_form} forms")

    done = await chief.does(
        ADMIN + "add-user",
        accountjid=f"bob@{host}",
        password="secret",
        **{"password-verify": "secret"},
        given_name="Bob",
    )
    expect("is made" in notes(done), notes(done))
    done = await chief.does(ADMIN + "get-registered-users-list", max_items="25")
    listed = done["form"].get_fields()["registereduserjids"].get_value()
    expect(f"bob@{host}" in listed, f"{listed}")
    done = await chief.does(ADMIN + "get-registered-users-num")
    count = done["form"].get_values()["registeredusersnum"]
    expect(int(count) == len(listed), f"{count} and {listed}")

    await chief.does(ADMIN + "announce", announcement="Tea\nat five.")
    message = await chief.sees("message", says("Tea\nat five."))
    expect(message["type"] == "headline", message["type"])

    # What was wrong can be put right in the same dialogue; when it is over, it is over.
    node = ADMIN + "change-user-password"
    begun = await chief.command(node)
    session = begun["sessionid"]
    wrong = chief.filled({"accountjid": f"nobody@{host}", "password": "p"})
    await chief.refused("item-not-found", node, "complete", session, wrong)
    right = chief.filled({"accountjid": f"bob@{host}", "password": "better"})
    done = await chief.command(node, None, session, right)
    expect(done["status"] == "completed", f"{done}")
    late = await chief.refused("not-allowed", node, "complete", session, right)
    expect("session-expired" in str(late), str(late))
    await chief.refused("bad-request", node, "prev", "no-such-session")

    done = await chief.does(ADMIN + "delete-user", accountjids=[f"bob@{host}"])
    expect("is removed" in notes(done), notes(done))
    done = await chief.does(OWN + "audit-list", target=f"bob@{host}")
    rows = list(done["form"]["items"])
    expect(len(rows) == 3, f"the trail has {len(rows)} rows: {rows}")
    done = await chief.does(OWN + "log-set", level="info,parlour::router=debug")
    expect("Logged from now on" in notes(done), notes(done))
    done = await chief.does(OWN + "server-reload")
    expect("info,parlour" not in notes(done), notes(done))
    done = await chief.does(OWN + "certificate-list")
    expect(list(done["form"]["items"]), "no certificate is listed")
    await chief.leaves()
    print("all was done", flush=True)


asyncio.run(asyncio.wait_for(main(), 100))
