"""What is wrong with a row that somebody wrote by hand, in words for that somebody.

A slip says where it is, what is wrong there and what would be right. What was written is not
repeated: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]
"""Key, or table, number and key: `("code", 0, "note")`."""
Said = tuple[str, str]
"""What is wrong, as the end of a sentence, and what would be right, as a sentence."""

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
    "dict_type": ("this is no row.", 'Write lines such as name = "value" below its heading.'),
}
_ALIKE: Final = {
    "tuple_type": "list_type",
    "int_from_float": "int_type",
    "int_parsing": "int_type",
    "model_type": "dict_type",
    "model_attributes_type": "dict_type",
}


@dataclass(frozen=True, slots=True)
class Slip:
    """One thing that is wrong with a row."""

    place: Place
    kind: str
    """What the checker calls it: `missing`, `tuple_type`."""
    text: str
    remedy: str


def slips(
    error: ValidationError,
    keys_at: Callable[[Place], type[BaseModel]],
    patterns: Mapping[str, Said],
) -> Iterator[Slip]:
    """All that the checker found. `keys_at` is the row in which a place lies; `patterns` say what
    a text that must look like this is.
    """
    for found in error.errors(include_url=False, include_input=False):
        place, kind, context = found["loc"], found["type"], found.get("ctx", {})
        row = keys_at(place)
        said = _of_row(kind, place, row) or _of_value(kind, context, patterns)
        text, remedy = said or _own_words(found["msg"], row)
        yield Slip(place, kind, text, remedy)


def _of_row(kind: str, place: Place, row: type[BaseModel]) -> Said | tuple[()]:
    """A key that there is not, or that is not there."""
    match kind:
        case "extra_forbidden":
            return "nothing here is called so.", known_names(str(place[-1]), row.model_fields)
        case "missing":
            needed = [name for name, field in row.model_fields.items() if field.is_required()]
            return "this is missing.", f"Needed: {', '.join(needed)}."
        case _:
            return ()


def _of_value(
    kind: str, context: Mapping[str, Any], patterns: Mapping[str, Said]
) -> Said | tuple[()]:
    """A value that is not as it should be; `context` is what it was held against."""
    match context:
        case {"expected": wanted}:
            return f"this must be {wanted}.", "Write it so, in quotation marks."
        case {"ge": least}:
            return f"this is below {least}.", f"Write {least} or more."
        case {"le": most}:
            return f"this is above {most}.", f"Write {most} or less."
        case {"max_length": most}:
            return "this is too long.", f"Write at most {most} characters."
        case {"pattern": pattern}:
            return patterns.get(pattern, ())
        case _:
            return _FIXED.get(_ALIKE.get(kind, kind), ())


def _own_words(message: str, row: type[BaseModel]) -> Said:
    """A rule of our own says both, with a semicolon between; of a whole row, only the first."""
    text, _, remedy = message.removeprefix("Value error, ").partition("; ")
    known = f"Known: {', '.join(row.model_fields)}."
    return f"{text}.", f"{capitalised(remedy)}." if remedy else known


def capitalised(text: str) -> str:
    """The same as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def known_names(name: str, known: Iterable[str]) -> str:
    """What may have been meant by a name that there is not, and what there is."""
    names = list(known)
    near = get_close_matches(name.lower(), names, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return f"{meant}Known: {', '.join(names)}."
