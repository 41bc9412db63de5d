"""The worker: once for each version, the newest wins, and nothing is lost to a fault."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.core.knowledge import KnowledgeBase
from cds_service.errors import StoreUnavailable
from cds_service.events.faults import MOST_ATTEMPTS
from cds_service.fhir.write_events import evaluation_key
from cds_service.knowledge.export.write import r4_resources
from cds_service.knowledge.files import Library
from cds_service.store.work_item import Claimed, Kind, Target, Way
from tests.event_world import PATIENT, World, observation, world
from tests.little_fhir import Refuse, little_fhir


def issue(here: World) -> Any:
    (only,) = here.fhir.of("DetectedIssue")
    return only


def test_t84_a_version_is_evaluated_once_however_often_it_is_notified(here: World) -> None:
    here.fhir.put(observation())
    for _ in range(10):
        here.notify("o1")
        here.work()
    assert len(here.records()) == len(here.evaluated()) == 1
    (record,) = here.records()
    assert record.door == "event"
    assert record.knowledge.startswith("sil2r@")
    assert "hlh-2004-criterion-met" in record.findings


def test_what_is_kept_of_a_result_cannot_be_computed_without_the_data_key(
    writing: World,
) -> None:
    """Its id is in nothing that was made without the key; nor is what it says: its version is kept
    as it is where the server counts versions, which says nothing.
    """
    writing.fhir.put(observation())
    writing.fhir.resources["Observation/o1"]["meta"] = {"lastUpdated": "2026-03-01T09:00:00Z"}
    writing.notify("o1")
    writing.work()
    (kept,), (record,) = writing.evaluated(), writing.records()
    (tag, *_) = issue(writing)["meta"]["tag"]
    assert record.id == kept.evaluation == issue(writing)["identifier"][0]["value"]
    assert kept.evaluation != evaluation_key(tag["code"], kept.version, kept.knowledge, secret="")
    secret = writing.room.pseudonyms.id_secret
    assert kept.evaluation == evaluation_key(tag["code"], kept.version, kept.knowledge, secret)
    assert re.fullmatch(r"as [a-z2-7]{32}", kept.version)
    about = ("events:lab", "version", "2026-03-01T09:00:00Z")
    assert kept.version == f"as {writing.room.pseudonyms.of(*about)}", "the next release knows it"
    writing.notify("o1")
    assert writing.work() == 1
    assert len(writing.evaluated()) == 1, "it is the same version still"
    (provenance,) = writing.fhir.of("Provenance")
    assert provenance["entity"][0]["what"]["reference"] == "Observation/o1"


def test_t89_final_corrected_withdrawn_each_replaces_the_one_before(writing: World) -> None:
    writing.fhir.put(observation(value=3000))
    writing.notify("o1")
    writing.work()
    first = issue(writing)
    assert first["status"] == "final"

    writing.fhir.put(observation(value=12000, status="corrected"))
    writing.notify("o1")
    writing.work()
    second = issue(writing)
    assert second["id"] == first["id"]
    assert "12000" in second["code"]["text"]

    writing.fhir.put(observation(value=12000, status="entered-in-error"))
    writing.notify("o1")
    writing.work()
    assert issue(writing)["status"] == "entered-in-error"
    (response,) = writing.fhir.of("GuidanceResponse")
    assert response["status"] == "entered-in-error"

    kept = writing.evaluated()
    assert [row.said for row in kept] == [True, True, False]
    assert [row.replaces for row in kept] == ["", kept[0].evaluation, kept[1].evaluation]
    provenances = writing.fhir.of("Provenance")
    assert [len(each["entity"]) for each in provenances] == [1, 2]


def test_t89_a_result_withdrawn_before_anything_was_said_leaves_no_trace(writing: World) -> None:
    writing.fhir.put(observation(status="entered-in-error"))
    writing.notify("o1")
    writing.work()
    assert writing.fhir.of("DetectedIssue") == []
    assert len(writing.records()) == 1


def test_a_deleted_result_is_taken_back(writing: World) -> None:
    writing.fhir.put(observation())
    writing.notify("o1")
    writing.work()
    del writing.fhir.resources["Observation/o1"]
    writing.notify("o1")
    writing.work()
    assert issue(writing)["status"] == "entered-in-error"
    assert [row.said for row in writing.evaluated()] == [True, False]


def test_a_result_that_turns_out_to_be_of_another_test_is_taken_back(writing: World) -> None:
    writing.fhir.put(observation())
    writing.notify("o1")
    writing.work()
    other = {"coding": [{"system": "http://loinc.org", "code": "2276-4"}]}
    writing.fhir.put(observation(code=other))
    writing.notify("o1")
    writing.work()
    assert issue(writing)["status"] == "entered-in-error"
    assert [row.version for row in writing.evaluated()] == ["1", "2"]
    evaluated, taken_back = writing.records()
    assert taken_back.patient == evaluated.patient, "it goes with all that is kept of the patient"


def test_a_preliminary_result_is_marked_so_and_replaced_by_the_final_one(writing: World) -> None:
    writing.fhir.put(observation(status="preliminary"))
    writing.notify("o1")
    writing.work()
    assert issue(writing)["status"] == "preliminary"
    (response,) = writing.fhir.of("GuidanceResponse")
    assert response["status"] == "data-required"
    writing.fhir.put(observation(status="final"))
    writing.notify("o1")
    writing.work()
    assert issue(writing)["status"] == "final"


def test_a_crash_after_delivery_costs_a_repeat_that_changes_nothing(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.fhir.put(observation())
    writing.notify("o1")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(writing.room.store), "finish", die)
        with pytest.raises(KeyboardInterrupt):
            writing.work()
    written = dict(writing.fhir.writes)
    assert any(path.startswith("DetectedIssue/") or "made" in path for path in written)
    assert writing.records() == []

    assert writing.work() == 0  # still leased
    writing.clock.pass_(minutes=6)
    assert writing.work() == 1
    assert dict(writing.fhir.writes) == written
    assert len(writing.records()) == 1


def test_a_result_that_kills_its_workers_is_set_aside(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.fhir.put(observation())
    here.notify("o1")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cds_service.events.worker.read_current", die)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            here.work()
        here.clock.pass_(minutes=6)
    assert here.work() == 0
    (row,) = here.room.store.waiting(dead_only=True)
    assert row.cause == "worker-lost"


def test_a_lease_that_was_lost_ends_nothing(here: World) -> None:
    here.fhir.put(observation())
    here.notify("o1")
    (slow,) = here.room.store.claim(here.clock())
    here.clock.pass_(minutes=6)
    here.work()
    assert len(here.records()) == 1
    ending = here.room.store.finish(slow, here.clock())
    assert ending.value == "lease-lost"


def test_whoever_lost_the_lease_leaves_the_work_to_whoever_holds_it(here: World) -> None:
    store = here.room.store
    here.fhir.put(observation())
    here.notify("o1")
    (slow,) = store.claim(here.clock())
    here.clock.pass_(minutes=6)
    (holder,) = store.claim(here.clock())
    found = [Target(Kind.OBSERVATION, "o2")]
    assert store.finish(slow, here.clock(), found=found).value == "lease-lost"
    assert len(store.waiting()) == 1, "what it found on the way is not added either"
    assert store.finish(holder, here.clock()).value == "done"
    assert store.waiting() == ()


def test_a_notification_during_processing_is_not_forgotten(here: World) -> None:
    here.fhir.put(observation())
    here.notify("o1")
    (claimed,) = here.room.store.claim(here.clock())
    here.notify("o1")
    assert here.room.store.finish(claimed, here.clock()).value == "again"
    assert here.work() == 1


def test_a_server_down_for_an_hour_loses_nothing_and_is_caught_up_with(writing: World) -> None:
    for number in range(3):
        writing.fhir.put(observation(f"o{number}"))
    writing.fhir.broken = 503
    writing.notify("o0", "o1", "o2")
    for _ in range(60):
        assert writing.work() == 0
        writing.clock.pass_(minutes=1)
    assert [row.dead for row in writing.room.store.waiting()] == [False] * 3
    assert {row.cause for row in writing.room.store.waiting()} == {"read: status-5xx"}
    writing.fhir.broken = 0
    writing.clock.pass_(minutes=8)
    assert writing.work() == 3
    assert len(writing.records()) == len(writing.fhir.of("DetectedIssue")) == 3


def test_a_fault_that_does_not_pass_ends_on_the_list_and_can_be_revived(here: World) -> None:
    here.fhir.put(observation())
    here.fhir.broken = 403
    here.notify("o1")
    for _ in range(MOST_ATTEMPTS):
        here.work()
        here.clock.pass_(minutes=8)
    (row,) = here.room.store.waiting(dead_only=True)
    assert (row.cause, row.attempts) == ("read: status-403", MOST_ATTEMPTS)
    (record,) = here.records()
    assert (record.status, record.error) == (412, "CDS-3001")
    assert here.web.get("/health/ready").get_json()["status"] == "degraded"

    here.fhir.broken = 0
    assert here.work() == 0
    assert here.room.store.revive([row.number], here.clock()) == 1
    assert here.work() == 1
    assert len(here.evaluated()) == 1


def test_what_was_set_aside_long_ago_is_waited_for_when_it_is_revived_and_its_server_rests(
    here: World,
) -> None:
    here.fhir.put(observation())
    here.fhir.broken = 403
    here.notify("o1")
    for _ in range(MOST_ATTEMPTS):
        here.work()
        here.clock.pass_(minutes=8)
    here.clock.pass_(days=30)
    here.room.store.revive([], here.clock())
    here.fhir.broken = 503
    here.work()
    here.clock.pass_(minutes=8)
    here.fhir.broken = 0
    assert here.work() == 1
    assert len(here.evaluated()) == 1


def test_a_new_notification_revives_what_was_set_aside(here: World) -> None:
    here.fhir.broken = 403
    here.notify("o1")
    for _ in range(MOST_ATTEMPTS):
        here.work()
        here.clock.pass_(minutes=8)
    here.fhir.broken = 0
    here.fhir.put(observation())
    here.notify("o1")
    assert here.work() == 1


def test_what_was_in_hand_when_the_database_was_lost_waits_for_no_lease(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        writing.fhir.put(observation(f"o{number}"))
    writing.notify("o0", "o1", "o2", "o3")
    store, worker = writing.room.store, writing.workshop.worker

    def lost(*_what: Any, **_more: Any) -> Any:
        raise StoreUnavailable("The database cannot be used.")

    with monkeypatch.context() as away:
        away.setattr(store, "finish", lost)
        with pytest.raises(StoreUnavailable):
            writing.work()
        away.setattr(store, "give_back", lost)
        with pytest.raises(StoreUnavailable):
            worker.give_back()
    assert store.due(writing.clock()) == 0
    worker.give_back()
    assert store.due(writing.clock()) == 3, "the one under way keeps its lease"
    assert writing.work() == 3
    writing.clock.pass_(minutes=6)
    assert writing.work() == 1
    assert len(writing.records()) == len(writing.fhir.of("DetectedIssue")) == 4
    assert max(writing.fhir.writes.values()) == 1


def test_a_worker_that_is_told_to_stop_ends_what_is_under_way_and_gives_the_rest_back(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the backlog is; and nobody waits for the leases of what was not begun."""
    names = [f"o{number}" for number in range(10)]
    for name in names:
        here.fhir.put(observation(name))
    here.notify(*names)
    store, worker = here.room.store, here.workshop.worker
    finish = store.finish

    def told_to_stop(*given: Any, **more: Any) -> Any:
        worker.stopping.set()
        return finish(*given, **more)

    monkeypatch.setattr(store, "finish", told_to_stop)
    assert here.work() == 1
    assert store.due(here.clock()) == 9
    assert here.work() == 0, "nothing more is begun"
    worker.stopping.clear()
    monkeypatch.undo()
    assert here.work() == 9


def test_one_that_the_database_cannot_take_holds_up_no_other_and_is_told(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        writing.fhir.put(observation(f"o{number}"))
    writing.notify("o0", "o1", "o2")
    store, worker = writing.room.store, writing.workshop.worker
    real, refused = store.finish, store.item("lab", Target(Kind.OBSERVATION, "o1"))

    def cannot_take(claimed: Claimed, *what: Any, **more: Any) -> Any:
        if claimed.item == refused:
            raise StoreUnavailable("The database cannot be used.")
        return real(claimed, *what, **more)

    monkeypatch.setattr(store, "finish", cannot_take)
    for _ in range(30):
        worker.give_back()
        with suppress(StoreUnavailable):
            writing.work()
        writing.clock.pass_(minutes=1)
    assert len(writing.records()) == 2
    (left,) = store.waiting()
    assert (left.dead, left.cause) == (True, "worker-lost")


def test_a_fault_of_ours_does_not_stop_the_others(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("o1", "o2"):
        here.fhir.put(observation(each))
    here.notify("o1", "o2")
    real = here.workshop.worker.evaluator.now_stands

    def fail_once(claimed: Any, current: Any, *more: Any) -> Any:
        if claimed.target.reference == "Observation/o1":
            raise RuntimeError("a fault with a secret text")
        return real(claimed, current, *more)

    monkeypatch.setattr(here.workshop.worker.evaluator, "now_stands", fail_once)
    assert here.work() == 1
    (row,) = here.room.store.waiting()
    assert row.cause == "fault"


def test_a_companion_that_cannot_be_had_just_now_is_waited_for(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.fhir.put(observation())
    here.notify("o1")
    real = here.fhir._answer

    def no_conditions(method: str, path: str, query: str, body: bytes) -> Any:
        if path == "Condition":
            raise Refuse(503)
        return real(method, path, query, body)

    with monkeypatch.context() as patch:
        patch.setattr(here.fhir, "_answer", no_conditions)
        assert here.work() == 0
    (row,) = here.room.store.waiting()
    assert row.cause == "conditions: status-5xx"


def test_a_diagnostic_report_leads_to_its_results(writing: World) -> None:
    writing.fhir.put(observation("o1"))
    writing.fhir.put(observation("o2", value=4000))
    results = [{"reference": "Observation/o1"}, {"reference": "Observation/o2"}]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "d1",
        "status": "final",
        "code": {"text": "Panel"},
        "subject": {"reference": "Patient/p1"},
        "result": results,
    }
    writing.fhir.put(report)
    writing.notify("d1", kind="DiagnosticReport")
    writing.work()
    assert len(writing.fhir.of("DetectedIssue")) == 2

    writing.fhir.put({**report, "status": "entered-in-error"})
    writing.notify("d1", kind="DiagnosticReport")
    writing.work()
    statuses = [each["status"] for each in writing.fhir.of("DetectedIssue")]
    assert statuses == ["entered-in-error"] * 2


def test_a_report_whose_status_is_no_text_takes_nothing_back(writing: World) -> None:
    writing.fhir.put(observation("o1"))
    report = {"resourceType": "DiagnosticReport", "id": "d1", "status": {"text": "cancelled"}}
    writing.fhir.put({**report, "result": [{"reference": "Observation/o1"}]})
    writing.notify("o1")
    writing.work()
    assert issue(writing)["status"] == "final"


def test_a_result_contained_in_a_report_is_evaluated_as_part_of_it(writing: World) -> None:
    inside = {**observation("inside"), "id": "a"}
    writing.fhir.put(
        {
            "resourceType": "DiagnosticReport",
            "id": "d1",
            "status": "final",
            "code": {"text": "Panel"},
            "subject": {"reference": "Patient/p1"},
            "contained": [inside],
            "result": [{"reference": "#a"}],
        }
    )
    writing.notify("d1", kind="DiagnosticReport")
    writing.work()
    assert issue(writing)["implicated"] == [{"reference": "DiagnosticReport/d1"}]


def test_what_is_written_back_is_valid_fhir(writing: World) -> None:
    writing.fhir.put(observation())
    writing.notify("o1")
    writing.work()
    kinds = ("DetectedIssue", "GuidanceResponse", "Provenance")
    for kind in kinds:
        (resource,) = writing.fhir.of(kind)
        get_fhir_model_class(kind).model_validate(resource)
    assert "severity" not in issue(writing)


def test_the_knowledge_that_a_written_answer_names_is_one_that_is_exported(
    writing: World, sil2r: KnowledgeBase
) -> None:
    writing.fhir.put(observation())
    writing.notify("o1")
    writing.work()
    (response,) = writing.fhir.of("GuidanceResponse")
    exported = {
        f"{each['url']}|{each['version']}": each["resourceType"]
        for each in r4_resources(sil2r, digest="ab" * 32)
    }
    assert exported[response["moduleCanonical"]] == "PlanDefinition"


@pytest.mark.parametrize("notice", ["Communication", "Task"])
def test_the_clinician_who_ordered_the_test_is_told(
    tmp_path: Path, library: Library, notice: str
) -> None:
    row = f'delivery = "write-back"\nissue = "Flag"\nnotify = "{notice}"\n'
    with world(tmp_path, library, row) as here:
        here.fhir.put(PATIENT)
        order = {
            "resourceType": "ServiceRequest",
            "id": "r1",
            "requester": {"reference": "Practitioner/d1"},
        }
        here.fhir.put(order)
        ordered = {"basedOn": [{"reference": "ServiceRequest/r1"}]}
        here.fhir.put(observation("o1", **ordered))
        here.fhir.put(observation("o2"))
        here.notify("o1", "o2")
        here.work()
        (told,) = here.fhir.of(notice)
        get_fhir_model_class(notice).model_validate(told)
        assert told["basedOn"] == [{"reference": "ServiceRequest/r1"}]
        assert len(here.fhir.of("Flag")) == 2
        for flag in here.fhir.of("Flag"):
            get_fhir_model_class("Flag").model_validate(flag)

        here.fhir.put(observation("o1", value=12000, status="corrected", **ordered))
        here.notify("o1")
        here.work()
        assert len(here.fhir.of(notice)) == (2 if notice == "Communication" else 1)


def test_a_change_by_somebody_else_is_not_overwritten_unseen(
    writing: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing.fhir.put(observation())
    writing.notify("o1")
    writing.work()
    writing.fhir.put(observation(value=5000, status="corrected"))
    writing.notify("o1")
    real = writing.fhir._transaction

    def meddled(bundle: Any) -> Any:
        monkeypatch.setattr(writing.fhir, "_transaction", real)
        writing.fhir.put({**issue(writing), "note": "somebody was here"})
        return real(bundle)

    monkeypatch.setattr(writing.fhir, "_transaction", meddled)
    assert writing.work() == 0
    assert "3000" in issue(writing)["code"]["text"]
    writing.clock.pass_(seconds=10)
    assert writing.work() == 1
    assert "5000" in issue(writing)["code"]["text"]


def test_the_relay_gets_the_hook_with_its_card_under_one_id(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    with little_fhir() as relay:
        row = f'delivery = "hook"\nrelay = "{relay.base}"\n'
        posted: list[Any] = []
        monkeypatch.setattr(relay, "_transaction", lambda body: posted.append(body) or {})
        with world(tmp_path, library, row) as here:
            here.fhir.put(PATIENT)
            here.fhir.put(observation())
            here.notify("o1")
            here.work()
            here.fhir.put(observation(status="entered-in-error"))
            here.notify("o1")
            here.work()
    first, second = posted
    assert first["hook"] == "org.sil2r-cds.lab-result-create"
    assert len(first["cards"]) == 1
    assert first["context"] == {"patientId": "p1"}
    assert second["extension"]["org.sil2r-cds.event"]["status"] == "entered-in-error"
    assert first["hookInstance"] != second["hookInstance"]


def test_a_source_that_is_no_longer_registered_is_asked_for_nothing(
    here: World, tmp_path: Path
) -> None:
    here.room.store.add("gone", [Target(Kind.OBSERVATION, "o1")], Way.NOTIFIED, here.clock())
    assert here.work() == 0
    assert here.fhir.calls == []
    (row,) = here.room.store.waiting()
    assert row.cause == "source: not-allowed"
    assert row.due - here.clock() < timedelta(minutes=1)


def test_what_another_worker_took_over_meanwhile_is_not_said_to_be_done(
    here: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here.fhir.put(observation())
    here.notify("o1")
    real = here.workshop.worker.evaluator.now_stands
    by_the_other: list[int] = []

    def slow(*given: Any) -> Any:
        monkeypatch.setattr(here.workshop.worker.evaluator, "now_stands", real)
        here.clock.pass_(minutes=6)
        by_the_other.append(here.work())
        return real(*given)

    monkeypatch.setattr(here.workshop.worker.evaluator, "now_stands", slow)
    assert (here.work(), by_the_other) == (0, [1])
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    about = [(line["code"], line.get("cause", "")) for line in lines if "kind" in line]
    assert about == [("CDS-L401", ""), ("CDS-L402", "lease-lost")]
    assert len(here.records()) == 1
