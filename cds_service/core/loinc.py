"""The check digit of a LOINC code (mod 10, LOINC Users' Guide)."""

from __future__ import annotations

import re

_FORM = re.compile(r"^(\d{1,7})-(\d)$")


def check_digit_is_right(code: str) -> bool:
    """Whether `code` has the form of a LOINC code and its check digit fits."""
    match = _FORM.match(code)
    if match is None:
        return False
    total = 0
    for position, digit in enumerate(reversed(match.group(1))):
        number = int(digit) * (2 if position % 2 == 0 else 1)
        total += number // 10 + number % 10
    return (10 - total % 10) % 10 == int(match.group(2))
