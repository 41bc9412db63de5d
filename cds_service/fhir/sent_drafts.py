"""The drafts of a `draftOrders` Bundle before any is read: which are worth it, which of them the
caller asks about, and what came of each. The same in whatever order they were sent.

https://hl7.org/fhir/R4/servicerequest.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cds_service.fhir.bundle import Entry
from cds_service.fhir.ranked import as_text
from cds_service.fhir.reference import Literal, target_of
from cds_service.fhir.shape import an_object
from cds_service.fhir.wanted import OF_COMPANIONS, Sort, Wanted, sort_of

REQUEST = "ServiceRequest"


@dataclass(frozen=True, slots=True)
class EveryDraft:
    """`order-sign`: all drafts are meant."""

    def takes(self, _entry: Entry) -> bool:
        """Whether the draft is meant."""
        return True

    def are_among(self, _entries: Iterable[Entry]) -> bool:
        """Never: what cannot be read as a resource is meant as well."""
        return False


@dataclass(frozen=True, slots=True)
class Selected:
    """`order-select`: the drafts of these names: `ServiceRequest/1`, its bare id, or a fullUrl."""

    names: frozenset[str]
    drafts: tuple[frozenset[str], ...] = ()
    """The names of each."""

    @classmethod
    def by(cls, references: Iterable[str]) -> Selected:
        """The drafts that a client names. They stand in the same Bundle, so server and version of a
        reference say nothing more.
        """
        drafts = tuple(frozenset({text, *_restful(text)}) for text in references)
        return cls(frozenset().union(*drafts), drafts)

    def takes(self, entry: Entry) -> bool:
        """Whether the draft was selected."""
        return not self.names.isdisjoint(_names(entry))

    def are_among(self, entries: Iterable[Entry]) -> bool:
        """Whether each draft that was selected is among these."""
        found = {name for entry in entries for name in _names(entry)}
        return not any(map(found.isdisjoint, self.drafts))


def _names(entry: Entry) -> set[str]:
    """What a draft may be called. Its id counts as it is written: if it is no FHIR id, the draft is
    not valid, and that must be told.
    """
    own = {entry.full_url, *_restful(entry.full_url)} - {""}
    if written := entry.resource.get("id"):
        own |= {f"{entry.kind}/{written}", str(written)}
    return own


def _restful(address: str) -> Iterator[str]:
    """`Type/id` at the end of an address, without server and version."""
    match target_of({"reference": address}):
        case Literal(type=kind, id=id_):
            yield f"{kind}/{id_}"
        case _:
            return


Meant = EveryDraft | Selected
"""Which drafts the caller asks about."""


@dataclass(frozen=True, slots=True)
class SentDraft:
    """What came of one draft and is worth reading, and what each is by its code."""

    contents: Sequence[tuple[Entry, Sort]]
    is_meant: bool
    """Whether the caller asks about it."""
    in_doubt: bool
    """Whether its id came with several contents, and nothing tells which is the newest."""

    @property
    def rank(self) -> tuple[bool, bool, int, str]:
        """Those asked about come first, since not all may be read; then the id decides."""
        name = self.contents[0][0].ref.resource
        is_beside = all(sort in OF_COMPANIONS for _, sort in self.contents)
        return not self.is_meant, is_beside, len(name), name


def drafts_in(entries: Iterable[Entry], meant: Meant, wanted: Wanted) -> Sequence[SentDraft]:
    """The ServiceRequests with a wanted or unreadable code, each draft once, in an order that does
    not depend on how they were sent.
    """
    by_name: dict[str, list[Entry]] = defaultdict(list)
    worth: set[str] = set()
    for entry in entries:
        if entry.kind == REQUEST:
            name = entry.ref.resource
            by_name[name].append(entry)
            if _sort_of(entry, wanted) is not Sort.OTHER:
                worth.add(name)
    sent = [one for name in worth for one in _drafts_of(name, by_name[name], meant, wanted)]
    return sorted(sent, key=lambda one: one.rank)


def _sort_of(entry: Entry, wanted: Wanted) -> Sort:
    return sort_of(entry.resource, wanted) if "code" in entry.resource else Sort.OTHER


def _drafts_of(
    name: str, same: Sequence[Entry], meant: Meant, wanted: Wanted
) -> Iterator[SentDraft]:
    """The drafts that came under one name: one where the name is an id. Of those without an id, all
    that can be told apart.
    """
    contents = _by_content(same)
    for copies in [contents] if "/" in name else [[each] for each in contents]:
        newest = [max(equal, key=_by_version) for equal in copies]
        worth = [
            (entry, sort) for entry in newest if (sort := _sort_of(entry, wanted)) is not Sort.OTHER
        ]
        if worth:
            is_meant = any(meant.takes(entry) for equal in copies for entry in equal)
            yield SentDraft(worth, is_meant, in_doubt=len(copies) > 1)


def _by_content(same: Sequence[Entry]) -> Sequence[Sequence[Entry]]:
    """The entries of one name, those together that hold the same but for their `meta` and, where
    they have no id, lie under one address; sorted by what they hold.
    """
    if len(same) == 1:
        return [same]
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in same:
        address = "" if "/" in entry.ref.resource else entry.full_url
        found[_content(entry), address].append(entry)
    return [equal for _, equal in sorted(found.items())]


def _content(entry: Entry) -> str:
    """What a draft holds but for its `meta`. The order of codes has no meaning
    (https://hl7.org/fhir/R4/datatypes.html#CodeableConcept).
    """
    content = {name: value for name, value in entry.resource.items() if name != "meta"}
    code = an_object(content.get("code"))
    if isinstance(given := code.get("coding"), list):
        content["code"] = {**code, "coding": sorted(given, key=as_text)}
    return as_text(content)


def _by_version(entry: Entry) -> tuple[str, str]:
    return entry.ref.version, entry.full_url
