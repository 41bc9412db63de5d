"""A result that has several faults at once is given the reason that the public list puts first.

The list is that of docs/integrating.md; what is expected is written from it and from the tables of
codes and units that it names, not from the code that reads a result.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.conftest import cards, evaluation
from tests.property.wire import HOOKS, LOINC, SPECIMENS, Chart, Json, concept, resource

WHAT_IT_SAYS = {
    "9654-5": ("blood", "U"),
    "76039-7": ("blood", "mass"),
    "34408-5": ("blood", "mole"),
    "99768-4": ("csf", "mass"),
    "38352-1": ("", "U"),
}
"""Specimen and property of a code; the specimen of the last is told by the Specimen alone."""
INTERLEUKIN_2, FERRITIN, NOT_KNOWN = "33939-0", "2276-4", "99999-9"
TYPES = {"": "", "SER": "blood", "CSF": "csf", "UR": "urine", "ZZZ": "not known"}
FAMILIES = {
    "U/mL": "U",
    "kU/L": "U",
    "IU/mL": "U",
    "pg/mL": "mass",
    "ug/L": "mass",
    "pmol/L": "mole",
    "PG/ML": "not known",
    "%": "not known",
    "": "",
}
BY_STATUS = {
    "final": "",
    "corrected": "",
    "preliminary": "status-preliminary",
    "registered": "status-preliminary",
    "unknown": "status-unknown",
    "cancelled": None,
    "entered-in-error": None,
}
"""None where a result that had no card before gets none."""
NO_VALUE = concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "error")
SENT = (
    *({"valueQuantity": {"value": value}} for value in (0, 0.5, 500, 999_999_999)),
    *({"valueQuantity": {"value": value}} for value in (-1, 1_000_000_000)),
    {"valueString": "high"},
    {"valueInteger": 500},
    {"dataAbsentReason": NO_VALUE},
)


@dataclass(frozen=True)
class Sent:
    """A result as it is sent, fault beside fault."""

    patient: str
    valid: bool
    status: str
    codes: tuple[str, ...]
    specimen: str
    value: Json
    unit: str

    def resources(self) -> list[Json]:
        value: Json = self.value
        if "valueQuantity" in value and self.unit:
            value = {"valueQuantity": {**value["valueQuantity"], "unit": self.unit}}
        odd: Json = {} if self.valid else {"notOfR4": "x"}
        of: Json = {"subject": {"reference": f"Patient/{self.patient}"}}
        coding = [*(concept(LOINC, code)["coding"][0] for code in self.codes)]
        named = {"specimen": {"reference": "Specimen/s"}} if self.specimen else {}
        result = resource("Observation", "o", status=self.status, code={"coding": coding})
        drawn = resource("Specimen", "s", type=concept(SPECIMENS, self.specimen))
        result |= {"effectiveDateTime": "2026-03-01", **value, **odd, **named, **of}
        return [result, {**drawn, **of}] if self.specimen else [result]


def first_reason(sent: Sent) -> str | None:
    """By the public list; empty for a result that is interpreted, None where there is no card."""
    if sent.patient != "p":
        return "subject-mismatch"
    if not sent.valid:
        return "fhir-invalid"
    if BY_STATUS[sent.status] != "":
        return BY_STATUS[sent.status]
    says = [WHAT_IT_SAYS[code] for code in sent.codes if code in WHAT_IT_SAYS]
    specimens = {specimen for specimen, _ in says} - {""}
    properties = {family for _, family in says}
    if len(specimens) > 1 or len(properties) > 1 or {INTERLEUKIN_2, FERRITIN} & {*sent.codes}:
        return "code-conflict"
    return _by_specimen(specimens, TYPES[sent.specimen]) or _by_value(sent, properties)


def _by_specimen(by_code: set[str], by_type: str) -> str:
    if by_type == "not known" or not (by_code or by_type):
        return "specimen-unknown"
    if by_code and by_type and by_code != {by_type}:
        return "specimen-conflict"
    return "specimen-not-covered" if by_type == "urine" else ""


def _by_value(sent: Sent, properties: set[str]) -> str:
    if "dataAbsentReason" in sent.value:
        return "value-absent"
    if "valueQuantity" not in sent.value:
        return "value-not-numeric"
    family = FAMILIES[sent.unit]
    by_unit = {"": "unit-missing", "not known": "unit-unknown", "mole": "unit-mole"}
    if family in by_unit:
        return by_unit[family]
    if not 0 <= sent.value["valueQuantity"]["value"] < 1_000_000_000:
        return "implausible-value"
    return "" if properties == {family} else "unit-code-conflict"


ours = st.sampled_from(sorted(WHAT_IT_SAYS))
sent_results = st.builds(
    Sent,
    patient=st.sampled_from("p" * 12 + "q"),
    valid=st.sampled_from([True] * 12 + [False]),
    status=st.sampled_from(["final"] * 18 + [*BY_STATUS]),
    codes=st.one_of(
        *[ours.map(lambda code: (code,))] * 3,
        st.tuples(ours, st.sampled_from([*WHAT_IT_SAYS, INTERLEUKIN_2, FERRITIN, NOT_KNOWN])),
    ),
    specimen=st.sampled_from([""] * 6 + [*TYPES]),
    value=st.sampled_from(SENT),
    unit=st.sampled_from([*FAMILIES]),
)


@settings(max_examples=500)
@given(sent_results, st.sampled_from(sorted(HOOKS)))
def test_of_several_faults_the_card_gives_the_one_that_the_public_list_puts_first(
    client: FlaskClient, sent: Sent, service: str
) -> None:
    chart = Chart(
        arrived=sent.resources(),
        earlier=[],
        patient={"resourceType": "Patient", "id": "p"},
        labs=[],
        conditions=[],
        medications=[],
        absent=frozenset(),
    )
    said = [evaluation(card) for card in cards(client, service, chart.request(service))]
    expected = first_reason(sent)
    assert [each.get("reason", "") for each in said] == [expected][: expected is not None]
    outcome = "not-interpretable" if expected else "interpreted"
    assert all(each["outcome"] == outcome for each in said)
