"""The directory of colleagues: ``urn:parlour:directory:0``."""

from dataclasses import dataclass

from .colleague import Colleague
from .service import Page, Service

NS = "urn:parlour:directory:0"


@dataclass(frozen=True)
class Found:
    """Who was found. Where it is not ``complete`` there may be more: on the next page, or by one letter more.

    ``colleagues`` is a page, behind whose ``last`` the next one is."""

    colleagues: list
    complete: bool


class Directory(Service):
    """Finds colleagues by the beginnings of their names."""

    name = "parlour_directory"
    description = "Parlour: directory of colleagues"
    namespace = NS

    async def search(self, text, views=(), **page):
        """Gives :class:`Found`. `text` has three letters at least; `views` are those of the colleagues who are meant, all if there are none.

        `max`, `after` and `before` as in XEP-0059.
        """
        request = self.element("search")
        request.append(self.element("text", text))
        request.extend([self.element("view", view) for view in views])
        answer = await self.ask("get", self.paged(request, page))
        found = Page(Colleague.all(self, answer), answer)
        return Found(found, found.complete)
