"""Notes on companion results: those that disagree, and those that are there and do not count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cds_service.core.fact import NOT_KNOWN, Fact
from cds_service.core.facts.companions import (
    Companions,
    CompanionsLeft,
    CompanionValue,
    differing_at_one_time,
)
from cds_service.core.facts.limits import companion_limits
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import Note, NoteKind


def notes_on_companions_at_odds(
    companions: Companions,
    facts: Mapping[str, Fact],
    knowledge: KnowledgeBase,
) -> Iterator[Note]:
    """Companion results of one test and one time with different values, where a limit among
    `facts` is left open because of them.
    """
    at_odds: dict[str, Sequence[CompanionValue]] = {}
    for limit in companion_limits(knowledge) if companions else ():
        fact = facts.get(limit.name)
        if fact is None or fact.value not in NOT_KNOWN:
            continue
        used = [one for one in companions.get(limit.row.of, ()) if one.result.ref in fact.inputs]
        several = differing_at_one_time(used)
        if len(several) > 1:
            at_odds.setdefault(knowledge.companions[limit.row.of].row.title, several)
    for title, several in at_odds.items():
        told = tuple(found.value.words for found in several)
        inputs = tuple(found.result.ref for found in several)
        yield Note(NoteKind.OF_ONE_TIME, {"test": title, "values": told}, inputs=inputs)


def notes_on_companions_left(left: CompanionsLeft, knowledge: KnowledgeBase) -> Iterator[Note]:
    """Results of other tests that are there and are not counted: for their unit, as long as they
    are not final, because they came in words, or because their sample is in doubt.
    """
    for kind, found in (
        (NoteKind.COMPANIONS_LEFT, left.for_their_unit),
        (NoteKind.COMPANIONS_NOT_FINAL, left.not_final),
        (NoteKind.COMPANIONS_IN_WORDS, left.in_words),
        (NoteKind.COMPANIONS_DOUBTFUL, left.of_doubtful_samples),
    ):
        if found:
            shown = tuple(
                f"{knowledge.companions[name].row.title} {value.words}".rstrip()
                for name, (value, _) in found.items()
            )
            inputs = tuple(dict.fromkeys(ref for _, ref in found.values()))
            yield Note(kind, {"items": shown}, inputs=inputs)
