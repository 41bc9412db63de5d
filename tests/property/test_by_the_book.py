"""The service finds what its public list of findings says, for any result that can be read."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.by_the_book import ABOUT, Amount, Case, findings
from tests.property.conftest import cards, evaluation
from tests.property.wire import (
    ICD,
    LOINC,
    SPECIMENS,
    THOUSANDS,
    UCUM,
    UNITS,
    Chart,
    Json,
    concept,
    resource,
)

KINDS = (
    ("blood", "U"),
    ("blood", "U"),
    ("blood", "U"),
    ("blood", "mass"),
    ("csf", "U"),
    ("csf", "mass"),
)
"""Most limits are for blood in units, so most cases are too."""
LIMITS = (150, 623, 1000, 2400, 3900, 6000, 10_000)
FERRITINS = [Decimal(number) for number in ("1000", "5000", "1000.1", "999.9")]
CODED = {
    "sarcoidosis": (ICD, "D86.0"),
    "haematological-malignancy": (ICD, "C85.90"),
    "indolent-atl": ("urn:oid:2.999.1", "ATL-C"),
    "hlh": (ICD, "D76.1"),
    "nothing-in-question": (ICD, "E11.9"),
}
RECORDS: tuple[list[str], ...] = (
    ["haematological-malignancy"],
    ["indolent-atl"],
    ["sarcoidosis", "haematological-malignancy"],
    ["hlh", "haematological-malignancy"],
    ["nothing-in-question"],
    [],
)
OPENS_TOO = {"indolent-atl": {"haematological-malignancy"}}
CODES = {
    ("blood", "U"): "9654-5",
    ("blood", "mass"): "76039-7",
    ("csf", "U"): "38352-1",
    ("csf", "mass"): "99768-4",
}
SPECIMEN = {"blood": "SER", "csf": "CSF"}
WARNINGS = {
    "hlh-2004-criterion-met",
    "hlh-adult-high-specificity",
    "ohi-index-positive",
    "csf-above-150",
}


comparators = st.sampled_from(["", "", *ABOUT])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A result with any number, and what may stand around it."""
    specimen, family = draw(st.sampled_from(KINDS))
    return Case(
        specimen,
        family,
        Amount(draw(comparators), draw(st.decimals(1, 30_000, places=1))),
        years=draw(st.sampled_from([64, 18, 64, 17, -1])),
        laboratory=draw(st.sampled_from([None, (0, 150), (158, 623), (1000, 2400)])),
        conditions=frozenset(draw(st.sampled_from(RECORDS))),
        ferritin=draw(st.builds(Amount, comparators, st.sampled_from(FERRITINS)) | st.none()),
    )


def chart_of(case: Case, unit: str) -> Chart:
    """The case as a client would send it, with its value in this unit of the family."""

    def quantity(number: Decimal) -> Json:
        scaled = number / 1000 if unit in THOUSANDS else number
        return {"value": float(scaled), "unit": unit, "system": UCUM, "code": unit}

    said = {"comparator": case.amount.comparator} if case.amount.comparator else {}
    own = [quantity(Decimal(number)) for number in case.laboratory or ()]
    result = resource(
        "Observation",
        "o1",
        status="final",
        code=concept(LOINC, CODES[case.specimen, case.family]),
        effectiveDateTime="2026-03-01",
        valueQuantity={**quantity(case.amount.number), **said},
        referenceRange=[dict(zip(("low", "high"), own, strict=True))] if own else None,
        specimen={"reference": "Specimen/s1"},
    )
    drawn = resource("Specimen", "s1", type=concept(SPECIMENS, SPECIMEN[case.specimen]))
    born = {"birthDate": f"{2026 - case.years}-03-01"} if case.years >= 0 else {}
    return Chart(
        arrived=[result, drawn],
        earlier=[],
        patient={"resourceType": "Patient", "id": "p", **born},
        labs=[_ferritin(case.ferritin)] if case.ferritin else [],
        conditions=[
            resource("Condition", f"c{number}", code=concept(*CODED[name]))
            for number, name in enumerate(sorted(case.conditions))
        ],
        medications=[],
        absent=frozenset(),
    )


def _ferritin(amount: Amount) -> Json:
    said = {"comparator": amount.comparator} if amount.comparator else {}
    return resource(
        "Observation",
        "l1",
        status="final",
        code=concept(LOINC, "2276-4"),
        effectiveDateTime="2026-03-01",
        valueQuantity={"value": float(amount.number), "unit": "ng/mL", **said},
    )


@settings(max_examples=80)
@given(cases(), st.data())
def test_the_findings_are_those_of_the_public_list(
    client: FlaskClient, case: Case, data: st.DataObject
) -> None:
    """Of any number, and of each one that is a limit for something."""
    unit = data.draw(st.sampled_from(UNITS[case.family]))
    opened = case.conditions.union(*(OPENS_TOO.get(name, ()) for name in case.conditions))
    for number in (case.amount.number, *map(Decimal, LIMITS)):
        given_case = replace(case, amount=replace(case.amount, number=number))
        request = chart_of(given_case, unit).request("sil2r-lab-result")
        (card,) = cards(client, "sil2r-lab-result", request)
        found = {name for name in evaluation(card)["findings"] if not name.startswith("context-")}
        assert found == findings(replace(given_case, conditions=opened))
        assert card["indicator"] == ("warning" if found & WARNINGS else "info")
