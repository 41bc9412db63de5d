"""What a Bundle holds, and how its resources find each other. Nothing outside is ever looked up.

https://hl7.org/fhir/R4/bundle.html#references. Nested Bundles are not opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cds_service.core.card import JsonObject
from cds_service.core.model import InvalidResource, ResourceRef
from cds_service.fhir.reference import (
    Fragment,
    Literal,
    NoLiteral,
    NotAnAddress,
    Target,
    Urn,
    base_of,
    same_base,
    target_of,
)
from cds_service.fhir.shape import a_text, an_id, objects, type_of, version_of

_REFERRED_TO = frozenset({"Medication", "Organization", "Patient", "Specimen"})
"""Types that something we read points at; only these are indexed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource. `container` holds what its `#…` references mean: usually the resource itself,
    for a contained resource the one that contains it.
    """

    resource: JsonObject
    full_url: str
    container: JsonObject
    kind: str
    """The resource's type: asked for often, so told once."""

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
            outer = _name(self.container)
            return ResourceRef(f"{outer}#{an_id(self.resource.get('id'))}")
        return ResourceRef(_name(self.resource), version_of(self.resource))

    @property
    def names(self) -> frozenset[str]:
        """The names by which others may point at the resource: `Type/id` and fullUrl."""
        return frozenset({self.ref.resource, self.full_url} - {""})


def _name(resource: JsonObject) -> str:
    kind, id_ = type_of(resource), an_id(resource.get("id"))
    return f"{kind}/{id_}" if id_ else kind


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The reference leads to no resource that was given, or to more than one."""


@dataclass(frozen=True, slots=True)
class Index:
    """The resources of one document by address and by `Type/id`."""

    by_url: dict[str, list[JsonObject]] = field(default_factory=dict)
    by_id: dict[tuple[str, str], list[JsonObject]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Make the resource of an entry findable."""
        if entry.full_url:
            self.by_url.setdefault(entry.full_url, []).append(entry.resource)
        if id_ := an_id(entry.resource.get("id")):
            self.by_id.setdefault((entry.kind, id_), []).append(entry.resource)


@dataclass(frozen=True, slots=True)
class Document:
    """A Bundle or a single resource, opened. `misfits` are entries that are no resource at all."""

    entries: tuple[Entry, ...] = ()
    misfits: tuple[InvalidResource, ...] = ()
    index: Index = field(default_factory=Index)

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing at all."""
        return not (self.entries or self.misfits)

    def is_of(self, types: frozenset[str]) -> bool:
        """Whether it holds any resource of these types, or nothing at all."""
        return self.is_empty or any(entry.kind in types for entry in self.entries)


def open_document(document: JsonObject) -> Document:
    """The entries of a Bundle, or a single resource as the one entry. Nothing for `{}`."""
    if not document:
        return Document()
    kind = type_of(document)
    if not kind:
        return Document(misfits=(_misfit("Bundle.resourceType"),))
    if kind != "Bundle":
        return _document([Entry(document, "", document, kind)], [])
    items = document.get("entry", [])
    return (
        _bundle(items) if isinstance(items, list) else Document(misfits=(_misfit("Bundle.entry"),))
    )


def _bundle(items: Sequence[object]) -> Document:
    """An entry without a resource is nothing: it only reports, say, a deletion."""
    entries: list[Entry] = []
    misfits: list[InvalidResource] = []
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            misfits.append(_misfit(f"Bundle.entry[{position}]"))
            continue
        resource = item.get("resource", {})
        if isinstance(resource, dict) and (kind := type_of(resource)):
            entries.append(Entry(resource, a_text(item.get("fullUrl")), resource, kind))
        elif "resource" in item:
            misfits.append(_misfit(f"Bundle.entry[{position}].resource"))
    return _document(entries, misfits)


def _document(entries: Sequence[Entry], misfits: Sequence[InvalidResource]) -> Document:
    index = Index()
    for entry in entries:
        if entry.kind in _REFERRED_TO:
            index.add(entry)
    return Document(tuple(entries), tuple(misfits), index)


def _misfit(where: str) -> InvalidResource:
    return InvalidResource(ResourceRef("Bundle"), where)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where references of one document are looked up: in itself, then in the other documents."""

    own: Index
    others: tuple[Index, ...] = ()
    fhir_base: str = ""

    def resolve(self, reference: JsonObject, kind: str, entry: Entry) -> JsonObject | Unresolved:
        """The one resource of type `kind` that a reference standing in `entry` leads to."""
        target = target_of(reference)
        for candidates in self._candidates(target, entry):
            of_kind = [found for found in candidates if type_of(found) == kind]
            if of_kind:
                return _the_only(of_kind, target)
        return Unresolved()

    def _candidates(self, target: Target, entry: Entry) -> Iterator[Sequence[JsonObject]]:
        indexes = (self.own, *self.others)
        match target:
            case Fragment(id_):
                inside = objects(entry.container.get("contained"))
                yield [found for found in inside if found.get("id") == id_]
            case Urn(text):
                yield from (index.by_url.get(text, []) for index in indexes)
            case Literal(base, type_, id_, _):
                near = base or base_of(entry.full_url)
                yield from (index.by_url.get(f"{near}/{type_}/{id_}", []) for index in indexes)
                if not (base and self.fhir_base) or same_base(base, self.fhir_base):
                    yield from (index.by_id.get((type_, id_), []) for index in indexes)
            case NoLiteral() | NotAnAddress():
                return


def _the_only(found: Sequence[JsonObject], target: Target) -> JsonObject | Unresolved:
    """The same resource may be there twice; two different ones under one name prove nothing."""
    first = found[0]
    if any(other != first for other in found[1:]):
        return Unresolved()
    match target:
        case Literal(version=version) if version and version_of(first) not in ("", version):
            return Unresolved()
    return first
