"""`findings.toml`, `context.toml` and `reasons.toml`: the decision table."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cds_service.core.schema.row import ContextId, Gates, Id, Row, Sourced, Text


class FindingRow(Sourced):
    """`[[finding]]`: one row of the decision table; several rows may carry the same id (OR)."""

    id: Id
    when: Gates
    indicator: Literal["info", "warning"]
    rank: int = Field(ge=0, le=999)
    """Which finding speaks in the summary: the highest rank."""
    claim: Text
    """The one-line ceiling of what may be said."""
    suggestions: tuple[Id, ...] = ()


class ContextRow(Sourced):
    """`[[context]]`: a finding that adds a caveat, and may weaken or block others."""

    id: ContextId
    when: Gates
    claim: Text
    found: Text | None = None
    """What was found, as a sentence, where the rows of one id differ in it: `{found.<id>}`."""
    weakens: tuple[Id, ...] = ()
    blocks: tuple[Id, ...] = ()
    suggestions: tuple[Id, ...] = ()


TableRow = FindingRow | ContextRow
"""A row of the decision table."""


class ReasonRow(Row):
    """`[[reason]]`: the grounds of a reason for not interpreting, or of `wrong-analyte`."""

    id: Id
    claim: Text
    sources: tuple[Id, ...] = Field(min_length=1)
    suggestions: tuple[Id, ...] = ()


class NoteRow(Sourced):
    """`[[note]]`: the sources of a note beside the findings, where it needs any; also those of
    `threshold-indeterminate`, which has no row in the table.
    """

    id: Id
    claim: Text


class GroupRow(Row):
    """`[[group]]`: a promise that is proved: exactly one, or at most one, of the findings fires."""

    id: Id
    where: Gates
    findings: tuple[Id, ...]
    count: Literal["exactly-one", "at-most-one"]
