"""Each result once, however many copies of it came, and in whatever parts of the record.

Copies of one result are one, however they are written (decision 120). Two contents under one id of
which nothing tells the newer are two: both are kept, whichever came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cds_service.core.elements import LabValue, Measured, NoValue, ResourceRef
from cds_service.core.model import InvalidResource, LabResult, Subject
from cds_service.core.results.comparable import laboratory_name
from cds_service.core.results.ranking import own_id
from cds_service.fhir.bundle import Entry
from cds_service.fhir.observation import ObservationReader
from cds_service.fhir.reference import comparable_base
from cds_service.fhir.wanted import Wanted

LabReading = LabResult | InvalidResource

_NO_REF, _NO_VALUE = ResourceRef(""), NoValue()


def each_once(entries: Sequence[Entry], reader: ObservationReader) -> Sequence[LabReading]:
    """What the entries say, without copies: a page that was sent and the search that was made again
    may hold one result, with addresses and a version here and without there.
    """
    found = [reader.read(entry) for entry in entries]
    if len({one.ref.resource for one in found}) == len(found):  # as mostly
        return found
    servers = {comparable_base(entry.server) for entry in entries if entry.server}
    several = len(servers) > 1  # two may give one id to two results
    kept: dict[object, LabReading] = {}
    for entry, one in zip(entries, found, strict=True):
        server = comparable_base(entry.server) if several else ()
        key = (server, _content(one)) if _is_named(one) else id(one)
        if one.ref.version >= kept.setdefault(key, one).ref.version:
            kept[key] = one
    return list(kept.values())


def _is_named(one: LabReading) -> bool:
    """Whether it is a valid result with an id, so that a copy of it can be told."""
    return isinstance(one, LabResult) and bool(own_id(one))


def beside(past: Sequence[LabReading], main: Sequence[LabReading]) -> Sequence[LabReading]:
    """What the record holds of the analyte beside the results to interpret, which may be its own
    (`past is main`). One that is not valid and stands among these too is told there.
    """
    if past is main:
        return ()
    told = frozenset(_content(one) for one in main if isinstance(one, InvalidResource))
    if not told:
        return past
    return [one for one in past if _content(one) not in told]


def strayed(
    strays: Sequence[LabReading], results: tuple[LabReading, ...], wanted: Wanted
) -> tuple[LabReading, ...]:
    """The results, with those of this patient that were sent among the other laboratory results.
    One that is not valid counts only by a code of the analyte.
    """
    invalid = (one for one in strays if isinstance(one, InvalidResource))
    ours = (
        one for one in invalid if any((c.system, c.code) in wanted.analyte for c in one.codings)
    )
    return (*results, *further(strays, than=results), *ours) if strays else results


def further(found: Iterable[LabReading], *, than: Iterable[LabReading]) -> tuple[LabResult, ...]:
    """Usable results of this patient, each once, without those already in `than`.

    Two results are the same if nothing but the version tells them apart; the last version by its
    text then stands for both. Where one id comes with two contents and nothing tells which is
    newer, both are kept, in whatever order they came, and the card says so (see `notes`).
    """
    usable = [one for one in found if isinstance(one, LabResult) and not is_foreign(one)]
    if not usable:  # as mostly; spares the keys of what is known
        return ()
    known = list(than)
    there = frozenset(_content(one) for one in known if isinstance(one, LabResult))
    invalid = (one.ref.resource for one in known if isinstance(one, InvalidResource))
    unread = frozenset(name for name in invalid if "/" in name)  # without an id it may be any
    new: dict[object, LabResult] = {}
    for item in usable:
        content = _content(item)
        if content in there or item.ref.resource in unread:
            continue
        if item.ref.version >= new.setdefault(content, item).ref.version:
            new[content] = item
    return tuple(new.values())


def is_foreign(item: LabReading) -> bool:
    """Whether a result belongs to another patient."""
    return isinstance(item, LabResult) and item.subject is Subject.ANOTHER_PATIENT


def _content(result: LabReading) -> object:
    """A key that is the same for two results if all but their versions is, and the address of their
    laboratory: where one came with its own address and the other without, that differs.
    """
    if isinstance(result, InvalidResource):
        return result.ref.resource, result.where, result.codings
    name = laboratory_name(result)
    bare = replace(result, ref=_NO_REF, value=_NO_VALUE, laboratory=name, laboratory_reference="")
    return result.ref.name, _same(result.value), bare


def _same(value: LabValue) -> object:
    """A key that is the same for two equal values, however many digits they were written with."""
    match value:
        case Measured(comparator, number, unit):
            return comparator, number.value, unit.code or unit.text
        case _:
            return value
