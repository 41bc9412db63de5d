"""Named facts about one draft order, as `facts` has them about one result.

| fact               | values                                                               |
|--------------------|----------------------------------------------------------------------|
| `order`            | analyte, look-alike, codes-conflict, of-another-patient, invalid      |
| `specimen`         | the specimen kinds; not-named, unreadable, conflict, not-covered      |
| `earlier-result`   | present, none, unknown: of the same specimen, in the look-back window |
| `laboratory`       | changed, same, not-applicable, unknown: against the result before     |
| `pair`             | complete, incomplete, not-applicable: what belongs beside the order   |
| `age.<id>`, `condition.<name>`, `medication.<name>`, `limit.<companion limit>` | as in `facts` |

An order says nothing but itself when it is not of this analyte: then `order` is the only fact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from cds_service.core.companions import companion_values
from cds_service.core.comparable import is_from
from cds_service.core.context_facts import PARTS, age_fact, coded, concept_facts
from cds_service.core.dates import Days, age_in_years, birth_of, whole_day, within_days
from cds_service.core.fact import NOT_APPLICABLE, UNKNOWN, Fact
from cds_service.core.facts import companion_facts
from cds_service.core.interval import Comparison
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.missing import unavailable
from cds_service.core.model import Measured, Moment, PatientRecord, Status
from cds_service.core.order import (
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
from cds_service.core.reading import NOT_COVERED
from cds_service.core.schema import SuggestionRow
from cds_service.core.selection import FINAL, Candidate, by_rank
from cds_service.core.triage import history_of

SHOWN = FINAL | {Status.PRELIMINARY}
"""Results that are there to be looked at before the test is ordered again."""


class Standing(StrEnum):
    """Values of the fact `order`: as what the draft order is spoken about."""

    ANALYTE = "analyte"
    LOOK_ALIKE = "look-alike"
    CODES_CONFLICT = "codes-conflict"
    OF_ANOTHER_PATIENT = "of-another-patient"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class NoEarlier:
    """There is no result of this specimen that could be shown."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """All facts of a draft order by name, and what the card shows beside them."""

    by_name: Mapping[str, Fact]
    specimen: str
    """A specimen kind of the knowledge, empty when it is not settled."""
    earlier: Candidate | NoEarlier
    """The newest result of the same specimen, however old."""
    lacking: tuple[SuggestionRow, ...]
    """What belongs beside the order, and is neither drafted nor there."""


@dataclass(frozen=True, slots=True)
class OrderSituation:
    """One draft order for the analyte, and everything the facts are read from."""

    knowledge: KnowledgeBase
    record: PatientRecord
    order: DraftOrder
    ordered: OrdersAnalyte
    drafts: Drafts
    at: date

    @property
    def today(self) -> Days:
        """When the order is drafted. Nobody knows yet when the specimen will be taken."""
        return Days(self.at, self.at)


def order_facts_of(situation: OrderSituation) -> OrderFacts:
    """Settle every fact the advice can ask for."""
    knowledge = situation.knowledge
    specimen = specimen_ordered(situation.order, situation.ordered.specimen, knowledge)
    kind = specimen if specimen in knowledge.specimens else ""
    earlier = _newest(situation, kind)
    lacking = tuple(_lacking(situation, kind))
    facts = (
        standing_fact(Standing.ANALYTE),
        _specimen(specimen),
        _earlier(earlier, situation, kind),
        _laboratory(earlier, situation.order.performers),
        _pair(lacking, situation, kind),
        *_patient(situation),
    )
    return OrderFacts({fact.name: fact for fact in facts}, kind, earlier, lacking)


def standing_fact(standing: Standing) -> Fact:
    """Fact `order`."""
    return Fact("order", standing.value, f"as an order it is: {standing.value}")


def order_fact_domains(knowledge: KnowledgeBase) -> dict[str, tuple[str, ...]]:
    """Every fact that advice may ask for, beside those about the patient, with its values."""
    return {
        "order": tuple(standing.value for standing in Standing),
        "specimen": (*knowledge.specimens, NOT_NAMED, UNREADABLE, CONFLICT, NOT_COVERED),
        "earlier-result": ("present", "none", UNKNOWN),
        "laboratory": ("changed", "same", NOT_APPLICABLE, UNKNOWN),
        "pair": ("complete", "incomplete", NOT_APPLICABLE),
    }


def _specimen(specimen: str) -> Fact:
    missing = ("specimen",) if specimen in {NOT_NAMED, UNREADABLE, CONFLICT} else ()
    return Fact("specimen", specimen, f"by code and specimen: {specimen}", missing)


# ------------------------------------------------------------------ results that are there


def _newest(situation: OrderSituation, kind: str) -> Candidate | NoEarlier:
    found = [
        item
        for item in history_of(situation.record, situation.knowledge, situation.at)
        if kind
        and item.specimen == kind
        and item.result.status in SHOWN
        and isinstance(item.result.value, Measured)
    ]
    return max(found, key=by_rank) if found else NoEarlier()


def _earlier(earlier: Candidate | NoEarlier, situation: OrderSituation, kind: str) -> Fact:
    name, window = "earlier-result", situation.knowledge.policy.look_back_days
    match earlier:
        case NoEarlier() if not kind:
            return Fact(name, "none", "without a specimen there is nothing to compare with")
        case NoEarlier():
            missing = unavailable(situation.record, situation.knowledge.identity.id)
            value = UNKNOWN if missing else "none"
            return Fact(name, value, f"no result in {kind} is known", missing)
        case Candidate(result=result, taken=Moment(last_day=last)) if (
            last >= situation.at - timedelta(days=window)
        ):
            because = f"a result in {kind} is not older than {window} days"
            return Fact(name, "present", because, (), (result.ref,))
        case Candidate():
            return Fact(name, "none", f"none in {kind} is known to be of the last {window} days")


def _laboratory(earlier: Candidate | NoEarlier, performers: tuple[Performer, ...]) -> Fact:
    """Whether the order names another laboratory than the result before comes from."""
    name = "laboratory"
    match earlier:
        case Candidate(result=result) if result.laboratory and performers:
            found = {is_from(result, named.reference, named.display) for named in performers}
            if Comparison.YES in found:
                return Fact(name, "same", "the laboratory of the result before is named")
            if Comparison.CANNOT_TELL in found:
                return Fact(name, UNKNOWN, "the two are named in ways that cannot be compared")
            because = "none of the laboratories named is that of the result before"
            return Fact(name, "changed", because, (), (result.ref,))
        case _:
            return Fact(name, NOT_APPLICABLE, "no two laboratories are named")


# ------------------------------------------------------------------ what belongs beside the order


def _lacking(situation: OrderSituation, kind: str) -> Iterator[SuggestionRow]:
    pairing = situation.knowledge.order_table.pairings.get(kind)
    for suggestion in pairing.suggestions if pairing else ():
        if not (_drafted(suggestion, situation) or _resulted(suggestion, situation)):
            yield situation.knowledge.suggestions[suggestion]


def _drafted(suggestion: str, situation: OrderSituation) -> bool:
    knowledge = situation.knowledge
    others = [o for o in situation.drafts.beside if o.place != situation.order.place]
    if suggestion in knowledge.order_table.own:
        wanted = knowledge.order_table.own[suggestion].specimen
        return any(is_for(order, wanted, knowledge) for order in others)
    codes = {(LOINC, code) for code in knowledge.companions[suggestion].families}
    codes |= {code for code, names in site_orders(knowledge).items() if suggestion in names}
    return any((c.system, c.code) in codes for order in others for c in order.codings)


def is_for(order: DraftOrder, specimen: str, knowledge: KnowledgeBase) -> bool:
    """Whether the order is for the analyte in this kind of specimen."""
    match ordered_by(order, knowledge):
        case OrdersAnalyte(specimen=fixed):
            return specimen_ordered(order, fixed, knowledge) == specimen
        case _:
            return False


def _resulted(suggestion: str, situation: OrderSituation) -> bool:
    knowledge, record = situation.knowledge, situation.record
    if suggestion not in knowledge.order_table.own:
        return suggestion in companion_values(
            knowledge, record, whole_day(situation.at), situation.at
        )
    wanted = knowledge.order_table.own[suggestion].specimen
    today, days = whole_day(situation.at), knowledge.identity.pair_within_days
    return any(
        within_days(item.taken, today, days)
        for item in history_of(record, knowledge, situation.at)
        if item.specimen == wanted and item.is_final
    )


def _pair(lacking: tuple[SuggestionRow, ...], situation: OrderSituation, kind: str) -> Fact:
    knowledge = situation.knowledge
    if kind not in knowledge.order_table.pairings:
        return Fact("pair", NOT_APPLICABLE, "nothing belongs beside an order for this specimen")
    if not lacking:
        return Fact("pair", "complete", "everything that belongs beside it is drafted or there")
    missing = tuple(row.id for row in lacking if row.id in knowledge.companions)
    because = f"neither drafted nor there: {', '.join(row.id for row in lacking)}"
    return Fact("pair", "incomplete", because, missing)


# ------------------------------------------------------------------ the patient


def _patient(situation: OrderSituation) -> Iterator[Fact]:
    knowledge, record, today = situation.knowledge, situation.record, situation.today
    age = age_in_years(birth_of(record), today)
    for row in knowledge.ages.values():
        yield age_fact(row, record, age, today)
    for part in PARTS:
        recorded = coded(part, knowledge, record, today)
        yield from concept_facts(part, knowledge, recorded, unavailable(record, f"{part}s"))
    companions = companion_values(knowledge, record, whole_day(situation.at), situation.at)
    yield from companion_facts(companions, record, knowledge).values()
