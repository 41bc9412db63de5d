"""Looking into JSON of unknown shape without ever failing.

A value of another type than the one asked for reads as empty; whether that is acceptable is decided
elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cds_service.core.elements import Coding
from cds_service.core.json_object import JsonObject

FHIR_ID = r"[A-Za-z0-9\-.]{1,64}"
"""The grammar of an id (https://hl7.org/fhir/R4/datatypes.html#id). Requests, references and
resources share it: an id accepted in only one of these places could never be matched."""

_ID = re.compile(FHIR_ID)
_DATA_ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


BUNDLE = frozenset({"meta", "identifier", "link", "entry", "signature"})
"""Members of a Bundle that are no primitives (https://hl7.org/fhir/R4/bundle.html)."""


class Refusal(Exception):  # noqa: N818 - an outcome on its way to becoming an InvalidResource
    """The resource cannot be read as valid FHIR R4; `where` locates the fault, without values."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


def an_object(value: object) -> JsonObject:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def a_text(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def a_flag(element: JsonObject, name: str, where: str, *, default: bool) -> bool:
    """A boolean. Raises Refusal for anything else, such as the text `true`."""
    match element.get(name, default):
        case bool(flag):
            return flag
        case _:
            raise Refusal(f"{where}.{name}")


def objects(value: object) -> Sequence[JsonObject]:
    """The objects of a JSON array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def resources_of(bundle: JsonObject) -> list[JsonObject]:
    """The resource of each entry of a Bundle; an empty object for an entry without one."""
    return [an_object(entry.get("resource")) for entry in objects(bundle.get("entry"))]


def holds_beside(element: JsonObject, members: frozenset[str]) -> bool:
    """Whether an element holds an object or an array with content beside these members. What only
    adds to a primitive is passed over (https://hl7.org/fhir/R4/json.html#primitive).
    """
    return any(
        isinstance(value, dict | list) and value and name not in members and name[:1] != "_"
        for name, value in element.items()
    )


def is_mislabelled(bundle: JsonObject) -> bool:
    """Whether a Bundle without entries holds something under a name that Bundles do not have, such
    as `entries`: it does not say that there is nothing.
    """
    return not bundle.get("entry") and holds_beside(bundle, BUNDLE)


def an_id(value: object) -> str:
    """The value if it is a FHIR id (https://hl7.org/fhir/R4/datatypes.html#id), else empty."""
    text = a_text(value)
    return text if _ID.fullmatch(text) else ""


def type_of(resource: JsonObject) -> str:
    """`resourceType`, empty when there is none."""
    return a_text(resource.get("resourceType"))


def is_type(kind: str) -> bool:
    """Whether this may name a type of resource: they all begin with a capital."""
    return kind[:1].isupper()


def version_of(resource: JsonObject) -> str:
    """`meta.versionId`, empty when there is none that can be one."""
    return an_id(an_object(resource.get("meta")).get("versionId"))


def codings(concept: object) -> tuple[Coding, ...]:
    """The codings of a CodeableConcept that hold a code. Its text is not a code."""
    return tuple(
        Coding(a_text(c.get("system")), c["code"], a_text(c.get("display")))
        for c in objects(an_object(concept).get("coding"))
        if isinstance(c.get("code"), str) and isinstance(c.get("system", ""), str)
    )


def code_pairs(codings_: Sequence[object]) -> set[tuple[str, str]]:
    """System and code of the codings that `codings` would give. Cheap, since most of the resources
    that are looked at so turn out not to be wanted.
    """
    return {
        (coding.get("system", ""), coding["code"])
        for coding in codings_
        if isinstance(coding, dict)
        and isinstance(coding.get("code"), str)
        and isinstance(coding.get("system", ""), str)
    }


def absence(primitive_extension: object) -> str:
    """Why a primitive has no value: the code of its data-absent-reason extension, else empty."""
    for extension in objects(an_object(primitive_extension).get("extension")):
        if extension.get("url") == _DATA_ABSENT_REASON:
            return a_text(extension.get("valueCode"))
    return ""
