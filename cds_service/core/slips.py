"""Mistakes in a row that somebody wrote by hand, in words for its author.

A slip says where it is, what is wrong there and what would be right. It does not repeat what was
written, which may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]
"""Key, or table, number and key: `("code", 0, "note")`."""
Said = tuple[str, str]
"""What is wrong, as the end of a sentence, and what would be right, as a sentence."""

_NO_SUCH_KEY: Final = "extra_forbidden"
_FIXED: Final[Mapping[str, Said]] = {
    "string_type": ("this is no text.", "Write it in quotation marks."),
    "string_too_short": ("this is empty.", "Write a text; blanks alone are none."),
    "int_type": ("this is no whole number.", "Write digits only, without quotation marks or unit."),
    "bool_type": (
        "this is neither true nor false.",
        "Write true or false, without quotation marks.",
    ),
    "list_type": ("this must be a list, in square brackets.", 'Write it as ["one", "another"].'),
    "too_short": ("the list is empty.", "Write one entry at least, or leave the key out."),
    "finite_number": ("this is no finite number.", 'Write a number as text, such as "2400".'),
    "date_type": ("this is no date.", "Write it as 2026-11-21, without quotation marks."),
    "dict_type": ("this is no row.", 'Write lines such as name = "value" below its heading.'),
}
_ALIKE: Final = {
    "tuple_type": "list_type",
    "int_from_float": "int_type",
    "int_parsing": "int_type",
    "date_from_datetime_parsing": "date_type",
    "date_from_datetime_inexact": "date_type",
    "model_type": "dict_type",
    "model_attributes_type": "dict_type",
}


@dataclass(frozen=True, slots=True)
class Slip:
    """One thing that is wrong with a row."""

    place: Place
    kind: str
    """Its type as pydantic calls it: `missing`, `tuple_type`."""
    text: str
    remedy: str

    @property
    def place_in_words(self) -> str:
        """`code 1 note`: rows are counted from one, as people count."""
        return " ".join(str(part + 1) if isinstance(part, int) else part for part in self.place)


def slips(
    error: ValidationError, checked: type[BaseModel], patterns: Mapping[str, Said]
) -> Iterator[Slip]:
    """All errors that pydantic found. `checked` is the type that was read, a row or a file of rows;
    `patterns` holds, for a regular expression, what to say of a text that does not match it.
    """
    for found in error.errors(include_url=False, include_input=False):
        place, kind, context = found["loc"], found["type"], found.get("ctx", {})
        row = _row_of(checked, place)
        said = _of_row(kind, place, row) or _of_value(kind, context, patterns)
        text, remedy = said or _own_words(found["msg"], row)
        yield Slip(place, kind, text, remedy)


def first_slip(
    error: ValidationError, checked: type[BaseModel], patterns: Mapping[str, Said]
) -> Slip:
    """The slip to mend first: an unknown key, since it is often a missing one, misspelt."""
    return min(slips(error, checked, patterns), key=lambda slip: slip.kind != _NO_SUCH_KEY)


def _row_of(checked: type[BaseModel], place: Place) -> type[BaseModel]:
    """The type of the row that a place lies in: steps that name rows lead into them, numbers and
    plain members do not.
    """
    row = checked
    for step in place[:-1]:
        if field := row.model_fields.get(str(step)):
            row = next(_rows_in(field.annotation), row)
    return row


def _rows_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _rows_in(part)


def _of_row(kind: str, place: Place, row: type[BaseModel]) -> Said | tuple[()]:
    """For an unknown key, or one that is missing."""
    if kind == _NO_SUCH_KEY:
        return "nothing here is called so.", known_names(str(place[-1]), row.model_fields)
    if kind == "missing":
        needed = [name for name, field in row.model_fields.items() if field.is_required()]
        return "this is missing.", f"Needed: {', '.join(needed)}."
    return ()


def _of_value(
    kind: str, context: Mapping[str, Any], patterns: Mapping[str, Said]
) -> Said | tuple[()]:
    """For a wrong value; `context` is what it was checked against."""
    match context:
        case {"expected": wanted}:
            return f"this must be {wanted}.", "Write it so, in quotation marks."
        case {"ge": bound} | {"le": bound}:
            side, right = ("below", "more") if "ge" in context else ("above", "less")
            return f"this is {side} {bound}.", f"Write {bound} or {right}."
        case {"min_length": least} if least > 1:
            return "this is too short.", f"Write {least} characters at least."
        case {"max_length": most}:
            what = "entries" if kind == "too_long" else "characters"
            return "this is too long.", f"Write at most {most} {what}."
        case {"pattern": pattern}:
            return patterns.get(pattern, ())
        case _:
            return _FIXED.get(_ALIKE.get(kind, kind), ())


def _own_words(message: str, row: type[BaseModel]) -> Said:
    """The message of one of our own rules: fault and remedy with a semicolon between; a rule about
    a whole row gives the fault alone.
    """
    text, _, remedy = message.removeprefix("Value error, ").partition("; ")
    known = f"Known: {', '.join(row.model_fields)}."
    return f"{text}.", f"{capitalised(remedy)}." if remedy else known


def capitalised(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def known_names(name: str, known: Iterable[str]) -> str:
    """The known name that an unknown one may have been meant for, and all known ones."""
    names = list(known)
    near = get_close_matches(name.lower(), names, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}Known: {', '.join(names)}."
