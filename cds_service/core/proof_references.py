"""Proof that every name in one row exists in another, and that codes and gates are possible."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain, product

from cds_service.core.card_parts import denying, saying
from cds_service.core.facts import fact_domains
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.loinc import check_digit_is_right
from cds_service.core.proof_orders import order_faults
from cds_service.core.reading import FROM_SPECIMEN, NOT_COVERED
from cds_service.core.schema import ContextRow, FindingRow, Gates, NoteRow, TableRow
from cds_service.core.table import wanted
from cds_service.core.verdict import THRESHOLD_INDETERMINATE, NoteKind, Reason, Strength
from cds_service.errors import KnowledgeError

_Sourced = TableRow | NoteRow


def reference_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """Dangling names, impossible codes, units and gates."""
    yield from _codes(knowledge)
    yield from _units(knowledge)
    yield from _companions(knowledge)
    yield from _limits(knowledge)
    yield from _rows(knowledge)
    yield from _statements(knowledge)
    yield from order_faults(knowledge, fact_domains(knowledge))


def _fault(knowledge: KnowledgeBase, file: str, row: str, text: str, remedy: str) -> KnowledgeError:
    return KnowledgeError(text, where=f"{knowledge.identity.id}/{file} ({row})", remedy=remedy)


def _absent(
    knowledge: KnowledgeBase, file: str, row: str, names: Iterable[str], known: Iterable[str]
) -> Iterator[KnowledgeError]:
    """A fault for each name that is not among the known ones."""
    there = set(known)
    for name in names:
        if name not in there:
            remedy = f"Known: {', '.join(sorted(there)) or 'none'}."
            yield _fault(knowledge, file, row, f"'{name}' does not exist.", remedy)


def _codes(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    companions = set(knowledge.companion_loincs)
    for code in (*knowledge.accepted, *knowledge.refused, *companions):
        if not check_digit_is_right(code):
            remedy = "Look the code up again."
            yield _fault(knowledge, "codes.toml", code, "the LOINC check digit is wrong.", remedy)
    for code in (set(knowledge.accepted) & set(knowledge.refused)) | (
        companions & {*knowledge.accepted, *knowledge.refused}
    ):
        remedy = "A code means one thing: keep one row."
        yield _fault(knowledge, "codes.toml", code, "the code stands in two tables.", remedy)
    for code, row in knowledge.accepted.items():
        specimens = (*knowledge.specimens, FROM_SPECIMEN)
        yield from _absent(knowledge, "codes.toml", code, [row.specimen], specimens)
        yield from _absent(knowledge, "codes.toml", code, [row.family], knowledge.families)
    for (_, code), kind in knowledge.specimen_codes.items():
        kinds = (*knowledge.specimens, NOT_COVERED)
        yield from _absent(knowledge, "codes.toml", code, [kind], kinds)
    for index, file in (
        (knowledge.conditions, "conditions.toml"),
        (knowledge.medications, "medications.toml"),
    ):
        for concept in index.concepts.values():
            names = (*concept.includes, *concept.undetermined_by)
            yield from _absent(knowledge, file, concept.name, names, index.concepts)


def _units(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    for row in knowledge.unit_rows:
        yield from _absent(knowledge, "units.toml", row.text, [row.family], knowledge.families)
        if row.factor <= 0:
            remedy = "A factor is above zero."
            yield _fault(knowledge, "units.toml", row.text, "the factor is not positive.", remedy)
    for family in knowledge.families.values():
        if family.canonical not in knowledge.units or knowledge.units[family.canonical].factor != 1:
            remedy = 'Add the canonical unit with factor "1".'
            text = f"the canonical unit '{family.canonical}' has no row with factor 1."
            yield _fault(knowledge, "units.toml", family.id, text, remedy)


def _companions(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = "companions.toml"
    for name, test in knowledge.companions.items():
        yield from _absent(knowledge, file, name, [test.row.specimen], knowledge.specimens)
        families = {unit.family for unit in test.units}
        yield from _absent(knowledge, file, name, test.families.values(), families)
        if any(unit.factor <= 0 for unit in test.units):
            remedy = "A factor is above zero."
            yield _fault(knowledge, file, name, "a factor is not positive.", remedy)


def _limits(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    file = "limits.toml"
    for limit in knowledge.limits.values():
        tests = (knowledge.identity.id, *knowledge.companions)
        yield from _absent(knowledge, file, limit.id, [limit.of], tests)
        yield from _absent(knowledge, file, limit.id, [limit.specimen], knowledge.specimens)
        yield from _absent(knowledge, file, limit.id, limit.all_sources, knowledge.sources)
        units = knowledge.units
        if limit.of in knowledge.companions:
            units = knowledge.companions[limit.of].units
        if limit.unit not in units:
            remedy = "Use a unit of the limit's own test."
            yield _fault(knowledge, file, limit.id, f"unit '{limit.unit}' is unknown.", remedy)
        if limit.of not in knowledge.companions and (limit.younger or limit.presumes):
            text = "only a companion's limit can depend on an age or presume something."
            yield _fault(knowledge, file, limit.id, text, "Make it limits of their own.")
        if not limit.sources:
            yield _fault(knowledge, file, limit.id, "no source.", "Name the source of the number.")
    for panel in knowledge.panels.values():
        for item in panel.item:
            yield from _absent(knowledge, file, panel.id, item.limits, knowledge.limits)
        yield from _absent(knowledge, file, panel.id, panel.sources, knowledge.sources)
        yield from _absent(knowledge, file, panel.id, panel.suggestions, knowledge.suggestions)
    for ratio in knowledge.ratios.values():
        albumins = (ratio.numerator_albumin, ratio.denominator_albumin)
        yield from _absent(knowledge, file, ratio.id, albumins, knowledge.companions)
        yield from _absent(knowledge, file, ratio.id, ratio.sources, knowledge.sources)


def _rows(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    domains = fact_domains(knowledge)
    findings = {row.id for row in knowledge.findings}
    tables = (
        ("findings.toml", knowledge.findings),
        ("context.toml", knowledge.contexts),
    )
    for file, rows in tables:
        for row in rows:
            yield from _absent(knowledge, file, row.id, row.when, domains)
            yield from _sourced(knowledge, file, row, _spoken_of(row, knowledge))
            yield from _absent(knowledge, file, row.id, row.suggestions, knowledge.suggestions)
            for fact in row.when:
                values = wanted(row.when, fact)
                yield from _absent(knowledge, file, row.id, values, domains.get(fact, values))
    for context in knowledge.contexts:
        named = (*context.weakens, *context.blocks)
        yield from _absent(knowledge, "context.toml", context.id, named, findings)
    for age in knowledge.ages.values():
        yield from _absent(knowledge, "context.toml", age.id, age.sources, knowledge.sources)
    for group in knowledge.groups:
        yield from _absent(knowledge, "findings.toml", group.id, group.findings, findings)
        yield from _absent(knowledge, "findings.toml", group.id, group.where, domains)
        for fact in set(group.where) & set(domains):
            values = wanted(group.where, fact)
            yield from _absent(knowledge, "findings.toml", group.id, values, domains[fact])
    reasons = {*(reason.value for reason in Reason), "wrong-analyte"}
    yield from _absent(knowledge, "reasons.toml", "reason", reasons, knowledge.reasons)
    yield from _absent(knowledge, "reasons.toml", "reason", knowledge.reasons, reasons)
    for reason in knowledge.reasons.values():
        yield from _absent(knowledge, "reasons.toml", reason.id, reason.sources, knowledge.sources)
        steps = reason.suggestions
        yield from _absent(knowledge, "reasons.toml", reason.id, steps, knowledge.suggestions)
    kinds = [*(kind.value for kind in NoteKind), THRESHOLD_INDETERMINATE]
    yield from _absent(knowledge, "reasons.toml", "note", knowledge.notes, kinds)
    for note in knowledge.notes.values():
        yield from _sourced(knowledge, "reasons.toml", note, _spoken_of(note, knowledge))
    muted = knowledge.policy.muted_findings
    known = {*findings, *(row.id for row in knowledge.contexts)}
    yield from _absent(knowledge, "knowledge.toml", "policy", muted, known)


def _sourced(
    knowledge: KnowledgeBase, file: str, row: _Sourced, spoken: Collection[tuple[str, ...]]
) -> Iterator[KnowledgeError]:
    """Every source exists, and whatever sections of the row a card can speak, one is behind it."""
    sections = chain.from_iterable(spoken)
    yield from _absent(knowledge, file, row.id, row.all_sources, knowledge.sources)
    yield from _absent(knowledge, file, row.id, row.sources_by_section, sections)
    if not all(row.sources_of(each) for each in spoken):
        yield _fault(knowledge, file, row.id, "no source.", "Name what it rests on.")


def _spoken_of(row: _Sourced, knowledge: KnowledgeBase) -> Collection[tuple[str, ...]]:
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
    families = [family.id for family in knowledge.families.values() if family.interpreted]
    return [
        saying(specimen, family, strength) + denying(specimen)
        for specimen, family, strength in product(specimens, families, strengths)
    ]


def _specimens(when: Gates, knowledge: KnowledgeBase) -> Collection[str]:
    return wanted(when, "specimen") if "specimen" in when else knowledge.specimens


def _statements(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    ids = {row.id for row in knowledge.findings} | {row.id for row in knowledge.contexts}
    for row in knowledge.statements:
        names = (*row.sources_for, *row.sources_against)
        yield from _absent(knowledge, "statements.toml", row.id, names, knowledge.sources)
        yield from _absent(knowledge, "statements.toml", row.id, row.used_in, ids)
    for suggestion in knowledge.suggestions.values():
        yield from _absent(
            knowledge, "suggestions.toml", suggestion.id, suggestion.sources, knowledge.sources
        )
