"""JSON as this service reads it: RFC 8259, and nothing a second reader could understand otherwise.

Refused beyond a plain syntax error: any encoding but UTF-8 without a byte order mark (RFC 8259,
section 8.1), lone surrogates and NUL in text, `NaN` and `Infinity`, a member name twice in one
object, more than 64 levels, and numbers longer or larger than any laboratory writes. Numbers keep
their text: with a fraction or an exponent (and for `-0`) they are `ExactDecimal`, else `int`.

An error says where (line and column) and never repeats what was sent.

A long text is read twice at most. The first reading lets the decoder build its objects by itself,
which is fast and would hide a repeated member or a deep nesting; so it counts only where it is
proved that nothing was hidden. Without a proof, a second reading looks at every object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from decimal import InvalidOperation
from typing import NoReturn

import orjson

from cds_service.core.json_object import JsonObject
from cds_service.errors import MalformedJson
from cds_service.exact import ExactDecimal

MAX_DEPTH = 64
"""Levels of objects and arrays; the outermost value is level 1."""
MAX_NUMBER_LENGTH = 64
"""Characters of one number."""
MAX_EXPONENT = 400
"""Largest decimal exponent, either way."""

_SHORT = 16 * 1024
"""Texts of at most so many bytes are only read with care: the proof would cost as much."""
_LOCATED_UP_TO = 65_536
"""Texts up to this length are read a second time, slowly, to say where the fault is."""

_END_OF_NAME = b'":'
_BLANKS = (b" ", b"\t", b"\r", b"\n")
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_EXPONENT = re.compile(r"[eE]([+-]?\d+)$")
_AFTER_A_NAME = re.compile(r"[ \t\r\n]*:")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|NaN|-?Infinity|[{}\[\],:]', re.DOTALL)


def parse(data: bytes) -> object:
    """The value of a JSON text. Raises MalformedJson."""
    text = _text(data)
    if len(data) > _SHORT:
        with suppress(_NotProved):
            return _read_fast(data, text)
    return _read_with_care(text)


def parse_object(data: bytes) -> JsonObject:
    """The JSON object of a body. Raises MalformedJson, also for any other JSON value."""
    value = parse(data)
    if isinstance(value, dict):
        return value
    raise MalformedJson(
        "This is JSON, but not an object.", where="line 1, column 1", remedy="Send an object."
    )


def _read_with_care(text: str) -> object:
    """The value; each of its objects is checked while it is built. Raises MalformedJson."""
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJson(
            "This is not JSON.", where=_place(text, error.pos), remedy="Send one JSON value."
        ) from None
    except RecursionError:
        _refuse_depth(text)
    except _FaultInHook as fault:
        raise MalformedJson(fault.text, where=_locate(text), remedy=fault.remedy) from None
    # A text that opens no more objects and arrays than that cannot be deeper.
    if text.count("{") + text.count("[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        _refuse_depth(text)
    _refuse_half_characters(text, value)
    return value


class _NotProved(Exception):  # noqa: N818 - not an error yet
    """The fast reading does not show whether the text is acceptable."""


def _read_fast(data: bytes, text: str) -> object:
    r"""The value, if it is proved that no member was lost and that nothing is nested too deep.

    Each member of the text ends its name in `":`, and so does each member of the value written out
    again. Both texts hold the same strings, as long as none was written with `\u`; so the counts
    differ by what was lost. A blank before a colon would hide a member from the first count. Raises
    _NotProved.
    """
    if _holds(data, b"\\", b"u") or any(_holds(data, blank, b":") for blank in _BLANKS):
        raise _NotProved
    try:
        value: object = _fast_decoder().decode(text)
        written = orjson.dumps(_sunk(value), default=_without_text)
    except (ValueError, TypeError, RecursionError, _FaultInHook):
        raise _NotProved from None
    if data.count(_END_OF_NAME) != written.count(_END_OF_NAME):
        raise _NotProved
    return value


def _holds(data: bytes, first: bytes, second: bytes) -> bool:
    """Whether the two bytes follow each other. To look for the first alone costs next to nothing,
    so that is done before.
    """
    return first in data and first + second in data


def _fast_decoder() -> json.JSONDecoder:
    """A decoder that converts each text of a number once: results repeat."""
    return json.JSONDecoder(
        parse_float=_Numbers(_decimal_number).__getitem__,
        parse_int=_Numbers(_whole_number).__getitem__,
        parse_constant=_constant,
    )


class _Numbers(dict[str, int | ExactDecimal]):
    """Numbers of one text by how they are written."""

    def __init__(self, read: Callable[[str], int | ExactDecimal]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> int | ExactDecimal:
        self[text] = number = self._read(text)
        return number


def _without_text(_number: object) -> None:
    """Lets orjson write `null` for an ExactDecimal: only the names of members are counted."""


def _sunk(value: object) -> object:
    """The value so deep in arrays that orjson refuses it if it has more than MAX_DEPTH levels."""
    for _ in range(_LEVELS_OF_ORJSON - MAX_DEPTH):
        value = [value]
    return value


def _levels_of_orjson() -> int:
    """How many levels orjson writes: measured, since it is a limit of its own."""
    value: list[object] = []
    levels = 1
    while True:
        try:
            orjson.dumps(value)
        except TypeError:
            return levels - 1
        value, levels = [value], levels + 1


_LEVELS_OF_ORJSON = _levels_of_orjson()


class _FaultInHook(Exception):  # noqa: N818 - a fault on its way to becoming a MalformedJson
    """Something refused while the decoder runs, where no position is at hand."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy


def _object(members: list[tuple[str, object]]) -> JsonObject:
    """The members as a dict. Raises _FaultInHook for a repeated member, of which two readers may
    take different values.
    """
    unique = dict(members)
    if len(unique) != len(members):
        raise _FaultInHook("An object holds the same member twice.", "Send each member once.")
    return unique


def _whole_number(text: str) -> int | ExactDecimal:
    if len(text) > MAX_NUMBER_LENGTH:
        raise _number_too_big()
    return ExactDecimal(text) if text == "-0" else int(text)


def _decimal_number(text: str) -> ExactDecimal:
    exponent = _EXPONENT.search(text)
    if len(text) > MAX_NUMBER_LENGTH or (exponent and abs(int(exponent[1])) > MAX_EXPONENT):
        raise _number_too_big()
    return ExactDecimal(text)


def _number_too_big() -> _FaultInHook:
    return _FaultInHook(
        "A number is too long or too large.",
        f"Send at most {MAX_NUMBER_LENGTH} characters and an exponent of at most {MAX_EXPONENT}.",
    )


def _constant(_name: str) -> NoReturn:
    raise _FaultInHook("NaN and Infinity are not JSON.", "Leave the member out.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_decimal_number,
    parse_int=_whole_number,
    parse_constant=_constant,
)


def _text(data: bytes) -> str:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise MalformedJson(
            "The body begins with a byte order mark.", remedy="Send UTF-8 without one."
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson(
            "The body is not UTF-8.", where=f"byte {error.start + 1}", remedy="Send UTF-8."
        ) from None
    if "\\u0000" in text and (nul := _ESCAPED_NUL.search(text)):
        raise MalformedJson(
            "A text holds the character NUL.",
            where=_place(text, nul.end() - 6),
            remedy="Remove it.",
        )
    return text


def _refuse_half_characters(text: str, value: object) -> None:
    """Half of a surrogate pair can only come from an escape: raw bytes were decoded strictly."""
    if not _ESCAPED_SURROGATE.search(text):
        return
    try:
        json.dumps(value, default=str, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MalformedJson(
            "A text holds half of a surrogate pair.", remedy="Escape both halves or neither."
        ) from None


def _deeper_than(value: object, levels: int) -> bool:
    """Level by level, without recursion."""
    containers = [value] if isinstance(value, (dict, list)) else []
    for _ in range(levels):
        if not containers:
            return False
        containers = [
            child
            for container in containers
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, (dict, list))
        ]
    return bool(containers)


def _refuse_depth(text: str) -> NoReturn:
    raise MalformedJson(
        f"The JSON is nested more than {MAX_DEPTH} levels deep.",
        where=_locate(text),
        remedy="Leave out what lies deeper.",
    ) from None


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return f"line {line}, column {column}"


def _locate(text: str) -> str:
    """The first place that one of the hooks or the depth check refuses; empty for a long text. It
    lies in the first value of the text, so whatever may follow that is not reached.
    """
    if len(text) > _LOCATED_UP_TO:
        return ""
    open_names: list[set[str]] = []
    previous = ""
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            open_names.append(set())
            if len(open_names) > MAX_DEPTH:
                return _place(text, token.start())
        elif mark in "}]":
            open_names.pop()
        elif mark[0] == '"' and previous in ("{", ",") and _AFTER_A_NAME.match(text, token.end()):
            name = json.loads(mark)
            if name in open_names[-1]:
                return _place(text, token.start())
            open_names[-1].add(name)
        elif mark[0] not in '",:' and _is_refused_number(mark):
            return _place(text, token.start())
        previous = mark
    return ""


def _is_refused_number(mark: str) -> bool:
    if mark.endswith(("NaN", "Infinity")):
        return True
    try:
        _decimal_number(mark)
    except (_FaultInHook, InvalidOperation):  # the latter where more stands behind it: `1e999.5`
        return True
    return False
