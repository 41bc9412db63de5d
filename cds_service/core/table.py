"""The decision table: the value of a fact equals one that a gate wants, or the row does not fire.

Rows that fire become findings; every row is kept with what became of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from cds_service.core.fact import NOT_KNOWN, STRADDLES, Fact, UsualFacts
from cds_service.core.finding import (
    THRESHOLD_INDETERMINATE,
    ConsideredRow,
    Finding,
    RowOutcome,
    Strength,
)
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.schema import AdviceRow, ContextRow, Gates, TableRow

CONTEXT = "context-"
LABORATORY_GATES = frozenset({"specimen", "unit-family", "laboratory-range"})


@dataclass(frozen=True, slots=True)
class TableResult:
    """The findings in table order, every row considered, and what was missing to settle more."""

    findings: tuple[Finding, ...]
    rows: tuple[ConsideredRow, ...]
    missing: tuple[str, ...]
    warns: bool
    """Whether a warning is given."""
    may_warn: bool
    """Whether no warning is given, but a limit inside the interval of the value leaves one open."""
    grounds: tuple[str, ...]
    """Names of the facts that the result rests on: their inputs were used."""
    unspoken: tuple[str, ...]
    """Contexts that weaken or block a finding, and that the site has muted."""
    withheld: tuple[str, ...]
    """Warnings that would be given, and that the site has muted."""


def wanted(gates: Gates, fact: str) -> tuple[str, ...]:
    """The values of `fact` that let a row through."""
    values = gates[fact]
    return (values,) if isinstance(values, str) else tuple(values)


def consult(
    knowledge: KnowledgeBase, usual: UsualFacts, settled: Mapping[str, Fact]
) -> TableResult:
    """Hold all facts against all rows: findings, then contexts, which may weaken or block.

    `usual` are the facts of every result of its kind, `settled` those of this one in their place.
    """
    particular = [(fact.name, fact.value, fact.missing) for fact in settled.values()]
    return _decided(knowledge, usual, tuple(particular))


@lru_cache(maxsize=512)
def _decided(
    knowledge: KnowledgeBase,
    usual: UsualFacts,
    settled: tuple[tuple[str, str, tuple[str, ...]], ...],
) -> TableResult:
    """The result of the table, kept: it depends on these values alone, and few combinations of them
    ever come up.
    """
    facts = {
        **usual.by_name,
        **{name: Fact(name, value, "", missing) for name, value, missing in settled},
    }
    rows = [consider(row, facts) for row in knowledge.rows]
    matched = {row.finding for row in rows if row.outcome is RowOutcome.MATCHED}
    contexts = [row for row in knowledge.contexts if row.id in matched]
    return _result(rows, contexts, knowledge, facts)


def consult_laboratory_range_only(
    knowledge: KnowledgeBase, facts: Mapping[str, Fact]
) -> TableResult:
    """Only the rows that ask for no more than the laboratory's own range: nothing else may be said
    when unit and code contradict each other.
    """
    only = [row for row in knowledge.findings if frozenset(row.when) <= LABORATORY_GATES]
    return _result([consider(row, facts) for row in only], (), knowledge, facts)


def _result(
    considered: Iterable[ConsideredRow],
    contexts: Sequence[ContextRow],
    knowledge: KnowledgeBase,
    facts: Mapping[str, Fact],
) -> TableResult:
    rows = tuple(_overruled(row, contexts, knowledge) for row in considered)
    fired = dict.fromkeys(row.finding for row in rows if row.outcome is RowOutcome.MATCHED)
    findings = [_finding(name, contexts) for name in fired]
    unspoken = _unspoken(rows, contexts)
    if straddled := _straddled(rows, facts):
        findings.append(Finding(THRESHOLD_INDETERMINATE, about=straddled))
    warnings = [row for row in rows if row.finding in knowledge.warnings]
    of_warnings = {row.outcome for row in warnings}
    warns = RowOutcome.MATCHED in of_warnings
    muted = [row.finding for row in warnings if row.outcome is RowOutcome.MUTED]
    withheld = tuple(dict.fromkeys(muted))
    return TableResult(
        tuple(findings),
        rows,
        missing_from(rows, facts),
        warns=warns,
        may_warn=RowOutcome.STRADDLED in of_warnings and not warns,
        grounds=tuple(dict.fromkeys(_grounds(rows, facts, (*unspoken, *withheld)))),
        unspoken=unspoken,
        withheld=withheld,
    )


def consider(row: TableRow | AdviceRow, facts: Mapping[str, Fact]) -> ConsideredRow:
    """One row against all facts; each gate by equality and nothing else."""
    asks = tuple((name, wanted(row.when, name)) for name in row.when)
    return ConsideredRow(row.id, _outcome(asks, facts), asks)


def holds(row: TableRow | AdviceRow, facts: Mapping[str, Fact]) -> bool:
    """Whether every gate of a row holds."""
    return consider(row, facts).outcome is RowOutcome.MATCHED


def _outcome(asks: Iterable[tuple[str, tuple[str, ...]]], facts: Mapping[str, Fact]) -> RowOutcome:
    """What becomes of a row: it does not match as soon as one gate is settled against it; else one
    unknown fact makes it unknown, and else one straddled limit makes it straddled.
    """
    outcome = RowOutcome.MATCHED
    for name, values in asks:
        found = facts[name].value
        if found in values:
            continue
        if found in NOT_KNOWN:
            outcome = RowOutcome.UNKNOWN
        elif found != STRADDLES:
            return RowOutcome.NOT_MATCHED
        elif outcome is RowOutcome.MATCHED:
            outcome = RowOutcome.STRADDLED
    return outcome


def _overruled(
    row: ConsideredRow, contexts: Iterable[ContextRow], knowledge: KnowledgeBase
) -> ConsideredRow:
    """A matched row may still be blocked by a context or muted by the site."""
    if row.outcome is not RowOutcome.MATCHED:
        return row
    for context in contexts:
        if row.finding in context.blocks:
            return replace(row, outcome=RowOutcome.BLOCKED, note=context.id)
    if row.finding in knowledge.policy.muted_findings:
        return replace(row, outcome=RowOutcome.MUTED, note="muted by the site file")
    return row


def _unspoken(rows: Sequence[ConsideredRow], contexts: Iterable[ContextRow]) -> tuple[str, ...]:
    """Muted contexts that weaken a finding that fired, or block one that would have."""
    outcomes = {(row.finding, row.outcome) for row in rows}
    blocking = {row.note for row in rows if row.outcome is RowOutcome.BLOCKED}
    muted = [context for context in contexts if (context.id, RowOutcome.MUTED) in outcomes]
    telling = [
        context.id
        for context in muted
        if context.id in blocking
        or any((name, RowOutcome.MATCHED) in outcomes for name in context.weakens)
    ]
    return tuple(dict.fromkeys(telling))


def _finding(name: str, contexts: Iterable[ContextRow]) -> Finding:
    weakened_by = tuple(dict.fromkeys(c.id for c in contexts if name in c.weakens))
    return Finding(name, Strength.WEAKENED if weakened_by else Strength.FULL, weakened_by)


def _straddled(rows: Iterable[ConsideredRow], facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """Limits inside the interval of the value, or the laboratory's range, from the rows whose other
    gates all hold.
    """
    limits = (
        name.removeprefix("limit.")
        for row in rows
        if row.outcome is RowOutcome.STRADDLED and not row.finding.startswith(CONTEXT)
        for name, values in row.asks
        if facts[name].value not in values
    )
    return tuple(dict.fromkeys(limits))


def missing_from(rows: Iterable[ConsideredRow], facts: Mapping[str, Fact]) -> tuple[str, ...]:
    """The missing words of rows that could not be settled, and of matched rows. Muted rows count
    too: a site that does not want a finding still wants to know which data were missing.
    """
    words = (
        word
        for row in rows
        if row.outcome in {RowOutcome.UNKNOWN, RowOutcome.MATCHED, RowOutcome.MUTED}
        for name, _ in row.asks
        for word in facts[name].missing
    )
    return tuple(dict.fromkeys(words))


def _grounds(
    rows: Iterable[ConsideredRow], facts: Mapping[str, Fact], named: Collection[str]
) -> Iterator[str]:
    """The facts behind what the card says, in the order of the table: those of the rows that speak,
    of muted rows that are `named` on the card, and unknown ones for which the card names what is
    missing.
    """
    for row in rows:
        for name, values in row.asks:
            if _rests_on(row, values, facts[name], named):
                yield name


def _rests_on(
    row: ConsideredRow, values: tuple[str, ...], fact: Fact, named: Collection[str]
) -> bool:
    match row.outcome:
        case RowOutcome.MATCHED | RowOutcome.STRADDLED:
            return fact.value in values
        case RowOutcome.MUTED:
            return row.finding in named
        case RowOutcome.UNKNOWN:
            return fact.value in NOT_KNOWN and bool(fact.missing)
        case RowOutcome.NOT_MATCHED | RowOutcome.BLOCKED:
            return False
