"""Which of several results is the newer, and which of them are versions of one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from cds_service.core.dates import is_ahead, when_taken
from cds_service.core.elements import (
    Bound,
    Comparator,
    LabValue,
    Measured,
    Moment,
    NoMoment,
    NotNumeric,
    NoValue,
    ReferenceRange,
)
from cds_service.core.model import LabResult

Time = tuple[datetime, datetime]
"""Moments of collection and issue, by which results are put in order."""
_Size = tuple[Decimal, int, str]
Rank = tuple[datetime, datetime, int, str, str, _Size, Decimal]

_NEVER = datetime.min.replace(tzinfo=UTC)
_NO_NUMBER = Decimal("-Infinity")
_UPWARDS = (
    Comparator.LESS,
    Comparator.AT_MOST,
    Comparator.EXACT,
    Comparator.AT_LEAST,
    Comparator.MORE,
)


def rank_of(result: LabResult, at: date) -> Rank:
    """The rank of a result among others: the higher, the newer. By collection, then issue; unknown
    and impossible dates count as the oldest. Ties are broken by version (`9` before `10`), by id,
    and between two contents under one id by the number, then by the range. So the choice never
    depends on the order of arrival, and neither the lower of two such values nor the wider of two
    such ranges, which reassure, is preferred.
    """
    return (
        _order(when_taken(result, at)),
        _order(NoMoment() if is_ahead(result.issued, at) else result.issued),
        len(result.ref.version),
        result.ref.version,
        result.ref.resource,
        _size(result.value),
        _strictness(result.ranges),
    )


def _size(value: LabValue) -> _Size:
    """A key that orders two values: the number as sent, whatever its unit; then the comparator, and
    the unit or the reason why there is no number.
    """
    match value:
        case Measured(comparator, number, unit):
            return number.value, _UPWARDS.index(comparator), unit.code or unit.text
        case NoValue(told) | NotNumeric(told):
            return _NO_NUMBER, 0, told


def _strictness(ranges: Iterable[ReferenceRange]) -> Decimal:
    """The higher, the lower the least upper end of these ranges lies; least where there is none."""
    ends = [row.high.number.value for row in ranges if isinstance(row.high, Bound)]
    return -min(ends, default=Decimal("Infinity"))


def _order(moment: Moment | NoMoment) -> datetime:
    match moment:
        case Moment(order=order):
            return order
        case NoMoment():
            return _NEVER


def is_another(one: LabResult, other: LabResult) -> bool:
    """Whether these are two results: of different ids or, without an id, of different content."""
    if one is other:  # the usual case
        return False
    if one.ref.resource != other.ref.resource:
        return True
    return not _is_an_id(one.ref.resource) and one != other


def is_version_of(one: LabResult, other: LabResult) -> bool:
    """Whether the two share an id of their own. Of results without an id, or contained ones, nobody
    can tell that they are the same.
    """
    name = own_id(one)
    return bool(name) and name == other.ref.resource


def own_id(result: LabResult) -> str:
    """The reference that versions of a result share: one by an id of its own; else empty."""
    name = result.ref.resource
    return name if _is_an_id(name) else ""


def in_doubt(results: Iterable[tuple[LabResult, str]]) -> frozenset[str]:
    """The names under which there are two values, or two specimen kinds, since nothing told which
    version is newer. Each result comes with its specimen kind, empty where none is settled.
    """
    values: dict[str, LabValue] = {}
    kinds: dict[str, str] = {}
    return frozenset(
        name
        for result, kind in results
        if _is_an_id(name := result.ref.name)
        and (
            result.value != values.setdefault(name, result.value)
            or (kind and kind != kinds.setdefault(name, kind))
        )
    )


def _is_an_id(name: str) -> bool:
    """Whether a reference names a resource by an id of its own: not `Observation`, nor `…#a`."""
    return "/" in name and "#" not in name
