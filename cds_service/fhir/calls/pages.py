"""The pages of one search, gathered into one Bundle (https://hl7.org/fhir/R4/http.html#paging)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.core.json_object import JsonObject
from cds_service.fhir.shape import a_text, objects


@dataclass(frozen=True, slots=True)
class Next:
    """There is a further page. Its address is empty where the link names none."""

    url: str


@dataclass(frozen=True, slots=True)
class LastPage:
    """There is no further page."""


class Pages:
    """The pages read so far, and what the last of them leads to."""

    def __init__(self, first: JsonObject, size: int) -> None:
        self.bytes_read = size
        self.seen: set[str] = set()
        self.entries: list[JsonObject] = list(first.get("entry", []))
        self.leads_to = leads_to(first)
        self._first = first
        self._totals = [*_total(first)]

    @property
    def count(self) -> int:
        """How many pages were read."""
        return len(self.seen) + 1

    def add(self, url: str, bundle: JsonObject, size: int) -> None:
        """Take the page that was read at this address."""
        self.seen.add(url)
        self.bytes_read += size
        self.entries.extend(bundle.get("entry", []))
        self.leads_to = leads_to(bundle)
        self._totals += _total(bundle)

    def merged(self) -> JsonObject:
        """One Bundle of the pages so far; it keeps a `next` link that was not followed, and no
        other. Its `total` is the highest of all pages: some servers count on while they answer, and
        say the number on a later page only. Pages that are added later do not change it.
        """
        bundle = {name: value for name, value in self._first.items() if name != "link"}
        if self._totals:
            bundle["total"] = max(self._totals)
        if self.entries:
            bundle["entry"] = list(self.entries)
        if isinstance(self.leads_to, Next):
            bundle["link"] = [{"relation": "next", "url": self.leads_to.url}]
        return bundle


def _total(page: JsonObject) -> Iterator[int]:
    """The number of all matches, where a page says it."""
    if isinstance(total := page.get("total"), int):
        yield total


def is_page(bundle: JsonObject) -> bool:
    """Whether this Bundle is a page of a search, as far as paging needs to know."""
    entries = bundle.get("entry", [])
    return bundle.get("type") == "searchset" and (
        isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    )


def leads_to(bundle: JsonObject) -> Next | LastPage:
    """What follows this page of a search."""
    for link in objects(bundle.get("link")):
        if link.get("relation") == "next":
            return Next(a_text(link.get("url")))
    return LastPage()
