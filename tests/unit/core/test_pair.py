"""Two specimens drawn together: paired within seven days, with an index where albumins allow."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from cds_service.core.fact import Fact
from cds_service.core.model import LabResult, ResourceRef, Status
from cds_service.core.verdict import Answer, PairedWith, Unpaired
from tests import toy
from tests.records import answer_to, companions, evaluated, findings, named, record, specimen

TOY = toy.knowledge()
A_WEEK_LATER = date(2026, 3, 8)
"""When everything within seven days of 1 March can have been collected."""
ALBUMINS = ("albumin-csf 0.2 g/L", "albumin-serum 40 g/L")


def dew(value: str = "100 pg/mL", on: str = "2026-03-01", **changes: Any) -> LabResult:
    return named("dew", value, toy.DEW_MASS, on=on, **changes)


def sap(value: str = "1000 pg/mL", on: str = "2026-03-01", **changes: Any) -> LabResult:
    return named("sap", value, toy.SAP_MASS, on=on, **changes)


def beside(main: LabResult, *others: LabResult, albumins: tuple[str, ...] = ()) -> Answer:
    given = record(main, history=others, companions=companions(*albumins))
    return answer_to(given, at=A_WEEK_LATER)


def paired_value(answer: Answer) -> str:
    assert isinstance(answer.paired, PairedWith)
    return answer.paired.value.text


def index(main: LabResult, *others: LabResult, albumins: tuple[str, ...] = ALBUMINS) -> Fact:
    return beside(main, *others, albumins=albumins).facts["ratio.toy-index"]


@pytest.mark.parametrize(
    ("on", "paired"),
    [
        ("2026-03-01", True),
        ("2026-03-08", True),
        ("2026-02-22", True),
        ("2026-03-09", False),
        ("2026-03", False),
        ("", False),
    ],
)
def test_results_of_two_specimens_pair_within_seven_days(on: str, *, paired: bool) -> None:
    answer = beside(dew(), sap(on=on))
    assert isinstance(answer.paired, PairedWith) is paired
    assert ("toy-pair" in findings(answer)) is paired


def test_an_earlier_result_of_the_same_specimen_is_no_pair() -> None:
    answer = beside(dew(), named("before", "90 pg/mL", toy.DEW_MASS, on="2026-02-28"))
    assert answer.paired == Unpaired()
    assert "toy-pair" not in findings(answer)


def test_of_two_results_as_near_the_newer_is_the_pair() -> None:
    before = named("before", "900 pg/mL", toy.SAP_MASS, on="2026-02-28")
    after = named("after", "1000 pg/mL", toy.SAP_MASS, on="2026-03-02")
    for others in permutations((before, after)):
        assert paired_value(beside(dew(), *others)) == "1000"


def test_a_preliminary_value_of_one_id_puts_the_final_one_in_no_doubt() -> None:
    for others in permutations((sap("1000 pg/mL"), sap("100 pg/mL", status=Status.PRELIMINARY))):
        assert paired_value(beside(dew(), *others)) == "1000"


def test_a_result_with_two_values_and_nothing_to_tell_which_is_newer_is_no_pair() -> None:
    for others in ((sap("1000 pg/mL"), sap("100 pg/mL")), (sap("100 pg/mL"), sap("1000 pg/mL"))):
        assert beside(dew(), *others).paired == Unpaired()


def test_a_result_that_may_be_of_this_specimen_and_of_another_value_is_no_pair() -> None:
    assert beside(dew(), sap(), named("sap", "100 pg/mL", toy.DEW_MASS)).paired == Unpaired()


def test_a_version_that_settles_no_specimen_leaves_the_other_in_no_doubt() -> None:
    unsettled = sap(specimen=specimen("no-such-code"))
    for others in permutations((sap(), unsettled)):
        assert isinstance(beside(dew(), *others).paired, PairedWith)


def test_a_preliminary_result_that_the_site_reads_is_no_pair_of_its_own_final_version() -> None:
    policy = TOY.policy.model_copy(update={"interpret_preliminary": True})
    before = named("sap", "100 pg/mL", toy.DEW_MASS, status=Status.PRELIMINARY)
    answers = evaluated(record(before, sap()), replace(TOY, policy=policy)).answers
    assert [answer.paired for answer in answers] == [Unpaired(), Unpaired()]


@pytest.mark.parametrize("other", ["1000 pg/mL", "100 pg/mL"])
@pytest.mark.parametrize("third", [dew("200 pg/mL"), named("third", "200 pg/mL", toy.SAP_MASS)])
def test_two_versions_of_two_specimens_are_no_pair_of_a_third_result_from_either_side(
    third: LabResult, other: str
) -> None:
    """Nothing tells which version stands, so which specimen it is of cannot be told either."""
    versions = (sap("1000 pg/mL"), named("sap", other, toy.DEW_MASS))
    for results in ((*versions, third), (third, *reversed(versions))):
        given = record(*results, companions=companions(*ALBUMINS))
        answers = evaluated(given, at=A_WEEK_LATER).answers
        assert {answer.specimen for answer in answers} == {"sap", "dew"}
        assert [answer.paired for answer in answers] == [Unpaired(), Unpaired()]


def test_a_value_beside_which_another_version_stands_is_held_against_no_other_specimen() -> None:
    """The card asks to rely on neither of the two; an index of one of them would."""
    assert beside(sap("1000 pg/mL"), sap("100 pg/mL"), dew()).paired == Unpaired()


def test_of_two_results_within_the_window_the_nearest_is_the_pair() -> None:
    """Blood drawn with the CSF is its pair, not blood drawn five days later."""
    later = named("later", "900 pg/mL", toy.SAP_MASS, on="2026-03-06")
    for others in ((later, sap()), (sap(), later)):
        paired = beside(dew(), *others).paired
        assert isinstance(paired, PairedWith)
        assert paired.value.text == "1000"


def test_a_result_dated_ahead_of_today_is_no_pair() -> None:
    assert beside(dew(on="2026-03-08"), sap(on="2026-03-10")).paired == Unpaired()


def test_a_pair_is_seen_from_both_sides() -> None:
    assert beside(sap(), dew()).facts["pair"].value == "paired"
    assert beside(dew(), sap()).facts["pair"].value == "paired"


def test_two_results_that_arrive_together_are_a_pair() -> None:
    answers = evaluated(record(dew(), sap())).answers
    assert [answer.facts["pair"].value for answer in answers] == ["paired", "paired"]


@pytest.mark.parametrize("status", [Status.PRELIMINARY, Status.ENTERED_IN_ERROR])
def test_a_result_that_is_not_final_pairs_with_nothing(status: Status) -> None:
    assert beside(dew(), sap(status=status)).paired == Unpaired()


def test_a_value_that_cannot_be_understood_pairs_with_nothing() -> None:
    assert beside(dew(), sap("1000 mg")).paired == Unpaired()


def test_the_other_value_is_shown_as_received() -> None:
    paired = beside(dew(), sap("1000.0 pg/mL")).paired
    assert isinstance(paired, PairedWith)
    assert (paired.specimen, paired.value.text, paired.value.unit) == ("sap", "1000.0", "pg/mL")


# ------------------------------------------------------------------ the index


@pytest.mark.parametrize("main", [dew(), sap()])
def test_the_index_is_the_same_from_whichever_side_it_is_seen(main: LabResult) -> None:
    other = sap() if main == dew() else dew()
    fact = index(main, other)
    assert (fact.value, fact.because) == ("computed", "20.00")


def test_the_index_is_exact_across_units_of_one_family() -> None:
    albumins = ("albumin-csf 200 mg/L", "albumin-serum 40 g/L")
    assert index(dew(), sap("1 ng/mL"), albumins=albumins).because == "20.00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("0.5 pg/mL", "0.10"), ("0.49 pg/mL", "0.0980"), ("3 pg/mL", "0.60"), ("100 pg/mL", "20.00")],
)
def test_the_index_carries_no_more_digits_than_its_inputs(value: str, shown: str) -> None:
    assert index(dew(value), sap()).because == shown


@pytest.mark.parametrize(
    ("albumins", "missing"),
    [
        ((), ("albumin-csf", "albumin-serum")),
        (ALBUMINS[:1], ("albumin-serum",)),
        (ALBUMINS[1:], ("albumin-csf",)),
        (("albumin-csf 0.2 mol", ALBUMINS[1]), ("albumin-csf",)),
    ],
)
def test_a_missing_albumin_is_named_and_no_index_is_given(
    albumins: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    fact = index(dew(), sap(), albumins=albumins)
    assert (fact.value, fact.missing) == ("unknown", missing)
    assert set(missing) <= set(beside(dew(), sap(), albumins=albumins).missing)


@pytest.mark.parametrize(
    ("main", "other", "albumins"),
    [
        (dew("<100 pg/mL"), sap(), ALBUMINS),
        (dew(), sap(">1000 pg/mL"), ALBUMINS),
        (dew(), sap("0 pg/mL"), ALBUMINS),
        (dew(), sap(), ("albumin-csf 0.2 g/L", "albumin-serum 0 g/L")),
        (dew(), sap(), ("albumin-csf <0.2 g/L", "albumin-serum 40 g/L")),
    ],
)
def test_no_index_is_made_of_a_comparator_or_of_zero(
    main: LabResult, other: LabResult, albumins: tuple[str, ...]
) -> None:
    assert index(main, other, albumins=albumins).value == "unknown"


@pytest.mark.parametrize("main", ["sap", "dew"])
def test_no_index_where_the_unit_of_either_result_contradicts_its_code(main: str) -> None:
    """The code is for points, the unit is of mass: which of the two is wrong, nobody knows."""
    wrong = named("sap", "1000 pg/mL", toy.SAP_POINTS)
    fact = index(wrong, dew()) if main == "sap" else index(dew(), wrong)
    assert fact.value == "not-applicable"


def test_no_index_across_unit_families() -> None:
    points = named("sap", "1000 pt/mL", toy.SAP_POINTS)
    assert index(dew(), points).value == "not-applicable"


@pytest.mark.parametrize(
    ("own", "others", "why"),
    [
        ({}, {"laboratory": "Laboratory B"}, "of one laboratory"),
        ({"laboratory": ""}, {"laboratory": ""}, "of one laboratory"),
        ({}, {"laboratory": ""}, "of one laboratory"),
        (
            {"laboratory_reference": "Organization/1"},
            {"laboratory_reference": "Organization/2"},
            "of one laboratory",
        ),
        ({"method": "ELISA"}, {"method": "CLIA"}, "different methods"),
    ],
)
def test_no_index_unless_one_named_laboratory_made_both_by_one_method(
    own: dict[str, str], others: dict[str, str], why: str
) -> None:
    """Two assays in one unit can disagree: their quotient says nothing about the patient."""
    fact = index(dew(**own), sap(**others))
    assert fact.value == "not-applicable"
    assert why in fact.because


@pytest.mark.parametrize(
    ("own", "others"),
    [
        ({"method": "ELISA"}, {"method": "ELISA"}),
        ({"method": "ELISA"}, {}),
        (
            {"laboratory": "Lab", "laboratory_reference": "Organization/1"},
            {
                "laboratory": "The laboratory",
                "laboratory_reference": "https://e.org/Organization/1",
            },
        ),
    ],
)
def test_an_index_where_one_laboratory_is_named_and_no_method_speaks_against_it(
    own: dict[str, str], others: dict[str, str]
) -> None:
    assert index(dew(**own), sap(**others)).because == "20.00"


def test_no_index_without_a_pair() -> None:
    assert index(dew()).value == "not-applicable"


def test_the_results_that_an_index_rests_on_are_its_inputs() -> None:
    assert {ref.resource for ref in index(dew(), sap()).inputs} == {
        "Observation/albumin-csf",
        "Observation/albumin-serum",
        "Observation/sap",
    }


def test_no_index_where_an_albumin_has_two_values_of_one_time_and_the_card_tells_both() -> None:
    """Whichever id is the later one, neither albumin is taken for the other."""
    for low, high in (("30", "45"), ("45", "30")):
        albumins = companions(ALBUMINS[0], f"albumin-serum {low} g/L", f"albumin-serum {high} g/L")
        several = tuple(
            replace(each, ref=ResourceRef(f"Observation/{number}", "1"))
            for number, each in enumerate(albumins)
        )
        answer = answer_to(record(dew(), history=(sap(),), companions=several))
        fact = answer.facts["ratio.toy-index"]
        assert (fact.value, fact.missing) == ("unknown", ())
        assert {"30 g/L", "45 g/L"} <= set(re.findall(r"\d+ g/L", fact.because))


def test_an_albumin_that_was_sent_twice_with_one_value_makes_an_index() -> None:
    serum = companions(ALBUMINS[1])[0]
    again = replace(serum, ref=ResourceRef("Observation/again", "1"))
    given = record(dew(), history=(sap(),), companions=(*companions(ALBUMINS[0]), serum, again))
    assert answer_to(given).facts["ratio.toy-index"].because == "20.00"
