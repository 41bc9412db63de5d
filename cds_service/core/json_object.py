"""The type of a JSON object: a FHIR resource as it was parsed, a request, a card as it is sent."""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]
"""Numbers in what `strict_json` parsed are `ExactDecimal` or `int`, never `float`."""
