"""Results without a card of their own: too old, of another test or patient, told with another."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from cds_service.core.elements import Coding, NoValue, ResourceRef, Status
from cds_service.core.knowledge import LOINC
from cds_service.core.model import InvalidResource, Subject
from cds_service.core.note import NoteKind
from cds_service.core.verdict import Evaluation
from tests import toy
from tests.records import AT, answer_to, evaluated, moment, named, notes, record, specimen
from tests.unit.core.results.reading_of import about, chart, day, left_aside, read, told

WITHDRAWN = [Status.CANCELLED, Status.ENTERED_IN_ERROR]


# ------------------------------------------------------------------ the look-back window


@pytest.mark.parametrize(
    ("on", "seen"),
    [("2025-12-02", True), ("2025-12-01", False), ("2025-12", True), ("2025", True), ("", True)],
)
def test_a_chart_shows_results_that_can_lie_within_the_look_back_window(
    on: str, *, seen: bool
) -> None:
    given = record(day("r", on))
    assert (chart(given).answers != ()) is seen
    assert read(evaluated(given)) == {"r": "interpreted"}


def test_what_is_older_than_the_window_is_left_aside_with_the_reason() -> None:
    evaluation = chart(record(day("r", "2025-01-01")))
    assert left_aside(evaluation) == {"r": "it is older than the look-back window"}


@pytest.mark.parametrize(
    ("issued", "seen"), [("2020-05-05", False), ("2026-03-01", True), ("2026-12-25", True)]
)
def test_a_result_without_a_collection_date_is_as_old_as_its_issue(
    issued: str, *, seen: bool
) -> None:
    """300 issued in 2020 is not today's value; today is 2 March 2026."""
    given = record(day("r", "", issued=moment(issued)))
    assert (chart(given).answers != ()) is seen


# ------------------------------------------------------------------ not ours, not this patient's


def test_a_look_alike_is_told_and_an_unrelated_code_is_left_aside() -> None:
    given = record(
        named("alike", "5 pg/mL", toy.LOOK_ALIKE),
        named("ignored", "5", toy.LOOK_ALIKE_TO_IGNORE),
        named("other", "5", "718-7"),
    )
    evaluation = evaluated(given)
    assert read(evaluation) == {"alike": toy.LOOK_ALIKE}
    assert left_aside(evaluation) == {
        "ignored": f"LOINC {toy.LOOK_ALIKE_TO_IGNORE}: Counts toys.",
        "other": "no code of it is known here",
    }


@pytest.mark.parametrize("status", WITHDRAWN)
def test_a_withdrawn_look_alike_is_left_aside(status: Status) -> None:
    evaluation = evaluated(record(named("r", "5 pg/mL", toy.LOOK_ALIKE, status=status)))
    assert evaluation.answers == ()
    assert left_aside(evaluation) == {"r": f"the result is {status.value}"}


def test_another_patients_result_is_told_without_anything_of_it_where_nothing_else_is_left() -> (
    None
):
    foreign = day("foreign", "2026-01-01", subject=Subject.ANOTHER_PATIENT)
    answer = answer_to(foreign)
    assert told(answer) == "subject-mismatch"
    assert (answer.value.text, answer.inputs) == ("", ())


@pytest.mark.parametrize(
    ("code", "because"),
    [
        ("718-7", "no code of it is known here"),
        (toy.LOOK_ALIKE_TO_IGNORE, f"LOINC {toy.LOOK_ALIKE_TO_IGNORE}: Counts toys."),
    ],
)
def test_another_patients_result_of_another_test_is_no_card(code: str, because: str) -> None:
    """A stain of cells is not called a result of the analyte because it is another patient's."""
    evaluation = evaluated(record(named("foreign", "5", code, subject=Subject.ANOTHER_PATIENT)))
    assert evaluation.answers == ()
    assert left_aside(evaluation) == {"foreign": because}


def test_another_patients_result_is_left_aside_beside_this_patients() -> None:
    foreign = day("foreign", "2026-02-01", subject=Subject.ANOTHER_PATIENT)
    evaluation = evaluated(record(day("own", "2026-01-01"), foreign))
    assert read(evaluation) == {"own": "interpreted"}
    assert [s.because for s in evaluation.skipped] == [
        "its subject is not known to be this patient"
    ]


def test_a_result_that_names_nobody_is_read_and_says_so() -> None:
    answer = answer_to(day("r", "2026-01-01", subject=Subject.NOT_NAMED))
    assert told(answer) == "interpreted"
    assert NoteKind.SUBJECT_NOT_NAMED in notes(answer)


@pytest.mark.parametrize(
    ("codes", "answers"),
    [
        ((toy.SAP_POINTS,), {"broken": "fhir-invalid"}),
        ((), {"broken": "fhir-invalid"}),
        (("718-7",), {}),
        ((toy.LOOK_ALIKE,), {"broken": "fhir-invalid"}),
        ((toy.LOOK_ALIKE_TO_IGNORE,), {}),
    ],
)
def test_an_invalid_resource_is_told_unless_its_code_has_no_card(
    codes: tuple[str, ...], answers: dict[str, str]
) -> None:
    """A look-alike that would be told is not passed over because it could not be read."""
    broken = InvalidResource(
        ResourceRef("Observation/broken"),
        "Observation.status",
        tuple(Coding(LOINC, code) for code in codes),
    )
    evaluation = evaluated(replace(record(), results=(broken,)))
    assert read(evaluation) == answers
    because = "not valid FHIR, and by its code of another test"
    assert left_aside(evaluation) == ({} if answers else {"broken": because})


def test_codes_that_contradict_each_other_are_told_as_such() -> None:
    both = (Coding(LOINC, toy.SAP_MASS), Coding(LOINC, toy.DEW_MASS))
    answer = answer_to(named("r", "250 pg/mL", codings=both))
    assert told(answer) == "code-conflict"


def test_two_results_of_an_unsettled_specimen_are_not_called_of_the_same_one() -> None:
    """Nobody knows whether the two codes that contradict each other mean blood or CSF."""
    both = (Coding(LOINC, toy.SAP_MASS), Coding(LOINC, toy.DEW_MASS))
    older = named("older", "250 pg/mL", codings=both, on="2026-02-01")
    newer = named("newer", "300 pg/mL", codings=both, on="2026-02-01")
    answer = answer_to(record(older, newer))
    assert set(notes(answer)) == {NoteKind.FOR_THE_SAME_REASON, NoteKind.URGENT_IF_ILL}


def test_a_result_whose_specimen_nobody_knows_is_named_on_the_card_of_another() -> None:
    """CSF and serum of one day, neither called so: the card about the one was silent about the
    other, which may be the graver.
    """
    nowhere = partial(named, specimen=specimen("no-such-code"), on="2026-02-01")
    given = record(*(nowhere(f"r{value}", f"{value} pt/mL") for value in (25, 250)))
    answer = answer_to(given)
    assert told(answer) == "specimen-unknown"
    assert about(answer) == "r250"
    assert notes(answer)[NoteKind.FOR_THE_SAME_REASON]["results"] == ("25 pt/mL of 2026-02-01",)
    assert [ref.resource for ref in answer.inputs] == ["Observation/r250", "Observation/r25"]


def test_one_that_was_withdrawn_or_has_no_value_is_no_second_number() -> None:
    nowhere = partial(named, specimen=specimen("no-such-code"))
    gone = nowhere("gone", "25 pt/mL", status=Status.CANCELLED)
    empty = replace(nowhere("empty", "25 pt/mL"), value=NoValue("pending"))
    answer = answer_to(record(nowhere("r", "250 pt/mL"), gone, empty))
    assert notes(answer)[NoteKind.FOR_THE_SAME_REASON]["results"] == ("Observation/empty",)


@pytest.mark.parametrize("specimen_code", ["no-such-code", "RESIN"])
def test_of_what_is_not_final_and_of_no_settled_specimen_each_is_named(specimen_code: str) -> None:
    """The older one may be the CSF, and the newer one the serum."""
    nowhere = partial(named, specimen=specimen(specimen_code), status=Status.PRELIMINARY)
    older = nowhere("older", "25000 pt/mL", on="2026-02-01")
    newer = nowhere("newer", "250 pt/mL", on="2026-02-02")
    gone = replace(nowhere("gone", "7 pt/mL", on="2026-01-31"), status=Status.CANCELLED)
    for given in ((older, newer, gone), (gone, newer, older)):
        answer = answer_to(record(*given))
        assert (about(answer), told(answer)) == ("newer", "status-preliminary")
        named_too = notes(answer)[NoteKind.FOR_THE_SAME_REASON]["results"]
        assert named_too == ("25000 pt/mL of 2026-02-01",)
        assert [ref.resource for ref in answer.inputs] == ["Observation/newer", "Observation/older"]


def test_what_is_not_final_and_perhaps_the_newer_is_named_once() -> None:
    nowhere = partial(named, specimen=specimen("no-such-code"), status=Status.PRELIMINARY)
    given = record(*(nowhere(f"r{n}", f"{n} pt/mL", on="2026-02-01") for n in (25, 250)))
    kinds = set(notes(answer_to(given)))
    assert kinds == {NoteKind.ORDER_UNKNOWN_NOT_FINAL, NoteKind.URGENT_IF_ILL}


def test_of_one_specimen_only_the_newest_that_is_not_final_is_told() -> None:
    results = (day(f"r{n}", f"2026-02-0{n}", status=Status.PRELIMINARY) for n in (1, 2))
    assert set(notes(answer_to(record(*results)))) == {NoteKind.URGENT_IF_ILL}


def test_each_resource_that_could_not_be_read_is_named_with_its_place() -> None:
    broken = tuple(
        InvalidResource(ResourceRef(f"Observation/b{n}"), f"Observation.{where}")
        for n, where in enumerate(("status", "code", "value"))
    )
    answer = answer_to(replace(record(), results=broken))
    assert notes(answer)[NoteKind.FOR_THE_SAME_REASON]["results"] == (
        "Observation/b1 (at Observation.code)",
        "Observation/b2 (at Observation.value)",
    )
    assert [ref.resource for ref in answer.inputs] == [f"Observation/b{n}" for n in range(3)]


def test_what_shares_the_card_of_another_is_left_aside_with_the_reason() -> None:
    """One card for each kind of trouble is enough to read; the trace names them all."""
    both = (Coding(LOINC, toy.SAP_MASS), Coding(LOINC, toy.DEW_MASS))
    broken = [InvalidResource(ResourceRef(f"Observation/b{n}"), "Observation", ()) for n in (1, 2)]
    given = record(
        named("older", "250 pg/mL", codings=both, on="2026-02-01"),
        named("newer", "300 pg/mL", codings=both, on="2026-02-02"),
        named("alike-older", "5 pg/mL", toy.LOOK_ALIKE, on="2026-02-01"),
        named("alike-newer", "6 pg/mL", toy.LOOK_ALIKE, on="2026-02-02"),
    )
    evaluation = evaluated(replace(given, results=(*given.results, *broken)))
    assert read(evaluation) == {
        "newer": "code-conflict",
        "alike-newer": toy.LOOK_ALIKE,
        "b1": "fhir-invalid",
    }
    assert left_aside(evaluation) == {
        "older": "code-conflict, as told of a newer one",
        "alike-older": "a newer look-alike is told",
        "b2": "another invalid resource is told",
    }


def test_behind_an_earlier_final_result_the_trace_still_names_what_is_not_final() -> None:
    given = record(
        day("head", "2026-02-03"),
        day("in-the-series", "2026-02-02"),
        day("unfinished", "2026-02-01", status=Status.PRELIMINARY),
    )
    evaluation = evaluated(given)
    assert read(evaluation) == {"head": "interpreted"}
    assert left_aside(evaluation) == {"unfinished": "the result is preliminary"}


def test_of_two_results_of_another_patient_both_are_in_the_trace() -> None:
    foreign = [day(name, "2026-01-01", subject=Subject.ANOTHER_PATIENT) for name in ("a", "b")]
    evaluation = evaluated(record(*foreign))
    assert read(evaluation) == {"a": "subject-mismatch"}
    assert left_aside(evaluation) == {"b": "its subject is not known to be this patient"}


def test_nothing_to_say_is_no_answer_and_no_reason() -> None:
    assert evaluated(record()) == Evaluation("toy@2026.3", AT)
