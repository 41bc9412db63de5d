"""A blood count that came as one Observation with components: the card is as of single results."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.json_object import JsonObject
from cds_service.exact import ExactDecimal
from cds_service.fhir.read import read_record
from cds_service.fhir.supplied import supplied
from cds_service.fhir.wanted import wanted_by
from tests.packaged import SIL2R
from tests.unit.cards.given import CODES, URGENT, card_of

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
DAY = "2026-03-01T08:30:00Z"
BLOOD_COUNT = "58410-2"
SUBJECT = {"reference": "Patient/p"}
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1961-07-14"}


def concept(code: str) -> JsonObject:
    return {"coding": [{"system": LOINC, "code": code}]}


def observation(id_: str, code: str, **more: Any) -> JsonObject:
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": concept(code),
        "subject": SUBJECT,
        "effectiveDateTime": DAY,
        **more,
    }


def measured(told: str) -> JsonObject:
    """`<10 10*9/L` as a Quantity; anything that begins otherwise as a text."""
    if not (found := re.fullmatch(r"(<=|>=|<|>|)([0-9.]+) (\S+)", told)):
        return {"valueString": told}
    comparator, amount, unit = found.groups()
    quantity = {"value": ExactDecimal(amount), "unit": unit, "system": UCUM, "code": unit}
    return {"valueQuantity": quantity | ({"comparator": comparator} if comparator else {})}


def of(*labs: str) -> list[JsonObject]:
    """`platelets 60 10*9/L`: the code and the value of each."""
    named = (told.partition(" ") for told in labs)
    return [{"code": concept(CODES[name]), **measured(value)} for name, _, value in named]


def in_one(*labs: str, id_: str = "cbc", **more: Any) -> JsonObject:
    return observation(id_, BLOOD_COUNT, component=of(*labs), **more)


def one_by_one(*labs: str, **more: Any) -> list[JsonObject]:
    return [
        {**observation(f"lab-{number}", ""), **lab, **more} for number, lab in enumerate(of(*labs))
    ]


def card(*labs: JsonObject, value: str = "3000 U/mL") -> Card:
    """The card about sIL-2R with these in the laboratory part of the chart."""
    result = observation("sil2r", "9654-5", **measured(value))
    parts = {"patient": PATIENT, "labs": _bundle(*labs)}
    record = read_record(
        patient_id="p",
        fhir_base="",
        results=_bundle(result),
        parts={key: supplied(part) for key, part in parts.items()},
        wanted=wanted_by(SIL2R),
    )
    return card_of(record)


def _bundle(*resources: JsonObject) -> JsonObject:
    entries = [{"resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def words(said: Card) -> list[str]:
    """The words of the detail without the line of the resources that were used. Their order is left
    out: of results of one time the ids put those first that are named first.
    """
    lines = (line for line in said.detail.splitlines() if "Observation/" not in line)
    return sorted(word.strip(",.;:") for line in lines for word in line.split())


COUNTS = [
    ("haemoglobin 79 g/L", "platelets 60 10*9/L", "neutrophils 0.7 10*9/L", "ferritin 900 ng/mL"),
    ("ferritin 5200 ng/mL", "triglycerides 280 mg/dL", "fibrinogen 1.2 g/L"),
    ("platelets <10 10*9/L", "haemoglobin 130 g/L"),
    ("platelets clotted", "haemoglobin 79 g/L"),
    ("ferritin >40000", "platelets 60 10*9/L", "haemoglobin 79 g/L"),
    ("ferritin 12 mg/L", "platelets 60 10*9/L"),
    ("ferritin 480 ng/mL", "ferritin 5200 ng/mL", "haemoglobin 79 g/L", "platelets 60 10*9/L"),
    ("creatinine 4.1 mg/dL",),
]


@pytest.mark.parametrize("value", ["3000 U/mL", "900 U/mL", "800 pg/mL", "300"])
@pytest.mark.parametrize("labs", COUNTS)
@pytest.mark.parametrize("status", ["final", "preliminary", "entered-in-error"])
def test_the_card_says_the_same_whether_the_counts_came_in_one_or_one_by_one(
    labs: tuple[str, ...], value: str, status: str
) -> None:
    together = card(in_one(*labs, status=status), value=value)
    apart = card(*one_by_one(*labs, status=status), value=value)
    assert together.summary == apart.summary
    assert words(together) == words(apart)
    for member in ("outcome", "findings", "missing"):
        assert together.extension.get(member) == apart.extension.get(member)


def test_fallen_counts_in_one_observation_are_met_and_no_longer_missing() -> None:
    said = card(in_one("haemoglobin 79 g/L", "platelets 60 10*9/L", "neutrophils 0.7 10*9/L"))
    assert "hlh-2004-item-count" in said.extension["findings"]
    assert not {"haemoglobin", "platelets", "neutrophils"} & set(said.extension["missing"])


def test_the_panel_is_named_once_among_what_the_card_rests_on() -> None:
    said = card(in_one("haemoglobin 79 g/L", "platelets 60 10*9/L", "neutrophils 0.7 10*9/L"))
    used = [each["resource"] for each in said.extension["inputs"]]
    assert used.count("Observation/cbc") == 1
    assert said.detail.count("Observation/cbc") == 1
    assert "718-7 1" not in said.detail


def test_only_the_values_of_a_panel_that_meet_an_item_lead_the_card() -> None:
    """Normal neutrophils stand in the same Observation as the fallen counts."""
    counts = ("haemoglobin 79 g/L", "platelets 60 10*9/L", "neutrophils 5.2 10*9/L")
    said = card(in_one(*counts, "ferritin 9000 ng/mL"), value="300 U/mL")
    (note,) = (line for line in said.detail.splitlines() if URGENT in line)
    assert "platelets 60" in note
    assert "neutrophils" not in note


def test_of_two_versions_that_nothing_orders_only_what_they_contradict_is_left_open() -> None:
    """The haemoglobin is 79 g/L in both, the platelets are 60 or 160."""
    one, other = (
        in_one("haemoglobin 79 g/L", f"platelets {count} 10*9/L") for count in ("60", "160")
    )
    said = card(one, other)
    assert "More than one result of platelets" in said.detail
    assert "More than one result of haemoglobin" not in said.detail
    assert {"platelets", "haemoglobin"}.isdisjoint(said.extension["missing"])
