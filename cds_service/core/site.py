"""The site file: what a hospital may change without touching the product (docs/site-file.md).

It adds codes and units and sets the policy; it never changes a limit, a wording or a source. Every
row is checked as strictly as our own: unknown keys, a LOINC code with a wrong check digit or a
factor without a source are refused with file, row and remedy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from cds_service.core.concepts import ConceptIndex
from cds_service.core.knowledge import LOINC, KnowledgeBase
from cds_service.core.loinc import check_digit_is_right
from cds_service.core.quantity import UnitTable
from cds_service.core.schema import (
    AssayFactor,
    ConceptCode,
    ExactNumber,
    Id,
    OrderCode,
    Policy,
    Row,
    RowUnit,
    Text,
)
from cds_service.core.verdict import THRESHOLD_INDETERMINATE
from cds_service.errors import KnowledgeError

Note = Annotated[str, StringConstraints(min_length=1)]


class SiteCode(Row):
    """`[[code]]`: a local laboratory code and the LOINC code it stands for."""

    system: Text
    code: Text
    loinc: Text
    note: Note


class SiteCondition(Row):
    """`[[condition]]`: a local or standard code that opens a gate or a context."""

    system: Text
    code: Text
    means: Id
    match: Literal["exact", "prefix"] = "exact"
    note: Note


class SiteUnit(Row):
    """`[[unit]]`: a further unit text, with its exact factor inside one family."""

    text: Text
    family: Text
    factor: ExactNumber
    note: Note


class SiteSpecimen(Row):
    """`[[specimen]]`: a local code of Specimen.type."""

    system: Text
    code: Text
    kind: Id
    note: Note


class SitePolicy(Row):
    """`[policy]`: what the site sets; what it leaves out stays as the knowledge says."""

    look_back_days: int | None = Field(default=None, ge=1, le=3650)
    interpret_preliminary: bool | None = None
    muted_findings: tuple[str, ...] | None = None
    order_intent: Literal["proposal", "order"] | None = None


def _none_if_empty(table: object) -> object:
    """A table that is there and holds nothing says nothing."""
    return None if table == {} else table


class Site(Row):
    """The whole site file."""

    code: tuple[SiteCode, ...] = ()
    condition: tuple[SiteCondition, ...] = ()
    unit: tuple[SiteUnit, ...] = ()
    specimen: tuple[SiteSpecimen, ...] = ()
    assay: Annotated[AssayFactor | None, BeforeValidator(_none_if_empty)] = None
    policy: SitePolicy = SitePolicy()
    orders: dict[str, OrderCode] = Field(default_factory=dict)


def read_site(text: str, name: str = "site.toml") -> Site:
    """The site file as its closed type. Raises KnowledgeError naming file, row and remedy."""
    try:
        return Site.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(
            f"this is not TOML: {error}.", where=name, remedy="Mend the syntax."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = " ".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"])
        raise KnowledgeError(
            f"{first['msg']}.",
            where=f"{name} ({place})",
            remedy="See docs/site-file.md: unknown keys are refused, and every row needs its note, "
            "[assay] its source.",
        ) from error


def apply_site(knowledge: KnowledgeBase, site: Site, name: str = "site.toml") -> KnowledgeBase:
    """The knowledge with the site's additions. Raises KnowledgeError."""
    concepts = _concepts(knowledge, site, name)
    return replace(
        knowledge,
        local_codes={**knowledge.local_codes, **_codes(knowledge, site, name)},
        specimen_codes={**knowledge.specimen_codes, **_specimens(knowledge, site, name)},
        unit_rows=(rows := (*knowledge.unit_rows, *_units(knowledge, site, name))),
        units=UnitTable(rows),
        conditions=concepts["conditions"],
        medications=concepts["medications"],
        policy=_policy(knowledge, site, name),
        assays=_assays(knowledge, site, name),
        orders=_orders(knowledge, site, name),
    )


def _fault(name: str, row: str, text: str, remedy: str) -> KnowledgeError:
    return KnowledgeError(text, where=f"{name} ({row})", remedy=remedy)


def _codes(knowledge: KnowledgeBase, site: Site, name: str) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    known = {*knowledge.accepted, *knowledge.refused}
    for row in site.code:
        where = f"[[code]] {row.code}"
        if row.system == LOINC:
            remedy = "Map local codes only: a LOINC code means what LOINC says."
            raise _fault(name, where, "this is a LOINC code itself.", remedy)
        if not check_digit_is_right(row.loinc):
            raise _fault(name, where, "the LOINC check digit is wrong.", "Look the code up again.")
        if row.loinc not in known:
            remedy = f"Known: {', '.join(sorted(known))}."
            raise _fault(name, where, f"LOINC {row.loinc} is not in the knowledge.", remedy)
        if found.setdefault((row.system, row.code), row.loinc) != row.loinc:
            raise _fault(name, where, "the code is mapped twice, differently.", "Keep one row.")
    return found


def _specimens(knowledge: KnowledgeBase, site: Site, name: str) -> Mapping[tuple[str, str], str]:
    kinds = {*knowledge.specimens, "not-covered"}
    found: dict[tuple[str, str], str] = {}
    for row in site.specimen:
        where = f"[[specimen]] {row.code}"
        key = (row.system, row.code)
        if row.kind not in kinds:
            remedy = f"Known: {', '.join(sorted(kinds))}."
            raise _fault(name, where, f"no kind '{row.kind}'.", remedy)
        if {knowledge.specimen_codes.get(key), found.get(key)} - {None, row.kind}:
            raise _fault(name, where, "the code means another specimen already.", "Remove the row.")
        found[key] = row.kind
    return found


def _units(knowledge: KnowledgeBase, site: Site, name: str) -> list[RowUnit]:
    rows: list[RowUnit] = []
    for row in site.unit:
        where = f"[[unit]] {row.text}"
        if row.family not in knowledge.families:
            remedy = f"Known: {', '.join(knowledge.families)}."
            raise _fault(name, where, f"no unit family '{row.family}'.", remedy)
        if row.text in knowledge.units or row.text in {other.text for other in rows}:
            raise _fault(name, where, "the unit is understood already.", "Remove the row.")
        if row.factor <= 0:
            raise _fault(name, where, "the factor is not above zero.", "Correct it.")
        rows.append(
            RowUnit(
                text=row.text,
                family=row.family,
                factor=str(row.factor),
                ucum=False,
                assumed=row.note,
            )
        )
    return rows


def _concepts(knowledge: KnowledgeBase, site: Site, name: str) -> dict[str, ConceptIndex]:
    """Conditions and medications with the site's codes added to the concepts they mean."""
    conditions = dict(knowledge.conditions.concepts)
    medications = dict(knowledge.medications.concepts)
    for row in site.condition:
        code = ConceptCode(
            system=row.system,
            code=row.code,
            display=row.note,
            match=row.match,
            sources=["site file"],
        )
        meant = concept_behind(knowledge, row.means)
        if not meant:
            raise _meaningless(knowledge, row, name)
        for kind, concept in meant:
            table = conditions if kind == "condition" else medications
            base = table[concept]
            table[concept] = base.model_copy(update={"code": (*base.code, code)})
    return {
        "conditions": ConceptIndex(conditions.values()),
        "medications": ConceptIndex(medications.values()),
    }


def _meaningless(knowledge: KnowledgeBase, row: SiteCondition, name: str) -> KnowledgeError:
    """Why no code can mean what the row says."""
    where = f"[[condition]] {row.code}"
    context = f"context-{row.means}"
    asked = [fact for found in knowledge.contexts if found.id == context for fact in found.when]
    if any(fact.startswith("age.") for fact in asked):
        text = f"'{row.means}' comes from the birth date, not from a code."
        return _fault(name, where, text, "Remove the row.")
    known = sorted({*knowledge.conditions.concepts, *knowledge.medications.concepts})
    return _fault(name, where, f"nothing is called '{row.means}'.", f"Known: {', '.join(known)}.")


def concept_behind(knowledge: KnowledgeBase, means: str) -> list[tuple[str, str]]:
    """(kind, concept) that `means` names: a concept, or what opens the context of that name.

    A concept may stand among conditions and among medications; the code then counts in both.
    """
    indexes = (("condition", knowledge.conditions), ("medication", knowledge.medications))
    if concepts := [(kind, means) for kind, index in indexes if means in index.concepts]:
        return concepts
    gates = (
        fact.split(".", 1)
        for row in knowledge.contexts
        if row.id == f"context-{means}"
        for fact in row.when
        if fact.startswith(("condition.", "medication."))
    )
    return [(kind, concept) for kind, concept in gates]


def _policy(knowledge: KnowledgeBase, site: Site, name: str) -> Policy:
    given = site.policy.model_dump(exclude_none=True)
    findings = {row.id for row in knowledge.findings} | {row.id for row in knowledge.contexts}
    for muted in given.get("muted_findings", ()):
        if muted == THRESHOLD_INDETERMINATE:
            text = f"'{muted}' may not be muted: no card may hide that a limit is left open."
            raise _fault(name, "[policy]", text, "Take it out.")
        if muted not in findings:
            raise _fault(name, "[policy]", f"no finding '{muted}' to mute.", "Check its id.")
    return knowledge.policy.model_copy(update=given)


def _assays(knowledge: KnowledgeBase, site: Site, name: str) -> Mapping[str, AssayFactor]:
    if site.assay is None:
        return {}
    family = knowledge.families.get(site.assay.family)
    if family is None or not family.interpreted or site.assay.factor <= 0:
        remedy = "Name an interpreted family and a factor above zero; families are never converted."
        raise _fault(name, "[assay]", "family or factor cannot be used.", remedy)
    return {site.assay.laboratory: site.assay}


def _orders(knowledge: KnowledgeBase, site: Site, name: str) -> Mapping[str, OrderCode]:
    for suggestion in site.orders:
        if suggestion not in knowledge.suggestions:
            remedy = f"Known: {', '.join(knowledge.suggestions)}."
            raise _fault(name, "[orders]", f"no suggestion '{suggestion}'.", remedy)
    return site.orders
