"""A call beside reads and searches, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_FHIR_JSON = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Sending:
    """One call beside reads and searches; `relative` follows the base, empty for the base itself.

    `basic` is a client id and its secret (RFC 6749, section 2.3.1), sent in place of a token.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    relative: str = ""
    body: bytes = field(default=b"", repr=False)
    media_type: str = _FHIR_JSON
    accept: str = _FHIR_JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    basic: tuple[str, str] | None = field(default=None, repr=False)
