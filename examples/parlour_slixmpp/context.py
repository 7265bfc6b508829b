"""Business context: ``urn:parlour:context:0``."""

from dataclasses import dataclass, field

from .service import Page, Service

NS = "urn:parlour:context:0"


def _name(tag):
    return "{%s}%s" % (NS, tag)


@dataclass(frozen=True)
class Object:
    """A business object. Without a title it only names one of the agent's recent objects."""

    type: str
    id: str
    title: str | None = None
    url: str | None = None
    status: str | None = None
    fields: dict = field(default_factory=dict)

    @classmethod
    def of(cls, xml):
        fields = {it.get("name"): it.text or "" for it in xml.findall(_name("field"))}
        parts = (xml.findtext(_name(part)) for part in ("title", "url", "status"))
        return cls(xml.get("type"), xml.get("id"), *parts, fields)


@dataclass(frozen=True)
class Step:
    """How far a sending is at a recipient: ``progress`` is sent, delivered or opened."""

    jid: str
    progress: str
    at: str | None

    @classmethod
    def of(cls, xml):
        return cls(xml.get("jid"), xml.get("progress"), xml.get("at"))


@dataclass(frozen=True)
class Sending:
    """What was sent, and how far it is at those recipients that the asker may know of."""

    id: str
    sender: str
    at: str
    session: str | None
    objects: list
    note: str | None
    recipients: list

    @classmethod
    def of(cls, xml):
        return cls(
            xml.get("id"),
            xml.get("sender"),
            xml.get("at"),
            xml.get("session"),
            [Object.of(it) for it in xml.findall(_name("object"))],
            xml.findtext(_name("note")),
            [Step.of(it) for it in xml.findall(_name("recipient"))],
        )


class Context(Service):
    """Sends business objects, acknowledges those that were sent, and keeps the recent ones.

    Events: ``parlour_context`` with the :class:`Sending` that a message has brought, ``parlour_context_progress`` with (id, :class:`Step`).
    """

    name = "parlour_context"
    description = "Parlour: business context"
    namespace = NS

    def plugin_init(self):
        self.listen("context", self._brought)
        self.listen("progress", self._told)

    async def _brought(self, message, context):
        sending = Sending.of(context)
        if self.is_from_account(message, sending.sender):
            self.xmpp.event("parlour_context", sending)

    async def _told(self, message, progress):
        if await self.is_from_service(message):
            self.xmpp.event("parlour_context_progress", (progress.get("id"), Step.of(progress)))

    async def send(self, to, objects, note=None, session=None):
        """Sends objects to colleagues, in an IM session if one is named."""
        request = self.element("send", session=session)
        request.extend([self.element("to", str(jid)) for jid in to])
        request.extend([self._object(it) for it in objects])
        if note is not None:
            request.append(self.element("note", note))
        return Sending.of(await self.ask("set", request))

    async def open(self, id):
        """The agent has opened what it was sent."""
        return Sending.of(await self.ask("set", self.element("open", id=id)))

    async def find(self, id):
        """What was sent by the agent or to it."""
        return Sending.of(await self.ask("get", self.element("context", id=id)))

    async def sent(self, **page):
        """A page of what the agent has sent, the newest first; `max`, `after` and `before` as in XEP-0059."""
        return await self._list("sent", page)

    async def received(self, **page):
        """The same of what it was sent."""
        return await self._list("received", page)

    async def recent(self):
        """The agent's recent objects, the newest first."""
        answer = await self.ask("get", self.element("recent"))
        return [Object.of(it.find(_name("object"))) for it in answer.findall(_name("entry"))]

    async def opened(self, it):
        """The agent has this object in hand."""
        await self._about("opened", it)

    async def forget(self, type, id):
        """Takes an object off the list of recent ones."""
        await self._about("forget", Object(type, id))

    async def _about(self, name, it):
        request = self.element(name)
        request.append(self._object(it))
        await self.ask("set", request)

    async def _list(self, which, page):
        request = self.paged(self.element("contexts", list=which), page)
        answer = await self.ask("get", request)
        return Page([Sending.of(it) for it in answer.findall(_name("context"))], answer)

    def _object(self, it):
        element = self.element("object", type=it.type, id=it.id)
        for name in ("title", "url", "status"):
            if (text := getattr(it, name)) is not None:
                element.append(self.element(name, text))
        element.extend([self.element("field", value, name=name) for name, value in it.fields.items()])
        return element
