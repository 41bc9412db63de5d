"""What a card says beside findings: reasons, advice on orders, notes and drafts."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.core.note import NoteKind
from cds_service.core.schema import AdviceRow
from cds_service.core.template import Wording
from cds_service.core.verdict import Outcome
from cds_service.knowledge.page.markdown import code, described, section, table, text
from cds_service.knowledge.page.subject import Subject, by_id, merged

_KIND = {"order": "draft order", "contact": "contact"}


def reasons(subject: Subject) -> str:
    """Why a result is not interpreted, and what the card then says."""
    return section(
        2,
        "Reasons for not interpreting",
        *(_reason(name, subject) for name in subject.knowledge.reasons),
    )


def _reason(name: str, subject: Subject) -> str:
    row = subject.knowledge.reasons[name]
    template = name if name == Outcome.WRONG_ANALYTE else f"reason-{name}"
    return section(
        3,
        code(name),
        described(
            [
                ("Because", text(row.claim)),
                ("Headline", subject.wording(template, "headline")),
                ("Says", subject.wording(template, "says")),
                ("Next", subject.wording(template, "next")),
                ("Suggests", subject.suggestions(row.suggestions)),
                ("Sources", subject.cite(row.sources)),
                ("Worked cases", subject.cases(name)),
            ]
        ),
    )


def order_advice(subject: Subject) -> str:
    """What is told to whoever drafts an order; nothing where an analyte has no such advice."""
    alternatives = by_id(subject.knowledge.order_table.advice)
    if not alternatives:
        return ""
    return section(
        2,
        "Advice on draft orders",
        "Several advices for one order are one card; the first of those below speaks in the "
        "summary.",
        *(_advice(rows, subject) for rows in alternatives.values()),
        _swaps(subject),
    )


def _advice(rows: Sequence[AdviceRow], subject: Subject) -> str:
    first = rows[0]
    return section(
        3,
        code(first.id),
        subject.when([row.when for row in rows]),
        described(
            [
                *(("Claims at most", text(row.claim)) for row in rows),
                *(("Found", subject.filled(Wording.of(row.found))) for row in rows if row.found),
                ("Headline", subject.wording(first.id, "headline")),
                ("Says", subject.wording(first.id, "says")),
                ("Next", subject.wording(first.id, "next")),
                ("Sources", subject.cite(merged(row.sources for row in rows))),
            ]
        ),
    )


def _swaps(subject: Subject) -> str:
    swaps = subject.knowledge.order_table.swaps.values()
    rows = [(code(row.refused), code(row.loinc) if row.loinc else "in words") for row in swaps]
    if not rows:
        return ""
    return section(
        3, "What is proposed instead of a look-alike", table(("LOINC drafted", "instead"), rows)
    )


def notes(subject: Subject) -> str:
    """What a reader is told beside the findings."""
    rows = [(code(kind.value), _note(kind, subject)) for kind in NoteKind]
    return section(2, "Notes", table(("note", "says"), rows))


def _note(kind: NoteKind, subject: Subject) -> str:
    template = f"note-{kind.value}"
    adds = [
        f"For {text(specimen.words)}: {words}"
        for specimen in subject.knowledge.specimens.values()
        if (words := subject.wording(template, specimen.id))
    ]
    row = subject.knowledge.notes.get(kind.value)
    cites = [f"Sources: {subject.cite(row.all_sources)}."] if row else []
    return " ".join([subject.wording(template, "says"), *adds, *cites])


def suggestions(subject: Subject) -> str:
    """Drafts for a clinician to accept or not; never a therapy."""
    rows = [
        (
            text(row.label),
            text(row.text),
            _KIND[row.kind],
            f"{code(row.code)} {text(row.display)}" if row.code else "",
            subject.cite(row.sources),
        )
        for row in subject.knowledge.suggestions.values()
    ]
    if not rows:
        return ""
    columns = ("label", "text of the draft", "kind", "LOINC", "sources")
    return section(
        2,
        "Suggestions",
        "Drafts of tests and contacts, for a clinician to accept or not. Never a treatment.",
        table(columns, rows),
    )
