"""Whole records as clients send them: a patient, results, what lies beside them, as hook requests.

All of it is invented. What is drawn is mostly plain, and often enough odd: partial dates, units in
text, ranges of another unit, results that are preliminary or withdrawn, parts that did not come.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
SPECIMENS = "http://terminology.hl7.org/CodeSystem/v2-0487"
ICD, ATC = "http://hl7.org/fhir/sid/icd-10-cm", "http://www.whocc.no/atc"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
BASE = "https://ehr.example.org/fhir"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOOKS = {
    "sil2r-lab-result": "org.sil2r-cds.lab-result-create",
    "sil2r-patient-view": "patient-view",
}

Json = dict[str, Any]

UNITS = {"U": ("U/mL", "kU/L", "[IU]/mL"), "mass": ("pg/mL", "ng/L", "ng/mL"), "mole": ("pmol/L",)}
THOUSANDS = {"ng/mL"}
CODES = {
    ("SER", "U"): ("9654-5", "44422-4"),
    ("SER", "mass"): ("76039-7", "24458-2"),
    ("SER", "mole"): ("34408-5",),
    ("CSF", "mass"): ("99768-4",),
    ("CSF", "U"): ("38352-1",),
}
EDGES = (0, 57.6, 150, 150.5, 623, 1000, 2399.5, 2400, 3900.5, 6000, 10000, 10000.5, 25000)
STATUSES = ("final",) * 12 + (
    "amended",
    "corrected",
    "preliminary",
    "cancelled",
    "entered-in-error",
)
DAYS = ("2026-02-10", "2026-02-24", "2026-02-26", "2026-03-01")
DATES = (*DAYS, *(f"{day}T08:30:00+01:00" for day in DAYS), "2026-02-26T23:30:00-05:00", "2026-02")
BIRTHS = ("1980-05-05", "1950-01-01", "2015-05-05", "1980", "2008", "")
COMPANIONS = (
    ("2276-4", "ng/mL", (400, 500, 1000.5)),
    ("14927-8", "mmol/L", (2, 3)),
    ("3255-7", "g/L", (1.5, 3)),
    ("718-7", "g/L", (85, 120)),
    ("777-3", "10*9/L", (60, 250)),
    ("2160-0", "mg/dL", (1, 2.5)),
    ("1751-7", "g/L", (40,)),
    ("1746-7", "mg/L", (200,)),
)
CONDITIONS = (
    "D86.0",
    "C91.50",
    "C85.90",
    "M32.10",
    "D76.1",
    "N18.6",
    "B20",
    "A41.9",
    "G35",
    "E11.9",
)
DRUGS = ("L03AC01", "L04AC02", "H02AB07", "A10BA02")


def resource(kind: str, id_: str, **members: Any) -> Json:
    """A resource of the patient."""
    return {
        "resourceType": kind,
        "id": id_,
        "meta": {"versionId": "10"},
        "subject": {"reference": "Patient/p"},
        **{name: value for name, value in members.items() if value is not None},
    }


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def bundle(kind: str, resources: list[Json]) -> Json:
    """A Bundle whose entries are addressed on the server of the request."""
    entries = [
        {"fullUrl": f"{BASE}/{each['resourceType']}/{each['id']}", "resource": each}
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": kind, **({"entry": entries} if entries else {})}


@st.composite
def quantities(draw: st.DrawFn, amount: float, unit: str) -> Json:
    """An amount of the canonical unit in this one; the unit by code, by text, or by both."""
    scaled = amount / 1000 if unit in THOUSANDS else amount
    comparator = draw(st.sampled_from(("", "", "", "", "<", ">", "<=", ">=")))
    coded = {"system": UCUM, "code": unit}
    said = draw(st.sampled_from(({"unit": unit}, coded, {"unit": unit, **coded})))
    return {"value": scaled, **({"comparator": comparator} if comparator else {}), **said}


@st.composite
def ranges(draw: st.DrawFn, unit: str) -> Json:
    low, high = draw(st.sampled_from(((158, 623), (0, 150), (1000, 2400))))
    of = {"unit": unit} if draw(st.booleans()) else {}
    by = 1000 if unit in THOUSANDS else 1
    years = {"high": {"value": 17, "unit": "a", "system": UCUM, "code": "a"}}
    band = {"age": years} if draw(st.integers(0, 4)) == 0 else {}
    return {"low": {"value": low / by, **of}, "high": {"value": high / by, **of}, **band}


@st.composite
def results(draw: st.DrawFn, number: int) -> list[Json]:
    """A result of sIL-2R, with its Specimen where it names one."""
    kind, family = draw(st.sampled_from(sorted(CODES)))
    unit = draw(st.sampled_from(UNITS[family]))
    code = draw(st.sampled_from(CODES[kind, family]))
    specimen = resource("Specimen", f"s{number}", type=concept(SPECIMENS, kind))
    names_it = code == "38352-1" or draw(st.booleans())
    value = draw(quantities(draw(st.sampled_from(EDGES)), unit))
    laboratory = draw(st.sampled_from((None, {"display": "A"}, {"reference": "Organization/b"})))
    result = resource(
        "Observation",
        f"o{number}",
        status=draw(st.sampled_from(STATUSES)),
        category=[concept("urn:oid:2.999.3", "laboratory"), concept("urn:oid:2.999.3", "blood")],
        code={
            "coding": [*concept("urn:oid:2.999.4", "x")["coding"], *concept(LOINC, code)["coding"]]
        },
        effectiveDateTime=draw(st.sampled_from((None, *DATES))),
        issued=draw(st.sampled_from((None, "2026-03-01T10:00:00Z"))),
        valueQuantity=value,
        referenceRange=draw(st.lists(ranges(unit), max_size=2)) or None,
        performer=[laboratory] if laboratory else None,
        specimen={"reference": f"Specimen/s{number}"} if names_it else None,
    )
    return [result, *([specimen] if names_it else [])]


@st.composite
def companions(draw: st.DrawFn, number: int) -> Json:
    code, unit, amounts = draw(st.sampled_from(COMPANIONS))
    amount = draw(st.sampled_from(amounts))
    return resource(
        "Observation",
        f"l{number}",
        status=draw(st.sampled_from(STATUSES)),
        code=concept(LOINC, code),
        effectiveDateTime=draw(st.sampled_from(DATES)),
        valueQuantity={"value": amount, "unit": unit, "system": UCUM, "code": unit},
    )


def condition(number: int, code: str, status: str) -> Json:
    told = {"clinicalStatus": concept(CLINICAL, status)}
    return resource("Condition", f"c{number}", code=concept(ICD, code), **told)


def order_of(number: int, code: str) -> Json:
    """A drug that was ordered before any of the results."""
    return resource(
        "MedicationRequest",
        f"m{number}",
        status="active",
        intent="order",
        authoredOn="2026-01-15",
        medicationCodeableConcept=concept(ATC, code),
    )


@st.composite
def reports(draw: st.DrawFn, named: list[Json]) -> list[Json]:
    """Mostly none, else one that names the results and may take them back."""
    status = draw(st.sampled_from(("", "final", "cancelled", "entered-in-error")))
    results_named = [
        {"reference": f"Observation/{each['id']}"}
        for each in named
        if each["resourceType"] == "Observation"
    ]
    code = concept(LOINC, "11502-2")
    report = resource("DiagnosticReport", "r", status=status, code=code, result=results_named)
    return [report] if status else []


@dataclass
class Chart:
    """What a client could send: results that arrived, earlier ones, and the rest of the record."""

    arrived: list[Json]
    earlier: list[Json]
    patient: Json
    labs: list[Json]
    conditions: list[Json]
    medications: list[Json]
    absent: frozenset[str]
    """Parts that do not come along."""

    def request(self, service: str) -> Json:
        """The chart as a hook request; on `patient-view` all results are in the chart."""
        arrives = service == "sil2r-lab-result"
        sil2r = self.earlier if arrives else [*self.arrived, *self.earlier]
        parts = {
            "patient": self.patient,
            "sil2r": bundle("searchset", sil2r),
            "labs": bundle("searchset", self.labs),
            "conditions": bundle("searchset", self.conditions),
            "medications": bundle("searchset", self.medications),
        }
        results_arrived = {"results": bundle("collection", self.arrived)} if arrives else {}
        return copy.deepcopy(
            {
                "hook": HOOKS[service],
                "hookInstance": "00000000-0000-4000-8000-000000000001",
                "fhirServer": BASE,
                "context": {"patientId": "p", "userId": "Practitioner/d", **results_arrived},
                "prefetch": {key: part for key, part in parts.items() if key not in self.absent},
            }
        )


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """Any chart: one to four results, and up to a handful of everything else."""
    drawn = [draw(results(number)) for number in range(draw(st.integers(1, 4)))]
    arrived = draw(st.integers(1, len(drawn)))
    results_arrived = [each for one in drawn[:arrived] for each in one]
    birth = draw(st.sampled_from(BIRTHS))
    coded = draw(st.lists(st.sampled_from(CONDITIONS), max_size=3))
    ordered = draw(st.lists(st.sampled_from(DRUGS), max_size=2))
    statuses = st.sampled_from(("active", "active", "remission", "resolved"))
    return Chart(
        [*results_arrived, *draw(reports(results_arrived))],
        [each for one in drawn[arrived:] for each in one],
        {"resourceType": "Patient", "id": "p", **({"birthDate": birth} if birth else {})},
        [draw(companions(number)) for number in range(draw(st.integers(0, 5)))],
        [condition(number, code, draw(statuses)) for number, code in enumerate(coded)],
        [order_of(number, code) for number, code in enumerate(ordered)],
        draw(st.frozensets(st.sampled_from(("patient", "labs", "conditions")), max_size=1)),
    )


def bundles(request: Json) -> Iterator[Json]:
    """Every Bundle of a request that holds something."""
    for each in (request["context"].get("results"), *request["prefetch"].values()):
        if each and each["resourceType"] == "Bundle" and "entry" in each:
            yield each


def resources(request: Json) -> Iterator[Json]:
    """Every resource of a request but the Patient."""
    for each in bundles(request):
        for entry in each["entry"]:
            yield entry["resource"]
