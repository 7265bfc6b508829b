"""Customers: ``urn:parlour:customer:0``."""

from dataclasses import dataclass, field

from .service import Page, Service

NS = "urn:parlour:customer:0"


def _name(tag):
    return "{%s}%s" % (NS, tag)


@dataclass(frozen=True)
class Customer:
    """A person or company outside. From ``id`` on it is the server's; ``merged_into`` is who stands for one that is merged."""

    name: str | None = None
    company: str | None = None
    telephones: list = field(default_factory=list)
    emails: list = field(default_factory=list)
    crm_id: str | None = None
    url: str | None = None
    id: str | None = None
    version: int | None = None
    created: str | None = None
    merged_into: str | None = None

    @classmethod
    def of(cls, xml):
        version = xml.get("version")
        return cls(
            *(xml.findtext(_name(name)) for name in ("name", "company")),
            *([it.text for it in xml.findall(_name(name))] for name in ("telephone", "email")),
            *(xml.get(name) for name in ("crm-id", "url", "id")),
            int(version) if version else None,
            *(xml.get(name) for name in ("created", "merged-into")),
        )

    @classmethod
    def all(cls, xml):
        """Those in an element."""
        return [cls.of(it) for it in xml.findall(_name("customer"))]


@dataclass(frozen=True)
class Found:
    """Who was found. Where it is not ``complete`` there may be more behind ``last``, also where nobody was found yet."""

    customers: list
    complete: bool
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class Entry:
    """Something in the history of a customer. ``kind`` says of which plugin ``id`` is."""

    kind: str
    id: str
    title: str
    summary: str | None = None
    at: str | None = None
    agent: str | None = None
    state: str | None = None

    @classmethod
    def of(cls, xml):
        return cls(
            *(xml.get(name) for name in ("kind", "id")),
            *(xml.findtext(_name(name)) for name in ("title", "summary")),
            *(xml.get(name) for name in ("at", "agent", "state")),
        )


@dataclass(frozen=True)
class History:
    """Some of what there is, the newest first. Where it is not ``complete`` the rest is behind ``last``, and what is newer before ``first``."""

    entries: list
    complete: bool
    first: str | None
    last: str | None


class Customers(Service):
    """Looks customers up and keeps them. Where nothing else is said, a method gives the :class:`Customer`."""

    name = "parlour_customer"
    description = "Parlour: customers"
    namespace = NS

    async def find(self, address):
        """All customers with that whole number or e-mail address."""
        return Customer.all(await self.ask("get", self.element("find", address=address)))

    async def search(self, text, **page):
        """Gives :class:`Found`: by the beginning of a name, a number or an address. `max`, `after` and `before` as in XEP-0059."""
        request = self.element("search")
        request.append(self.element("text", text))
        answer = await self.ask("get", self.paged(request, page))
        page = Page(Customer.all(answer), answer)
        return Found(page, page.complete, page.first, page.last)

    async def customer(self, id):
        return Customer.of(await self.ask("get", self.element("customer", id=id)))

    async def history(self, id, **page):
        """Gives a :class:`History`. `max`, `after` and `before` as in XEP-0059."""
        answer = await self.ask("get", self.paged(self.element("history", id=id), page))
        page = Page([Entry.of(it) for it in answer.findall(_name("entry"))], answer)
        return History(page, page.complete, page.first, page.last)

    async def export(self, id):
        """The customer as a vCard: an element of RFC 6351."""
        return await self.ask("get", self.element("export", id=id))

    async def create(self, customer):
        return Customer.of(await self.ask("set", self._written("create", customer)))

    async def edit(self, customer):
        """Writes the record anew: what the given one lacks is taken away. Its version is the one that was read."""
        request = self._written("edit", customer)
        request.set("id", customer.id)
        request.set("version", str(customer.version))
        return Customer.of(await self.ask("set", request))

    async def merge(self, customer, other):
        """Of two that are one, the first stands for both from then on."""
        request = self.element("merge", id=customer.id, version=customer.version, other=other.id)
        request.set("other-version", str(other.version))
        return Customer.of(await self.ask("set", request))

    def _written(self, name, customer):
        request = self.element(name)
        parts = [("name", customer.name), ("company", customer.company)]
        parts += [("telephone", it) for it in customer.telephones]
        parts += [("email", it) for it in customer.emails]
        request.extend([self.element(part, value) for part, value in parts if value])
        for attribute, value in (("crm-id", customer.crm_id), ("url", customer.url)):
            if value:
                request.set(attribute, value)
        return request
