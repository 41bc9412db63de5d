"""A fact: what is known of one result about one question, and the words for why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cds_service.core.model import ResourceRef

UNKNOWN = "unknown"
"""The value of any fact that the data do not settle."""

MET = "met"
NOT_MET = "not-met"
"""The values of a limit fact where the whole interval of the value lies on one side."""

NOT_APPLICABLE = "not-applicable"
"""The value of a fact that is not asked of such a result: a limit of another specimen."""

STRADDLES = "straddles"
"""The value of a limit fact when the interval of the value lies on both sides of the limit."""

PROVISIONAL = "provisional"
"""The value of a limit fact that is met if the sample was as the limit presumes, which the code of
the result does not state."""

DISPUTED = "disputed"
"""The value of a limit fact that one result meets and others of the same time do not surely meet:
nobody can tell which of them stands."""


class Fact(NamedTuple):
    """A named, settled (or `unknown`) statement about one result, with the words for why.

    `missing` holds the public `missing` words (docs/integrating.md) of what would settle it. A
    tuple, as ten are made for each result: a frozen dataclass takes three times as long to make.
    """

    name: str
    value: str
    because: str
    missing: tuple[str, ...] = ()
    inputs: tuple[ResourceRef, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class UsualFacts:
    """All facts, in order, of one kind of result whose record says nothing about the patient.

    There is one object for each kind (`facts_of` keeps them), so it is compared by identity: what
    the decision table makes of it is kept under it.
    """

    by_name: Mapping[str, Fact]
