"""The R4 resources that a write-back leaves on the FHIR server (`write.back` makes it write them).

A `DetectedIssue` (or `Flag`) says what was found, a `GuidanceResponse` which knowledge said it, a
`Communication` or `Task` tells the clinician who ordered the test, a `Provenance` ties them
together. Their weight is kept low on purpose: no severity, routine priority, intent proposal.

Every resource carries a tag that is the same for one result, whatever its version, and an
identifier that is the same for one evaluation. So a repeat finds its own work and changes nothing,
and a corrected result takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from cds_service.core.card import Card
from cds_service.core.escape import unescaped
from cds_service.core.json_object import JsonObject
from cds_service.core.verdict import Outcome
from cds_service.fhir.canonical import OURS, decision_table
from cds_service.fhir.shape import an_id

TAG_SYSTEM: Final = f"{OURS}/CodeSystem/result-key"
EVALUATION_SYSTEM: Final = f"{OURS}/identifier/evaluation"
FINDING_SYSTEM: Final = f"{OURS}/CodeSystem/finding"
OUTCOME_SYSTEM: Final = f"{OURS}/CodeSystem/outcome"
AUTHOR: Final = "sil2r-cds decision support"

_NAMESPACE: Final = UUID("0d5a1c1e-6c0e-5f6b-9a40-5b2f4d1d7c33")
_CATEGORY = "http://terminology.hl7.org/CodeSystem/communication-category"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
PER_EVALUATION = frozenset({"Communication"})
"""A clinician who has read one is told anew; the others are kept up to date in place."""
_NEEDED_FROM: Final[Mapping[str, str]] = {
    "patient": "Patient",
    "birth-date": "Patient",
    "conditions": "Condition",
    "atl-subtype": "Condition",
    "medications": "MedicationRequest",
    "specimen": "Specimen",
}
"""Which type of resource a public `missing` word stands for; all others are Observations."""


def result_key(base: str, reference: str) -> str:
    """The tag of one result: base address of its server and `Observation/123`."""
    return str(uuid5(_NAMESPACE, f"{base} {reference}"))


def evaluation_key(result: str, version: str, knowledge: str, secret: str) -> str:
    """The identifier of one evaluation of a result (`result_key`).

    It stands in our records too. Without the `secret` of the installation it cannot be told there
    which result it belongs to.
    """
    return str(uuid5(UUID(result), f"{secret} {version} {knowledge}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Everything the written resources say."""

    reference: str
    """The result: `Observation/123`."""
    version: str
    result: str
    """`result_key` of the result."""
    evaluation: str
    """`evaluation_key` of this evaluation."""
    replaces: str = ""
    """`evaluation_key` of the one before, empty for the first."""
    patient_id: str
    """Empty when the result names no patient by its id."""
    card: Card
    module: str
    """Id of the knowledge: `sil2r`."""
    module_version: str
    at: datetime
    is_final: bool
    based_on: str = ""
    """The order, `ServiceRequest/1`, empty when not known."""
    requester: str = ""
    """Who ordered the test: `Practitioner/1`, empty when not known."""

    @property
    def when(self) -> str:
        """The moment as a FHIR instant."""
        return self.at.isoformat(timespec="seconds")

    @property
    def subject(self) -> JsonObject:
        """The patient as a Reference; in words where the result names none, since a Flag must have
        a subject.
        """
        if not self.patient_id:
            return {"display": "The result names no patient"}
        return {"reference": f"Patient/{self.patient_id}"}

    def own(self, resource_type: str) -> JsonObject:
        """What every resource but the Provenance has: its type, tags and identifier."""
        tags = [self.result, *([self.evaluation] if resource_type in PER_EVALUATION else [])]
        return {
            "resourceType": resource_type,
            "meta": {"tag": [{"system": TAG_SYSTEM, "code": tag} for tag in tags]},
            "identifier": [{"system": EVALUATION_SYSTEM, "value": self.evaluation}],
        }


def detected_issue(said: Said) -> JsonObject:
    """https://hl7.org/fhir/R4/detectedissue.html, without severity."""
    return {
        **said.own("DetectedIssue"),
        "status": "final" if said.is_final else "preliminary",
        "code": _code(said),
        "patient": said.subject,
        "identifiedDateTime": said.when,
        "author": {"display": AUTHOR},
        "implicated": [{"reference": said.reference}],
        "evidence": _evidence(said),
        "detail": unescaped(said.card.detail),  # a string; `note` below is Markdown
    }


def flag(said: Said) -> JsonObject:
    """https://hl7.org/fhir/R4/flag.html"""
    return {
        **said.own("Flag"),
        "status": "active",
        "code": _code(said),
        "subject": said.subject,
        "period": {"start": said.when},
        "author": {"display": AUTHOR},
    }


def guidance_response(said: Said) -> JsonObject:
    """https://hl7.org/fhir/R4/guidanceresponse.html: which knowledge, and what it lacked."""
    missing = said.card.extension.get("missing", ())
    status = "data-requested" if missing else "success"
    if said.card.extension.get("outcome") == Outcome.NOT_INTERPRETABLE:
        status = "data-required"
    resource = {
        **said.own("GuidanceResponse"),
        "requestIdentifier": {"system": EVALUATION_SYSTEM, "value": said.evaluation},
        "moduleCanonical": decision_table(said.module, said.module_version),
        "status": status,
        "subject": said.subject,
        "occurrenceDateTime": said.when,
        "performer": {"display": AUTHOR},
        "reasonReference": [{"reference": said.reference}],
        "note": [{"text": said.card.detail}],
    }
    if missing:
        resource["dataRequirement"] = [_requirement(word) for word in missing]
    return resource


def communication(said: Said) -> JsonObject:
    """https://hl7.org/fhir/R4/communication.html to the clinician who ordered the test."""
    return {
        **said.own("Communication"),
        **_based_on(said),
        "status": "in-progress",
        "category": [{"coding": [{"system": _CATEGORY, "code": "notification"}]}],
        "priority": "routine",
        "subject": said.subject,
        "about": [{"reference": said.reference}],
        "sent": said.when,
        "recipient": [{"reference": said.requester}],
        "payload": [{"contentString": said.card.summary}],
    }


def task(said: Said) -> JsonObject:
    """https://hl7.org/fhir/R4/task.html: a proposal to look at the result."""
    return {
        **said.own("Task"),
        **_based_on(said),
        "status": "requested",
        "intent": "proposal",
        "priority": "routine",
        "code": {"text": "Look at decision support for a laboratory result"},
        "description": said.card.summary,
        "focus": {"reference": said.reference},
        "for": said.subject,
        "authoredOn": said.when,
        "owner": {"reference": said.requester},
    }


def provenance(said: Said, targets: Sequence[str]) -> JsonObject:
    """https://hl7.org/fhir/R4/provenance.html: one for each evaluation, naming the one before."""
    version = f"/_history/{said.version}" if an_id(said.version) else ""
    entities = [{"role": "source", "what": {"reference": f"{said.reference}{version}"}}]
    if said.replaces:
        before = {"identifier": {"system": EVALUATION_SYSTEM, "value": said.replaces}}
        entities.append({"role": "revision", "what": before})
    agent = {"coding": [{"system": _PARTICIPANT, "code": "assembler"}]}
    return {
        "resourceType": "Provenance",
        "meta": {"tag": [{"system": TAG_SYSTEM, "code": said.evaluation}]},
        "target": [{"reference": target} for target in targets],
        "recorded": said.when,
        "agent": [{"type": agent, "who": {"display": AUTHOR}}],
        "entity": entities,
    }


def _code(said: Said) -> JsonObject:
    outcome = said.card.extension.get("outcome", "")
    return {"coding": [{"system": OUTCOME_SYSTEM, "code": outcome}], "text": said.card.summary}


def _evidence(said: Said) -> list[JsonObject]:
    findings = [
        {"code": [{"coding": [{"system": FINDING_SYSTEM, "code": finding}]}]}
        for finding in said.card.extension.get("findings", ())
    ]
    inputs = [each["resource"] for each in said.card.extension.get("inputs", ())]
    used = [{"reference": each} for each in dict.fromkeys(inputs) if _is_literal(each)]
    return [*findings, {"detail": used or [{"reference": said.reference}]}]


def _is_literal(reference: str) -> bool:
    kind, _, id_ = reference.partition("/")
    return kind.isalpha() and bool(an_id(id_))


def _requirement(word: str) -> JsonObject:
    wanted = {"path": "code", "code": [{"display": word}]}
    return {"type": _NEEDED_FROM.get(word, "Observation"), "codeFilter": [wanted]}


def _based_on(said: Said) -> JsonObject:
    return {"basedOn": [{"reference": said.based_on}]} if said.based_on else {}
