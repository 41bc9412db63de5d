"""The rows of a site file that cannot be used, all reported at once, before any row is used.

A row counts for every analyte that knows the thing it names. It is refused if no analyte does, or
if it would mean two things to one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from cds_service.core.finding import THRESHOLD_INDETERMINATE
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.loinc import check_digit_is_right
from cds_service.core.schema import Site, SiteCondition, SiteSpecimen
from cds_service.core.site.additions import (
    concepts_behind,
    kinds_of,
    loincs_of,
    takes_assay,
)
from cds_service.errors import KnowledgeError

Bases = Sequence[KnowledgeBase]
_Found = Iterator[tuple[str, str, str]]
"""Row, what is wrong with it, remedy."""


@dataclass(frozen=True, slots=True)
class SiteFault:
    """One fault: its table, its place in the table, what is wrong, and what to do."""

    table: str
    place: str
    text: str
    remedy: str


def refusal(name: str, faults: Iterable[SiteFault]) -> KnowledgeError:
    """The error that refuses a site file, with all its faults, table by table.

    A single fault is the error itself; several are listed in one line, and kept as `faults`.
    """
    found = sorted(dict.fromkeys(faults), key=_order)  # the same fault of several rows once
    each = [
        KnowledgeError(fault.text, where=f"{name} ({fault.place})", remedy=fault.remedy)
        for fault in found
    ]
    match each:
        case [only]:
            return only
        case _:
            listed = " ".join(_listed(found))
            return KnowledgeError(f"{len(found)} faults. {listed}", where=name, faults=each)


_TABLES = tuple(Site.model_fields)


def _order(fault: SiteFault) -> int:
    """Faults by table, in the order of `Site`, unknown tables last."""
    return _TABLES.index(fault.table) if fault.table in _TABLES else len(_TABLES)


def _listed(faults: Iterable[SiteFault]) -> Iterator[str]:
    """The faults in words; neighbours with the same remedy share it."""
    for remedy, alike in groupby(faults, lambda fault: fault.remedy):
        yield from (f"({fault.place}) {fault.text}" for fault in alike)
        yield remedy


def site_faults(bases: Bases, site: Site) -> Iterator[SiteFault]:
    """Every row that cannot be used with these analytes, and why."""
    for table, find in _CHECKS.items():
        for row, text, remedy in find(bases, site):
            yield SiteFault(table, row, text, remedy)


def _known(names: Iterable[str]) -> str:
    return f"Known: {', '.join(dict.fromkeys(names))}."


def _codes(bases: Bases, site: Site) -> _Found:
    known = sorted({loinc for base in bases for loinc in loincs_of(base)})
    mapped: dict[tuple[str, str], str] = {}
    for row in site.code:
        where = f"[[code]] {row.code}"
        if row.system == LOINC:
            remedy = "Map local codes only: a LOINC code means what LOINC says."
            yield where, "this is a LOINC code itself.", remedy
        elif not check_digit_is_right(row.loinc):
            yield where, "the LOINC check digit is wrong.", "Look the code up again."
        elif row.loinc not in known:
            yield where, f"LOINC {row.loinc} is not in the knowledge.", _known(known)
        elif mapped.setdefault((row.system, row.code), row.loinc) != row.loinc:
            yield where, "the code is mapped twice, differently.", "Keep one row."


def _specimens(bases: Bases, site: Site) -> _Found:
    known = sorted({kind for base in bases for kind in kinds_of(base)})
    for row in site.specimen:
        where = f"[[specimen]] {row.code}"
        if row.kind not in known:
            yield where, f"no kind '{row.kind}'.", _known(known)
        elif any(_two_meanings(base, row, site) for base in bases):
            yield where, "the code means another specimen already.", "Remove the row."


def _two_meanings(base: KnowledgeBase, row: SiteSpecimen, site: Site) -> bool:
    """Whether the analyte would read the row's code as two kinds of specimen."""
    if row.kind not in kinds_of(base):
        return False
    own = base.specimen_codes.get((row.system, row.code), row.kind)
    same = (
        other for other in site.specimen if (other.system, other.code) == (row.system, row.code)
    )
    return len({own, *(other.kind for other in same if other.kind in kinds_of(base))}) > 1


def _units(bases: Bases, site: Site) -> _Found:
    for number, row in enumerate(site.unit):
        where = f"[[unit]] {row.text}"
        having = [base for base in bases if row.family in base.families]
        scales = {base.families[row.family].canonical for base in having}
        read = [base.units[row.text] for base in having if row.text in base.units]
        otherwise = any((unit.family, unit.factor) != (row.family, row.factor) for unit in read)
        twice = any(
            other.text == row.text and other.family in base.families
            for other in site.unit[:number]
            for base in having
        )
        if not having:
            known = _known(family for base in bases for family in base.families)
            yield where, f"no unit family '{row.family}'.", known
        elif len(scales) > 1:
            text = f"'{row.family}' is counted in {' and in '.join(sorted(scales))}."
            yield where, text, "One factor cannot lead to both: remove the row."
        elif otherwise or twice or len(read) == len(having):
            yield where, "the unit is understood already.", "Remove the row."
        elif row.factor <= 0:
            yield where, "the factor is not above zero.", "Correct it."


def _conditions(bases: Bases, site: Site) -> _Found:
    for row in site.condition:
        if not any(concepts_behind(base, row.means) for base in bases):
            yield _meaningless(bases, row)


def _meaningless(bases: Bases, row: SiteCondition) -> tuple[str, str, str]:
    """The fault of a row whose `means` names nothing that a code can switch on."""
    where = f"[[condition]] {row.code}"
    contexts = (found for base in bases for found in base.contexts)
    asked = [
        fact for found in contexts if found.id == f"context-{row.means}" for fact in found.when
    ]
    if any(fact.startswith("age.") for fact in asked):
        return (
            where,
            f"'{row.means}' comes from the birth date, not from a code.",
            "Remove the row.",
        )
    indexes = (index for base in bases for index in (base.conditions, base.medications))
    known = sorted({concept for index in indexes for concept in index.concepts})
    return where, f"nothing is called '{row.means}'.", _known(known)


def _policy(bases: Bases, site: Site) -> _Found:
    known = [row.id for base in bases for row in base.rows]
    may = [muted for muted in known if muted != THRESHOLD_INDETERMINATE]
    for muted in site.policy.muted_findings or ():
        if muted == THRESHOLD_INDETERMINATE:
            text = f"'{muted}' may not be muted: no card may hide that a limit is left open."
            yield "[policy]", text, "Take it out."
        elif muted not in known:
            yield "[policy]", f"no finding '{muted}' to mute.", _known(may)


def _assay(bases: Bases, site: Site) -> _Found:
    row = site.assay
    if row is None:
        return
    analytes = [base.identity.id for base in bases]
    takers = [base.identity.id for base in bases if takes_assay(base, row)]
    if row.analyte and row.analyte not in analytes:
        yield "[assay]", f"no analyte '{row.analyte}'.", _known(analytes)
    elif not takers:
        meant = (base for base in bases if row.analyte in ("", base.identity.id))
        known = _known(name for base in meant for name in base.interpreted_families)
        remedy = f"{known} Families are never converted."
        yield "[assay]", f"no unit family '{row.family}' that is interpreted.", remedy
    elif row.factor <= 0:
        yield "[assay]", "the factor is not above zero.", "Correct it."
    elif len(takers) > 1:
        # A factor was measured with one analyte; it must not be used for another of the same unit.
        text = f"the factor could be meant for {' or for '.join(takers)}."
        yield "[assay]", text, f'Say which: analyte = "{takers[0]}".'


def _orders(bases: Bases, site: Site) -> _Found:
    known = [suggestion for base in bases for suggestion in base.suggestions]
    for suggestion in site.orders:
        if suggestion not in known:
            yield "[orders]", f"no suggestion '{suggestion}'.", _known(known)


_CHECKS: Final[Mapping[str, Callable[[Bases, Site], _Found]]] = {
    "code": _codes,
    "condition": _conditions,
    "unit": _units,
    "specimen": _specimens,
    "assay": _assay,
    "policy": _policy,
    "orders": _orders,
}
"""The check of each table."""
