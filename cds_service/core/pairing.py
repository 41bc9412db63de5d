"""The result of another specimen kind that one is read beside: CSF with blood, blood with CSF."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

from cds_service.core.dates import collection_days, furthest_apart, when_taken, within_days
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, ResourceRef
from cds_service.core.reading import Understood, value_of
from cds_service.core.selection import (
    FINAL,
    Candidate,
    Placed,
    in_doubt,
    is_version_of,
    newest_first,
)
from cds_service.core.situation import NoPair, Pair, literature_for
from cds_service.core.verdict import Value


def nearest_pair(
    result: LabResult,
    specimen: str,
    known: Collection[Candidate],
    knowledge: KnowledgeBase,
    at: date,
) -> Pair | NoPair:
    """The nearest readable final result of another specimen kind within the pair window.

    Of two as near the newer, then by identity: never as they happened to arrive; other values of
    the same time are told with it. A result whose versions contradict each other has no pair and
    is none, nor is another version of it.
    """
    others = [
        (item.result, item.place)
        for item in known
        if isinstance(item.place, Placed)
        and item.place.specimen != specimen
        and item.result.status in FINAL
        and not is_version_of(item.result, result)
    ]
    if not others:
        return NoPair()
    window, days = knowledge.policy.look_back_days, knowledge.identity.pair_within_days
    own = collection_days(result, at, window)
    near = [
        (other, place)
        for other, place in others
        if within_days(collection_days(other, at, window), own, days)
    ]
    if not near:
        return NoPair()
    finals = [item for item in known if item.result.status in FINAL]
    doubtful = in_doubt((item.result, item.specimen) for item in finals)
    if result.ref.resource in doubtful:
        return NoPair()
    near = [(other, place) for other, place in near if other.ref.resource not in doubtful]
    taken = when_taken(result, at)
    near.sort(key=lambda found: newest_first(found[0], at), reverse=True)
    near.sort(key=lambda found: furthest_apart(when_taken(found[0], at), taken))
    readable = [
        (other, place, read)
        for other, place in near
        if isinstance(read := value_of(other, knowledge), Understood)
    ]
    if not readable:
        return NoPair()
    other, place, read = readable[0]
    own_kind = [
        item.result
        for item in finals
        if isinstance(item.place, Placed)
        and item.place.specimen == specimen
        and not is_version_of(item.result, result)
    ]
    return Pair(
        other,
        place.specimen,
        read.value,
        read.quantity,
        literature_for(place.code, read.quantity),
        _of_one_time(other, [one for one, _, _ in readable], knowledge, at),
        _of_one_time(result, own_kind, knowledge, at),
    )


def _of_one_time(
    result: LabResult, others: Iterable[LabResult], knowledge: KnowledgeBase, at: date
) -> tuple[tuple[ResourceRef, Value], ...]:
    """Others of the very same time that say something else: only an id tells which is the newer."""
    own, time = value_of(result, knowledge), newest_first(result, at)[:2]
    return tuple(
        (other.ref, read.value)
        for other in others
        if newest_first(other, at)[:2] == time
        and isinstance(own, Understood)
        and isinstance(read := value_of(other, knowledge), Understood)
        and read.quantity.interval != own.quantity.interval
    )
