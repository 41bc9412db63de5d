"""Two results of another test bear one time and do not agree: no id decides which is believed."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import permutations

import pytest

from cds_service.core.elements import ResourceRef, Status
from cds_service.core.model import LabResult
from cds_service.core.note import NoteKind
from tests import records
from tests.packaged import SIL2R
from tests.unit.cards.given import (
    CODES,
    CSF_MASS,
    LABCORP,
    SERUM_MASS,
    SERUM_U,
    card,
    card_of,
    drawn,
    named,
    recorded,
    result,
)

ONE_TIME = "More than one result of {} counts for the same time ({}), and compared with a limit"


@pytest.mark.parametrize("values", [("480", "5200"), ("5200", "480")])
@pytest.mark.parametrize("version", ["1", "10"])
def test_an_item_with_two_results_of_one_time_is_unknown_and_shows_what_each_of_them_gives(
    values: tuple[str, str], version: str
) -> None:
    """Two feeds send the ferritin of one sample; no id decides which of them is believed, and no
    count of the versions of each.
    """
    first, second = drawn(*(f"ferritin {value} ng/mL" for value in values))
    labs = (first, replace(second, ref=ResourceRef(second.ref.resource, version)))
    found = card("3000 U/mL", companions=labs)
    counted = found.detail.partition("- Ferritin at or above 500 ng/mL: ")[2].partition("\n")[0]
    assert counted.startswith("unknown (ferritin ")
    assert "ferritin 480 ng/mL of 2026-03-01" in counted
    assert "ferritin 5200 ng/mL of 2026-03-01" in counted
    assert "ferritin" not in found.extension["missing"]


@pytest.mark.parametrize("on", ["2026-03-01", "2026-01-01"], ids=["of one day", "of another week"])
def test_two_versions_of_a_ferritin_are_told_and_the_graver_one_leads(on: str) -> None:
    """Neither carries a version. Before, none was counted, and no word told of either."""
    counts = drawn("platelets 60 10*9/L", "haemoglobin 79 g/L", "ferritin 480 ng/mL")
    (graver,) = drawn("ferritin 5200 ng/mL", on=on)
    versions = (*counts, replace(graver, ref=counts[-1].ref))
    for labs in permutations(versions):
        found = card("300 U/mL", companions=labs)
        assert found.summary.endswith("other HLH-2004 items may be met, discuss urgently")
        assert "More than one result of ferritin counts for the same time (" in found.detail
        assert "ferritin" not in found.extension["missing"]


def test_an_index_that_two_ferritins_of_one_time_leave_open_is_not_claimed_and_not_hidden() -> None:
    """Both reach the 500 ng/mL of HLH-2004, one the 1000 ng/mL of the OHI index."""
    labs = drawn("ferritin 900 ng/mL", "ferritin 5200 ng/mL")
    malignancy = recorded("condition.haematological-malignancy")
    said = card("5000 U/mL", companions=labs, **malignancy).detail
    assert "OHI index" not in said
    assert "- Ferritin at or above 500 ng/mL: met" in said
    assert any(
        ONE_TIME.format("ferritin", both) in said
        for both in ("900 ng/mL, 5200 ng/mL", "5200 ng/mL, 900 ng/mL")
    )


def test_a_quiet_card_on_which_two_results_of_one_time_leave_an_item_open_says_when_to_call() -> (
    None
):
    """The fibrinogen is normal, and the ferritin is either 480 or 5200 ng/mL."""
    one = drawn("fibrinogen 3.0 g/L", "ferritin 480 ng/mL")
    two = drawn("fibrinogen 3.0 g/L", "ferritin 480 ng/mL", "ferritin 5200 ng/mL")
    if_ill = "With fever, low or falling blood counts, or a large liver or spleen"
    assert if_ill in card("300 U/mL", ranges=LABCORP, companions=two).detail
    assert if_ill not in card("300 U/mL", ranges=LABCORP, companions=one).detail


@pytest.mark.parametrize(
    ("value", "loinc"), [("300 U/mL", SERUM_U), ("300", SERUM_U), ("4 pg/mL", "33939-0")]
)
@pytest.mark.parametrize("two", [("480", "5200"), ("5200", "480")])
def test_where_one_of_two_results_of_one_time_makes_a_second_item_the_summary_is_urgent(
    value: str, loinc: str, two: tuple[str, str]
) -> None:
    """Counts have fallen, and the ferritin is either 480 or 5200 ng/mL: with the 5200 alone the
    card leads with two items that are met, and it never says less because a 480 came beside it.
    """
    counts = ("platelets 40 10*9/L", "neutrophils 0.4 10*9/L")
    labs = drawn(*counts, *(f"ferritin {ferritin} ng/mL" for ferritin in two))
    found = card(value, loinc, LABCORP, companions=labs)
    assert found.summary.endswith("other HLH-2004 items may be met, discuss urgently")
    told = found.detail.partition("the more abnormal one is right (")[2]
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
def test_where_none_of_them_makes_a_second_item_the_summary_stays(labs: tuple[str, ...]) -> None:
    assert "discuss urgently" not in card("300 U/mL", companions=drawn(*labs)).summary


def test_where_an_age_would_settle_one_of_them_the_birth_date_is_still_called_missing() -> None:
    """Haemoglobin of 95 g/L counts below four weeks of age, one of 80 g/L at any age."""
    labs = drawn("haemoglobin 80 g/L", "haemoglobin 95 g/L")
    given = records.record(result("3000 U/mL"), companions=labs, patient=records.born("2026"))
    fact = records.answer_to(given, SIL2R).facts["limit.hlh-haemoglobin"]
    assert (fact.name, fact.value) == ("limit.hlh-haemoglobin", "disputed")
    assert fact.missing == ("birth-date",)


def test_kidneys_that_two_creatinines_of_one_time_leave_open_are_told() -> None:
    labs = drawn("creatinine 1.1 mg/dL", "creatinine 4.1 mg/dL")
    said = card("900 U/mL", ranges=LABCORP, companions=labs).detail
    assert "renal impairment alone" not in said
    assert ONE_TIME.format("creatinine", "4.1 mg/dL, 1.1 mg/dL") in said


def test_a_machine_and_a_hand_that_count_nearly_alike_need_no_note() -> None:
    labs = drawn("neutrophils 0.5 10*9/L", "neutrophils 0.6 10*9/L")
    said = card("3000 U/mL", companions=labs).detail
    assert "counts for the same time" not in said


def test_in_place_of_an_index_the_card_tells_the_albumins_that_leave_it_open() -> None:
    labs = drawn("albumin-csf 20 mg/dL", "albumin-serum 30 g/L", "albumin-serum 45 g/L")
    blood = named("s", "900 pg/mL", SERUM_MASS)
    said = card("200 pg/mL", CSF_MASS, history=(blood,), companions=labs).detail
    told = said.partition("(CSF/blood sIL-2R over CSF/serum albumin): ")[2].partition("\n")[0]
    assert told == "serum albumin has several values of one time (45 g/L, 30 g/L)."
    used = said.partition("**Used**")[2].partition("**Missing**")[0]
    assert "Observation/albumin-serum " in used
    assert "Observation/albumin-serum1 " in used


@pytest.mark.parametrize("values", [("120", "900"), ("900", "120")])
def test_in_place_of_an_index_the_card_tells_the_values_of_the_other_specimen_that_leave_it_open(
    values: tuple[str, str],
) -> None:
    """Two results of CSF of one puncture: no id decides which of them is held against the blood."""
    labs = drawn("albumin-csf 20 mg/dL", "albumin-serum 40 g/L")
    fluids = tuple(
        named(name, f"{value} pg/mL", CSF_MASS) for name, value in zip("ab", values, strict=True)
    )
    said = card("900 pg/mL", SERUM_MASS, history=fluids, companions=labs).detail
    told = said.partition("(CSF/blood sIL-2R over CSF/serum albumin): ")[2].partition("\n")[0]
    assert told.startswith("CSF has several values of one time (")
    assert {"120 pg/mL", "900 pg/mL"} <= set(re.findall(r"\d+ pg/mL", told))


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_neither_card_of_a_pair_computes_an_index_from_one_of_two_results_of_one_time(
    names: str,
) -> None:
    labs = drawn("albumin-csf 20 mg/dL", "albumin-serum 40 g/L")
    fluid = named("c", "400 pg/mL", CSF_MASS)
    bloods = (
        named(name, f"{value} pg/mL", SERUM_MASS)
        for name, value in zip(names, ("1000", "5000"), strict=True)
    )
    given = records.record(fluid, *bloods, companions=labs)
    answers = records.evaluated(given, SIL2R).answers
    facts = [answer.facts["ratio.sil2r-index"] for answer in answers]
    assert [fact.value for fact in facts] == ["unknown", "unknown"]
    assert all("serum/plasma has several values of one time" in fact.because for fact in facts)


NAMELESS = ResourceRef("Observation")
"""The reference of a result that came without an id."""


def nameless(*values: str) -> tuple[LabResult, ...]:
    return tuple(replace(each, ref=NAMELESS) for each in drawn(*values))


def test_results_without_an_id_are_told_apart_by_their_values() -> None:
    labs = nameless("albumin-csf 20 mg/dL", "albumin-serum 20 g/L", "albumin-serum 40 g/L")
    fluid = result("400 pg/mL", CSF_MASS, ref=NAMELESS)
    blood = result("900 pg/mL", SERUM_MASS, ref=NAMELESS)
    said = card_of(records.record(fluid, history=(blood,), companions=labs)).detail
    assert "serum albumin has several values of one time (" in said


def test_two_results_without_an_id_that_meet_an_item_alike_need_no_note() -> None:
    met = nameless("ferritin 1200 ng/mL", "ferritin 5200 ng/mL")
    said = card("3000 U/mL", companions=met).detail
    assert "- Ferritin at or above 500 ng/mL: met" in said
    assert "counts for the same time" not in said


@pytest.mark.parametrize("values", [("3.5", "4.0"), ("4.0", "3.5"), ("3.5", "3.5")])
@pytest.mark.parametrize("order", [1, -1])
def test_what_a_fasting_sample_meets_is_met_whatever_another_of_its_time_presumes(
    values: tuple[str, str], order: int
) -> None:
    fasting, unstated = values
    labs = (
        records.named("0", f"{fasting} mmol/L", CODES["fasting triglycerides"]),
        records.named("1", f"{unstated} mmol/L", "14927-8"),
    )
    given = records.record(result("3000 U/mL"), companions=labs[::order])
    answer = records.answer_to(given, SIL2R)
    facts = [fact for name, fact in answer.facts.items() if "triglycerides" in name]
    assert "met" in {fact.value for fact in facts}
    assert "unknown" not in {fact.value for fact in facts}
    assert NoteKind.OF_ONE_TIME not in {note.kind for note in answer.notes}


@pytest.mark.parametrize(
    "two", [("creatinine", "1.9 mg/dL", "2.1 mg/dL"), ("ferritin", "480 ng/mL", "5200 ng/mL")]
)
def test_results_of_one_time_keep_no_newer_value_from_leading(two: tuple[str, str, str]) -> None:
    """300 U/mL is final; 15000 U/mL of the day after is not yet."""
    name, *values = two
    old = named("old", "300 U/mL", ranges=LABCORP)
    new = named("new", "15000 U/mL", on="2026-03-02", status=Status.PRELIMINARY)
    labs = drawn(*(f"{name} {value}" for value in values))
    for given in (records.record(old, new), records.record(old, new, companions=labs)):
        assert "may be urgent" in card_of(given).summary
