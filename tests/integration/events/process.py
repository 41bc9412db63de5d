"""What the multi-process tests run in processes of their own:
`process.py ROLE FOLDER FHIR_BASE PORT QUEUE_URL DATABASE_URL`.

`inbox` serves our inbox, in one process, so that a kill is a kill; `worker` works as `cds-service
worker` does, with a short lease, so that a test need not wait for one to run out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from werkzeug.serving import make_server

from cds_service import logs
from cds_service.access.registry import load_registry
from cds_service.config import Mode, Settings
from cds_service.event_wiring import EventRoom, open_event_room, open_workshop
from cds_service.knowledge.files import Library, load_library
from cds_service.store.database import Database
from cds_service.store.events import EventStore
from cds_service.store.pseudonym import load_or_create_key
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.lab import row_of

LEASE = timedelta(seconds=2)
KEY_FILE = "data.key"


def say(line: str) -> None:
    """Reports one line to the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def open_room(
    folder: Path, base: str, queue_url: str = "", row: str = "", database_url: str = ""
) -> EventRoom:
    """The events room, with the short lease; over a database in `folder`, unless one is given."""
    given = row_of(base, folder, f'delivery = "write-back"\n{row}')
    registry = load_registry(given, folder, Mode.SANDBOX)
    settings = Settings(
        database_url=database_url or f"sqlite:///{folder / 'cds.sqlite3'}", queue_url=queue_url
    )
    database = Database.open(settings.database_url)
    database.upgrade()
    key = load_or_create_key(folder / KEY_FILE)
    room = open_event_room(settings, registry.sources, database, key)
    return replace(room, store=EventStore(database, key, room.pseudonyms, lease=LEASE))


def inbox(room: EventRoom, library: Library, port: int) -> None:
    """Serves until it is killed."""
    app = create_app(room.settings, library, Ports(inbox=room.inbox(room.queue())))
    server = make_server("127.0.0.1", port, app, threaded=True)
    say("ready")
    server.serve_forever()


def worker(room: EventRoom, library: Library, _port: int) -> None:
    """Works until it is stopped or killed."""
    logs.route_libraries()
    workshop = open_workshop(room, library)
    say("ready")
    workshop.run(threads=2)


ROLES: dict[str, Callable[[EventRoom, Library, int], None]] = {"inbox": inbox, "worker": worker}

if __name__ == "__main__":
    role, folder_, base_, port_, queue_, database_ = sys.argv[1:]
    room_ = open_room(Path(folder_), base_, queue_, database_url=database_)
    ROLES[role](room_, load_library(), int(port_))
