"""A small world for the events room: a little FHIR server, our inbox, our worker, and a clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from cds_service.access.registry import load_registry
from cds_service.config import Mode, Settings
from cds_service.event_wiring import EventRoom, Workshop, open_event_room, open_workshop
from cds_service.events.faults import MOST_ATTEMPTS
from cds_service.fhir.calls.breaker import Breakers
from cds_service.knowledge.files import Library
from cds_service.store.database import Database
from cds_service.store.pseudonym import DataKey
from cds_service.store.tables import evaluations, event_evaluations
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.kept import put_database
from tests.lab import BEARER, row_of
from tests.little_fhir import Json, LittleFhir, little_fhir
from tests.subscriptions import subscription

LOINC = "http://loinc.org"
SERUM = "9654-5"
CSF_IN_MASS = "99768-4"
ANOTHER_TEST = "2276-4"
"""Ferritin."""
TOPIC = "http://example.org/topics/lab-result"


@dataclass
class Clock:
    """Stands still until it is moved: a busy machine makes nothing come due."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        """Let some time pass."""
        self.at += timedelta(**time)


@dataclass
class World:
    """Everything a test of events touches."""

    fhir: LittleFhir
    room: EventRoom
    workshop: Workshop
    web: FlaskClient
    clock: Clock = field(default_factory=Clock)

    def post(
        self, body: Any = None, source: str = "lab", headers: dict[str, str] | None = None
    ) -> TestResponse:
        """A notification over HTTP."""
        sent = BEARER if headers is None else headers
        address = f"/events/{source}"
        if body is None:
            return self.web.post(address, headers=sent)
        return self.web.post(address, json=body, headers=sent)

    def notify(self, *ids: str, kind: str = "Observation") -> TestResponse:
        """Id-only events without numbers, one for each id."""
        return self.post(events(*((0, f"{kind}/{each}") for each in ids)))

    def comes(self, resource: Any) -> None:
        """A new version of it is kept and notified."""
        self.fhir.put(resource)
        self.notify(resource["id"], kind=resource["resourceType"])

    def arrives(self, resource: Any) -> None:
        """A new version of it is kept, notified and worked off."""
        self.comes(resource)
        self.work()

    def work(self) -> int:
        """Let the worker work off all that is due."""
        return self.workshop.worker.drain()

    def something_has_changed(self) -> None:
        """An empty notification, and the moment that is waited for more of them."""
        self.post()
        self.clock.pass_(seconds=2)

    def try_in_vain(self) -> None:
        """All tries that anything has, as far apart as they may be."""
        for _ in range(MOST_ATTEMPTS):
            self.work()
            self.clock.pass_(minutes=8)

    def care(self) -> None:
        """Let the caretaker make a round."""
        self.workshop.caretaker.look_after_all()

    def rounds(self, **time: float) -> None:
        """As many rounds as there are in so much time, one every five seconds."""
        end = self.clock() + timedelta(**time)
        while self.clock() < end:
            self.care()
            self.clock.pass_(seconds=5)

    def expect(self, **state: Any) -> None:
        """Keep a subscription `s1` as `subscribe` would."""
        plain = subscription(self.clock(), criteria=TOPIC)
        self.room.subscriptions.expect(replace(plain, **state))

    def ready(self) -> Any:
        """What readiness says."""
        return self.web.get("/health/ready").get_json()

    def metrics(self) -> str:
        return str(self.web.get("/metrics").get_data(as_text=True))

    def waiting(self) -> list[tuple[str, str]]:
        """Of what type that is which waits, and how we came to know of it."""
        return [(row.kind, row.way) for row in self.room.store.waiting()]

    def ways(self) -> set[str]:
        """How we came to know of what waits."""
        return {row.way for row in self.room.store.waiting()}

    def causes(self) -> list[str]:
        """Why that waits which waits."""
        return [row.cause for row in self.room.store.waiting()]

    def set_aside(self) -> list[str]:
        """Why that was set aside which is not tried any more."""
        return [row.cause for row in self.room.store.waiting(dead_only=True)]

    def only(self, kind: str) -> Any:
        """The one resource of this type on the server."""
        (found,) = self.fhir.of(kind)
        return found

    def records(self) -> list[Any]:
        """All evaluation records, oldest first."""
        with self.room.database.reading() as connection:
            rows = select(evaluations).order_by(evaluations.c.number)
            return list(connection.execute(rows))

    def evaluated(self) -> list[Any]:
        """What was kept of results: (item, version, knowledge) and what became of it."""
        with self.room.database.reading() as connection:
            rows = select(event_evaluations).order_by(event_evaluations.c.number)
            return list(connection.execute(rows))


@contextmanager
def world(folder: Path, library: Library, row: str = "", **settings: Any) -> Iterator[World]:
    """A world with one source `lab`; `row` adds to its registry row."""
    configured = Settings(
        public_url="http://127.0.0.1:8000",
        database_url=f"sqlite:///{folder / 'cds.sqlite3'}",
        **settings,
    )
    clock = Clock()
    put_database(folder / "cds.sqlite3")
    with little_fhir() as fhir, Database.open(configured.database_url) as database:
        registry = load_registry(row_of(fhir.base, folder, row), folder, Mode.SANDBOX)
        room = open_event_room(configured, registry.sources, database, DataKey.random(), clock)
        ports = Ports(
            inbox=room.inbox(room.queue()),
            checks={"events": room.check},
            readings=room.readings,
            now=clock,
        )
        workshop = open_workshop(room, library, Breakers(failures=1_000_000))
        web = create_app(configured, library, ports).test_client()
        yield World(fhir, room, workshop, web, clock)


def events(*numbered: tuple[int, str], kind: str = "event-notification", **more: Any) -> Any:
    """A notification Bundle; each event is its number (0: none) and its focus ("": none)."""
    parts = [
        {
            "name": "notification-event",
            "part": [
                *([{"name": "event-number", "valueString": str(number)}] if number else []),
                *([{"name": "focus", "valueReference": {"reference": focus}}] if focus else []),
            ],
        }
        for number, focus in numbered
    ]
    return notification(kind, *parts, **more)


def notification(kind: str, *parts: Any, so_far: int | None = None, **more: Any) -> Any:
    """A notification Bundle of R4 Backport."""
    subscription = more.get("subscription", "s1")
    members = [
        {"name": "subscription", "valueReference": {"reference": f"Subscription/{subscription}"}},
        {"name": "topic", "valueCanonical": more.get("topic", TOPIC)},
        {"name": "status", "valueCode": more.get("status", "active")},
        {"name": "type", "valueCode": kind},
    ]
    if so_far is not None:
        members.append({"name": "events-since-subscription-start", "valueString": str(so_far)})
    status = {"resourceType": "Parameters", "parameter": [*members, *parts]}
    return {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [{"resource": status}, *({"resource": each} for each in more.get("sent", ()))],
    }


def observation(id_: str = "o1", value: float = 3000, status: str = "final", **more: Any) -> Json:
    """A serum sIL-2R result in U/mL."""
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": status,
        "code": {"coding": [{"system": LOINC, "code": SERUM}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        "valueQuantity": {
            "value": value,
            "unit": "U/mL",
            "system": "http://unitsofmeasure.org",
            "code": "U/mL",
        },
        **more,
    }


def result_of_another_patient(number: int) -> Json:
    """The one result `o<number>` of patient `p<number>`."""
    return observation(f"o{number}", subject={"reference": f"Patient/p{number}"})


PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"}


def a_result(id_: str, *codes: str, **more: Any) -> Json:
    """A result that stands inside another resource."""
    coding = [{"system": LOINC, "code": code} for code in codes or (SERUM,)]
    return observation(id_, code={"coding": coding}, **more)


def in_csf() -> Json:
    """A contained result in CSF, in pg/mL."""
    quantity = {"value": 800, "system": "http://unitsofmeasure.org", "code": "pg/mL"}
    return a_result("csf", CSF_IN_MASS, valueQuantity=quantity)


def containing(kind: str, *results: Any, status: str = "final") -> Json:
    """A panel (`Observation`) or a report that contains its results."""
    members = [{"reference": f"#{each['id']}"} for each in results]
    return {
        "resourceType": kind,
        "id": "both",
        "status": status,
        "code": {"text": "Interleukin-2 receptor in blood and CSF"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-01T08:00:00Z",
        "contained": list(results),
        "hasMember" if kind == "Observation" else "result": members,
    }


def dies(here: World, patch: pytest.MonkeyPatch) -> None:
    """Whoever works here is killed before anything is recorded."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with patch.context() as patched:
        patched.setattr(type(here.room.store), "finish", die)
        with pytest.raises(KeyboardInterrupt):
            here.work()
    assert here.records() == []
