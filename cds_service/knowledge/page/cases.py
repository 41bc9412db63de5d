"""The worked cases as tables a clinician can read: given, expected, because."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.core.concepts import ConceptIndex
from cds_service.core.finding import THRESHOLD_INDETERMINATE
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.results.reading import NOT_COVERED
from cds_service.core.schema import CaseRow, Expect, Given
from cds_service.knowledge.page.markdown import code, codes, section, table, text
from cds_service.knowledge.page.subject import Subject


def cases(subject: Subject) -> str:
    """All worked cases, each under the finding that speaks first, in the order of the table."""
    knowledge = subject.knowledge
    groups: dict[str, list[tuple[str, ...]]] = {name: [] for name in _headings(knowledge)}
    for number, case in enumerate(knowledge.cases, start=1):
        row = (
            str(number),
            text(case.title),
            text("; ".join(_given(case.given, knowledge))),
            _expected(case.expect),
            text(case.because),
        )
        groups[_group(case, knowledge)].append(row)
    columns = ("no.", "case", "given", "expected", "because")
    return section(
        2,
        "Worked cases",
        f"{len(knowledge.cases)} cases, run as tests. What is not given was looked for and not "
        "found; everything is of the same day.",
        *(f"### {name}\n\n{table(columns, rows)}" for name, rows in groups.items() if rows),
    )


def _headings(knowledge: KnowledgeBase) -> Iterator[str]:
    ranked = sorted(knowledge.findings, key=lambda row: -row.rank)
    yield from (code(row.id) for row in ranked)
    yield code(THRESHOLD_INDETERMINATE)
    yield "No finding"
    yield from (f"Not interpreted: {code(reason)}" for reason in knowledge.reasons)
    yield "Wrong analyte"
    yield "No card"


def _group(case: CaseRow, knowledge: KnowledgeBase) -> str:
    expect = case.expect
    if expect.outcome == "no-card":
        return "No card"
    if expect.outcome == "wrong-analyte":
        return "Wrong analyte"
    if expect.reason:
        return f"Not interpreted: {code(expect.reason)}"
    if THRESHOLD_INDETERMINATE in expect.findings:
        return code(THRESHOLD_INDETERMINATE)
    speaking = [row for row in knowledge.findings if row.id in expect.findings]
    first = max(speaking, key=lambda row: row.rank, default=None)
    return code(first.id) if first else "No finding"


def _given(given: Given, knowledge: KnowledgeBase) -> Iterator[str]:
    yield f"{given.value or 'no value'} {given.unit or 'without unit'}"
    yield f"LOINC {given.loinc}"
    if given.specimen == NOT_COVERED:
        yield "a specimen that is not covered"
    elif given.specimen:
        yield f"specimen {knowledge.specimens[given.specimen].words}"
    yield f"age {given.age}" if given.age else "birth date unknown"
    if given.status != "final":
        yield f"status {given.status}"
    if given.low or given.high:
        yield f"laboratory's range {_range(given)}"
    yield from _recorded("conditions", given.conditions, knowledge.conditions)
    yield from _recorded("medications", given.medications, knowledge.medications)
    for name, result in given.companions.items():
        yield f"{knowledge.companions[name].row.title} {result}"
    if given.pair:
        yield f"other specimen {given.pair}"


def _range(given: Given) -> str:
    unit = given.range_unit or given.unit
    if not given.low:
        return f"up to {given.high} {unit}"
    if not given.high:
        return f"from {given.low} {unit}"
    return f"{given.low} to {given.high} {unit}"


def _recorded(part: str, names: Iterable[str], index: ConceptIndex) -> Iterator[str]:
    titles = ", ".join(index.concepts[name].title for name in names)
    if titles:
        yield f"{part}: {titles}"


def _expected(expect: Expect) -> str:
    told = [codes(expect.findings)]
    if expect.outcome != "interpreted":
        told.insert(0, text(expect.outcome))
    if expect.reason:
        told.insert(1, code(expect.reason))
    if expect.indicator:
        told.append(expect.indicator)
    if expect.items:
        items = ", ".join(f"{name} {value}" for name, value in expect.items.items())
        told.append(f"items: {text(items)}")
    if expect.notes:
        told.append(f"notes: {codes(expect.notes)}")
    if expect.missing:
        told.append(f"missing: {text(', '.join(expect.missing))}")
    return "; ".join(part for part in told if part)
