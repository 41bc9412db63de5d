"""`units.toml`: the unit families, and each unit string with its factor inside one family."""

from __future__ import annotations

from cds_service.core.schema.row import ExactNumber, Row, Text


class UnitFamily(Row):
    """`[[family]]` in units.toml. Families are never converted into each other."""

    id: Text
    canonical: Text
    title: Text
    interpreted: bool


class RowUnit(Row):
    """An exact unit string: its family and the factor to the family's canonical unit."""

    text: Text
    family: Text
    factor: ExactNumber
    ucum: bool
    """Whether the string is valid UCUM, and so may stand in Quantity.code."""
    assumed: str = ""
    """The sentence for the card where reading the string in this family is an assumption."""
    beside: tuple[Text, ...] = ()
    """Texts that mean this unit beside its UCUM code, and are not understood without it."""
