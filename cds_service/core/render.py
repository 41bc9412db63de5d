"""From an evaluation to CDS Hooks cards. The words come from `cards/`; their order is made here.

A card never exceeds its limits: a summary of at most 139 characters that names value, unit and
specimen; Markdown without HTML; `info` or `warning`, never more; every finding with its sources;
the disclaimer last. The same evaluation gives the same bytes, uuids included.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds_service.core.bibliography import bibliography
from cds_service.core.card import Card
from cds_service.core.card_content import CardContent, identified
from cds_service.core.card_parts import (
    LONGEST_SUMMARY,
    denying,
    detail_of,
    extension_of,
    saying,
)
from cds_service.core.dates import day_of, when_taken
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.escape import plain
from cds_service.core.finding import THRESHOLD_INDETERMINATE, Finding
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource
from cds_service.core.result_words import analyte_name, specimen_words
from cds_service.core.schema import TableRow
from cds_service.core.sections import Sections, indicator_of, rests_on, sections_of
from cds_service.core.verdict import (
    Answer,
    Evaluation,
    Interpreted,
    NotInterpretable,
    Outcome,
    WrongAnalyte,
)

_LONGEST_NUMBER = 40
"""In a summary; the detail holds the whole number."""
_SHORTEST_NUMBER = 12
"""Room for `<=999999999…`: all digits of a plausible value before the decimal point."""


def render(evaluation: Evaluation, knowledge: KnowledgeBase, *, scope: str) -> tuple[Card, ...]:
    """One card per answer.

    `scope` (caller, service, patient) goes into the uuids, so that two patients never share one.
    """
    contents = [_content(answer, knowledge, evaluation.at) for answer in evaluation.answers]
    return identified(contents, knowledge, scope)


def _content(answer: Answer, knowledge: KnowledgeBase, at: date) -> CardContent:
    rows = _rows(answer, knowledge)
    cited = bibliography(knowledge, _cited(answer, rows, knowledge))
    found = [finding.id for finding in answer.findings]
    sections = sections_of(answer, knowledge, rows)
    return CardContent(
        summary=_summary(answer, sections, knowledge, at),
        detail=detail_of(sections.result, sections.named, cited.closing, knowledge),
        indicator=indicator_of(rows),
        cited=cited,
        extension=extension_of(answer.verdict, found, rests_on(answer), answer.missing, knowledge),
    )


def sources_cited(answer: Answer, knowledge: KnowledgeBase) -> tuple[str, ...]:
    """The ids of the sources that the card of this answer cites, in its order."""
    return _cited(answer, _rows(answer, knowledge), knowledge)


def _rows(answer: Answer, knowledge: KnowledgeBase) -> Sequence[TableRow]:
    """The table row of each finding that fired, findings by rank first, then contexts."""
    speaking = knowledge.speaking
    found = [speaking[finding.id] for finding in answer.findings if finding.id in speaking]
    return [row for _, row in sorted(found)]


def _cited(answer: Answer, rows: Sequence[TableRow], knowledge: KnowledgeBase) -> tuple[str, ...]:
    """Ids of the sources behind what the card says, in the order in which it is said."""
    spoken = {finding.id: _spoken(finding, answer) for finding in answer.findings}
    ids = [source for row in rows for source in row.sources_of(spoken[row.id])]
    match answer.verdict:
        case Interpreted():
            ids += _behind_limits(answer, knowledge)
        case NotInterpretable(reason):
            ids += knowledge.reasons[reason.value].sources
        case WrongAnalyte():
            ids += knowledge.reasons[Outcome.WRONG_ANALYTE.value].sources
    ids += _behind_words(answer, knowledge)
    return tuple(dict.fromkeys(ids))


def _spoken(finding: Finding, answer: Answer) -> tuple[str, ...]:
    """The sections of its template that may stand on the card."""
    specimen, family = answer.specimen, answer.value.family
    return saying(specimen, family, finding.strength) + denying(specimen)


def _behind_limits(answer: Answer, knowledge: KnowledgeBase) -> list[str]:
    """Sources of the limits that lie inside the interval of the value. The laboratory's own range
    rests on no study.
    """
    return [
        source
        for finding in answer.findings
        for about in finding.about
        if about in knowledge.limits
        for source in knowledge.limits[about].sources
    ]


def _behind_words(answer: Answer, knowledge: KnowledgeBase) -> list[str]:
    """Sources of the notes that rest on studies, and of the words of `threshold-indeterminate`,
    which has no row in the table.
    """
    said = [finding.id for finding in answer.findings if finding.id == THRESHOLD_INDETERMINATE]
    said += [note.kind.value for note in answer.notes]
    sections = saying(answer.specimen)
    notes = [knowledge.notes[name] for name in said if name in knowledge.notes]
    return [source for note in notes for source in note.sources_of(sections)]


def _summary(answer: Answer, sections: Sections, knowledge: KnowledgeBase, at: date) -> str:
    """Value, unit, specimen and the day of an old result, then the headline; cut if a text from
    outside is long.

    Where there is no room for all, the alert is kept as long as possible. The scaled value, the
    last digits of a long number and the day are then left to the detail.
    """
    specimen = specimen_words(answer, knowledge)
    dated = ", ".join([part for part in (specimen, _day_if_old(answer, knowledge, at)) if part])

    def worded(number: str, claim: str, words: str) -> str:
        about = _measured(answer, number, knowledge) + (f" ({words})" if words else "")
        return f"{about}: {claim}" if claim else about

    headline = sections.headline  # empty where the site has muted every finding
    told = f"{sections.scaled}, {headline}" if sections.scaled else headline
    alert = f"; {sections.alert}" if sections.alert else ""
    number = _shortened(answer.value.text, _LONGEST_NUMBER)
    whole, least = len(number), min(len(number), _SHORTEST_NUMBER)
    tries = (
        (told + alert, dated, whole),
        (headline + alert, dated, least),
        (headline + alert, specimen, least),
        (told, dated, whole),
        (headline, dated, least),
        (headline, specimen, least),
    )
    for claim, words, digits in tries:
        summary = worded(number, claim, words)
        room = whole + LONGEST_SUMMARY - len(summary)
        if room >= whole:
            return plain(summary, LONGEST_SUMMARY)
        if room >= digits:
            return plain(worded(_shortened(number, room), claim, words), LONGEST_SUMMARY)
    return plain(worded(number, headline, specimen), LONGEST_SUMMARY)


def _day_if_old(answer: Answer, knowledge: KnowledgeBase, at: date) -> str:
    """The day of a result that is too old to be taken for a recent one, else empty."""
    if not answer.inputs or isinstance(answer.result, InvalidResource):
        return ""  # another patient's, or one of which nothing was read
    match when_taken(answer.result, at):
        case Moment(text=written, last_day=taken):
            is_old = (at - taken).days > knowledge.identity.summary_dated_after_days
            return plain(day_of(written)) if is_old else ""
        case NoMoment():
            return ""


def _shortened(number: str, longest: int) -> str:
    """A number that is too long, cut behind its first digits but never without its power of ten."""
    if len(number) <= longest:
        return plain(number)
    digits, power, exponent = number.partition("e" if "e" in number else "E")
    return plain(digits, longest - len(power + exponent)) + power + exponent


def _measured(answer: Answer, number: str, knowledge: KnowledgeBase) -> str:
    """`sIL-2R 5230 U/mL`; but `Interleukin 2 (4 pg/mL)`: that name ends in a number of its own."""
    name = analyte_name(answer, knowledge, knowledge.identity.short_name)
    value = " ".join([part for part in (number, plain(answer.value.unit, 20)) if part])
    match answer.verdict:
        case WrongAnalyte() if value:
            return f"{name} ({value})"
        case Interpreted() | NotInterpretable() | WrongAnalyte():
            return f"{name} {value}" if value else name
