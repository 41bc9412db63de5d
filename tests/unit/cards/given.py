"""What the ward has at hand, as a laboratory would say it, and the card it gets for it.

The packaged knowledge reads it. All patients are invented: adults, unless a birth date says
otherwise, whose results were collected on 1 March 2026.
"""

from __future__ import annotations

from typing import Any

from cds_service.core.card import Card
from cds_service.core.elements import ReferenceRange, ResourceRef
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.render import render
from cds_service.hooks.suggestions import with_suggestions
from tests import records
from tests.packaged import SIL2R
from tests.safety.results import CSF, SERUM, entries

SERUM_U, SERUM_MASS, CSF_MASS, CSF_U = "9654-5", "76039-7", "99768-4", "38352-1"
ARUP = (records.within("175.3", "858.2", "pg/mL"),)
LABCORP = (records.within("223", "710", "U/mL"),)
URGENT = "discuss the patient urgently with a specialist"
FERRITIN = "2276-4"
CODES = {
    "ferritin": FERRITIN,
    "triglycerides": "2571-8",
    "fasting triglycerides": "47210-0",
    "fibrinogen": "3255-7",
    "haemoglobin": "718-7",
    "platelets": "777-3",
    "neutrophils": "751-8",
    "creatinine": "2160-0",
    "albumin-serum": "1751-7",
    "albumin-csf": "1746-7",
}


def result(
    value: str, loinc: str = SERUM_U, ranges: tuple[ReferenceRange, ...] = (), **changes: Any
) -> LabResult:
    """A final result of sIL-2R in the specimen that its code names."""
    fluid = CSF if loinc in {CSF_MASS, CSF_U} else SERUM
    return records.result(value, loinc, **{"specimen": fluid, "ranges": ranges, **changes})


def named(name: str, value: str, loinc: str = SERUM_U, **changes: Any) -> LabResult:
    """A result of sIL-2R with an id of its own."""
    return result(value, loinc, ref=ResourceRef(f"Observation/{name}", "1"), **changes)


def up_to(limit: str, unit: str) -> tuple[ReferenceRange, ...]:
    """A laboratory's range without a lower limit."""
    return (records.within("", limit, unit),)


def drawn(*values: str, on: str = records.DAY) -> tuple[LabResult, ...]:
    """`ferritin 50000 ng/mL`, drawn with the result unless on another day; a test that is named
    again has another id.
    """
    told = [value.rsplit(" ", 2) for value in values]
    ids = records.apart([name.replace(" ", "-") for name, _, _ in told])
    return tuple(
        records.named(own, f"{amount} {unit}", CODES[name], on=on)
        for own, (name, amount, unit) in zip(ids, told, strict=True)
    )


def recorded(*facts: str) -> dict[str, Any]:
    """`condition.hlh`: that the record holds these, each under a code of its own."""
    return {"entries": tuple(entries(SIL2R)[fact] for fact in facts)}


def card_of(record: PatientRecord, knowledge: KnowledgeBase = SIL2R) -> Card:
    """The one card about a record, with its drafts."""
    evaluation = records.evaluated(record, knowledge)
    cards = render(evaluation, knowledge, scope="s")
    (only,) = with_suggestions(cards, evaluation, knowledge, record.patient_id)
    return only


def card(
    value: str, loinc: str = SERUM_U, ranges: tuple[ReferenceRange, ...] = (), **changes: Any
) -> Card:
    """The one card about one result; `changes` are to the record around it."""
    return card_of(records.record(result(value, loinc, ranges), **changes))


def card_beside(value: str, *labs: str, **more: Any) -> Card:
    """The one card about a result, with what was drawn with it."""
    return card(value, companions=drawn(*labs), **more)
