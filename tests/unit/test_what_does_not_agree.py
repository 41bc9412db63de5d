"""Results, versions and names that do not agree: the card says so, and decides nothing by an id.

Read as the ward reads them, with the packaged knowledge. All patients are invented.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cds_service.core.card import Card
from cds_service.core.comparable import laboratory_name
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import (
    LabResult,
    PatientRecord,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
)
from cds_service.core.note import NoteKind
from cds_service.core.render import render
from cds_service.core.schema import AssayFactor
from tests import records
from tests.safety.walk import CSF, SERUM, companion, entries

SERUM_U, SERUM_MASS, CSF_MASS = "9654-5", "76039-7", "99768-4"
ONE_TIME = (
    "More than one result of {} bears the same time ({}), and held against a limit they do not"
)


def card(record: PatientRecord, knowledge: KnowledgeBase) -> Card:
    """The first card about a record."""
    return render(records.evaluated(record, knowledge), knowledge, scope="s")[0]


def beside(knowledge: KnowledgeBase, *values: str) -> tuple[LabResult, ...]:
    """`ferritin 480 ng/mL`: results of one day, each under an id of its own."""
    told = (value.split(" ", 1) for value in values)
    given = (companion(knowledge, name, amount) for name, amount in told)
    return tuple(
        replace(each, ref=ResourceRef(f"Observation/{number}")) for number, each in enumerate(given)
    )


# ------------------------------------------------------------------ two companions of one time


@pytest.mark.parametrize("values", [("480", "5200"), ("5200", "480")])
def test_an_item_with_two_results_of_one_time_is_unknown_and_shows_what_each_of_them_gives(
    sil2r: KnowledgeBase, values: tuple[str, str]
) -> None:
    """Two feeds send the ferritin of one sample; no id decides which of them is believed."""
    labs = beside(sil2r, *(f"ferritin {value} ng/mL" for value in values))
    found = card(records.record(records.result("3000 U/mL", SERUM_U), companions=labs), sil2r)
    counted = found.detail.partition("- Ferritin at or above 500 ng/mL: ")[2].partition("\n")[0]
    assert counted.startswith("unknown (ferritin ")
    assert "ferritin 480 ng/mL of 2026-03-01 against 'at or above 500 ng/mL'" in counted
    assert "ferritin 5200 ng/mL of 2026-03-01 against 'at or above 500 ng/mL'" in counted
    assert "ferritin" not in found.extension["missing"]


def test_an_index_that_two_ferritins_of_one_time_leave_open_is_not_claimed_and_not_hidden(
    sil2r: KnowledgeBase,
) -> None:
    """Both reach the 500 ng/mL of HLH-2004, one the 1000 ng/mL of the OHI index."""
    labs = beside(sil2r, "ferritin 900 ng/mL", "ferritin 5200 ng/mL")
    malignancy = (entries(sil2r)["condition.haematological-malignancy"],)
    result = records.result("5000 U/mL", SERUM_U, specimen=SERUM)
    said = card(records.record(result, companions=labs, entries=malignancy), sil2r).detail
    assert "OHI index" not in said
    assert "- Ferritin at or above 500 ng/mL: met" in said
    assert any(
        ONE_TIME.format("ferritin", both) in said
        for both in ("900 ng/mL, 5200 ng/mL", "5200 ng/mL, 900 ng/mL")
    )


def test_a_quiet_card_on_which_two_results_of_one_time_leave_an_item_open_says_when_to_call(
    sil2r: KnowledgeBase,
) -> None:
    """The fibrinogen is normal, and the ferritin is either 480 or 5200 ng/mL."""
    labs = ("fibrinogen 3.0 g/L", "ferritin 480 ng/mL")
    ranges = (records.within("223", "710", "U/mL"),)
    result = records.result("300 U/mL", SERUM_U, ranges=ranges)
    given = records.record(result, companions=beside(sil2r, *labs, "ferritin 5200 ng/mL"))
    if_ill = "If fever, falling blood counts or a large liver or spleen is present"
    assert if_ill in card(given, sil2r).detail
    assert if_ill not in card(replace(given, companions=beside(sil2r, *labs)), sil2r).detail


@pytest.mark.parametrize(
    ("value", "loinc"), [("300 U/mL", SERUM_U), ("300", SERUM_U), ("4 pg/mL", "33939-0")]
)
@pytest.mark.parametrize("two", [("480", "5200"), ("5200", "480")])
def test_where_one_of_two_results_of_one_time_makes_a_second_item_the_summary_is_urgent(
    sil2r: KnowledgeBase, value: str, loinc: str, two: tuple[str, str]
) -> None:
    """Counts have fallen, and the ferritin is either 480 or 5200 ng/mL: with the 5200 alone the
    card leads with two items that are met, and it never says less because a 480 came beside it.
    """
    counts = ("platelets 40 10*9/L", "neutrophils 0.4 10*9/L")
    ranges = (records.within("223", "710", "U/mL"),)
    labs = beside(sil2r, *counts, *(f"ferritin {ferritin} ng/mL" for ferritin in two))
    given = records.record(records.result(value, loinc, ranges=ranges), companions=labs)
    found = card(given, sil2r)
    assert found.summary.endswith("other HLH-2004 items may be met, discuss urgently")
    told = found.detail.partition("results of one time is the right one (")[2]
    assert {"480 ng/mL", "5200 ng/mL", "40 10\\*9/L"} <= set(re.findall(r"[\d.]+ [^,)]+", told))
    assert "are met (" not in found.detail


@pytest.mark.parametrize(
    "labs",
    [
        ("ferritin 480 ng/mL", "ferritin 5200 ng/mL"),
        ("ferritin 480 ng/mL", "ferritin 490 ng/mL", "platelets 40 10*9/L", "haemoglobin 70 g/L"),
        ("triglycerides 200 mg/dL", "triglycerides 300 mg/dL", "ferritin 900 ng/mL"),
    ],
    ids=["one item at the most", "neither is met", "met only if fasting"],
)
def test_where_none_of_them_makes_a_second_item_the_summary_stays(
    sil2r: KnowledgeBase, labs: tuple[str, ...]
) -> None:
    given = records.record(records.result("300 U/mL", SERUM_U), companions=beside(sil2r, *labs))
    assert "discuss urgently" not in card(given, sil2r).summary


def test_where_an_age_would_settle_one_of_them_the_birth_date_is_still_called_missing(
    sil2r: KnowledgeBase,
) -> None:
    """Haemoglobin of 95 g/L counts below four weeks of age, one of 80 g/L at any age."""
    labs = beside(sil2r, "haemoglobin 95 g/L", "haemoglobin 80 g/L")
    given = records.record(
        records.result("3000 U/mL", SERUM_U), companions=labs, patient=records.born("2026")
    )
    fact = records.answer_to(given, sil2r).facts["limit.hlh-haemoglobin"]
    assert (fact.value, fact.missing) == ("disputed", ("birth-date",))


def test_kidneys_that_two_creatinines_of_one_time_leave_open_are_told(sil2r: KnowledgeBase) -> None:
    labs = beside(sil2r, "creatinine 1.1 mg/dL", "creatinine 4.1 mg/dL")
    result = records.result("900 U/mL", SERUM_U, ranges=(records.within("223", "710", "U/mL"),))
    said = card(records.record(result, companions=labs), sil2r).detail
    assert "Renal impairment is recorded" not in said
    assert ONE_TIME.format("creatinine", "4.1 mg/dL, 1.1 mg/dL") in said


def test_a_machine_and_a_hand_that_count_nearly_alike_need_no_note(sil2r: KnowledgeBase) -> None:
    labs = beside(sil2r, "neutrophils 0.5 10*9/L", "neutrophils 0.6 10*9/L")
    said = card(records.record(records.result("3000 U/mL", SERUM_U), companions=labs), sil2r).detail
    assert "bears the same time" not in said


def test_in_place_of_an_index_the_card_tells_the_albumins_that_leave_it_open(
    sil2r: KnowledgeBase,
) -> None:
    labs = beside(sil2r, "albumin-csf 20 mg/dL", "albumin-serum 30 g/L", "albumin-serum 45 g/L")
    fluid = records.named("c", "200 pg/mL", CSF_MASS, specimen=CSF)
    blood = records.named("s", "900 pg/mL", SERUM_MASS, specimen=SERUM)
    said = card(records.record(fluid, history=(blood,), companions=labs), sil2r).detail
    told = said.partition("(CSF/blood sIL-2R over CSF/serum albumin): ")[2].partition("\n")[0]
    assert told == "serum albumin has several values of one time (45 g/L, 30 g/L)."
    used = said.partition("**Used**")[2].partition("**Missing**")[0]
    assert all(f"Observation/{number}" in used for number in (1, 2))


@pytest.mark.parametrize("values", [("120", "900"), ("900", "120")])
def test_in_place_of_an_index_the_card_tells_the_values_of_the_other_specimen_that_leave_it_open(
    sil2r: KnowledgeBase, values: tuple[str, str]
) -> None:
    """Two results of CSF of one puncture: no id decides which of them is held against the blood."""
    labs = beside(sil2r, "albumin-csf 20 mg/dL", "albumin-serum 40 g/L")
    blood = records.named("s", "900 pg/mL", SERUM_MASS, specimen=SERUM)
    fluids = tuple(
        records.named(name, f"{value} pg/mL", CSF_MASS, specimen=CSF)
        for name, value in zip("ab", values, strict=True)
    )
    said = card(records.record(blood, history=fluids, companions=labs), sil2r).detail
    told = said.partition("(CSF/blood sIL-2R over CSF/serum albumin): ")[2].partition("\n")[0]
    assert told.startswith("CSF has several values of one time (")
    assert {"120 pg/mL", "900 pg/mL"} <= set(re.findall(r"\d+ pg/mL", told))


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_neither_card_of_a_pair_computes_an_index_from_one_of_two_results_of_one_time(
    sil2r: KnowledgeBase, names: str
) -> None:
    labs = beside(sil2r, "albumin-csf 20 mg/dL", "albumin-serum 40 g/L")
    fluid = records.named("c", "400 pg/mL", CSF_MASS, specimen=CSF)
    bloods = (
        records.named(name, f"{value} pg/mL", SERUM_MASS, specimen=SERUM)
        for name, value in zip(names, ("1000", "5000"), strict=True)
    )
    given = records.record(fluid, *bloods, companions=labs)
    evaluation = records.evaluated(given, sil2r)
    facts = [answer.facts["ratio.sil2r-index"] for answer in evaluation.answers]
    assert [fact.value for fact in facts] == ["unknown", "unknown"]
    assert all("serum/plasma has several values of one time" in fact.because for fact in facts)


def test_results_without_an_id_are_told_apart_by_their_values(sil2r: KnowledgeBase) -> None:
    """All of them have the same reference, which is none."""
    nameless = ResourceRef("Observation")
    labs = beside(sil2r, "albumin-csf 20 mg/dL", "albumin-serum 20 g/L", "albumin-serum 40 g/L")
    labs = tuple(replace(each, ref=nameless) for each in labs)
    fluid = replace(records.result("400 pg/mL", CSF_MASS, specimen=CSF), ref=nameless)
    blood = replace(records.result("900 pg/mL", SERUM_MASS, specimen=SERUM), ref=nameless)
    said = card(records.record(fluid, history=(blood,), companions=labs), sil2r).detail
    assert "serum albumin has several values of one time (" in said

    met = beside(sil2r, "ferritin 1200 ng/mL", "ferritin 5200 ng/mL")
    met = tuple(replace(each, ref=nameless) for each in met)
    said = card(records.record(records.result("3000 U/mL", SERUM_U), companions=met), sil2r).detail
    assert "- Ferritin at or above 500 ng/mL: met" in said
    assert "bears the same time" not in said


@pytest.mark.parametrize("values", [("3.5", "4.0"), ("4.0", "3.5"), ("3.5", "3.5")])
@pytest.mark.parametrize("order", [1, -1])
def test_what_a_fasting_sample_meets_is_met_whatever_another_of_its_time_presumes(
    sil2r: KnowledgeBase, values: tuple[str, str], order: int
) -> None:
    fasting, unstated = "47210-0", "14927-8"
    labs = tuple(
        replace(records.result(f"{value} mmol/L", loinc), ref=ResourceRef(f"Observation/{number}"))
        for number, (value, loinc) in enumerate(zip(values, (fasting, unstated), strict=True))
    )
    result = records.result("3000 U/mL", SERUM_U)
    answer = records.answer_to(records.record(result, companions=labs[::order]), sil2r)
    facts = [fact for name, fact in answer.facts.items() if "triglycerides" in name]
    assert "met" in {fact.value for fact in facts}
    assert "unknown" not in {fact.value for fact in facts}
    assert NoteKind.OF_ONE_TIME not in {note.kind for note in answer.notes}


@pytest.mark.parametrize(
    "two", [("creatinine", "1.9 mg/dL", "2.1 mg/dL"), ("ferritin", "480 ng/mL", "5200 ng/mL")]
)
def test_results_of_one_time_keep_no_newer_value_from_leading(
    sil2r: KnowledgeBase, two: tuple[str, str, str]
) -> None:
    """300 U/mL is final; 15000 U/mL of the day after is not yet."""
    name, *values = two
    old = records.named("old", "300 U/mL", SERUM_U, ranges=(records.within("223", "710", "U/mL"),))
    new = replace(
        records.named("new", "15000 U/mL", SERUM_U, on="2026-03-02"), status=Status.PRELIMINARY
    )
    labs = beside(sil2r, *(f"{name} {value}" for value in values))
    for given in (records.record(old, new), records.record(old, new, companions=labs)):
        assert "may be urgent" in card(given, sil2r).summary


# ------------------------------------------------------------------ two sIL-2R of one time


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize(
    ("graver", "other", "loinc"),
    [
        ("5230 U/mL", "520 U/mL", SERUM_U),
        ("2400 U/mL", "<3000 U/mL", SERUM_U),
        ("0.2 ng/mL", "140 pg/mL", CSF_MASS),
    ],
    ids=["high and low", "met and open", "the smaller number in the larger unit"],
)
def test_of_two_results_of_one_time_the_card_is_about_the_one_that_warns_whatever_their_ids(
    sil2r: KnowledgeBase, names: str, graver: str, other: str, loinc: str
) -> None:
    """Two feeds send one sample with two values, and no id says which of them stands."""
    one, two = (
        records.named(name, value, loinc)
        for name, value in zip(names, (graver, other), strict=True)
    )
    two = replace(two, ref=replace(two.ref, version="7"))  # versions of two ids order nothing
    found = card(records.record(one, two), sil2r)
    assert found.summary.startswith(f"sIL-2R {graver} (")
    assert found.indicator.value == "warning"
    beside = other.replace("<", "&lt;")
    assert f"A final result of the same specimen, {beside} (date: 2026-03-01)" in found.detail
    assert f"- 2026-03-01: {beside}, Laboratory A; direction cannot be told" in found.detail


def test_of_two_results_that_both_warn_or_do_not_the_choice_stays(sil2r: KnowledgeBase) -> None:
    for values in (("5230", "2600"), ("300", "320")):
        for order in (values, values[::-1]):
            results = (
                records.named(name, f"{value} U/mL", SERUM_U)
                for name, value in zip("ab", order, strict=True)
            )
            found = card(records.record(*results), sil2r)
            assert found.summary.startswith(f"sIL-2R {order[1]} U/mL")


def test_two_equal_results_beside_the_first_are_one_line(sil2r: KnowledgeBase) -> None:
    """Sent twice under two ids, as interfaces do: a reader learns nothing from a second line."""
    results = (
        records.named(name, value, SERUM_U)
        for name, value in zip("abc", ("520 U/mL", "520 U/mL", "5230 U/mL"), strict=True)
    )
    found = card(records.record(*results), sil2r)
    assert found.detail.count("A final result of the same specimen, 520 U/mL") == 1
    assert {"Observation/a", "Observation/b"} <= {
        used["resource"] for used in found.extension["inputs"]
    }


@pytest.mark.parametrize("on", ["2026-03-01", "2026-02-20"])
def test_a_result_without_an_id_hides_no_other_without_one(sil2r: KnowledgeBase, on: str) -> None:
    """A message whose results have no id: the lower value stands on the card, too."""
    nameless = ResourceRef("Observation")
    high = replace(records.result("5230 U/mL", SERUM_U), ref=nameless)
    low = replace(records.result("520 U/mL", SERUM_U, on), ref=nameless)
    found = card(records.record(low, high, high), sil2r)
    assert found.summary.startswith("sIL-2R 5230 U/mL")
    told = "then rose" if on < "2026-03-01" else "direction cannot be told"
    assert f"- {on}: 520 U/mL, Laboratory A; {told}" in found.detail
    assert found.detail.count("5230 U/mL, Laboratory A") == 0


def test_a_result_that_would_warn_is_not_hidden_behind_one_that_only_says_when_to_call(
    sil2r: KnowledgeBase,
) -> None:
    """One sample in pg/mL, for which there is no limit, and the next one, not final, in U/mL."""
    final = records.named("a", "1240 pg/mL", SERUM_MASS, specimen=SERUM)
    newer = replace(
        records.named("b", "12000 U/mL", SERUM_U, on="2026-03-02"), status=Status.PRELIMINARY
    )
    found = card(records.record(final, newer), sil2r)
    assert found.summary.endswith(": a newer result, not final, may be urgent")
    assert "12000 U/mL" in found.detail
    assert found.detail.count("discuss the patient urgently") == 1


@pytest.mark.parametrize("values", [("520", "5230"), ("5230", "520")])
def test_beside_csf_every_blood_value_of_one_time_is_shown(
    sil2r: KnowledgeBase, values: tuple[str, str]
) -> None:
    """The CSF has arrived, the blood is in the chart: 520 alone would reassure by its id."""
    fluid = records.named("c", "100 pg/mL", CSF_MASS, specimen=CSF)
    blood = tuple(records.named(f"b{n}", f"{v} U/mL", SERUM_U) for n, v in enumerate(values))
    found = card(records.record(fluid, history=blood), sil2r)
    later, earlier = values[::-1]
    shown = f"within 7 days: {later} U/mL or {earlier} U/mL (serum/plasma, 2026-03-01)"
    assert shown in found.detail
    assert {"Observation/b0", "Observation/b1"} <= {
        each["resource"] for each in found.extension["inputs"]
    }


# ------------------------------------------------------------------ a sample of somebody else

ELSES = SpecimenGiven(SpecimenLink.OF_ANOTHER_PATIENT)
RECORDED_FOR_ANOTHER = "its specimen is recorded for another patient"


def test_a_sample_that_is_recorded_for_another_patient_leads_a_quiet_card(
    sil2r: KnowledgeBase,
) -> None:
    """The mother's tube under the newborn's result, which lies within the range for the age."""
    ranges = (records.within("398", "1940", "U/mL"),)
    result = records.result("1700 U/mL", SERUM_U, specimen=ELSES, ranges=ranges)
    found = card(records.record(result, patient=records.born("2026-02-28")), sil2r)
    assert found.summary.endswith(f": {RECORDED_FOR_ANOTHER}")
    assert "Whose sample was measured is not certain" in found.detail


@pytest.mark.parametrize(
    ("value", "labs", "leads"),
    [
        ("3000 U/mL", (), "meets one HLH-2004 criterion"),
        ("300 U/mL", ("ferritin 5200 ng/mL", "fibrinogen 0.8 g/L"), "discuss urgently"),
        ("300", (), "no unit, so not interpreted"),
    ],
)
def test_behind_what_is_urgent_or_unreadable_it_stands_in_the_detail_at_least(
    sil2r: KnowledgeBase, value: str, labs: tuple[str, ...], leads: str
) -> None:
    result = records.result(value, SERUM_U, specimen=ELSES)
    found = card(records.record(result, companions=beside(sil2r, *labs)), sil2r)
    assert leads in found.summary
    assert "Whose sample was measured is not certain" in found.detail


def test_no_index_is_computed_across_a_specimen_that_is_recorded_for_another_patient(
    sil2r: KnowledgeBase,
) -> None:
    labs = beside(sil2r, "albumin-csf 20 mg/dL", "albumin-serum 40 g/L")
    fluid = records.named("c", "400 pg/mL", CSF_MASS, specimen=CSF)
    own = records.named("s", "1000 pg/mL", SERUM_MASS, specimen=SERUM)
    elses = records.named("s", "1000 pg/mL", SERUM_MASS, specimen=ELSES)
    for blood, value in ((own, "computed"), (elses, "not-applicable")):
        given = records.record(fluid, blood, companions=labs)
        answers = records.evaluated(given, sil2r).answers
        assert {answer.facts["ratio.sil2r-index"].value for answer in answers} == {value}


@pytest.mark.parametrize(
    ("link", "leads", "says"),
    [
        (
            SpecimenLink.ENTERED_IN_ERROR,
            "its specimen was entered in error",
            "Whether the value stands is not certain",
        ),
        (
            SpecimenLink.UNSATISFACTORY,
            "its specimen is marked unsatisfactory",
            "Ask the laboratory whether the value stands",
        ),
    ],
)
def test_a_sample_that_was_taken_back_or_is_unfit_leads_a_quiet_card(
    sil2r: KnowledgeBase, link: SpecimenLink, leads: str, says: str
) -> None:
    """The code names serum; the tube was haemolysed, or recorded by mistake."""
    ranges = (records.within("223", "710", "U/mL"),)
    result = records.result("500 U/mL", SERUM_U, specimen=SpecimenGiven(link), ranges=ranges)
    found = card(records.record(result), sil2r)
    assert found.summary.endswith(f": {leads}")
    assert says in found.detail


# ------------------------------------------------------------------ a sample from before birth


@pytest.mark.parametrize(
    ("birth", "is_told"),
    [("2026-03-01", False), ("2026-03-02", False), ("2026-03-03", True), ("2026", False)],
    ids=["born that day", "a day that zones may make", "two days later", "born that year"],
)
@pytest.mark.parametrize("value", ["500 U/mL", "500"])
def test_a_sample_from_before_the_patient_was_born_leads_a_quiet_card(
    sil2r: KnowledgeBase, value: str, birth: str, is_told: bool
) -> None:
    """The mother's result in the chart of the newborn: an age is unknown, and not that alone."""
    ranges = (records.within("223", "710", "U/mL"),)
    result = records.result(value, SERUM_U, ranges=ranges)
    found = card(records.record(result, patient=records.born(birth)), sil2r)
    assert found.summary.endswith("dated before the patient was born") is is_told
    assert ("The result is dated 2026-03-01, before the date of birth" in found.detail) is is_told
    assert not is_told or "Patient/p" in found.detail


# ------------------------------------------------------------------ two versions


def test_of_two_versions_the_card_says_that_they_are_in_no_order_not_that_nothing_tells(
    sil2r: KnowledgeBase,
) -> None:
    """One of them may bear a version or a time of its own; alone that orders nothing."""
    one = records.result("3000 U/mL", SERUM_U)
    other = replace(records.result("300 U/mL", SERUM_U), ref=ResourceRef(one.ref.resource))
    said = card(records.record(one, history=(other,)), sil2r).detail
    assert "Another version of this result says 300 U/mL" in said
    assert "does not put them in order: ask the laboratory which stands" in said
    assert "nothing tells" not in said


# ------------------------------------------------------------------ two names of a laboratory


def test_a_name_that_is_like_an_id_is_a_name_and_a_reference_in_its_place_is_none() -> None:
    named = records.result(laboratory="LabA", laboratory_reference="Organization/LabA")
    assert laboratory_name(named) == "LabA"
    assert laboratory_name(replace(named, laboratory="Organization/LabA")) == ""


@pytest.mark.parametrize(
    ("value", "factor", "scaled", "leads"),
    [
        ("2600 U/mL", "0.9", "2340 U/mL", "below the HLH-2004 criterion"),
        ("2300 U/mL", "1.10", "2530 U/mL", "meets one HLH-2004 criterion"),
        (">=2300 U/mL", "1.1", ">=2530 U/mL", "meets one HLH-2004 criterion"),
        ("<2600 kU/L", "0.9", "<2340 kU/L", "below the HLH-2004 criterion"),
    ],
)
def test_a_card_never_calls_a_value_below_a_limit_that_it_shows_to_be_above(
    sil2r: KnowledgeBase, value: str, factor: str, scaled: str, leads: str
) -> None:
    """What is held against the limits of studies stands beside what the laboratory reported."""
    own = AssayFactor(laboratory="Laboratory A", family="U", factor=factor, source="Letter")
    at_a_site = replace(sil2r, assays={own.laboratory: own})
    ranges = (records.within("200", "3000", "U/mL"),)
    found = card(records.record(records.result(value, SERUM_U, ranges=ranges)), at_a_site)
    told = f"sIL-2R {value} (serum/plasma): by the site's factor {scaled}, {leads}"
    assert found.summary.startswith(told)
    assert len(found.summary) < 140
    given, made = (text.replace("<", "&lt;").replace(">", "&gt;") for text in (value, scaled))
    assert f"(Letter), which gives {made}." in found.detail
    if "meets" in leads:
        assert (
            f"- {given} (by the site's factor {made}) reaches the sIL-2R criterion" in found.detail
        )


def test_the_multiple_of_the_laboratory_s_limit_is_not_said_of_what_a_factor_gives(
    sil2r: KnowledgeBase,
) -> None:
    """900 U/mL is above the range to 850 U/mL; 810 U/mL would not be."""
    own = AssayFactor(laboratory="Laboratory A", family="U", factor="0.9", source="Letter")
    at_a_site = replace(sil2r, assays={own.laboratory: own})
    ranges = (records.within("223", "850", "U/mL"),)
    found = card(records.record(records.result("900 U/mL", SERUM_U, ranges=ranges)), at_a_site)
    assert found.summary == (
        "sIL-2R 900 U/mL (serum/plasma): 1.1 times the laboratory's upper limit"
    )
    assert "(Letter), which gives 810 U/mL." in found.detail


@pytest.mark.parametrize("value", ["5230 U/mL", "5230.12345678901234567890 U/mL"])
def test_what_a_factor_gives_drives_nothing_from_the_summary_that_must_not_be_overlooked(
    sil2r: KnowledgeBase, value: str
) -> None:
    own = AssayFactor(laboratory="Laboratory A", family="U", factor="0.9", source="Letter")
    at_a_site = replace(sil2r, assays={own.laboratory: own})
    born_later = records.born("2026-03-05")
    found = card(records.record(records.result(value, SERUM_U), patient=born_later), at_a_site)
    assert found.summary.startswith(f"sIL-2R {value} (serum/plasma): meets one HLH-2004 criterion")
    assert found.summary.endswith("; dated before the patient was born")
    assert "(Letter), which gives 4707" in found.detail


@pytest.mark.parametrize(
    ("named", "used"),
    [("Central Laboratory", True), ("CENTRAL  LABORATORY", True), ("Laboratory *B*", False)],
)
def test_a_card_tells_whether_the_factor_of_the_site_was_used_and_whose_it_is(
    sil2r: KnowledgeBase, named: str, *, used: bool
) -> None:
    factor = AssayFactor(
        laboratory="Central laboratory", family="U", factor="0.5", source="Letter of 2026-02-01"
    )
    at_a_site = replace(sil2r, assays={factor.laboratory: factor})
    said = card(records.record(records.result("3000 U/mL", SERUM_U, laboratory=named)), at_a_site)
    assert ("was multiplied by 0.5" in said.detail) is used
    assert ("reaches the sIL-2R criterion" in said.detail) is not used
    not_used = (
        "This site holds a factor for the assay of Central laboratory. It was not used: the"
        " laboratory of this result is Laboratory \\*B\\*."
    )
    assert (not_used in said.detail) is not used


def test_a_result_that_names_no_laboratory_says_so_beside_the_factor(sil2r: KnowledgeBase) -> None:
    factor = AssayFactor(
        laboratory="Central laboratory", family="U", factor="0.5", source="Letter of 2026-02-01"
    )
    at_a_site = replace(sil2r, assays={factor.laboratory: factor})
    said = card(records.record(records.result("3000 U/mL", SERUM_U, laboratory="")), at_a_site)
    assert "It was not used: the laboratory of this result is unknown." in said.detail
