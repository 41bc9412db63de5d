"""What holds for every value, not only for the worked cases: the card never claims too much."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from cds_service.core.elements import (
    Coding,
    Comparator,
    Measured,
    Number,
    SpecimenGiven,
    SpecimenLink,
    UnitGiven,
)
from cds_service.core.model import LabResult
from cds_service.core.quantity import UCUM
from cds_service.core.render import render
from cds_service.core.rendering.parts import LONGEST_SUMMARY
from cds_service.core.verdict import Interpreted
from tests.packaged import SIL2R
from tests.records import answer_to, evaluated, findings, record, result, within

SERUM = {"U": "9654-5", "mass": "76039-7"}
CSF = "99768-4"
LITERATURE = {
    row.id
    for row in SIL2R.findings
    if any(fact.startswith(("limit.", "panel.")) for fact in row.when)
} | {"threshold-indeterminate"}
WEIGHT = {row.id: row.rank for row in SIL2R.findings}

numbers = st.decimals(min_value=0, max_value=200_000, places=3, allow_nan=False)
comparators = st.sampled_from([c for c in Comparator if c is not Comparator.EXACT])
families = st.sampled_from(["U", "mass"])
texts = st.text(max_size=60)
CANONICAL = {"U": "U/mL", "mass": "pg/mL"}


def lab(
    value: Decimal,
    family: str = "U",
    comparator: Comparator = Comparator.EXACT,
    loinc: str = "",
    unit: str = "",
    **changes: object,
) -> LabResult:
    """An sIL-2R result of an adult, with a laboratory range of its own unit."""
    named = unit or CANONICAL[family]
    measured = Measured(comparator, Number(f"{value:f}", value), UnitGiven(named, named, UCUM))
    given = {
        "value": measured,
        "ranges": (within("158", "623", named),),
        "codings": (Coding("http://loinc.org", loinc or SERUM[family]),),
        **changes,
    }
    return replace(result("1 U/mL"), **given)  # type: ignore[arg-type]


def fired(given: LabResult) -> set[str]:
    return findings(answer_to(given, SIL2R))


def strength(given: LabResult) -> int:
    """How much the strongest finding claims against the patient's health."""
    raised = {"above-laboratory-limit", "hlh-2004-criterion-met", "hlh-adult-high-specificity"}
    raised |= {"csf-above-150"}
    return max((WEIGHT[name] for name in fired(given) & raised), default=0)


@given(one=numbers, other=numbers, family=families)
def test_t100_a_higher_value_never_gives_a_weaker_finding(
    one: Decimal, other: Decimal, family: str
) -> None:
    low, high = sorted((one, other))
    assert strength(lab(low, family)) <= strength(lab(high, family))


@given(bound=numbers, inside=numbers, comparator=comparators, family=families)
def test_t102_a_comparator_never_gives_more_certainty_than_the_number(
    bound: Decimal, inside: Decimal, comparator: Comparator, family: str
) -> None:
    meant = {
        Comparator.LESS: inside < bound,
        Comparator.AT_MOST: inside <= bound,
        Comparator.MORE: inside > bound,
        Comparator.AT_LEAST: inside >= bound,
    }
    assume(meant[comparator])
    certain = fired(lab(bound, family, comparator)) - {"threshold-indeterminate"}
    assert certain <= fired(lab(inside, family))


@given(value=numbers, family=families, unit=st.data())
def test_t101_an_exact_factor_inside_a_family_changes_no_finding(
    value: Decimal, family: str, unit: st.DataObject
) -> None:
    others = [row for row in SIL2R.unit_rows if row.family == family and row.ucum]
    row = unit.draw(st.sampled_from(others))
    scaled = value / row.factor
    assume(scaled * row.factor == value)
    same = lab(scaled, family, unit=row.text, ranges=(within("158", "623", CANONICAL[family]),))
    assert fired(same) == fired(lab(value, family))


@given(value=numbers, unit=texts)
def test_t101_an_unknown_unit_never_yields_a_finding(value: Decimal, unit: str) -> None:
    assume(unit not in SIL2R.units)
    answer = answer_to(lab(value, unit=unit or "?"), SIL2R)
    assert not isinstance(answer.verdict, Interpreted)
    assert not findings(answer)


@given(value=numbers, code=texts)
def test_t103_an_unknown_specimen_never_yields_a_literature_finding(
    value: Decimal, code: str
) -> None:
    strange = SpecimenGiven(SpecimenLink.RESOLVED, (Coding("urn:oid:2.999.9", code),))
    answer = answer_to(lab(value, loinc="38352-1", specimen=strange), SIL2R)
    assert not findings(answer)


@given(value=numbers, comparator=st.sampled_from(list(Comparator)))
def test_t103_blood_and_csf_never_meet_each_others_limits(
    value: Decimal, comparator: Comparator
) -> None:
    assume(value > 0)
    blood = fired(lab(value, "mass", comparator))
    csf = fired(lab(value, "mass", comparator, loinc=CSF))
    assert not {name for name in blood if name.startswith("csf-")}
    assert not {name for name in csf if name.startswith("hlh-")}
    assert not blood & LITERATURE - {"threshold-indeterminate"}


@given(value=numbers, laboratory=texts, method=texts, unit=texts, version=texts)
def test_t31_no_text_from_outside_breaks_a_card(
    value: Decimal, laboratory: str, method: str, unit: str, version: str
) -> None:
    given_result = lab(value, unit=unit or "?", laboratory=laboratory, method=method)
    (card,) = render(evaluated(record(given_result), SIL2R), SIL2R, scope=version)
    written = card.as_json()
    assert 0 < len(written["summary"]) <= LONGEST_SUMMARY
    assert "\n" not in written["summary"]
    assert "<" not in written["detail"].replace("&lt;", "")
    assert written["indicator"] in {"info", "warning"}
    assert written["detail"].rstrip().endswith("silence is no all-clear.")


@given(value=numbers, family=families)
def test_t53_the_number_on_the_card_is_the_text_that_came(value: Decimal, family: str) -> None:
    (card,) = render(evaluated(record(lab(value, family)), SIL2R), SIL2R, scope="x")
    assert f"{value:f} {CANONICAL[family]}" in card.as_json()["summary"]


@given(value=numbers)
def test_the_same_record_gives_the_same_cards(value: Decimal) -> None:
    first, second = (
        [card.as_json() for card in render(evaluated(record(lab(value)), SIL2R), SIL2R, scope="x")]
        for _ in range(2)
    )
    assert first == second
