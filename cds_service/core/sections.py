"""The parts of a card's detail: which template speaks where, filled with escaped values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.core.card_parts import (
    Sections,
    bullets,
    fill,
    missing_line,
    note_line,
    used_line,
)
from cds_service.core.escape import markdown
from cds_service.core.facts import panel_item
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import InvalidResource, LabResult, Moment, NoMoment
from cds_service.core.schema import ContextRow, FindingRow, PanelRow
from cds_service.core.verdict import (
    Answer,
    Finding,
    Interpreted,
    NotInterpretable,
    PairedWith,
    SeriesPoint,
    Strength,
    Unpaired,
    Value,
    WrongAnalyte,
)

LONGEST_SERIES = 6
LONGEST_REASON = 200
THRESHOLD_INDETERMINATE = "threshold-indeterminate"


def sections_of(
    answer: Answer, knowledge: KnowledgeBase, rows: Mapping[str, FindingRow | ContextRow]
) -> Sections:
    """Everything a card says about one answer, apart from sources and disclaimer."""
    values = _values(answer, knowledge)
    found = {finding.id: finding for finding in answer.findings}
    spoken = [found[name] for name in (*rows, THRESHOLD_INDETERMINATE) if name in found]
    findings = [item for item in spoken if not item.id.startswith("context-")]
    contexts = [item for item in spoken if item.id.startswith("context-")]
    supports = [_says(item, answer.specimen, knowledge, values) for item in findings]
    limits = [fill(knowledge, item.id, "not", values) for item in findings]
    caveats = [_says(item, answer.specimen, knowledge, values) for item in contexts]
    notes = [note_line(note, knowledge) for note in answer.notes]
    steps: list[str] = []
    match answer.verdict:
        case Interpreted():
            headline = fill(knowledge, findings[0].id, "headline", values) if findings else ""
        case NotInterpretable(reason):
            template = f"reason-{reason.value}"
            headline = fill(knowledge, template, "headline", values)
            supports.insert(0, fill(knowledge, template, "says", values))
            steps.append(fill(knowledge, template, "next", values))
        case WrongAnalyte():
            headline = fill(knowledge, "wrong-analyte", "headline", values)
            supports.insert(0, fill(knowledge, "wrong-analyte", "says", values))
            steps.append(fill(knowledge, "wrong-analyte", "next", values))
    named = {
        "supports": bullets(supports),
        "not": bullets(limits),
        "context": bullets([*caveats, *notes]),
        "next": bullets(steps),
        "series": _series(answer.series, knowledge),
        "used": used_line(answer.inputs, answer.dates),
        "missing": missing_line(answer.missing, knowledge),
    }
    return Sections(headline, _result_line(answer, knowledge), named)


def _says(
    finding: Finding, specimen: str, knowledge: KnowledgeBase, values: Mapping[str, str]
) -> str:
    """What holds for every specimen, then what holds for this one: never the other's numbers."""
    match finding.strength:
        case Strength.FULL:
            names: tuple[str, ...] = ("says", specimen)
        case Strength.WEAKENED:
            names = ("weakly",)
    there = knowledge.templates[finding.id]
    return " ".join(fill(knowledge, finding.id, name, values) for name in names if name in there)


def _unknown(knowledge: KnowledgeBase) -> str:
    return knowledge.wording.phrases["unknown"]


def in_words(value: Value) -> str:
    """Comparator, number and unit as received, escaped; a value never travels without its unit."""
    return " ".join(part for part in (markdown(value.text, 40), markdown(value.unit, 40)) if part)


def day(moment: Moment | NoMoment, knowledge: KnowledgeBase) -> str:
    """The date as received, or that it is unknown."""
    match moment:
        case Moment(text=text):
            return markdown(text)
        case NoMoment():
            return knowledge.wording.phrases["date-unknown"]


def _values(answer: Answer, knowledge: KnowledgeBase) -> dict[str, str]:
    """What finding, context, reason and wrong-analyte templates may ask for."""
    specimen = knowledge.specimens[answer.specimen].words if answer.specimen else ""
    values = {
        "value": in_words(answer.value) or _unknown(knowledge),
        "unit": markdown(answer.value.unit) or _unknown(knowledge),
        "specimen": specimen or _unknown(knowledge),
        "analyte": knowledge.identity.short_name,
        "multiple": answer.laboratory.multiple,
        "range": markdown(answer.laboratory.words),
    }
    for limit in knowledge.limits.values():
        values[f"limit.{limit.id}"] = f"{limit.value} {limit.unit}"
    for finding in answer.findings:
        if finding.about:
            values["limits"] = ", ".join(
                _limit_words(name, answer, knowledge) for name in finding.about
            )
    match answer.verdict:
        case NotInterpretable(detail=detail):
            values["detail"] = markdown(detail) or _unknown(knowledge)
        case WrongAnalyte(loinc):
            row = knowledge.refused[loinc]
            values |= {"loinc": loinc, "name": row.name or row.component}
        case Interpreted():
            for panel in knowledge.panels.values():
                values[f"panel.{panel.id}"] = _panel(panel, answer, knowledge)
            for ratio in knowledge.ratios.values():
                values[f"ratio.{ratio.id}"] = answer.facts[f"ratio.{ratio.id}"].because
            values["other"] = _other(answer, knowledge)
    return values


def _other(answer: Answer, knowledge: KnowledgeBase) -> str:
    match answer.paired:
        case PairedWith(specimen, value, collected):
            words = knowledge.specimens[specimen].words
            return f"{in_words(value)} ({words}, {day(collected, knowledge)})"
        case Unpaired():
            return ""


def _limit_words(name: str, answer: Answer, knowledge: KnowledgeBase) -> str:
    if name in knowledge.limits:
        limit = knowledge.limits[name]
        return f"{limit.value} {limit.unit}"
    return f"{knowledge.wording.phrases['laboratory-range']} {markdown(answer.laboratory.words)}"


def _panel(panel: PanelRow, answer: Answer, knowledge: KnowledgeBase) -> str:
    """One line per item: met, not met or unknown, and the results it rests on."""
    phrases = knowledge.wording.phrases
    lines = []
    for item in panel.item:
        state = phrases[f"item-{panel_item(item, answer.facts)}"]
        facts = [answer.facts[f"limit.{limit}"] for limit in item.limits]
        because = "; ".join(
            markdown(fact.because, LONGEST_REASON)
            for fact in facts
            if fact.value not in {"unknown", "not-applicable"}
        )
        lines.append(f"- {item.title}: {state}" + (f" ({because})" if because else ""))
    return "\n" + "\n".join(lines)


def analyte_name(answer: Answer, knowledge: KnowledgeBase, ours: str) -> str:
    """What the value is a value of: never our analyte's name beside a look-alike's number."""
    match answer.verdict:
        case WrongAnalyte(loinc):
            return knowledge.refused[loinc].component
        case Interpreted() | NotInterpretable():
            return ours


def _result_line(answer: Answer, knowledge: KnowledgeBase) -> str:
    """The result as it was received: what, where, when, in what state, against which range."""
    match answer.result:
        case InvalidResource():
            return f"**{analyte_name(answer, knowledge, knowledge.identity.analyte)}**"
        case LabResult() as result:
            return "; ".join(_about(answer, result, knowledge)) + "."


def _about(answer: Answer, result: LabResult, knowledge: KnowledgeBase) -> Iterator[str]:
    phrases = knowledge.wording.phrases
    specimen = knowledge.specimens[answer.specimen].words if answer.specimen else ""
    value = in_words(answer.value)
    name = analyte_name(answer, knowledge, knowledge.identity.analyte)
    yield f"**{name}" + (f": {value}**" if value else "**")
    if not answer.inputs:  # another patient's: nothing of it is shown
        return
    if specimen:
        yield f"{phrases['specimen']} {specimen}"
    yield f"{phrases['collected']} {day(result.collected, knowledge)}"
    yield f"{phrases['status']} {result.status.value}"
    if answer.laboratory.words:
        yield f"{phrases['laboratory-range']} {markdown(answer.laboratory.words)}"
    if result.laboratory:
        yield f"{phrases['laboratory']} {markdown(result.laboratory)}"


def _series(points: tuple[SeriesPoint, ...], knowledge: KnowledgeBase) -> str:
    words = knowledge.wording.series
    lines = []
    for point in points[:LONGEST_SERIES]:
        change = words[point.direction.value]
        if point.breaks:
            change += " (" + ", ".join(words[name] for name in point.breaks) + ")"
        laboratory = f", {markdown(point.laboratory)}" if point.laboratory else ""
        when = day(point.collected, knowledge)
        lines.append(f"- {when}: {in_words(point.value)}{laboratory}; {change}")
    left = len(points) - LONGEST_SERIES
    if left > 0:
        lines.append(f"- {words['more'].replace('{count}', str(left))}")
    return "\n".join(lines)
