"""The data types of FHIR R4 that ordinary laboratory and chart data are made of, as plain elements.

https://hl7.org/fhir/R4/datatypes.html. Left out, and so left to the full check: extensions of
primitive values, attachments, sampled data, timings beyond the usual ones, and extensions more than
two deep.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.fhir.plain.grammar import (
    BOOLEAN,
    CODE,
    DATE,
    DATE_TIME,
    DECIMAL,
    ID,
    INSTANT,
    INTEGER,
    POSITIVE_INTEGER,
    TEXT,
    URI,
    Element,
    Members,
    OneOf,
    Several,
    choice,
    code,
    each,
)


def _type(members: Members, required: Sequence[str] = (), one_of: Sequence[OneOf] = ()) -> Element:
    return Element({"id": TEXT, **members}, required, one_of)


CODING = _type(
    {"system": URI, "code": CODE, **each("version display", TEXT), "userSelected": BOOLEAN}
)
CONCEPT = _type({"coding": Several(CODING), "text": TEXT})
PERIOD = _type(each("start end", DATE_TIME))
QUANTITY = _type(
    {
        "value": DECIMAL,
        "comparator": code("< <= >= >"),
        "unit": TEXT,
        "system": URI,
        "code": CODE,
    }
)
RANGE = _type(each("low high", QUANTITY))
RATIO = _type(each("numerator denominator", QUANTITY))

_NAMED: Members = {
    "use": code("usual official temp secondary old"),
    "type": CONCEPT,
    "system": URI,
    "value": TEXT,
    "period": PERIOD,
}
_POINTER: Members = {"reference": TEXT, "type": URI, "display": TEXT}
REFERENCE = _type({**_POINTER, "identifier": _type({**_NAMED, "assigner": _type(_POINTER)})})

_EXTENSION_VALUE = choice(
    "value",
    Boolean=BOOLEAN,
    Code=CODE,
    CodeableConcept=CONCEPT,
    Coding=CODING,
    Date=DATE,
    DateTime=DATE_TIME,
    Decimal=DECIMAL,
    Instant=INSTANT,
    Integer=INTEGER,
    Period=PERIOD,
    Quantity=QUANTITY,
    Range=RANGE,
    Reference=REFERENCE,
    String=TEXT,
    Uri=URI,
)
_INNER_EXTENSION = _type({"url": URI}, ("url",), (OneOf(_EXTENSION_VALUE, least=1),))
EXTENSION = _type(
    {"url": URI},
    ("url",),
    (OneOf({"extension": Several(_INNER_EXTENSION), **_EXTENSION_VALUE}, least=1),),
)
"""A value, or extensions with values (ext-1)."""


def extensible(
    members: Members, required: Sequence[str] = (), one_of: Sequence[OneOf] = ()
) -> Element:
    """An element that may be extended. A modifier extension is never plain."""
    return _type({"extension": Several(EXTENSION), **members}, required, one_of)


def resource(
    kind: str,
    members: Members,
    required: Sequence[str] = (),
    one_of: Sequence[OneOf] = (),
) -> Element:
    """A resource without contained ones, `implicitRules` and modifier extensions. It may have
    identifiers, as may all resource types that we read.
    """
    of_every_resource: Members = {
        "resourceType": code(kind),
        "id": ID,
        "meta": META,
        "language": CODE,
        "text": NARRATIVE,
        "identifier": IDENTIFIERS,
    }
    return extensible({**of_every_resource, **members}, ["resourceType", *required], one_of)


IDENTIFIER = extensible({**_NAMED, "assigner": REFERENCE})
ANNOTATION = extensible(
    {"time": DATE_TIME, "text": TEXT},
    ("text",),
    (OneOf(choice("author", Reference=REFERENCE, String=TEXT)),),
)
META = extensible(
    {
        "versionId": ID,
        "lastUpdated": INSTANT,
        "source": URI,
        "profile": Several(URI),
        **each("security tag", Several(CODING)),
    }
)
NARRATIVE = _type(
    {"status": code("generated extensions additional empty"), "div": TEXT},
    ("status", "div"),
)
"""The full check does not look into the XHTML either: nothing of a narrative is ever read."""
HUMAN_NAME = extensible(
    {
        "use": code("usual official temp nickname anonymous old maiden"),
        **each("text family", TEXT),
        **each("given prefix suffix", Several(TEXT)),
        "period": PERIOD,
    }
)
CONTACT_POINT = extensible(
    {
        "system": code("phone fax email pager url sms other"),
        "value": TEXT,
        "use": code("home work temp old mobile"),
        "rank": POSITIVE_INTEGER,
        "period": PERIOD,
    }
)
ADDRESS = extensible(
    {
        "use": code("home work temp old billing"),
        "type": code("postal physical both"),
        **each("text city district state postalCode country", TEXT),
        "line": Several(TEXT),
        "period": PERIOD,
    }
)

PRIORITY = code("routine urgent asap stat")
CONCEPTS, IDENTIFIERS, NOTES, REFERENCES = map(
    Several, (CONCEPT, IDENTIFIER, ANNOTATION, REFERENCE)
)

TIMING = extensible(
    {
        "event": Several(DATE_TIME),
        "repeat": _type(
            {
                "boundsPeriod": PERIOD,
                **each("count frequency frequencyMax", POSITIVE_INTEGER),
                **each("duration period periodMax", DECIMAL),
                **each("durationUnit periodUnit", code("s min h d wk mo a")),
                "dayOfWeek": Several(code("mon tue wed thu fri sat sun")),
            }
        ),
        "code": CONCEPT,
    }
)
DOSAGE = extensible(
    {
        "sequence": INTEGER,
        **each("text patientInstruction", TEXT),
        **each("site route method", CONCEPT),
        "additionalInstruction": CONCEPTS,
        "timing": TIMING,
        "doseAndRate": Several(
            _type(
                {"type": CONCEPT},
                one_of=(
                    OneOf(choice("dose", Quantity=QUANTITY, Range=RANGE)),
                    OneOf(choice("rate", Quantity=QUANTITY, Range=RANGE, Ratio=RATIO)),
                ),
            )
        ),
    },
    one_of=(OneOf(choice("asNeeded", Boolean=BOOLEAN, CodeableConcept=CONCEPT)),),
)
