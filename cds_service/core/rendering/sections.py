"""The parts of a card's detail: which template fills which block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from cds_service.core.card import Indicator
from cds_service.core.elements import ResourceRef
from cds_service.core.escape import markdown, plain
from cds_service.core.facts.panels import items_met
from cds_service.core.finding import THRESHOLD_INDETERMINATE, Finding
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.note import Note, NoteKind
from cds_service.core.rendering.parts import (
    bullets,
    denying,
    fill,
    fill_each,
    missing_line,
    note_line,
    saying,
    used_line,
)
from cds_service.core.rendering.result_words import by_factor, day, in_words, result_line
from cds_service.core.rendering.values import CardValues
from cds_service.core.schema import FindingRow, TableRow
from cds_service.core.table import CONTEXT
from cds_service.core.verdict import (
    Answer,
    Interpreted,
    NotInterpretable,
    SeriesPoint,
    WrongAnalyte,
)

LONGEST_SERIES = 6
"""Most earlier results that a card shows."""


@dataclass(frozen=True, slots=True)
class Sections:
    """A headline for the summary, the line about the result, and the blocks by name."""

    headline: str
    result: str
    named: Mapping[str, str]
    alert: str
    """A second headline, of a note that must not be overlooked or of a panel of which more than one
    item is met; used where there is room for it."""
    scaled: str
    """The value times a site's factor, in words, where the headline rests on it; else empty."""


def sections_of(answer: Answer, knowledge: KnowledgeBase, rows: Sequence[TableRow]) -> Sections:
    """Everything a card says about one answer, apart from sources and disclaimer.

    `rows` are those of its findings, in the order of the card.
    """
    values = CardValues(answer, knowledge)
    findings, contexts = _in_turn(answer.findings, rows, knowledge)
    supports = [_says(item, answer, knowledge, values) for item in findings]
    not_meant = denying(answer.specimen, answer.value.family)
    limits = [fill_each(knowledge, item.id, not_meant, values) for item in findings]
    caveats = [_says(item, answer, knowledge, values) for item in contexts]
    notes = _notes_of(answer, knowledge)
    alert = _alert(answer.notes, knowledge)
    steps: list[str] = []
    scaled = ""
    match answer.verdict:
        case Interpreted() if alert and indicator_of(rows) is Indicator.INFO:
            headline, alert = alert, ""
            supports = [*notes.leading, *supports]
        case Interpreted() if findings:
            headline = fill(knowledge, findings[0].id, "headline", values)
            alert = alert or _in_all(answer, knowledge, rows, values)
            given = by_factor(answer, knowledge, plain)
            scaled = given if given and _is_on_study_scale(findings[0], rows, knowledge) else ""
        case Interpreted():
            headline = ""
        case NotInterpretable() | WrongAnalyte() as verdict:
            template = _template_of(verdict)
            headline = fill(knowledge, template, "headline", values)
            supports.insert(0, fill(knowledge, template, "says", values))
            steps.append(fill(knowledge, template, "next", values))
    said = dict.fromkeys((*supports, *notes.leading, *notes.if_ill))  # each where it stands first
    named = {
        "supports": bullets(said),
        "not": bullets(_once(limits)),
        "context": bullets(dict.fromkeys((*caveats, *notes.further))),  # equal ones are one line
        "next": bullets(steps),
        "series": _series(answer.series, knowledge),
        "used": used_line(rests_on(answer), answer.dates),
        "missing": missing_line(answer.missing, knowledge),
    }
    return Sections(headline, result_line(answer, knowledge), named, alert, scaled)


def _in_turn(
    findings: Iterable[Finding], rows: Sequence[TableRow], knowledge: KnowledgeBase
) -> tuple[list[Finding], list[Finding]]:
    """Findings and contexts, each in the order of the card.

    `threshold-indeterminate` has no row. It comes behind the leading findings that are about
    published limits, and before all others; behind warnings only, if the value may warn.
    """
    found = {finding.id: finding for finding in findings}
    spoken = [found[row.id] for row in rows]
    if left_open := found.get(THRESHOLD_INDETERMINATE):
        before = _warns if _may_warn(left_open, knowledge) else _asks_for_limit
        spoken.insert(len(list(takewhile(before, rows))), left_open)
    return (
        [item for item in spoken if not item.id.startswith(CONTEXT)],
        [item for item in spoken if item.id.startswith(CONTEXT)],
    )


def indicator_of(rows: Iterable[TableRow]) -> Indicator:
    """`warning` if one of the rows is a warning, else `info`."""
    return Indicator.WARNING if any(map(_warns, rows)) else Indicator.INFO


def _warns(row: TableRow) -> bool:
    return isinstance(row, FindingRow) and row.indicator == Indicator.WARNING.value


def _may_warn(left_open: Finding, knowledge: KnowledgeBase) -> bool:
    """Whether a limit of those that the value leaves open is behind a warning."""
    asked = {fact for row in knowledge.findings if _warns(row) for fact in row.when}
    return any(f"limit.{name}" in asked for name in left_open.about)


class _Notes(NamedTuple):
    """The notes of an answer in words, by where they stand on the card."""

    leading: list[str]
    """Those that speak in the summary. With the next they stand under what the value says, where a
    reader in a hurry looks.
    """
    if_ill: list[str]
    """What to do for an ill patient."""
    further: list[str]


def _notes_of(answer: Answer, knowledge: KnowledgeBase) -> _Notes:
    notes = _Notes([], [], [])
    for note in answer.notes:
        line = note_line(note, knowledge, answer.specimen)
        if "headline" in knowledge.templates[f"note-{note.kind.value}"]:
            notes.leading.append(line)
        elif note.kind is NoteKind.URGENT_IF_ILL:
            notes.if_ill.append(line)
        else:
            notes.further.append(line)
    return notes


_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")


def _once(texts: Iterable[str]) -> Iterator[str]:
    """The texts, each without the sentences that an earlier one has said."""
    said: set[str] = set()
    for text in texts:
        new = [sentence for sentence in _SENTENCES.split(text) if sentence not in said]
        said.update(new)
        yield " ".join(new)


def _alert(notes: Iterable[Note], knowledge: KnowledgeBase) -> str:
    """The headline of the first note that must not be overlooked, else empty. It replaces that of a
    finding, but follows that of a warning or of the reason why nothing is interpreted. It has no
    placeholders.
    """
    for note in notes:
        if "headline" in knowledge.templates[f"note-{note.kind.value}"]:
            return fill(knowledge, f"note-{note.kind.value}", "headline", {})
    return ""


def _in_all(
    answer: Answer,
    knowledge: KnowledgeBase,
    rows: Iterable[TableRow],
    values: Mapping[str, str],
) -> str:
    """How many items of a panel are met together with other results, as a second headline; empty
    for one or none. A summary that speaks of one item must not stand over a list of four.
    """
    for row in rows:
        for fact in row.when:
            kind, _, panel = fact.partition(".")
            if kind == "panel" and items_met(knowledge.panels[panel], answer.facts) > 1:
                return fill(knowledge, row.id, "alert", values)
    return ""


def rests_on(answer: Answer) -> tuple[ResourceRef, ...]:
    """The inputs of the answer, and the earlier results that the card shows."""
    shown = [point.ref for point in answer.series[:LONGEST_SERIES]]
    return tuple(dict.fromkeys((*answer.inputs, *shown)))


def _asks_for_limit(row: TableRow) -> bool:
    return any(fact.startswith("limit.") for fact in row.when)


def _is_on_study_scale(
    finding: Finding, rows: Iterable[TableRow], knowledge: KnowledgeBase
) -> bool:
    """Whether a finding compares the value with a limit of a study. The laboratory's own range is
    compared with the value as reported.
    """
    is_left_open = not knowledge.limits.keys().isdisjoint(finding.about)
    return is_left_open or any(row.id == finding.id and _asks_for_limit(row) for row in rows)


def _template_of(verdict: NotInterpretable | WrongAnalyte) -> str:
    match verdict:
        case NotInterpretable(reason):
            return f"reason-{reason.value}"
        case WrongAnalyte():
            return "wrong-analyte"


def _says(
    finding: Finding, answer: Answer, knowledge: KnowledgeBase, values: Mapping[str, str]
) -> str:
    sections = saying(answer.specimen, answer.value.family, finding.strength)
    return fill_each(knowledge, finding.id, sections, values)


def _series(points: tuple[SeriesPoint, ...], knowledge: KnowledgeBase) -> str:
    words, unknown = knowledge.wording.series, knowledge.wording.phrases["unknown"]
    lines = []
    for point in points[:LONGEST_SERIES]:
        change = words[point.direction.value]
        if point.breaks:
            change += " (" + ", ".join(words[each.value] for each in point.breaks) + ")"
        laboratory = f", {markdown(point.laboratory)}" if point.laboratory else ""
        when = day(point.dated, knowledge)
        value = in_words(point.value) or unknown
        lines.append(f"- {when}: {value}{laboratory}; {change}")
    left = len(points) - LONGEST_SERIES
    if left > 0:
        lines.append(f"- {words['more'].replace('{count}', str(left))}")
    return "\n".join(lines)
