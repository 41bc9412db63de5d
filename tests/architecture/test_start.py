"""What a start does without: clocks differ, so what is loaded and looked through is counted."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from cds_service import collector
from cds_service.errors import ConfigurationError
from cds_service.store import upgrade
from cds_service.store.database import Database

SERVED = """
import os, sys
from cds_service.config import Mode, load_settings
from cds_service.event_worker import worker_beside
from cds_service.web.serve import serve
from cds_service.wiring import make_app, prepared

settings = load_settings(Mode.SANDBOX, os.environ)
make_app(settings, prepared(settings))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
REACHING = """
import sys
from cds_service.fhir.client import FhirClient
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.authorization import NoToken
from cds_service.origins import AllowList, FhirBase

base = FhirBase.parse("https://ehr.example.org/fhir")
client = FhirClient(AllowList.of([base]))
loaded = set(sys.modules)
client.session(base, NoToken(), Deadline.after(400)).close()
print(*sorted(set(sys.modules) - loaded))
"""
REACHING_FROM_A_SANDBOX = """
import sys
from unittest.mock import patch
from cds_service import callers
from cds_service.config import Mode, Settings
from cds_service.fhir.access import ServerAccess
from cds_service.fhir.calls.deadline import Deadline
from cds_service.hooks.request import FhirAccess, HookRequest, PatientViewContext
from cds_service.web.ports import Anybody

request = HookRequest(
    hook_instance="",
    context=PatientViewContext(patient_id="p1"),
    prefetch={},
    fhir=FhirAccess(server="http://127.0.0.1:9/fhir"),
)
reach = callers.FhirReach(Settings(mode=Mode.SANDBOX))
begun = []

real = Deadline.after

def after(milliseconds):
    begun.append(set(sys.modules))
    return real(milliseconds)

with patch.object(callers.Deadline, "after", after), reach(Anybody(), request) as access:
    assert isinstance(access, ServerAccess)
print(*sorted(set(sys.modules) - begun[0]))
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database that is up to date."""
    with Database.open(f"sqlite:///{tmp_path}/start.sqlite3") as opened:
        opened.upgrade()
        yield opened


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What a sandbox server without event sources has loaded once it could answer."""
    url = f"sqlite:///{tmp_path_factory.mktemp('start')}/start.sqlite3"
    with Database.open(url) as opened:
        opened.upgrade()
    given = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    ran = subprocess.run(
        [sys.executable, "-c", SERVED],
        env={**given, "CDS_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_a_server_on_sqlite_has_loaded_what_it_answers_with(loaded: set[str]) -> None:
    assert {"cds_service", "flask", "granian", "sqlalchemy"} <= loaded


@pytest.mark.parametrize("library", ["alembic", "huey", "psycopg", "pybreaker", "redis"])
def test_a_server_on_sqlite_does_not_load_what_it_has_no_use_for(
    loaded: set[str], library: str
) -> None:
    assert library not in loaded


@pytest.mark.parametrize(
    "reaching", [REACHING, REACHING_FROM_A_SANDBOX], ids=["of a registered server", "of any"]
)
def test_the_first_call_loads_nothing_within_its_deadline(reaching: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", reaching], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == []


def test_the_newest_revision_is_the_head_of_the_migrations() -> None:
    folder = Path(upgrade.__file__).with_name("migrations")
    assert ScriptDirectory(str(folder)).get_current_head() == upgrade.NEWEST


@pytest.mark.parametrize(
    "note",
    [
        "UPDATE alembic_version SET version_num = 'theirs'",
        "INSERT INTO alembic_version VALUES ('theirs')",
    ],
    ids=["a revision that we do not know", "a second revision beside ours"],
)
def test_a_database_of_another_software_is_refused_still(database: Database, note: str) -> None:
    with database.writing() as connection:
        connection.execute(text(note))
    assert database.revision() != upgrade.NEWEST
    with pytest.raises(ConfigurationError, match="revision that this release does not know"):
        database.upgrade()


def test_nothing_is_looked_through_while_much_is_loaded() -> None:
    begun: list[str] = []
    gc.callbacks.append(lambda phase, _: begun.append(phase))
    try:
        with collector.at_rest():
            kept = [[number] for number in range(100_000)]
            assert begun == []
        assert len(kept) < gc.get_freeze_count()
        assert gc.isenabled()
    finally:
        gc.callbacks.pop()
        gc.unfreeze()


def test_a_start_that_fails_leaves_the_collector_at_work() -> None:
    try:
        with pytest.raises(ZeroDivisionError), collector.at_rest():
            raise ZeroDivisionError
        assert gc.isenabled()
    finally:
        gc.unfreeze()
