"""Wording: sections and placeholders, and nothing that could decide anything."""

from __future__ import annotations

import pytest

from cds_service.core.template import Wording, parse_template


def test_a_template_is_its_sections_in_order() -> None:
    template = parse_template("## headline\n\nShort\n\n## says\n\nLonger {value}.\n")
    assert list(template) == ["headline", "says"]
    assert template["says"].placeholders == {"value"}


def test_placeholders_are_filled_and_the_rest_stays_as_it_is() -> None:
    wording = Wording.of("{value} against {limit.sap-100}: {value}.")
    filled = wording.fill({"value": "5 U/mL", "limit.sap-100": "100 pt/mL", "unused": "x"})
    assert filled == "5 U/mL against 100 pt/mL: 5 U/mL."


def test_a_wording_is_shown_as_it_is_written_in_its_file() -> None:
    for text in ("no placeholder", "{value} in {specimen}.", "{value}", "twice {value}, {value}"):
        assert Wording.of(text).source == text


def test_a_filled_value_is_never_read_as_a_placeholder_again() -> None:
    assert Wording.of("{a}").fill({"a": "{b}", "b": "no"}) == "{b}"


def test_a_text_without_placeholders_is_itself() -> None:
    assert Wording.of("Only words.").fill({}) == "Only words."


def test_a_value_that_is_not_given_is_an_error_not_a_gap() -> None:
    with pytest.raises(KeyError):
        Wording.of("{value}").fill({})


@pytest.mark.parametrize("text", ["{", "}", "{}", "{Value}", "{a b}", "{a.}", "{{a}}", "{a!r}"])
def test_a_brace_that_is_no_placeholder_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        Wording.of(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no '## section'"),
        ("Words first.\n## says\nx", "before the first"),
        ("## says\n\n## not\nx", "'says' is empty"),
        ("## says\nx\n## says\ny", "'says' twice"),
    ],
)
def test_text_outside_a_section_and_an_empty_or_double_section_are_refused(
    text: str, fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_template(text)


def test_a_line_that_only_looks_like_a_section_is_text() -> None:
    template = parse_template("## says\n\nx\n### not a section\n##not one either\n")
    assert list(template) == ["says"]
