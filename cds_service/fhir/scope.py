"""How a reference finds its resource among the documents that are read together.

Nothing outside them is ever looked up: https://hl7.org/fhir/R4/bundle.html#references.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cds_service.core.elements import Moment, NoMoment, SpecimenGiven
from cds_service.core.json_object import JsonObject
from cds_service.fhir.bundle import Entry, Index, Names, Unresolved, meant
from cds_service.fhir.reference import (
    Fragment,
    Literal,
    NoLiteral,
    NotAnAddress,
    Target,
    Urn,
    address_on,
    may_be_on,
    target_of,
)
from cds_service.fhir.shape import a_text, objects, type_of, version_of
from cds_service.fhir.validate import Checks

_NOWHERE = Unresolved()


@dataclass(frozen=True, slots=True)
class Scope:
    """One document among those that are read together.

    References are looked up in its own index, then among all documents, where two different
    resources under one name prove nothing, whichever came first. What many results may share is
    found out once: the content of a container, the verdict on a resource and the reading of a
    Specimen.
    """

    own: Index
    everywhere: Index = field(default_factory=Index)
    """Of all documents; may be left out where there is no other."""
    fhir_base: str = ""
    checks: Checks = field(default_factory=Checks)
    specimens: dict[object, tuple[SpecimenGiven, Moment | NoMoment]] = field(default_factory=dict)
    """What each Specimen was read as, by its identity; where it is uncertain which is meant, by
    their codes (see `specimen`).
    """
    alike: dict[SpecimenGiven, SpecimenGiven] = field(default_factory=dict)
    """One object for all Specimens that say the same but for the time: so they are compared once,
    however many results refer to them.
    """
    _contained: dict[int, Names] = field(default_factory=dict)

    def resolve(self, reference: JsonObject, kind: str, entry: Entry) -> JsonObject | Unresolved:
        """The one resource of type `kind` that a reference standing in `entry` leads to."""
        target = target_of(reference)
        for names, name in self._places(target, entry):
            if (kind, name) in names:
                return _in_version(names[kind, name], target)
        return self._elsewhere(target, kind)

    def _elsewhere(self, target: Target, kind: str) -> Unresolved:
        """What has the id that a reference names, on whichever server."""
        match target:
            case Literal(type=type_, id=id_):
                key = kind, f"{type_}/{id_}"
                namesakes = self.everywhere.by_id.get(key) or self.own.by_id.get(key, _NOWHERE)
                return Unresolved(meant(namesakes))
            case _:
                return _NOWHERE

    def _places(self, target: Target, entry: Entry) -> Iterator[tuple[Names, str]]:
        """Where to look, and under which name. A reference without a base means the server of the
        entry that it stands in (https://hl7.org/fhir/R4/bundle.html#references).
        """
        places = self.own, self.everywhere
        match target:
            case Fragment(id_):
                yield self._inside(entry.container), id_
            case Urn(text):
                yield from ((index.by_url, text) for index in places)
            case Literal(base, type_, id_, _):
                name, server = f"{type_}/{id_}", base or entry.server
                if not server:
                    yield from ((index.by_id, name) for index in places)
                    return
                there = address_on(server, type_, id_)
                yield from ((index.by_url, there) for index in places)
                if may_be_on(self.fhir_base, base):
                    yield from ((index.of_no_server, name) for index in places)
            case NoLiteral() | NotAnAddress():
                return

    def _inside(self, container: JsonObject) -> Names:
        """What a container holds, by id."""
        if id(container) not in self._contained:
            names = self._contained[id(container)] = Names()
            for inner in objects(container.get("contained")):
                if name := a_text(inner.get("id")):
                    names.add(type_of(inner), name, inner)
        return self._contained[id(container)]


def _in_version(found: JsonObject | Unresolved, target: Target) -> JsonObject | Unresolved:
    """The resource found, unless the reference names another version of it."""
    match target:
        case Literal(version=version) if version:
            named = meant(found)
            is_it = all(version_of(one) in ("", version) for one in named)
            return found if is_it else Unresolved(named)
        case _:
            return found
