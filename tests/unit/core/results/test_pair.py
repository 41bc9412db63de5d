"""Two specimens drawn together are paired within seven days."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from cds_service.core.elements import Status
from cds_service.core.model import LabResult
from cds_service.core.verdict import Answer, PairedWith, Unpaired
from tests import toy
from tests.records import companions, evaluated, findings, named, record, specimen
from tests.unit.core.results.pair_of import A_WEEK_LATER, ALBUMINS, beside, dew, sap

TOY = toy.knowledge()


def paired_value(answer: Answer) -> str:
    assert isinstance(answer.paired, PairedWith)
    return answer.paired.value.text


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
        paired = beside(dew(), *others).paired
        assert isinstance(paired, PairedWith)
        assert paired.specimen == "sap"


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
    for head, other, kind in ((sap(), dew(), "dew"), (dew(), sap(), "sap")):
        pair = beside(head, other).facts["pair"]
        assert (pair.value, pair.inputs) == ("paired", (other.ref,))
        assert pair.because == f"a {kind} result lies within the pair window"


def test_two_results_that_arrive_together_are_a_pair() -> None:
    answers = evaluated(record(dew(), sap())).answers
    assert [answer.facts["pair"].value for answer in answers] == ["paired", "paired"]


@pytest.mark.parametrize("status", [Status.PRELIMINARY, Status.ENTERED_IN_ERROR])
def test_a_result_that_is_not_final_pairs_with_nothing(status: Status) -> None:
    assert beside(dew(), sap(status=status)).paired == Unpaired()


def test_a_value_that_cannot_be_understood_pairs_with_nothing() -> None:
    assert beside(dew(), sap("1000 mg")).paired == Unpaired()


def test_a_nearer_value_that_cannot_be_understood_hides_no_pair_that_can() -> None:
    """Blood of the same hour came in an unknown unit; that of two days before was read."""
    before = named("before", "900 pg/mL", toy.SAP_MASS, on="2026-02-27")
    for others in permutations((sap("1000 mg"), before)):
        assert paired_value(beside(dew(), *others)) == "900"


def test_the_other_value_is_shown_as_received() -> None:
    paired = beside(dew(), sap("1000.0 pg/mL")).paired
    assert isinstance(paired, PairedWith)
    assert (paired.specimen, paired.value.text, paired.value.unit) == ("sap", "1000.0", "pg/mL")


def test_every_other_value_of_the_pairs_time_is_told_with_it_and_each_once() -> None:
    """Only an id puts one before another, so none of them may pass for the value of that day."""
    values = {"a": "1000", "b": "900", "c": "800", "d": "800"}
    others = [named(name, f"{value} pg/mL", toy.SAP_MASS) for name, value in values.items()]
    for arrived in permutations(others):
        paired = beside(dew(), *arrived).paired
        assert isinstance(paired, PairedWith)
        told = [paired.value.text, *(value.text for _, value in paired.of_one_time)]
        assert sorted(told) == ["1000", "800", "900"]


def test_a_value_whose_specimen_nobody_knows_is_not_told_as_one_of_the_pairs() -> None:
    nowhere = named("nowhere", "900 pg/mL", toy.SAP_MASS, specimen=specimen("no-such-code"))
    paired = beside(dew(), sap(), nowhere).paired
    assert isinstance(paired, PairedWith)
    assert paired.of_one_time == ()
