"""`POST /cds-services/{id}`: one invocation, answered and recorded (H-01).

The record is written before the answer is given, also when there is no card. Where it cannot be
written, no answer is given: advice that nobody could account for later is not advice to give.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import Blueprint, Response, request

from cds_service.errors import StoreUnavailable
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Answered, Call
from cds_service.hooks.request import HookRequest, read_request
from cds_service.hooks.services import Service
from cds_service.logs import Event, log_fault
from cds_service.metrics import Metrics
from cds_service.web.body import json_body
from cds_service.web.passage import Passage, here
from cds_service.web.ports import UNREAD, Caller, Failed, Invocation, Unread
from cds_service.web.problems import as_designed
from cds_service.web.responses import json_response
from cds_service.web.room import Room


def invocation(room: Room) -> Blueprint:
    """The endpoint that all services share; the id in the address alone chooses (TR-01)."""
    blueprint = Blueprint("invocation", __name__)

    @blueprint.post("/cds-services/<service_id>")
    def invoke(service_id: str) -> Response:
        caller, service = room.admit_to(service_id)
        passage = here()
        at = room.ports.now()
        hook_request: HookRequest | Unread = UNREAD

        def ended(came_to: Answered | Failed) -> Invocation:
            return Invocation(
                at=at,
                request_id=passage.request_id,
                caller=caller,
                service=service,
                request=hook_request,
                came_to=came_to,
                duration_ms=round(passage.seconds * 1000, 3),
            )

        try:
            body = json_body(request, room.settings.max_body)
            hook_request = read_request(body, service.trigger, service.hook, service.templates)
            answered = _answered(room, caller, service, hook_request, at.date())
            response = json_response(
                answered.as_json_in_shadow()
                if caller.in_shadow
                else answered.as_json(caller.smart_apps)
            )
        except Exception as error:
            designed = as_designed(error)
            _record_failure(room, ended(Failed(designed.status, designed.code)))
            raise
        room.ports.journal.record(ended(answered))
        _count(room.metrics, passage, answered, caller)
        return response

    return blueprint


def _answered(
    room: Room, caller: Caller, service: Service, hook_request: HookRequest, on: date
) -> Answered:
    journal = room.ports.journal
    patient_id = hook_request.context.patient_id

    # Not a functools.partial: its representation would show the patient's id.
    def carded_before(references: Iterable[str]) -> frozenset[str]:
        return journal.carded_before(caller, patient_id, references)

    with room.ports.reach(caller, hook_request) as access:
        call = Call(
            service=service,
            request=hook_request,
            caller=caller.name,
            at=on,
            access=access,
            carded_before=carded_before,
            id_secret=journal.id_secret,
        )
        return answer(call)


def _record_failure(room: Room, failed: Invocation) -> None:
    """A failed call is recorded too. If that also fails, the caller is told the first failure."""
    try:
        room.ports.journal.record(failed)
    except StoreUnavailable as lost:
        log_fault(Event.NOT_RECORDED, lost, request_id=failed.request_id, cause=lost.cause)


def _count(metrics: Metrics, passage: Passage, answered: Answered, caller: Caller) -> None:
    """Tell metrics and log what was said, or would have been, in public words only."""
    said = [card.extension for card in answered.cards]
    metrics.called(client=passage.client, service=passage.service, cards=len(said))
    for card in said:
        metrics.card(
            service=passage.service,
            outcome=card["outcome"],
            findings=card.get("findings", ()),
            reason=card.get("reason", ""),
        )
        metrics.lacked(card.get("missing", ()))
    if caller.in_shadow:
        metrics.withheld(service=passage.service, count=len(said))
    for key, fault in answered.faults.items():
        metrics.not_fetched(key=key, fault=fault)
    passage.said = {
        "withheld" if caller.in_shadow else "cards": len(said),
        "outcomes": [card["outcome"] for card in said],
        "findings": [finding for card in said for finding in card.get("findings", ())],
        "reasons": [card["reason"] for card in said if "reason" in card],
        "upstream": [f"{key}: {fault}" for key, fault in answered.faults.items()],
    }
