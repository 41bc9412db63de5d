"""Proof that every sentence a card could need is there, with known placeholders only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from cds_service.core.finding import THRESHOLD_INDETERMINATE
from cds_service.core.knowledge import CardWording, KnowledgeBase
from cds_service.core.note import NoteKind
from cds_service.core.proof.orders import Needed, order_templates
from cds_service.core.rendering.parts import BLOCKS, LONGEST_SUMMARY, in_family
from cds_service.core.schema import AdviceRow, ContextRow
from cds_service.core.template import Wording
from cds_service.core.verdict import Break, Direction, Reason
from cds_service.errors import KnowledgeError

LONGEST_HEADLINE = 72
HEADINGS = (*BLOCKS, "sources")
PHRASES = (
    "unknown", "date-unknown", "specimen", "in-words", "collected", "collection-unknown", "issued",
    "status", "laboratory", "laboratory-flag", "laboratory-range", "own-range", "by-factor",
    "item-met", "item-provisional", "item-not-met", "item-unknown",
    "review-pending", "review-approved",
)  # fmt: skip
SERIES = (
    *(direction.value for direction in Direction),
    *(each.value for each in Break),
    "more",
)
NOTE_VALUES = {
    NoteKind.UNIT_ASSUMED: {"unit", "sentence"},
    NoteKind.UNIT_FROM_TEXT: {"unit"},
    NoteKind.UNIT_TEXT_AND_CODE: {"unit", "code"},
    NoteKind.SPECIMEN_CODE_UNKNOWN: {"codes"},
    NoteKind.SPECIMEN_INVALID: {"where"},
    NoteKind.NO_LIMIT_IN_UNIT: {"unit"},
    NoteKind.VALUE_FROM_TEXT: {"value"},
    NoteKind.NAME_NOT_SOLUBLE: {"loinc", "name"},
    NoteKind.BEFORE_BIRTH: {"date"},
    NoteKind.NEWER_NOT_FINAL: {"status", "date"},
    NoteKind.NEWER_VALUE: {"status", "value", "date"},
    NoteKind.NEWER_URGENT: {"status", "value", "date"},
    NoteKind.NEWER_EXISTS: {"value", "date"},
    NoteKind.NEWER_FINAL_URGENT: {"status", "value", "date"},
    NoteKind.ORDER_UNKNOWN: {"value", "date"},
    NoteKind.ORDER_UNKNOWN_NOT_FINAL: {"status", "value", "date"},
    NoteKind.PERHAPS_NEWER_URGENT: {"status", "value", "date"},
    NoteKind.OTHER_VERSION: {"value", "specimen", "date"},
    NoteKind.OTHER_VERSION_URGENT: {"value", "specimen", "date"},
    NoteKind.OTHER_RANGE: {"ranges"},
    NoteKind.FOR_THE_SAME_REASON: {"results"},
    NoteKind.DATE_AHEAD: {"value", "date"},
    NoteKind.OF_ONE_TIME: {"test", "values"},
    NoteKind.RANGES_LEFT: {"ranges"},
    NoteKind.RANGES_NOT_COMPARABLE: {"ranges"},
    NoteKind.COMPANIONS_LEFT: {"items"},
    NoteKind.COMPANIONS_NOT_FINAL: {"items"},
    NoteKind.COMPANIONS_IN_WORDS: {"items"},
    NoteKind.COMPANIONS_DOUBTFUL: {"items"},
    NoteKind.COLLECTION_OPEN: {"date"},
    NoteKind.CORRECTED: {"status"},
    NoteKind.MORE_MAY_EXIST: {"part"},
    NoteKind.DATA_FAILED: {"part"},
    NoteKind.DATA_OF_ANOTHER: {"part"},
    NoteKind.WARNING_MUTED: {"warnings"},
    NoteKind.CAVEAT_MUTED: {"caveats"},
    NoteKind.REVIEW_OVERDUE: {"date"},
    NoteKind.ASSAY_FACTOR: {"factor", "laboratory", "source", "scaled"},
    NoteKind.FACTOR_OF_ANOTHER: {"laboratory", "own"},
    NoteKind.ITEMS_MET: {"items"},
    NoteKind.ITEMS_DISPUTED: {"items"},
}
_SPECIAL_VALUES = {
    "above-laboratory-limit": {"multiple", "range"},
    "within-laboratory-limit": {"range"},
    "below-laboratory-limit": {"range"},
    THRESHOLD_INDETERMINATE: {"limits", "sides"},
}
"""What the words of these findings alone may name."""
NOTES_THAT_LEAD = frozenset(
    {
        NoteKind.ITEMS_MET,
        NoteKind.ITEMS_DISPUTED,
        NoteKind.NEWER_URGENT,
        NoteKind.NEWER_FINAL_URGENT,
        NoteKind.PERHAPS_NEWER_URGENT,
        NoteKind.OTHER_VERSION_URGENT,
        NoteKind.SPECIMEN_OF_ANOTHER,
        NoteKind.SPECIMEN_WITHDRAWN,
        NoteKind.SPECIMEN_UNSATISFACTORY,
        NoteKind.BEFORE_BIRTH,
    }
)
"""Notes that speak in the summary, before every finding."""


def word_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """Missing templates, sections or words, unknown placeholders, headlines too long."""
    needed = _needed(knowledge)
    for name, sections, values in needed:
        yield from _template_faults(knowledge, name, sections, values)
    for name in sorted(set(knowledge.templates) - {name for name, _, _ in needed}):
        yield _fault(knowledge, name, "nothing uses this template.", "Remove it.")
    yield from _found_faults(knowledge)
    yield from _shared_words(knowledge)


def _fault(knowledge: KnowledgeBase, name: str, text: str, remedy: str) -> KnowledgeError:
    return KnowledgeError(text, where=f"{knowledge.identity.id}/templates/{name}.md", remedy=remedy)


def _needed(knowledge: KnowledgeBase) -> list[Needed]:
    """The templates of everything that a card may say."""
    values = _of_every_finding(knowledge)
    ids = (*(row.id for row in knowledge.findings), THRESHOLD_INDETERMINATE)
    needed = [_of_finding(name, values, knowledge) for name in dict.fromkeys(ids)]
    contexts = dict.fromkeys(row.id for row in knowledge.contexts)
    needed += [(name, {"says"}, values | _what_was_found(name, knowledge)) for name in contexts]
    said = {"headline", "says", "next"}
    asked = {"value", "unit", "specimen", "detail", "analyte"}
    needed += [(f"reason-{reason.value}", said, asked) for reason in Reason]
    needed.append(("wrong-analyte", said, {"value", "loinc", "name", "analyte"}))
    for kind in NoteKind:
        leads = {"headline"} if kind in NOTES_THAT_LEAD else set()
        needed.append((f"note-{kind.value}", {"says"} | leads, NOTE_VALUES.get(kind, set())))
    return [*needed, *order_templates(knowledge)]


def _of_every_finding(knowledge: KnowledgeBase) -> set[str]:
    """The placeholders that the template of any finding or context may use."""
    limits = (f"limit.{name}" for name in knowledge.limits)
    return {"value", "unit", "specimen", "analyte", *limits}


def _of_finding(name: str, values: set[str], knowledge: KnowledgeBase) -> Needed:
    """The template of a finding. It may use `values`, and what its gates make sure of."""
    weakened = {finding for row in knowledge.contexts for finding in row.weakens}
    sections = {"headline", "says", "not"} | ({"weakly"} if name in weakened else set())
    gates = {fact for row in knowledge.findings if row.id == name for fact in row.when}
    panels = {fact.removeprefix("panel.") for fact in gates if fact.startswith("panel.")}
    own = {fact for fact in gates if fact.startswith(("panel.", "ratio."))}
    if panels:
        own |= {f"met.{panel}" for panel in panels}
        sections |= {"alert"}
    if "pair" in gates:
        own |= {"other"}
    return name, sections, values | own | _SPECIAL_VALUES.get(name, set())


def _what_was_found(name: str, knowledge: KnowledgeBase) -> set[str]:
    """`found.<id>`, if every row of the context has a sentence for it."""
    rows = [row for row in knowledge.contexts if row.id == name]
    return {f"found.{name}"} if all(row.found for row in rows) else set()


def _found_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """A sentence of what was found may name limits, and the results held against those that its row
    asks for. It is said by the template of its context or advice.
    """
    limits = {f"limit.{name}" for name in knowledge.limits}
    rows: list[tuple[str, ContextRow | AdviceRow]] = [
        *(("context.toml", row) for row in knowledge.contexts),
        *(("orders.toml", row) for row in knowledge.order_table.advice),
    ]
    for file, row in rows:
        if not row.found:
            continue
        where = f"{knowledge.identity.id}/{file} ({row.id})"
        says = knowledge.templates.get(row.id, {}).get("says")
        if says is not None and f"found.{row.id}" not in says.placeholders:
            remedy = f"Write {{found.{row.id}}} in its template."
            yield KnowledgeError("'found' is used by nothing.", where=where, remedy=remedy)
        may = limits | {f"read.{name.removeprefix('limit.')}" for name in limits & set(row.when)}
        for name in sorted(_placeholders(row.found) - may):
            text = f"'found' asks for {{{name}}}, which nothing fills."
            remedy = f"Possible here: {', '.join(sorted(may)) or 'none'}."
            yield KnowledgeError(text, where=where, remedy=remedy)


_OF_EITHER_SPECIMEN = frozenset(
    f"note-{kind.value}"
    for kind in (
        NoteKind.NO_LIMIT_IN_UNIT,
        NoteKind.URGENT_IF_ILL,
        NoteKind.NEWER_URGENT,
        NoteKind.NEWER_FINAL_URGENT,
        NoteKind.PERHAPS_NEWER_URGENT,
        NoteKind.OTHER_VERSION_URGENT,
    )
)
"""Notes whose words depend on the specimen: other questions stay open, and other diseases press."""


def _of_specimens(knowledge: KnowledgeBase, name: str) -> set[str]:
    """Sections that the template may add for one specimen kind, or for it in one unit family."""
    pairs = product(knowledge.specimens, knowledge.interpreted_families)
    says = set(knowledge.specimens) | {in_family(kind, family) for kind, family in pairs}
    if name in {row.id for row in knowledge.findings}:
        return says | {f"not-{kind}" for kind in says}
    if name in {row.id for row in knowledge.contexts}:
        return says
    return set(knowledge.specimens) if name in _OF_EITHER_SPECIMEN else set()


def _template_faults(
    knowledge: KnowledgeBase, name: str, sections: set[str], values: set[str]
) -> Iterator[KnowledgeError]:
    template = knowledge.templates.get(name)
    if template is None:
        yield _fault(knowledge, name, "the template is missing.", "Write it.")
        return
    may = _of_specimens(knowledge, name)
    for section in sorted((sections ^ set(template)) - may):
        told = "is missing" if section in sections else "is used by nothing"
        yield _fault(knowledge, name, f"section '{section}' {told}.", "Add or remove it.")
    for section, wording in template.items():
        # The values of a note fill its words in the detail; its headline has no placeholders.
        filled = set() if section == "headline" and name.startswith("note-") else values
        for placeholder in sorted(wording.placeholders - filled):
            remedy = f"Possible here: {', '.join(sorted(filled)) or 'none'}."
            text = f"section '{section}' asks for {{{placeholder}}}, which nothing fills."
            yield _fault(knowledge, name, text, remedy)
        if section in {"headline", "alert"} and sum(map(len, wording.parts)) > LONGEST_HEADLINE:
            text = f"the {section} is longer than {LONGEST_HEADLINE} characters."
            yield _fault(
                knowledge, name, text, f"Shorten it: a summary holds {LONGEST_SUMMARY} in all."
            )


def _shared_words(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    words = knowledge.wording
    tables: tuple[tuple[str, Iterable[str], Iterable[str]], ...] = (
        ("headings", HEADINGS, words.headings),
        ("phrases", PHRASES, words.phrases),
        ("series", SERIES, words.series),
    )
    for table, needed, there in tables:
        for name in needed:
            if name not in there:
                yield KnowledgeError(
                    f"'{name}' has no words.", where=f"wording.toml [{table}]", remedy="Add them."
                )
    yield from _review_words(words)
    for reason in words.override_reasons:
        if set(reason) != {"code", "system", "display"}:
            yield KnowledgeError(
                "an override reason has code, system and display (CDS Hooks, C-02).",
                where="wording.toml [[override_reason]]",
                remedy="Give all three and no more.",
            )


def _review_words(words: CardWording) -> Iterator[KnowledgeError]:
    """The disclaimer must name knowledge and state of review; an approval, by whom and when."""
    if words.disclaimer.placeholders != {"knowledge", "review"}:
        yield KnowledgeError(
            "the disclaimer must name the knowledge and its state of review, and nothing else.",
            where="disclaimer.md",
            remedy="Use {knowledge} and {review} once each.",
        )
    asked: tuple[tuple[str, set[str]], ...] = (
        ("review-pending", set()),
        ("review-approved", {"reviewer", "date"}),
    )
    for name, values in asked:
        if _placeholders(words.phrases.get(name, "")) != values:
            yield KnowledgeError(
                f"'{name}' must name {' and '.join(sorted(values)) or 'nothing'}.",
                where="wording.toml [phrases]",
                remedy="Write {reviewer} and {date} in review-approved, neither in review-pending.",
            )


def _placeholders(text: str) -> frozenset[str]:
    try:
        return Wording.of(text).placeholders
    except ValueError:
        return frozenset({"a brace that is none"})
