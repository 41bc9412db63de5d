"""What is the same on many cards is written once: for the knowledge, or for what they cite."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from cds_service.core.render import render
from cds_service.core.rendering import bibliography as module
from cds_service.core.rendering.bibliography import bibliography
from cds_service.core.rendering.values import CardValues
from cds_service.core.review import Approved
from cds_service.core.schema import SourceRow
from tests import toy
from tests.records import evaluated, record, result

TOY = toy.knowledge()


def test_a_source_is_written_once_for_all_cards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []

    def citation(source: SourceRow) -> str:
        written.append(source.id)
        return source.short

    monkeypatch.setattr(module, "citation", citation)
    fresh = replace(TOY)
    evaluation = evaluated(record(result("250 pt/mL")), fresh)
    for patient in ("p1", "p2", "p3"):
        assert render(evaluation, fresh, scope=patient)
    assert written
    assert len(written) == len(set(written))


def test_knowledge_that_has_changed_has_its_own() -> None:
    approved = replace(TOY, review=Approved("Dr. Example", date(2026, 5, 1)))
    assert "Dr. Example" not in bibliography(TOY, ()).closing
    assert "Dr. Example" in bibliography(approved, ()).closing


def test_rows_speak_by_rank_and_contexts_after_all_findings() -> None:
    findings = {row.id for row in TOY.findings}
    turns = sorted(TOY.speaking.values(), key=lambda speaks: speaks[0])
    ids = [row.id for _, row in turns]
    assert ids == list(TOY.speaking)
    assert len(set(ids)) == len(ids)
    assert {*ids[: len(findings)]} == findings
    ranks = {row.id: max(r.rank for r in TOY.findings if r.id == row.id) for row in TOY.findings}
    assert [ranks[name] for name in ids[: len(findings)]] == sorted(ranks.values(), reverse=True)


def test_a_placeholder_that_nothing_fills_is_an_error_not_a_gap() -> None:
    (answer,) = evaluated(record(result("250 pt/mL")), TOY).answers
    values = CardValues(answer, TOY)
    assert values["value"] == "250 pt/mL"
    for name in ("detail", "loinc", "name", "limit.none", "nonsense"):
        with pytest.raises(KeyError):
            values[name]
