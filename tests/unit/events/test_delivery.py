"""An answer where it is delivered to: whom it tells, and what goes when it no longer holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.fhir.calls.exchange import Sending
from cds_service.fhir.calls.fetched import HttpAnswer
from cds_service.fhir.client import FhirClient
from cds_service.knowledge.files import Library
from tests.event_world import PATIENT, World, observation, world
from tests.little_fhir import Json, little_fhir, refusing

ORDER = {
    "resourceType": "ServiceRequest",
    "id": "r1",
    "requester": {"reference": "Practitioner/d1"},
}
ELSEWHERE = "https://elsewhere.example.org/fhir/Practitioner/d1"
"""Somebody else than who has that id here."""


def ordered(**more: Any) -> Any:
    return observation(basedOn=[{"reference": "ServiceRequest/r1"}], **more)


@pytest.fixture(params=[("Flag", "Communication"), ("DetectedIssue", "Task")])
def kinds(request: pytest.FixtureRequest) -> tuple[str, str]:
    """What is written for an answer, and what tells the clinician of it."""
    issue, notice = request.param
    return issue, notice


@pytest.fixture
def telling(tmp_path: Path, library: Library, kinds: tuple[str, str]) -> Iterator[World]:
    """A world in which whoever ordered the test is told."""
    issue, notice = kinds
    row = f'delivery = "write-back"\nissue = "{issue}"\nnotify = "{notice}"\n'
    with world(tmp_path, library, row) as made:
        made.fhir.put(PATIENT)
        made.fhir.put(ORDER)
        yield made


def written(here: World, *of: str) -> dict[str, list[str]]:
    """The status of all that was written, by type."""
    return {kind: [each["status"] for each in here.fhir.of(kind)] for kind in of}


def test_what_told_the_clinician_is_taken_back_with_the_answer(
    telling: World, kinds: tuple[str, str]
) -> None:
    telling.arrives(ordered())
    everything = (*kinds, "GuidanceResponse")
    assert [len(each) for each in written(telling, *everything).values()] == [1, 1, 1]
    telling.arrives(ordered(status="entered-in-error"))
    assert written(telling, *everything) == {kind: ["entered-in-error"] for kind in everything}


@pytest.mark.parametrize(
    "requester",
    [None, {"display": "Dr Synthetic"}, {"reference": "#contained"}, {"reference": ELSEWHERE}],
    ids=["none", "by-name", "contained", "elsewhere"],
)
def test_where_nobody_can_be_told_the_answer_is_written_all_the_same(
    telling: World, kinds: tuple[str, str], requester: Any
) -> None:
    telling.fhir.put({**ORDER, "requester": requester})
    telling.arrives(ordered())
    issue, notice = kinds
    assert [len(each) for each in written(telling, issue, notice).values()] == [1, 0]


def test_a_correction_that_may_be_told_to_nobody_leaves_no_notice_of_the_value_before(
    telling: World, kinds: tuple[str, str]
) -> None:
    """A task to look at the old value stood beside the answer about the new one."""
    telling.arrives(ordered())
    telling.arrives(observation(value=12000, status="corrected"))
    issue, notice = kinds
    (told,) = telling.fhir.of(notice)
    expected = {"Task": "entered-in-error", "Communication": "in-progress"}
    assert told["status"] == expected[notice], "what was told stays told; what is to be done is not"
    assert len(telling.fhir.of(issue)) == 1


def test_a_result_that_is_anothers_after_all_leaves_nothing_standing_of_the_first_patient(
    telling: World, kinds: tuple[str, str]
) -> None:
    telling.arrives(ordered())
    telling.arrives(ordered(subject={"reference": "Patient/p2"}, status="corrected"))
    (_, notice), told = kinds, telling.fhir.of(kinds[1])
    about = [(each.get("for") or each["subject"])["reference"] for each in told]
    standing = [each["status"] != "entered-in-error" for each in told]
    assert (
        dict(zip(about, standing, strict=True))
        == {
            "Communication": {"Patient/p1": False, "Patient/p2": True},
            "Task": {"Patient/p2": True},
        }[notice]
    )


def test_a_result_that_names_no_patient_is_written_about_none(
    telling: World, kinds: tuple[str, str]
) -> None:
    """`Patient/` is no reference, and a server that looks at what it is sent refuses it."""
    telling.arrives(ordered(subject=None))
    for kind in (*kinds, "GuidanceResponse"):
        (kept,) = telling.fhir.of(kind)
        assert "Patient/" not in str(kept)
        get_fhir_model_class(kind).model_validate(kept)


@pytest.mark.parametrize("kind", ["Patient", "RelatedPerson", "Device"])
def test_the_answer_is_sent_to_no_patient_who_ordered_the_test(
    telling: World, kinds: tuple[str, str], kind: str
) -> None:
    """FHIR lets a patient request a test. What is said here is for clinicians only."""
    telling.fhir.put({**ORDER, "requester": {"reference": f"{kind}/p1"}})
    telling.arrives(ordered())
    issue, notice = kinds
    assert [len(each) for each in written(telling, issue, notice).values()] == [1, 0]


def test_an_order_on_another_server_is_not_taken_for_one_of_this_server(
    telling: World, kinds: tuple[str, str]
) -> None:
    there = "https://elsewhere.example.org/fhir/ServiceRequest/r1"
    telling.arrives(observation(basedOn=[{"reference": there}]))
    issue, notice = kinds
    assert [len(each) for each in written(telling, issue, notice).values()] == [1, 0]


@pytest.mark.parametrize("status", [403, 404])
def test_an_order_that_may_not_be_read_is_done_without(
    telling: World, kinds: tuple[str, str], status: int
) -> None:
    telling.fhir.operations["ServiceRequest/r1"] = refusing(status)
    telling.arrives(ordered())
    issue, notice = kinds
    assert [len(each) for each in written(telling, issue, notice).values()] == [1, 0]


def test_an_order_that_cannot_be_read_now_is_waited_for_or_nobody_would_be_told(
    telling: World, kinds: tuple[str, str]
) -> None:
    telling.fhir.operations["ServiceRequest/r1"] = refusing(503)
    telling.arrives(ordered())
    (row,) = telling.room.store.waiting()
    assert row.cause == "order: status-5xx"
    del telling.fhir.operations["ServiceRequest/r1"]
    telling.clock.pass_(minutes=8)
    telling.work()
    assert [len(each) for each in written(telling, *kinds).values()] == [1, 1]


def test_where_nobody_is_to_be_told_nobody_asks_who_ordered_the_test(writing: World) -> None:
    writing.fhir.put(ORDER)
    writing.arrives(ordered())
    assert written(writing, "DetectedIssue", "Communication") == {
        "DetectedIssue": ["final"],
        "Communication": [],
    }
    assert writing.fhir.count("ServiceRequest/r1") == 0


@pytest.mark.parametrize("status", [404, 403])
def test_where_the_server_cannot_say_what_stands_nothing_is_written(
    writing: World, status: int
) -> None:
    writing.fhir.operations["GuidanceResponse"] = refusing(status)
    writing.arrives(observation())
    (row,) = writing.room.store.waiting()
    assert row.cause == f"write-back: status-{status}"
    assert written(writing, "DetectedIssue", "GuidanceResponse") == {
        "DetectedIssue": [],
        "GuidanceResponse": [],
    }


def test_a_relay_is_told_which_result_how_final_and_by_whom(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "relay.secret").write_text("a-secret-of-the-relay")
    with little_fhir() as relay:
        relay.token = "a-secret-of-the-relay"
        row = f'delivery = "hook"\nrelay = "{relay.base}"\nrelay_secret_file = "relay.secret"\n'
        posted: list[Json] = []

        def take(body: Json) -> Json:
            posted.append(body)
            return {}

        monkeypatch.setattr(relay, "_transaction", take)
        with world(tmp_path, library, row) as here:
            here.fhir.put(PATIENT)
            for status in ("preliminary", "final"):
                here.arrives(observation(status=status))
            recorded = [record.id for record in here.records()]
    about = [each["extension"]["org.sil2r-cds.event"] for each in posted]
    assert [each["result"] for each in about] == ["Observation/o1"] * 2
    assert [each["status"] for each in about] == ["preliminary", "final"]
    assert ["replaces" in each for each in about] == [False, True]
    assert [each["hookInstance"] for each in posted] == recorded


def test_a_relay_is_spoken_to_in_json(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a client of CDS Hooks and knows nothing of FHIR."""
    spoken: list[tuple[str, str]] = []

    def send(_client: FhirClient, _base: object, sending: Sending, *_how: object) -> HttpAnswer:
        spoken.append((sending.media_type, sending.accept))
        return HttpAnswer("application/json", b"{}")

    monkeypatch.setattr(FhirClient, "send", send)
    with world(tmp_path, library, 'delivery = "hook"\nrelay = "http://127.0.0.1:9"\n') as here:
        here.fhir.put(PATIENT)
        here.arrives(observation())
        assert len(here.records()) == 1
    assert spoken == [("application/json", "application/json")]


def test_a_relay_that_refuses_is_asked_again(tmp_path: Path, library: Library) -> None:
    with little_fhir() as relay:
        row = f'delivery = "hook"\nrelay = "{relay.base}"\n'
        with world(tmp_path, library, row) as here:
            here.fhir.put(PATIENT)
            relay.broken = 503
            here.arrives(observation())
            (waits,) = here.room.store.waiting()
    assert waits.cause == "relay: status-5xx"
