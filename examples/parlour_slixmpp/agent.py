"""Agent states: ``urn:parlour:agent:0``."""

from dataclasses import dataclass

from .service import Page, Service

NS = "urn:parlour:agent:0"


@dataclass(frozen=True)
class State:
    """What is told of an agent: ``state`` is logged-out, available, not-ready, engaged or wrap-up, for so many ``seconds``; ``view`` is what
    colleagues see: online, busy or offline.
    """

    jid: str
    state: str
    reason: str | None = None
    label: str | None = None
    since: str | None = None
    view: str | None = None
    seconds: int | None = None

    @classmethod
    def of(cls, xml):
        parts = (xml.get(name) for name in ("jid", "state", "reason", "label", "since", "view"))
        seconds = xml.get("seconds")
        return cls(*parts, None if seconds is None else int(seconds))


@dataclass(frozen=True)
class Change:
    """One change of an agent's state, as section 9 of agent.md has it; ``id`` is its place for `after` and `before`."""

    id: str
    at: str
    change: str
    reason: str | None = None
    label: str | None = None
    origin: str | None = None

    @classmethod
    def of(cls, xml):
        return cls(*(xml.get(name) for name in ("id", "at", "change", "reason", "label", "origin")))


class Agent(Service):
    """Logs the agent in and out, says whether it takes interactions, and tells of others what one may see.

    Where nothing else is said, a method gives the :class:`State` in which the agent then is, and raises :class:`Refused`.
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

    async def state(self, jid=None):
        """One's own state, or that of a colleague."""
        return State.of(await self.ask("get", self.element("agent", jid=jid)))

    async def agents(self, states=(), **page):
        """A page of all agents, or of those in these states, each a :class:`State`, for who may see them; `max`, `after` and
        `before` as in XEP-0059.
        """
        request = self.element("agents")
        request.extend(self.element("state", state) for state in states)
        answer = await self.ask("get", self.paged(request, page))
        return Page([State.of(it) for it in answer.findall(self.tag("agent"))], answer)

    async def history(self, jid=None, **page):
        """A page of the changes of one's own state, or of an agent's for who may see them, each a :class:`Change`."""
        request = self.element("history", jid=jid)
        answer = await self.ask("get", self.paged(request, page))
        return Page([Change.of(it) for it in answer.findall(self.tag("change"))], answer)

    async def _change(self, name, **attributes):
        return State.of(await self.ask("set", self.element(name, **attributes)))
