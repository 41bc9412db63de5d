"""What CDS Hooks 2.0.1 asks of a service's answers, written down from its tables.

Independent of the schemas that the service publishes of itself: those are stricter, these are the
specification's own. A member that the tables do not name may not be sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1, "pattern": r"\S"}
URL: Schema = {"type": "string", "format": "uri", "pattern": "^https?://"}
EXTENSION: Schema = {"type": "object", "minProperties": 1}


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {}), "extension": EXTENSION},
        "additionalProperties": False,
    }


def _some(items: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": items}


SERVICES: Schema = _object(
    {
        "services": {
            "type": "array",
            "items": _object(
                {"hook": TEXT, "description": TEXT, "id": {**TEXT, "pattern": r"^[\w.~-]+$"}},
                {
                    "title": TEXT,
                    "prefetch": {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": TEXT,
                    },
                    "usageRequirements": TEXT,
                    "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
                    "hookVersion": TEXT,
                },
            ),
        }
    }
)

CODING: Schema = _object({"code": TEXT, "system": TEXT}, {"display": TEXT})

ACTION: Schema = _object(
    {"type": {"enum": ["create", "update", "delete"]}, "description": TEXT},
    {"resource": {"type": "object", "required": ["resourceType"]}, "resourceId": TEXT},
) | {
    "if": {"properties": {"type": {"const": "delete"}}},
    "then": {"required": ["resourceId"], "not": {"required": ["resource"]}},
    "else": {"required": ["resource"]},
}

SUGGESTION: Schema = _object(
    {"label": TEXT}, {"uuid": TEXT, "isRecommended": {"type": "boolean"}, "actions": _some(ACTION)}
)

LINK: Schema = _object(
    {"label": TEXT, "url": URL, "type": {"enum": ["absolute", "smart"]}},
    {"appContext": TEXT, "autolaunchable": {"type": "boolean"}},
) | {
    "if": {"properties": {"type": {"const": "absolute"}}},
    "then": {"not": {"required": ["appContext"]}},
}

CARD: Schema = _object(
    {
        "summary": {**TEXT, "maxLength": 139},
        "indicator": {"enum": ["info", "warning", "critical"]},
        "source": _object({"label": TEXT}, {"url": URL, "icon": URL, "topic": CODING}),
    },
    {
        "uuid": TEXT,
        "detail": TEXT,
        "suggestions": _some(SUGGESTION),
        "selectionBehavior": {"enum": ["at-most-one", "any"]},
        "overrideReasons": _some(
            _object({"code": TEXT, "system": TEXT, "display": TEXT}),
        ),
        "links": _some(LINK),
    },
) | {"dependentRequired": {"suggestions": ["selectionBehavior"]}}

RESPONSE: Schema = _object({"cards": {"type": "array", "items": CARD}})


def conforms(value: object, schema: Schema) -> None:
    """Raises when a value is not what the schema asks for."""
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(value)


def empty_values(value: object, path: str = "$") -> Iterator[str]:
    """The places of null, "", [] and {} in an answer (J-03), whatever their names."""
    if value is None or value in ("", [], {}):
        yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from empty_values(member, f"{path}.{name}")
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from empty_values(entry, f"{path}[{number}]")
