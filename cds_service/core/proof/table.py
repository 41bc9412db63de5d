"""Proof that the decision table keeps what its `[[group]]`s promise, and that its rows can fire.

One number settles the facts about all limits of the analyte itself together. The limits are
finitely many, so a value at each limit and one in each gap between two, each behind each
comparator, stand for all values, in every specimen kind and unit family. Every other fact that a
group or its rows ask for takes each of its values, whatever the others are. In each such
combination a group must give exactly one of its findings, or at most one. Whether a fact is read
rightly from a record is not proved here; tests and worked cases show it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product

from cds_service.core.elements import Comparator
from cds_service.core.fact import NOT_APPLICABLE, Fact
from cds_service.core.facts.limits import not_applicable, own_limits
from cds_service.core.facts.result import fact_domains
from cds_service.core.facts.situation import Literature
from cds_service.core.finding import THRESHOLD_INDETERMINATE, RowOutcome
from cds_service.core.interval import EXACT, ZERO, Interval
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.proof.file import KnowledgeFile
from cds_service.core.quantity import Quantity, scale
from cds_service.core.schema import Gates, GroupRow, TableRow
from cds_service.core.table import consider, wanted
from cds_service.errors import KnowledgeError

_Settled = Mapping[str, str]
"""Facts by name, each with one of its values."""


def table_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """Groups that do not hold, rows that no value can fire, findings without a worked case."""
    space = _Space(tuple(_by_the_number(knowledge)), fact_domains(knowledge))
    for group in knowledge.groups:
        yield from _group_faults(knowledge, group, space)
    yield from _never_fired(knowledge, space)
    yield from _case_faults(knowledge)


# ------------------------------------------------------------------ what can come together


@dataclass(frozen=True, slots=True)
class _Space:
    """Every combination of facts that a result can come with."""

    by_the_number: tuple[_Settled, ...]
    domains: Mapping[str, tuple[str, ...]]

    def combinations(self, names: Iterable[str], where: Gates) -> Iterator[_Settled]:
        """Every combination of values of these facts in which `where` holds."""
        asked = dict.fromkeys((*where, *names))
        numbered = next(iter(self.by_the_number), {})
        together = [name for name in asked if name in numbered]
        alone = [name for name in asked if name not in together]
        values = dict.fromkeys(
            tuple(found[name] for name in together) for found in self.by_the_number
        )
        domains = [self.domains[name] for name in alone]
        for first, *rest in product(values, *domains):
            settled = dict(zip((*together, *alone), (*first, *rest), strict=True))
            if all(settled[name] in wanted(where, name) for name in where):
                yield settled


def _by_the_number(knowledge: KnowledgeBase) -> Iterator[_Settled]:
    """Specimen, unit family and the analyte's own limits, as one value settles them."""
    values = tuple(_values(knowledge))
    for specimen, family in product(knowledge.specimens, knowledge.interpreted_families):
        unit = knowledge.units[knowledge.families[family].canonical]
        for value in values:
            settled = {"specimen": specimen, "unit-family": family}
            quantity = Quantity(value, unit, coded=True, exact=True)
            for limit in own_limits(knowledge):
                if not_applicable(limit, specimen, family, Literature.APPLIES):
                    settled[limit.name] = NOT_APPLICABLE
                else:
                    settled[limit.name], _ = limit.against(quantity, "")
            yield settled


def _values(knowledge: KnowledgeBase) -> Iterator[Interval]:
    """In canonical units: at each limit, in each gap and beyond, behind every comparator."""
    limits = (row for row in knowledge.limits.values() if row.of == knowledge.identity.id)
    ends = sorted({ZERO, *(scale(row.value, knowledge.units[row.unit]) for row in limits)})
    gaps = [EXACT.divide(EXACT.add(low, high), Decimal(2)) for low, high in pairwise(ends)]
    yield Interval.of(Comparator.EXACT, ZERO)
    for value in (*ends[1:], *gaps, EXACT.add(ends[-1], Decimal(1))):
        for comparator in Comparator:
            yield Interval.of(comparator, value)


# ------------------------------------------------------------------ what must hold


def _group_faults(
    knowledge: KnowledgeBase, group: GroupRow, space: _Space
) -> Iterator[KnowledgeError]:
    file = KnowledgeFile(knowledge.identity.id, "findings.toml")
    rows = [row for row in knowledge.findings if row.id in group.findings]
    asked = [name for row in rows for name in row.when]
    for settled in space.combinations(asked, group.where):
        fired = sorted({row.id for row in rows if _fires(row, settled)})
        if len(fired) > 1 or (not fired and group.count == "exactly-one"):
            told = " and ".join(fired) if fired else "none of its findings"
            settled_so = ", ".join(f"{name} = {value}" for name, value in settled.items())
            text = f"{told} fired, where {group.count} must: {settled_so}."
            remedy = "Close the gap, or make the rows exclude each other."
            yield file.fault(f"[[group]] {group.id}", text, remedy)


def _never_fired(knowledge: KnowledgeBase, space: _Space) -> Iterator[KnowledgeError]:
    """Rows whose gates contradict each other for every value, so that they never fire."""
    tables = (("findings.toml", knowledge.findings), ("context.toml", knowledge.contexts))
    for name, rows in tables:
        file = KnowledgeFile(knowledge.identity.id, name)
        for row in rows:
            if not any(_fires(row, settled) for settled in space.combinations((), row.when)):
                text = "no value of any specimen and unit family can fire this row."
                yield file.fault(row.id, text, "Mend its gates: they contradict each other.")


def _fires(row: TableRow, settled: _Settled) -> bool:
    facts = {name: Fact(name, value, "") for name, value in settled.items()}
    return consider(row, facts).outcome is RowOutcome.MATCHED


def _case_faults(knowledge: KnowledgeBase) -> Iterator[KnowledgeError]:
    """Every finding needs a worked case that fires it and one that does not."""
    file = KnowledgeFile(knowledge.identity.id, "cases.toml")
    ids = (row.id for row in knowledge.rows)
    for finding in dict.fromkeys((*ids, THRESHOLD_INDETERMINATE)):
        fires = {finding in case.expect.findings for case in knowledge.cases}
        if fires != {True, False}:
            told = "fires it" if True not in fires else "leaves it silent"
            yield file.fault(finding, f"no worked case {told}.", "Add the case.")
