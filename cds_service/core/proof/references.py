"""Proof that every name in one row exists in another, and that codes and gates are possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import chain, product

from cds_service.core.facts.panels import items_beside
from cds_service.core.facts.result import fact_domains
from cds_service.core.finding import THRESHOLD_INDETERMINATE, Strength
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.loinc import check_digit_is_right
from cds_service.core.note import NoteKind
from cds_service.core.proof.cases import case_faults
from cds_service.core.proof.file import KnowledgeFile
from cds_service.core.proof.orders import order_faults
from cds_service.core.rendering.parts import denying, saying
from cds_service.core.results.reading import FROM_SPECIMEN, NOT_COVERED
from cds_service.core.schema import (
    ContextRow,
    FindingRow,
    Gates,
    NoteRow,
    PanelRow,
    TableRow,
)
from cds_service.core.table import wanted
from cds_service.core.verdict import Outcome, Reason
from cds_service.errors import KnowledgeError

_SOURCES = ("sources", "sources_by_section")


def reference_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """Dangling names, impossible codes, units and gates."""
    yield from _codes(knowledge)
    yield from _concepts(knowledge)
    yield from _units(knowledge)
    yield from _companions(knowledge)
    yield from _limits(knowledge)
    yield from _panels(knowledge)
    yield from _rows(knowledge)
    yield from _reasons(knowledge)
    yield from _policy(knowledge)
    yield from _statements(knowledge)
    yield from _suggestions(knowledge)
    yield from case_faults(knowledge, _file(knowledge, "cases.toml"))
    yield from order_faults(knowledge, fact_domains(knowledge))


def _file(knowledge: KnowledgeBase, name: str) -> KnowledgeFile:
    return KnowledgeFile(knowledge.identity.id, name)


def _codes(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = _file(knowledge, "codes.toml")
    tests = Counter(knowledge.companion_loincs)
    tables = Counter((*knowledge.accepted, *knowledge.refused, *tests))
    for code in tables.elements():
        if not check_digit_is_right(code):
            yield file.fault(code, "the LOINC check digit is wrong.", "Look the code up again.")
    for code in (code for code, times in tables.items() if times > 1):
        remedy = "A code means one thing: keep one row."
        yield file.fault(code, "the code stands in two tables.", remedy)
    for code in (code for code, times in tests.items() if times > 1):
        remedy = "A code means one thing: leave it with one test."
        yield _file(knowledge, "companions.toml").fault(code, "the code is of two tests.", remedy)
    for code, row in knowledge.accepted.items():
        yield from file.absent(code, [row.specimen], (*knowledge.specimens, FROM_SPECIMEN))
        yield from file.absent(code, [row.family], knowledge.families)
    for (_, code), kind in knowledge.specimen_codes.items():
        yield from file.absent(code, [kind], (*knowledge.specimens, NOT_COVERED))


def _concepts(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    for index, name in (
        (knowledge.conditions, "conditions.toml"),
        (knowledge.medications, "medications.toml"),
    ):
        for concept in index.concepts.values():
            names = (*concept.includes, *concept.undetermined_by)
            yield from _file(knowledge, name).absent(concept.name, names, index.concepts)


def _units(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = _file(knowledge, "units.toml")
    for row in knowledge.unit_rows:
        yield from file.absent(row.text, [row.family], knowledge.families)
        if row.factor <= 0:
            yield file.fault(row.text, "the factor is not positive.", "A factor is above zero.")
    for family in knowledge.families.values():
        own = {unit.text: unit.factor for unit in knowledge.unit_rows if unit.family == family.id}
        if own.get(family.canonical) != 1:
            text = f"the canonical unit '{family.canonical}' has no row here with factor 1."
            yield file.fault(family.id, text, 'Add it in this family, with factor "1".')


def _companions(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = _file(knowledge, "companions.toml")
    for name, test in knowledge.companions.items():
        yield from file.absent(name, [test.row.specimen], knowledge.specimens)
        families = {unit.family for unit in test.units}
        yield from file.absent(name, test.families.values(), families)
        if any(unit.factor <= 0 for unit in test.units):
            yield file.fault(name, "a factor is not positive.", "A factor is above zero.")


def _limits(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = _file(knowledge, "limits.toml")
    for limit in knowledge.limits.values():
        tests = (knowledge.identity.id, *knowledge.companions)
        yield from file.absent(limit.id, [limit.of], tests)
        yield from file.absent(limit.id, [limit.specimen], knowledge.specimens)
        yield from file.absent(limit.id, limit.all_sources, knowledge.sources)
        units = knowledge.units
        if limit.of in knowledge.companions:
            units = knowledge.companions[limit.of].units
            own = knowledge.companions[limit.of].row.specimen
            if limit.specimen != own:
                text = f"'{limit.of}' is measured in {own}, the limit is for {limit.specimen}."
                yield file.fault(limit.id, text, "Give limit and test one specimen.")
        if limit.unit not in units:
            remedy = "Use a unit of the limit's own test."
            yield file.fault(limit.id, f"unit '{limit.unit}' is unknown.", remedy)
        if limit.of not in knowledge.companions and (limit.younger or limit.presumes):
            text = "only a companion's limit can depend on an age or presume something."
            yield file.fault(limit.id, text, "Make it limits of their own.")
        if not limit.sources:
            yield file.fault(limit.id, "no source.", "Name the source of the number.")
    for ratio in knowledge.ratios.values():
        albumins = (ratio.numerator_albumin, ratio.denominator_albumin)
        yield from file.absent(ratio.id, albumins, knowledge.companions)
        yield from file.absent(ratio.id, ratio.sources, knowledge.sources)


def _panels(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = _file(knowledge, "limits.toml")
    for panel in knowledge.panels.values():
        yield from file.absent(panel.id, [panel.specimen], knowledge.specimens)
        yield from file.absent(panel.id, [panel.family], knowledge.families)
        yield from file.absent(panel.id, panel.sources, knowledge.sources)
        yield from file.absent(panel.id, panel.suggestions, knowledge.suggestions)
        dangling = [
            fault
            for item in panel.item
            for fault in file.absent(panel.id, item.limits, knowledge.limits)
        ]
        yield from dangling or _counts(panel, file, knowledge)


def _counts(
    panel: PanelRow, file: KnowledgeFile, knowledge: KnowledgeBase
) -> Iterator[KnowledgeError]:
    """What a panel counts can be reached, and each limit counts once: an item that can never be
    met would be told as not met, whatever the results.
    """
    for item in panel.item:
        there = len(set(item.limits))
        if there < len(item.limits):
            text = f"item '{item.id}' names a limit twice, so it would count twice."
            yield file.fault(panel.id, text, "Name each limit once.")
        if item.at_least > there:
            text = f"item '{item.id}' asks for at least {item.at_least} of its {there} limits."
            yield file.fault(panel.id, text, "Lower at_least, or name the limits that are absent.")
    places = Counter(chain.from_iterable(set(item.limits) for item in panel.item))
    for limit in (limit for limit, times in places.items() if times > 1):
        text = f"limit '{limit}' is of two items, so it would count twice."
        yield file.fault(panel.id, text, "Leave it with one item.")
    beside = len(items_beside(panel, knowledge))
    if panel.urgent_from > beside:
        text = f"urgent from {panel.urgent_from} items, and {beside} rest on companions alone."
        yield file.fault(panel.id, text, "Lower urgent_from: it could never be reached.")


def _rows(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    domains = fact_domains(knowledge)
    findings = {row.id for row in knowledge.findings}
    of_findings, of_contexts = _file(knowledge, "findings.toml"), _file(knowledge, "context.toml")
    for file, rows in ((of_findings, knowledge.findings), (of_contexts, knowledge.contexts)):
        for row in rows:
            yield from file.impossible(row.id, row.when, domains)
            yield from _sourced(file, row, knowledge)
            yield from file.absent(row.id, row.suggestions, knowledge.suggestions)
    yield from of_findings.alternatives(knowledge.findings, ("indicator", "rank", *_SOURCES))
    yield from of_contexts.alternatives(knowledge.contexts, ("weakens", "blocks", *_SOURCES))
    for context in knowledge.contexts:
        named = (*context.weakens, *context.blocks)
        yield from of_contexts.absent(context.id, named, findings)
    for age in knowledge.ages.values():
        yield from of_contexts.absent(age.id, age.sources, knowledge.sources)
    for group in knowledge.groups:
        yield from of_findings.absent(group.id, group.findings, findings)
        yield from of_findings.impossible(group.id, group.where, domains)


def _reasons(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = _file(knowledge, "reasons.toml")
    reasons = (*(reason.value for reason in Reason), Outcome.WRONG_ANALYTE.value)
    yield from file.absent("reason", reasons, knowledge.reasons)
    yield from file.absent("reason", knowledge.reasons, reasons)
    for reason in knowledge.reasons.values():
        yield from file.absent(reason.id, reason.sources, knowledge.sources)
        yield from file.absent(reason.id, reason.suggestions, knowledge.suggestions)
    kinds = [*(kind.value for kind in NoteKind), THRESHOLD_INDETERMINATE]
    yield from file.absent("note", knowledge.notes, kinds)
    for note in knowledge.notes.values():
        yield from _sourced(file, note, knowledge)


def _policy(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    muted, known = knowledge.policy.muted_findings, {row.id for row in knowledge.rows}
    yield from _file(knowledge, "knowledge.toml").absent("policy", muted, known)


def _sourced(
    file: KnowledgeFile, row: TableRow | NoteRow, knowledge: KnowledgeBase
) -> Iterator[KnowledgeError]:
    """Every source exists, and there is one behind any sections of the row that a card can hold."""
    spoken = _spoken_of(row, knowledge)
    yield from file.absent(row.id, row.all_sources, knowledge.sources)
    yield from file.absent(row.id, row.sources_by_section, chain.from_iterable(spoken))
    if not all(row.sources_of(each) for each in spoken):
        yield file.fault(row.id, "no source.", "Name what it rests on.")


def _spoken_of(row: TableRow | NoteRow, knowledge: KnowledgeBase) -> Collection[tuple[str, ...]]:
    """The sections that may stand together on a card, for each specimen and unit family."""
    specimens: Collection[str] = knowledge.specimens
    strengths: Collection[Strength] = (Strength.FULL,)
    match row:
        case FindingRow(when=when):
            specimens, strengths = _specimens(when, knowledge), tuple(Strength)
        case ContextRow(when=when):
            specimens = _specimens(when, knowledge)
        case NoteRow():
            pass
    return [
        saying(specimen, family, strength) + denying(specimen, family)
        for specimen, family, strength in product(
            specimens, knowledge.interpreted_families, strengths
        )
    ]


def _specimens(when: Gates, knowledge: KnowledgeBase) -> Collection[str]:
    return wanted(when, "specimen") if "specimen" in when else knowledge.specimens


def _statements(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file, known = _file(knowledge, "statements.toml"), {row.id for row in knowledge.rows}
    for row in knowledge.statements:
        names = (*row.sources_for, *row.sources_against)
        yield from file.absent(row.id, names, knowledge.sources)
        yield from file.absent(row.id, row.used_in, known)


def _suggestions(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = _file(knowledge, "suggestions.toml")
    for row in knowledge.suggestions.values():
        yield from file.absent(row.id, row.sources, knowledge.sources)
        yield from file.absent(row.id, row.tests, knowledge.companions)
