"""T-84: any number of notifications, in any order, mixed with new versions, deaths and restarts.

Whatever happens, a version is evaluated once, and what stands on the FHIR server in the end is what
the newest version says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from random import Random
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from cds_service.event_wiring import open_workshop
from cds_service.fhir.calls.breaker import Breakers
from cds_service.knowledge.files import Library
from tests.event_world import PATIENT, World, events, observation, world
from tests.little_fhir import Json

IDS = ("o1", "o2", "o3")
A_RESULT = st.sampled_from(IDS)
LEASE_OVER = {"minutes": 6}


class Inbox(RuleBasedStateMachine):
    """Each run has a fresh world in a folder of its own."""

    folder: ClassVar[Path]
    library: ClassVar[Library]
    runs: ClassVar[Iterator[int]] = count()
    happened: ClassVar[Counter[str]]
    """What came about, over all runs: a rule whose condition never holds would prove nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        here = self.folder / str(next(self.runs))
        here.mkdir()
        row = 'delivery = "write-back"\n'
        self.world: World = self.open.enter_context(world(here, self.library, row))
        self.world.fhir.put(PATIENT)
        self.versions: Counter[str] = Counter()
        self.number = 0

    @initialize(value=st.integers(100, 20_000))
    def one_result_is_there_and_was_notified(self, value: int) -> None:
        self.resulted("o1", value)
        self.notify(["o1"], 1)

    def teardown(self) -> None:
        with self.open:
            self.finish()

    def finish(self) -> None:
        """What stands in the end is right; then every result is withdrawn, and that is told too."""
        self.work_everything_off()
        for result in self.versions:
            self.withdraw(result)
        self.work_everything_off()

    def work_everything_off(self) -> None:
        """Everything is notified once more."""
        self.notify(sorted(self.versions), 1)
        self.world.clock.pass_(**LEASE_OVER)
        while self.world.work():
            self.world.clock.pass_(**LEASE_OVER)
        assert self.world.room.store.waiting() == ()
        self.what_stands_is_what_the_newest_version_says()
        self.no_version_was_evaluated_twice()

    def withdraw(self, result: str) -> None:
        self.world.fhir.put(observation(result, status="entered-in-error"))
        self.versions[result] += 1
        self.happened["withdrawn"] += 1

    def notify(self, ids: list[str], times: int) -> None:
        for _ in range(times):
            for each in ids:
                self.number += 1
                sent = events((self.number, f"Observation/{each}"))
                assert self.world.post(sent).status_code == 200

    @rule(result=A_RESULT, value=st.integers(100, 20_000))
    def resulted(self, result: str, value: int) -> None:
        status = "corrected" if self.versions[result] else "final"
        self.world.fhir.put(observation(result, value=value, status=status))
        self.versions[result] += 1
        self.happened[status] += 1

    @rule(data=st.data())
    def withdrawn(self, data: st.DataObject) -> None:
        self.withdraw(data.draw(st.sampled_from(sorted(self.versions))))

    @rule(results=st.lists(A_RESULT, min_size=1, max_size=5), times=st.integers(1, 10))
    def notified(self, results: list[str], times: int) -> None:
        self.notify([each for each in results if self.versions[each]], times)

    @rule(chance=st.randoms(use_true_random=False))
    def notified_late_and_out_of_order(self, chance: Random) -> None:
        numbers = list(range(1, self.number + 1))
        chance.shuffle(numbers)
        known = [each for each in IDS if self.versions[each]]
        for number in numbers[:5]:
            focus = f"Observation/{known[number % len(known)]}"
            assert self.world.post(events((number, focus))).status_code == 200
            self.happened["notified late"] += 1

    @rule()
    def worked(self) -> None:
        self.world.work()

    @rule(most=st.integers(1, 3))
    def a_worker_dies_with_what_it_had_taken(self, most: int) -> None:
        self.world.room.store.claim(self.world.clock(), most)

    @rule()
    def a_lease_runs_out(self) -> None:
        self.world.clock.pass_(**LEASE_OVER)

    @rule()
    def restarted(self) -> None:
        self.world.workshop = open_workshop(
            self.world.room, self.library, Breakers(failures=1_000_000)
        )

    @invariant()
    def no_version_was_evaluated_twice(self) -> None:
        keys = [(row.item, row.version, row.knowledge) for row in self.world.evaluated()]
        assert len(keys) == len(set(keys))
        done = [row for row in self.world.records() if not row.error]
        assert len(done) == len(keys)
        assert len(done) <= sum(self.versions.values())

    @invariant()
    def one_result_has_one_issue(self) -> None:
        about = [issue["implicated"][0]["reference"] for issue in self.issues()]
        assert len(about) == len(set(about))

    def issues(self) -> list[Json]:
        return self.world.fhir.of("DetectedIssue")

    def what_stands_is_what_the_newest_version_says(self) -> None:
        issues = {issue["implicated"][0]["reference"]: issue for issue in self.issues()}
        for result in self.versions:
            reference = f"Observation/{result}"
            current = self.world.fhir.resources[reference]
            if current["status"] == "entered-in-error":
                said = issues.get(reference, {"status": "entered-in-error"})
                assert said["status"] == "entered-in-error"
                self.happened["taken back" if reference in issues else "never told"] += 1
            else:
                value = str(current["valueQuantity"]["value"])
                assert value in issues[reference]["code"]["text"]
                assert issues[reference]["status"] == "final"


def test_t84_duplicates_order_and_restarts_change_nothing(tmp_path: Path, library: Library) -> None:
    happened: Counter[str] = Counter()
    members = {"folder": tmp_path, "library": library, "happened": happened}
    bound = type("BoundInbox", (Inbox,), members)
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert {"final", "corrected", "withdrawn", "notified late", "taken back"} <= set(happened)
