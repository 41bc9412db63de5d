"""Text from outside stays text: in a client that renders HTML, in one that links by itself."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.core.escape import LONGEST, markdown, plain, unescaped
from tests.reader import as_html, shown, tags

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</p><h1>x</h1>",
    "<!-- hidden -->",
    "<?php ?>",
    "&lt;b&gt;",
    "&#60;b&#62;",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "[x][y]",
    "<https://evil.example>",
    "https://evil.example",
    "HTTP://EVIL.EXAMPLE",
    "www.evil.example",
    "WWW.evil.example",
    "someone@evil.example",
    "mailto:someone@evil.example",
    "ftp://evil.example",
    "**bold** __bold__ *it* _it_",
    "~~gone~~ ~gone~",
    "`code` ```code```",
    "| a | b |\n|---|---|\n| c | d |",
    "# heading",
    "x\n===",
    "x\n---",
    "- item\n- item",
    "1. item",
    "> quote",
    "    code",
    "line  \nbreak\\\nbreak",
    "\\*not\\*",
    "\\",
    "a\\<b>",
    "[^1]: note",
    "[x]: https://evil.example",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_no_tag_and_no_link(text: str) -> None:
    page = as_html(f"**Value: {markdown(text)}**; unit {markdown(text)}")
    assert tags(page) <= {"p", "strong"}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_list_item_stays_in_its_item(text: str) -> None:
    page = as_html(f"- before {markdown(text)}\n- after")
    assert tags(page) <= {"ul", "li"}
    assert page.count("<li>") == 2


@given(st.text(max_size=60))
@example("&<>\"'")
def test_any_text_is_shown_as_it_stands_and_acts_as_nothing(text: str) -> None:
    page = as_html(f"x {markdown(text)} y")
    assert tags(page) == {"p"}
    assert unspaced(shown(page)) == unspaced(f"x {plain(text)} y")


def unspaced(text: str) -> str:
    """Escaping may put spaces into what would link itself, and does nothing else to a text."""
    return "".join(text.split())


HIDDEN = {
    "right-to-left override": "\u202e",
    "left-to-right isolate": "\u2066",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "null": "\x00",
    "escape": "\x1b",
    "private use": "\ue000",
    "tag character": "\U000e0041",
}


@pytest.mark.parametrize("char", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_hides_or_turns_text_round_is_taken_out(char: str) -> None:
    assert plain(f"15{char}0 U/mL") == "150 U/mL"


@given(st.text(), st.integers(min_value=1, max_value=100))
def test_a_plain_text_is_one_line_of_visible_characters_within_its_length(
    text: str, longest: int
) -> None:
    line = plain(text, longest)
    assert len(line) <= longest
    assert not [c for c in line if unicodedata.category(c)[0] == "C"]
    assert "\n" not in line
    assert line == line.strip()
    assert "  " not in line


@given(st.text())
def test_escaping_a_plain_text_twice_changes_nothing(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def test_an_ordinary_text_is_left_as_it_is() -> None:
    assert plain("150.10 µg/L, Labor Zürich") == "150.10 µg/L, Labor Zürich"
    assert markdown("150.10 U/mL (158 to 623)") == "150.10 U/mL (158 to 623)"


def test_a_text_that_is_cut_says_so() -> None:
    assert plain("a" * (LONGEST + 1)) == "a" * (LONGEST - 1) + "…"
    assert plain("a" * LONGEST) == "a" * LONGEST


def test_of_a_very_long_text_only_the_beginning_is_looked_at_and_that_is_said() -> None:
    """Ten megabytes of a unit in another alphabet cost a worker ten seconds."""
    assert plain("\u200b" * 10_000 + "U/mL") == "…"
    assert plain("U/mL" + " " * 10_000 + "kU/L") == "U/mL…"
    assert markdown("é" * 10_000) == "é" * (LONGEST - 1) + "…"


def test_white_space_of_any_kind_becomes_one_space() -> None:
    assert plain(" a\t\n\u00a0\u2028 b ") == "a b"


@given(st.text())
@example("<50 10*9/L [x] & ~y~ # `z` \\")
def test_unescaped_a_text_reads_as_markdown_shows_it(text: str) -> None:
    escaped = markdown(text)
    assert unescaped(escaped).split() == shown(as_html(escaped)).split()


def test_a_text_of_the_card_has_neither_bold_nor_links_but_keeps_their_words() -> None:
    link = "[doi:10.1/S1(25)2](https://doi.org/10.1/S1(25)2)"
    told = unescaped(f"**S: &lt;50 U/mL**; 3 10\\*9/L\n\n1. A. {link}. Read.")
    assert told == "S: <50 U/mL; 3 10*9/L\n\n1. A. doi:10.1/S1(25)2. Read."


def test_the_reader_of_these_tests_does_show_tags_and_links() -> None:
    """So that the tests above can fail."""
    page = as_html("<b>x</b> https://evil.example www.evil.example ~~x~~ a@evil.example")
    assert tags(page) == {"p", "b", "a", "s"}
