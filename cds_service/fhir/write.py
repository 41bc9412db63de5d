"""What we propose, as FHIR R4 resources: drafts for a clinician to accept, never a therapy.

A suggested order is a `create` of a ServiceRequest with status `draft` and, unless the site says
otherwise, intent `proposal` (https://hl7.org/fhir/R4/servicerequest.html). It names the patient,
the test by code where one is verified and always in words, and nothing that we do not know.
"""

from __future__ import annotations

from cds_service.core.card import JsonObject
from cds_service.core.schema import OrderCode, SuggestionRow


def draft_order(suggestion: SuggestionRow, *, intent: str, codes: list[JsonObject]) -> JsonObject:
    """A draft ServiceRequest for one suggestion, to which only the subject has to be added.

    `codes` are FHIR Codings, possibly none.
    """
    code: JsonObject = {"coding": codes} if codes else {}
    code["text"] = suggestion.text
    return {"resourceType": "ServiceRequest", "status": "draft", "intent": intent, "code": code}


def patient_reference(patient_id: str) -> JsonObject:
    """The subject of a draft."""
    return {"reference": f"Patient/{patient_id}"}


def order_codings(suggestion: SuggestionRow, local: OrderCode | None) -> list[JsonObject]:
    """The site's own ordering code first, then the verified standard one; both where both exist."""
    codings = []
    if local is not None:
        codings.append({"system": local.system, "code": local.code, "display": local.display})
    if suggestion.code:
        codings.append(
            {
                "system": suggestion.system,
                "code": suggestion.code,
                "display": suggestion.display,
            }
        )
    return codings
