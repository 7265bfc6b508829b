"""Personal contacts: ``urn:parlour:contact:0``."""

from .colleague import Colleague
from .service import Page, Service

NS = "urn:parlour:contact:0"


class Contact(Service):
    """Adds and removes personal contacts, and lists them. Rosters change with them, as the roster of the client tells.

    A colleague is named by its bare JID; on the own host what stands before the ``@`` is enough.
    """

    name = "parlour_contact"
    description = "Parlour: personal contacts"
    namespace = NS

    async def contacts(self, **page):
        """A page of the personal contacts, each a :class:`Colleague`; `max`, `after` and `before` as in XEP-0059."""
        request = self.paged(self.element("contacts"), page)
        answer = await self.ask("get", request)
        return Page(Colleague.all(self, answer), answer)

    async def add(self, colleague):
        """Each has the other from now on."""
        await self.ask("set", self.element("add-contact", colleague=colleague))

    async def remove(self, colleague):
        """Neither has the other any more."""
        await self.ask("set", self.element("remove-contact", colleague=colleague))
