"""LOINC's check digit (LOINC Users' Guide): a slip of one digit is noticed."""

from __future__ import annotations

import pytest

from cds_service.core.loinc import check_digit_is_right


@pytest.mark.parametrize("code", ["9654-5", "76039-7", "99768-4", "2276-4", "1751-7"])
def test_real_codes_pass(code: str) -> None:
    assert check_digit_is_right(code)


@pytest.mark.parametrize("digit", range(10))
def test_only_one_check_digit_fits(digit: int) -> None:
    assert check_digit_is_right(f"9654-{digit}") is (digit == 5)


@pytest.mark.parametrize("code", ["9654", "9654-55", "-5", "9654-5 ", "LP1234-5", "12345678-9", ""])
def test_what_has_not_the_form_of_a_code_is_none(code: str) -> None:
    assert not check_digit_is_right(code)
