"""The grammar of plain elements: what can be known as valid FHIR R4 without asking a model.

A check returns something true only where the full check (see `validate`) would find no fault. It
never says that something is invalid: a false result, a TypeError and a KeyError all mean doubt.
Each kind is narrower than R4 where that makes it simpler or faster to prove.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cds_service.exact import ExactDecimal
from cds_service.fhir.shape import FHIR_ID

Check = Callable[[Any], object]
"""True for what is certainly valid; false, TypeError or KeyError where there is doubt."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A value without members. `name` is its FHIR type: it makes the table readable."""

    name: str
    check: Check


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a closed value set."""

    words: frozenset[str]
    check: Check = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "check", self.words.__contains__)


@dataclass(frozen=True, slots=True)
class Several:
    """An array: never empty, without null, of at most MOST_ITEMS items."""

    of: Kind
    check: Check = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "check", _array(self.of.check))


@dataclass(frozen=True, slots=True)
class OneOf:
    """Members of which at most one may be there, as in a choice of types; at least `least`."""

    members: Members
    least: int = 0


@dataclass(frozen=True, slots=True)
class Element:
    """An object: never empty, without any member but these."""

    members: Members
    required: Sequence[str] = ()
    one_of: Sequence[OneOf] = ()
    check: Check = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "check", _object(self))

    @property
    def kinds(self) -> Members:
        """Every member that may be there, those of the choices too."""
        chosen = {name: kind for one in self.one_of for name, kind in one.members.items()}
        return {**self.members, **chosen}


Kind = Primitive | Code | Several | Element
Members = Mapping[str, Kind]
"""What may stand under each name."""


def code(words: str) -> Code:
    """A code out of a value set, whose codes are given between blanks."""
    return Code(frozenset(words.split()))


def each(names: str, kind: Kind) -> Members:
    """Members of one kind, their names given between blanks."""
    return dict.fromkeys(names.split(), kind)


def choice(stem: str, **types: Kind) -> Members:
    """The members of a choice of types: `choice("value", String=TEXT)` is `valueString`.

    https://hl7.org/fhir/R4/formats.html#choice
    """
    return {f"{stem}{name}": kind for name, kind in types.items()}


MOST_ITEMS = 100
"""Most items of a plain array. A longer one is rare, and left to the full check, which counts what
it looks at."""


def _array(check: Check) -> Check:
    def is_plain(value: Any) -> bool:
        if type(value) is not list or not 0 < len(value) <= MOST_ITEMS:
            return False
        for item in value:  # noqa: SIM110 - twice as fast as a generator
            if not check(item):
                return False
        return True

    return is_plain


def _object(element: Element) -> Check:
    members = _members({name: kind.check for name, kind in element.kinds.items()})
    return _complete(members, element) if element.required or element.one_of else members


def _members(checks: Mapping[str, Check]) -> Check:
    def is_plain(value: Any) -> bool:
        if type(value) is not dict or not value:
            return False
        for name, member in value.items():  # noqa: SIM110 - twice as fast as a generator
            if not checks[name](member):
                return False
        return True

    return is_plain


def _complete(members: Check, element: Element) -> Check:
    required = tuple(element.required)
    choices = tuple((frozenset(one.members), one.least) for one in element.one_of)

    def is_plain(value: Any) -> bool:
        if not members(value):
            return False
        for name in required:
            if name not in value:
                return False
        for names, least in choices:  # noqa: SIM110 - as above
            if not least <= len(names & value.keys()) <= 1:
                return False
        return True

    return is_plain


def _text(value: Any) -> bool:
    """Not blank, and without half a surrogate pair, which cannot be encoded."""
    if type(value) is not str or not value.strip():
        return False
    return value.isascii() or not _HALF_CHARACTER.search(value)


def _boolean(value: Any) -> bool:
    return type(value) is bool


def _integer(value: Any) -> bool:
    return type(value) is int and -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER


def _positive_integer(value: Any) -> bool:
    return type(value) is int and 0 < value <= _LARGEST_INTEGER


def _decimal(value: Any) -> bool:
    """A number as `strict_json` gives it: a float has lost its text."""
    if type(value) is ExactDecimal:
        return value.is_finite()
    return type(value) is int and -_LARGEST_WHOLE < value < _LARGEST_WHOLE


_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_LARGEST_INTEGER = 2**31 - 1
_LARGEST_WHOLE = 10**64
"""Whole numbers below it fit into the longest number that `strict_json` reads."""

_YEAR = "(?:19|20)[0-9]{2}"
_DAY = (
    f"{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
"""A day that every calendar of these two centuries has: 29 February is left to the full check."""
_TIME = (
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
)
_PART_OF_YEAR = f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"

PATTERNS: Mapping[str, str] = {
    "code": r"[!-~]+(?: [!-~]+)*",
    "date": f"{_DAY}|{_PART_OF_YEAR}",
    "dateTime": f"{_DAY}(?:{_TIME})?|{_PART_OF_YEAR}",
    "id": FHIR_ID,
    "instant": _DAY + _TIME,
    "uri": r"[!-~]+",
}
"""The pattern of each primitive type that is written as text, for the whole text; ASCII only."""


def _written(name: str) -> Primitive:
    return Primitive(name, re.compile(PATTERNS[name]).fullmatch)


BOOLEAN = Primitive("boolean", _boolean)
CODE = _written("code")
DATE = _written("date")
DATE_TIME = _written("dateTime")
DECIMAL = Primitive("decimal", _decimal)
ID = _written("id")
INSTANT = _written("instant")
INTEGER = Primitive("integer", _integer)
POSITIVE_INTEGER = Primitive("positiveInt", _positive_integer)
TEXT = Primitive("string", _text)
URI = _written("uri")
