"""`conditions.toml`, `medications.toml`, ages in `context.toml`: the facts about a patient."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cds_service.core.schema.row import Id, Row, Text


class ConceptCode(Row):
    """A code that switches a concept on. `prefix` takes everything below the code as well."""

    system: Text
    code: Text
    display: Text
    match: Literal["exact", "prefix"]
    except_ending: str = ""
    """With `prefix`: codes that end so are not meant (ICD-10-CM sequelae end in `S`)."""
    sources: tuple[Text, ...]


class Concept(Row):
    """`[[condition]]` or `[[medication]]`: a named concept of the record, fact `condition.<name>`
    or `medication.<name>`: recorded, not-recorded or unknown.
    """

    name: Id
    title: Text
    code: tuple[ConceptCode, ...] = ()
    includes: tuple[Id, ...] = ()
    """Other concepts that switch this one on too."""
    undetermined_by: tuple[Id, ...] = ()
    """Concepts that leave this one unknown (recorded, but too coarse to tell)."""
    missing: tuple[Id, ...] = ()
    """The `missing` words when it is undetermined."""
    counts_when_over: bool = False
    """For a drug given in a few doses: its request is completed as soon as they were given, so a
    course that is over counts as a dose does, and an order of a later day is no renewal.
    """
    procedure_passes: bool = False
    """For a procedure that changes the value only as long as it is repeated, such as dialysis: one
    that was over before the look-back window says nothing.
    """
    note: str = ""


class AgeRow(Row):
    """`[[age]]`: fact `age.<id>` (yes, no, unknown), in completed years at collection."""

    id: Id
    at_least_years: int = Field(ge=0, le=130)
    title: Text
    sources: tuple[Id, ...]
    note: str = ""
