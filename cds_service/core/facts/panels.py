"""Items of a panel: which of them are met, by the facts about their limits."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.core.fact import DISPUTED, MET, NOT_MET, PROVISIONAL, STRADDLES, UNKNOWN, Fact
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import PanelItem, PanelRow

_OPEN_VALUES = (UNKNOWN, STRADDLES, DISPUTED)
_OPEN_ITEM = (PROVISIONAL, UNKNOWN)
_LEANING = (MET, PROVISIONAL, STRADDLES, DISPUTED)


def panel_item(item: PanelItem, facts: Mapping[str, Fact]) -> str:
    """Whether one item of a panel is met, provisional, not-met or unknown."""
    values = [facts[f"limit.{limit}"].value for limit in item.limits]
    met = values.count(MET)
    provisional = met + values.count(PROVISIONAL)
    possible = provisional + sum(map(values.count, _OPEN_VALUES))
    if met >= item.at_least:
        return MET
    if provisional >= item.at_least:
        return PROVISIONAL
    return UNKNOWN if possible >= item.at_least else NOT_MET


def may_be_met(item: PanelItem, facts: Mapping[str, Fact]) -> bool:
    """Whether an item is left open although one of its limits is met, or may be: low platelets with
    no other cell line known, or triglycerides of which nobody knows if the patient had fasted.
    """
    if panel_item(item, facts) not in _OPEN_ITEM:
        return False
    return any(facts[f"limit.{limit}"].value in _LEANING for limit in item.limits)


def items_met_beside(
    panel: PanelRow, facts: Mapping[str, Fact], knowledge: KnowledgeBase
) -> tuple[PanelItem, ...]:
    """The items that are met by companion results alone. They describe the patient, so they do not
    depend on specimen and unit family of the result itself.
    """
    beside = items_beside(panel, knowledge)
    return tuple(item for item in beside if panel_item(item, facts) == MET)


def items_met(panel: PanelRow, facts: Mapping[str, Fact]) -> int:
    """How many items are surely met, that of the result itself among them."""
    return sum(panel_item(item, facts) == MET for item in panel.item)


def items_beside(panel: PanelRow, knowledge: KnowledgeBase) -> list[PanelItem]:
    """The items that rest on companion results alone."""
    own = knowledge.identity.id
    return [
        item
        for item in panel.item
        if all(knowledge.limits[limit].of != own for limit in item.limits)
    ]
