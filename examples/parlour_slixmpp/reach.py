"""How colleagues can be reached now: ``urn:parlour:reach:0``."""

from dataclasses import dataclass

from .service import Service

NS = "urn:parlour:reach:0"


@dataclass(frozen=True)
class Means:
    """A means of contact: instant-message, telephone, email or context.

    One that is open has a ``uri``; one that is not, the ``code`` of the refusal and its ``text``.
    """

    name: str
    uri: str | None = None
    code: str | None = None
    text: str | None = None

    @classmethod
    def of(cls, plugin, xml):
        refused = xml.find(plugin.tag("refused"))
        if refused is None:
            return cls(xml.get("name"), xml.get("uri"))
        return cls(xml.get("name"), None, refused.get("code"), refused.text)


@dataclass(frozen=True)
class Reached:
    """How a colleague is seen, and its means by their names."""

    jid: str
    view: str
    means: dict

    @classmethod
    def of(cls, plugin, xml):
        means = (Means.of(plugin, it) for it in xml.findall(plugin.tag("means")))
        return cls(xml.get("jid"), xml.get("view"), {it.name: it for it in means})


@dataclass(frozen=True)
class Contact:
    """Where a means leads, and the ``interaction`` in which the colleague is being called already, where the service does that."""

    uri: str
    interaction: str | None


@dataclass(frozen=True)
class Email:
    """An e-mail on its way, which has an ``id``, or the ``uri`` with which the agent sends it where the service has no relay."""

    id: str | None
    uri: str | None


@dataclass(frozen=True)
class EmailFailed:
    """An e-mail that could not be sent in the end."""

    id: str
    colleague: str
    subject: str
    why: str


class Reach(Service):
    """Tells how a colleague can be reached, and sends e-mail.

    Event: ``parlour_email_failed`` with :class:`EmailFailed`.
    """

    name = "parlour_reach"
    description = "Parlour: reaching colleagues"
    namespace = NS

    def plugin_init(self):
        self.listen("email-failed", self._failed)

    async def reach(self, colleague):
        """Every means of contact with a colleague: :class:`Reached`."""
        return Reached.of(self, await self.ask("get", self.element("reach", colleague=colleague)))

    async def contact_by(self, colleague, means):
        """One means: :class:`Contact`; :class:`Refused` where it is not open."""
        answer = await self.ask("set", self.element("contact-by", colleague=colleague, means=means))
        return Contact(answer.get("uri"), answer.get("interaction"))

    async def send_email(self, colleague, subject, text):
        """Sends an e-mail to the address in the colleague's vCard: :class:`Email`."""
        request = self.element("send-email", colleague=colleague)
        request.extend([self.element("subject", subject), self.element("text", text)])
        answer = await self.ask("set", request)
        return Email(answer.get("id"), answer.get("uri"))

    async def _failed(self, message, failed):
        if await self.is_from_service(message):
            subject, why = (failed.findtext(self.tag(part)) for part in ("subject", "why"))
            email = EmailFailed(failed.get("id"), failed.get("colleague"), subject, why)
            self.xmpp.event("parlour_email_failed", email)
