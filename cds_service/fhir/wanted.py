"""The cheap look: what an Observation is by its codes alone, on raw JSON, before any validation.

Most Observations of a chart are of other tests and cost no more than this.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from cds_service.core.card import JsonObject
from cds_service.fhir.shape import code_pairs

Codes = frozenset[tuple[str, str]]
"""Pairs of system and code."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The codes worth reading: of the analyte (accepted, refused and local) and of companions."""

    analyte: Codes
    companions: Codes


class Sort(Enum):
    """What an Observation is by its codes."""

    ANALYTE = auto()
    COMPANION = auto()
    UNREADABLE = auto()
    """Its code cannot be read, so it cannot be ruled out."""
    OTHER = auto()


def sort_of(observation: JsonObject, wanted: Wanted) -> Sort:
    """What an Observation is. A code in words alone is readable, and not one that is wanted."""
    code = observation.get("code")
    given = code.get("coding", []) if isinstance(code, dict) and code else {}
    if not isinstance(given, list):
        return Sort.UNREADABLE
    pairs = code_pairs(given)
    if not pairs.isdisjoint(wanted.analyte):
        return Sort.ANALYTE
    if not pairs.isdisjoint(wanted.companions):
        return Sort.COMPANION
    if not pairs and any(_is_broken(coding) for coding in given):
        return Sort.UNREADABLE
    return Sort.OTHER


def _is_broken(coding: object) -> bool:
    return not isinstance(coding, dict) or any(
        not isinstance(coding.get(name, ""), str) for name in ("system", "code")
    )
