"""What there is to say to whoever drafts an order: facts about the draft meet the advice table.

Nothing here looks at a clock, a file or the network. An order about which nothing is said becomes a
`Skipped` with the reason; for any other, the rows that were considered are kept as its trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from cds_service.core.dates import dates_as_received
from cds_service.core.elements import ResourceRef
from cds_service.core.fact import Fact
from cds_service.core.facts.missing import missing_words
from cds_service.core.finding import ConsideredRow, RowOutcome
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, PatientRecord, Subject
from cds_service.core.note import Note, NoteKind
from cds_service.core.notes import notes_on_knowledge, notes_on_record
from cds_service.core.notes_on_companions import notes_on_companions_at_odds
from cds_service.core.orders.facts import OrderCase, Standing, order_facts_of, standing_fact
from cds_service.core.orders.order import (
    CodesContradict,
    DraftOrder,
    Drafts,
    OrdersAnalyte,
    OrdersLookAlike,
    OrdersSomethingElse,
    ordered_by,
)
from cds_service.core.orders.swap import AlreadyDrafted, NoSwap, Swap, swap_for
from cds_service.core.results.selection import Candidate
from cds_service.core.results.triage import most_telling_first
from cds_service.core.schema import AdviceRow, SuggestionRow
from cds_service.core.table import consider, missing_from, wanted
from cds_service.core.verdict import NotInterpretable, OrderAdvised, Reason, Skipped, WrongAnalyte


@dataclass(frozen=True, slots=True)
class Advice:
    """What there is to say about one draft order: becomes one card. `rows` are the rows that fired,
    the highest rank first.
    """

    verdict: OrderAdvised | WrongAnalyte | NotInterpretable
    order: DraftOrder | InvalidResource
    rows: tuple[AdviceRow, ...]
    considered: tuple[ConsideredRow, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    name: str = ""
    """What the order is for: short name of the analyte, or of its look-alike."""
    code: str = ""
    """The code that says so, as received."""
    specimen: str = ""
    """Specimen kind of the knowledge, empty when it is not known."""
    earlier: Sequence[Candidate] = ()
    """The newest result of the same specimen, with others of the very same time."""
    lacking: tuple[SuggestionRow, ...] = ()
    swap: Swap | AlreadyDrafted | NoSwap = field(default_factory=NoSwap)
    missing: tuple[str, ...] = ()
    inputs: tuple[ResourceRef, ...] = ()
    dates: Mapping[ResourceRef, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Advised:
    """All advice on the drafts of one request, and the drafts that get no card, with the reason."""

    advice: tuple[Advice, ...]
    skipped: tuple[Skipped, ...]


def advise(drafts: Drafts, record: PatientRecord, knowledge: KnowledgeBase, at: date) -> Advised:
    """What to say about the drafts asked about, on day `at`; at most one advice per draft, the
    highest rank first. That one of another patient came is told only where there is nothing else to
    say.
    """
    case = OrderCase(drafts, record, knowledge, at)
    found: list[Advice | Skipped] = []
    of_others: list[DraftOrder] = []
    invalid: list[InvalidResource] = []
    for order in drafts.asked:
        match order:
            case InvalidResource():
                invalid.append(order)
            case DraftOrder(subject=Subject.ANOTHER_PATIENT):
                of_others.append(order)
            case DraftOrder():
                found.append(_about(order, case))
    found += _unreadable(invalid, case)
    is_silent = all(isinstance(item, Skipped) for item in found)
    found += _of_others(of_others, case, is_told=is_silent)
    advice = [item for item in found if isinstance(item, Advice)]
    advice.sort(key=lambda item: item.rows[0].rank, reverse=True)
    if overdue := tuple(notes_on_knowledge(knowledge, at)):
        advice = [replace(item, notes=(*item.notes, *overdue)) for item in advice]
    return Advised(tuple(advice), tuple(item for item in found if isinstance(item, Skipped)))


def _about(order: DraftOrder, case: OrderCase) -> Advice | Skipped:
    knowledge = case.knowledge
    match ordered_by(order, knowledge):
        case OrdersAnalyte() as ordered:
            return _for_analyte(order, ordered, case)
        case OrdersLookAlike() as ordered:
            return _for_look_alike(order, ordered, case)
        case CodesContradict(codings):
            said = _standing(Standing.CODES_CONFLICT, knowledge)
            if not said.rows:
                return Skipped(order.ref, "its codes contradict each other")
            return Advice(
                OrderAdvised(),
                order,
                *said,
                name=knowledge.identity.short_name,
                code=", ".join(coding.code for coding in codings),
                inputs=(order.ref,),
                notes=_doubt(order),
            )
        case OrdersSomethingElse(because):
            return Skipped(order.ref, because)


def _for_analyte(order: DraftOrder, ordered: OrdersAnalyte, case: OrderCase) -> Advice | Skipped:
    knowledge, record = case.knowledge, case.record
    found = order_facts_of(order, ordered, case)
    said = _consult(found.by_name, knowledge)
    if not said.rows:
        return Skipped(order.ref, "there is nothing to say about it")
    matched = [row for row in said.considered if row.outcome is RowOutcome.MATCHED]
    gates = dict.fromkeys(fact for row in matched for fact, _ in row.asks)
    used = [ref for fact in gates for ref in said.facts[fact].inputs]
    lacked = missing_from(said.considered, said.facts)
    asked = {fact: said.facts[fact] for fact in gates}
    at_odds = notes_on_companions_at_odds(found.companions, asked, knowledge)
    return Advice(
        OrderAdvised(),
        order,
        *said,
        name=knowledge.identity.short_name,
        code=ordered.coding.code,
        specimen=found.specimen,
        earlier=found.earlier,
        lacking=found.lacking if "pair" in gates else (),
        missing=missing_words(record, lacked, knowledge.identity.id),
        inputs=tuple(dict.fromkeys((order.ref, *used))),
        dates=dates_as_received(record),
        notes=(*_doubt(order), *notes_on_record(record), *at_odds),
    )


def _for_look_alike(
    order: DraftOrder, ordered: OrdersLookAlike, case: OrderCase
) -> Advice | Skipped:
    code, said = ordered.codes[0], _standing(Standing.LOOK_ALIKE, case.knowledge)
    if not said.rows:
        return Skipped(order.ref, f"LOINC {code.loinc}: {code.because}")
    return Advice(
        WrongAnalyte(code.loinc),
        order,
        *said,
        name=code.component,
        code=ordered.coding.code,
        swap=swap_for(order, ordered, case),
        inputs=(order.ref,),
        notes=_doubt(order),
    )


def _doubt(order: DraftOrder) -> tuple[Note, ...]:
    return (Note(NoteKind.OTHER_DRAFT),) if order.in_doubt else ()


def _unreadable(invalid: Iterable[InvalidResource], case: OrderCase) -> Iterator[Advice | Skipped]:
    """One card for all drafts that are not valid FHIR, whatever their number. One whose codes can
    still be seen, and are of another kind of test, has none: it would have none if it were valid.
    """
    told: list[InvalidResource] = []
    for order in sorted(invalid, key=most_telling_first):
        if _is_of_another_test(order, case.knowledge):
            yield Skipped(order.ref, "not valid FHIR, and by its code for another test")
        else:
            told.append(order)
    said = _standing(Standing.INVALID, case.knowledge)
    if not said.rows:
        yield from (Skipped(order.ref, "it is not valid FHIR") for order in told)
    elif told:
        verdict = NotInterpretable(Reason.FHIR_INVALID, told[0].where)
        inputs = tuple(dict.fromkeys(order.ref for order in told))
        yield Advice(verdict, told[0], *said, inputs=inputs)


def _is_of_another_test(order: InvalidResource, knowledge: KnowledgeBase) -> bool:
    ordered = ordered_by(order, knowledge)
    return bool(order.codings) and isinstance(ordered, OrdersSomethingElse)


def _of_others(
    orders: Iterable[DraftOrder], case: OrderCase, *, is_told: bool
) -> Iterator[Advice | Skipped]:
    """That another patient's order came which is for this analyte or may be meant for it: told once
    at most. Nothing of it is shown, not even its id.
    """
    said = _standing(Standing.OF_ANOTHER_PATIENT, case.knowledge)
    to_tell = is_told and bool(said.rows)
    for order in orders:
        if to_tell and not isinstance(ordered_by(order, case.knowledge), OrdersSomethingElse):
            yield Advice(NotInterpretable(Reason.SUBJECT_MISMATCH), order, *said)
            to_tell = False
        else:
            yield Skipped(order.ref, "its subject is not known to be this patient")


# ------------------------------------------------------------------ the table


class _Said(NamedTuple):
    """What the advice table says of an order: members that every kind of `Advice` has."""

    rows: tuple[AdviceRow, ...]
    """The rows that fired, each id once."""
    considered: tuple[ConsideredRow, ...]
    facts: Mapping[str, Fact]


def _standing(standing: Standing, knowledge: KnowledgeBase) -> _Said:
    """What the table says of an order of which nothing but its standing is known."""
    return _consult({"order": standing_fact(standing)}, knowledge)


def _consult(facts: Mapping[str, Fact], knowledge: KnowledgeBase) -> _Said:
    """Hold the facts of an order against the rows for orders of its standing. Every row names a
    standing: `proof.orders` proves it.
    """
    standing = facts["order"].value
    rows = [row for row in knowledge.order_table.advice if standing in wanted(row.when, "order")]
    considered = tuple(consider(row, facts) for row in rows)
    fired = {row.finding for row in considered if row.outcome is RowOutcome.MATCHED}
    first: dict[str, AdviceRow] = {}
    for row in rows:
        if row.id in fired:
            first.setdefault(row.id, row)
    return _Said(tuple(first.values()), considered, facts)
