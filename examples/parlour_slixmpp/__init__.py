"""Plugins for slixmpp that speak the protocols of Parlour's contact center.

    import parlour_slixmpp

    parlour_slixmpp.register(client)
    await client.plugin["parlour_agent"].login()
    await client.plugin["parlour_context"].send(["juliet@example.org"], [Object("case", "1", "Printer")])

One module for each namespace: ``agent`` (agent states), ``context`` (business context). The documents of the protocols are in
``schemas/`` of Parlour's source.
"""

from slixmpp.plugins.base import register_plugin

from . import agent, context
from .context import Object
from .service import Refused

__all__ = ["Object", "Refused", "agent", "context", "register"]

PLUGINS = (agent.Agent, context.Context)


def register(client):
    """Gives all of it to a client or component of slixmpp."""
    for plugin in PLUGINS:
        register_plugin(plugin)
        client.register_plugin(plugin.name)
