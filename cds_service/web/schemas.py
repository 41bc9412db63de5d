"""JSON Schemas of what goes over the wire, as CDS Hooks 2.0.1 and this service define it.

They are as strict as the code that reads, and as loose: a member that is not named is ignored, and
`null` stands for an optional member that is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cds_service.core.feedback import FeedbackOutcome
from cds_service.core.rendering.parts import LONGEST_SUMMARY
from cds_service.fhir.shape import BUNDLE
from cds_service.hooks.feedback import LONGEST_COMMENT, LONGEST_URI, MOST_ITEMS
from cds_service.hooks.members import BLANK, LONGEST_TEXT
from cds_service.hooks.request import LONGEST_URL, PATIENT_ID, Trigger
from cds_service.hooks.services import Service

Schema = dict[str, Any]

_NOT_BLANK: Final = f"[^{BLANK}]"
_UUID: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
}
_URI: Final[Schema] = {"type": "string", "format": "uri"}


def text(longest: int = LONGEST_TEXT) -> Schema:
    """A text that is not blank."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": _NOT_BLANK}


def array(items: Schema, **more: Any) -> Schema:
    """An array."""
    return {"type": "array", "items": items, **more}


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with further members allowed."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


def closed(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object of ours: no further members."""
    return record(required, optional) | {"additionalProperties": False}


def ref(name: str) -> Schema:
    """A named schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_OBJECT: Final[Schema] = {"type": "object"}

_HOLDS_ENTRIES: Final[Schema] = {
    "required": ["entry"],
    "properties": {"entry": {"type": "array", "minItems": 1}},
}
_HOLDS_NOTHING: Final[Schema] = {
    "properties": dict.fromkeys(sorted(BUNDLE), True),
    "patternProperties": {"^_": True},
    "additionalProperties": {
        "anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "maxItems": 0},
            {"type": "object", "maxProperties": 0},
        ]
    },
}
"""Nothing under a name that Bundles do not have: what is there may be meant as the entries."""
_BUNDLE: Final = record(
    {"resourceType": {"const": "Bundle"}},
    {"entry": _or_null(array(record({}, {"resource": _or_null(_OBJECT)})))},
) | {"anyOf": [_HOLDS_ENTRIES, _HOLDS_NOTHING]}
_PATIENT_ID: Final[Schema] = {"type": "string", "pattern": f"^{PATIENT_ID}$"}


def request_schema(service: Service) -> Schema:
    """The request of one service: its hook, and the context that hook brings."""
    return record(
        {
            "hook": {"const": service.hook},
            "hookInstance": text(),
            "context": _context(service.trigger),
        },
        {
            "fhirServer": _or_null(text(LONGEST_URL)),
            "fhirAuthorization": _or_null(_OBJECT),
            "prefetch": _or_null(record({}, dict.fromkeys(service.templates, _or_null(_OBJECT)))),
            "extension": _or_null(_OBJECT),
        },
    ) | {"dependentSchemas": {"fhirAuthorization": _SERVER_TOO}}


_SERVER_TOO: Final[Schema] = {
    "anyOf": [
        {"properties": {"fhirAuthorization": {"anyOf": [{"type": "null"}, {"maxProperties": 0}]}}},
        record({"fhirServer": text(LONGEST_URL)}),
    ]
}


def _context(trigger: Trigger) -> Schema:
    required: dict[str, Schema] = {"patientId": _PATIENT_ID}
    match trigger:
        case Trigger.LAB_RESULT:
            required["results"] = _BUNDLE
        case Trigger.ORDER_SELECT:
            required["selections"] = array({"type": "string"})
            required["draftOrders"] = _BUNDLE
        case Trigger.ORDER_SIGN:
            required["draftOrders"] = _BUNDLE
        case Trigger.PATIENT_VIEW:
            pass
    return record(required, {"userId": _or_null(text()), "encounterId": _or_null(text())})


_TIMESTAMP: Final[Schema] = {"type": "string", "format": "date-time", "maxLength": LONGEST_TEXT}

_REASON: Final = record(
    {"code": text(), "system": text(LONGEST_URI)}, {"display": _or_null(text(LONGEST_URI))}
)
_COMMENT: Final = text(LONGEST_COMMENT)
_OVERRIDE_REASON: Final = record(
    {}, {"reason": _or_null(_REASON), "userComment": _or_null(_COMMENT)}
) | {
    "anyOf": [
        {"required": ["reason"], "properties": {"reason": _OBJECT}},
        {"required": ["userComment"], "properties": {"userComment": _COMMENT}},
    ]
}
_FEEDBACK_ITEM: Final = record(
    {
        "card": text(),
        "outcome": {"enum": [outcome.value for outcome in FeedbackOutcome]},
        "outcomeTimestamp": _TIMESTAMP,
    },
    {"overrideReason": _or_null(_OVERRIDE_REASON)},
) | {
    "if": {"properties": {"outcome": {"const": "accepted"}}},
    "then": record({"acceptedSuggestions": array(record({"id": text()}), minItems=1)}),
}

_CODING: Final = closed({"system": text(512), "code": text(), "display": text(512)})

_ACTION: Final = closed(
    {"type": {"enum": ["create", "update", "delete"]}, "description": text(1000)},
    {"resource": _OBJECT, "resourceId": text()},
)

_SUGGESTION: Final = closed(
    {"label": text(200), "uuid": _UUID},
    {"isRecommended": {"type": "boolean"}, "actions": array(_ACTION, minItems=1)},
)

_LINK: Final = {
    "oneOf": [
        closed({"label": text(500), "url": _URI, "type": {"const": "absolute"}}),
        closed(
            {"label": text(80), "url": _URI, "type": {"const": "smart"}, "appContext": text(1000)}
        ),
    ]
}

_EVALUATION: Final = closed(
    {
        "id": text(),
        "knowledge": text(),
        "outcome": {"enum": ["interpreted", "not-interpretable", "wrong-analyte", "order-advice"]},
    },
    {
        "reason": text(),
        "findings": array(text(), minItems=1),
        "inputs": array(closed({"resource": text(300)}, {"version": text()}), minItems=1),
        "missing": array(text(), minItems=1),
    },
)

_CARD: Final = closed(
    {
        "uuid": _UUID,
        "summary": text(LONGEST_SUMMARY),
        "detail": text(100_000),
        "indicator": {"enum": ["info", "warning"]},
        "source": closed({"label": text(500)}, {"url": _URI, "topic": _CODING}),
        "extension": closed({"org.sil2r-cds.evaluation": _EVALUATION}),
    },
    {
        "suggestions": array(_SUGGESTION, minItems=1),
        "selectionBehavior": {"enum": ["at-most-one", "any"]},
        "overrideReasons": array(_CODING, minItems=1),
        "links": array(_LINK, minItems=1),
    },
) | {"dependentRequired": {"suggestions": ["selectionBehavior"]}}

_SERVICE: Final = closed(
    {
        "hook": text(),
        "title": text(200),
        "description": text(2000),
        "id": {"type": "string", "pattern": "^[a-z0-9-]+$"},
        "prefetch": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": text(10_000),
        },
        "usageRequirements": text(1000),
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "extension": closed(
            {
                "org.sil2r-cds.knowledge": closed(
                    {"knowledge": text(), "reviewStatus": text(), "sourceAttributes": text()}
                )
            }
        ),
    }
)

_DATE: Final[Schema] = {"type": "string", "format": "date"}

_KNOWLEDGE: Final = closed(
    {
        "knowledge": text(),
        "title": text(500),
        "intendedUse": text(5000),
        "publisher": text(500),
        "released": _DATE,
        "reviewBy": _DATE,
        "reviewStatus": text(),
        "sourceAttributes": array(
            closed(
                {
                    "id": text(),
                    "title": text(500),
                    "used": {"enum": [True, False, "not-applicable"]},
                    "text": text(5000),
                }
            )
        ),
        "disclaimer": text(5000),
    }
)

_SHADOW: Final = closed(
    {"org.sil2r-cds.shadow": closed({"withheld": {"type": "integer", "minimum": 0}})}
)
"""There for a client in shadow mode, which is sent no cards."""

_ISSUE: Final = closed(
    {
        "severity": {"enum": ["fatal", "error"]},
        "code": text(),
        "details": closed(
            {
                "coding": array(
                    closed(
                        {
                            "system": text(),
                            "code": {"type": "string", "pattern": r"^CDS-\d{4}$"},
                        }
                    )
                ),
                "text": text(500),
            }
        ),
    },
    {"diagnostics": text(1000), "expression": array(text(), minItems=1)},
)

NAMED: Final[Mapping[str, Schema]] = {
    "Services": closed({"services": array(_SERVICE)}),
    "Knowledge": _KNOWLEDGE,
    "Cards": closed({"cards": array(_CARD)}, {"extension": _SHADOW}),
    "Feedback": record({"feedback": array(_FEEDBACK_ITEM, maxItems=MOST_ITEMS)}),
    "OperationOutcome": closed(
        {
            "resourceType": {"const": "OperationOutcome"},
            "issue": array(_ISSUE, minItems=1, maxItems=1),
        }
    ),
    "Live": closed({"status": {"const": "live"}}),
    "Ready": closed(
        {"status": {"enum": ["ready", "degraded"]}, "checks": array(text())},
        {
            "degraded": array(text(), minItems=1),
            "causes": {"type": "object", "additionalProperties": array(text(), minItems=1)},
        },
    ),
}
"""The schemas that the document names."""
