"""`sources.toml` and `statements.toml`: what was read, and what it says of each claim."""

from __future__ import annotations

from datetime import date
from typing import Literal

from cds_service.core.schema.row import Id, Row, StatementId, Text


class SourceRow(Row):
    """`[[source]]`: a publication, and what of it was opened. Empty text means: not verified."""

    id: Id
    short: Text
    """As it stands in running text: `Henter 2007 (HLH-2004)`."""
    authors: str = ""
    title: Text
    journal: str = ""
    year: int | Literal[""] = ""
    volume: str = ""
    doi: str = ""
    pmid: str = ""
    opened: Literal["abstract", "full text", "table", "figure legend", "web page"]
    checked: date
    population: str = ""
    note: str = ""


class DocumentRow(Row):
    """`[[document]]` in statements.toml: a starting document whose statements are listed."""

    id: Literal["A", "B"]
    title: Text


class StatementRow(Row):
    """`[[statement]]`: one claim of the two source documents, and the truth about its evidence."""

    id: StatementId
    document: Literal["A", "B"]
    claim: Text
    specimen: Text
    status: Literal["supported", "supported in part", "contradicted", "source not located"]
    evidence: Text
    sources_for: tuple[Id, ...] = ()
    sources_against: tuple[Id, ...] = ()
    used_in: tuple[Id, ...] = ()
    our_words: Text
