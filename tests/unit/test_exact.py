"""A number keeps the text it came with (T-53)."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.exact import ExactDecimal, number_of

JSON_NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,8})\.[0-9]{1,8}([eE][+-]?[0-9]{1,2})?", fullmatch=True
)


@given(JSON_NUMBERS)
def test_t53_the_text_of_a_number_survives_and_its_value_is_exact(text: str) -> None:
    parsed = json.loads(text, parse_float=ExactDecimal)
    assert number_of(parsed).text == text
    assert number_of(parsed).value == Decimal(text)


@pytest.mark.parametrize("text", ["150.0", "150.00", "1.5E2", "1.5e+2"])
def test_t53_numbers_of_one_value_compare_equal_and_are_shown_differently(text: str) -> None:
    assert ExactDecimal(text) == 150
    assert ExactDecimal(text).text == text


def pickled(value: ExactDecimal) -> ExactDecimal:
    again: ExactDecimal = pickle.loads(pickle.dumps(value))  # noqa: S301
    return again


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_keeps_the_text(again: Callable[[ExactDecimal], ExactDecimal]) -> None:
    assert again(ExactDecimal("1.50e1")).text == "1.50e1"


def test_the_value_handed_on_is_a_plain_decimal() -> None:
    assert type(number_of(ExactDecimal("1.50")).value) is Decimal


@pytest.mark.parametrize(("given_value", "text"), [(0, "0"), (-7, "-7"), (Decimal("2.50"), "2.50")])
def test_integers_and_plain_decimals_are_numbers_too(given_value: int | Decimal, text: str) -> None:
    assert number_of(given_value).text == text


def test_an_integer_of_any_length_has_a_text() -> None:
    assert number_of(10**5000).text == "1" + "0" * 5000


@pytest.mark.parametrize("value", [True, False, None, "150", 1.5, [], {}])
def test_what_is_not_an_exact_json_number_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        number_of(value)


def test_text_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidOperation):
        ExactDecimal("many")
