"""Message streams: ``urn:parlour:message-stream:0``."""

from dataclasses import dataclass, field

from .service import Page, Service

NS = "urn:parlour:message-stream:0"


def _name(tag):
    return "{%s}%s" % (NS, tag)


def _flag(value):
    return "true" if value else None


@dataclass(frozen=True)
class Attachment:
    """A file. ``url`` holds for a while, for the one who asked."""

    id: str
    name: str
    type: str
    bytes: int
    url: str | None = None

    @classmethod
    def all(cls, xml):
        """Those of a message."""
        return [
            cls(*(it.get(name) for name in ("id", "name", "type")), int(it.get("bytes")), it.get("url"))
            for it in xml.findall(_name("attachment"))
        ]


@dataclass(frozen=True)
class Version:
    """What a message was until then; ``title`` is None of a reply. ``taken`` are files that were taken away, which cannot be fetched."""

    n: int
    until: str
    text: str
    title: str | None = None
    taken: list = field(default_factory=list)

    @classmethod
    def of(cls, xml):
        title = xml.findtext(_name("title"))
        return cls(int(xml.get("n")), xml.get("until"), xml.findtext(_name("text")), title, Attachment.all(xml))


@dataclass(frozen=True)
class Message:
    id: str
    author: str
    at: str
    text: str
    edited: str | None = None
    versions: int = 0
    attachments: list = field(default_factory=list)

    @classmethod
    def of(cls, xml):
        files = Attachment.all(xml)
        first = (xml.get(name) for name in ("id", "author", "at"))
        return cls(*first, xml.findtext(_name("text")), xml.get("edited"), int(xml.get("versions", 0)), files)


@dataclass(frozen=True)
class Stream:
    """A titled note with its replies, as one sees it. What a right hides is None; ``recipients`` is "all", a list, or in lists of streams a number.

    ``messages`` is a page of them."""

    id: str
    title: str | None = None
    version: int | None = None
    customer: str | None = None
    author: str | None = None
    created: str | None = None
    completed: str | None = None
    replies: int | None = None
    recipients: object = None
    whisper: bool = False
    minutes: int | None = None
    billable: bool = False
    deliver: bool = False
    unread: int | None = None
    tags: list = field(default_factory=list)
    messages: list = field(default_factory=list)

    @classmethod
    def of(cls, xml):
        def number(name):
            value = xml.get(name)
            return int(value) if value is not None else None

        named = [it.text for it in xml.findall(_name("recipient"))]
        count = xml.get("recipients")
        return cls(
            id=xml.get("id"),
            title=xml.findtext(_name("title")),
            recipients=named or (int(count) if count and count.isdigit() else count),
            tags=[it.text for it in xml.findall(_name("tag"))],
            messages=Page([Message.of(it) for it in xml.findall(_name("message"))], xml),
            **{name: xml.get(name) for name in ("customer", "author", "created", "completed")},
            **{name: number(name) for name in ("version", "replies", "minutes", "unread")},
            **{name: xml.get(name) in ("true", "1") for name in ("whisper", "billable", "deliver")},
        )

    @classmethod
    def all(cls, xml):
        """Those in an element."""
        return [cls.of(it) for it in xml.findall(_name("stream"))]


@dataclass(frozen=True)
class Notice:
    """What a device is told that watches: ``kind`` is changed, gone, reload or ended, ``what`` happened to a changed one of ``customer``."""

    kind: str
    id: str | None = None
    what: str | None = None
    version: int | None = None
    customer: str | None = None


@dataclass(frozen=True)
class NotDelivered:
    """A message of one's own has not reached the customer; ``why`` are the words of the connector."""

    id: str
    message: str
    why: str


@dataclass(frozen=True)
class StopWatch:
    """What the stop watch of a draft shows; ``since`` is when it was started, None while it stands. ``minutes`` is what it would fill in."""

    seconds: int
    minutes: int
    since: str | None = None


@dataclass(frozen=True)
class Suggestions:
    """Whom and what a beginning may mean: ``recipients`` are their names by address, ``tags`` whether one can bill by them."""

    recipients: dict
    tags: dict


class Unread(Page):
    """A page of streams that have something unread. ``unread`` is how many messages that are, or, where nothing is said of a ``count``, more."""

    def __init__(self, items, answer):
        super().__init__(items, answer)
        self.unread = int(answer.get("messages"))


class MessageStreams(Service):
    """Writes and reads notes about customers. Where nothing else is said, a method gives the :class:`Stream`.

    Lists are given as a :class:`Page`; `max`, `after` and `before` as in XEP-0059. The event ``parlour_message_stream`` brings a :class:`Notice` to
    a device that watches, ``parlour_message_not_delivered`` a :class:`NotDelivered` to every device of the author.
    """

    name = "parlour_message_stream"
    description = "Parlour: message streams"
    namespace = NS

    def plugin_init(self):
        for kind in ("changed", "gone", "reload", "ended"):
            self.listen(kind, self._told)
        self.listen("not-delivered", self._not_delivered)

    async def _told(self, message, xml):
        if await self.is_from_service(message):
            version = xml.get("version")
            kind = xml.tag.partition("}")[2]
            version = int(version) if version else None
            notice = Notice(kind, xml.get("id"), xml.get("what"), version, xml.get("customer"))
            self.xmpp.event("parlour_message_stream", notice)

    async def _not_delivered(self, message, xml):
        if await self.is_from_service(message):
            told = NotDelivered(xml.get("id"), xml.get("message"), xml.text or "")
            self.xmpp.event("parlour_message_not_delivered", told)

    async def create(self, customer, title, text, tags=(), attachments=(), draft=None, **properties):
        """Writes a new one; properties as in :meth:`properties`, attachments are URLs of uploads."""
        request = self._set(self.element("create", customer=customer, draft=draft), **properties)
        request.append(self.element("title", title))
        request.append(self.element("text", text))
        request.extend([self.element("tag", tag) for tag in tags])
        request.extend([self.element("attachment", url) for url in attachments])
        return Stream.of(await self.ask("set", request))

    async def reply(self, id, text, attachments=()):
        request = self.element("reply", id=id)
        request.append(self.element("text", text))
        request.extend([self.element("attachment", url) for url in attachments])
        return Stream.of(await self.ask("set", request))

    async def edit(self, stream, message, text, keep=(), attachments=(), title=None):
        """Writes a message of one's own anew, and with the first one the title; the stream is the one that was read."""
        request = self.element("edit", id=stream.id, version=stream.version, message=message)
        if title is not None:
            request.append(self.element("title", title))
        request.append(self.element("text", text))
        request.extend([self.element("keep", id) for id in keep])
        request.extend([self.element("attachment", url) for url in attachments])
        return Stream.of(await self.ask("set", request))

    async def properties(self, stream, draft=None, **properties):
        """Sets recipients, whisper, minutes, billable and deliver anew; what is left out is off, and without recipients it is for all.

        Without minutes the stop watch of ``draft`` fills them, and ends. None when one has taken oneself off the stream."""
        request = self.element("properties", id=stream.id, version=stream.version, draft=draft)
        request = self._set(request, **properties)
        answer = await self.ask("set", request)
        return Stream.of(answer) if answer is not None else None

    async def tags(self, stream, tags):
        """Sets the tags anew; the stream is the one that was read."""
        request = self.element("tags", id=stream.id, version=stream.version)
        request.extend([self.element("tag", tag) for tag in tags])
        return Stream.of(await self.ask("set", request))

    async def complete(self, id, version=None):
        """With the version that was read, unless somebody has changed it since; so do the two below."""
        return Stream.of(await self.ask("set", self.element("complete", id=id, version=version)))

    async def reopen(self, id, version=None):
        return Stream.of(await self.ask("set", self.element("reopen", id=id, version=version)))

    async def delete(self, id, version=None):
        """Deletes the whole stream, irretrievably. Whoever calls this has asked whether that is meant."""
        await self.ask("set", self.element("delete", id=id, version=version, confirm="true"))

    async def stream(self, id, **page):
        """One stream with a page of its messages; `max`, `after` and `before` as in XEP-0059."""
        return Stream.of(await self.ask("get", self.paged(self.element("stream", id=id), page)))

    async def versions(self, id, message, **page):
        """A page of what a message was before, the oldest first; the ids of its items are their numbers."""
        answer = await self.ask("get", self.paged(self.element("versions", id=id, message=message), page))
        return Page([Version.of(it) for it in answer.findall(self.tag("version"))], answer)

    async def streams(self, customer, text=None, state=None, tag=None, order=None, **page):
        """Those about a customer, the newest first unless order is "ascending". A page may be empty where more follows behind its ``last``."""
        request = self.element("streams", customer=customer, state=state, tag=tag, order=order)
        if text is not None:
            request.append(self.element("text", text))
        answer = await self.ask("get", self.paged(request, page))
        return Page(Stream.all(answer), answer)

    async def unread(self, **page):
        """Gives an :class:`Unread`, the newest first."""
        answer = await self.ask("get", self.paged(self.element("unread"), page))
        return Unread(Stream.all(answer), answer)

    async def suggest(self, text):
        """Gives :class:`Suggestions` of recipients and tags that begin so."""
        request = self.element("suggest")
        request.append(self.element("text", text))
        answer = await self.ask("get", request)
        recipients = {it.text: it.get("name") for it in answer.findall(self.tag("recipient"))}
        tags = {it.text: it.get("billable") in ("true", "1") for it in answer.findall(self.tag("tag"))}
        return Suggestions(recipients, tags)

    async def mark_read(self, id=None, message=None):
        await self.ask("set", self.element("mark-read", id=id, message=message))

    async def stop_watch(self, draft, action="show"):
        """Starts, stops, resets or shows the :class:`StopWatch` of a draft."""
        answer = await self.ask("set", self.element("stop-watch", draft=draft, action=action))
        return StopWatch(*(int(answer.get(name)) for name in ("seconds", "minutes")), answer.get("since"))

    async def watch(self, on=True):
        await self.ask("set", self.element("watch", on="true" if on else "false"))

    def _set(self, request, recipients=(), whisper=False, minutes=None, billable=False, deliver=False):
        flags = {"whisper": _flag(whisper), "billable": _flag(billable), "deliver": _flag(deliver)}
        for name, value in flags.items():
            if value:
                request.set(name, value)
        if minutes is not None:
            request.set("minutes", str(minutes))
        request.extend([self.element("recipient", it) for it in recipients])
        return request
