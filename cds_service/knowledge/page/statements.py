"""Every statement of the two starting documents, with the truth about its evidence.

A statement whose source was not located is shown as such: nothing is cited for it, and a study that
comes near it is called the nearest one.
"""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.core.schema import StatementRow
from cds_service.knowledge.page.markdown import codes, described, section, table, text
from cds_service.knowledge.page.subject import Subject

NOT_LOCATED = "source not located"


def statements(subject: Subject) -> str:
    """An overview, then each statement."""
    rows = subject.knowledge.statements
    if not rows:
        return ""
    return section(
        2,
        "Statements of the starting documents",
        "Each restated, with what the located papers say for and against it, and the words we use.",
        described((f"Document {row.id}", text(row.title)) for row in subject.knowledge.documents),
        _overview(rows),
        *(_statement(row, subject) for row in rows),
    )


def _overview(rows: Iterable[StatementRow]) -> str:
    by_status: dict[str, list[str]] = {}
    for row in rows:
        by_status.setdefault(row.status, []).append(row.id)
    counted = [(status, str(len(ids)), ", ".join(ids)) for status, ids in by_status.items()]
    return table(("status", "count", "statements"), counted)


def _statement(row: StatementRow, subject: Subject) -> str:
    located = row.status != NOT_LOCATED
    return section(
        3,
        f"{row.id}: {row.status}",
        described(
            [
                ("Document", row.document),
                ("Statement", text(row.claim)),
                ("Specimen", text(row.specimen)),
                ("Source of the statement", "" if located else "not located; nothing is cited"),
                ("Evidence", text(row.evidence)),
                ("For" if located else "Nearest study", subject.cite(row.sources_for)),
                ("Against" if located else "Another finding", subject.cite(row.sources_against)),
                ("Our words", text(row.our_words)),
                ("Used in", codes(row.used_in)),
            ]
        ),
    )
