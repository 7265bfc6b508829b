"""Agent states: ``urn:parlour:agent:0``."""

from dataclasses import dataclass

from .service import Service

NS = "urn:parlour:agent:0"


@dataclass(frozen=True)
class State:
    """What is told of an agent: ``state`` is logged-out, available, not-ready, engaged or wrap-up."""

    jid: str
    state: str
    reason: str | None = None
    label: str | None = None
    since: str | None = None

    @classmethod
    def of(cls, xml):
        return cls(xml.get("jid"), xml.get("state"), xml.get("reason"), xml.get("label"), xml.get("since"))


class Agent(Service):
    """Logs the agent in and out, and says whether it takes interactions.

    Each method gives the :class:`State` in which the agent then is, and raises :class:`Refused`.
    """

    name = "parlour_agent"
    description = "Parlour: agent states"
    namespace = NS

    async def login(self):
        return await self._change("login")

    async def ready(self):
        return await self._change("ready")

    async def not_ready(self, reason):
        """`reason` is the code of a reason that an administrator has configured."""
        return await self._change("not-ready", reason=reason)

    async def finish_wrap_up(self):
        return await self._change("finish-wrap-up")

    async def logout(self, reason):
        return await self._change("logout", reason=reason)

    async def state(self):
        return State.of(await self.ask("get", self.element("agent")))

    async def _change(self, name, **attributes):
        return State.of(await self.ask("set", self.element(name, **attributes)))
