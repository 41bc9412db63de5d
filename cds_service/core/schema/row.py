"""What the rows of all tables share: their base, and the types of their cells."""

from __future__ import annotations

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
