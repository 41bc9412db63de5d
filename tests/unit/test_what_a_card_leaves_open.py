"""Cards on which something cannot be told: they name it, and never reassure instead.

Read as the ward reads them, with the packaged knowledge. All patients are invented adults, unless a
birth date says otherwise.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.card import Card
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import (
    Availability,
    Bound,
    Coding,
    LabResult,
    Moment,
    NotNumeric,
    NoValue,
    ReferenceRange,
    ResourceRef,
    SpecimenGiven,
    Status,
    UnitGiven,
)
from cds_service.core.quantity import UCUM
from cds_service.core.render import render
from tests import records
from tests.safety.walk import CSF, SERUM, entries

SERUM_U, SERUM_MASS, CSF_MASS, CSF_U = "9654-5", "76039-7", "99768-4", "38352-1"
ARUP = (records.within("175.3", "858.2", "pg/mL"),)
LABCORP = (records.within("223", "710", "U/mL"),)
URGENT = "discuss the patient urgently with a specialist"
HLH_2004_OPEN = (
    "the sIL-2R criterion of HLH-2004, which is in U/mL, is neither met nor not met here"
)


def card(
    knowledge: KnowledgeBase,
    value: str,
    loinc: str = SERUM_U,
    ranges: tuple[ReferenceRange, ...] = (),
    **changes: Any,
) -> Card:
    """The one card about one result; `changes` are to the record around it."""
    fluid: SpecimenGiven = CSF if loinc in {CSF_MASS, CSF_U} else SERUM
    result = records.result(value, loinc, specimen=fluid, ranges=ranges)
    return card_of(knowledge, records.record(result, **changes))


def card_of(knowledge: KnowledgeBase, record: Any) -> Card:
    (only,) = render(records.evaluated(record, knowledge), knowledge, scope="s")
    return only


def recorded(knowledge: KnowledgeBase, condition: str) -> dict[str, Any]:
    return {"entries": (entries(knowledge)[f"condition.{condition}"],)}


# ------------------------------------------------------------------ a range that is not applied


IN_PREGNANCY = records.within(
    "150", "1200", "U/mL", applies_to=(Coding("http://snomed.info/sct", "77386006"),)
)
NOT_APPLIED = "since nothing tells whether it is for this patient: 150 to 1200 U/mL."


def test_a_range_for_pregnancy_is_named_beside_the_one_that_is_applied(
    sil2r: KnowledgeBase,
) -> None:
    above = card(sil2r, "900 U/mL", SERUM_U, (*LABCORP, IN_PREGNANCY))
    assert "above-laboratory-limit" in above.extension["findings"]
    assert NOT_APPLIED in above.detail


def test_a_range_for_some_people_only_is_no_range_and_is_named(sil2r: KnowledgeBase) -> None:
    alone = card(sil2r, "900 U/mL", SERUM_U, (IN_PREGNANCY,))
    assert "no-laboratory-limit" in alone.extension["findings"]
    assert NOT_APPLIED in alone.detail
    in_mass_units = card(sil2r, "900 U/mL", SERUM_MASS, (IN_PREGNANCY,))
    assert in_mass_units.extension["reason"] == "unit-code-conflict"
    assert NOT_APPLIED in in_mass_units.detail


# ------------------------------------------------------------------ a unit without a limit


@pytest.mark.parametrize(
    ("value", "ranges"),
    [("9000 pg/mL", ARUP), ("2400 pg/mL", ARUP), ("90000 pg/mL", ()), ("30 ng/mL", ())],
)
def test_a_high_result_in_mass_units_says_that_the_hlh_criterion_is_open(
    sil2r: KnowledgeBase, value: str, ranges: tuple[ReferenceRange, ...]
) -> None:
    said = card(sil2r, value, SERUM_MASS, ranges).detail
    assert HLH_2004_OPEN in said
    assert URGENT in said
    assert "2400 U/mL" not in said


def test_a_result_in_mass_units_within_the_range_is_told_the_same_without_alarm(
    sil2r: KnowledgeBase,
) -> None:
    said = card(sil2r, "400 pg/mL", SERUM_MASS, ARUP).detail
    assert HLH_2004_OPEN in said
    assert URGENT not in said


def test_a_value_above_the_range_names_hlh_among_its_causes(sil2r: KnowledgeBase) -> None:
    for value, loinc, ranges in (("9000 pg/mL", SERUM_MASS, ARUP), ("900 U/mL", SERUM_U, LABCORP)):
        assert "infection, malignancy, HLH," in card(sil2r, value, loinc, ranges).detail


def test_csf_in_units_without_a_range_names_what_is_open_and_is_urgent_if_ill(
    sil2r: KnowledgeBase,
) -> None:
    said = card(sil2r, "8000 U/mL", CSF_U).detail
    assert "infection including tuberculosis, lymphoma, CNS-HLH and neurosarcoidosis" in said
    assert URGENT in said
    assert "HLH-2004" not in said


@pytest.mark.parametrize(("creatinine", "told"), [("2.1", True), ("<3.0", False), ("2.0", False)])
def test_creatinine_that_may_be_above_its_limit_is_no_caveat_and_no_open_limit_of_the_result(
    sil2r: KnowledgeBase, creatinine: str, *, told: bool
) -> None:
    drawn = (records.named("creatinine", f"{creatinine} mg/dL", "2160-0"),)
    findings = card(sil2r, "1400 U/mL", companions=drawn).extension["findings"]
    assert ("context-renal-impairment" in findings) is told
    assert "threshold-indeterminate" not in findings


OTHER_FIGURES = {"pg/mL": r"[0-9] U/mL", "U/mL": r"[0-9] pg/mL"}


@pytest.mark.parametrize("loinc", [SERUM_MASS, CSF_U, SERUM_U, CSF_MASS])
@pytest.mark.parametrize(
    "condition", ["dialysis", "hiv", "infection", "hlh", "sarcoidosis", "transplant", "sle"]
)
def test_no_figure_of_a_study_stands_on_a_card_in_another_unit(
    sil2r: KnowledgeBase, loinc: str, condition: str
) -> None:
    unit = "pg/mL" if loinc in {SERUM_MASS, CSF_MASS} else "U/mL"
    child, ranges = records.born("2020-01-01"), (records.within("10", "2000", unit),)
    for value in ("60", "1900", "9000"):
        context = recorded(sil2r, condition)
        said = card(sil2r, f"{value} {unit}", loinc, ranges, patient=child, **context).detail
        assert re.findall(OTHER_FIGURES[unit], said.partition("**Sources**")[0]) == []


def test_the_figures_of_a_study_stand_on_a_card_in_its_unit(sil2r: KnowledgeBase) -> None:
    assert "median 1268 U/mL" in card(sil2r, "900 U/mL", **recorded(sil2r, "dialysis")).detail
    in_mass = card(sil2r, "900 pg/mL", SERUM_MASS, **recorded(sil2r, "dialysis")).detail
    assert "97.38% of 382 patients on haemodialysis exceeded the upper limit." in in_mass


def test_a_result_that_a_limit_is_for_gets_no_such_note(sil2r: KnowledgeBase) -> None:
    for value, loinc in (("300 U/mL", SERUM_U), ("100 pg/mL", CSF_MASS), ("5230 U/mL", SERUM_U)):
        said = card(sil2r, value, loinc).detail
        assert "limits in other units" not in said
        assert URGENT not in said


# ------------------------------------------------------------------ a limit inside the interval


HLH_2004 = "2400 U/mL (sIL-2R criterion of HLH-2004)"
NEUROSARCOIDOSIS = "150 pg/mL (limit described for untreated neurosarcoidosis)"
OWN = "223 to 710 U/mL (the laboratory's own range)"


@pytest.mark.parametrize(
    ("given", "headline", "named"),
    [
        (("<200 pg/mL", CSF_MASS), "150 pg/mL", NEUROSARCOIDOSIS),
        ((">=150 pg/mL", CSF_MASS), "150 pg/mL", NEUROSARCOIDOSIS),
        (("<3000 U/mL",), "2400 U/mL", HLH_2004),
        (
            ("<3000 U/mL", SERUM_U, LABCORP),
            "2400 U/mL or the laboratory's own range",
            f"{HLH_2004} or {OWN}",
        ),
        (
            (">2000 U/mL", SERUM_U, LABCORP),
            "2400 U/mL or 10000 U/mL",
            f"{HLH_2004} or 10000 U/mL (HLH study of 78 adults)",
        ),
    ],
)
def test_a_limit_that_is_left_open_speaks_first_is_named_and_is_urgent_if_ill(
    sil2r: KnowledgeBase, given: tuple[Any, ...], headline: str, named: str
) -> None:
    said = card(sil2r, *given)
    assert said.summary.endswith(f": may lie on either side of {headline}")
    assert f"it may lie on either side of {named}" in said.detail
    assert URGENT in said.detail


def test_a_limit_that_is_met_speaks_before_one_that_is_left_open(sil2r: KnowledgeBase) -> None:
    said = card(sil2r, ">5000 U/mL", ranges=LABCORP)
    assert "meets one HLH-2004 criterion" in said.summary
    assert "either side of 10000 U/mL (HLH study of 78 adults)" in said.detail
    assert URGENT not in said.detail  # the criterion says it: hours count


def test_an_open_bound_of_the_laboratory_alone_is_not_urgent(sil2r: KnowledgeBase) -> None:
    said = card(sil2r, "<600 U/mL", ranges=LABCORP)
    assert "HLH less likely" in said.summary
    assert f"either side of {OWN}" in said.detail
    assert URGENT not in said.detail


def test_a_sentence_about_the_multiple_begins_with_a_capital(sil2r: KnowledgeBase) -> None:
    for value in (">2000 U/mL", "710.1 U/mL", "5230 U/mL"):
        lines = card(sil2r, value, ranges=LABCORP).detail.splitlines()
        assert [line for line in lines if line.startswith("- ") and line[2].islower()] == []


# ------------------------------------------------------------------ what may be falsely low


def test_a_quiet_card_names_what_can_make_a_value_falsely_low(sil2r: KnowledgeBase) -> None:
    without_a_range = card(sil2r, "300 U/mL").detail
    assert "Very high biotin levels make the value falsely low in some assays." in without_a_range
    within = card(sil2r, "400 pg/mL", SERUM_MASS, ARUP).detail
    assert "Heterophile antibodies, asfotase alfa or biotin can falsify a value" in within


# ------------------------------------------------------------------ children


def test_a_child_s_card_tells_how_the_criterion_performed_in_children(
    sil2r: KnowledgeBase,
) -> None:
    in_children = "In children the sIL-2R criterion of HLH-2004 had a sensitivity of 93%"
    for birth, is_child in (("2020-01-01", True), ("1980-01-01", False), ("", False)):
        said = card(sil2r, "5230 U/mL", patient=records.born(birth)).detail
        assert (in_children in said) is is_child
    in_mass = card(sil2r, "5230 pg/mL", SERUM_MASS, patient=records.born("2020-01-01")).detail
    assert in_children not in in_mass


# ------------------------------------------------------------------ what the record explains


def test_with_hlh_recorded_a_low_value_is_not_called_an_argument_against_it(
    sil2r: KnowledgeBase,
) -> None:
    said = card(sil2r, "300 U/mL", ranges=LABCORP, **recorded(sil2r, "hlh"))
    assert "less likely" not in said.summary + said.detail
    assert "a low value is no argument against a recorded one" in said.detail


def test_the_csf_study_of_hlh_is_told_as_what_it_was(sil2r: KnowledgeBase) -> None:
    said = card(sil2r, "212 pg/mL", CSF_MASS, **recorded(sil2r, "hlh")).detail
    assert "In 36 children with HLH, 13 of them with CNS disease, 154.64 pg/mL" in said


@pytest.mark.parametrize("condition", ["infection", "hiv", "dialysis", "car-t"])
def test_hours_still_count_where_the_record_explains_a_part_of_the_value(
    sil2r: KnowledgeBase, condition: str
) -> None:
    said = card(sil2r, "5230 U/mL", ranges=LABCORP, **recorded(sil2r, condition)).detail
    assert "weighs less here" in said
    assert "hours count: complete the other criteria now and speak to a specialist" in said


def test_after_a_haemorrhage_the_card_says_what_its_drafts_are_for(sil2r: KnowledgeBase) -> None:
    context = recorded(sil2r, "subarachnoid-haemorrhage")
    said = card(sil2r, "212 pg/mL", CSF_MASS, **context).detail
    assert "by itself calls for no action" in said
    assert "any draft on this card is for a value that the bleeding does not explain" in said


def test_what_is_known_of_childrens_blood_is_not_said_of_their_csf(sil2r: KnowledgeBase) -> None:
    child = {"patient": records.born("2020-01-01")}
    about_blood = "Values are higher in children and fall with age"
    assert about_blood in card(sil2r, "900 U/mL", **child).detail
    in_csf = card(sil2r, "212 pg/mL", CSF_MASS, **child).detail
    assert about_blood not in in_csf
    assert "not applied" not in in_csf


def test_beside_a_warning_a_missing_range_does_not_call_the_value_neither_high_nor_low(
    sil2r: KnowledgeBase,
) -> None:
    for value, loinc in (("12000 U/mL", SERUM_U), ("212 pg/mL", CSF_MASS)):
        said = card(sil2r, value, loinc).detail
        assert "neither high nor low" not in said
        assert "this service cannot tell how far the value is from this laboratory's" in said


# ------------------------------------------------------------------ the laboratory's own flag


def flagged(knowledge: KnowledgeBase, *flags: str, **changes: Any) -> Card:
    result = records.result("50000 pg/mL", SERUM_MASS, specimen=SERUM, flags=flags, **changes)
    return card_of(knowledge, records.record(result))


def test_a_flag_of_the_laboratory_is_shown_as_received_and_decides_nothing(
    sil2r: KnowledgeBase,
) -> None:
    told = flagged(sil2r, "HH")
    assert "; status final; laboratory's flag HH; laboratory Laboratory A." in told.detail
    without = flagged(sil2r)
    assert told.detail.replace("laboratory's flag HH; ", "") == without.detail
    assert (told.summary, told.indicator) == (without.summary, without.indicator)


def test_a_flag_is_text_and_not_markup(sil2r: KnowledgeBase) -> None:
    assert "laboratory's flag H, &lt;b&gt;\\*x\\*" in flagged(sil2r, "H", "<b>*x*").detail


def test_of_a_withdrawn_result_the_flag_is_no_more_shown_than_the_value(
    sil2r: KnowledgeBase,
) -> None:
    gone = records.result(
        "50000 pg/mL", SERUM_MASS, specimen=SERUM, flags=("HH",), status=Status.ENTERED_IN_ERROR
    )
    carded = frozenset({gone.ref.resource})
    told = card_of(sil2r, records.record(gone, carded_before=carded))
    assert "50000" not in told.detail
    assert "flag" not in told.detail


# ------------------------------------------------------------------ what could not be read


def test_a_unit_whose_text_and_code_differ_is_told_as_that(sil2r: KnowledgeBase) -> None:
    value = replace(records.measured("5230"), unit=UnitGiven("pg/mL", "U/mL", UCUM))
    result = replace(records.result(loinc=SERUM_U, specimen=SERUM), value=value)
    said = card_of(sil2r, records.record(result)).detail
    assert "The unit came as text (pg/mL) and as code (U/mL)" in said
    assert "not one this service knows" not in said


@pytest.mark.parametrize("text", ["U/L", "mU/L", "kU/mL", "x10^3 U/mL", "mmol/L", "%", "ratio"])
def test_a_text_that_is_not_the_unit_of_the_code_is_never_read_as_it(
    sil2r: KnowledgeBase, text: str
) -> None:
    """5230 U/L is 5.23 U/mL: far below the criterion that the code alone would meet."""
    value = replace(records.measured("5230"), unit=UnitGiven(text, "U/mL", UCUM))
    result = replace(records.result(loinc=SERUM_U, specimen=SERUM, ranges=LABCORP), value=value)
    said = card_of(sil2r, records.record(result))
    assert said.extension["reason"] == "unit-unknown"
    assert "findings" not in said.extension
    assert said.summary.startswith(f"sIL-2R 5230 {text} or U/mL (serum/plasma): unit not recogni")
    assert "2400" not in said.detail


def test_what_a_card_says_of_a_value_is_in_the_unit_that_was_understood(
    sil2r: KnowledgeBase,
) -> None:
    value = replace(records.measured("5230"), unit=UnitGiven(" u / ML", "U/mL", UCUM))
    result = replace(records.result(loinc=SERUM_U, specimen=SERUM), value=value)
    said = card_of(sil2r, records.record(result))
    assert said.summary.startswith("sIL-2R 5230 U/mL (serum/plasma): meets one HLH-2004 criterion")
    assert "ML" not in said.detail


def test_a_companion_whose_unit_text_is_another_unit_than_its_code_is_missing(
    sil2r: KnowledgeBase,
) -> None:
    ferritin = records.result("5200 ng/mL", "2276-4", ref=ResourceRef("Observation/f", "1"))
    milligrams = UnitGiven("mg/L", "ng/mL", UCUM)
    doubtful = replace(ferritin, value=replace(records.measured("5200"), unit=milligrams))

    def missing(companion: LabResult) -> list[str]:
        return card(sil2r, "5230 U/mL", companions=(companion,)).extension["missing"]

    assert "ferritin" not in missing(ferritin)
    assert "ferritin" in missing(doubtful)


def ferritin(value: str, unit: UnitGiven, name: str = "f") -> LabResult:
    received = records.result(f"{value} ng/mL", "2276-4", ref=ResourceRef(f"Observation/{name}"))
    return replace(received, value=replace(records.measured(value), unit=unit))


NANOGRAMS = UnitGiven("ng/mL", "ng/mL", UCUM)
LEFT = "could not be used, because of their unit: "


@pytest.mark.parametrize(
    ("unit", "told"),
    [
        (UnitGiven("mg/L"), "ferritin 12 mg/L"),
        (UnitGiven("mg/L", "ng/mL", UCUM), "ferritin 12 mg/L or ng/mL"),
        (UnitGiven(), "ferritin 12"),
        (UnitGiven("pmol/L"), "ferritin 12 pmol/L"),
    ],
    ids=["a slip or a thousand times", "two units", "no unit", "moles under the code of a mass"],
)
@pytest.mark.parametrize(
    ("value", "loinc"), [("1800 U/mL", SERUM_U), ("1800", SERUM_U), ("90 pg/mL", CSF_MASS)]
)
def test_another_result_whose_unit_is_not_understood_is_named_and_not_only_called_missing(
    sil2r: KnowledgeBase, unit: UnitGiven, told: str, value: str, loinc: str
) -> None:
    """Ferritin of 12 mg/L, which would be 12,000 ng/mL: "missing" alone hides that it was done."""
    said = card(sil2r, value, loinc, companions=(ferritin("12", unit),))
    assert f"{LEFT}{told}. They are not counted" in said.detail
    assert {"resource": "Observation/f"} in said.extension["inputs"]


@pytest.mark.parametrize(
    ("platelets", "neutrophils", "calls"),
    [("40 10*9/L", "0.4 10*9/L", True), ("240 10*9/L", "4.0 10*9/L", False)],
    ids=["fallen", "normal"],
)
def test_beside_an_item_that_is_met_one_that_cannot_be_read_says_when_to_call(
    sil2r: KnowledgeBase, platelets: str, neutrophils: str, calls: bool
) -> None:
    """Ferritin of 12 mg/L may be the second item; beside normal counts it would be the first."""
    counts = tuple(
        records.result(value, loinc, ref=ResourceRef(f"Observation/{loinc}"))
        for value, loinc in ((platelets, "777-3"), (neutrophils, "751-8"))
    )
    labs = (*counts, ferritin("12", UnitGiven("mg/L")))
    told = card(sil2r, "300 U/mL", ranges=LABCORP, companions=labs).detail
    assert (URGENT in told) is calls
    assert URGENT not in card(sil2r, "300 U/mL", ranges=LABCORP, companions=counts).detail


@pytest.mark.parametrize(("value", "loinc"), [("300 umol/L", "14682-9"), ("900 mg/mL", "2571-8")])
def test_one_that_cannot_be_the_second_item_does_not_call(
    sil2r: KnowledgeBase, value: str, loinc: str
) -> None:
    """Creatinine is no item of HLH-2004, and triglycerides are the same item as the fibrinogen."""
    fibrinogen = records.result("0.9 g/L", "3255-7", ref=ResourceRef("Observation/h"))
    left = records.result(value, loinc, ref=ResourceRef("Observation/c"))
    told = card(sil2r, "300 U/mL", ranges=LABCORP, companions=(fibrinogen, left)).detail
    assert LEFT in told
    assert URGENT not in told


def test_one_that_can_be_read_does_not_hide_one_that_cannot(sil2r: KnowledgeBase) -> None:
    """Ferritin of 480 ng/mL and of 5.2 mg/L in one sample, beside fibrinogen of 0.9 g/L."""
    both = (ferritin("480", NANOGRAMS), ferritin("5.2", UnitGiven("mg/L"), "g"))
    fibrinogen = records.result("0.9 g/L", "3255-7", ref=ResourceRef("Observation/h"))
    told = card(sil2r, "300 U/mL", ranges=LABCORP, companions=(*both, fibrinogen)).detail
    assert f"{LEFT}ferritin 5.2 mg/L. " in told
    assert URGENT in told


def test_of_a_week_of_such_results_the_nearest_is_named(sil2r: KnowledgeBase) -> None:
    week = [
        replace(
            ferritin(f"1{day}", UnitGiven("mg/L"), str(day)),
            collected=records.moment(f"2026-03-0{day}"),
        )
        for day in range(1, 7)
    ]
    for companions in (tuple(week), tuple(week[::-1])):
        assert f"{LEFT}ferritin 11 mg/L. " in card(sil2r, "1800 U/mL", companions=companions).detail


def test_a_result_in_moles_is_named_where_it_is_called_missing(sil2r: KnowledgeBase) -> None:
    """Creatinine is asked for in blood, where kidneys raise the value, and not in CSF."""
    moles = (records.result("300 umol/L", "14682-9", ref=ResourceRef("Observation/c")),)
    blood = card(sil2r, "1800 U/mL", companions=moles)
    assert f"{LEFT}creatinine 300 umol/L. " in blood.detail
    assert "creatinine" in blood.extension["missing"]
    assert LEFT not in card(sil2r, "90 pg/mL", CSF_MASS, companions=moles).detail


@pytest.mark.parametrize(
    "companions",
    [
        (ferritin("12", UnitGiven("pmol/L", "pmol/L", UCUM)), ferritin("9", NANOGRAMS, "g")),
        (replace(ferritin("12", UnitGiven("mg/L")), status=Status.PRELIMINARY),),
        (replace(ferritin("12", UnitGiven("mg/L")), collected=records.moment("2026-01-01")),),
        (records.result("55 %", "1751-7", ref=ResourceRef("Observation/a")),),
        (ferritin("-5", NANOGRAMS),),
        (replace(ferritin("0", NANOGRAMS), value=records.measured("<0 ng/mL")),),
    ],
    ids=[
        "beside one that is read",
        "not final",
        "too long ago",
        "albumin, which no limit is for",
        "in its unit, below zero",
        "in its unit, no value at all",
    ],
)
def test_what_is_read_or_is_of_no_use_is_not_named_so(
    sil2r: KnowledgeBase, companions: tuple[LabResult, ...]
) -> None:
    assert LEFT not in card(sil2r, "1800 U/mL", companions=companions).detail


def test_an_earlier_value_whose_unit_is_in_doubt_is_shown_with_both_units(
    sil2r: KnowledgeBase,
) -> None:
    value = replace(records.measured("5230"), unit=UnitGiven("U/L", "U/mL", UCUM))
    before = records.result(
        loinc=SERUM_U,
        specimen=SERUM,
        on="2026-02-01",
        ref=ResourceRef("Observation/before", "1"),
    )
    said = card(sil2r, "520 U/mL", history=(replace(before, value=value),)).detail
    assert "2026-02-01: 5230 U/L or U/mL, Laboratory A; not comparable with the next" in said


def test_an_earlier_result_without_a_value_is_shown_as_one(sil2r: KnowledgeBase) -> None:
    ref = ResourceRef("Observation/before", "1")
    before = records.result(loinc=SERUM_U, specimen=SERUM, on="2026-02-01", ref=ref)
    for value in (NoValue("unknown"), NotNumeric("valueString")):
        said = card(sil2r, "520 U/mL", history=(replace(before, value=value),)).detail
        assert "- 2026-02-01: unknown, Laboratory A; direction cannot be told" in said


def test_a_result_that_may_be_newer_is_named_with_both_units_where_its_unit_is_in_doubt(
    sil2r: KnowledgeBase,
) -> None:
    value = replace(records.measured("5230"), unit=UnitGiven("U/L", "U/mL", UCUM))
    same_day = records.result(
        loinc=SERUM_U, specimen=SERUM, ref=ResourceRef("Observation/beside", "1")
    )
    said = card(sil2r, "520 U/mL", history=(replace(same_day, value=value),)).detail
    assert "5230 U/L or U/mL (date: 2026-03-01), may be the newer one" in said


def test_the_bounds_of_a_range_are_shown_each_in_its_own_unit(sil2r: KnowledgeBase) -> None:
    """0.1753 ng/mL to 858.2 pg/mL is one range; "0.1753 to 858.2 ng/mL" would be another."""
    (in_pg,) = ARUP
    bound = Bound(records.number("0.1753"), records.coded("ng/mL"))
    said = card(sil2r, "900 pg/mL", SERUM_MASS, (replace(in_pg, low=bound),))
    assert "laboratory's range 0.1753 ng/mL to 858.2 pg/mL" in said.detail
    assert "above-laboratory-limit" in said.extension["findings"]


def test_a_bound_in_doubt_is_no_bound(sil2r: KnowledgeBase) -> None:
    (in_pg,) = ARUP
    bound = Bound(records.number("0.8582"), UnitGiven("ng/dL", "ng/mL", UCUM))
    said = card(sil2r, "900 pg/mL", SERUM_MASS, (replace(in_pg, high=bound),))
    assert "no-laboratory-limit" in said.extension["findings"]


def test_a_unit_that_is_only_unknown_is_not_called_a_contradiction(sil2r: KnowledgeBase) -> None:
    said = card(sil2r, "5230 furlong").detail
    assert "The unit (furlong) was not understood" in said
    assert "came as text" not in said


@pytest.mark.parametrize(
    "unit", [UnitGiven("IU/mL"), UnitGiven("", "IU/mL", UCUM), UnitGiven("U/mL", "U/mL", "urn:own")]
)
def test_a_unit_that_is_no_ucum_code_is_told_as_that_however_it_was_sent(
    sil2r: KnowledgeBase, unit: UnitGiven
) -> None:
    """`IU/mL` under the UCUM system is a code, and not one of UCUM's."""
    result = records.result(loinc=SERUM_U, specimen=SERUM)
    sent = replace(result, value=replace(records.measured("3000"), unit=unit))
    said = card_of(sil2r, records.record(sent)).detail
    assert f"The unit {unit.text or unit.code} came without a valid UCUM code" in said
    assert "came as text" not in said


def test_a_period_without_an_end_leaves_the_day_open_and_not_the_birth_date(
    sil2r: KnowledgeBase,
) -> None:
    day = records.moment("2026-02-20")
    assert isinstance(day, Moment)
    since = replace(day, text="2026-02-20/..", last_day=day.last_day.max)
    result = records.result("300 U/mL", SERUM_U, specimen=SERUM, collected=since)
    said = card_of(sil2r, records.record(result)).detail
    assert "date of birth" not in said
    assert "The day of collection is known only in part (2026-02-20/..)" in said


def test_a_birth_year_is_still_called_an_incomplete_date_of_birth(sil2r: KnowledgeBase) -> None:
    said = card(sil2r, "300 U/mL", patient=records.born("2008")).detail
    assert "date of birth" in said


def test_a_part_of_the_record_that_failed_is_named_as_under_missing(sil2r: KnowledgeBase) -> None:
    availability = {**records.LOOKED_FOR, "labs": Availability.FAILED}
    said = card(sil2r, "300 U/mL", availability=availability).detail
    assert "This part of the record could not be had: other laboratory results." in said


def test_a_newer_result_is_told_with_its_date(sil2r: KnowledgeBase) -> None:
    newer = records.named("newer", "300 U/mL", SERUM_U, specimen=SERUM, on="2026-03-02")
    said = card(sil2r, "5230 U/mL", history=(newer,)).detail
    assert "a newer result of the same specimen, collected 2026-03-02" in said


# ------------------------------------------------------------------ a newer value that is not final


def beside_preliminary(
    knowledge: KnowledgeBase, final: str, newer: str, loinc: str, ranges: tuple[ReferenceRange, ...]
) -> Card:
    """A final result of 1 March, and a preliminary one of 2 March."""
    fluid = CSF if loinc in {CSF_MASS, CSF_U} else SERUM
    of_both: dict[str, Any] = {"specimen": fluid, "ranges": ranges}
    old = records.result(final, loinc, **of_both)
    new = records.named("new", newer, loinc, on="2026-03-02", status=Status.PRELIMINARY, **of_both)
    return card_of(knowledge, records.record(old, new))


@pytest.mark.parametrize(
    ("final", "newer", "loinc", "ranges"),
    [
        ("300 U/mL", "50000 U/mL", SERUM_U, LABCORP),
        ("300 U/mL", ">2000 U/mL", SERUM_U, LABCORP),
        ("300 U/mL", "50000 furlong", SERUM_U, LABCORP),
        ("400 pg/mL", "9000 pg/mL", SERUM_MASS, ARUP),
        ("100 pg/mL", "212 pg/mL", CSF_MASS, ()),
    ],
)
def test_a_preliminary_value_that_would_be_urgent_is_not_hidden_behind_a_quiet_final_one(
    sil2r: KnowledgeBase, final: str, newer: str, loinc: str, ranges: tuple[ReferenceRange, ...]
) -> None:
    told = beside_preliminary(sil2r, final, newer, loinc, ranges)
    assert told.summary.endswith("): a newer result, not final, may be urgent")
    assert f"status preliminary: {newer.replace('>', '&gt;')}, collected 2026-03-02" in told.detail
    assert told.detail.count(URGENT) == 1
    assert told.indicator.value == "info"  # nothing is decided by a value that may still change


@pytest.mark.parametrize("newer", ["310 U/mL", "900 U/mL", "2399 U/mL"])
def test_a_preliminary_value_that_would_not_be_urgent_is_told_without_alarm(
    sil2r: KnowledgeBase, newer: str
) -> None:
    told = beside_preliminary(sil2r, "300 U/mL", newer, SERUM_U, LABCORP)
    assert "HLH less likely" in told.summary
    assert f"status preliminary: {newer}, collected 2026-03-02" in told.detail
    assert URGENT not in told.detail


def test_beside_a_warning_the_preliminary_value_is_told_and_the_warning_leads(
    sil2r: KnowledgeBase,
) -> None:
    told = beside_preliminary(sil2r, "3000 U/mL", "50000 U/mL", SERUM_U, LABCORP)
    assert "meets one HLH-2004 criterion" in told.summary
    assert "status preliminary: 50000 U/mL" in told.detail


# ------------------------------------------------------------------ wherever the newer one was sent


def arrived_before(knowledge: KnowledgeBase, *known: LabResult) -> Card:
    """A final 300 U/mL of 1 March, 8 in the morning, arrives; `known` are from the chart."""
    final = records.result(
        "300 U/mL",
        SERUM_U,
        specimen=SERUM,
        ranges=LABCORP,
        collected=records.moment("2026-03-01T08:00:00Z"),
    )
    return card_of(knowledge, records.record(final, history=known))


def known(value: str, on: str, status: Status, name: str = "known") -> LabResult:
    when = records.moment(on)
    return records.named(name, value, SERUM_U, specimen=SERUM, status=status, collected=when)


@pytest.mark.parametrize(
    ("on", "status", "headline"),
    [
        ("2026-03-02", Status.PRELIMINARY, "a newer result, not final, may be urgent"),
        ("2026-03-02", Status.FINAL, "a newer final result may be urgent"),
        ("2026-03-01", Status.PRELIMINARY, "another result, perhaps newer, may be urgent"),
        ("2026-03-01", Status.FINAL, "another result, perhaps newer, may be urgent"),
        ("", Status.PRELIMINARY, "another result, perhaps newer, may be urgent"),
    ],
)
def test_a_high_value_in_the_chart_that_may_be_newer_is_not_hidden_by_the_one_that_arrived(
    sil2r: KnowledgeBase, on: str, status: Status, headline: str
) -> None:
    told = arrived_before(sil2r, known("50000 U/mL", on, status))
    assert told.summary.endswith(f"): {headline}")
    assert "50000 U/mL" in told.detail
    assert told.detail.count(URGENT) == 1
    assert told.indicator.value == "info"
    used = told.extension["inputs"]
    assert {"resource": "Observation/known", "version": "1"} in used
    assert "Observation/known (version 1" in told.detail


@pytest.mark.parametrize("on", ["2026-03-02", "2026-03-01", ""])
@pytest.mark.parametrize("status", [Status.PRELIMINARY, Status.FINAL])
def test_a_quiet_value_in_the_chart_that_may_be_newer_is_told_without_alarm(
    sil2r: KnowledgeBase, on: str, status: Status
) -> None:
    told = arrived_before(sil2r, known("320 U/mL", on, status))
    assert "HLH less likely" in told.summary
    assert "320 U/mL" in told.detail.partition("**Context**")[2].partition("**Used**")[0]
    assert URGENT not in told.detail


def test_what_a_newer_final_result_has_replaced_is_not_told_again(sil2r: KnowledgeBase) -> None:
    """A preliminary 50,000 of 2 March, and the final 320 of 3 March."""
    replaced = known("50000 U/mL", "2026-03-02", Status.PRELIMINARY, "replaced")
    newest = known("320 U/mL", "2026-03-03", Status.FINAL, "newest")
    told = arrived_before(sil2r, replaced, newest)
    assert "There is a newer result of the same specimen, collected 2026-03-03: 320" in told.detail
    assert "50000" not in told.detail


def test_a_value_of_the_other_specimen_is_not_called_a_newer_one(sil2r: KnowledgeBase) -> None:
    fluid = records.named("known", "400 pg/mL", CSF_MASS, specimen=CSF, on="2026-03-02")
    told = arrived_before(sil2r, replace(fluid, status=Status.PRELIMINARY))
    assert "400 pg/mL" not in told.detail


def test_of_many_newer_ones_the_urgent_one_is_never_the_one_left_out(sil2r: KnowledgeBase) -> None:
    """Four preliminary values since: 50,000 first, then three of 320."""
    high = known("50000 U/mL", "2026-03-02T00:00:00Z", Status.PRELIMINARY, "high")
    low = [
        known("320 U/mL", f"2026-03-02T0{hour}:00:00Z", Status.PRELIMINARY, f"low-{hour}")
        for hour in (1, 2, 3)
    ]
    told = arrived_before(sil2r, high, *low)
    assert told.summary.endswith("): a newer result, not final, may be urgent")
    assert told.detail.count("320 U/mL") == 2


def test_where_none_that_arrived_is_final_a_final_one_of_the_chart_is_told_with_its_value(
    sil2r: KnowledgeBase,
) -> None:
    arrived = known("300 U/mL", "2026-03-01", Status.PRELIMINARY, "arrived")
    final = known("50000 U/mL", "2026-03-02", Status.FINAL)
    told = card_of(sil2r, records.record(arrived, history=(final,)))
    assert "collected 2026-03-02: 50000 U/mL" in told.detail


def test_a_withdrawn_value_is_not_shown_as_one_that_may_be_newer(sil2r: KnowledgeBase) -> None:
    told = arrived_before(sil2r, known("50000 U/mL", "", Status.ENTERED_IN_ERROR))
    assert "status entered-in-error" in told.detail
    assert "50000" not in told.detail
    assert URGENT not in told.detail


@pytest.mark.parametrize("status", [Status.PRELIMINARY, Status.FINAL])
def test_a_newer_result_without_a_value_is_told_without_alarm(
    sil2r: KnowledgeBase, status: Status
) -> None:
    newer = replace(known("320 U/mL", "2026-03-02", status), value=NoValue())
    told = arrived_before(sil2r, newer)
    assert "2026-03-02" in told.detail.partition("**Context**")[2]
    assert URGENT not in told.detail
