"""`cases.toml`: worked cases, the specification and the manual."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cds_service.core.schema.row import (
    Amount,
    Id,
    MeasuredValue,
    MeasuredWithUnit,
    Row,
    Text,
    Years,
)


class Given(Row):
    """The situation of a worked case. Texts are as a laboratory would send them."""

    loinc: str = "9654-5"
    value: MeasuredValue = ""
    unit: str = ""
    specimen: str = ""
    """Specimen kind id or `not-covered`; left out: no specimen resource."""
    age: Years = ""
    """`40`, `12`, or left out for an unknown birth date."""
    status: str = "final"
    low: Amount = ""
    high: Amount = ""
    range_unit: str = ""
    conditions: tuple[Id, ...] = ()
    medications: tuple[Id, ...] = ()
    companions: dict[str, MeasuredWithUnit] = Field(default_factory=dict)
    """Companion name -> `1200 ng/mL`."""
    pair: MeasuredWithUnit = ""
    """`<value> <unit>` of the other specimen, drawn on the same day."""


class Expect(Row):
    """What the case must give."""

    outcome: Literal["interpreted", "not-interpretable", "wrong-analyte", "no-card"]
    reason: str = ""
    findings: tuple[Id, ...] = ()
    """All of them, in any order."""
    missing: tuple[Id, ...] = ()
    """At least these."""
    items: dict[Id, Literal["met", "provisional", "not-met", "unknown"]] = Field(
        default_factory=dict
    )
    """What items of panels come to, such as `ferritin`; other items may come to anything."""
    notes: tuple[Id, ...] = ()
    """At least these."""
    indicator: Literal["", "info", "warning"] = ""


class CaseRow(Row):
    """`[[case]]`: given, expect, because. The cases are the specification and the manual."""

    id: Id
    title: Text
    given: Given
    expect: Expect
    because: Text
