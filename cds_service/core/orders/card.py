"""From advice on draft orders to CDS Hooks cards: one card per draft that is spoken about.

The suggestions, which hold FHIR resources, are added by `hooks.orders`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cds_service.core.card import Card, Indicator, Selection
from cds_service.core.dates import day_of, named_date
from cds_service.core.elements import Moment, NoMoment
from cds_service.core.escape import markdown, plain
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult
from cds_service.core.orders.advice import Advice, Advised
from cds_service.core.orders.order import ORDER_LINE, DraftOrder, Performer
from cds_service.core.rendering.bibliography import bibliography
from cds_service.core.rendering.content import CardContent, identified
from cds_service.core.rendering.parts import (
    LONGEST_SUMMARY,
    bullets,
    detail_of,
    extension_of,
    fill,
    missing_line,
    note_line,
    used_line,
)
from cds_service.core.rendering.result_words import in_words
from cds_service.core.rendering.values import told, what_was_found
from cds_service.core.verdict import NotInterpretable, WrongAnalyte

LONGEST_CODE = 40


def render_advice(advised: Advised, knowledge: KnowledgeBase, *, scope: str) -> tuple[Card, ...]:
    """One card per advice; `scope` (caller, service, patient) goes into the ids."""
    contents = [_content(advice, knowledge) for advice in advised.advice]
    return identified(contents, knowledge, scope)


def _content(advice: Advice, knowledge: KnowledgeBase) -> CardContent:
    values = _values_of(advice, knowledge)
    cited = bibliography(knowledge, sources_cited(advice))
    rows = advice.rows
    result = f"{_line(advice, knowledge, values)}\n\n" + bullets(
        fill(knowledge, row.id, "says", values) for row in rows
    )
    named = {
        "context": bullets(note_line(note, knowledge) for note in advice.notes),
        "next": bullets(fill(knowledge, row.id, "next", values) for row in rows),
        "used": used_line(advice.inputs, advice.dates),
        "missing": missing_line(advice.missing, knowledge),
    }
    headline = fill(knowledge, rows[0].id, "headline", values)
    return CardContent(
        summary=_summary(advice, headline, knowledge),
        detail=detail_of(result, named, cited.closing, knowledge),
        indicator=Indicator.INFO,
        cited=cited,
        extension=extension_of(
            advice.verdict, [row.id for row in rows], advice.inputs, advice.missing, knowledge
        ),
        selection=_selection(advice),
    )


def _selection(advice: Advice) -> Selection:
    """A swap is taken or left; drafts beside an order are taken one by one."""
    is_swap = isinstance(advice.verdict, WrongAnalyte)
    return Selection.AT_MOST_ONE if is_swap else Selection.ANY


def sources_cited(advice: Advice) -> tuple[str, ...]:
    """The id of every source behind what the card says, in the order it is said."""
    return tuple(dict.fromkeys(source for row in advice.rows for source in row.sources))


def _summary(advice: Advice, headline: str, knowledge: KnowledgeBase) -> str:
    """The draft, then the headline; the analyte in its place where the draft was not read."""
    about = knowledge.identity.short_name
    if advice.name:
        values = {"name": advice.name, "code": plain(advice.code, LONGEST_CODE)}
        about = fill(knowledge, ORDER_LINE, "headline", values)
    if advice.specimen:
        about += f" ({knowledge.specimens[advice.specimen].words})"
    return plain(f"{about}: {headline}", LONGEST_SUMMARY)


def _line(advice: Advice, knowledge: KnowledgeBase, values: Mapping[str, str]) -> str:
    """What is ordered, as far as it was read."""
    if not advice.name:
        return f"**{knowledge.identity.analyte}**"
    line = fill(knowledge, ORDER_LINE, "says", values)
    if advice.specimen:
        line += f"; {knowledge.wording.phrases['specimen']} {values['specimen']}"
    return f"{line}."


# ------------------------------------------------------------------ what templates may ask for


def _values_of(advice: Advice, knowledge: KnowledgeBase) -> Mapping[str, str]:
    """The values of the placeholders that `proof.orders` allows, escaped for Markdown."""
    unknown = knowledge.wording.phrases["unknown"]
    specimen = knowledge.specimens[advice.specimen].words if advice.specimen else unknown
    values = {
        "analyte": knowledge.identity.short_name,
        "name": advice.name or unknown,
        "code": markdown(advice.code) or unknown,
        "specimen": specimen,
        "days": str(knowledge.identity.pair_within_days),
        "lacking": "; ".join(row.label for row in advice.lacking),
    }
    for limit, row in knowledge.limits.items():
        values[f"limit.{limit}"] = row.amount
        if fact := advice.facts.get(f"limit.{limit}"):
            values[f"read.{limit}"] = told(fact)
    for advised in advice.rows:
        alternatives = [row for row in knowledge.order_table.advice if row.id == advised.id]
        values[f"found.{advised.id}"] = what_was_found(alternatives, advice.facts, values)
    if isinstance(advice.verdict, NotInterpretable):
        values["detail"] = markdown(advice.verdict.detail) or unknown
    return {**values, **dict(_of_earlier(advice, knowledge))}


def _of_earlier(advice: Advice, knowledge: KnowledgeBase) -> Iterator[tuple[str, str]]:
    """The earlier result as it was received, and the laboratory that the draft names. Of several
    results of one time all values are given.
    """
    unknown = knowledge.wording.phrases["unknown"]
    if not advice.earlier:
        return
    results = [item.result for item in advice.earlier]
    yield "value", _or(in_words(item.reading.value) or unknown for item in advice.earlier)
    yield "date", _dated(results[0], knowledge)
    yield "status", _or(result.status.value for result in results)
    yield "laboratory", _or(markdown(result.laboratory) or unknown for result in results)
    if isinstance(advice.order, DraftOrder):
        yield "performer", ", ".join(map(_name, advice.order.performers)) or unknown


def _or(told: Iterable[str]) -> str:
    """`5230 U/mL or 520 U/mL`; equal texts are given once."""
    return " or ".join(dict.fromkeys(told))


def _dated(result: LabResult, knowledge: KnowledgeBase) -> str:
    """The day of collection, else of issue, as received."""
    match named_date(result):
        case Moment(text=written):
            return markdown(day_of(written))
        case NoMoment():
            return knowledge.wording.phrases["date-unknown"]


def _name(performer: Performer) -> str:
    return markdown(performer.display or performer.reference)
