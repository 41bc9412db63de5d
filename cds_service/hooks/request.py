"""The hook request (CDS Hooks 2.0.1, "Calling a CDS Service"), read once into closed types.

What is malformed is refused with the path of the fault. What is merely unexpected is not: unknown
members are ignored, `Patient/x` is read as `x`, `userId` may be missing (nothing here needs it),
and a `hookInstance` that is no UUID is taken as the text it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cds_service.core.json_object import JsonObject
from cds_service.errors import HookMismatch
from cds_service.fhir.shape import FHIR_ID, is_mislabelled
from cds_service.hooks.members import Members

PATIENT_ID = rf"(Patient/)?(?=[.\-]*[A-Za-z0-9]){FHIR_ID}"
"""A bare FHIR id, or a reference with one. Never only dots: it becomes a segment of a path."""

_PATIENT_ID = re.compile(PATIENT_ID)
LONGEST_URL = 2048
_BUNDLE = "a FHIR Bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every hook says: whose chart."""

    patient_id: str
    """A bare FHIR id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientViewContext(Context):
    """`patient-view`: the chart was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabResultContext(Context):
    """The laboratory result hook: `results` is the Bundle that arrived."""

    results: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContext(Context):
    """`order-select` and `order-sign`: the orders in the making."""

    draft_orders: JsonObject = field(repr=False)
    selections: tuple[str, ...] = ()
    """`Type/id` of the orders just selected; `order-sign` has none: all of them are meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirAccess:
    """What the caller says about its FHIR server. Claims, not facts: checked where they are used.

    `authorization` is `fhirAuthorization` as received; it holds a token and is never shown.
    """

    server: str = ""
    authorization: JsonObject = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """One invocation of one service."""

    hook_instance: str
    context: PatientViewContext | LabResultContext | OrderContext
    prefetch: Mapping[str, JsonObject | None] = field(repr=False)
    """By prefetch key of the service. A key that is not here was not sent; None means that the
    client looked and has no data (F-02).
    """
    fhir: FhirAccess


class Trigger(StrEnum):
    """The four workflows there are services for."""

    LAB_RESULT = "lab-result"
    PATIENT_VIEW = "patient-view"
    ORDER_SELECT = "order-select"
    ORDER_SIGN = "order-sign"

    def service_id(self, analyte: str) -> str:
        """The id of an analyte's service: `sil2r-lab-result`, the last part of its address."""
        return f"{analyte}-{self}"


def read_request(
    body: JsonObject, trigger: Trigger, hook: str, prefetch_keys: Collection[str]
) -> HookRequest:
    """The request for a service of this trigger, whose hook is named `hook`.

    Prefetch keys that are not the service's are ignored (F-05). Raises BadRequest (HookMismatch for
    another hook) with the path of the first fault.
    """
    members = Members(body)
    if members.text("hook") != hook:
        raise HookMismatch(
            "This service is not for that hook.",
            where="hook",
            remedy=f"Send {hook}, or call the service that discovery names for the hook.",
        )
    hook_instance = members.text("hookInstance")
    members.optional_object("extension")
    return HookRequest(
        hook_instance=hook_instance,
        context=_context(members.object("context"), trigger),
        prefetch=_prefetch(members.optional_object("prefetch"), prefetch_keys),
        fhir=_fhir_access(members),
    )


def _context(
    context: Members, trigger: Trigger
) -> PatientViewContext | LabResultContext | OrderContext:
    patient_id = _patient_id(context)
    for name in ("encounterId", "userId"):  # not needed here, but where sent they must be texts
        context.optional_text(name)
    match trigger:
        case Trigger.PATIENT_VIEW:
            return PatientViewContext(patient_id=patient_id)
        case Trigger.LAB_RESULT:
            return LabResultContext(patient_id=patient_id, results=_bundle(context, "results"))
        case Trigger.ORDER_SELECT:
            selections = _selections(context)
            drafts = _bundle(context, "draftOrders")
            return OrderContext(patient_id=patient_id, draft_orders=drafts, selections=selections)
        case Trigger.ORDER_SIGN:
            return OrderContext(patient_id=patient_id, draft_orders=_bundle(context, "draftOrders"))


def _patient_id(context: Members) -> str:
    patient_id = context.text("patientId")
    if not _PATIENT_ID.fullmatch(patient_id):
        raise context.fault(
            "patientId",
            "This is not the id of a FHIR resource.",
            "Send the bare id: at most 64 letters, digits, hyphens and dots.",
        )
    return patient_id.removeprefix("Patient/")


def _selections(context: Members) -> tuple[str, ...]:
    selections = context.array("selections")
    if not all(isinstance(selection, str) for selection in selections):
        raise context.fault("selections", "An entry is not a text.", "Send references as Type/id.")
    return tuple(selections)


def _bundle(context: Members, name: str) -> JsonObject:
    """A Bundle, checked in outline only.

    Its resources are judged later, one by one: an invalid one is named on a card and never makes
    the request malformed.
    """
    bundle = context.object(name, _BUNDLE)
    if bundle.json.get("resourceType") != "Bundle":
        raise context.fault(name, f"This is not {_BUNDLE}.", f"Send {_BUNDLE}.")
    if is_mislabelled(bundle.json):
        raise bundle.fault("entry", "This has another name here.", "Send the resources in `entry`.")
    if bundle.has("entry") and not all(map(_is_entry, bundle.array("entry"))):
        for entry in bundle.objects("entry"):  # raises with the path of the wrong one
            entry.optional_object("resource")
    return bundle.json


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    resource = entry.get("resource")
    return resource is None or isinstance(resource, dict)


def _prefetch(prefetch: Members, keys: Collection[str]) -> Mapping[str, JsonObject | None]:
    asked = {key: prefetch.json[key] for key in keys if key in prefetch.json}
    for key, value in asked.items():
        if value is not None and not isinstance(value, dict):
            raise prefetch.fault(
                key, "This is neither a resource nor null.", "Send the resource as JSON."
            )
    return asked


def _fhir_access(members: Members) -> FhirAccess:
    server = members.optional_text("fhirServer", longest=LONGEST_URL)
    authorization = members.optional_object("fhirAuthorization")
    if authorization.json and not server:
        raise members.fault(
            "fhirServer", "fhirAuthorization was sent without fhirServer.", "Send both or neither."
        )
    return FhirAccess(server=server, authorization=authorization.json)
