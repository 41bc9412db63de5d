"""One call of a service, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from cds_service.core.card import Card, SmartApp
from cds_service.core.json_object import JsonObject
from cds_service.core.model import PatientRecord
from cds_service.core.orders.advice import Advice
from cds_service.core.verdict import Evaluation
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.fhir.read import read_record
from cds_service.hooks.gather import Gathered, gather
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import Service

CardedBefore = Callable[[Iterable[str]], frozenset[str]]
"""Which of these references (`Observation/123`) this caller was sent a card about before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation, and what an answer to it depends on."""

    service: Service
    request: HookRequest
    caller: str
    """The name of the client; in the ids of cards, so that no two clients share one."""
    at: date
    access: ServerAccess | NoAccess
    carded_before: CardedBefore
    id_secret: str = field(default="", repr=False)
    """Goes into the ids of cards, so that they do not tell what they were made from. Empty where
    no ids are kept.
    """

    @property
    def scope(self) -> str:
        """What keeps the ids of cards apart: client, service and patient, under the secret."""
        patient_id = self.request.context.patient_id
        return f"{self.id_secret}{self.caller} {self.service.id} {patient_id}"


@dataclass(frozen=True, slots=True)
class Answered:
    """What one invocation came to. `faults` says by prefetch key why data are not complete."""

    cards: tuple[Card, ...]
    evaluation: Evaluation
    faults: Mapping[str, str]
    advice: tuple[Advice, ...] = ()
    """Of draft orders: the advice on each card, in the order of the cards."""

    def as_json(self, apps: tuple[SmartApp, ...] = ()) -> JsonObject:
        """The response body (H-01, H-02): `cards` is there even when it is empty.

        Each card links to the `apps`.
        """
        return {"cards": [card.as_json(apps) for card in self.cards]}

    def as_json_in_shadow(self) -> JsonObject:
        """The response body in shadow mode: no cards, but how many were withheld, so that nobody
        takes it for an answer that had nothing to say.
        """
        return {"cards": [], "extension": {"org.sil2r-cds.shadow": {"withheld": len(self.cards)}}}


def gathered_for(call: Call) -> Gathered:
    """What the service's prefetch keys hold, read from the client's server where it was not sent.

    Raises DataUnavailable for a required key that cannot be had.
    """
    return gather(
        prefetch=call.request.prefetch,
        templates=call.service.templates,
        patient_id=call.request.context.patient_id,
        access=call.access,
    )


def record_of(call: Call, gathered: Gathered, results: JsonObject) -> PatientRecord:
    """The patient's data as far as they were sent or fetched; `results` are to be interpreted."""
    return read_record(
        patient_id=call.request.context.patient_id,
        fhir_base=call.request.fhir.server,
        results=results,
        parts=gathered.parts,
        wanted=call.service.wanted,
    )
