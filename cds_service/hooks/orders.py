"""The order services: what there is to say about draft orders, and what could be drafted instead.

The cards come from the core; here they get their suggestions, which hold FHIR resources: the swap
of a look-alike (remove the draft, create another), and drafts of what belongs beside an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cds_service.core.card import Card
from cds_service.core.elements import Coding
from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, PatientRecord
from cds_service.core.name_uuid import Names
from cds_service.core.orders.advice import Advice, advise
from cds_service.core.orders.card import render_advice
from cds_service.core.orders.order import ORDER_SWAP, DraftOrder
from cds_service.core.orders.swap import AlreadyDrafted, NoSwap, Swap
from cds_service.core.rendering.parts import fill
from cds_service.core.verdict import Evaluation
from cds_service.fhir.orders import ReadDrafts, read_drafts
from cds_service.fhir.sent_drafts import EveryDraft, Meant, Selected
from cds_service.fhir.subject import Whose
from cds_service.fhir.wanted import Wanted
from cds_service.fhir.write.orders import order_beside, order_codings, order_in_its_place
from cds_service.hooks.call import Answered, Call, gathered_for, record_of
from cds_service.hooks.gather import as_sent
from cds_service.hooks.referred import with_referred_for_drafts
from cds_service.hooks.request import OrderContext, Trigger

Suggestion = Mapping[str, Any]


def order_advice(call: Call, context: OrderContext) -> Answered:
    """The answer to `order-select` (the selected drafts) or `order-sign` (all of them).

    Most drafts are of other tests: for these nothing is asked of the client's server. Raises
    DataUnavailable for a required key that cannot be had.
    """
    knowledge = call.service.knowledge
    read = read_drafts(
        context.draft_orders,
        meant=_meant(call, context),
        whose=Whose(context.patient_id, call.request.fhir.server),
        wanted=orders_wanted(knowledge),
    )
    record, gathered = PatientRecord(), as_sent(call.request.prefetch, call.service.templates)
    if read.drafts.asked:
        gathered = with_referred_for_drafts(gathered_for(call), call.service.wanted, call.access)
        record = record_of(call, gathered, {})
    advised = advise(read.drafts, record, knowledge, call.at)
    cards = tuple(
        _with_suggestions(card, advice, read, knowledge)
        for card, advice in zip(
            render_advice(advised, knowledge, scope=call.scope), advised.advice, strict=True
        )
    )
    skipped = (*read.left_aside, *advised.skipped)
    evaluation = Evaluation(knowledge.tag, call.at, (), skipped)
    return Answered(cards, evaluation, gathered.faults, advised.advice)


def orders_wanted(knowledge: KnowledgeBase) -> Wanted:
    """The codes of orders worth reading: the analyte, its look-alikes, and companion tests."""
    own, beside = set(knowledge.analyte_codes), set(knowledge.companion_codes)
    for suggestion, code in knowledge.orders.items():
        is_own = suggestion in knowledge.order_table.own
        (own if is_own else beside).add((code.system, code.code))
    return Wanted(knowledge.identity.id, frozenset(own), frozenset(beside))


def _meant(call: Call, context: OrderContext) -> Meant:
    if call.service.trigger is Trigger.ORDER_SELECT:
        return Selected.by(context.selections)
    return EveryDraft()


def _with_suggestions(
    card: Card, advice: Advice, read: ReadDrafts, knowledge: KnowledgeBase
) -> Card:
    """The card with what may be ordered instead or besides; with nothing where the draft was not
    read, or may be another by now.
    """
    match advice.order:
        case DraftOrder(in_doubt=False, place=place):
            draft = read.resources[place]
            offers = (
                *_swap(card, advice, draft, knowledge),
                *_beside(card, advice, draft, knowledge),
            )
            return replace(card, suggestions=offers)
        case DraftOrder() | InvalidResource():
            return card


def _swap(
    card: Card, advice: Advice, draft: JsonObject, knowledge: KnowledgeBase
) -> Iterator[Suggestion]:
    """One suggestion: delete the draft, if that can be done from here, and create another in its
    place, unless that is drafted already.
    """
    if isinstance(advice.swap, NoSwap):  # the knowledge may have no words for swaps
        return

    def said(section: str, text: str = "") -> str:
        words = {"analyte": knowledge.identity.short_name, "name": advice.name, "code": advice.code}
        return fill(knowledge, ORDER_SWAP, section, {**words, "text": text})

    removed = advice.order.ref.resource
    can_delete = _can_be_deleted(advice, draft)
    delete: JsonObject = {"type": "delete", "description": said("delete"), "resourceId": removed}
    match advice.swap:
        case Swap(codings, text):
            resource = order_in_its_place(
                draft,
                codes=[_coding(code) for code in codings],
                text=text,
                intent=knowledge.policy.order_intent,
            )
            about, told = ("label", "create") if can_delete else ("label-by-hand", "by-hand")
            create = {"type": "create", "description": said(told, text), "resource": resource}
            label, actions = said(about, text), [*([delete] if can_delete else []), create]
        case AlreadyDrafted() if can_delete:
            label, actions = said("drafted"), [delete]
        case AlreadyDrafted():
            return
    yield {"label": label, "uuid": Names(card.uuid).uuid(ORDER_SWAP), "actions": actions}


def _can_be_deleted(advice: Advice, draft: JsonObject) -> bool:
    """Whether a `delete` may name it: by `resourceId`, which needs an id (CDS Hooks 2.0.1, Action),
    and while it is a draft. An order that stands is not ours to take back (T-35).
    """
    return "/" in advice.order.ref.resource and draft.get("status") == "draft"


def _beside(
    card: Card, advice: Advice, draft: JsonObject, knowledge: KnowledgeBase
) -> Iterator[Suggestion]:
    """One suggestion for each test that belongs beside the order and is not there."""
    for row in advice.lacking:
        resource = order_beside(
            draft,
            codes=order_codings(row, knowledge.orders.get(row.id)),
            text=row.text,
            intent=knowledge.policy.order_intent,
        )
        action = {"type": "create", "description": row.text, "resource": resource}
        yield {"label": row.label, "uuid": Names(card.uuid).uuid(row.id), "actions": [action]}


def _coding(code: Coding) -> JsonObject:
    display = {"display": code.display} if code.display else {}
    return {"system": code.system, "code": code.code, **display}
