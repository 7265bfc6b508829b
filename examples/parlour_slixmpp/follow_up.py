"""Follow-ups and the scratch pad: ``urn:parlour:follow-up:0``."""

from dataclasses import dataclass, field

from .service import Page, Service

NS = "urn:parlour:follow-up:0"

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Note:
    """The last version of a note; ``versions`` is how many there were."""

    n: int
    note_type: str
    language: str
    versions: int
    at: str
    by: str
    text: str


@dataclass(frozen=True)
class Version:
    """What a note said from ``at`` on."""

    n: int
    at: str
    by: str
    text: str


@dataclass(frozen=True)
class FollowUp:
    """A planned transaction. ``display_area`` is where it is shown; ``count`` is how many notes there are, of which ``notes`` are a page.

    ``overdue`` is set in the answer to a change, where it should have been done already."""

    id: str
    version: int
    status: str
    source: str
    source_id: str
    display_area: str
    type: str
    type_label: str
    responsible: str
    author: str
    count: int
    title: str
    customer: str | None = None
    start: str | None = None
    end: str | None = None
    due: str | None = None
    reason: str | None = None
    reason_label: str | None = None
    planned: str | None = None
    over: str | None = None
    overdue: bool = False
    notes: list = field(default_factory=list)

    @classmethod
    def of(cls, xml):
        first = ("source", "source-id", "display-area", "type", "type-label", "responsible", "author")
        rest = ("customer", "start", "end", "due", "reason", "reason-label", "planned", "over")
        notes = [
            Note(
                int(it.get("n")),
                it.get("note-type"),
                it.get(LANG),
                int(it.get("versions")),
                it.get("at"),
                it.get("by"),
                it.text or "",
            )
            for it in xml.findall("{%s}note" % NS)
        ]
        return cls(
            xml.get("id"),
            int(xml.get("version")),
            xml.get("status"),
            *(xml.get(name) for name in first),
            int(xml.get("notes")),
            xml.findtext("{%s}title" % NS) or "",
            *(xml.get(name) for name in rest),
            xml.get("overdue") in ("true", "1"),
            Page(notes, xml),
        )


@dataclass(frozen=True)
class Notice:
    """What the agent is told: assigned, reassigned, edited, completed, cancelled, due; ``by`` is None of what is due.

    Of what is linked (to another customer), removed or erased only the ``id`` is told, and ``follow_up`` is None.
    """

    what: str
    by: str | None
    follow_up: FollowUp | None
    id: str | None = None


@dataclass(frozen=True)
class ScratchPad:
    """What is on it since ``at``; None where nothing was ever written."""

    version: int
    text: str
    at: str | None = None

    @classmethod
    def of(cls, xml):
        return cls(int(xml.get("version")), xml.findtext("{%s}text" % NS) or "", xml.get("at"))


class FollowUps(Service):
    """Plans follow-ups, and does what is to be done with them. Lists are given as a :class:`Page`; `max`, `after` and `before` as in XEP-0059.

    What the agent is told comes as the event ``parlour_follow_up`` with a ``Notice``.
    """

    name = "parlour_follow_up"
    description = "Parlour: follow-ups"
    namespace = NS

    def plugin_init(self):
        self.listen("notice", self._told)

    async def _told(self, message, notice):
        if await self.is_from_service(message):
            named = notice.find(self.tag("follow-up"))
            follow_up = FollowUp.of(named) if named.get("version") else None
            told = Notice(notice.get("what"), notice.get("by"), follow_up, named.get("id"))
            self.xmpp.event("parlour_follow_up", told)

    async def plan(self, source, source_id, type, title=None, note=None, note_type=None, language=None, scratch_pad=False, **more):
        """Plans something because of that source. ``more`` are customer, start, end, due, reason, responsible."""
        request = self.element(
            "plan",
            **{"source": source, "source-id": source_id, "type": type, "note-type": note_type},
            **{"scratch-pad": "true" if scratch_pad else None},
            **more,
        )
        if title is not None:
            request.append(self.element("title", title))
        if note is not None:
            request.append(self._text("note", note, language))
        return FollowUp.of(await self.ask("set", request))

    async def edit(self, id, version, type, title, **more):
        """Writes the plan anew: what is left out is taken away. ``more`` are customer, start, end, due, reason."""
        request = self.element("edit", id=id, version=version, type=type, **more)
        request.append(self.element("title", title))
        return FollowUp.of(await self.ask("set", request))

    async def reassign(self, id, responsible, version=None):
        """Has another agent do it. With the version that was read, unless somebody has changed it since; so do the methods below."""
        return await self._act(self.element("reassign", id=id, responsible=responsible, version=version))

    async def complete(self, id, version=None):
        return await self._act(self.element("complete", id=id, version=version))

    async def cancel(self, id, version=None):
        return await self._act(self.element("cancel", id=id, version=version))

    async def note(self, id, text=None, note_type=None, language=None, version=None):
        """Writes a note; without a text that of the scratch pad, which is empty then."""
        pad = "true" if text is None else None
        request = self.element("note", id=id, version=version, **{"note-type": note_type, "scratch-pad": pad})
        if text is not None:
            request.append(self._text("text", text, language))
        return await self._act(request)

    async def follow_up(self, id, **page):
        """One follow-up with a page of its notes."""
        return FollowUp.of(await self.ask("get", self.paged(self.element("follow-up", id=id), page)))

    async def history(self, id, note_type, language=None, **page):
        """A page of the versions of one note, the oldest first."""
        request = self.element("notes-history", id=id, language=language, **{"note-type": note_type})
        answer = await self.ask("get", self.paged(request, page))
        versions = [
            Version(int(it.get("n")), it.get("at"), it.get("by"), it.text or "")
            for it in answer.findall(self.tag("version"))
        ]
        return Page(versions, answer)

    async def follow_ups(self, list=None, customer=None, source=None, source_id=None, status=None, **page):
        """A page of a list: the agent's own, those of a customer, or of a source; the newest first."""
        request = self.element("follow-ups", list=list, customer=customer, source=source, status=status, **{"source-id": source_id})
        answer = await self.ask("get", self.paged(request, page))
        return Page([FollowUp.of(it) for it in answer.findall(self.tag("follow-up"))], answer)

    async def scratch_pad(self):
        return ScratchPad.of(await self.ask("get", self.element("scratch-pad")))

    async def write_scratch_pad(self, text, version=None):
        """Writes it anew; with the version that was read, unless another device has written since."""
        request = self.element("scratch-pad", version=version)
        if text:
            request.append(self.element("text", text))
        return ScratchPad.of(await self.ask("set", request))

    async def _act(self, request):
        return FollowUp.of(await self.ask("set", request))

    def _text(self, name, text, language):
        element = self.element(name, text)
        if language:
            element.set(LANG, language)
        return element
