"""The pages of one search, gathered into one Bundle (https://hl7.org/fhir/R4/http.html#paging)."""

from __future__ import annotations

from cds_service.core.card import JsonObject


class Pages:
    """The pages read so far; `next_link` is empty after the last one."""

    def __init__(self, first: JsonObject, size: int) -> None:
        self.bytes_read = size
        self.seen: set[str] = set()
        self.entries: list[JsonObject] = list(first.get("entry", []))
        self.next_link = _next_link(first)
        self._first = first

    @property
    def count(self) -> int:
        """How many pages were read."""
        return len(self.seen) + 1

    def add(self, bundle: JsonObject, size: int) -> None:
        """Take the page that `next_link` led to."""
        self.seen.add(self.next_link)
        self.bytes_read += size
        self.entries.extend(bundle.get("entry", []))
        self.next_link = _next_link(bundle)

    def merged(self) -> JsonObject:
        """One Bundle of all pages; it keeps a `next` link that was not followed, and no other."""
        bundle = {name: value for name, value in self._first.items() if name != "link"}
        if self.entries:
            bundle["entry"] = self.entries
        if self.next_link:
            bundle["link"] = [{"relation": "next", "url": self.next_link}]
        return bundle


def is_page(bundle: JsonObject) -> bool:
    """Whether this Bundle is a page of a search, as far as paging needs to know."""
    entries = bundle.get("entry", [])
    return bundle.get("type") == "searchset" and (
        isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    )


def _next_link(bundle: JsonObject) -> str:
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next":
            return str(link.get("url", ""))
    return ""
