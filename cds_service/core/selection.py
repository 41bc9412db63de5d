"""Which results are to be interpreted: one per specimen kind, the newest that is final.

Several results of one specimen kind are a series. Whatever may be newer than the newest final one
is named beside it; one that is preliminary is never interpreted in its place (unless the site says
so).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

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
from cds_service.core.reading import (
    CodesConflict,
    NotUnderstood,
    OurAnalyte,
    Understood,
    specimen_of,
    value_of,
)
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


@dataclass(frozen=True, eq=False)
class Candidate:
    """A result of this analyte as it is seen on day `at`: placed, or why its code or specimen
    cannot be settled. What else is asked of it is worked out once, and only when asked.
    """

    result: LabResult
    place: Placed | NotInterpretable
    knowledge: KnowledgeBase
    at: date

    @property
    def specimen(self) -> str:
        """The specimen kind, empty when it is not settled."""
        return self.place.specimen if isinstance(self.place, Placed) else ""

    @property
    def is_final(self) -> bool:
        """Whether its value stands, corrected or not."""
        return self.result.status in FINAL

    @property
    def is_usable(self) -> bool:
        """Whether its value may be read: it is final, or the site reads preliminary ones too."""
        if self.result.status is Status.PRELIMINARY:
            return self.knowledge.policy.interpret_preliminary
        return self.is_final

    @cached_property
    def taken(self) -> Moment | NoMoment:
        """When the specimen was taken, as far as that is possible."""
        return when_taken(self.result, self.at)

    @cached_property
    def rank(self) -> Rank:
        """Its place among others: a higher one is newer."""
        return rank_of(self.result, self.at)

    @property
    def time(self) -> Time:
        """Of two that bear one time, nothing tells which is the newer."""
        return self.rank[:2]

    @cached_property
    def reading(self) -> Understood | NotUnderstood:
        """Its value, or why that cannot be used."""
        return value_of(self.result, self.knowledge)


by_rank = attrgetter("rank")


def place_of(
    result: LabResult, analyte: OurAnalyte | CodesConflict, knowledge: KnowledgeBase
) -> Placed | NotInterpretable:
    """Code and specimen kind of a result, as far as they can be settled."""
    match analyte:
        case CodesConflict(codes):
            return NotInterpretable(Reason.CODE_CONFLICT, ", ".join(codes))
        case OurAnalyte(code):
            match specimen_of(result, code, knowledge):
                case NotInterpretable() as because:
                    return because
                case kind:
                    return Placed(code, kind)


def by_specimen(candidates: Iterable[Candidate]) -> Sequence[tuple[Candidate, ...]]:
    """Groups that become one card each: by specimen kind, or by what hides it. Newest first."""
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for item in candidates:
        groups[_group_of(item)].append(item)
    for items in groups.values():
        if len(items) > 1:
            items.sort(key=by_rank, reverse=True)
    return [tuple(items) for _, items in sorted(groups.items())]


def _group_of(item: Candidate) -> str:
    match item.place:
        case NotInterpretable(reason):
            return f"? {reason.value}"
        case Placed(specimen=kind):
            return kind


def of_one_time(newest: Sequence[Candidate]) -> Sequence[Candidate]:
    """The first, and the other results of its time: only their ids put one before the other. Other
    versions of the first are left out.
    """
    beside = [item for item in newest[1:] if item.time == newest[0].time]
    others = [item for item in beside if _is_another(item.result, newest[0].result)]
    return [*newest[:1], *others]


def finals_beside(head: Candidate, known: Iterable[Candidate]) -> Sequence[Candidate]:
    """The other final results of its specimen kind, newest first; none where no kind is settled."""
    if not head.specimen:
        return ()
    found = [
        item
        for item in known
        if item.specimen == head.specimen
        and item.is_final
        and _is_another(item.result, head.result)
    ]
    return sorted(found, key=by_rank, reverse=True)


def unsettled_beside(head: Candidate, group: Iterable[Candidate]) -> Sequence[Candidate]:
    """The other results of a group whose code or specimen is unsettled, as far as they are final:
    they share its card, and may be of another fluid. Where `head` itself is not to be used, those
    that are provably earlier; of the rest `perhaps_newer` tells.
    """
    if head.specimen:
        return ()
    return [
        item
        for item in group
        if (item.is_final or (not head.is_usable and wholly_before(item.taken, head.taken)))
        and _is_another(item.result, head.result)
    ]


def perhaps_newer(head: Candidate, known: Iterable[Candidate]) -> Sequence[Candidate]:
    """The other results of its group that may be the newest, newest first: none of them is provably
    earlier than `head`, or than the newest other one that is final.
    """
    found = [
        item
        for item in known
        if _is_beside(item, head)
        and _group_of(item) == _group_of(head)
        and not wholly_before(item.taken, head.taken)
    ]
    found.sort(key=by_rank, reverse=True)
    newest = next((item.taken for item in found if item.is_final), NoMoment())
    return [item for item in found if not wholly_before(item.taken, newest)]


def _is_beside(item: Candidate, head: Candidate) -> bool:
    """Whether it may be named beside `head` as perhaps newer.

    One that is not final may, if it is not `head` itself. A final one must be another resource, its
    specimen kind settled and its date possible: of the rest other notes tell.
    """
    one, other = item.result, head.result
    if not item.is_final:
        return one != other
    is_another = _is_another(one, other)
    return is_another and bool(head.specimen) and not is_ahead(named_date(one), item.at)


def _is_another(one: LabResult, other: LabResult) -> bool:
    """Whether these are two results: two resources or, where they have no id of their own, two
    contents.
    """
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


Time = tuple[datetime, datetime]
"""Collection and issue, as far as they put results in order."""
Size = tuple[Decimal, int, str]
Rank = tuple[datetime, datetime, int, str, str, Size]


def rank_of(result: LabResult, at: date) -> Rank:
    """The place of a result among others, a higher one for a newer: by collection, then issue;
    unknown and impossible dates come before known ones. Ties by version (`9` before `10`), by
    identity, and between two values under one id by the number, so that the choice never changes
    and the lower one, which reassures, never stands for the other.
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
