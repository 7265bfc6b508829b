"""What the plugins have in common: they find the service, ask it, and understand its refusals."""

from slixmpp.exceptions import IqError
from slixmpp.plugins import BasePlugin
from slixmpp.xmlstream import ET

ERRORS = "urn:parlour:errors:0"

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


class Service(BasePlugin):
    """A plugin that asks the contact center of the own host.

    ``namespace`` is that of its requests. The address is found by service discovery once, unless the configuration of the plugin has one as ``service``.
    """

    dependencies = {"xep_0030"}
    default_config = {"service": None}
    namespace = None

    async def address(self):
        """The address of the service; LookupError where the host has none."""
        if self.service is None:
            disco = self.xmpp.plugin["xep_0030"]
            items = await disco.get_items(jid=self.xmpp.boundjid.domain, timeout=PATIENCE_S)
            for jid, _, _ in items["disco_items"]["items"]:
                info = await disco.get_info(jid=jid, timeout=PATIENCE_S)
                if self.namespace in info["disco_info"]["features"]:
                    self.service = str(jid)
                    break
            else:
                raise LookupError(f"nobody here speaks {self.namespace}")
        return self.service

    async def ask(self, kind, payload):
        """Sends an IQ of that kind with that element, and gives the element of the answer, or None."""
        iq = self.xmpp.make_iq(ito=await self.address(), itype=kind)
        iq.xml.append(payload)
        try:
            answer = await iq.send(timeout=PATIENCE_S)
        except IqError as error:
            raise Refused.of(error) from error
        return next(iter(answer.xml), None)

    def element(self, name, text=None, /, **attributes):
        """An element of the plugin's namespace, without the attributes that are None."""
        element = ET.Element("{%s}%s" % (self.namespace, name))
        element.text = text
        for attribute, value in attributes.items():
            if value is not None:
                element.set(attribute, str(value))
        return element
