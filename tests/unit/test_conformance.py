"""The conformance page is fresh, and no requirement stands without a test or a written reason."""

from __future__ import annotations

from tests import conformance


def test_every_requirement_has_a_test_or_a_written_reason() -> None:
    shown = conformance.shown_by_requirement()
    without = [
        requirement
        for requirements in conformance.rows().values()
        for requirement, (_asked, _done, *why) in requirements.items()
        if requirement not in shown and not why
    ]
    assert without == []


def test_every_id_in_a_test_name_is_a_requirement() -> None:
    known = {
        requirement for requirements in conformance.rows().values() for requirement in requirements
    }
    assert set(conformance.shown_by_requirement()) <= known


def test_the_page_is_what_would_be_written_now() -> None:
    assert conformance.PAGE.read_text(encoding="utf-8") == conformance.page()
