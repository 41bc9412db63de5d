"""What the knowledge rests on: identifiers that were verified, statements, limits, worked cases."""

from __future__ import annotations

import re

import pytest

from cds_service.core.loinc import check_digit_is_right
from cds_service.core.verdict import Reason
from tests.packaged import SIL2R


def test_identifiers_are_well_formed() -> None:
    for source in SIL2R.sources.values():
        assert re.fullmatch(r"(10\.\d{4,9}/\S+[^\s.,;])?", source.doi), source.id
        assert re.fullmatch(r"([1-9]\d{6,7})?", source.pmid), source.id


def test_no_identifier_stands_twice() -> None:
    for field in ("doi", "pmid"):
        known = [value for s in SIL2R.sources.values() if (value := getattr(s, field))]
        assert len(known) == len(set(known)), field


@pytest.mark.parametrize("unverified", ["10.1002/art.38690", "NXI.0000000000000725", "24705932"])
def test_identifiers_that_nobody_verified_are_left_out(unverified: str) -> None:
    rows = [source.model_dump_json() for source in SIL2R.sources.values()]
    assert not [row for row in rows if unverified in row]


def test_a_title_that_was_not_read_says_so() -> None:
    for source in SIL2R.sources.values():
        described = source.title.startswith("(")
        assert described == source.note.startswith("Title not verified"), source.id


def test_every_source_carries_something_that_is_said_or_says_that_it_does_not() -> None:
    rows = [row.all_sources for row in (*SIL2R.findings, *SIL2R.contexts, *SIL2R.notes.values())]
    rows += [row.sources for row in SIL2R.ages.values()]
    rows += [row.all_sources for row in SIL2R.limits.values()]
    rows += [row.sources for row in SIL2R.panels.values()]
    rows += [row.sources for row in SIL2R.ratios.values()]
    rows += [row.sources for row in SIL2R.suggestions.values()]
    rows += [row.sources for row in SIL2R.reasons.values()]
    rows += [row.sources for row in SIL2R.order_table.advice]
    used = {name for names in rows for name in names}
    used |= {n for row in SIL2R.statements for n in (*row.sources_for, *row.sources_against)}
    idle = {name for name, row in SIL2R.sources.items() if "Behind nothing that is" in row.note}
    assert set(SIL2R.sources) - used == idle


def test_all_statements_of_both_documents_are_there() -> None:
    expected = [f"S{n}" for n in range(1, 19)] + [f"T{n}" for n in range(1, 4)]
    assert [row.id for row in SIL2R.statements] == expected


def test_the_truth_about_the_contested_statements_is_told() -> None:
    status = {row.id: row.status for row in SIL2R.statements}
    assert status["S4"] == status["S6"] == "contradicted"
    assert status["S7"] == "source not located"
    assert status["S9"] == "supported in part"
    for row in SIL2R.statements:
        assert row.status != "supported" or row.sources_for, row.id
        assert row.status != "contradicted" or row.sources_against, row.id


def test_a_code_of_a_suggestion_is_a_loinc_code_and_a_contact_has_none() -> None:
    for row in SIL2R.suggestions.values():
        if row.code:
            assert row.kind == "order"
            assert row.system == "http://loinc.org"
            assert row.display
            assert check_digit_is_right(row.code)
        else:
            assert (row.system, row.display) == ("", ""), row.id
        assert len(row.label) <= 32, row.id


def test_every_suggestion_is_offered_somewhere() -> None:
    offered = {name for row in SIL2R.findings for name in row.suggestions}
    offered |= {name for row in SIL2R.contexts for name in row.suggestions}
    offered |= {name for row in SIL2R.reasons.values() for name in row.suggestions}
    offered |= {name for row in SIL2R.order_table.pairings.values() for name in row.suggestions}
    offered |= {row.order for row in SIL2R.order_table.swaps.values() if row.order}
    assert offered == set(SIL2R.suggestions)


def test_the_13_source_attributes_are_there_and_only_birth_is_used() -> None:
    attributes = SIL2R.attributes
    assert len({row.id for row in attributes}) == 13
    assert [row.id for row in attributes if row.used is True] == ["date-of-birth"]
    assert [row.used for row in attributes[:4]] == ["not-applicable"] * 4


def test_a_limit_says_for_whom_how_well_and_what_is_weak() -> None:
    for limit in SIL2R.limits.values():
        for text in (limit.population, limit.assay, limit.performance, limit.weakness):
            assert len(text) > 4, limit.id
        assert limit.sources, limit.id


def test_there_are_at_least_150_worked_cases_and_every_reason_that_a_case_can_give_has_one() -> (
    None
):
    cases = SIL2R.cases
    beyond_a_case = {
        Reason.VALUE_NOT_NUMERIC,
        Reason.CODE_CONFLICT,
        Reason.SUBJECT_MISMATCH,
        Reason.FHIR_INVALID,
        Reason.STATUS_WITHDRAWN,
    }
    assert len({case.id for case in cases}) >= 150
    assert {case.expect.reason for case in cases} - {""} == {
        r.value for r in set(Reason) - beyond_a_case
    }
