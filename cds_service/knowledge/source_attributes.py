"""What one knowledge base says about itself to those who decide whether to use it.

The source attributes that 45 CFR 170.315(b)(11)(iv)(A) asks of evidence-based decision support,
with the knowledge they belong to, its state of review and the disclaimer.
"""

from __future__ import annotations

from cds_service.core.json_object import JsonObject
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.disclaimer import disclaimer, review_status


def source_attributes(knowledge: KnowledgeBase) -> JsonObject:
    """The answer of `GET /knowledge/{analyte}`, also part of the FHIR export."""
    about = knowledge.identity
    return {
        "knowledge": knowledge.tag,
        "title": about.title,
        "intendedUse": about.intended_use,
        "publisher": about.publisher,
        "released": about.released.isoformat(),
        "reviewBy": about.review_by.isoformat(),
        "reviewStatus": review_status(knowledge),
        "sourceAttributes": [row.model_dump(mode="json") for row in knowledge.attributes],
        "disclaimer": disclaimer(knowledge),
    }
