"""What a relay is sent: each card once, and of what does not stand any longer only that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.files import Library
from tests.event_world import (
    ANOTHER_TEST,
    LOINC,
    PATIENT,
    World,
    a_result,
    containing,
    in_csf,
    observation,
    world,
)
from tests.little_fhir import little_fhir


@dataclass
class Relay:
    """A world whose answers are relayed, and what the relay was sent, oldest first."""

    here: World
    sent: list[Any] = field(default_factory=list)

    def answer(self, body: Any) -> Any:
        self.sent.append(body)
        return {}


@pytest.fixture
def relay(tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    with little_fhir() as receiver:
        row = f'delivery = "hook"\nrelay = "{receiver.base}"\n'
        with world(tmp_path, library, row) as here:
            here.fhir.put(PATIENT)
            made = Relay(here)
            monkeypatch.setattr(receiver, "_transaction", made.answer)
            yield made


def status_of(sent: Any) -> str:
    return str(sent["extension"]["org.sil2r-cds.event"]["status"])


def replaces(sent: Any) -> str:
    return str(sent["extension"]["org.sil2r-cds.event"].get("replaces", ""))


def test_t84_a_version_that_is_notified_again_is_not_sent_again(relay: Relay) -> None:
    relay.here.arrives(observation())
    for _ in range(3):
        relay.here.notify("o1")
        relay.here.work()
    assert len(relay.sent) == 1
    relay.here.arrives(observation(value=4000, status="corrected"))
    assert len(relay.sent) == 2


def test_a_panel_corrected_to_blood_alone_keeps_the_card_about_blood(relay: Relay) -> None:
    relay.here.arrives(containing("Observation", a_result("blood"), in_csf()))
    first = [*relay.sent]
    relay.sent.clear()
    relay.here.arrives(containing("Observation", a_result("blood"), status="corrected"))
    kept, gone = relay.sent
    assert [status_of(kept), status_of(gone)] == ["final", "entered-in-error"]
    (card,) = kept["cards"]
    assert "serum/plasma" in card["summary"]
    assert gone["cards"] == [], "what stands is not told as withdrawn"
    assert [replaces(kept), replaces(gone)] == [each["hookInstance"] for each in first]


def test_a_card_that_was_not_there_before_replaces_none(relay: Relay) -> None:
    relay.here.arrives(containing("Observation", a_result("blood")))
    relay.here.arrives(containing("Observation", a_result("blood"), in_csf(), status="corrected"))
    first, blood, fluid = relay.sent
    assert [replaces(blood), replaces(fluid)] == [first["hookInstance"], ""]


def test_a_withdrawn_result_is_told_by_the_card_that_says_so(relay: Relay) -> None:
    relay.here.arrives(observation())
    relay.here.arrives(observation(status="entered-in-error"))
    said, gone = relay.sent
    assert (replaces(said), replaces(gone)) == ("", said["hookInstance"])
    (card,) = gone["cards"]
    assert card["extension"]["org.sil2r-cds.evaluation"]["reason"] == "status-withdrawn"


def test_a_result_corrected_to_another_test_is_taken_back_with_its_patient(relay: Relay) -> None:
    relay.here.arrives(observation())
    ferritin = {"coding": [{"system": LOINC, "code": ANOTHER_TEST}]}
    relay.here.arrives(observation(code=ferritin, status="corrected"))
    _said, gone = relay.sent
    assert (status_of(gone), gone["cards"]) == ("entered-in-error", [])
    assert gone["context"] == {"patientId": "p1"}


def test_of_a_deleted_result_nobody_knows_the_patient_and_none_is_named(relay: Relay) -> None:
    relay.here.arrives(observation())
    del relay.here.fhir.resources["Observation/o1"]
    relay.here.notify("o1")
    relay.here.work()
    said, gone = relay.sent
    assert (status_of(gone), gone["cards"]) == ("entered-in-error", [])
    assert "context" not in gone
    assert replaces(gone) == said["hookInstance"]


def test_the_hook_is_sent_with_its_card_under_an_id_of_each_version(relay: Relay) -> None:
    relay.here.arrives(observation())
    relay.here.arrives(observation(status="entered-in-error"))
    first, second = relay.sent
    assert first["hook"] == "org.sil2r-cds.lab-result-create"
    assert len(first["cards"]) == 1
    assert first["context"] == {"patientId": "p1"}
    assert status_of(second) == "entered-in-error"
    assert first["hookInstance"] != second["hookInstance"]


def test_an_answer_after_one_that_was_taken_back_replaces_the_taking_back(relay: Relay) -> None:
    relay.here.arrives(observation())
    relay.here.arrives(observation(status="entered-in-error"))
    relay.here.arrives(observation(value=4000, status="corrected"))
    _said, gone, anew = relay.sent
    assert (status_of(anew), replaces(anew)) == ("final", gone["hookInstance"])


def test_an_answer_after_one_that_was_never_sent_replaces_none(relay: Relay) -> None:
    """The relay was told of no such `hookInstance`."""
    relay.here.arrives(observation(status="cancelled"))
    relay.here.arrives(observation(value=4000, status="corrected"))
    (first,) = relay.sent
    assert replaces(first) == ""
