"""What a Bundle holds, and by which names its resources can be found (see `scope`).

Nested Bundles are not opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from cds_service.core.elements import ResourceRef
from cds_service.core.json_object import JsonObject
from cds_service.core.model import InvalidResource
from cds_service.fhir.reference import base_of, comparable_url
from cds_service.fhir.shape import (
    a_text,
    an_id,
    an_object,
    is_mislabelled,
    is_type,
    type_of,
    version_of,
)

REFERRED_TO = frozenset(
    {"Medication", "Organization", "Patient", "RelatedPerson", "Specimen", "Substance"}
)
"""Types that something we read points at; only these are indexed."""
_MOST_MISFITS = 200
"""Most entries without a resource that are kept; a single one is enough to report the fault."""
MOST_MEANT = 20
"""Most resources under one name that are kept as what may be meant."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource. Its `#…` references are looked up in `container`: the resource itself or, if it
    is contained, the one that contains it.
    """

    resource: JsonObject
    full_url: str
    container: JsonObject
    kind: str
    """The resource's type, kept because it is asked for often."""
    container_url: str = ""
    """The fullUrl of the container, where the resource is contained."""

    @property
    def is_contained(self) -> bool:
        """Whether the resource lies in another one's `contained`."""
        return self.container is not self.resource

    @property
    def ref(self) -> ResourceRef:
        """`Type/id` and version, as far as they can be told.

        A contained resource has no identity of its own: `DiagnosticReport/12#a`.
        """
        if self.is_contained:
            outer = _name(type_of(self.container), self.container)
            return ResourceRef(f"{outer}#{an_id(self.resource.get('id'))}")
        return ResourceRef(_name(self.kind, self.resource), version_of(self.resource))

    @property
    def server(self) -> str:
        """The base address of the server that the resource is on, empty where nothing says so."""
        return base_of(self.full_url or self.container_url)

    @property
    def names(self) -> frozenset[str]:
        """The names by which others may point at the resource: `Type/id` and fullUrl."""
        return frozenset({self.ref.resource, self.full_url} - {""})


def _name(kind: str, resource: JsonObject) -> str:
    id_ = an_id(resource.get("id"))
    return f"{kind}/{id_}" if id_ else kind


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The reference leads to no resource that was given, or to more than one."""

    may_be: tuple[JsonObject, ...] = field(default=(), repr=False)
    """What it may mean all the same: each of several under the name, another version of it, or one
    that has the id on another server. At most MOST_MEANT.
    """
    one_of_them: bool = False
    """Whether it does mean one of these, since each bears the name itself."""


def meant(found: JsonObject | Unresolved) -> tuple[JsonObject, ...]:
    """What a name may mean: the one resource that bears it, or each of several."""
    return found.may_be if isinstance(found, Unresolved) else (found,)


def _are_all(found: JsonObject | Unresolved) -> bool:
    """Whether nothing else can be meant."""
    return found.one_of_them if isinstance(found, Unresolved) else True


class Names(dict[tuple[str, str], JsonObject | Unresolved]):
    """Resources by their type and one kind of name.

    The same resource may be there twice; two different ones under one name prove nothing.
    """

    def add(self, kind: str, name: str, resource: JsonObject | Unresolved) -> None:
        """Make a resource findable. It is compared with its namesake here, not at every look-up."""
        known = self.setdefault((kind, name), resource)
        if known is not resource and known != resource:
            each = {id(one): one for one in chain(meant(known), meant(resource))}
            are_all = len(each) <= MOST_MEANT and _are_all(known) and _are_all(resource)
            self[kind, name] = Unresolved(tuple(islice(each.values(), MOST_MEANT)), are_all)

    def add_all(self, others: Names) -> None:
        """Make all of the others findable here too."""
        for (kind, name), resource in others.items():
            self.add(kind, name, resource)


@dataclass(frozen=True, slots=True)
class Index:
    """Resources by their names."""

    by_url: Names = field(default_factory=Names)
    by_id: Names = field(default_factory=Names)
    """By `Type/id`, on whichever server."""
    of_no_server: Names = field(default_factory=Names)
    """By `Type/id`, those that do not say on which server they are: it may be any."""

    def add(self, entry: Entry) -> None:
        """Make the resource of an entry findable."""
        kind, resource, url = entry.kind, entry.resource, entry.full_url
        if url:
            self.by_url.add(kind, comparable_url(url), resource)
        if id_ := an_id(resource.get("id")):
            name = f"{kind}/{id_}"
            self.by_id.add(kind, name, resource)
            if not base_of(url):
                self.of_no_server.add(kind, name, resource)

    def add_all(self, other: Index) -> None:
        """Make all of another index findable here."""
        self.by_url.add_all(other.by_url)
        self.by_id.add_all(other.by_id)
        self.of_no_server.add_all(other.of_no_server)


@dataclass(frozen=True, slots=True)
class Document:
    """A Bundle or a single resource, opened. `misfits`: the first entries that are no resource."""

    entries: tuple[Entry, ...] = ()
    misfits: tuple[InvalidResource, ...] = ()
    index: Index = field(default_factory=Index)

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing at all."""
        return not (self.entries or self.misfits)

    def is_of(self, types: frozenset[str]) -> bool:
        """Whether it holds a resource of these types, or nothing but OperationOutcomes, which are
        about the search; true of an empty one as well.
        """
        return (
            self.is_empty
            or any(entry.kind in types for entry in self.entries)
            or {entry.kind for entry in self.entries} == {"OperationOutcome"}
        )


_NOTHING = Document()


def open_document(document: JsonObject) -> Document:
    """The entries of a Bundle, or a single resource as the one entry. Nothing for `{}`."""
    if not document:
        return _NOTHING
    kind = type_of(document)
    if not is_type(kind):
        return Document(misfits=(_misfit("Bundle.resourceType"),))
    if kind != "Bundle":
        return _document([Entry(document, "", document, kind)], [])
    items = document.get("entry", [])
    if not isinstance(items, list) or is_mislabelled(document):
        return Document(misfits=(_misfit("Bundle.entry"),))
    return _bundle(items)


def _bundle(items: Sequence[object]) -> Document:
    """Open the entries of a Bundle. One that has no resource because it only reports, say, a
    deletion is passed over.
    """
    entries: list[Entry] = []
    misfits: list[InvalidResource] = []
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            if len(misfits) < _MOST_MISFITS:
                misfits.append(_misfit(f"Bundle.entry[{position}]"))
            continue
        resource = item.get("resource")
        if "resource" not in item and _only_reports(item):
            continue
        if isinstance(resource, dict) and is_type(kind := type_of(resource)):
            entries.append(Entry(resource, a_text(item.get("fullUrl")), resource, kind))
        elif len(misfits) < _MOST_MISFITS:
            misfits.append(_misfit(f"Bundle.entry[{position}].resource"))
    return _document(entries, misfits)


def _only_reports(item: JsonObject) -> bool:
    """Whether an entry may lack a resource (bdl-5, https://hl7.org/fhir/R4/bundle.html)."""
    about_the_search = an_object(item.get("search")).get("mode") == "outcome"
    return "request" in item or "response" in item or about_the_search


def _document(entries: Sequence[Entry], misfits: Sequence[InvalidResource]) -> Document:
    return Document(tuple(entries), tuple(misfits), index_of(entries))


def index_of(entries: Iterable[Entry]) -> Index:
    """An index of those entries that other resources may point at."""
    index = Index()
    for entry in entries:
        if entry.kind in REFERRED_TO:
            index.add(entry)
    return index


def index_of_all(documents: Iterable[Document]) -> Index:
    """One index of all documents. Mostly one alone holds something to point at."""
    filled = [each.index for each in documents if each.index.by_url or each.index.by_id]
    if len(filled) == 1:
        return filled[0]
    index = Index()
    for each in filled:
        index.add_all(each)
    return index


def _misfit(where: str) -> InvalidResource:
    return InvalidResource(ResourceRef("Bundle"), where)
