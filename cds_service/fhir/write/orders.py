"""Orders that we propose, as draft ServiceRequests for a clinician to accept; never a therapy.

Each has status `draft` and, unless the site says otherwise, intent `proposal`. It names the test by
code where one is verified and always in words, and nothing that we do not know: what a clinician
has drafted already is carried over, as far as JSON can be written without losing digits.

https://hl7.org/fhir/R4/servicerequest.html
"""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.core.json_object import JsonObject
from cds_service.core.schema import OrderCode, SuggestionRow
from cds_service.fhir.shape import a_text, objects

_CIRCUMSTANCES = (
    "subject", "encounter", "occurrenceDateTime", "occurrencePeriod", "occurrenceTiming",
    "requester",
)  # fmt: skip
"""For whom, when and by whom: what an order beside a draft shares with it."""

_OF_THE_ORDER = (
    "basedOn", "category", "priority", "asNeededBoolean", "asNeededCodeableConcept",
    "performerType", "performer", "locationCode", "locationReference", "reasonCode",
    "reasonReference", "insurance", "supportingInfo", "specimen", "bodySite", "note",
    "patientInstruction",
)  # fmt: skip
"""What an order in a draft's place takes over as well. Its id, narrative, identifiers, code, order
details, quantity and history are the old draft's own."""

_LARGEST_INTEGER = 2**31 - 1
"""FHIR integers have 32 bits (https://hl7.org/fhir/R4/datatypes.html#integer)."""


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


def draft_order(*, codes: Sequence[JsonObject], text: str, intent: str) -> JsonObject:
    """A draft that lacks only its subject. `codes` are FHIR Codings, possibly none."""
    return _like({}, (), codes, text, intent)


def order_in_its_place(
    draft: JsonObject, *, codes: Sequence[JsonObject], text: str, intent: str
) -> JsonObject:
    """A draft that may replace another: the same but for what is ordered."""
    return _like(draft, (*_CIRCUMSTANCES, *_OF_THE_ORDER), codes, text, intent)


def order_beside(
    draft: JsonObject, *, codes: Sequence[JsonObject], text: str, intent: str
) -> JsonObject:
    """A draft for another test, for the same patient on the same occasion."""
    return _like(draft, _CIRCUMSTANCES, codes, text, intent)


def _like(
    draft: JsonObject, shared: Sequence[str], codes: Sequence[JsonObject], text: str, intent: str
) -> JsonObject:
    carried = {
        name: draft[name]
        for element in shared
        for name in (element, f"_{element}")
        if name in draft and _can_be_written(draft[name])
    }
    contained = _referred_to(objects(draft.get("contained")), carried)
    if not _can_be_written(contained):
        contained = []
        carried = {name: value for name, value in carried.items() if not _fragments(value)}
    return {
        "resourceType": "ServiceRequest",
        **({"contained": contained} if contained else {}),
        "status": "draft",
        "intent": intent,
        "code": {**({"coding": list(codes)} if codes else {}), "text": text},
        **carried,
    }


def _can_be_written(value: object) -> bool:
    """Whether JSON can be written without losing digits: an element with a fraction stays out."""
    match value:
        case dict():
            return all(map(_can_be_written, value.values()))
        case list():
            return all(map(_can_be_written, value))
        case bool() | str() | None:
            return True
        case int():
            return abs(value) <= _LARGEST_INTEGER
        case _:
            return False


def _referred_to(contained: Sequence[JsonObject], carried: JsonObject) -> list[JsonObject]:
    """Contained resources that what is carried over leads to: no other may stay (dom-3)."""
    named = _fragments(carried)
    while True:
        kept = [resource for resource in contained if resource.get("id") in named]
        wider = named | _fragments(kept)
        if wider == named:
            return kept
        named = wider


def _fragments(value: object) -> set[str]:
    """The ids of all `#id` references in a piece of JSON."""
    match value:
        case dict():
            own = a_text(value.get("reference"))
            inner = {name for item in value.values() for name in _fragments(item)}
            return inner | ({own[1:]} if own.startswith("#") and len(own) > 1 else set())
        case list():
            return {name for item in value for name in _fragments(item)}
        case _:
            return set()
