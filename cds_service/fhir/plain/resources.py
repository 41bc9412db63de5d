"""Is this resource plain: so ordinary that it is known as valid FHIR R4 at a glance?

A table lists the members that ordinary data have (https://hl7.org/fhir/R4/resourcelist.html). A
resource with any other member is no worse, it only takes the long way through the full check (see
`validate`).
"""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.core.json_object import JsonObject
from cds_service.fhir.plain.grammar import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    INSTANT,
    INTEGER,
    TEXT,
    Check,
    Element,
    Members,
    OneOf,
    Several,
    choice,
    code,
    each,
)
from cds_service.fhir.plain.types import (
    ADDRESS,
    CONCEPT,
    CONCEPTS,
    CONTACT_POINT,
    DOSAGE,
    HUMAN_NAME,
    IDENTIFIER,
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

# ------------------------------------------------------------------ the laboratory

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

# ------------------------------------------------------------------ the chart

_GENDER = code("male female other unknown")
_CONTACT = extensible(
    {
        "relationship": CONCEPTS,
        "name": HUMAN_NAME,
        "telecom": Several(CONTACT_POINT),
        "address": ADDRESS,
        "gender": _GENDER,
        "organization": REFERENCE,
        "period": PERIOD,
    }
)

PATIENT = resource(
    "Patient",
    {
        "active": BOOLEAN,
        "name": Several(HUMAN_NAME),
        "telecom": Several(CONTACT_POINT),
        "gender": _GENDER,
        "birthDate": DATE,
        "address": Several(ADDRESS),
        "maritalStatus": CONCEPT,
        "contact": Several(_CONTACT),
        "communication": Several(
            extensible({"language": CONCEPT, "preferred": BOOLEAN}, ["language"])
        ),
        "generalPractitioner": REFERENCES,
        "managingOrganization": REFERENCE,
    },
    one_of=[
        OneOf(choice("deceased", Boolean=BOOLEAN, DateTime=DATE_TIME)),
        OneOf(choice("multipleBirth", Boolean=BOOLEAN, Integer=INTEGER)),
    ],
)

_TIMES: Members = {"DateTime": DATE_TIME, "Period": PERIOD, "Range": RANGE, "String": TEXT}

CONDITION = resource(
    "Condition",
    {
        **each("clinicalStatus verificationStatus severity code", CONCEPT),
        **each("category bodySite", CONCEPTS),
        **each("subject encounter recorder asserter", REFERENCE),
        "recordedDate": DATE_TIME,
        "note": NOTES,
    },
    ["subject"],
    [OneOf(choice("onset", **_TIMES)), OneOf(choice("abatement", **_TIMES))],
)

PROCEDURE = resource(
    "Procedure",
    {
        "status": code(
            "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
        ),
        **each("statusReason category code outcome", CONCEPT),
        **each("reasonCode bodySite", CONCEPTS),
        **each("subject encounter recorder asserter location", REFERENCE),
        **each("basedOn partOf reasonReference report", REFERENCES),
        "note": NOTES,
    },
    ["status", "subject"],
    [OneOf(choice("performed", **_TIMES))],
)

MEDICATION = resource(
    "Medication",
    {
        "status": code("active inactive entered-in-error"),
        **each("code form", CONCEPT),
        "manufacturer": REFERENCE,
        "amount": RATIO,
    },
)

_DRUG = OneOf(choice("medication", CodeableConcept=CONCEPT, Reference=REFERENCE), least=1)
_TAKEN = choice("effective", DateTime=DATE_TIME, Period=PERIOD)

MEDICATION_REQUEST = resource(
    "MedicationRequest",
    {
        "status": code("active on-hold cancelled completed entered-in-error stopped draft unknown"),
        "intent": code(
            "proposal plan order original-order reflex-order filler-order instance-order option"
        ),
        "priority": PRIORITY,
        "doNotPerform": BOOLEAN,
        "groupIdentifier": IDENTIFIER,
        **each("statusReason courseOfTherapyType", CONCEPT),
        **each("category reasonCode", CONCEPTS),
        **each("subject encounter requester performer recorder", REFERENCE),
        **each("supportingInformation reasonReference basedOn insurance", REFERENCES),
        "authoredOn": DATE_TIME,
        "note": NOTES,
        "dosageInstruction": Several(DOSAGE),
    },
    ["status", "intent", "subject"],
    [_DRUG, OneOf(choice("reported", Boolean=BOOLEAN, Reference=REFERENCE))],
)

MEDICATION_STATEMENT = resource(
    "MedicationStatement",
    {
        "status": code(
            "active completed entered-in-error intended stopped on-hold unknown not-taken"
        ),
        "category": CONCEPT,
        **each("statusReason reasonCode", CONCEPTS),
        **each("subject context informationSource", REFERENCE),
        **each("basedOn partOf derivedFrom reasonReference", REFERENCES),
        "dateAsserted": DATE_TIME,
        "note": NOTES,
        "dosage": Several(DOSAGE),
    },
    ["status", "subject"],
    [_DRUG, OneOf(_TAKEN)],
)

MEDICATION_ADMINISTRATION = resource(
    "MedicationAdministration",
    {
        "status": code("in-progress not-done on-hold completed entered-in-error stopped unknown"),
        "category": CONCEPT,
        **each("statusReason reasonCode", CONCEPTS),
        **each("subject context request", REFERENCE),
        **each("partOf supportingInformation reasonReference device", REFERENCES),
        "note": NOTES,
    },
    ["status", "subject"],
    [_DRUG, OneOf(_TAKEN, least=1)],
)

PLAIN: Mapping[str, Element] = {
    "Condition": CONDITION,
    "Medication": MEDICATION,
    "MedicationAdministration": MEDICATION_ADMINISTRATION,
    "MedicationRequest": MEDICATION_REQUEST,
    "MedicationStatement": MEDICATION_STATEMENT,
    "Observation": OBSERVATION,
    "Patient": PATIENT,
    "Procedure": PROCEDURE,
    "ServiceRequest": SERVICE_REQUEST,
    "Specimen": SPECIMEN,
}
_CHECKS: Mapping[str, Check] = {kind: element.check for kind, element in PLAIN.items()}


def is_plain(resource: JsonObject) -> bool:
    """Whether a resource is certainly valid FHIR R4. False means doubt, never a fault."""
    try:
        return bool(_CHECKS[resource["resourceType"]](resource))
    except (KeyError, TypeError):  # a member or a type that the tables do not know
        return False
