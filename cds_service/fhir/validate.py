"""Is this valid FHIR R4? The only importer of `fhir.resources` (R4B models).

`fhir.resources` 8.3.0 knows elements, types, cardinalities and dates, and refuses what belongs to
another FHIR version. It lets through `null` and empty elements, takes Python spellings of element
names, and answers some hostile input with exceptions that are not its own. What it lets through is
decided here, for every element; values that we read are decided where they are read.

Asking the models takes many times as long as reading: they are asked only about what is not plain
(see `plain`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.medication import Medication
from fhir.resources.R4B.medicationadministration import MedicationAdministration
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.procedure import Procedure
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhir.resources.R4B.specimen import Specimen
from pydantic import BaseModel, ValidationError

from cds_service.core.card import JsonObject
from cds_service.fhir.plain_resources import is_plain
from cds_service.fhir.shape import Refusal, an_id, type_of

_MODELS: dict[str, type[BaseModel]] = {
    "Condition": Condition,
    "Medication": Medication,
    "MedicationAdministration": MedicationAdministration,
    "MedicationRequest": MedicationRequest,
    "MedicationStatement": MedicationStatement,
    "Observation": Observation,
    "Patient": Patient,
    "Procedure": Procedure,
    "ServiceRequest": ServiceRequest,
    "Specimen": Specimen,
}
_ELEMENT_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]*")
_MUST_BE_UNDERSTOOD = frozenset({"modifierExtension", "implicitRules"})
"""Elements that may change the meaning of everything else: who does not know them must refuse
(https://hl7.org/fhir/R4/extensibility.html#modifierExtension). We know none."""


def check(resource: JsonObject) -> None:
    """Refuse a resource that is not valid FHIR R4. Raises Refusal with the first fault found."""
    if not is_plain(resource):
        check_fully(resource)


def check_fully(resource: JsonObject) -> None:
    """The verdict on whatever is not plain, and where the fault is. Raises Refusal."""
    kind = type_of(resource)
    try:
        _MODELS[kind].model_validate(resource)
    except ValidationError as error:
        raise Refusal(_location(kind, error)) from None
    except Exception:  # noqa: BLE001 - RecursionError, KeyError, TypeError: whatever bad input does
        raise Refusal(kind) from None
    if "id" in resource and not an_id(resource["id"]):
        raise Refusal(f"{kind}.id")
    _check_every_element(resource, kind)


def _location(kind: str, error: ValidationError) -> str:
    """Where the first fault is. The name of an unknown member came from outside: left out."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = fault["loc"][:-1] if fault["type"] == "extra_forbidden" else fault["loc"]
    where = kind
    for step in path:
        if isinstance(step, int):
            where += f"[{step}]"
        elif step != "root" and _ELEMENT_NAME.fullmatch(step):
            where += f".{step}"
    return where


def _check_every_element(resource: JsonObject, kind: str) -> None:
    """No nulls, no empty elements, no foreign spellings, no modifiers. Without recursion."""
    pending: list[tuple[str, object]] = [(kind, resource)]
    while pending:
        where, value = pending.pop()
        if value is None or value in ("", [], {}):
            raise Refusal(where)
        if isinstance(value, dict):
            pending += _members(value, where)


def _members(element: JsonObject, where: str) -> Iterator[tuple[str, object]]:
    for name, value in element.items():
        if not _ELEMENT_NAME.fullmatch(name):
            raise Refusal(where)
        place = f"{where}.{name}"
        if name in _MUST_BE_UNDERSTOOD:
            raise Refusal(place)
        yield place, value
        if isinstance(value, list):
            holes = _holes(element, name)
            for index, item in enumerate(value):
                if item is not None or index not in holes:
                    yield f"{place}[{index}]", item


def _holes(element: JsonObject, name: str) -> frozenset[int]:
    """Where an array of primitives may hold null: where its twin holds the other half."""
    twin = element.get(name.removeprefix("_") if name.startswith("_") else f"_{name}")
    if not isinstance(twin, list):
        return frozenset()
    return frozenset(index for index, item in enumerate(twin) if item is not None)
