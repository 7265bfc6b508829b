"""Activities: ``urn:parlour:activity:0``."""

from dataclasses import dataclass, field

from .service import Page, Service

NS = "urn:parlour:activity:0"

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Note:
    n: int
    at: str
    text: str
    language: str | None = None


@dataclass(frozen=True)
class Activity:
    """What is kept of one agent's part in an interaction.

    ``category`` is phone-call or chat, ``duration`` in seconds. ``count`` is how many notes there are, of which ``notes`` are some.
    """

    id: str
    version: int
    interaction: str
    agent: str
    role: str
    medium: str
    direction: str
    category: str
    address: str
    name: str
    duration: int
    count: int
    customer: str | None = None
    created: str | None = None
    connected: str | None = None
    closed: str | None = None
    finished: str | None = None
    wrap_up: str | None = None
    notes: list = field(default_factory=list)

    @classmethod
    def of(cls, xml):
        first = ("interaction", "agent", "role", "medium", "direction", "category", "address", "name")
        times = ("customer", "created", "connected", "closed", "finished", "wrap-up")
        notes = [
            Note(int(it.get("n")), it.get("at"), it.text or "", it.get(LANG))
            for it in xml.findall("{%s}note" % NS)
        ]
        return cls(
            xml.get("id"),
            int(xml.get("version")),
            *(xml.get(name) for name in first),
            int(xml.get("duration")),
            int(xml.get("notes")),
            *(xml.get(name) for name in times),
            notes,
        )


class Activities(Service):
    """Writes into the agent's own activities, and reads them and those of customers it deals with."""

    name = "parlour_activity"
    description = "Parlour: activities"
    namespace = NS

    async def note(self, text, id=None, language=None):
        """Adds a note; without an id to the only activity that the agent has in hand."""
        request = self.element("note", id=id)
        written = self.element("text", text)
        if language:
            written.set(LANG, language)
        request.append(written)
        return Activity.of(await self.ask("set", request))

    async def wrap_up(self, code, id=None):
        """Says what came of it, by the code of a reason that an administrator has configured."""
        return Activity.of(await self.ask("set", self.element("wrap-up", code=code, id=id)))

    async def activity(self, id, **page):
        """One activity with a page of its notes."""
        return Activity.of(await self.ask("get", self.paged(self.element("activity", id=id), page)))

    async def activities(self, customer=None, interaction=None, **page):
        """A page of the agent's own, of those with a customer, or of an interaction; the newest first."""
        request = self.element("activities", customer=customer, interaction=interaction)
        answer = await self.ask("get", self.paged(request, page))
        return Page([Activity.of(it) for it in answer.findall(self.tag("activity"))], answer)
