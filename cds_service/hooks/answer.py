"""From a request to its cards: complete the data, read them, evaluate, render."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from cds_service.core.card import Card, JsonObject
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.order_advice import Advice
from cds_service.core.render import render
from cds_service.core.selection import WITHDRAWN
from cds_service.core.verdict import Evaluation
from cds_service.errors import NotFound
from cds_service.evaluate import Looking, evaluate
from cds_service.fhir.access import NoAccess, ServerAccess
from cds_service.fhir.read import read_record
from cds_service.hooks.arrived import insist_on_all_that_arrived
from cds_service.hooks.gather import Gathered, gather, insist_on_the_whole
from cds_service.hooks.request import (
    HookRequest,
    LabResultContext,
    OrderContext,
    PatientViewContext,
)
from cds_service.hooks.services import Service
from cds_service.hooks.suggestions import with_suggestions

CardedBefore = Callable[[Iterable[str]], frozenset[str]]
"""Which of these references (`Observation/123`) this caller was sent a card about before."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one invocation came to. `faults` says by prefetch key why data are not complete."""

    cards: tuple[Card, ...]
    evaluation: Evaluation
    faults: Mapping[str, str] = field(default_factory=dict)
    advice: tuple[Advice, ...] = ()
    """On draft orders: what each card came from, card by card."""

    def as_json(self) -> JsonObject:
        """The response body (H-01, H-02): `cards` is there also when it is empty."""
        return {"cards": [card.as_json() for card in self.cards]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation, and what an answer to it depends on."""

    service: Service
    request: HookRequest
    caller: str
    """The name of the client: no two clients' cards share an id."""
    at: date
    access: ServerAccess | NoAccess
    carded_before: CardedBefore
    id_secret: str = field(default="", repr=False)
    """Keeps the ids of cards from telling what they were made from; empty: nobody keeps them."""

    @property
    def scope(self) -> str:
        """What keeps the ids of cards apart: client, service and patient, under the secret."""
        patient_id = self.request.context.patient_id
        return f"{self.id_secret}{self.caller} {self.service.id} {patient_id}"


OrderAdvice = Callable[[Call, OrderContext, Gathered], Answered]
"""What there is to say about draft orders."""


def no_order_advice(call: Call, _context: OrderContext, _gathered: Gathered) -> Answered:
    """For an installation without order services: discovery does not list them either."""
    raise NotFound(
        f"{call.service.id} is not offered here.", remedy="GET /cds-services lists those that are."
    )


def answer(call: Call, order_advice: OrderAdvice = no_order_advice) -> Answered:
    """The cards for a call. Raises DataUnavailable when a required key cannot be had, or where
    nothing is to be said, that or the results not wholly: it must never be silence by accident.
    """
    gathered = gather(
        prefetch=call.request.prefetch,
        templates=call.service.templates,
        tokens={"context.patientId": call.request.context.patient_id},
        access=call.access,
    )
    match call.request.context:
        case LabResultContext(results=results):
            answered = _evaluated(call, gathered, results, Looking.RESULT_ARRIVED)
            if not answered.cards:
                insist_on_all_that_arrived(results)
            return answered
        case PatientViewContext():
            charted = gathered.parts[call.service.wanted.part].resource
            return _evaluated(call, gathered, charted, Looking.CHART_OPENED)
        case OrderContext() as context:
            return order_advice(call, context, gathered)


def record_of(call: Call, gathered: Gathered, results: JsonObject) -> PatientRecord:
    """The patient's data as far as they were sent or fetched; `results` are to be interpreted."""
    return read_record(
        patient_id=call.request.context.patient_id,
        fhir_base=call.request.fhir.server,
        results=results,
        parts=gathered.parts,
        wanted=call.service.wanted,
    )


def _evaluated(call: Call, gathered: Gathered, results: JsonObject, looking: Looking) -> Answered:
    knowledge = call.service.knowledge
    record = record_of(call, gathered, results)
    if looking is Looking.RESULT_ARRIVED:
        record = _with_memory(record, call.carded_before)
    evaluation = evaluate(record, knowledge, call.at, looking=looking)
    cards = render(evaluation, knowledge, scope=call.scope)
    if not cards:
        insist_on_the_whole(gathered, call.service.templates)
    patient_id = call.request.context.patient_id
    return Answered(
        with_suggestions(cards, evaluation, knowledge, patient_id), evaluation, gathered.faults
    )


def _with_memory(record: PatientRecord, carded_before: CardedBefore) -> PatientRecord:
    """Whether a result had been carded matters only where it is withdrawn and that is told: when it
    arrives, never on a chart that is opened.
    """
    withdrawn = [
        result.ref.resource
        for result in record.results
        if isinstance(result, LabResult) and result.status in WITHDRAWN
    ]
    if not withdrawn:
        return record
    return replace(record, carded_before=carded_before(withdrawn))
