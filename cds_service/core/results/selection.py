"""Which results are to be interpreted: one per specimen kind, the newest that is final.

Several results of one specimen kind are a series. Any result that may be newer than the newest
final one is named beside it. A preliminary result is never interpreted instead, unless the site
says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from cds_service.core.dates import is_ahead, named_date, when_taken, wholly_before
from cds_service.core.elements import FINAL, Moment, NoMoment, Status
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult
from cds_service.core.results.ranking import Rank, Time, is_another, is_version_of, own_id, rank_of
from cds_service.core.results.reading import (
    CodesConflict,
    NotUnderstood,
    OurAnalyte,
    Understood,
    specimen_of,
    value_of,
)
from cds_service.core.schema import AcceptedCode
from cds_service.core.verdict import NotInterpretable, Reason


class Looking(StrEnum):
    """Why we look: a result has arrived, or a chart was opened."""

    RESULT_ARRIVED = "result-arrived"
    CHART_OPENED = "chart-opened"


@dataclass(frozen=True, slots=True)
class Settled:
    """The code and the specimen kind of a result, where both are clear."""

    code: AcceptedCode
    specimen: str


@dataclass(frozen=True, eq=False)
class Candidate:
    """A result of this analyte as it is seen on day `at`, with its code and specimen kind, or why
    they cannot be settled. Everything else is worked out when first asked for, and kept.
    """

    result: LabResult
    settled: Settled | NotInterpretable
    knowledge: KnowledgeBase
    at: date

    @property
    def specimen(self) -> str:
        """The specimen kind, empty when it is not settled."""
        return self.settled.specimen if isinstance(self.settled, Settled) else ""

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
        """When the specimen was taken; an impossible date is no date (see `when_taken`)."""
        return when_taken(self.result, self.at)

    @cached_property
    def rank(self) -> Rank:
        """Its rank among other results: the higher, the newer (see `rank_of`)."""
        return rank_of(self.result, self.at)

    @property
    def is_dated_ahead(self) -> bool:
        """Whether its date cannot be right, being more than a day ahead (decision 35)."""
        return is_ahead(named_date(self.result), self.at)

    @property
    def time(self) -> Time:
        """Collection and issue; of two results with the same ones, neither is known to be newer."""
        return self.rank[:2]

    @cached_property
    def reading(self) -> Understood | NotUnderstood:
        """Its value, or why that cannot be used."""
        return value_of(self.result, self.knowledge)


by_rank = attrgetter("rank")


def settle(
    result: LabResult, analyte: OurAnalyte | CodesConflict, knowledge: KnowledgeBase
) -> Settled | NotInterpretable:
    """The code and the specimen kind of a result, or why they cannot be settled."""
    match analyte:
        case CodesConflict(codes):
            return NotInterpretable(Reason.CODE_CONFLICT, ", ".join(codes))
        case OurAnalyte(code):
            match specimen_of(result, code, knowledge):
                case NotInterpretable() as because:
                    return because
                case kind:
                    return Settled(code, kind)


def with_ranges(items: Iterable[Candidate], known: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The results; one that came without the laboratory's range has that of a copy of it. A slim
    copy may arrive where the record holds the whole one.
    """
    whole: dict[str, list[Candidate]] = defaultdict(list)
    for other in known:
        if other.result.ranges:
            whole[own_id(other.result)].append(other)
    return tuple([_with_range(item, whole.get(own_id(item.result), ())) for item in items])


def _with_range(item: Candidate, whole: Iterable[Candidate]) -> Candidate:
    if item.result.ranges:
        return item
    copies = [other for other in whole if is_copy_of(other, item)]
    if not copies:
        return item
    fullest = max(copies, key=by_rank)
    return replace(item, result=replace(item.result, ranges=fullest.result.ranges))


def is_copy_of(one: Candidate, other: Candidate) -> bool:
    """Whether the two are one result that says the same, apart from its laboratory's range."""
    return (
        is_version_of(one.result, other.result)
        and one.specimen == other.specimen
        and one.result.status == other.result.status
        and one.result.value == other.result.value
    )


def other_versions(head: Candidate, known: Iterable[Candidate]) -> Sequence[Candidate]:
    """Other final versions of the result, with another value or specimen; the highest rank first.
    Nothing tells which of them is the newest.
    """
    found = [
        item
        for item in known
        if item is not head
        and is_version_of(item.result, head.result)
        and item.is_final
        and _contradicts(item, head)
    ]
    return sorted(found, key=by_rank, reverse=True)


def _contradicts(one: Candidate, other: Candidate) -> bool:
    specimens = {one.specimen, other.specimen} - {""}
    return one.result.value != other.result.value or len(specimens) > 1


def by_specimen(candidates: Iterable[Candidate]) -> Sequence[tuple[Candidate, ...]]:
    """Groups that become one card each: by specimen kind or, where code or specimen kind cannot be
    settled, by the reason why. Newest first.
    """
    groups: dict[str, list[Candidate]] = defaultdict(list)
    for item in candidates:
        groups[_group_of(item)].append(item)
    for items in groups.values():
        if len(items) > 1:
            items.sort(key=by_rank, reverse=True)
    return [tuple(items) for _, items in sorted(groups.items())]


def _group_of(item: Candidate) -> str:
    match item.settled:
        case NotInterpretable(reason):
            return f"? {reason.value}"
        case Settled(specimen=kind):
            return kind


def of_one_time(newest: Sequence[Candidate]) -> Sequence[Candidate]:
    """The first result, and the others of the same time, which only their ids put in order. Other
    versions of the first are left out.
    """
    beside = [item for item in newest[1:] if item.time == newest[0].time]
    others = [item for item in beside if is_another(item.result, newest[0].result)]
    return [*newest[:1], *others]


def finals_beside(head: Candidate, known: Iterable[Candidate]) -> Sequence[Candidate]:
    """The other final results of its specimen kind, newest first; none where no kind is settled."""
    if not head.specimen:
        return ()
    found = [
        item
        for item in known
        if item.specimen == head.specimen and item.is_final and is_another(item.result, head.result)
    ]
    return sorted(found, key=by_rank, reverse=True)


def unsettled_beside(head: Candidate, group: Iterable[Candidate]) -> Sequence[Candidate]:
    """The other results of a group whose code or specimen kind is not settled: they share the card
    of `head`, and may be of another fluid. Final ones; where `head` is not usable, also those that
    are provably earlier. The rest is named by `perhaps_newer`.
    """
    if head.specimen:
        return ()
    return [
        item
        for item in group
        if (item.is_final or (not head.is_usable and wholly_before(item.taken, head.taken)))
        and is_another(item.result, head.result)
    ]


def perhaps_newer(head: Candidate, known: Iterable[Candidate]) -> Sequence[Candidate]:
    """The other results of the group of `head` that may be the newest, newest first: those provably
    earlier neither than `head` nor than the newest other final one.
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
    """Whether a result may be named beside `head` as perhaps newer.

    One that is not final may, if it is not `head` itself. A final one must be another resource and
    its specimen kind settled: other notes speak of other final ones.
    """
    one, other = item.result, head.result
    if not item.is_final:
        return one != other
    return bool(head.specimen) and is_another(one, other)


def within_look_back(result: LabResult, at: date, days: int) -> bool:
    """Whether a result may have been collected within the look-back window, by the day of
    collection, else of issue. One without a date, or with one ahead of `at`, may: the card says so.
    """
    match named_date(result):
        case Moment(last_day=last_day):
            return last_day >= at - timedelta(days=days)
        case NoMoment():
            return True
