"""A hospital for the tests: a real FHIR server (sekmet), our inbox over HTTP, and our worker.

Everything listens on free ports of 127.0.0.1 and is stopped by its own handle.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from werkzeug.serving import make_server

from cds_service.access.registry import load_registry
from cds_service.config import Mode, Settings
from cds_service.event_wiring import EventRoom, Workshop, open_event_room, open_workshop
from cds_service.events.subscribing import subscribe
from cds_service.knowledge.files import Library
from cds_service.store.database import Database
from cds_service.store.pseudonym import DataKey
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.integration.fhir_server import server as sekmet
from tests.lab import row_of
from tests.ports import free_port

WEB = requests.Session()
WEB.trust_env = False


@dataclass(frozen=True)
class FhirServer:
    """A FHIR server that runs, and how it is called."""

    base: str
    headers: tuple[tuple[str, str], ...] = ()

    def call(self, method: str, path: str = "", body: Any = None) -> Any:
        headers = {"Content-Type": "application/fhir+json", **dict(self.headers)}
        url = f"{self.base}/{path}" if path else self.base
        answer = WEB.request(method, url, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def put(self, resource: dict[str, Any]) -> Any:
        return self.call("PUT", f"{resource['resourceType']}/{resource['id']}", resource)

    def search(self, query: str) -> list[dict[str, Any]]:
        return [entry["resource"] for entry in self.call("GET", query).get("entry", [])]


@contextlib.contextmanager
def fhir_server(folder: Path, **settings: Any) -> Iterator[FhirServer]:
    """A strict one that sends resources along when it notifies; `settings` are its own."""
    given = {
        "validation": {"inbound": "strict"},
        "subscriptions": {"notify_method": "put-resource", "retries": 2},
    }
    running = sekmet.FhirServer(folder, given | settings)
    running.start()
    try:
        yield FhirServer(running.base)
    finally:
        running.stop()


@dataclass
class Hospital:
    """A FHIR server, and us beside it."""

    server: FhirServer
    room: EventRoom
    workshop: Workshop
    public_url: str

    def work(self) -> int:
        """One turn of the worker."""
        return self.workshop.worker.drain()

    def subscribe(self) -> Any:
        source = self.room.source("lab")
        return subscribe(
            source,
            self.workshop.caretaker.exchange(source),
            self.room.subscriptions,
            knowledge=self.workshop.knowledge,
            endpoint=self.room.endpoint(source),
            at=self.workshop.caretaker.now(),
        )


@contextlib.contextmanager
def hospital(
    server: FhirServer, folder: Path, library: Library, row: str, **settings: Any
) -> Iterator[Hospital]:
    """Our inbox on a port of its own, with one source `lab`; `row` adds to its registry row."""
    port = free_port()
    registry = load_registry(row_of(server.base, folder, row), folder, Mode.SANDBOX)
    configured = Settings(
        public_url=f"http://127.0.0.1:{port}",
        database_url=f"sqlite:///{folder / 'cds.sqlite3'}",
        **settings,
    )
    with Database.open(configured.database_url) as database:
        database.upgrade()
        key = DataKey.random()
        room = open_event_room(configured, registry.sources, database, key)
        ports = Ports(inbox=room.inbox(room.queue()), checks={"events": room.check})
        app = create_app(configured, library, ports)
        web = make_server("127.0.0.1", port, app, threaded=True)
        often = {"poll_interval": 0.02}  # else each test waits half a second for its server to end
        serving = threading.Thread(target=web.serve_forever, kwargs=often, daemon=True)
        serving.start()
        try:
            yield Hospital(server, room, open_workshop(room, library), configured.public_url)
        finally:
            web.shutdown()
            serving.join()
            web.server_close()


def patient(id_: str = "p1") -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": id_,
        "birthDate": "1970-01-01",
        "name": [{"family": "Synthetic"}],
    }
