"""IM sessions between agents: ``urn:parlour:im:0``."""

from dataclasses import dataclass

from .service import Page, Service

NS = "urn:parlour:im:0"


@dataclass(frozen=True)
class Session:
    """A session as the agent sees it.

    ``colleague`` is with whom; ``side`` is inviter or invitee, ``status`` pending, timed-out, connected, rejected, cancelled or ended.
    """

    id: str
    colleague: str
    logon: str
    side: str
    status: str
    since: str | None
    invited: str | None
    about: str | None
    done: bool

    @classmethod
    def of(cls, xml):
        names = ("id", "with", "logon", "side", "status", "since", "invited", "about")
        return cls(*(xml.get(name) for name in names), xml.get("done") in ("true", "1"))


@dataclass(frozen=True)
class Entry:
    """A line of a transcript; ``kind`` is message, context, accepted, rejected, cancelled or ended."""

    n: int
    kind: str
    sender: str
    logon: str
    at: str
    text: str | None
    message: str | None
    context: str | None
    cause: str | None

    @classmethod
    def of(cls, plugin, xml):
        kind, sender, logon, at = (xml.get(name) for name in ("kind", "sender", "logon", "at"))
        others = (xml.get(name) for name in ("message", "context", "cause"))
        return cls(int(xml.get("n")), kind, sender, logon, at, xml.findtext(plugin.tag("text")), *others)


@dataclass(frozen=True)
class Invitation:
    """A colleague's invitation with its first message; ``until`` says how long it is to be shown."""

    id: str
    sender: str
    until: str
    about: str | None
    text: str


@dataclass(frozen=True)
class Said:
    """What the colleague has said in a session."""

    id: str
    sender: str
    text: str


@dataclass(frozen=True)
class Event:
    """What has happened to a session, as section 4.3 of im.md has it; ``text`` says it in a sentence."""

    id: str
    type: str
    by: str | None
    at: str
    cause: str | None
    text: str


class Im(Service):
    """Invites, answers, talks, ends, and reads transcripts. Where nothing else is said, a method gives the :class:`Session`.

    Events: ``parlour_im_invitation`` with :class:`Invitation`, ``parlour_im_said`` with :class:`Said`, ``parlour_im_event`` with :class:`Event`.
    """

    name = "parlour_im"
    description = "Parlour: IM sessions"
    namespace = NS

    def plugin_init(self):
        self.listen("invitation", self._invited)
        self.listen("said", self._said)
        self.listen("event", self._told)

    async def invite(self, colleague, text, about=None):
        """Sends a colleague the first message; `about` may be the id of an interaction."""
        request = self.element("invite", colleague=colleague, about=about)
        request.append(self.element("text", text))
        return Session.of(await self.ask("set", request))

    async def accept(self, id):
        return await self._do("accept", id)

    async def reject(self, id):
        return await self._do("reject", id)

    async def cancel(self, id):
        """Takes the own invitation back."""
        return await self._do("cancel", id)

    async def say(self, id, text):
        request = self.element("say", id=id)
        request.append(self.element("text", text))
        return Session.of(await self.ask("set", request))

    async def end(self, id):
        return await self._do("end", id)

    async def done(self, id):
        """Takes the session off the own list, and ends it before where it is open."""
        return await self._do("done", id)

    async def session(self, id):
        return Session.of(await self.ask("get", self.element("session", id=id)))

    async def sessions(self, all=False, **page):
        """A page of the sessions that are not done, or of all, the oldest first; `max`, `after` and `before` as in XEP-0059."""
        request = self.element("sessions", all="true" if all else None)
        answer = await self.ask("get", self.paged(request, page))
        return Page([Session.of(it) for it in answer.findall(self.tag("session"))], answer)

    async def transcript(self, id, **page):
        """A page of a transcript, each line an :class:`Entry`, whose `n` is its place for `after` and `before`."""
        request = self.paged(self.element("transcript", id=id), page)
        answer = await self.ask("get", request)
        return Page([Entry.of(self, it) for it in answer.findall(self.tag("entry"))], answer)

    async def _do(self, name, id):
        return Session.of(await self.ask("set", self.element(name, id=id)))

    async def _invited(self, message, invitation):
        if self.is_from_account(message, invitation.get("from")):
            parts = (invitation.get(name) for name in ("id", "from", "until", "about"))
            self.xmpp.event("parlour_im_invitation", Invitation(*parts, message["body"]))

    async def _said(self, message, said):
        if self.is_own_host(message["from"]):
            self.xmpp.event("parlour_im_said", Said(said.get("id"), message["from"].bare, message["body"]))

    async def _told(self, message, event):
        if await self.is_from_service(message):
            parts = (event.get(name) for name in ("id", "type", "by", "at", "cause"))
            self.xmpp.event("parlour_im_event", Event(*parts, message["body"]))
