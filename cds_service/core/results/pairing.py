"""The pair of a result: the result of the other specimen kind, CSF for blood and blood for CSF."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cds_service.core.dates import furthest_apart, within_days
from cds_service.core.elements import ResourceRef
from cds_service.core.interval import Interval
from cds_service.core.note import MOST_NAMED
from cds_service.core.results.ranking import in_doubt, is_version_of
from cds_service.core.results.reading import Understood
from cds_service.core.results.selection import Candidate, Settled, by_rank, finals_beside
from cds_service.core.verdict import PairedWith, Unpaired, Value


def nearest_pair(head: Candidate, known: Collection[Candidate]) -> PairedWith | Unpaired:
    """The nearest readable final result of another specimen kind within the pair window.

    Other values of the same time are named with it, and those of the time of `head`.
    """
    near = _nearest_first(head, known)
    for item in near:
        match item.settled, item.reading:
            case Settled(code, specimen), Understood(value, quantity):
                return PairedWith(
                    item.result,
                    code,
                    specimen,
                    value,
                    quantity,
                    of_one_time=_of_one_time(item, near),
                    beside=_of_one_time(head, finals_beside(head, known)),
                )
            case _:
                continue
    return Unpaired()


def _nearest_first(head: Candidate, known: Collection[Candidate]) -> Sequence[Candidate]:
    """The final results of another specimen kind within the pair window.

    Of two as near the newer, then by id, whatever the order of arrival. A result whose versions
    contradict each other has no pair and is none, and no result is paired with another version of
    itself.
    """
    days = head.knowledge.identity.pair_within_days
    near = [
        item
        for item in known
        if item.specimen not in ("", head.specimen)
        and item.is_final
        and within_days(item.taken, head.taken, days)
        and not is_version_of(item.result, head.result)
    ]
    if not near:
        return ()
    doubtful = in_doubt((item.result, item.specimen) for item in known if item.is_final)
    if head.result.ref.name in doubtful:
        return ()
    near = [item for item in near if item.result.ref.name not in doubtful]
    near.sort(key=by_rank, reverse=True)
    near.sort(key=lambda item: furthest_apart(item.taken, head.taken))
    return near


def _of_one_time(
    one: Candidate, others: Sequence[Candidate]
) -> tuple[tuple[ResourceRef, Value], ...]:
    """Other values of the very same time: only the ids put these results in order. `others` are in
    the order in which they are to be named.
    """
    told: dict[Interval, tuple[ResourceRef, Value]] = {}
    for other in others:
        match one.reading, other.reading:
            case Understood(quantity=own), Understood(value, quantity) if (
                other.time == one.time and quantity.interval != own.interval
            ):
                told.setdefault(quantity.interval, (other.result.ref, value))
            case _:
                continue
    return tuple(told.values())[:MOST_NAMED]
