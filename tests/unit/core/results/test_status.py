"""Results that are not final, or were withdrawn: what is said of them, and what of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import Status
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.note import NoteKind
from cds_service.core.verdict import NotInterpretable, Reason
from tests import toy
from tests.records import answer_to, evaluated, notes, record
from tests.unit.core.results.reading_of import about, chart, day, left_aside, read, told

TOY = toy.knowledge()
WITHDRAWN = [Status.CANCELLED, Status.ENTERED_IN_ERROR]
NOT_YET_FINAL = [Status.PRELIMINARY, Status.REGISTERED]


# ------------------------------------------------------------------ not final


@pytest.mark.parametrize("status", [*NOT_YET_FINAL, *WITHDRAWN, Status.UNKNOWN])
def test_a_newer_one_that_is_not_final_is_named_beside_the_newest_final_one(status: Status) -> None:
    answer = answer_to(record(day("old", "2026-01-01"), day("new", "2026-02-01", status=status)))
    assert about(answer) == "old"
    told_of = {"status": status.value, "date": "2026-02-01"}
    if status in WITHDRAWN:
        assert notes(answer)[NoteKind.NEWER_NOT_FINAL] == {**told_of, "value": ""}
    else:
        assert notes(answer)[NoteKind.NEWER_VALUE] == {**told_of, "value": "250 pt/mL"}


def test_what_is_newer_is_named_beside_what_there_was_to_say_of_the_result() -> None:
    corrected = day("old", "2026-01-01", status=Status.CORRECTED)
    newer = day("new", "2026-02-01", status=Status.PRELIMINARY)
    answer = answer_to(record(corrected, newer))
    assert [note.kind for note in answer.notes] == [NoteKind.NEWER_VALUE, NoteKind.CORRECTED]


def test_newer_ones_that_are_not_final_do_not_hide_each_other() -> None:
    newer = [
        day("withdrawn", "2026-02-03", status=Status.CANCELLED),
        day("preliminary", "2026-02-02", status=Status.PRELIMINARY),
    ]
    answer = answer_to(record(day("old", "2026-01-01"), *newer))
    assert [note.kind for note in answer.notes] == [NoteKind.NEWER_NOT_FINAL, NoteKind.NEWER_VALUE]


@pytest.mark.parametrize("status", [Status.FINAL, Status.AMENDED, Status.CORRECTED])
def test_final_amended_and_corrected_results_are_interpreted(status: Status) -> None:
    answer = answer_to(day("r", "2026-01-01", status=status))
    assert told(answer) == "interpreted"
    assert (NoteKind.CORRECTED in notes(answer)) is (status is not Status.FINAL)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (Status.PRELIMINARY, Reason.STATUS_PRELIMINARY),
        (Status.REGISTERED, Reason.STATUS_PRELIMINARY),
        (Status.UNKNOWN, Reason.STATUS_UNKNOWN),
    ],
)
def test_where_none_is_final_the_newest_is_told_with_its_reason(
    status: Status, reason: Reason
) -> None:
    given = record(day("old", "2026-01-01", status=status), day("new", "2026-02-01", status=status))
    answer = answer_to(given)
    assert (about(answer), told(answer)) == ("new", reason.value)
    assert answer.value.text == "250"


def interpreting_preliminary() -> KnowledgeBase:
    return replace(TOY, policy=TOY.policy.model_copy(update={"interpret_preliminary": True}))


def test_a_preliminary_result_is_interpreted_only_where_the_site_says_so() -> None:
    given = record(day("r", "2026-01-01", status=Status.PRELIMINARY))
    answer = answer_to(given, interpreting_preliminary())
    assert told(answer) == "interpreted"
    assert NoteKind.PRELIMINARY_BY_POLICY in notes(answer)


def test_a_registered_one_is_not_preliminary() -> None:
    given = record(day("r", "2026-01-01", status=Status.REGISTERED))
    assert told(answer_to(given, interpreting_preliminary())) == "status-preliminary"


# ------------------------------------------------------------------ withdrawn

OLD_WITHDRAWN = day("old", "2026-01-01", status=Status.ENTERED_IN_ERROR)


def carded(name: str, *results: LabResult) -> PatientRecord:
    """A record of results of which one was on a card before."""
    return record(*results, carded_before=frozenset({f"Observation/{name}"}))


@pytest.mark.parametrize("status", WITHDRAWN)
def test_a_withdrawn_result_that_nobody_was_told_of_is_left_aside(status: Status) -> None:
    evaluation = evaluated(record(day("r", "2026-01-01", status=status)))
    assert evaluation.answers == ()
    assert [skipped.because for skipped in evaluation.skipped] == [f"the result is {status.value}"]


@pytest.mark.parametrize("status", WITHDRAWN)
def test_a_withdrawn_result_that_was_carded_before_is_told_without_its_value(
    status: Status,
) -> None:
    given = carded("r", day("r", "2026-01-01", status=status))
    answer = answer_to(given)
    assert answer.verdict == NotInterpretable(Reason.STATUS_WITHDRAWN, status.value)
    assert (answer.specimen, answer.value.text) == ("sap", "")
    assert chart(given).answers == ()


def test_an_older_withdrawn_one_that_was_carded_is_told_beside_the_newest() -> None:
    given = carded("old", OLD_WITHDRAWN, day("new", "2026-02-01"))
    assert read(evaluated(given)) == {"new": "interpreted", "old": "status-withdrawn"}


def test_an_older_withdrawn_one_that_nobody_saw_is_left_aside_with_the_reason() -> None:
    given = record(day("old", "2026-01-01", status=Status.CANCELLED), day("new", "2026-02-01"))
    evaluation = evaluated(given)
    assert read(evaluation) == {"new": "interpreted"}
    assert left_aside(evaluation) == {"old": "the result is cancelled"}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        pytest.param(
            (Status.PRELIMINARY, Status.CANCELLED, Status.FINAL),
            {"2": "status-withdrawn", "1": "interpreted"},
            id="under a preliminary one",
        ),
        pytest.param(
            (Status.CANCELLED, Status.FINAL),
            {"2": "status-withdrawn", "1": "interpreted"},
            id="the newest of all",
        ),
        pytest.param(
            (Status.PRELIMINARY, Status.CANCELLED),
            {"2": "status-preliminary", "1": "status-withdrawn"},
            id="where none is final",
        ),
        pytest.param(
            (Status.FINAL, Status.CANCELLED, Status.ENTERED_IN_ERROR),
            {"3": "interpreted", "2": "status-withdrawn", "1": "status-withdrawn"},
            id="two of them",
        ),
        pytest.param(
            (Status.CANCELLED, Status.ENTERED_IN_ERROR),
            {"2": "status-withdrawn", "1": "status-withdrawn"},
            id="all of them",
        ),
    ],
)
def test_every_withdrawn_result_that_was_carded_before_gets_its_card(
    statuses: tuple[Status, ...], expected: dict[str, str]
) -> None:
    """Newest first. What was said of a result that is withdrawn now no longer holds."""
    days = {str(number): status for number, status in enumerate(reversed(statuses), start=1)}
    results = [day(name, f"2026-02-0{name}", status=status) for name, status in days.items()]
    seen = frozenset(result.ref.resource for result in results)
    assert read(evaluated(record(*results, carded_before=seen))) == expected


def test_of_two_withdrawn_results_only_the_one_that_was_carded_before_is_told() -> None:
    seen, unseen = (
        day(name, on, status=Status.CANCELLED)
        for name, on in (("seen", "2026-01-01"), ("unseen", "2026-02-01"))
    )
    evaluation = evaluated(carded("seen", seen, unseen))
    assert read(evaluation) == {"seen": "status-withdrawn"}
    assert left_aside(evaluation) == {"unseen": "the result is cancelled"}


def test_a_withdrawn_result_gets_no_card_where_a_chart_is_opened() -> None:
    given = carded("old", OLD_WITHDRAWN, day("new", "2026-02-01"))
    assert read(chart(given)) == {"new": "interpreted"}
    assert left_aside(chart(given)) == {"old": "the result is entered-in-error"}
