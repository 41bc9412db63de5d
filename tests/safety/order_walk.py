"""Every kind of draft order that the knowledge can tell apart, as order-sign requests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from cds_service.core.knowledge import LOINC, KnowledgeBase
from tests.safety.results import SPECIMENS, entries

JsonObject = dict[str, Any]

BIRTHS = ("1980-01-01", "2015-01-01", "")
FLUIDS = ((), ("SER",), ("CSF",), ("UR",), ("SER", "CSF"), ("unheard of",))


def drafts(knowledge: KnowledgeBase) -> Iterator[tuple[str, JsonObject]]:
    """A label, and the request."""
    codes = [*knowledge.accepted, *knowledge.refused, "718-7"]
    for code, fluids, birth in product(codes, FLUIDS, BIRTHS):
        for identity in ("1", ""):
            yield f"{code} in {fluids}", request(order(code, fluids, identity), birth=birth)
    yield from _codes_and_patients(knowledge)
    yield from _with_a_record(knowledge)


def order(
    loinc: str, fluids: tuple[str, ...] = (), identity: str = "1", **changes: Any
) -> JsonObject:
    """A draft ServiceRequest with its specimens contained."""
    contained = [
        {
            "resourceType": "Specimen",
            "id": f"s{number}",
            "type": {"coding": [{"system": SPECIMENS, "code": fluid}]},
        }
        for number, fluid in enumerate(fluids)
    ]
    draft = {
        "resourceType": "ServiceRequest",
        "id": identity,
        "contained": contained,
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "Patient/p"},
        "specimen": [{"reference": f"#s{number}"} for number in range(len(fluids))],
        **changes,
    }
    return {name: value for name, value in draft.items() if value}


def request(
    *orders: JsonObject, birth: str = BIRTHS[0], prefetch: dict[str, JsonObject] | None = None
) -> JsonObject:
    """An order-sign request of Patient/p for these drafts; nothing else is known but `prefetch`."""
    patient = {"resourceType": "Patient", "id": "p", "birthDate": birth}
    nothing = dict.fromkeys(("sil2r", "labs", "conditions", "medications"), searchset())
    return {
        "hook": "order-sign",
        "hookInstance": "00000000-0000-4000-8000-000000000000",
        "context": {
            "userId": "Practitioner/c",
            "patientId": "p",
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": each} for each in orders],
            },
        },
        "prefetch": {
            "patient": {name: value for name, value in patient.items() if value},
            **nothing,
            **(prefetch or {}),
        },
    }


def searchset(*resources: JsonObject) -> JsonObject:
    """A search answer; FHIR knows no empty list."""
    bundle: JsonObject = {"resourceType": "Bundle", "type": "searchset", "total": len(resources)}
    return {**bundle, "entry": [{"resource": each} for each in resources]} if resources else bundle


def observation(loinc: str, value: int, unit: str, **changes: Any) -> JsonObject:
    """A final result of Patient/p, of the day before the walk."""
    found = {
        "resourceType": "Observation",
        "id": f"o-{loinc}",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": loinc}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-03-01",
        "performer": [{"display": "Laboratory A"}],
        "valueQuantity": {
            "value": value,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
    }
    return {**found, **changes}


def _codes_and_patients(knowledge: KnowledgeBase) -> Iterator[tuple[str, JsonObject]]:
    everything = [*knowledge.accepted, *knowledge.refused, "2276-4"]
    for one, other in product(knowledge.accepted, everything):
        both = {"coding": [{"system": LOINC, "code": code} for code in (one, other)]}
        yield f"{one} and {other}", request(order(one, code=both))
    for alike, own in product(knowledge.refused, knowledge.accepted):
        yield f"{alike} beside {own}", request(order(alike), order(own, identity="2"))
    for code in everything:
        elsewhere = order(code, subject={"reference": "Patient/somebody-else"})
        yield f"{code} for another patient", request(elsewhere)
        yield f"{code}, not valid FHIR", request(order(code, status=7))
        yield f"{code} twice", request(order(code), order(code, identity="2"))
        yield f"{code} and another test under one id", request(order(code), order("718-7"))


def _with_a_record(knowledge: KnowledgeBase) -> Iterator[tuple[str, JsonObject]]:
    """What the record says beside the order: earlier results, other laboratories, the patient."""
    laboratories = ((), ("Laboratory A",), ("Laboratory B",))
    results = {
        "blood": observation("9654-5", 1310, "U/mL"),
        "blood in mass": observation("76039-7", 1894, "pg/mL"),
        "CSF": observation("99768-4", 120, "pg/mL"),
        "old": observation("9654-5", 1310, "U/mL", effectiveDateTime="2024-03-01"),
        "preliminary": observation("9654-5", 1310, "U/mL", status="preliminary"),
        "nowhere": observation("9654-5", 1310, "U/mL", performer=[]),
    }
    for code, (name, result), named in product(knowledge.accepted, results.items(), laboratories):
        performer = [{"display": laboratory} for laboratory in named]
        draft = order(code, performer=performer)
        found = {key: value for key, value in result.items() if value}
        yield (
            f"{code}, {name} result, to {named}",
            request(draft, prefetch={"sil2r": searchset(found)}),
        )
    for name, entry in entries(knowledge).items():
        for code in knowledge.accepted:
            (coding,) = entry.codings
            coded = {"coding": [{"system": coding.system, "code": coding.code}]}
            beside = _recorded(entry.kind, coded)
            yield f"{code} beside {name}", request(order(code), prefetch=beside)
    for code, value in product(knowledge.accepted, (1, 3)):
        creatinine = searchset(observation("2160-0", value, "mg/dL"))
        yield (
            f"{code}, creatinine {value} mg/dL",
            request(order(code), prefetch={"labs": creatinine}),
        )
    both = (observation("2160-0", n, "mg/dL", id=f"creatinine-{n}") for n in (1, 3))
    disputed = {"labs": searchset(*both)}
    yield "two creatinines of one day", request(order("9654-5"), prefetch=disputed)
    albumins = searchset(observation("1751-7", 4, "g/dL"), observation("1746-7", 20, "mg/dL"))
    yield "a complete pair", request(order("99768-4"), order("9654-5"), prefetch={"labs": albumins})
    yield "half a pair", request(order("99768-4"), prefetch={"labs": albumins})


def _recorded(kind: str, code: JsonObject) -> dict[str, JsonObject]:
    subject = {"reference": "Patient/p"}
    if kind == "condition":
        status = {
            "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
            "code": "active",
        }
        condition = {
            "resourceType": "Condition",
            "id": "c",
            "clinicalStatus": {"coding": [status]},
            "code": code,
            "subject": subject,
        }
        return {"conditions": searchset(condition)}
    medication = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": code,
        "subject": subject,
    }
    return {"medications": searchset(medication)}
