"""The result of another specimen kind that one is read beside: CSF with blood, blood with CSF."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from cds_service.core.dates import collection_days, furthest_apart, when_taken, within_days
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult
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


def nearest_pair(
    result: LabResult,
    specimen: str,
    known: Collection[Candidate],
    knowledge: KnowledgeBase,
    at: date,
) -> Pair | NoPair:
    """The nearest readable final result of another specimen kind within the pair window.

    Of two as near the newer, then by identity: never as they happened to arrive; other values of
    the same time are told with it. A result whose
    versions contradict each other has no pair and is none, nor is another version of it.
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
    time = newest_first(other, at)[:2]
    alike = [
        (one.ref, also.value)
        for one, _, also in readable
        if newest_first(one, at)[:2] == time and also.quantity.interval != read.quantity.interval
    ]
    literature = literature_for(place.code, read.quantity)
    return Pair(other, place.specimen, read.value, read.quantity, literature, tuple(alike))
