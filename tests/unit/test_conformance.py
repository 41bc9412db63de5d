"""The conformance page is true, and no requirement stands without a test or a written reason."""

from __future__ import annotations

import re

from tests.conformance import PAGE, page, rows, shown_by_requirement

_NAMED = re.compile(r"\[`(\w+)`\]\(\.\./([\w/.]+)\)")


def _lines(text: str) -> dict[str, tuple[str, str]]:
    """Requirement id -> what is asked and done, and the column of proofs."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if re.fullmatch(r"[A-Z]{1,2}-\d{2,3}", cells[0]):
            found[cells[0]] = (" | ".join(cells[1:-1]), cells[-1])
    return found


def test_every_requirement_has_a_test_or_a_written_reason() -> None:
    shown = shown_by_requirement()
    without = [
        requirement
        for requirements in rows().values()
        for requirement, (_asked, _done, *why) in requirements.items()
        if requirement not in shown and not why
    ]
    assert without == []


def test_every_id_in_a_test_name_is_a_requirement() -> None:
    known = {requirement for requirements in rows().values() for requirement in requirements}
    assert set(shown_by_requirement()) <= known


def test_the_page_says_what_is_asked_and_done() -> None:
    written, now = (_lines(text) for text in (PAGE.read_text(encoding="utf-8"), page()))
    assert {name: told for name, (told, _) in written.items()} == {
        name: told for name, (told, _) in now.items()
    }


def test_every_test_that_the_page_names_is_there_and_carries_the_id() -> None:
    shown = shown_by_requirement()
    for requirement, (_, proof) in _lines(PAGE.read_text(encoding="utf-8")).items():
        for name, path in _NAMED.findall(proof):
            assert f"{path}::{name}" in shown[requirement]
        assert _NAMED.search(proof) or requirement not in shown
