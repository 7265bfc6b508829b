"""Plugins for slixmpp that speak the protocols of Parlour's contact center.

    import parlour_slixmpp

    parlour_slixmpp.register(client)
    await client.plugin["parlour_agent"].login()
    session = await client.plugin["parlour_im"].invite("juliet@example.org", "Can you help me?")
    await client.plugin["parlour_context"].send(["juliet@example.org"], [Object("case", "1", "Printer")])

One module for each namespace: ``agent`` (agent states), ``contact`` (personal contacts), ``directory`` (search for colleagues), ``reach``
(how a colleague can be reached now), ``im`` (IM sessions), ``context`` (business context), ``interaction`` (calls, chats and e-mails with
customers), ``customer`` (who they are), ``activity`` (what is kept of them), ``follow_up`` (what is planned because of them), ``message_stream`` (notes about them). The documents of the protocols are in ``schemas/`` of Parlour's source.
"""

from slixmpp.plugins.base import register_plugin

from . import (
    activity,
    agent,
    contact,
    context,
    customer,
    directory,
    follow_up,
    im,
    interaction,
    message_stream,
    reach,
)
from .activity import Activity
from .colleague import Colleague
from .context import Object
from .customer import Customer
from .follow_up import FollowUp
from .interaction import Interaction
from .message_stream import Stream
from .service import Page, Refused

__all__ = [
    "Activity",
    "Colleague",
    "Customer",
    "FollowUp",
    "Interaction",
    "Object",
    "Page",
    "Refused",
    "Stream",
    "activity",
    "agent",
    "contact",
    "context",
    "customer",
    "directory",
    "follow_up",
    "im",
    "interaction",
    "message_stream",
    "reach",
    "register",
]

PLUGINS = (
    agent.Agent,
    contact.Contact,
    directory.Directory,
    reach.Reach,
    im.Im,
    context.Context,
    interaction.Interactions,
    customer.Customers,
    activity.Activities,
    follow_up.FollowUps,
    message_stream.MessageStreams,
)


def register(client):
    """Gives all of it to a client or component of slixmpp."""
    for plugin in PLUGINS:
        register_plugin(plugin)
        client.register_plugin(plugin.name)
