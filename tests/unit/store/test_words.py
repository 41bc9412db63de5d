"""Lists of words as they are stored: the JSON of the standard library, in ASCII."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.dialects import sqlite

from cds_service.store.tables import Words

DIALECT = sqlite.dialect()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("one",),
        ("one", "two", ""),
        ('"', "\\", "/", "\x00\x1f\x7f\u2028", "\n\r\t"),
        ("§ ä 漢 🩸", "\ud800"),
    ],
)
def test_words_are_written_as_the_standard_library_writes_them(words: tuple[str, ...]) -> None:
    written = Words().process_bind_param(words, DIALECT)
    assert written == json.dumps(words)
    assert written.isascii()
    assert Words().process_result_value(written, DIALECT) == words


def test_nothing_is_the_empty_list() -> None:
    assert Words().process_bind_param(None, DIALECT) == "[]"
