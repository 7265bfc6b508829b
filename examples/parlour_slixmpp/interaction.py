"""Interactions with customers: ``urn:parlour:interaction:0``."""

from dataclasses import dataclass, field

from .customer import Customer
from .service import ET, Page, Service

NS = "urn:parlour:interaction:0"


def _name(tag):
    return "{%s}%s" % (NS, tag)


@dataclass(frozen=True)
class Participant:
    """An agent who takes part: ``role`` is primary, consulted or conferenced, ``leg`` offered, connected or wrap-up."""

    agent: str
    role: str
    leg: str
    since: str | None


@dataclass(frozen=True)
class Interaction:
    """An interaction as the agent sees it.

    ``line`` says how the customer is: offered, dialing, connected, held or over. ``role`` and ``leg`` are the agent's own, ``deadline`` says until
    when to answer. ``pending`` is what the connector is asked for and has not done yet.
    """

    id: str
    version: int
    medium: str
    direction: str
    address: str
    line: str
    role: str | None = None
    leg: str | None = None
    deadline: str | None = None
    pending: str | None = None
    queue: str | None = None
    customer: str | None = None
    interrupted: bool = False
    began: str | None = None
    participants: list = field(default_factory=list)
    data: dict = field(default_factory=dict)

    @classmethod
    def of(cls, xml):
        parts = xml.findall(_name("participant"))
        names = ("agent", "role", "leg", "since")
        return cls(
            xml.get("id"),
            int(xml.get("version")),
            *(xml.get(name) for name in ("medium", "direction", "address", "line")),
            *(xml.get(name) for name in ("role", "leg", "deadline", "pending", "queue", "customer")),
            xml.get("interrupted") in ("true", "1"),
            xml.get("began"),
            [Participant(*(part.get(name) for name in names)) for part in parts],
            {it.get("name"): it.text or "" for it in xml.findall(_name("data"))},
        )


@dataclass(frozen=True)
class Change:
    """An interaction as it is now. ``text`` is what the agent reads of it, None where it misses nothing."""

    interaction: Interaction
    text: str | None


@dataclass(frozen=True)
class Pop:
    """Who is known under the address of an interaction that is offered: ``match`` is none, single or multiple."""

    interaction: str
    match: str
    address: str
    customers: list

    @classmethod
    def of(cls, xml):
        return cls(*(xml.get(name) for name in ("interaction", "match", "address")), Customer.all(xml))


class Interactions(Service):
    """Takes interactions and does what belongs to them. Where nothing else is said, a method gives the :class:`Interaction`.

    What the connector has to do is done when a :class:`Change` says so; the answer shows it as ``pending``.

    Events: ``parlour_interaction`` with :class:`Change`, ``parlour_screen_pop`` with :class:`Pop`, ``parlour_focus`` with the id of the
    interaction that is in front on another device.
    """

    name = "parlour_interaction"
    description = "Parlour: interactions"
    namespace = NS

    def plugin_init(self):
        # The screen pop and the interaction come in one message: who calls is known before it is told that somebody does.
        self.listen("screen-pop", self._popped)
        self.listen("interaction", self._changed)
        self.listen("focus", self._focused)

    async def accept(self, id):
        return await self._want("accept", id)

    async def reject(self, id):
        return await self._want("reject", id)

    async def hold(self, id):
        return await self._want("hold", id)

    async def resume(self, id):
        return await self._want("resume", id)

    async def end(self, id):
        """For everybody."""
        return await self._want("end", id)

    async def transfer(self, id, colleague=None, queue=None):
        """Either to a colleague or to a queue."""
        return await self._want("transfer", id, colleague=colleague, queue=queue)

    async def consult(self, id, colleague=None):
        """By voice; without a colleague the one who is consulted about it by instant messages."""
        return await self._want("consult", id, colleague=colleague)

    async def retrieve(self, id):
        """The customer back, and the consultation over."""
        return await self._want("retrieve", id)

    async def complete_transfer(self, id):
        """The consulted colleague takes over."""
        return await self._want("complete-transfer", id)

    async def conference(self, id, colleague=None):
        """With the consulted colleague, or with one who is named."""
        return await self._want("conference", id, colleague=colleague)

    async def leave(self, id):
        """The others stay."""
        return await self._want("leave", id)

    async def dial(self, address=None, customer=None, medium=None, connector=None, object=None):
        """Calls an address, or a customer at the first one. `object` is the type of what the agent calls from."""
        request = self.element(
            "dial", address=address, customer=customer, medium=medium, connector=connector, object=object
        )
        return Interaction.of(await self.ask("set", request))

    async def attach(self, id, data):
        """Data for everybody who takes part, by name; an empty value takes one away."""
        request = self.element("attach", interaction=id)
        for name, value in data.items():
            ET.SubElement(request, self.tag("data"), name=name).text = value
        return Interaction.of(await self.ask("set", request))

    async def identify(self, id, customer):
        """Says who the customer is, by the customer's id."""
        return await self._want("identify", id, customer=customer)

    async def finish_wrap_up(self, id):
        return await self._want("finish-wrap-up", id)

    async def focus(self, id):
        """It is in front now, on the agent's other devices, too."""
        return await self._want("focus", id)

    async def interaction(self, id):
        return Interaction.of(await self.ask("get", self.element("interaction", interaction=id)))

    async def interactions(self, **page):
        """A page of the agent's own that are open; `max`, `after` and `before` as in XEP-0059."""
        answer = await self.ask("get", self.paged(self.element("interactions"), page))
        return Page([Interaction.of(it) for it in answer.findall(self.tag("interaction"))], answer)

    async def _want(self, name, id, **attributes):
        request = self.element(name, interaction=id, **attributes)
        return Interaction.of(await self.ask("set", request))

    async def _popped(self, message, pop):
        if await self.is_from_service(message):
            self.xmpp.event("parlour_screen_pop", Pop.of(pop))

    async def _changed(self, message, interaction):
        if await self.is_from_service(message):
            self.xmpp.event("parlour_interaction", Change(Interaction.of(interaction), message["body"] or None))

    async def _focused(self, message, focus):
        if await self.is_from_service(message):
            self.xmpp.event("parlour_focus", focus.get("interaction"))
