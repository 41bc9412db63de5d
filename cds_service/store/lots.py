"""Many rows, some at a time: what one statement can name, and what one transaction should take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")

LOT: Final = 500
"""Rows of a lot: few enough for the parameters of a statement, and for others to wait for."""


def in_lots(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in their order, `size` of them at a time; the last lot may be smaller."""
    remaining = iter(values)
    while lot := list(islice(remaining, size)):
        yield lot
