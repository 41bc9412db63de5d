"""Plain resources of the laboratory: Observation, Specimen and ServiceRequest.

https://hl7.org/fhir/R4/observation.html, specimen.html, servicerequest.html
"""

from __future__ import annotations

from cds_service.fhir.plain import (
    BOOLEAN,
    DATE_TIME,
    INSTANT,
    INTEGER,
    TEXT,
    Members,
    OneOf,
    Several,
    choice,
    code,
    each,
)
from cds_service.fhir.plain_types import (
    CONCEPT,
    CONCEPTS,
    IDENTIFIER,
    IDENTIFIERS,
    NOTES,
    PERIOD,
    PRIORITY,
    QUANTITY,
    RANGE,
    RATIO,
    REFERENCE,
    REFERENCES,
    extensible,
    resource,
)

_VALUE = OneOf(
    choice(
        "value",
        Boolean=BOOLEAN,
        CodeableConcept=CONCEPT,
        DateTime=DATE_TIME,
        Integer=INTEGER,
        Period=PERIOD,
        Quantity=QUANTITY,
        Range=RANGE,
        Ratio=RATIO,
        String=TEXT,
    )
)
_REFERENCE_RANGE = extensible(
    {
        **each("low high", QUANTITY),
        "type": CONCEPT,
        "appliesTo": CONCEPTS,
        "age": RANGE,
        "text": TEXT,
    }
)
_RESULT: Members = {
    "code": CONCEPT,
    "dataAbsentReason": CONCEPT,
    "interpretation": CONCEPTS,
    "referenceRange": Several(_REFERENCE_RANGE),
}
"""What an Observation and each of its components have alike."""

OBSERVATION = resource(
    "Observation",
    {
        **_RESULT,
        "status": code(
            "registered preliminary final amended corrected cancelled entered-in-error unknown"
        ),
        "identifier": IDENTIFIERS,
        "category": CONCEPTS,
        **each("method bodySite", CONCEPT),
        **each("subject encounter specimen device", REFERENCE),
        **each("basedOn partOf focus performer hasMember derivedFrom", REFERENCES),
        "issued": INSTANT,
        "note": NOTES,
        "component": Several(extensible(_RESULT, ["code"], [_VALUE])),
    },
    ["status", "code"],
    [OneOf(choice("effective", DateTime=DATE_TIME, Instant=INSTANT, Period=PERIOD)), _VALUE],
)

_COLLECTION = extensible(
    {"collector": REFERENCE, "quantity": QUANTITY, **each("method bodySite", CONCEPT)},
    one_of=[OneOf(choice("collected", DateTime=DATE_TIME, Period=PERIOD))],
)

SPECIMEN = resource(
    "Specimen",
    {
        "status": code("available unavailable unsatisfactory entered-in-error"),
        "identifier": IDENTIFIERS,
        "accessionIdentifier": IDENTIFIER,
        "type": CONCEPT,
        "condition": CONCEPTS,
        "subject": REFERENCE,
        **each("parent request", REFERENCES),
        "receivedTime": DATE_TIME,
        "collection": _COLLECTION,
        "note": NOTES,
    },
)

SERVICE_REQUEST = resource(
    "ServiceRequest",
    {
        "status": code("draft active on-hold revoked completed entered-in-error unknown"),
        "intent": code(
            "proposal plan directive order original-order reflex-order filler-order "
            "instance-order option"
        ),
        "priority": PRIORITY,
        "doNotPerform": BOOLEAN,
        "identifier": IDENTIFIERS,
        "requisition": IDENTIFIER,
        **each("code performerType", CONCEPT),
        **each("category orderDetail reasonCode bodySite", CONCEPTS),
        **each("subject encounter requester", REFERENCE),
        **each("basedOn replaces performer reasonReference insurance", REFERENCES),
        **each("supportingInfo specimen", REFERENCES),
        "authoredOn": DATE_TIME,
        "note": NOTES,
        "patientInstruction": TEXT,
    },
    ["status", "intent", "subject"],
    [
        OneOf(choice("occurrence", DateTime=DATE_TIME, Period=PERIOD)),
        OneOf(choice("asNeeded", Boolean=BOOLEAN, CodeableConcept=CONCEPT)),
    ],
)
