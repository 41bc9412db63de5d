"""What the rows of all tables share: their base, and the types of their cells."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Gates = dict[str, str | list[str]]
"""Fact name -> the value or values that let the row through."""


def _number(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('write a number as text, so that it keeps its digits: "2400"')  # noqa: TRY004 - pydantic turns ValueError into a row error
    try:
        return Decimal(value)
    except InvalidOperation:
        raise ValueError("this is not a number") from None


ExactNumber = Annotated[Decimal, BeforeValidator(_number)]


class Row(BaseModel):
    """Base of every row: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sourced(Row):
    """Base of rows whose words may differ between specimens, and with them what they rest on."""

    sources: tuple[Id, ...] = ()
    """Behind what is said of every specimen."""
    sources_by_specimen: Mapping[Id, tuple[Id, ...]] = {}
    """Behind what is said of one specimen kind only."""

    def sources_of(self, specimen: str) -> tuple[str, ...]:
        """The sources behind what is said of this specimen kind."""
        return self.sources + self.sources_by_specimen.get(specimen, ())

    @property
    def all_sources(self) -> tuple[str, ...]:
        """The sources behind what is said of any specimen, each once."""
        special = (name for names in self.sources_by_specimen.values() for name in names)
        return tuple(dict.fromkeys((*self.sources, *special)))
