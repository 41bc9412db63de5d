"""What must hold for every result of every patient, whatever the numbers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cds_service.core.elements import (
    Coding,
    Comparator,
    Measured,
    SpecimenGiven,
    SpecimenLink,
    UnitGiven,
)
from cds_service.core.interval import Interval
from cds_service.core.model import PatientRecord
from cds_service.core.quantity import UCUM
from cds_service.core.verdict import Answer, Interpreted, NotInterpretable, Reason
from tests.property.situations import (
    INDETERMINATE,
    KINDS,
    LABORATORY,
    SIL2R,
    Scene,
    amounts,
    inexact,
    scenes,
)
from tests.records import findings, named

RANKS = {row.id: row.rank for row in SIL2R.findings}
WARNINGS = {row.id for row in SIL2R.findings if row.indicator == "warning"}
OWN_LIMITS = [row for row in SIL2R.limits.values() if row.of == SIL2R.identity.id]

Inexact = tuple[Comparator, Decimal]


def strength(said: Answer) -> tuple[bool, int]:
    """How strongly a card speaks: whether it warns, and the rank of what its summary says."""
    found = findings(said)
    return bool(found & WARNINGS), max((RANKS.get(name, 0) for name in found), default=0)


@given(scenes(), amounts, amounts)
def test_a_higher_value_never_gives_a_weaker_finding(
    scene: Scene, one: Decimal, other: Decimal
) -> None:
    low, high = sorted((one, other))
    assert strength(scene.answer(low)) <= strength(scene.answer(high))


def settled(said: Answer) -> dict[str, str]:
    """Facts about limits that the value settles."""
    return {
        name: fact.value
        for name, fact in said.facts.items()
        if name.startswith("limit.") and fact.value in {"met", "not-met", "not-applicable"}
    }


@given(scenes(), inexact(), amounts)
def test_a_comparator_never_gives_more_certainty_than_any_number_it_can_mean(
    scene: Scene, given_value: Inexact, inside: Decimal
) -> None:
    comparator, end = given_value
    assume(holds(Interval.of(comparator, end), inside))
    interval, exact = scene.answer(end, "", comparator), scene.answer(inside)
    assert findings(interval) - {INDETERMINATE} <= findings(exact)
    assert settled(interval).items() <= settled(exact).items()


def holds(interval: Interval, value: Decimal) -> bool:
    """Whether the value is one of those the interval stands for."""
    above = value > interval.low or (value == interval.low and not interval.low_open)
    below = value < interval.high or (value == interval.high and not interval.high_open)
    return above and below


@given(scenes(), inexact())
def test_what_a_comparator_leaves_open_is_said_and_named(
    scene: Scene, given_value: Inexact
) -> None:
    comparator, end = given_value
    said = scene.answer(end, "", comparator)
    about = {name for finding in said.findings for name in finding.about}
    facts = {said.facts.get(f"limit.{name}", said.facts["laboratory-range"]) for name in about}
    assert {fact.value for fact in facts} <= {"straddles"}
    assert bool(about) is (INDETERMINATE in findings(said))


@given(scenes(), amounts, st.data())
def test_exact_factors_inside_a_family_never_change_a_finding(
    scene: Scene, amount: Decimal, data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from(scene.units))
    in_unit = amount / SIL2R.units[unit].factor
    one, other = scene.answer(amount), scene.answer(in_unit, unit)
    assert findings(one) == findings(other)
    assert values(one) == values(other)


def values(said: Answer) -> dict[str, str]:
    return {name: fact.value for name, fact in said.facts.items()}


UNKNOWN_UNITS = st.one_of(
    st.text(min_size=1).filter(lambda text: text not in SIL2R.units),
    st.sampled_from(["PG/ML", "U/ML", "u/ml", "mg/L", "U", "%", "kU/mL", "pmol/L ", "{arb}"]),
)


@given(
    scenes(),
    amounts,
    UNKNOWN_UNITS.flatmap(
        lambda text: st.sampled_from([UnitGiven(text), UnitGiven("", text, UCUM)])
    ),
)
def test_an_unknown_unit_never_yields_any_finding(
    scene: Scene, amount: Decimal, unit: UnitGiven
) -> None:
    result = scene.result(amount)
    assert isinstance(result.value, Measured)
    said = scene.answer_to(replace(result, value=replace(result.value, unit=unit)))
    assert said.verdict == NotInterpretable(Reason.UNIT_UNKNOWN)
    assert said.findings == ()


CODES_WITHOUT_SPECIMEN = st.sampled_from(
    [code for code, row in SIL2R.accepted.items() if row.specimen == "from-specimen"]
)
UNKNOWN_SPECIMENS = st.one_of(
    st.just(SpecimenGiven()),
    st.just(SpecimenGiven(SpecimenLink.UNRESOLVED)),
    st.tuples(st.text(), st.text(), st.sampled_from(["Serum", "CSF", ""]))
    .filter(lambda parts: parts[:2] not in SIL2R.specimen_codes)
    .map(lambda parts: SpecimenGiven(SpecimenLink.RESOLVED, (Coding(*parts),))),
)


@given(scenes(), CODES_WITHOUT_SPECIMEN, UNKNOWN_SPECIMENS, amounts)
def test_an_unknown_specimen_never_yields_any_finding(
    scene: Scene, code: str, unknown: SpecimenGiven, amount: Decimal
) -> None:
    result = named("r", f"{amount:f} U/mL", code, specimen=unknown, ranges=scene.ranges)
    said = scene.answer_to(result)
    assert isinstance(said.verdict, NotInterpretable)
    assert said.verdict.reason is Reason.SPECIMEN_UNKNOWN
    assert said.findings == ()


@given(scenes(), amounts)
def test_a_unit_of_another_family_than_the_code_meets_no_limit_of_a_study(
    scene: Scene, amount: Decimal
) -> None:
    other = replace(scene, family="mass" if scene.family == "U" else "U")
    said = scene.answer_to(replace(scene.result(amount), value=other.result(amount).value))
    assert said.verdict == NotInterpretable(Reason.UNIT_CODE_CONFLICT)
    assert findings(said) <= {*LABORATORY, INDETERMINATE}


@given(scenes(), st.tuples(st.just(Comparator.EXACT), amounts) | inexact())
def test_a_limit_is_never_held_against_another_specimen_or_unit_family(
    scene: Scene, given_value: Inexact
) -> None:
    comparator, amount = given_value
    said = scene.answer(amount, "", comparator)
    assert said.verdict == Interpreted()
    applied = {row.id for row in OWN_LIMITS if is_applied(said, row.id)}
    assert applied == {
        row.id
        for row in OWN_LIMITS
        if (row.specimen, SIL2R.units[row.unit].family) == (scene.specimen, scene.family)
    }


def is_applied(said: Answer, limit: str) -> bool:
    return said.facts[f"limit.{limit}"].value != "not-applicable"


@given(scenes(), amounts)
def test_the_csf_limit_speaks_of_csf_and_blood_limits_of_blood(
    scene: Scene, amount: Decimal
) -> None:
    found = findings(scene.answer(amount))
    of_csf = {"csf-above-150", "csf-not-above-150"}
    of_blood = {name for name in found if name.startswith(("hlh-", "atl-", "ohi-", "sarc"))}
    if scene.specimen == "csf":
        assert of_blood == set()
        assert len(found & of_csf) == (1 if scene.family == "mass" else 0)
    else:
        assert found & of_csf == set()


@pytest.mark.parametrize(("kind", "family"), sorted(KINDS))
def test_the_properties_are_held_against_results_that_are_interpreted(
    kind: str, family: str
) -> None:
    """So that none of the above holds for want of findings."""
    said = Scene(kind, family, (), PatientRecord()).answer(Decimal(20000))
    assert said.verdict == Interpreted()
    warns = strength(said)[0]
    assert warns is ((kind, family) in {("blood", "U"), ("csf", "mass")})
