"""The decision table in words: findings, contexts, and what must hold between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cds_service.core.finding import THRESHOLD_INDETERMINATE
from cds_service.core.rendering.gate_words import conditions_in_words
from cds_service.core.rendering.parts import in_family
from cds_service.core.schema import ContextRow, FindingRow, GroupRow
from cds_service.core.template import Wording
from cds_service.knowledge.page.markdown import bullets, code, codes, described, section, text
from cds_service.knowledge.page.subject import Subject, by_id, merged

_COUNT = {"exactly-one": "Exactly one of", "at-most-one": "At most one of"}


def findings(subject: Subject) -> str:
    """Every finding: when it fires, the ceiling of what it claims, its words and sources."""
    knowledge = subject.knowledge
    return section(
        2,
        "Findings",
        text(
            "All conditions of a row must hold. Where the value is an interval such as <150, the "
            "whole interval must; if a limit lies inside it, nobody can tell. In the wording "
            "{value} and its like stand for what the result brings."
        ),
        *(_finding(rows, subject) for rows in by_id(knowledge.findings).values()),
        _indeterminate(subject),
        section(3, "What must hold between findings", _groups(knowledge.groups, subject)),
    )


def _finding(rows: Sequence[FindingRow], subject: Subject) -> str:
    first = rows[0]
    contexts = subject.knowledge.contexts
    weakened = dict.fromkeys(row.id for row in contexts if first.id in row.weakens)
    blocked = dict.fromkeys(row.id for row in contexts if first.id in row.blocks)
    return section(
        3,
        code(first.id),
        subject.when([row.when for row in rows]),
        described(
            [
                *(("Claims at most", text(row.claim)) for row in rows),
                ("Indicator", first.indicator),
                ("Headline", subject.wording(first.id, "headline")),
                ("Behind another headline, from two on", subject.wording(first.id, "alert")),
                ("Says", subject.wording(first.id, "says")),
                *_additions(first.id, subject),
                ("Says weakly", subject.wording(first.id, "weakly")),
                ("Does not mean", subject.wording(first.id, "not")),
                *_additions(first.id, subject, "Nor for", "not-"),
                ("Weakened by", codes(weakened)),
                ("Blocked by", codes(blocked)),
                ("Suggests", subject.suggestions(merged(row.suggestions for row in rows))),
                ("Sources", subject.cite(merged(row.all_sources for row in rows))),
                ("Worked cases", subject.cases(first.id)),
            ]
        ),
    )


def _indeterminate(subject: Subject) -> str:
    name = THRESHOLD_INDETERMINATE
    row = subject.knowledge.notes.get(name)
    return section(
        3,
        code(name),
        "Fires when a limit lies inside the interval of the value and no other gate fails.",
        described(
            [
                ("Headline", subject.wording(name, "headline")),
                ("Says", subject.wording(name, "says")),
                ("Does not mean", subject.wording(name, "not")),
                ("Sources", subject.cite(row.all_sources) if row else ""),
                ("Worked cases", subject.cases(name)),
            ]
        ),
    )


def _groups(groups: Iterable[GroupRow], subject: Subject) -> str:
    def told(group: GroupRow) -> str:
        conditions = "; ".join(conditions_in_words(group.where, subject.knowledge))
        where = f", where {text(conditions)}" if conditions else ""
        return f"{_COUNT[group.count]} {codes(group.findings)}{where}."

    return bullets(told(group) for group in groups)


def contexts(subject: Subject) -> str:
    """Every context: it never changes a number; it adds a caveat, weakens wording or blocks."""
    alternatives = by_id(subject.knowledge.contexts)
    if not alternatives:
        return ""
    return section(
        2,
        "Contexts",
        "A context never changes a number. It adds a caveat, weakens wording or blocks a claim.",
        *(_context(rows, subject) for rows in alternatives.values()),
    )


def _additions(
    name: str, subject: Subject, title: str = "Adds for", before: str = ""
) -> Iterator[tuple[str, str]]:
    """What is said of one specimen kind, and of it in one unit family: the sections whose names
    begin with `before`.
    """
    for kind in subject.knowledge.specimens.values():
        yield f"{title} {kind.words}", subject.wording(name, f"{before}{kind.id}")
        for family in subject.knowledge.families.values():
            there = f"{before}{in_family(kind.id, family.id)}"
            yield f"{title} {kind.words} in {family.title}", subject.wording(name, there)


def _context(rows: Sequence[ContextRow], subject: Subject) -> str:
    first = rows[0]
    return section(
        3,
        code(first.id),
        subject.when([row.when for row in rows]),
        described(
            [
                *(
                    ("Claims at most", text(claim))
                    for claim in dict.fromkeys(r.claim for r in rows)
                ),
                *(("Found", subject.filled(Wording.of(row.found))) for row in rows if row.found),
                ("Says", subject.wording(first.id, "says")),
                *_additions(first.id, subject),
                ("Weakens", codes(merged(row.weakens for row in rows))),
                ("Blocks", codes(merged(row.blocks for row in rows))),
                ("Suggests", subject.suggestions(merged(row.suggestions for row in rows))),
                ("Sources", subject.cite(merged(row.all_sources for row in rows))),
                ("Worked cases", subject.cases(first.id)),
            ]
        ),
    )
