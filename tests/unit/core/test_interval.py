"""A value with a comparator is an interval; a limit inside it cannot be told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.core.elements import Comparator
from cds_service.core.interval import INFINITY, Comparison, Interval

YES, NO, CANNOT_TELL = Comparison.YES, Comparison.NO, Comparison.CANNOT_TELL


def interval(text: str) -> Interval:
    """`<150` as the interval it stands for."""
    comparator = text.rstrip("0123456789.-")
    return Interval.of(Comparator(comparator), Decimal(text.removeprefix(comparator)))


@pytest.mark.parametrize(
    ("value", "at_or_above", "above"),
    [
        ("149.9", NO, NO),
        ("150", YES, NO),
        ("150.00", YES, NO),
        ("150.1", YES, YES),
        ("<149", NO, NO),
        ("<150", NO, NO),
        ("<151", CANNOT_TELL, CANNOT_TELL),
        ("<=149", NO, NO),
        ("<=150", CANNOT_TELL, NO),
        ("<=151", CANNOT_TELL, CANNOT_TELL),
        (">149", CANNOT_TELL, CANNOT_TELL),
        (">150", YES, YES),
        (">151", YES, YES),
        (">=149", CANNOT_TELL, CANNOT_TELL),
        (">=150", YES, CANNOT_TELL),
        (">=151", YES, YES),
    ],
)
def test_a_limit_of_150_is_met_by_the_whole_interval_or_not_at_all(
    value: str, at_or_above: Comparison, above: Comparison
) -> None:
    limit = Decimal(150)
    assert interval(value).at_or_above(limit) is at_or_above
    assert interval(value).above(limit) is above


@pytest.mark.parametrize("value", ["149", "150", "151", "<150", "<=150", ">150", ">=150", "<151"])
def test_below_is_the_opposite_of_at_or_above_and_stays_open_where_that_is_open(value: str) -> None:
    limit = Decimal(150)
    assert interval(value).below(limit) is interval(value).at_or_above(limit).negated()
    assert interval(value).at_or_below(limit) is interval(value).above(limit).negated()


@pytest.mark.parametrize(("answer", "opposite"), [(YES, NO), (NO, YES), (CANNOT_TELL, CANNOT_TELL)])
def test_what_cannot_be_told_cannot_be_told_the_other_way_round(
    answer: Comparison, opposite: Comparison
) -> None:
    assert answer.negated() is opposite


def test_less_than_a_number_starts_at_zero_because_no_amount_is_below_it() -> None:
    assert interval("<150") == Interval(Decimal(0), Decimal(150), high_open=True)


def test_more_than_a_number_has_no_upper_end() -> None:
    assert interval(">150") == Interval(Decimal(150), INFINITY, low_open=True, high_open=True)
    assert interval(">=150") == Interval(Decimal(150), INFINITY, high_open=True)
    assert interval(">150").above(Decimal("1e9")) is CANNOT_TELL


@pytest.mark.parametrize("impossible", ["<0", "<-1", "<=-1"])
def test_less_than_zero_is_no_value_at_all(impossible: str) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        interval(impossible)


def test_at_most_zero_is_zero() -> None:
    assert interval("<=0") == Interval(Decimal(0), Decimal(0))


@pytest.mark.parametrize("ends", [{"low_open": True}, {"high_open": True}])
def test_an_open_interval_around_one_point_holds_nothing(ends: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        Interval(Decimal(1), Decimal(1), **ends)


def test_an_interval_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        Interval(Decimal(2), Decimal(1))


def test_scaling_moves_both_ends_and_keeps_them_open_or_closed() -> None:
    scaled = Interval(Decimal("0.1"), Decimal("0.3"), high_open=True).scaled(Decimal(1000))
    assert scaled == Interval(Decimal(100), Decimal(300), high_open=True)
