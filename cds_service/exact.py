"""Numbers that remember how they were written.

FHIR's decimal has an implicit precision (https://hl7.org/fhir/R4/datatypes.html#decimal): `150.10`
and `150.1` compare equal and are not the same statement. JSON numbers with a fraction or an
exponent are therefore read as `ExactDecimal`, never as a binary float.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from cds_service.core.elements import Number


class ExactDecimal(Decimal):
    """A Decimal that keeps its own text: compared by value, shown by `text`.

    Arithmetic gives a plain Decimal, which has no text of its own to keep.
    """

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        """Read the text of a JSON number. Raises `decimal.InvalidOperation` for any other text."""
        exact = super().__new__(cls, text)
        exact.text = text
        return exact

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self.text,)


def number_of(json_value: object) -> Number:
    """The number of a parsed JSON value, with the text it came with.

    Raises TypeError for anything that is not a JSON number as this service parses it: also for a
    bool, which Python counts among the integers, and for a float, whose text is already lost.
    """
    match json_value:
        case ExactDecimal():
            return Number(json_value.text, Decimal(json_value))
        case int() | Decimal() if not isinstance(json_value, bool):
            value = Decimal(json_value)
            return Number(str(value), value)
        case _:
            raise TypeError("not a JSON number")
