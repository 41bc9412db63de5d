"""One card per specimen kind: the newest final result, with what stands around it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from cds_service.core.elements import (
    Measured,
    NoMoment,
    NoValue,
    ReferenceRange,
    ResourceRef,
    Status,
)
from cds_service.core.model import LabResult
from cds_service.core.note import NoteKind
from cds_service.core.verdict import Direction
from tests import toy
from tests.records import (
    answer_to,
    evaluated,
    measured,
    moment,
    named,
    notes,
    record,
    result,
    specimen,
    text_only,
    within,
)
from tests.unit.core.results.reading_of import about, chart, day, read, told

# ------------------------------------------------------------------ the newest wins


def test_of_several_final_results_of_one_specimen_the_newest_by_collection_speaks() -> None:
    given = record(day("old", "2026-01-01"), day("new", "2026-02-01"), day("mid", "2026-01-15"))
    assert read(evaluated(given)) == {"new": "interpreted"}


@pytest.mark.parametrize(("early", "late"), [("a", "b"), ("b", "a")])
def test_of_two_collected_together_the_one_issued_later_speaks(early: str, late: str) -> None:
    first = day(early, "2026-02-01", issued=moment("2026-02-02"))
    second = day(late, "2026-02-01", issued=moment("2026-02-03"))
    assert read(evaluated(record(second, first))) == {late: "interpreted"}


@pytest.mark.parametrize(("lower", "higher"), [("1", "2"), ("9", "10")])
def test_of_two_versions_of_one_result_the_higher_number_speaks(lower: str, higher: str) -> None:
    """Even where the lower one has the higher value."""
    versions = [
        result(value, ref=ResourceRef("Observation/r", number))
        for number, value in ((lower, "5230 pt/mL"), (higher, "520 pt/mL"))
    ]
    for given in permutations(versions):
        assert answer_to(record(*given)).result.ref.version == higher


def without(reason: str) -> LabResult:
    return replace(result(), value=NoValue(reason))


def in_words(unit: str) -> LabResult:
    return replace(result(), value=replace(measured("520 pt/mL"), unit=text_only(unit)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(day("a", "2026-02-01"), day("b", "2026-02-01"), id="two ids"),
        pytest.param(named("r", "520 pt/mL"), named("r", "520 pg/mL"), id="two coded units"),
        pytest.param(in_words("pt/mL"), in_words("pg/mL"), id="two units in words"),
        pytest.param(without("unknown"), without("error"), id="two reasons for no value"),
    ],
)
def test_between_two_results_that_nothing_orders_the_same_one_speaks_every_time(
    one: LabResult, other: LabResult
) -> None:
    first, second = (answer_to(record(*results)) for results in permutations((one, other)))
    assert first.result == second.result


@pytest.mark.parametrize(
    ("higher", "lower"),
    [
        ("5230 pt/mL", "520 pt/mL"),
        ("1000 pt/mL", "999 pt/mL"),
        (">520 pt/mL", "520 pt/mL"),
        ("520 pt/mL", "<520 pt/mL"),
        ("<=520 pt/mL", "<520 pt/mL"),
    ],
)
def test_of_two_values_under_one_id_with_nothing_to_order_them_the_higher_one_speaks(
    higher: str, lower: str
) -> None:
    """Whichever was sent first: nobody is reassured by the order of a list."""
    versions = [named("Observation/r", value) for value in (lower, higher)]
    one, other = (answer_to(record(*order)) for order in permutations(versions))
    assert one == other
    assert isinstance(one.result, LabResult)
    assert one.result.value == measured(higher)
    assert notes(one)[NoteKind.OTHER_VERSION]["value"] == lower


@pytest.mark.parametrize(
    "wider", [(within("100", "2000"),), (within("100", ""),), ()], ids=["wider", "open", "none"]
)
def test_of_two_ranges_under_one_id_with_nothing_to_order_them_the_stricter_one_speaks(
    wider: tuple[ReferenceRange, ...],
) -> None:
    """700 is not called within the laboratory's range because that copy came first."""
    strict = within("100", "1000"), within("100", "623")
    versions = [named("r", "700 pt/mL", ranges=ranges) for ranges in (wider, strict)]
    for given in permutations(versions):
        said = answer_to(record(*given))
        assert isinstance(said.result, LabResult)
        assert said.result.ranges == strict


@pytest.mark.parametrize("number", ["5230", "0"])
def test_of_two_versions_of_which_one_has_no_number_the_number_speaks(number: str) -> None:
    versions = [named("r", f"{number} pt/mL"), replace(named("r", "1"), value=NoValue("unknown"))]
    for given in permutations(versions):
        assert answer_to(record(*given)).value.text == number


def test_a_result_without_collection_is_ordered_by_its_issue() -> None:
    undated = day("issued", "", issued=moment("2026-02-03"))
    assert read(evaluated(record(undated, day("old", "2026-02-01")))) == {"issued": "interpreted"}


def test_a_result_without_any_date_never_hides_a_dated_one() -> None:
    assert read(evaluated(record(day("never", ""), day("old", "2020-01-01")))) == {
        "old": "interpreted"
    }


def test_the_order_in_which_results_arrive_changes_nothing() -> None:
    results = [day(f"r{number}", f"2026-01-0{number}") for number in (1, 2, 3)]
    assert evaluated(record(*results)).answers == evaluated(record(*results[::-1])).answers


def test_each_specimen_kind_has_its_own_answer() -> None:
    given = record(day("sap", "2026-01-01"), named("dew", "51 pg/mL", toy.DEW_MASS))
    assert read(evaluated(given)) == {"dew": "interpreted", "sap": "interpreted"}


def test_results_hidden_by_the_same_reason_share_one_answer() -> None:
    given = record(
        named("one", "51 pg/mL", toy.ANY_MASS, on="2026-01-01"),
        named("two", "51 pg/mL", toy.ANY_MASS, on="2026-01-02"),
        named("three", "51 pg/mL", toy.ANY_MASS, specimen=specimen("RESIN")),
    )
    assert read(evaluated(given)) == {"three": "specimen-not-covered", "two": "specimen-unknown"}


# ------------------------------------------------------------------ a date that cannot be right


def test_a_result_dated_ahead_of_today_never_hides_another_and_is_named() -> None:
    """300 of Christmas must not hide 12,000 of this morning; today is 2 March."""
    wrong = named("wrong", "300 pt/mL", on="2026-12-25")
    real = named("real", "12000 pt/mL", on="2026-03-01")
    for given in ((wrong, real), (real, wrong)):
        for evaluation in (chart(record(*given)), evaluated(record(*given))):
            (answer,) = evaluation.answers
            assert about(answer) == "real"
            assert notes(answer) == {
                NoteKind.DATE_AHEAD: {"value": "300 pt/mL", "date": "2026-12-25"}
            }
            assert [point.direction for point in answer.series] == [Direction.CANNOT_TELL]


def test_a_result_dated_ahead_of_today_that_may_be_urgent_leads_like_one_without_a_date() -> None:
    """Nobody can tell from a wrong date how new 12,000 is."""
    real, wrong = named("real", "30 pt/mL"), named("wrong", "12000 pt/mL", on="2026-12-25")
    undated = replace(wrong, collected=NoMoment())
    for known in (wrong, undated):
        for given in (record(real, known), record(real, history=(known,))):
            answer = answer_to(given)
            assert about(answer) == "real"
            assert answer.notes[0].kind is NoteKind.PERHAPS_NEWER_URGENT
            assert answer.notes[0].values["value"] == "12000 pt/mL"
            assert (NoteKind.DATE_AHEAD in notes(answer)) is (known is wrong)


def test_a_result_dated_ahead_of_today_is_carded_where_it_is_the_only_one() -> None:
    only = record(named("only", "300 pt/mL", on="2026-12-25"))
    for evaluation in (chart(only), evaluated(only)):
        (answer,) = evaluation.answers
        assert told(answer) == "interpreted"
        assert notes(answer) == {NoteKind.DATE_AHEAD: {"value": "300 pt/mL", "date": "2026-12-25"}}


@pytest.mark.parametrize("changes", [{"status": Status.PRELIMINARY}, {"value": measured("3 mg")}])
def test_an_impossible_date_is_named_on_a_card_that_cannot_interpret(
    changes: dict[str, Any],
) -> None:
    given = replace(day("r", "2026-12-25"), **changes)
    assert NoteKind.DATE_AHEAD in notes(answer_to(given))


def test_an_issue_ahead_of_today_decides_nothing_between_two_collected_together() -> None:
    early = day("a", "2026-02-01", issued=moment("2026-12-25"))
    late = day("b", "2026-02-01", issued=moment("2026-02-02"))
    assert read(evaluated(record(early, late))) == {"b": "interpreted"}


def test_a_result_of_tomorrow_may_be_of_another_time_zone() -> None:
    given = record(day("today", "2026-03-02"), day("tomorrow", "2026-03-03"))
    answer = answer_to(given)
    assert (about(answer), notes(answer)) == ("tomorrow", {})


# ------------------------------------------------------------------ which one is the newest?


@pytest.mark.parametrize(
    ("high", "low"),
    [
        pytest.param("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z", id="one time"),
        pytest.param("2026-03-01T08:00:00Z", "2026-03-01T09:00:00+01:00", id="in two zones"),
        pytest.param("2026-03-01", "2026-03-01T08:00:00Z", id="day and time"),
        pytest.param("2026-03", "2026-03-01", id="month and day"),
        pytest.param("2026", "2026-03-01T08:00:00Z", id="year and time"),
        pytest.param("", "2026-03-01", id="no date"),
    ],
)
@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_where_the_dates_do_not_tell_the_newest_the_other_is_named_and_no_direction_told(
    high: str, low: str, ids: tuple[str, str]
) -> None:
    """5230 and 300 of one day: neither "then fell" nor "then rose" is known."""
    results = {
        ids[0]: named(ids[0], "5230 pt/mL", collected=moment(high)),
        ids[1]: named(ids[1], "300 pt/mL", collected=moment(low)),
    }
    one, other = (answer_to(record(*order)) for order in permutations(results.values()))
    assert one == other
    (unread,) = (found for found in results.values() if found is not results[about(one)])
    assert isinstance(unread.value, Measured)
    named_beside = notes(one)[NoteKind.ORDER_UNKNOWN]
    assert named_beside["value"] == f"{unread.value.number.text} pt/mL"
    assert [point.direction for point in one.series] == [Direction.CANNOT_TELL]


def test_a_result_that_may_be_newer_is_named_where_it_comes_from_the_history() -> None:
    arrived = named("a", "300 pt/mL", collected=moment("2026-03-01T08:00:00Z"))
    known = named("b", "5230 pt/mL", collected=moment("2026-03-01T08:00:00Z"))
    answer = answer_to(record(arrived, history=(known,)))
    assert notes(answer) == {
        NoteKind.ORDER_UNKNOWN: {
            "value": "5230 pt/mL",
            "date": "2026-03-01 08:00 UTC",
            "status": "final",
        }
    }


def test_of_several_newer_ones_only_the_newest_is_named_in_whatever_order_they_came() -> None:
    newer, newest = day("newer", "2026-02-10"), day("newest", "2026-02-20")
    for history in permutations((newer, newest)):
        answer = answer_to(record(day("arrived", "2026-02-01"), history=history))
        assert [note.values["date"] for note in answer.notes] == ["2026-02-20"]


def test_of_many_without_a_date_three_are_named() -> None:
    undated = [named(f"u{number}", f"{number} pt/mL", on="") for number in range(1, 6)]
    answer = answer_to(record(day("dated", "2026-03-01"), *undated))
    assert [note.kind for note in answer.notes] == [NoteKind.ORDER_UNKNOWN] * 3
    assert len(answer.series) == 5
