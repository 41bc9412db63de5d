"""The state of review and the disclaimer, in words: one place for card, page and export."""

from __future__ import annotations

from cds_service.core.escape import markdown
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.review import Approved, Pending
from cds_service.core.template import Wording


def disclaimer(knowledge: KnowledgeBase) -> str:
    """The disclaimer of this knowledge in its present state of review, as Markdown."""
    values = {"knowledge": knowledge.tag, "review": _review(knowledge)}
    return knowledge.wording.disclaimer.fill(values)


def review_status(knowledge: KnowledgeBase) -> str:
    """The state in one plain phrase: `pending clinical review`, or who approved it and when."""
    match knowledge.review:
        case Pending():
            return knowledge.identity.review_status
        case Approved(reviewer, on):
            return f"approved by {reviewer} on {on.isoformat()}"


def _review(knowledge: KnowledgeBase) -> str:
    phrases = knowledge.wording.phrases
    match knowledge.review:
        case Pending():
            return phrases["review-pending"]
        case Approved(reviewer, on):
            values = {"reviewer": markdown(reviewer), "date": on.isoformat()}
            return Wording.of(phrases["review-approved"]).fill(values)
