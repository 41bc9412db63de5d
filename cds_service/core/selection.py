"""Which results are to be interpreted: one per specimen kind, the newest that is final.

Several results of one specimen kind are a series. Whatever may be newer than the newest final one
is named beside it; one that is preliminary is never interpreted in its place (unless the site says
so).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from cds_service.core.dates import is_ahead, named_date, when_taken, wholly_before
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import (
    Comparator,
    LabResult,
    LabValue,
    Measured,
    Moment,
    NoMoment,
    NotNumeric,
    NoValue,
    Status,
)
from cds_service.core.reading import CodesConflict, OurAnalyte, specimen_of
from cds_service.core.schema import AcceptedCode
from cds_service.core.verdict import NotInterpretable, Reason

FINAL = frozenset({Status.FINAL, Status.AMENDED, Status.CORRECTED})
WITHDRAWN = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
NOT_YET = frozenset({Status.PRELIMINARY, Status.REGISTERED})
_NEVER = datetime.min.replace(tzinfo=UTC)
_NO_NUMBER = Decimal("-Infinity")
_UPWARDS = (
    Comparator.LESS,
    Comparator.AT_MOST,
    Comparator.EXACT,
    Comparator.AT_LEAST,
    Comparator.MORE,
)


class Looking(StrEnum):
    """Why we look: a result has arrived, or a chart was opened."""

    RESULT_ARRIVED = "result-arrived"
    CHART_OPENED = "chart-opened"


@dataclass(frozen=True, slots=True)
class Placed:
    """Code and specimen kind of a result are settled."""

    code: AcceptedCode
    specimen: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A result of this analyte, placed, or why its code or specimen cannot be settled."""

    result: LabResult
    place: Placed | NotInterpretable

    @property
    def specimen(self) -> str:
        """The specimen kind, empty when it is not settled."""
        return self.place.specimen if isinstance(self.place, Placed) else ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The result to interpret; several where they bear one time and only their ids order them."""

    heads: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class NoneFinal:
    """There is no final result; `head` is the newest that is not withdrawn."""

    head: Candidate


@dataclass(frozen=True, slots=True)
class AllWithdrawn:
    """Every result of the group was withdrawn."""


Choice = Chosen | NoneFinal | AllWithdrawn


def candidate(
    result: LabResult, analyte: OurAnalyte | CodesConflict, knowledge: KnowledgeBase
) -> Candidate:
    """A result with its code and specimen kind settled, as far as they can be."""
    match analyte:
        case CodesConflict(codes):
            return Candidate(result, NotInterpretable(Reason.CODE_CONFLICT, ", ".join(codes)))
        case OurAnalyte(code):
            match specimen_of(result, code, knowledge):
                case NotInterpretable() as because:
                    return Candidate(result, because)
                case kind:
                    return Candidate(result, Placed(code, kind))


def by_specimen(candidates: Iterable[Candidate], at: date) -> Sequence[tuple[Candidate, ...]]:
    """Groups that become one card each: by specimen kind, or by what hides it. Newest first."""
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for item in candidates:
        groups[_group_of(item)].append(item)
    for items in groups.values():
        if len(items) > 1:
            items.sort(key=lambda c: newest_first(c.result, at), reverse=True)
    return [tuple(items) for _, items in sorted(groups.items())]


def _group_of(item: Candidate) -> str:
    match item.place:
        case NotInterpretable(reason):
            return f"? {reason.value}"
        case Placed(specimen=kind):
            return kind


def choose(group: Sequence[Candidate], knowledge: KnowledgeBase, at: date) -> Choice:
    """The newest final result of a group, which is sorted, or why there is none."""
    usable = FINAL | ({Status.PRELIMINARY} if knowledge.policy.interpret_preliminary else set())
    for place, item in enumerate(group):
        if item.result.status in usable:
            others = [o for o in group[place + 1 :] if o.result.status in usable]
            return Chosen((item, *_of_the_time_of(item, others, at)) if others else (item,))
    for item in group:
        if item.result.status not in WITHDRAWN:
            return NoneFinal(item)
    return AllWithdrawn()


def _of_the_time_of(item: Candidate, others: Iterable[Candidate], at: date) -> Iterator[Candidate]:
    """Those of its time that are no versions of it."""
    time = time_of(item.result, at)
    for other in others:
        if time_of(other.result, at) == time and _is_another(other.result, item.result):
            yield other


def finals_beside(
    result: LabResult, specimen: str, known: Iterable[Candidate], at: date
) -> Sequence[LabResult]:
    """The other final results of a specimen kind, newest first; none where no kind is settled."""
    if not specimen:
        return ()
    found = [
        item.result
        for item in known
        if item.specimen == specimen
        and item.result.status in FINAL
        and _is_another(item.result, result)
    ]
    found.sort(key=lambda other: newest_first(other, at), reverse=True)
    return found


def perhaps_newer(head: Candidate, known: Iterable[Candidate], at: date) -> Sequence[Candidate]:
    """The other results of a group that are provably earlier neither than `head` nor than another
    final one, newest first: any of them may be the one that counts.
    """
    group, taken = _group_of(head), when_taken(head.result, at)
    found = [
        item
        for item in known
        if _is_beside(item, head, at)
        and _group_of(item) == group
        and not wholly_before(when_taken(item.result, at), taken)
    ]
    if not found:
        return ()
    found.sort(key=lambda item: newest_first(item.result, at), reverse=True)
    finals = [when_taken(item.result, at) for item in found if item.result.status in FINAL]
    newest = finals[0] if finals else NoMoment()
    return [item for item in found if not wholly_before(when_taken(item.result, at), newest)]


def _is_beside(item: Candidate, head: Candidate, at: date) -> bool:
    """Not `head` again, nor one that other notes are for: a final one is another resource of a
    settled specimen, with a date that can be right.
    """
    one, other = item.result, head.result
    if one.status not in FINAL:
        return one != other
    is_another = _is_another(one, other)
    return is_another and bool(head.specimen) and not is_ahead(named_date(one), at)


def _is_another(one: LabResult, other: LabResult) -> bool:
    """Another resource; of two that have no id of their own, whatever says something else."""
    if one is other:  # as mostly
        return False
    if one.ref.resource != other.ref.resource:
        return True
    return not _is_an_id(one.ref.resource) and one != other


def in_doubt(results: Iterable[tuple[LabResult, str]]) -> frozenset[str]:
    """The ids under which there are two values, or two specimen kinds: nothing told which version
    is the newer one. Each result comes with its specimen kind, empty where none is settled.
    """
    values: dict[str, LabValue] = {}
    kinds: dict[str, str] = {}
    return frozenset(
        name
        for result, kind in results
        if _is_an_id(name := result.ref.resource)
        and (
            result.value != values.setdefault(name, result.value)
            or (kind and kind != kinds.setdefault(name, kind))
        )
    )


def time_of(result: LabResult, at: date) -> tuple[datetime, datetime]:
    """Collection and issue, as far as they put results in order."""
    return newest_first(result, at)[:2]


Size = tuple[Decimal, int, str]
Rank = tuple[datetime, datetime, int, str, str, Size]


def newest_first(result: LabResult, at: date) -> Rank:
    """Sort key: collection, then issue; unknown and impossible dates come before known ones. Ties
    by version (`9` before `10`), by identity, and between two values under one id by the number, so
    that the choice never changes and the lower one, which reassures, never stands for the other.
    """
    return (
        _order(when_taken(result, at)),
        _order(NoMoment() if is_ahead(result.issued, at) else result.issued),
        len(result.ref.version),
        result.ref.version,
        result.ref.resource,
        _size(result.value),
    )


def _size(value: LabValue) -> Size:
    """The number as it was sent, in whatever unit, and what else tells two values apart."""
    match value:
        case Measured(comparator, number, unit):
            return number.value, _UPWARDS.index(comparator), unit.code or unit.text
        case NoValue(told) | NotNumeric(told):
            return _NO_NUMBER, 0, told


def _order(moment: Moment | NoMoment) -> datetime:
    match moment:
        case Moment(order=order):
            return order
        case NoMoment():
            return _NEVER


def within_look_back(result: LabResult, at: date, days: int) -> bool:
    """Whether a result can have been collected within the look-back window, by collection, else
    issue. One without a date, or with an impossible one, can: the card says so.
    """
    match named_date(result):
        case Moment(last_day=last_day):
            return last_day >= at - timedelta(days=days)
        case NoMoment():
            return True


def is_version_of(one: LabResult, other: LabResult) -> bool:
    """Whether the two stand under one id of their own; without one, or contained, nobody can tell
    that they are the same result.
    """
    return one.ref.resource == other.ref.resource and _is_an_id(one.ref.resource)


def _is_an_id(name: str) -> bool:
    """A resource that has no id of its own, or is contained, is no version of another."""
    return "/" in name and "#" not in name
