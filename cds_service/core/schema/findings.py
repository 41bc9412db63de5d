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
    weakens: tuple[Id, ...] = ()
    blocks: tuple[Id, ...] = ()
    suggestions: tuple[Id, ...] = ()


TableRow = FindingRow | ContextRow
"""A row of the decision table."""


class ReasonRow(Row):
    """`[[reason]]`: why a reason for not interpreting (or `wrong-analyte`) stands as it does."""

    id: Id
    claim: Text
    sources: tuple[Id, ...] = Field(min_length=1)
    suggestions: tuple[Id, ...] = ()


class NoteRow(Sourced):
    """`[[note]]`: what a note beside the findings rests on, where it needs a source; also what the
    words on a limit left open rest on, which have no row of the table.
    """

    id: Id
    claim: Text


class GroupRow(Row):
    """`[[group]]`: what the proof holds: of these findings exactly one, or at most one, fires."""

    id: Id
    where: Gates
    findings: tuple[Id, ...]
    count: Literal["exactly-one", "at-most-one"]
