"""`cds-service knowledge check`: every fault of the knowledge, and the worked cases run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cds_service.core.cases import DAY, differences, record_of, with_case_codes
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.proof import faults
from cds_service.core.render import render
from cds_service.core.rendering.disclaimer import review_status
from cds_service.core.results.selection import Looking
from cds_service.core.review import Pending
from cds_service.errors import KnowledgeError
from cds_service.evaluate import evaluate
from cds_service.knowledge.files import (
    ALL_TERMINOLOGIES,
    read_library,
    with_approvals,
    with_site_unproved,
)
from cds_service.knowledge.muted import what_is_muted


@dataclass(slots=True)
class KnowledgeReport:
    """What was checked, and the faults that were found: filled while the check goes on."""

    checked: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    """The state of review of each knowledge base, which is never a fault."""
    muted: list[str] = field(default_factory=list)
    """What a site has muted, and what its cards lack then: never a fault either."""

    def lines(self) -> Iterator[str]:
        """The report for a person."""
        yield from self.faults
        counted = ", ".join(f"{count} {name}" for name, count in self.checked.items())
        if counted:
            yield f"Checked: {counted}."
        yield from self.reviews
        yield from self.muted
        match len(self.faults):
            case 0:
                yield "No fault found."
            case 1:
                yield "1 fault."
            case many:
                yield f"{many} faults."

    def as_json(self) -> dict[str, Any]:
        """The report for a machine."""
        return {
            "checked": dict(self.checked),
            "faults": self.faults,
            "reviews": self.reviews,
            "muted": self.muted,
        }


def check_knowledge(
    folder: Path | None,
    site: Path | None,
    approval: Path | None = None,
    *,
    terminologies: frozenset[str] = ALL_TERMINOLOGIES,
) -> KnowledgeReport:
    """Prove all knowledge under `folder` (the packaged one by default), with the site's additions.

    Nothing is raised for a fault in the knowledge: all are in the report. It also holds the state
    of review, with an approval that no longer holds, and what the site mutes; neither is a fault.
    So the worked cases are run with the site's codes and units, but under the knowledge's own
    policy; and without the site where a case is about a unit that nobody knows, and this site does.
    """
    report = KnowledgeReport()
    try:
        library = read_library(folder, terminologies=terminologies)
    except KnowledgeError as error:
        report.faults.append(error.one_line())
        return report
    own = library.bases
    for with_file, file in ((with_site_unproved, site), (with_approvals, approval)):
        try:
            library = library if file is None else with_file(library, file)
        except KnowledgeError as error:
            report.faults.extend(fault.one_line() for fault in error.faults)
    for base in library.bases.values():
        report.faults.extend(fault.one_line() for fault in faults(base))
        _count(base, report)
        report.reviews.append(_reviewed(base))
        report.muted.extend(f"{base.tag}: {told}." for told in what_is_muted(base))
    if not report.faults:
        for name, base in library.bases.items():
            report.faults.extend(_case_faults_at_site(base, own[name]))
    return report


def _reviewed(base: KnowledgeBase) -> str:
    match base.review:
        case Pending(void) if void:
            return f"{base.tag}: {review_status(base)}; {void}."
        case _:
            return f"{base.tag}: {review_status(base)}."


def _count(base: KnowledgeBase, report: KnowledgeReport) -> None:
    report.checked.update(
        {
            "codes": len(base.accepted) + len(base.refused) + len(base.companion_loincs),
            "units": len(base.unit_rows),
            "limits": len(base.limits),
            "findings": len({row.id for row in base.findings}),
            "contexts": len({row.id for row in base.contexts}),
            "templates": len(base.templates),
            "sources": len(base.sources),
            "cases": len(base.cases),
        }
    )


def _case_faults_at_site(base: KnowledgeBase, own: KnowledgeBase) -> Iterator[str]:
    """Where worked cases differ at a site, under the policy of the knowledge's `own`. A case about
    a unit that only the site makes known holds without the site.
    """
    of_site = {unit.text for unit in base.units} - {unit.text for unit in own.units}
    elsewhere = tuple(case for case in base.cases if case.given.unit in of_site)
    here = tuple(case for case in base.cases if case.given.unit not in of_site)
    yield from case_faults(replace(base, policy=own.policy, cases=here))
    yield from case_faults(replace(own, cases=elsewhere))


def case_faults(base: KnowledgeBase) -> Iterator[str]:
    """Where the outcome of a worked case differs from what it expects."""
    prepared = with_case_codes(base)
    for case in base.cases:
        record = record_of(case.given, prepared)
        evaluation = evaluate(record, prepared, DAY, looking=Looking.RESULT_ARRIVED)
        cards = render(evaluation, prepared, scope="case")
        for difference in differences(case, evaluation, cards, prepared):
            yield f"{base.identity.id}/cases.toml ({case.id}): {difference}"
