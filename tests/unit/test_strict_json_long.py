"""Long texts are read faster; what is read and what is refused stays the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service import strict_json
from cds_service.errors import MalformedJson
from cds_service.exact import ExactDecimal

NAMES = st.sampled_from(["a", "b", 'quote"', '":', "c d", "é", "tab\t", "\\"])
NUMBERS = st.sampled_from(["0", "-0", "1.50", "1E2", "9" * 19, "9" * 65, "1e401", "NaN", "true"])
BLANKS = st.sampled_from(["", "", "", " ", "\n", "\t"])


@st.composite
def texts(draw: st.DrawFn, depth: int = 3) -> str:
    """A JSON text in any layout; members may repeat, names and numbers may be written oddly."""
    kind = draw(st.sampled_from(["number", "string", "array", "object"] if depth else ["number"]))
    match kind:
        case "number":
            return draw(NUMBERS)
        case "string":
            return json.dumps(draw(NAMES), ensure_ascii=draw(st.booleans()))
        case "array":
            items = draw(st.lists(texts(depth - 1), max_size=3))
            return f"[{','.join(items)}]"
        case _:
            members = draw(st.lists(st.tuples(NAMES, BLANKS, texts(depth - 1)), max_size=3))
            written = [f"{json.dumps(name)}{blank}:{value}" for name, blank, value in members]
            return "{" + ",".join(written) + "}"


def came_to(data: bytes) -> object:
    """The value with the text of its numbers, or that it was refused."""
    try:
        return _shown(strict_json.parse(data))
    except MalformedJson as refused:
        return type(refused)


def _shown(value: object) -> object:
    match value:
        case ExactDecimal():
            return ("decimal", value.text)
        case dict():
            return {name: _shown(item) for name, item in value.items()}
        case list():
            return [_shown(item) for item in value]
        case _:
            return (type(value).__name__, value)


@given(texts())
def test_a_text_comes_to_the_same_whether_it_is_short_or_long(text: str) -> None:
    padding = " " * (strict_json._SHORT + 1)
    assert came_to((text + padding).encode()) == came_to(text.encode())


def filled(*members: str) -> bytes:
    """A long object with these members at its end."""
    many = [f'"m{number}":{{"value":{number}.50}}' for number in range(2000)]
    return ("{" + ",".join([*many, *members]) + "}").encode()


def test_a_long_text_is_read_by_the_fast_way() -> None:
    data = filled()
    text = data.decode()
    assert strict_json._read_fast(data, text) == strict_json._read_with_care(text)


@pytest.mark.parametrize(
    "members",
    [
        ('"m7":0',),
        ('"x":{"y":1,"y":2}',),
        ('"x":{"y" :1,"y" :2}',),
        ('"x":1', '"x" :2', '"z" :3'),
        ('"x":1', '"x":2', '"z" :3'),
        ('"t":"\\u0022:"', '"x":1', '"x":2'),
        ('"t":"\\":"', '"x":1', '"x":2'),
        ('"\\u0061":1', '"a":2'),
    ],
)
def test_t54_a_member_sent_twice_in_a_long_text_is_refused_however_it_is_written(
    members: tuple[str, ...],
) -> None:
    with pytest.raises(MalformedJson, match="twice"):
        strict_json.parse(filled(*members))


@pytest.mark.parametrize("member", ["{a:1}", '"a":NaN', '"a":1e401', '"a":"\\x"'])
def test_j05_a_fault_in_a_long_text_is_refused_as_in_a_short_one(member: str) -> None:
    with pytest.raises(MalformedJson):
        strict_json.parse(filled(member))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_t51_the_levels_of_a_long_text_are_counted_as_those_of_a_short_one(
    opening: str, closing: str
) -> None:
    def deep(levels: int) -> bytes:
        return filled(f'"deep":{opening * (levels - 1)}0{closing * (levels - 1)}')

    assert strict_json.parse(deep(strict_json.MAX_DEPTH))
    with pytest.raises(MalformedJson, match="levels"):
        strict_json.parse(deep(strict_json.MAX_DEPTH + 1))


def test_t52_a_million_members_are_read_each_of_them() -> None:
    text = "{" + ",".join(f'"{number:x}":0' for number in range(1_000_000)) + "}"
    value = strict_json.parse_object(text.encode())
    assert len(value) == 1_000_000


def test_t52_one_of_very_many_members_sent_twice_is_refused() -> None:
    text = "{" + ",".join(f'"{number % 99_999:x}":0' for number in range(100_000)) + "}"
    with pytest.raises(MalformedJson, match="twice"):
        strict_json.parse_object(text.encode())


def test_t52_a_name_of_a_hundred_thousand_characters_is_a_name() -> None:
    name = "k" * 100_000
    assert strict_json.parse(json.dumps({name: 0}).encode()) == {name: 0}
    with pytest.raises(MalformedJson, match="twice"):
        strict_json.parse(f'{{"{name}":0,"{name}":1}}'.encode())


def test_t53_whole_numbers_of_any_length_that_is_allowed_are_read_in_a_long_text() -> None:
    longest = "9" * strict_json.MAX_NUMBER_LENGTH
    value = strict_json.parse(filled(f'"n":{longest}'))
    assert isinstance(value, dict)
    assert value["n"] == int(longest)
