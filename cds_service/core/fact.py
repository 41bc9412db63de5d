"""A fact: what is known of one result about one question, and the words for why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cds_service.core.elements import ResourceRef

UNKNOWN = "unknown"
"""The value of any fact that the data do not settle."""

MET = "met"
NOT_MET = "not-met"
"""The values of a limit fact where the whole interval of the value lies on one side."""

NOT_APPLICABLE = "not-applicable"
"""The value of a fact that does not concern such a result, such as a limit of another specimen."""

STRADDLES = "straddles"
"""The value of a limit fact when the interval of the value lies on both sides of the limit."""

PROVISIONAL = "provisional"
"""The value of a limit fact where the limit is met if the sample was as it presumes (`fasting`),
and the code of the result does not say whether it was."""

DISPUTED = "disputed"
"""The value of a limit fact where one result meets the limit and another of the same time does not
surely meet it: nobody can tell which of them holds."""

NOT_KNOWN = frozenset({UNKNOWN, DISPUTED})
"""The values of facts for which the data give no answer."""


class Fact(NamedTuple):
    """A named, settled (or `unknown`) statement about one result, with the words for why.

    `because` is whole, for a trace. A card shows `told`: of a fact about a limit the results alone
    (`shown`), since the card names the limit beside them.
    `missing` holds the public `missing` words (docs/integrating.md) for data that would settle it.
    A NamedTuple, since ten are made for each result and a frozen dataclass takes three times as
    long to make.
    """

    name: str
    value: str
    because: str
    missing: tuple[str, ...] = ()
    inputs: tuple[ResourceRef, ...] = ()
    shown: str = ""

    @property
    def told(self) -> str:
        """What a card says of why."""
        return self.shown or self.because


@dataclass(frozen=True, slots=True, eq=False)
class UsualFacts:
    """All facts, in order, of one kind of result whose record says nothing about the patient.

    There is one object for each kind (`facts_of` keeps them), so it is compared by identity and can
    be the key of what the decision table makes of it.
    """

    by_name: Mapping[str, Fact]
