"""What the plugins have in common: they find the service, ask it, and understand its refusals."""

import asyncio

from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins import BasePlugin
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath

ERRORS = "urn:parlour:errors:0"
RSM = "{http://jabber.org/protocol/rsm}"

# Seconds; the service answers as soon as its database has written.
PATIENCE_S = 20


class Refused(Exception):
    """The service refuses: the condition of RFC 6120, the code of ``urn:parlour:errors:0``, and a sentence for the agent."""

    def __init__(self, condition, code, text):
        super().__init__(text or code or condition)
        self.condition = condition
        self.code = code
        self.text = text

    @classmethod
    def of(cls, error):
        ours = [child for child in error.iq["error"].xml if child.tag.startswith("{%s}" % ERRORS)]
        code = ours[0].tag.partition("}")[2] if ours else None
        return cls(error.condition, code, error.text)


class Page(list):
    """Some of a list: ``first`` and ``last`` are its ends, as `before` and `after` of the next request take them, or None of nothing.

    ``complete`` is whether nothing follows, for a list that is not counted in the direction that was asked for; ``count`` is how many there are in
    all. Either is None where the service does not tell.
    """

    def __init__(self, items, answer):
        super().__init__(items)
        first, last, count = (answer.find("%sset/%s%s" % (RSM, RSM, name)) for name in ("first", "last", "count"))
        self.first, self.last = (None if it is None else it.text for it in (first, last))
        self.count = None if count is None else int(count.text)
        told, index = answer.get("complete"), None if first is None else first.get("index")
        self.complete = None if told is None else told in ("true", "1")
        if self.count is not None:
            behind = self.count - len(self) - int(index or 0)
            self.complete = None if behind > 0 and self and index is None else not self or behind <= 0


class Service(BasePlugin):
    """A plugin that asks the contact center of the own host.

    ``namespace`` is that of its requests. The address is found by service discovery once, unless the configuration of the
    plugin has one as ``service``.
    """

    dependencies = {"xep_0030"}
    default_config = {"service": None}
    namespace = None

    def __init__(self, xmpp, config=None):
        super().__init__(xmpp, config)
        # Whoever needs the address while it is looked for waits in turn, so that events stay in their order.
        self._finding = asyncio.Lock()
        self._listening = []

    def plugin_end(self):
        for name in self._listening:
            self.xmpp.remove_handler(name)

    async def address(self):
        """The address of the service; LookupError where the host has none."""
        async with self._finding:
            if self.service is None:
                self.service = await self._find()
            return self.service

    async def _find(self):
        disco = self.xmpp.plugin["xep_0030"]
        items = await disco.get_items(jid=self.xmpp.boundjid.domain, timeout=PATIENCE_S)
        # All at once: nobody waits for a component of the host that is away.
        asked = [asyncio.ensure_future(self._speaks(jid)) for jid, _, _ in items["disco_items"]["items"]]
        try:
            for answer in asyncio.as_completed(asked):
                jid = await answer
                if jid is not None:
                    return jid
        finally:
            for question in asked:
                question.cancel()
        raise LookupError(f"nobody here speaks {self.namespace}")

    async def _speaks(self, jid):
        """The address if somebody there speaks it, else None."""
        try:
            info = await self.xmpp.plugin["xep_0030"].get_info(jid=jid, timeout=PATIENCE_S)
        except (IqError, IqTimeout):
            return None
        return str(jid) if self.namespace in info["disco_info"]["features"] else None

    async def ask(self, kind, payload):
        """Sends an IQ of that kind with that element, and gives the element of the answer, or None."""
        iq = self.xmpp.make_iq(ito=await self.address(), itype=kind)
        iq.xml.append(payload)
        try:
            answer = await iq.send(timeout=PATIENCE_S)
        except IqError as error:
            raise Refused.of(error) from error
        return next(iter(answer.xml), None)

    def listen(self, name, handler):
        """Has a coroutine called with each message that has such an element, and the element."""

        async def handle(message):
            # A stranger's error may quote what we have sent.
            if message["type"] != "error":
                await handler(message, message.xml.find(self.tag(name)))

        title = f"{self.name} {name}"
        path = "{%s}message/%s" % (self.xmpp.default_ns, self.tag(name))
        self.xmpp.register_handler(CoroutineCallback(title, MatchXPath(path), handle))
        self._listening.append(title)

    async def is_from_service(self, message):
        return message["from"] == await self.address()

    def is_from_account(self, message, jid):
        """Whether the own server has sent it in the name of that account: nobody else sends from a bare address of it."""
        sender = message["from"]
        return self.is_own_host(sender) and not sender.resource and sender == jid

    def is_own_host(self, jid):
        return bool(jid.user) and jid.domain == self.xmpp.boundjid.domain

    def tag(self, name):
        """A name of the plugin's namespace, as ElementTree writes it."""
        return "{%s}%s" % (self.namespace, name)

    def paged(self, request, page):
        """The request with what is asked of a list: `max`, `after` and `before` of XEP-0059."""
        if page:
            wanted = ET.SubElement(request, RSM + "set")
            for name, value in page.items():
                ET.SubElement(wanted, RSM + name).text = str(value)
        return request

    def element(self, name, text=None, /, **attributes):
        """An element of the plugin's namespace, without the attributes that are None."""
        element = ET.Element(self.tag(name))
        element.text = text
        for attribute, value in attributes.items():
            if value is not None:
                element.set(attribute, str(value))
        return element
