"""The values of the placeholders in a card's templates, each made and escaped when first asked for.

Which template may ask for what is proved when the knowledge is loaded (`proof.words`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from cds_service.core.dates import named_date
from cds_service.core.escape import markdown
from cds_service.core.fact import NOT_APPLICABLE, PROVISIONAL, UNKNOWN, Fact
from cds_service.core.facts.panels import items_met, panel_item
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.rendering.result_words import by_factor, day, in_words, specimen_words
from cds_service.core.schema import AdviceRow, ContextRow, LimitRow, PanelItem, RefusedCode
from cds_service.core.table import holds
from cds_service.core.template import Wording
from cds_service.core.verdict import (
    Answer,
    Interpreted,
    NotInterpretable,
    PairedWith,
    Unpaired,
    WrongAnalyte,
)

LONGEST_REASON = 200


class CardValues(dict[str, str]):
    """The values for the templates of findings, contexts, reasons and look-alikes."""

    def __init__(self, answer: Answer, knowledge: KnowledgeBase) -> None:
        super().__init__()
        self._about = (answer, knowledge)

    def __missing__(self, name: str) -> str:
        kind, _, row = name.partition(".")
        value = self[name] = _VALUE[kind](*self._about, row)
        return value


def _value(answer: Answer, knowledge: KnowledgeBase, _row: str) -> str:
    value = in_words(answer.value) or _unknown(knowledge)
    scaled = by_factor(answer, knowledge, markdown)
    return f"{value} ({scaled})" if scaled else value


def _limits(answer: Answer, knowledge: KnowledgeBase, _row: str) -> str:
    """The limits that the value straddles, and whose they are."""
    own = f"{markdown(answer.laboratory.words)} ({knowledge.wording.phrases['own-range']})"
    return _open(answer, knowledge, lambda row: f"{row.amount} ({row.title})", own)


def _sides(answer: Answer, knowledge: KnowledgeBase, _row: str) -> str:
    """The limits that the value straddles, in short."""
    own = knowledge.wording.phrases["own-range"]
    return _open(answer, knowledge, lambda row: row.amount, own)


def _open(
    answer: Answer, knowledge: KnowledgeBase, words: Callable[[LimitRow], str], own: str
) -> str:
    """The limits that are left open, in the order of the knowledge, the laboratory's own last."""
    about = {name for finding in answer.findings for name in finding.about}
    published = [words(row) for name, row in knowledge.limits.items() if name in about]
    return " or ".join(published if len(published) == len(about) else [*published, own])


def _detail(answer: Answer, knowledge: KnowledgeBase, _row: str) -> str:
    match answer.verdict:
        case NotInterpretable(detail=detail):
            words = knowledge.wording.details
            return words.get(detail) or markdown(detail) or _unknown(knowledge)
        case Interpreted() | WrongAnalyte():
            raise KeyError("detail")


def _refused(answer: Answer, knowledge: KnowledgeBase) -> RefusedCode:
    """The look-alike that the result is of."""
    match answer.verdict:
        case WrongAnalyte(loinc):
            return knowledge.refused[loinc]
        case Interpreted() | NotInterpretable():
            raise KeyError("loinc")


def _name(answer: Answer, knowledge: KnowledgeBase, _row: str) -> str:
    row = _refused(answer, knowledge)
    return row.name or row.component


def _other(answer: Answer, knowledge: KnowledgeBase, _row: str) -> str:
    match answer.paired:
        case PairedWith(result, specimen=specimen, value=value, of_one_time=others):
            words = knowledge.specimens[specimen].words
            told = " or ".join(in_words(each) for each in (value, *(v for _, v in others)))
            return f"{told} ({words}, {day(named_date(result), knowledge)})"
        case Unpaired():
            return ""


def _panel(answer: Answer, knowledge: KnowledgeBase, row: str) -> str:
    """One line per item: whether it is met, and the results it rests on. Whether each of these
    meets its limit is added where there are several, or where it differs from the item.
    """
    lines = []
    for item in knowledge.panels[row].item:
        facts = [answer.facts[f"limit.{limit}"] for limit in item.limits]
        known = [fact for fact in facts if fact.inputs or fact.value not in _WITHOUT_A_RESULT]
        because = [told(fact) for fact in known]
        state = _state(panel_item(item, answer.facts), item, knowledge)
        states = [_state(fact.value, item, knowledge) for fact in known]
        if states != [state]:  # several results, or one that differs from its item
            because = [f"{read}: {one}" for read, one in zip(because, states, strict=True)]
        lines.append(f"- {item.title}: {state}" + (f" ({'; '.join(because)})" if because else ""))
    return "\n" + "\n".join(lines)


def _found(answer: Answer, knowledge: KnowledgeBase, row: str) -> str:
    contexts = [context for context in knowledge.contexts if context.id == row]
    return what_was_found(contexts, answer.facts, CardValues(answer, knowledge))


def what_was_found(
    rows: Iterable[ContextRow | AdviceRow], facts: Mapping[str, Fact], values: Mapping[str, str]
) -> str:
    """What was found by those rows of one id that hold, one sentence for each."""
    found = [Wording.of(row.found).fill(values) for row in rows if row.found and holds(row, facts)]
    return " ".join(dict.fromkeys(found))


def told(fact: Fact) -> str:
    """What a card says of why a fact is so, escaped for Markdown."""
    return markdown(fact.told, LONGEST_REASON)


_WITHOUT_A_RESULT = frozenset({UNKNOWN, NOT_APPLICABLE})


def _state(value: str, item: PanelItem, knowledge: KnowledgeBase) -> str:
    """Whether an item, or one of its limits, is met."""
    phrases = knowledge.wording.phrases
    if value != PROVISIONAL:
        return phrases.get(f"item-{value}", phrases["item-unknown"])  # straddled is unknown
    presumed = {row.presumes for limit in item.limits if (row := knowledge.limits[limit]).presumes}
    return phrases["item-provisional"].replace("{presumed}", ", ".join(sorted(presumed)))


def _unknown(knowledge: KnowledgeBase) -> str:
    return knowledge.wording.phrases["unknown"]


_VALUE: Mapping[str, Callable[[Answer, KnowledgeBase, str], str]] = {
    "value": _value,
    "unit": lambda answer, base, _row: markdown(answer.value.unit) or _unknown(base),
    "specimen": lambda answer, base, _row: specimen_words(answer, base) or _unknown(base),
    "analyte": lambda _answer, base, _row: base.identity.short_name,
    "multiple": lambda answer, _base, _row: answer.laboratory.multiple,
    "range": lambda answer, _base, _row: markdown(answer.laboratory.words),
    "limit": lambda _answer, base, row: base.limits[row].amount,
    "limits": _limits,
    "sides": _sides,
    "detail": _detail,
    "loinc": lambda answer, base, _row: _refused(answer, base).loinc,
    "name": _name,
    "panel": _panel,
    "found": _found,
    "read": lambda answer, _base, row: told(answer.facts[f"limit.{row}"]),
    "met": lambda answer, base, row: str(items_met(base.panels[row], answer.facts)),
    "ratio": lambda answer, _base, row: told(answer.facts[f"ratio.{row}"]),
    "other": _other,
}
"""By placeholder; for one with a dot, such as `limit.<id>` or `met.<id>`, by the part before it."""
