"""Colleagues in lists, which look alike in several namespaces."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colleague:
    """What is seen of a colleague: ``view`` is online, busy or offline, ``status`` the same in words with the reason."""

    jid: str
    view: str
    status: str
    name: str | None = None
    nickname: str | None = None

    @classmethod
    def of(cls, plugin, xml):
        status, name, nickname = (xml.findtext(plugin.tag(part)) for part in ("status", "name", "nickname"))
        return cls(xml.get("jid"), xml.get("view"), status, name, nickname)

    @classmethod
    def all(cls, plugin, xml):
        return [cls.of(plugin, it) for it in xml.findall(plugin.tag("colleague"))]
