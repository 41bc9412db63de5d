"""`codes.toml`, `companions.toml`: the codes of the analyte, its look-alikes and companions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cds_service.core.schema.row import Id, Row, Text
from cds_service.core.schema.units import RowUnit


class SpecimenKind(Row):
    """`[[specimen]]`: a specimen the knowledge speaks about."""

    id: Id
    words: Text
    """As it stands in a summary: `serum/plasma`."""


class AcceptedCode(Row):
    """A LOINC code read as this analyte."""

    loinc: Text
    name: Text
    axes: Text
    specimen: Id | Literal["from-specimen"]
    property: Text
    family: Text
    naming: Literal["explicit", "implied"]
    """`implied`: the name lacks the decisive word, and the card says so."""
    sources: tuple[Text, ...]
    note: str = ""


class RefusedCode(Row):
    """A LOINC code that looks like the analyte and is not."""

    loinc: Text
    name: str = ""
    component: Text
    answer: Literal["wrong-analyte", "none"]
    because: Text
    sources: tuple[Text, ...]


class SpecimenCode(Row):
    """A code of Specimen.type and the specimen kind it means; `not-covered` is one of them."""

    system: Text
    code: Text
    display: Text
    kind: Id
    sources: tuple[Text, ...]


class CompanionCode(Row):
    """A LOINC code of a companion test."""

    loinc: Text
    name: str = ""
    component: str = ""
    family: Text
    states: str = ""
    """What the code states about the sample, as a limit may presume it: `fasting`."""
    sources: tuple[Text, ...] = ()


class Companion(Row):
    """`[[companion]]`: another laboratory test the findings may ask for."""

    name: Id
    title: Text
    specimen: Id
    code: tuple[CompanionCode, ...] = Field(min_length=1)
    unit: tuple[RowUnit, ...] = Field(min_length=1)
