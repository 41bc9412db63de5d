"""What the rows of all tables share: their base, and the types of their cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_CONTEXT_ID = r"^context-[a-z0-9-]+$"
_ADVICE_ID = r"^order-[a-z0-9-]+$"
_STATEMENT_ID = r"^[ST]\d{1,2}$"
_VERSION = r"^\d{4}\.\d+$"
_YEARS = r"^[0-9]{1,3}$"
_AMOUNT = r"^[0-9]+(\.[0-9]+)?$"
_VALUE = r"^(<=|>=|<|>)?-?[0-9]+(\.[0-9]+)?$"
_MEASURED = r"^(<=|>=|<|>)?[0-9]+(\.[0-9]+)? \S.*$"
Id = Annotated[str, StringConstraints(pattern=_ID)]
ContextId = Annotated[str, StringConstraints(pattern=_CONTEXT_ID)]
AdviceId = Annotated[str, StringConstraints(pattern=_ADVICE_ID)]
StatementId = Annotated[str, StringConstraints(pattern=_STATEMENT_ID)]
Version = Annotated[str, StringConstraints(pattern=_VERSION)]
Years = Annotated[str, StringConstraints(pattern=_YEARS)]
Amount = Annotated[str, StringConstraints(pattern=_AMOUNT)]
MeasuredValue = Annotated[str, StringConstraints(pattern=_VALUE)]
MeasuredWithUnit = Annotated[str, StringConstraints(pattern=_MEASURED)]
PATTERNS: Final = {
    _ID: ("this is no id.", "Write small letters and digits, with single hyphens between them."),
    _CONTEXT_ID: ("this is no id of a context.", "Write it as context-transplant."),
    _ADVICE_ID: ("this is no id of advice on an order.", "Write it as order-wrong-analyte."),
    _STATEMENT_ID: ("this is no number of a statement.", "Write it as S4 or T12."),
    _VERSION: ("this is no version.", "Write the year and a number, as in 2026.1."),
    _YEARS: ("this is no age.", "Write whole years, as in 40."),
    _AMOUNT: ("this is no number.", "Write digits and a point, as in 1.5."),
    _VALUE: ("this is no number.", "Write digits and a point, as in 1.5, >1.5 or <=1.5."),
    _MEASURED: ("this is no number with its unit.", "Write both, with a space between: 12.5 g/L."),
}
"""Pattern -> what is wrong with a text that does not match it, and what would be right."""
Gates = dict[str, str | list[str]]
"""Fact name -> the value or values that let the row through."""


_NOT_AS_TEXT = 'write a number as text, so that it keeps its digits; put it in quotes: "2400"'
_NO_NUMBER = 'this is not a number; write digits and a point: "1.5"'
"""What is wrong and, behind the semicolon, what would be right (see `slips`)."""


def _number(value: object) -> object:
    """The number that a text holds. pydantic turns a ValueError into a fault of the row."""
    match value:
        case str():
            try:
                return Decimal(value)
            except InvalidOperation:
                raise ValueError(_NO_NUMBER) from None
        case _:
            raise ValueError(_NOT_AS_TEXT)


ExactNumber = Annotated[Decimal, BeforeValidator(_number)]


class Row(BaseModel):
    """Base of every row: frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sourced(Row):
    """Base of rows whose words stand in a template, with the sources of these words."""

    sources: tuple[Id, ...] = ()
    """Sources of the words that stand on every card with this row."""
    sources_by_section: Mapping[Id, tuple[Id, ...]] = {}
    """Further sources of one section of the template, which only some cards hold: `blood` for one
    specimen kind, `blood-u` for it in one unit family, `not-blood`, `weakly`."""

    def sources_of(self, sections: Iterable[str]) -> tuple[str, ...]:
        """The sources of the words on a card that may hold these sections."""
        if not self.sources_by_section:
            return self.sources
        special = [self.sources_by_section.get(section, ()) for section in sections]
        return self.sources + tuple(chain.from_iterable(special))

    @property
    def all_sources(self) -> tuple[str, ...]:
        """The sources of the whole row, each once."""
        special = chain.from_iterable(self.sources_by_section.values())
        return tuple(dict.fromkeys((*self.sources, *special)))
