"""Draft orders as clients send them, and stranger ones, as hook requests. All of it is invented.

Drafts for sIL-2R, for interleukin 2, for what belongs beside them and for something else; several
codes, words alone, specimens of any kind, ids that repeat, what is not valid, other patients'.
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from tests.property.wire import (
    BASE,
    LOINC,
    SPECIMENS,
    UCUM,
    Json,
    bundle,
    concept,
    condition,
    resource,
)

OWN, IL2 = ("9654-5", "76039-7", "99768-4", "38352-1"), ("33939-0", "4651-6", "70077-3", "70078-1")
OTHERS = ("1751-7", "1746-7", "2276-4", "31123-3", "718-7", "24627-2")
IDS = ("1", "2", "3", "10", "2", "draft_1", None, None)
STATUSES = ("draft",) * 8 + ("active", "unknown", "revoked", "entered-in-error", "banana")
SUBJECTS = ("Patient/p",) * 6 + (f"{BASE}/Patient/p", "Patient/q", "RelatedPerson/p")
ADDRESSES = ("", "", "", "ServiceRequest", "urn")
PLACES = ("none", "none", "contained", "beside", "absent")

code_of_a_draft = st.sampled_from(OWN + OWN + IL2 + OTHERS)
addresses = st.sampled_from(ADDRESSES)
codes = st.one_of(*[st.lists(code_of_a_draft, min_size=1, max_size=most) for most in (1, 1, 1, 2)])


@st.composite
def drafts(draw: st.DrawFn) -> Json:
    """One entry of `draftOrders`."""
    kind = draw(st.sampled_from(("ServiceRequest",) * 9 + ("MedicationRequest",)))
    coded = {"coding": [{"system": LOINC, "code": code} for code in draw(codes)]}
    broken = {"coding": [{"system": LOINC, "code": 7}]}
    code = draw(st.sampled_from((coded,) * 8 + ({"text": "sIL-2R"}, broken, None)))
    order: Json = {
        "resourceType": kind,
        "id": draw(st.sampled_from(IDS)),
        "meta": draw(st.sampled_from((None, None, {"versionId": "3"}, {"versionId": "b"}))),
        "status": draw(st.sampled_from(STATUSES)),
        "intent": draw(st.sampled_from(("order",) * 8 + ("wish",))),
        "code" if kind == "ServiceRequest" else "medicationCodeableConcept": code,
        "subject": {"reference": draw(st.sampled_from(SUBJECTS))},
        "performer": draw(st.sampled_from((None, None, [{"display": "Laboratory B"}]))),
        "note": draw(st.sampled_from((None, None, [{"text": "call the ward"}]))),
        "quantityQuantity": draw(st.sampled_from((None, None, None, {"value": 1.5}))),
    }
    fluid, place = draw(st.sampled_from(("SER", "CSF", "UR"))), draw(st.sampled_from(PLACES))
    if place == "contained":
        inside = {"resourceType": "Specimen", "id": "s", "type": concept(SPECIMENS, fluid)}
        order |= {"contained": [inside], "specimen": [{"reference": "#s"}]}
    elif place != "none":
        named = fluid.lower() if place == "beside" else "gone"
        order["specimen"] = [{"reference": f"Specimen/{named}"}]
    return _entry({k: v for k, v in order.items() if v is not None}, draw(addresses))


def _entry(order: Json, address: str) -> Json:
    if address == "urn":
        return {"fullUrl": "urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11", "resource": order}
    if address and "id" in order:
        return {"fullUrl": f"{BASE}/{order['resourceType']}/{order['id']}", "resource": order}
    return {"resource": order}


def _copied(draw: st.DrawFn, entry: Json) -> Json:
    """The same draft once more, perhaps with another content or version."""
    again = copy.deepcopy(entry)
    order = again["resource"]
    match draw(st.sampled_from(("same", "note", "code", "version", "status"))):
        case "note":
            order["note"] = [{"text": "again"}]
        case "code":
            order["code"] = concept(LOINC, draw(code_of_a_draft))
        case "version":
            order["meta"] = {"versionId": draw(st.sampled_from(("2", "4", "a", "c")))}
        case "status":
            order["status"] = draw(st.sampled_from(STATUSES))
        case _:
            pass
    return again


@st.composite
def order_requests(draw: st.DrawFn) -> Json:
    """A request to `order-sign`, or to `order-select` with selections of any kind."""
    entries = draw(st.lists(drafts(), min_size=1, max_size=5))
    for _ in range(draw(st.integers(0, 3))):
        entries.append(_copied(draw, draw(st.sampled_from(entries))))
    kinds = draw(st.lists(st.sampled_from(("SER", "CSF")), max_size=2))
    entries += [
        {"resource": resource("Specimen", kind.lower(), type=concept(SPECIMENS, kind))}
        for kind in kinds
    ]
    if draw(st.integers(0, 7)) == 0:
        entries.append({"no": "resource"})
    context: Json = {
        "patientId": "p",
        "userId": "Practitioner/d",
        "draftOrders": {"resourceType": "Bundle", "entry": entries},
    }
    hook = draw(st.sampled_from(("order-sign", "order-select")))
    if hook == "order-select":
        context["selections"] = draw(st.lists(selections, max_size=4))
    return {
        "hook": hook,
        "hookInstance": "00000000-0000-4000-8000-000000000001",
        **draw(st.sampled_from(({}, {"fhirServer": BASE}))),
        "context": context,
        "prefetch": draw(records()),
    }


selections = st.sampled_from(
    [
        *(f"ServiceRequest/{id_}" for id_ in ("1", "2", "3", "10", "draft_1", "99")),
        f"{BASE}/ServiceRequest/1",
        "https://other.example.org/fhir/ServiceRequest/2",
        "ServiceRequest/3/_history/7",
        "MedicationRequest/1",
        "urn:uuid:6f2a52b4-5a0e-4d0c-9d39-3f8e6d1c7a11",
        "1",
        "",
    ]
)


RESULTS = (*((code, "U/mL") for code in ("9654-5", "38352-1")), ("99768-4", "pg/mL"))
LABS = (("1751-7", "g/L"), ("1746-7", "mg/L"), ("2160-0", "mg/dL"))


@st.composite
def before(draw: st.DrawFn, codes: tuple[tuple[str, str], ...], name: str) -> list[Json]:
    """Up to three results from before, often of one time."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        code, unit = draw(st.sampled_from(codes))
        amount = draw(st.sampled_from((1, 2.5, 700)))
        result = resource(
            "Observation",
            f"{name}{number}",
            status=draw(st.sampled_from(("final", "final", "preliminary"))),
            code=concept(LOINC, code),
            effectiveDateTime=draw(st.sampled_from(("2026-02-28", "2026-02-28", "2025-01-01"))),
            performer=[{"display": draw(st.sampled_from(("Laboratory A", "Laboratory B")))}],
            valueQuantity={"value": amount, "unit": unit, "system": UCUM, "code": unit},
        )
        found.append(result)
    return found


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """What is known of the patient beside the drafts; often nothing."""
    birth = draw(st.sampled_from(("2015-05-05", "1980-05-05")))
    codes = draw(st.lists(st.sampled_from(("N18.6", "E11.9")), max_size=2, unique=True))
    parts: dict[str, Any] = {
        "patient": {"resourceType": "Patient", "id": "p", "birthDate": birth},
        "sil2r": bundle("searchset", draw(before(RESULTS, "o"))),
        "labs": draw(st.sampled_from((None, bundle("searchset", draw(before(LABS, "l")))))),
        "conditions": bundle(
            "searchset", [condition(number, code, "active") for number, code in enumerate(codes)]
        ),
    }
    return {key: parts[key] for key in draw(st.sets(st.sampled_from(sorted(parts))))}
