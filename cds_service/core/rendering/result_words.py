"""The result itself in words, escaped: what was measured, in what, when and in which state."""

from __future__ import annotations

from collections.abc import Callable

from cds_service.core.dates import readable
from cds_service.core.elements import WITHDRAWN, Moment, NoMoment
from cds_service.core.escape import markdown
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, LabResult
from cds_service.core.note import NoteKind
from cds_service.core.verdict import Answer, Interpreted, NotInterpretable, Value, WrongAnalyte

LONGEST_NUMBER = 140
"""Longer than any number that is read: one that is cut in the summary is whole in the detail."""


def in_words(value: Value) -> str:
    """Comparator, number and unit, escaped; a value never travels without its unit."""
    text, unit = markdown(value.text, LONGEST_NUMBER), markdown(value.unit, 40)
    return f"{text} {unit}" if text and unit else text or unit


def by_factor(answer: Answer, knowledge: KnowledgeBase, escaped: Callable[[str], str]) -> str:
    """The value times a site's factor, in words, if limits are compared with that, else empty: a
    card must not say of 2600 that it is below 2400.
    """
    for note in answer.notes:
        if note.kind is NoteKind.ASSAY_FACTOR:
            scaled = escaped(str(note.values["scaled"]))
            return knowledge.wording.phrases["by-factor"].replace("{scaled}", scaled)
    return ""


def day(moment: Moment | NoMoment, knowledge: KnowledgeBase) -> str:
    """The date for people to read, or that it is unknown."""
    match moment:
        case Moment(text=text):
            return markdown(readable(text))
        case NoMoment():
            return knowledge.wording.phrases["date-unknown"]


def specimen_words(answer: Answer, knowledge: KnowledgeBase) -> str:
    """The specimen as the knowledge calls it; empty where it is not known."""
    return knowledge.specimens[answer.specimen].words if answer.specimen else ""


def analyte_name(answer: Answer, knowledge: KnowledgeBase, ours: str) -> str:
    """The name of what was measured, so that no look-alike's number is shown under our analyte."""
    match answer.verdict:
        case WrongAnalyte(loinc):
            return knowledge.refused[loinc].component
        case Interpreted() | NotInterpretable():
            return ours


def result_line(answer: Answer, knowledge: KnowledgeBase) -> str:
    """The result as it was received: what, where, when, in what state, against which range."""
    match answer.result:
        case InvalidResource():
            return f"**{analyte_name(answer, knowledge, knowledge.identity.analyte)}**"
        case LabResult() as result:
            return "; ".join(_about(answer, result, knowledge)) + "."


def _about(answer: Answer, result: LabResult, knowledge: KnowledgeBase) -> list[str]:
    phrases = knowledge.wording.phrases
    value = in_words(answer.value)
    name = analyte_name(answer, knowledge, knowledge.identity.analyte)
    parts = [f"**{name}: {value}**" if value else f"**{name}**"]
    if answer.is_of_another:
        return parts
    if specimen := _specimen(answer, result, knowledge):
        parts.append(f"{phrases['specimen']} {specimen}")
    match result.collected, result.issued:
        case Moment(text=collected), _:
            parts.append(f"{phrases['collected']} {markdown(readable(collected))}")
        case NoMoment(), NoMoment():
            parts.append(phrases["collection-unknown"])
        case NoMoment(), Moment(text=issued):
            parts += [
                phrases["collection-unknown"],
                f"{phrases['issued']} {markdown(readable(issued))}",
            ]
    parts.append(f"{phrases['status']} {result.status.value}")
    if result.flags and result.status not in WITHDRAWN:
        parts.append(f"{phrases['laboratory-flag']} {markdown(', '.join(result.flags))}")
    if answer.laboratory.words:
        parts.append(f"{phrases['laboratory-range']} {markdown(answer.laboratory.words)}")
    if result.laboratory:
        parts.append(f"{phrases['laboratory']} {markdown(result.laboratory)}")
    return parts


def _specimen(answer: Answer, result: LabResult, knowledge: KnowledgeBase) -> str:
    """The specimen as it was read, and what it was called where that was not read: a reader sees
    that the words and the code of the test do not agree.
    """
    kind = specimen_words(answer, knowledge)
    if not result.specimen.words or isinstance(answer.verdict, WrongAnalyte):
        return kind
    called = knowledge.wording.phrases["in-words"].replace(
        "{words}", markdown(result.specimen.words)
    )
    return f"{kind} ({called})" if kind else called
