"""From a request to its cards: complete the data, read them, evaluate, render."""

from __future__ import annotations

from dataclasses import replace

from cds_service.core.elements import WITHDRAWN
from cds_service.core.json_object import JsonObject
from cds_service.core.model import Availability, LabResult, PatientRecord
from cds_service.core.render import render
from cds_service.errors import DataUnavailable
from cds_service.evaluate import Looking, evaluate
from cds_service.fhir.ours import may_call_for_a_card, taken_back_unseen
from cds_service.fhir.supplied import shortfalls
from cds_service.hooks.call import Answered, Call, CardedBefore, gathered_for, record_of
from cds_service.hooks.gather import Gathered, as_sent, require_whole
from cds_service.hooks.orders import order_advice
from cds_service.hooks.referred import with_referred
from cds_service.hooks.request import LabResultContext, OrderContext, PatientViewContext
from cds_service.hooks.suggestions import with_suggestions

_MAY_HOLD_MORE = frozenset({Availability.MISSING, Availability.FAILED, Availability.PARTIAL})


def answer(call: Call) -> Answered:
    """The cards for a call.

    Raises DataUnavailable when a required key cannot be had; and where there would be no card, also
    when a required key, or the results, are there only in part: the rest might call for a card. So
    might a result that had one and was taken back with its report, if the record cannot be had.
    """
    match call.request.context:
        case LabResultContext(results=results):
            gathered = _gathered_beside(results, call)
            answered = _evaluated(call, gathered, results, Looking.RESULT_ARRIVED)
            if not answered.cards:
                _require_all_that_arrived(results)
                _require_what_was_taken_back(results, gathered, call)
            return answered
        case PatientViewContext():
            gathered = gathered_for(call)
            charted = gathered.parts[call.service.wanted.part].resource
            return _evaluated(call, gathered, charted, Looking.CHART_OPENED)
        case OrderContext() as context:
            return order_advice(call, context)


def _gathered_beside(results: JsonObject, call: Call) -> Gathered:
    """What is to be read beside results that arrived. Most are of other tests: for these nothing is
    asked of the client's server.
    """
    if may_call_for_a_card(results, call.service.wanted):
        return gathered_for(call)
    return as_sent(call.request.prefetch, call.service.templates)


def _evaluated(call: Call, gathered: Gathered, results: JsonObject, looking: Looking) -> Answered:
    knowledge = call.service.knowledge
    arrived = results if looking is Looking.RESULT_ARRIVED else {}
    gathered = with_referred(gathered, arrived, call.service.wanted, call.access)
    record = record_of(call, gathered, results)
    if looking is Looking.RESULT_ARRIVED:
        record = _with_memory(record, call.carded_before)
    evaluation = evaluate(record, knowledge, call.at, looking=looking)
    cards = render(evaluation, knowledge, scope=call.scope)
    if not cards:
        require_whole(gathered, call.service.templates)
    patient_id = call.request.context.patient_id
    return Answered(
        with_suggestions(cards, evaluation, knowledge, patient_id), evaluation, gathered.faults
    )


def _require_all_that_arrived(results: JsonObject) -> None:
    """An answer without cards may be given only where all of the results were sent: nobody can be
    asked for the rest.

    Raises DataUnavailable for a Bundle that says itself that it is a part or that something failed,
    or that holds another Bundle, which is not opened.
    """
    for fault in shortfalls(results):
        raise DataUnavailable(
            f"The results are only a part, which calls for no card ({fault}).",
            where="context.results",
            remedy="Send all of them as the entries of one Bundle of type collection.",
            cause=fault,
        )


def _require_what_was_taken_back(results: JsonObject, gathered: Gathered, call: Call) -> None:
    """A report that was withdrawn takes the results in the record back. An answer without cards may
    be given only if none of them had a card, or the record was read.

    Raises DataUnavailable for the part of the record that may hold one that had.
    """
    key = call.service.wanted.part
    if gathered.parts[key].availability not in _MAY_HOLD_MORE:
        return
    named = taken_back_unseen(results, call.service.wanted)
    if named and call.carded_before(named):
        fault = gathered.faults.get(key, "")
        raise DataUnavailable(
            f"A report was withdrawn, and the results that it takes back are not here ({fault}).",
            where=f"prefetch.{key}",
            remedy="Send them with the report, or the key, or a fhirServer that may be read.",
            cause=fault,
        )


def _with_memory(record: PatientRecord, carded_before: CardedBefore) -> PatientRecord:
    """The record, and which of its withdrawn results had a card before. Only for results that
    arrive: when a chart is opened nothing is said of a withdrawn result.
    """
    withdrawn = [
        result.ref.resource
        for result in record.results
        if isinstance(result, LabResult) and result.status in WITHDRAWN
    ]
    if not withdrawn:
        return record
    return replace(record, carded_before=carded_before(withdrawn))
