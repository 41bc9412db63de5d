"""Signs of disease in the other results of a patient, whatever the value of the result itself.

The items of a panel describe the patient: they are met or not whatever the specimen and unit family
of the result, and even if the result cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from cds_service.core.dates import day_of, named_date, when_taken, whole_day, wholly_before
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.fact import DISPUTED, MET, Fact
from cds_service.core.facts.companions import Companions, CompanionValue, companion_values
from cds_service.core.facts.limits import companion_limits, value_and_day
from cds_service.core.facts.panels import items_met_beside
from cds_service.core.facts.result import companion_facts
from cds_service.core.facts.surroundings import Surroundings
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import PatientRecord
from cds_service.core.note import Note, NoteKind
from cds_service.core.schema import PanelRow


def items_met(around: Surroundings, *, warned_of: str = "") -> Iterator[Note]:
    """A note for each panel of which enough items are met without the analyte's own, or would be if
    the gravest of several results of one time holds. Judged by the results near the sample; if they
    give no note, by the newest results of the patient.

    `warned_of` is the specimen that the card warns about. A warning about the specimen of a panel
    says by itself that hours count; one about another specimen is about other diseases.
    """
    if not around.record.companions:  # the usual case
        return
    panels = [row for row in around.knowledge.panels.values() if row.specimen != warned_of]
    if panels:
        near = [
            note
            for panel in panels
            for note in _on_items(panel, around, around.companions, around.facts)
        ]
        yield from near or _met_since(panels, around)


def _met_since(panels: Iterable[PanelRow], around: Surroundings) -> Iterator[Note]:
    """The same notes by results of the days before `at`: a sample may be weeks old when its result
    is read, and the patient has fallen ill since. None if no result is newer than the sample.
    """
    record, at, knowledge = around.record, around.at, around.knowledge
    if not _may_be_newer(record, around.taken, at):
        return
    latest = companion_values(knowledge, record, whole_day(at), at)
    if latest:
        facts = companion_facts(latest, record, knowledge)
        for panel in panels:
            yield from _on_items(panel, around, latest, facts)


def _may_be_newer(record: PatientRecord, taken: Moment | NoMoment, at: date) -> bool:
    """Whether a companion result is newer than the sample, or may be as the sample has no date."""
    return isinstance(taken, NoMoment) or any(
        wholly_before(taken, when_taken(companion, at)) for companion in record.companions
    )


def _on_items(
    panel: PanelRow, around: Surroundings, companions: Companions, facts: Mapping[str, Fact]
) -> Iterator[Note]:
    """The note on the items of a panel that these companion results meet, if they are enough."""
    if not companions:
        return
    knowledge = around.knowledge
    readings = (
        (NoteKind.ITEMS_MET, facts),
        (NoteKind.ITEMS_DISPUTED, _at_their_gravest(facts, knowledge)),
    )
    for kind, read in readings:
        items = items_met_beside(panel, read, knowledge)
        if len(items) < panel.urgent_from:
            continue
        limits = [f"limit.{limit}" for item in items for limit in item.limits]
        met = [fact for name in limits if (fact := read[name]).value == MET]
        used = tuple(ref for fact in met for ref in fact.inputs)
        shown = {
            (name, f"{knowledge.companions[name].row.title} {_shown(found, around.taken)}"): None
            for name, values in companions.items()
            for found in values
            if found.result.ref in used
        }
        tests = frozenset(name for name, _ in shown)
        yield Note(kind, {"items": tuple(told for _, told in shown)}, panel.id, tests, used)
        return


def _shown(found: CompanionValue, taken: Moment | NoMoment) -> str:
    """The value, with its day unless it is that of the sample."""
    match named_date(found.result), taken:
        case Moment(text=one), Moment(text=other) if day_of(one) == day_of(other):
            return found.value.words
        case _:
            return value_and_day(found)


def _at_their_gravest(facts: Mapping[str, Fact], knowledge: KnowledgeBase) -> Mapping[str, Fact]:
    """The facts with each disputed limit taken as met, as the gravest of its results says."""
    names = [limit.name for limit in companion_limits(knowledge)]
    met = {name: facts[name]._replace(value=MET) for name in names if facts[name].value == DISPUTED}
    return {**facts, **met} if met else facts
