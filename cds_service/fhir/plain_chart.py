"""Plain resources of the chart: the patient, what they have, what was done and what they take.

https://hl7.org/fhir/R4/patient.html, condition.html, procedure.html, medication.html and the pages
of the other Medication resources
"""

from __future__ import annotations

from cds_service.fhir.plain import (
    BOOLEAN,
    DATE,
    DATE_TIME,
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
    ADDRESS,
    CONCEPT,
    CONCEPTS,
    CONTACT_POINT,
    DOSAGE,
    HUMAN_NAME,
    IDENTIFIER,
    IDENTIFIERS,
    NOTES,
    PERIOD,
    PRIORITY,
    RANGE,
    RATIO,
    REFERENCE,
    REFERENCES,
    extensible,
    resource,
)

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
        "identifier": IDENTIFIERS,
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
        "identifier": IDENTIFIERS,
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
        "identifier": IDENTIFIERS,
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
        "identifier": IDENTIFIERS,
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
        "identifier": IDENTIFIERS,
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
        "identifier": IDENTIFIERS,
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
        "identifier": IDENTIFIERS,
        "category": CONCEPT,
        **each("statusReason reasonCode", CONCEPTS),
        **each("subject context request", REFERENCE),
        **each("partOf supportingInformation reasonReference device", REFERENCES),
        "note": NOTES,
    },
    ["status", "subject"],
    [_DRUG, OneOf(_TAKEN, least=1)],
)
