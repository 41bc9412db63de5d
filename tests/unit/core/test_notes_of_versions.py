"""What is told where one id holds several results: other values, other specimens and ranges."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from cds_service.core.elements import ReferenceRange, ResourceRef, Status
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.note import NoteKind
from cds_service.core.verdict import PairedWith, Unpaired
from tests import toy
from tests.records import (
    DAY,
    answer_to,
    companions,
    evaluated,
    measured,
    named,
    notes,
    record,
    result,
    specimen,
    within,
)


def of(given: LabResult | PatientRecord) -> dict[NoteKind, dict[str, str | tuple[str, ...]]]:
    return notes(answer_to(given))


@pytest.mark.parametrize("at_the_same_time", [True, False])
def test_another_value_under_the_same_id_is_told_with_value_and_date(
    *, at_the_same_time: bool
) -> None:
    """Two versions of one result, and nothing told which of them still stands."""
    one, other = result("250 pt/mL"), result("25 pt/mL")
    given = record(one, other) if at_the_same_time else record(one, history=(other,))
    told = of(given)[NoteKind.OTHER_VERSION]
    assert told["value"] in {"25 pt/mL", "250 pt/mL"}
    assert (told["date"], told["specimen"]) == (DAY, "sap")
    assert of(record(one, history=(one,))) == {}


NOWHERE: dict[str, Any] = {"specimen": specimen("no-such-code"), "status": Status.PRELIMINARY}


@pytest.mark.parametrize(
    ("given", "kind", "named_at_most"),
    [
        ([named(f"r{n}", "7 pt/mL", on=f"2026-12-{n}") for n in range(10, 20)], "date-ahead", 3),
        ([result(f"{n} pt/mL") for n in range(10, 20)], "other-version", 3),
        (
            [named(f"r{n}", "7 pt/mL", on=f"2026-01-{n}", **NOWHERE) for n in range(10, 20)],
            "for-the-same-reason",
            8,
        ),
    ],
    ids=["dated ahead", "of one id", "of no known specimen"],
)
def test_of_many_a_card_names_as_many_as_a_reader_takes_in(
    given: list[LabResult], kind: str, named_at_most: int
) -> None:
    """One slip of an interface may repeat itself in a hundred results."""
    answer = answer_to(record(*given))
    found = [note for note in answer.notes if note.kind.value == kind]
    assert sum(len(note.values.get("results", "1")) for note in found) == named_at_most


@pytest.mark.parametrize(("value", "told"), [("25 pt/mL", [""]), ("250 pt/mL", [])])
def test_a_version_whose_specimen_nobody_knows_is_told_only_where_its_value_differs(
    value: str, told: list[str]
) -> None:
    unsettled = result(value, specimen=specimen("no-such-code"))
    answer = answer_to(record(result("250 pt/mL"), history=(unsettled,)))
    found = [note for note in answer.notes if note.kind is NoteKind.OTHER_VERSION]
    assert [note.values["specimen"] for note in found] == told


def test_a_preliminary_version_is_no_second_value_of_a_final_one() -> None:
    before = result("25 pt/mL", status=Status.PRELIMINARY)
    assert NoteKind.OTHER_VERSION not in of(record(result("250 pt/mL"), history=(before,)))


@pytest.mark.parametrize("other", ["400 pg/mL", "500 pg/mL"])
def test_a_version_of_another_specimen_is_told_and_is_no_pair_of_its_own_result(other: str) -> None:
    """One id, one date, two codes: an index of the two would be one of a result with itself."""
    given = record(
        result("400 pg/mL", toy.SAP_MASS),
        result(other, toy.DEW_MASS),
        companions=companions("albumin-csf 0.2 g/L", "albumin-serum 40 g/L"),
    )
    answers = evaluated(given).answers
    told = {NoteKind.OTHER_VERSION, NoteKind.OTHER_VERSION_URGENT}
    named = [note.values for answer in answers for note in answer.notes if note.kind in told]
    assert [(each["value"], each["specimen"]) for each in named] == [
        ("400 pg/mL", "sap"),
        (other, "morning dew"),
    ]
    assert [answer.paired for answer in answers] == [Unpaired(), Unpaired()]


def test_results_of_two_specimens_without_an_id_of_their_own_are_a_pair() -> None:
    blood = result("400 pg/mL", toy.SAP_MASS, ref=ResourceRef("Observation"))
    fluid = result("400 pg/mL", toy.DEW_MASS, ref=ResourceRef("Observation"))
    first, second = evaluated(record(blood, fluid)).answers
    for answer in (first, second):
        assert isinstance(answer.paired, PairedWith)
        assert NoteKind.OTHER_VERSION not in notes(answer)


def test_results_without_an_id_of_their_own_are_no_versions_but_two_results() -> None:
    for name in ("Observation", "DiagnosticReport/rep#"):
        one = result("250 pt/mL", ref=ResourceRef(name))
        other = result("25 pt/mL", ref=ResourceRef(name))
        assert of(record(one, history=(other,))) == {
            NoteKind.ORDER_UNKNOWN: {"value": "25 pt/mL", "date": "2026-03-01", "status": "final"}
        }


RANGE, OTHER_RANGE = (within("20", "240"),), (within("20", "400"),)


@pytest.mark.parametrize("is_known", [True, False], ids=["in the record", "sent too"])
@pytest.mark.parametrize("version", ["a", "c"], ids=["an earlier version", "a later version"])
def test_a_slim_copy_is_read_with_the_range_of_the_whole_one(
    *, version: str, is_known: bool
) -> None:
    """A hook may carry less of a result than the search that is prefetched beside it."""
    slim = result("250 pt/mL", ref=ResourceRef("Observation/a", version))
    whole = result("250 pt/mL", ranges=RANGE, ref=ResourceRef("Observation/a", "b"))
    given = record(slim, history=(whole,)) if is_known else record(slim, whole)
    answer = answer_to(given)
    assert answer.laboratory.words == "20 to 240 pt/mL"
    assert notes(answer) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"value": measured("251 pt/mL")},
        {"status": Status.CORRECTED},
        {"specimen": specimen("no-such-code")},
        {"ref": ResourceRef("Observation/other", "1")},
    ],
    ids=["another value", "another status", "no known specimen", "another result"],
)
def test_no_range_is_taken_from_what_is_no_copy(changes: dict[str, Any]) -> None:
    other = replace(result("250 pt/mL", ranges=RANGE), **changes)
    answer = answer_to(record(result("250 pt/mL"), history=(other,)))
    assert answer.laboratory.words == ""


@pytest.mark.parametrize(
    ("own", "other", "told"),
    [
        (RANGE, OTHER_RANGE, ("20 to 400 pt/mL",)),
        (OTHER_RANGE, RANGE, ("20 to 240 pt/mL",)),
        (RANGE, (within("", "", words="see report"),), ("see report",)),
        (RANGE, (within("20", "400", ""), within("", "", "")), ("20 to 400",)),
        (RANGE, (*RANGE, *OTHER_RANGE), ("20 to 400 pt/mL",)),
        (RANGE, (), ()),
    ],
)
def test_the_range_of_another_copy_is_named_and_not_applied(
    own: tuple[ReferenceRange, ...], other: tuple[ReferenceRange, ...], told: tuple[str, ...]
) -> None:
    one, copy = result("250 pt/mL", ranges=own), result("250 pt/mL", ranges=other)
    answer = answer_to(record(one, history=(copy,)))
    assert answer.laboratory == answer_to(record(one)).laboratory
    expected = {NoteKind.OTHER_RANGE: {"ranges": told}} if told else {}
    assert notes(answer) == expected


def test_of_several_copies_the_strictest_range_is_taken_and_the_others_are_named() -> None:
    copies = [result("250 pt/mL", ranges=ranges) for ranges in (RANGE, OTHER_RANGE)]
    for history in permutations(copies):
        answer = answer_to(record(result("250 pt/mL"), history=history))
        assert answer.laboratory.words == "20 to 240 pt/mL"
        assert notes(answer) == {NoteKind.OTHER_RANGE: {"ranges": ("20 to 400 pt/mL",)}}


def test_of_many_other_ranges_three_are_named() -> None:
    copies = [result("250 pt/mL", ranges=(within("20", f"{n}"),)) for n in range(300, 320)]
    told = notes(answer_to(record(result("250 pt/mL", ranges=RANGE), history=tuple(copies))))
    assert len(told[NoteKind.OTHER_RANGE]["ranges"]) == 3
