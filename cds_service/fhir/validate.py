"""Is this valid FHIR R4? The only importer of `fhir.resources` (R4B models).

`fhir.resources` 8.3.0 knows elements, types, cardinalities and dates, and refuses what belongs to
another FHIR version. It lets through `null` and empty elements, takes Python spellings of element
names, and answers some hostile input with exceptions that are not its own. What it lets through is
decided here, for every element; values that we read are decided where they are read.

Asking the models takes many times as long as reading: they are asked only about what is not plain
(see `plain`), once about each resource, and never about more than fits into the time of one answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel, ValidationError

from cds_service.core.json_object import JsonObject
from cds_service.fhir.plain.resources import is_plain
from cds_service.fhir.shape import Refusal, an_id, type_of

_READ = (
    "Condition", "Medication", "MedicationAdministration", "MedicationRequest",
    "MedicationStatement", "Observation", "Patient", "Procedure", "ServiceRequest", "Specimen",
    "Substance",
)  # fmt: skip
_MODELS: Mapping[str, type[BaseModel]] = {kind: get_fhir_model_class(kind) for kind in _READ}
_ELEMENT_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]*")
_MUST_BE_UNDERSTOOD = frozenset({"modifierExtension", "implicitRules"})
"""Elements that may change the meaning of everything else: a reader that does not know them must
refuse the resource (https://hl7.org/fhir/R4/extensibility.html#modifierExtension). We know none."""

MOST_ELEMENTS = 5_000
"""Most values (objects, arrays and primitives together) of one resource that is not plain. The
largest Observation among the examples of FHIR R4 holds 195 of them; a panel of a hundred components
with code, value, range and interpretation, some 3,000. More is refused."""
MOST_CHECKED = 50_000
"""Most values that the models are asked about in one reading, at up to 11 µs each: half a second.
Eight hundred resources of 60 values, all that one answer reads and none of them plain, fit in."""


class Checks:
    """The checks of one reading: each resource is judged once, however many refer to it.

    Lives as long as the documents that are read, never longer.
    """

    def __init__(self) -> None:
        self._left = MOST_CHECKED
        self._judged: dict[int, tuple[JsonObject, Sequence[str]]] = {}
        """The faults of each, by `id()`; the resource is kept too, so that no other can get its
        `id()`.
        """

    def check(self, resource: JsonObject) -> None:
        """Refuse a resource that is not valid FHIR R4. Raises Refusal with the first fault found.

        One that is not plain is also refused if it holds more than MOST_ELEMENTS values, or more
        than are left of MOST_CHECKED.
        """
        key = id(resource)
        if key not in self._judged:
            self._judged[key] = resource, self._faults(resource)
        _, faults = self._judged[key]
        for where in faults:
            raise Refusal(where)

    def _faults(self, resource: JsonObject) -> Sequence[str]:
        """Where the first fault is, if there is one."""
        if is_plain(resource):
            return ()
        elements = _elements(resource)
        if elements > min(MOST_ELEMENTS, self._left):
            return (type_of(resource),)
        self._left -= elements
        try:
            check_fully(resource)
        except Refusal as refusal:
            return (refusal.where,)
        return ()


def _elements(resource: JsonObject) -> int:
    """How many values a resource holds, itself included; counting stops beyond MOST_ELEMENTS."""
    counted = 0
    pending: list[object] = [resource]
    while pending and counted <= MOST_ELEMENTS:
        value = pending.pop()
        counted += 1
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    return counted


def check(resource: JsonObject) -> None:
    """Check one resource by itself. Raises Refusal as `Checks.check`."""
    Checks().check(resource)


def check_fully(resource: JsonObject) -> None:
    """Ask the model, then check every element. Raises Refusal with the first fault found."""
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
    """Where the first fault is. The name of an unknown member is left out: it came from outside."""
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
    """The places where an array of primitives may hold null: those where its twin (`_given` beside
    `given`) holds something.
    """
    twin = element.get(name.removeprefix("_") if name.startswith("_") else f"_{name}")
    if not isinstance(twin, list):
        return frozenset()
    return frozenset(index for index, item in enumerate(twin) if item is not None)
