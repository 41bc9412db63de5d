"""The summary of a card about a result: one line that the client may show alone."""

from __future__ import annotations

from datetime import date

from cds_service.core.dates import day_of, when_taken
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.escape import plain
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource
from cds_service.core.rendering.parts import LONGEST_SUMMARY
from cds_service.core.rendering.result_words import analyte_name, specimen_words
from cds_service.core.rendering.sections import Sections
from cds_service.core.verdict import Answer, Interpreted, NotInterpretable, WrongAnalyte

_LONGEST_NUMBER = 40
"""In a summary; the detail holds the whole number."""
_SHORTEST_NUMBER = 12
"""Room for `<=999999999…`: all digits of a plausible value before the decimal point."""


def summary_of(answer: Answer, sections: Sections, knowledge: KnowledgeBase, at: date) -> str:
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
    """The day of a result that is, or may be, too old to be taken for a recent one; else empty."""
    if answer.is_of_another or isinstance(answer.result, InvalidResource):
        return ""
    match when_taken(answer.result, at):
        case Moment(text=written, first_day=first, last_day=last):
            taken = last if last <= at else first  # an end ahead of us tells nothing
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
