"""What is read as JSON, what is refused, and that a refusal says where and never what."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import MalformedJson
from cds_service.exact import ExactDecimal
from cds_service.strict_json import MAX_DEPTH, parse, parse_object

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**60), 10**60) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def refusal(data: bytes) -> MalformedJson:
    with pytest.raises(MalformedJson) as caught:
        parse(data)
    return caught.value


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_every_json_value_survives_the_way_there_and_back(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert parse(text.encode()) == value


@pytest.mark.parametrize("text", ["150.0", "1.50", "1.5E2", "-0.0", "1e400", "1e-400", "0.10e+05"])
def test_t53_a_number_with_a_fraction_or_an_exponent_keeps_its_text(text: str) -> None:
    number = parse(text.encode())
    assert isinstance(number, ExactDecimal)
    assert number.text == text
    assert number == Decimal(text)


def test_t53_minus_zero_keeps_its_sign() -> None:
    number = parse(b"-0")
    assert isinstance(number, ExactDecimal)
    assert number.text == "-0"


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    )
)
def test_t53_the_text_of_a_decimal_comes_back_exactly(value: Decimal) -> None:
    text = f"{value:f}"
    number = parse(text.encode())
    assert isinstance(number, ExactDecimal)
    assert number.text == text


def test_t53_a_number_of_the_greatest_length_is_read_with_a_fraction_or_without() -> None:
    assert parse(b"9" * 64) == int("9" * 64)
    assert parse(b"0." + b"7" * 62) == Decimal("0." + "7" * 62)


@pytest.mark.parametrize(
    "data",
    [b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"1e401", b"1e-401", b"9" * 65, b"0." + b"0" * 63],
)
def test_t52_t53_what_is_no_json_number_or_longer_than_any_real_one_is_refused(data: bytes) -> None:
    assert refusal(data).where.startswith("line 1, column ")


def test_t52_a_number_of_five_thousand_digits_is_refused_before_it_is_converted() -> None:
    assert "too long" in refusal(b"9" * 5000).text


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b'{"a":1,"a":1}', "line 1, column 8"),
        (b'{"a" : 1,\n "b": {"c": [], "c": []}}', "line 2, column 17"),
        (b'{"a":1,"\\u0061":2}', "line 1, column 8"),
        (b'[{"x":{"y":"y"},"y":0},{"y":1,"z":",","y":1}]', "line 1, column 39"),
        (b'{"hook"' + b" " * 70 + b':1,"hook":2}]', "line 1, column 81"),
    ],
)
def test_t54_a_member_sent_twice_is_refused_and_located(data: bytes, where: str) -> None:
    assert refusal(data).where == where


@given(VALUES, st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), st.data())
def test_t54_a_member_sent_twice_is_refused_wherever_it_hides(
    outer: object, members: dict[str, object], data: st.DataObject
) -> None:
    twice = data.draw(st.sampled_from(sorted(members)))
    doubled = json.dumps(members)[:-1] + f",{json.dumps(twice)}:0" + "}"
    assert "twice" in refusal(f"[{json.dumps(outer)},{doubled}]".encode()).text


def status(data: bytes) -> int:
    """What a caller would be told of this body, if it were one."""
    try:
        parse(data)
    except MalformedJson as error:
        return error.status
    return 200


SHARDS = st.lists(
    st.sampled_from(["{", "}", "[", "]", ",", ":", '"a"', '"a":1', '"\\ud800"', "1-2", "NaN"]),
    max_size=8,
).map("".join)
BLANKS = st.integers(0, 100).map(" ".__mul__)
TWICE = st.builds('{{"a"{}:1,"a"{}:2}}'.format, BLANKS, BLANKS)


@given(st.binary() | st.builds("{}{}{}".format, SHARDS, TWICE, SHARDS).map(str.encode))
def test_tr14_whatever_is_sent_is_a_value_or_malformed_and_never_a_failure(data: bytes) -> None:
    assert status(data) in {200, 400}


def test_a_fault_in_a_large_text_is_refused_without_the_slow_search_for_its_place() -> None:
    body = b'{"a":"' + b"x" * 70_000 + b'","b":1,"b":1}'
    assert refusal(body).where == ""


@pytest.mark.parametrize(
    ("opening", "closing", "levels"), [("[", "]", 64), ('{"a":', "}", 64), ('[{"x":', "}]", 32)]
)
def test_t51_sixty_four_levels_are_read(opening: str, closing: str, levels: int) -> None:
    assert parse((opening * levels + "0" + closing * levels).encode()) is not None


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [65, 100, 1_001, 100_000])
def test_t51_more_levels_are_refused_however_many(opening: str, closing: str, levels: int) -> None:
    error = refusal((opening * levels + "0" + closing * levels).encode())
    assert str(MAX_DEPTH) in error.text


def test_t51_a_bracket_inside_a_text_is_not_a_level() -> None:
    assert parse(json.dumps(["[" * 500, {"{" * 500: "}"}]).encode()) is not None


def test_t51_brackets_that_never_close_are_refused() -> None:
    assert refusal(b"[" * 100_000).status == 400


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32"),
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"\\udc00":1}',
        b'["\\udc00\\ud800"]',
        b'{"a":"\x00"}',
        b'{"a":"\\u0000"}',
        b'{"a":"\\\\\\u0000"}',
        b"\x1f\x8b\x08\x00",
        b"<Observation/>",
    ],
)
def test_t55_what_is_not_clean_utf8_text_is_refused(data: bytes) -> None:
    assert refusal(data).status == 400


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_t55_a_byte_order_mark_is_told_by_its_name(mark: bytes) -> None:
    assert refusal(mark + b"{}").text == "The body begins with a byte order mark."


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b'{"a":"\xff"}', "byte 7"),
        (b'{"a":"\\u0000"}', "line 1, column 7"),
        (b'{\n"a":"\\\\\\u0000"}', "line 2, column 8"),
        (b"[" * 64 + b"\n[0" + b"]" * 65, "line 2, column 1"),
        (b'[["a","a"],{"a":"a"},NaN]', "line 1, column 22"),
        (b"[1e999.5]", "line 1, column 2"),
        (b"[0,1e999-]", "line 1, column 4"),
    ],
)
def test_a_refusal_says_where_the_fault_lies(data: bytes, where: str) -> None:
    assert refusal(data).where == where


def test_t55_an_escaped_backslash_before_u0000_is_just_text() -> None:
    assert parse(b'"\\\\u0000"') == "\\u0000"


def test_t55_a_whole_surrogate_pair_is_a_character() -> None:
    assert parse(b'"\\ud83e\\uddea"') == "\U0001f9ea"
    assert parse(b'["\\ud83e\\uddea",1.50]') == ["\U0001f9ea", ExactDecimal("1.50")]


@pytest.mark.parametrize(
    "data", [b"", b" ", b"{", b"[1,]", b'{"a":1,}', b"// x\n{}", b"[1] []", b"'a'", b"{a:1}", b"01",
             b"+1", b".5", b"1.", b"tru", b'"\n"', b'"\\x"', b'"\\u12g4"']
)  # fmt: skip
def test_j05_what_rfc_8259_does_not_allow_is_refused(data: bytes) -> None:
    assert refusal(data).where.startswith("line ")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        again: object = json.loads(json.dumps(parse(data), default=str))
    except MalformedJson:
        return
    assert again is None or isinstance(again, (bool, int, str, list, dict))


@pytest.mark.parametrize("data", [b"[]", b"null", b'"text"', b"1", b"true"])
def test_a_body_that_is_json_but_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedJson, match="not an object") as refused:
        parse_object(data)
    assert refused.value.remedy == "Send an object."


def test_an_object_is_an_object() -> None:
    assert parse_object(b'{"a":[1]}') == {"a": [1]}


@pytest.mark.parametrize(
    "data",
    [
        b'{"CANARY":1,"CANARY":2}',
        b'{"a":"CANARY\\u0000"}',
        b'{"a":"CANARY\\ud800"}',
        b'{"CANARY":NaN}',
        b'{"CANARY":9e999}',
        b'{"a":CANARY}',
        b'{"CANARY',
        b'"CANARY\xff"',
        b'"CANARY"',
    ],
)
def test_t30_a_refusal_never_repeats_what_was_sent(data: bytes) -> None:
    with pytest.raises(MalformedJson) as caught:
        parse_object(data)
    assert "CANARY" not in caught.value.one_line() + str(caught.value)
