"""Named facts about one draft order, as `facts.result` has them about one result.

| fact               | values                                                               |
|--------------------|----------------------------------------------------------------------|
| `order`            | analyte, look-alike, codes-conflict, of-another-patient, invalid      |
| `specimen`         | the specimen kinds; not-named, unreadable, conflict, not-covered      |
| `earlier-result`   | present, none, unknown: of the same specimen, in the look-back window |
| `laboratory`       | changed, same, not-applicable, unknown: against the result before     |
| `pair`             | complete, incomplete, not-applicable: what belongs beside the order   |
| `age.<id>`, `condition.<name>`, `medication.<name>`, `limit.<companion limit>` | as of a result |

Of an order that is not for this analyte `order` is the only fact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import product

from cds_service.core.dates import Days, age_in_years, birth_of, whole_day, within_days
from cds_service.core.elements import FINAL_OR_PRELIMINARY, Measured, Moment, ResourceRef
from cds_service.core.fact import NOT_APPLICABLE, UNKNOWN, Fact
from cds_service.core.facts.companions import Companions, companion_values
from cds_service.core.facts.context import PARTS, age_fact, coded, concept_facts
from cds_service.core.facts.missing import unavailable
from cds_service.core.facts.result import companion_facts
from cds_service.core.interval import Comparison
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import PatientRecord
from cds_service.core.note import MOST_NAMED
from cds_service.core.orders.order import (
    CONFLICT,
    NOT_NAMED,
    UNREADABLE,
    DraftOrder,
    Drafts,
    OrdersAnalyte,
    Performer,
    ordered_by,
    site_orders,
    specimen_ordered,
)
from cds_service.core.results.comparable import is_from
from cds_service.core.results.reading import NOT_COVERED
from cds_service.core.results.selection import Candidate, by_rank, of_one_time
from cds_service.core.results.triage import history_of
from cds_service.core.schema import SuggestionRow


class Standing(StrEnum):
    """Values of the fact `order`: what a draft order is to the advice."""

    ANALYTE = "analyte"
    LOOK_ALIKE = "look-alike"
    CODES_CONFLICT = "codes-conflict"
    OF_ANOTHER_PATIENT = "of-another-patient"
    INVALID = "invalid"


_STANDING = {
    Standing.ANALYTE: "the code is one of this analyte",
    Standing.LOOK_ALIKE: "the code is of a test that is mistaken for this analyte",
    Standing.CODES_CONFLICT: "the codes name two different tests",
    Standing.OF_ANOTHER_PATIENT: "the order is of another patient",
    Standing.INVALID: "the order is not valid FHIR R4, or holds a modifier that is not known",
}
_WITHOUT_KIND = {
    NOT_NAMED: "no specimen is named",
    UNREADABLE: "the specimen is named in a way that cannot be read",
    CONFLICT: "the code and the specimen contradict each other",
    NOT_COVERED: "the specimen is of a kind that is not covered",
}


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All facts of a draft order by name, and what the card shows beside them."""

    by_name: Mapping[str, Fact]
    specimen: str
    """A specimen kind of the knowledge, empty when it is not settled."""
    earlier: Sequence[Candidate]
    """The newest result of the same specimen, however old, with others of the very same time."""
    lacking: tuple[SuggestionRow, ...]
    """What belongs beside the order, and is neither drafted nor in the record."""
    companions: Companions
    """Usable companion results of these days, by name."""


@dataclass(frozen=True, slots=True)
class OrderCase:
    """The arguments that all advice on the drafts of one request is made from."""

    drafts: Drafts
    record: PatientRecord
    knowledge: KnowledgeBase
    at: date

    @property
    def today(self) -> Days:
        """The day on which the order is drafted, since the specimen is not taken yet."""
        return Days(self.at, self.at)


def order_facts_of(order: DraftOrder, ordered: OrdersAnalyte, case: OrderCase) -> OrderFacts:
    """Settle every fact the advice can ask for about an order for the analyte."""
    knowledge = case.knowledge
    specimen = specimen_ordered(order, ordered.specimen, knowledge)
    kind = specimen if specimen in knowledge.specimens else ""
    earlier = _newest(case, kind)
    companions = companion_values(knowledge, case.record, whole_day(case.at), case.at)
    lacking = tuple(_lacking(case, kind, companions))
    facts = (
        standing_fact(Standing.ANALYTE),
        _specimen(specimen),
        _earlier(earlier, case, kind),
        _laboratory(earlier, order.performers),
        _pair(lacking, case, kind),
        *_patient(case, companions),
    )
    return OrderFacts({fact.name: fact for fact in facts}, kind, earlier, lacking, companions)


def standing_fact(standing: Standing) -> Fact:
    """Fact `order`."""
    return Fact("order", standing.value, _STANDING[standing])


def order_fact_domains(knowledge: KnowledgeBase) -> dict[str, tuple[str, ...]]:
    """Every fact that advice may ask for, apart from those about the patient, with its values."""
    return {
        "order": tuple(standing.value for standing in Standing),
        "specimen": (*knowledge.specimens, NOT_NAMED, UNREADABLE, CONFLICT, NOT_COVERED),
        "earlier-result": ("present", "none", UNKNOWN),
        "laboratory": ("changed", "same", NOT_APPLICABLE, UNKNOWN),
        "pair": ("complete", "incomplete", NOT_APPLICABLE),
    }


def _specimen(specimen: str) -> Fact:
    missing = ("specimen",) if specimen in {NOT_NAMED, UNREADABLE, CONFLICT} else ()
    because = _WITHOUT_KIND.get(specimen, f"the order is for {specimen}")
    return Fact("specimen", specimen, because, missing)


# ------------------------------------------------------------------ results that are there


def _newest(case: OrderCase, kind: str) -> Sequence[Candidate]:
    """The newest result that can be looked at before the test is ordered again, with others of its
    time.
    """
    found = [
        item
        for item in history_of(case.record, case.knowledge, case.at)
        if kind
        and item.specimen == kind
        and item.result.status in FINAL_OR_PRELIMINARY
        and isinstance(item.result.value, Measured)
    ]
    return of_one_time(sorted(found, key=by_rank, reverse=True))[:MOST_NAMED]


def _earlier(earlier: Sequence[Candidate], case: OrderCase, kind: str) -> Fact:
    name, window = "earlier-result", case.knowledge.policy.look_back_days
    if not kind:
        return Fact(name, "none", "without a specimen there is nothing to compare with")
    if not earlier:
        missing = unavailable(case.record, case.knowledge.identity.id)
        value = UNKNOWN if missing else "none"
        return Fact(name, value, f"no result in {kind} is known", missing)
    match earlier[0].taken:
        case Moment(last_day=last) if last >= case.at - timedelta(days=window):
            because = f"a result in {kind} is not older than {window} days"
            return Fact(name, "present", because, (), _refs(earlier))
        case _:
            return Fact(name, "none", f"none in {kind} is known to be of the last {window} days")


def _laboratory(earlier: Sequence[Candidate], performers: tuple[Performer, ...]) -> Fact:
    """Whether the order names another laboratory than that of the result before."""
    name = "laboratory"
    if not performers or not any(item.result.laboratory for item in earlier):
        return Fact(name, NOT_APPLICABLE, "no two laboratories are named")
    pairs = product(earlier, performers)
    found = {is_from(item.result, named.reference, named.display) for item, named in pairs}
    if Comparison.YES in found:
        return Fact(name, "same", "the laboratory of the result before is named")
    if Comparison.CANNOT_TELL in found:
        return Fact(name, UNKNOWN, "the two are named in ways that cannot be compared")
    because = "none of the laboratories named is that of the result before"
    return Fact(name, "changed", because, (), _refs(earlier))


def _refs(earlier: Sequence[Candidate]) -> tuple[ResourceRef, ...]:
    return tuple(item.result.ref for item in earlier)


# ------------------------------------------------------------------ what belongs beside the order


def _lacking(case: OrderCase, kind: str, companions: Collection[str]) -> Iterator[SuggestionRow]:
    pairing = case.knowledge.order_table.pairings.get(kind)
    for suggestion in pairing.suggestions if pairing else ():
        if not (_drafted(suggestion, case) or _resulted(suggestion, case, companions)):
            yield case.knowledge.suggestions[suggestion]


def _drafted(suggestion: str, case: OrderCase) -> bool:
    """Whether a draft orders it. The one that it would complete does not: its codes would
    contradict each other.
    """
    knowledge, drafts = case.knowledge, case.drafts.beside
    if suggestion in knowledge.order_table.own:
        wanted = knowledge.order_table.own[suggestion].specimen
        return any(is_for(draft, wanted, knowledge) for draft in drafts)
    codes = {(LOINC, code) for code in knowledge.companions[suggestion].families}
    codes |= {code for code, names in site_orders(knowledge).items() if suggestion in names}
    return any((c.system, c.code) in codes for draft in drafts for c in draft.codings)


def is_for(order: DraftOrder, specimen: str, knowledge: KnowledgeBase) -> bool:
    """Whether the order is for the analyte in this kind of specimen."""
    match ordered_by(order, knowledge):
        case OrdersAnalyte(specimen=fixed):
            return specimen_ordered(order, fixed, knowledge) == specimen
        case _:
            return False


def _resulted(suggestion: str, case: OrderCase, companions: Collection[str]) -> bool:
    knowledge, record = case.knowledge, case.record
    if suggestion not in knowledge.order_table.own:
        return suggestion in companions
    wanted = knowledge.order_table.own[suggestion].specimen
    today, days = whole_day(case.at), knowledge.identity.pair_within_days
    return any(
        within_days(item.taken, today, days)
        for item in history_of(record, knowledge, case.at)
        if item.specimen == wanted and item.is_final
    )


def _pair(lacking: tuple[SuggestionRow, ...], case: OrderCase, kind: str) -> Fact:
    knowledge = case.knowledge
    if kind not in knowledge.order_table.pairings:
        return Fact("pair", NOT_APPLICABLE, "nothing belongs beside an order for this specimen")
    if not lacking:
        return Fact("pair", "complete", "everything that belongs beside it is drafted or there")
    missing = tuple(row.id for row in lacking if row.id in knowledge.companions)
    because = f"neither drafted nor there: {', '.join(row.id for row in lacking)}"
    return Fact("pair", "incomplete", because, missing)


# ------------------------------------------------------------------ the patient


def _patient(case: OrderCase, companions: Companions) -> Iterator[Fact]:
    knowledge, record, today = case.knowledge, case.record, case.today
    age = age_in_years(birth_of(record), today)
    for row in knowledge.ages.values():
        yield age_fact(row, record, age, today, "on the day of the order")
    for part in PARTS:
        recorded = coded(part, knowledge, record, today)
        yield from concept_facts(part, knowledge, recorded, unavailable(record, f"{part}s"))
    yield from companion_facts(companions, record, knowledge).values()
