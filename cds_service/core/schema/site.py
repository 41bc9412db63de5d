"""The rows of the site file: what a hospital adds to the knowledge. None of it is in `cards/`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from cds_service.core.schema.row import ExactNumber, Id, Row, Text


class SiteCode(Row):
    """`[[code]]`: a local laboratory code and the LOINC code it stands for."""

    system: Text
    code: Text
    loinc: Text
    note: Text


class SiteCondition(Row):
    """`[[condition]]`: a local or standard code that opens a gate or a context."""

    system: Text
    code: Text
    means: Id
    match: Literal["exact", "prefix"] = "exact"
    note: Text


class SiteUnit(Row):
    """`[[unit]]`: a further unit text, with its exact factor inside one family."""

    text: Text
    family: Text
    factor: ExactNumber
    note: Text


class SiteSpecimen(Row):
    """`[[specimen]]`: a local code of Specimen.type."""

    system: Text
    code: Text
    kind: Id
    note: Text


class AssayFactor(Row):
    """`[assay]`: one laboratory's own factor to the scale of the studies, inside one unit family.

    Never a conversion between families. Without its written source it is refused.
    """

    laboratory: Text
    family: Text
    factor: ExactNumber
    source: Text
    analyte: str = ""
    """Id of the knowledge that the factor is for; needed where several have such a family."""


class SitePolicy(Row):
    """`[policy]`: what the site sets; anything left out stays as in the knowledge."""

    look_back_days: int | None = Field(default=None, ge=1, le=3650, strict=True)
    interpret_preliminary: bool | None = Field(default=None, strict=True)
    muted_findings: tuple[str, ...] | None = None
    order_intent: Literal["proposal", "order"] | None = None


class OrderCode(Row):
    """`[orders.<suggestion id>]`: the code under which the site orders a suggested test."""

    system: Text
    code: Text
    display: Text


def _none_if_empty(table: object) -> object:
    """An empty table counts as left out."""
    return None if table == {} else table


class Site(Row):
    """The whole site file."""

    code: tuple[SiteCode, ...] = ()
    condition: tuple[SiteCondition, ...] = ()
    unit: tuple[SiteUnit, ...] = ()
    specimen: tuple[SiteSpecimen, ...] = ()
    assay: Annotated[AssayFactor | None, BeforeValidator(_none_if_empty)] = None
    policy: SitePolicy = SitePolicy()
    orders: dict[str, OrderCode] = Field(default_factory=dict)
