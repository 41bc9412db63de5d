"""An answer about a result, as it is written to a FHIR server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cds_service.core.card import Card, Indicator
from cds_service.core.json_object import JsonObject
from cds_service.fhir.write.resources import Said

RESULT = "Observation/o1"


def said(extension: JsonObject | None = None, **changes: Any) -> Said:
    """What was said, with so much more in the card's extension, and so changed."""
    card = Card(
        uuid="u",
        summary="The summary",
        detail="The detail",
        indicator=Indicator.INFO,
        source={},
        links=(),
        override_reasons=(),
        extension={"outcome": "interpreted", **(extension or {})},
    )
    first = Said(
        reference=RESULT,
        version="2",
        result="key-of-the-result",
        evaluation="key-of-this",
        patient_id="p1",
        card=card,
        module="sil2r",
        module_version="1.0.0",
        at=datetime(2026, 3, 1, 8, 30, 15, 123_456, UTC),
        is_final=True,
        based_on="ServiceRequest/s1",
        requester="Practitioner/d1",
    )
    return replace(first, **changes)
