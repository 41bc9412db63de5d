"""What a card says of a result of the toy."""

from __future__ import annotations

from cds_service.core.card import Card
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.render import render
from tests import toy
from tests.records import evaluated, record, within

TOY = toy.knowledge()
RANGE = (within("20", "90"),)


def cards(
    given: LabResult | PatientRecord, knowledge: KnowledgeBase = TOY, scope: str = "s"
) -> tuple[Card, ...]:
    """The cards about a result, or about a whole record."""
    whole = record(given) if isinstance(given, LabResult) else given
    return render(evaluated(whole, knowledge), knowledge, scope=scope)


def card(given: LabResult | PatientRecord, knowledge: KnowledgeBase = TOY) -> Card:
    """The one card about it."""
    (only,) = cards(given, knowledge)
    return only
