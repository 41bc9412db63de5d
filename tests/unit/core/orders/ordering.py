"""Draft orders as a clinician would write them, and what is said about them.

The packaged knowledge speaks, on 21 November 2026, unless a test brings its own.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from cds_service.core.card import Card
from cds_service.core.elements import Coding, ResourceRef, SpecimenGiven, SpecimenLink
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.model import (
    CodedEntry,
    InvalidResource,
    LabResult,
    PatientRecord,
    RecordKind,
    Subject,
)
from cds_service.core.orders.advice import Advice, Advised, advise
from cds_service.core.orders.card import render_advice
from cds_service.core.orders.order import DraftOrder, Drafts, Performer
from tests import records
from tests.packaged import SIL2R
from tests.records import record

AT = date(2026, 11, 21)
V2_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SERUM, CSF, ANY = "9654-5", "99768-4", "38352-1"
FERRITIN = "2276-4"
IL2_MASS, IL2_UNITS, IL2_CSF, IL2_FLUID = "33939-0", "4651-6", "70077-3", "70078-1"


def order(*loincs: str, place: int = 0, **changes: Any) -> DraftOrder:
    given_: dict[str, Any] = {
        "ref": ResourceRef(f"ServiceRequest/order-{place}"),
        "place": place,
        "codings": tuple(Coding(LOINC, code) for code in loincs),
        "subject": Subject.THIS_PATIENT,
    }
    return DraftOrder(**{**given_, **changes})


def in_specimen(*codes: str) -> SpecimenGiven:
    return SpecimenGiven(SpecimenLink.RESOLVED, tuple(Coding(V2_0487, code) for code in codes))


def at_laboratory(display: str = "", reference: str = "") -> tuple[Performer, ...]:
    return (Performer(display, reference),)


def result(value: str, loinc: str = SERUM, on: str = "2026-11-10", **changes: Any) -> LabResult:
    """A result from before the order."""
    changes.setdefault("ref", ResourceRef("Observation/before", "3"))
    return records.result(value, loinc, on, **changes)


def condition(code: str) -> CodedEntry:
    return CodedEntry(ResourceRef("Condition/c"), RecordKind.CONDITION, (Coding(ICD, code),))


def advised(
    *orders: DraftOrder | InvalidResource,
    given_record: PatientRecord | None = None,
    beside: tuple[DraftOrder, ...] = (),
    knowledge: KnowledgeBase = SIL2R,
    at: date = AT,
) -> Advised:
    own = tuple(
        item
        for item in orders
        if isinstance(item, DraftOrder) and item.subject is not Subject.ANOTHER_PATIENT
    )
    drafts = Drafts(tuple(orders), (*own, *beside))
    return advise(drafts, given_record or record(), knowledge, at)


def advice_on(*orders: DraftOrder | InvalidResource, **more: Any) -> Advice:
    """The one advice there is."""
    (found,) = advised(*orders, **more).advice
    return found


def ids(advice: Advice) -> list[str]:
    return [row.id for row in advice.rows]


def told(*orders: DraftOrder | InvalidResource, **more: Any) -> list[str]:
    """The ids of all advice there is."""
    return [name for advice in advised(*orders, **more).advice for name in ids(advice)]


def card_on(*orders: DraftOrder | InvalidResource, **more: Any) -> Card:
    (card,) = render_advice(advised(*orders, **more), more.get("knowledge", SIL2R), scope="test")
    return card


def invalid(name: str, *loincs: str) -> InvalidResource:
    codings = tuple(Coding(LOINC, code) for code in loincs)
    return InvalidResource(ResourceRef(f"ServiceRequest/{name}"), "ServiceRequest.subject", codings)


def creatinine(value: str, on: str = "2026-11-19") -> LabResult:
    return result(value, "2160-0", on, ref=ResourceRef("Observation/creatinine"))
