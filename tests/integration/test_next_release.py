"""An upgrade without a pause: this release and the next one, side by side on one database.

The next release is this one with one more migration, which adds a table and a column. It runs from
a copy of the package, as its own processes, on PostgreSQL.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

import cds_service
from cds_service.store.upgrade import NEWEST
from tests.integration.service.running import CARD, Service
from tests.integration.store.conftest import Cluster, cluster

__all__ = ["cluster"]  # the fixture of the store's tests, used here too
pytestmark = pytest.mark.integration

NEXT = f"{int(NEWEST) + 1:04d}"
DATA_KEY = base64.b64encode(bytes(range(32))).decode()
MIGRATION = f'''
"""What the next release adds."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{NEWEST}"


def upgrade() -> None:
    op.create_table("next_things", sa.Column("id", sa.String(64), primary_key=True))
    op.add_column("evaluations", sa.Column("next_word", sa.String(64), nullable=True))
'''


@dataclass(frozen=True)
class Releases:
    """An instance of this release and one of the next, not started, on one database."""

    old: Service
    new: Service
    database: str

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def releases(cluster: Cluster, tmp_path: Path) -> Iterator[Releases]:
    database = cluster.new_database()
    shared = {"CDS_DATABASE_URL": database, "CDS_DATA_KEY": DATA_KEY}
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old = Service(tmp_path / "old", environment=shared)
    ahead = {**shared, "PYTHONPATH": str(_next_release(tmp_path))}
    new = Service(tmp_path / "new", environment=ahead)
    yield Releases(old, new, database)
    for service in (old, new):
        if hasattr(service, "process"):
            service.stop()


def _next_release(folder: Path) -> Path:
    """The folder of a package that is ahead of this one by a migration."""
    package = folder / "next" / "cds_service"
    shutil.copytree(
        Path(cds_service.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    (package / f"store/migrations/versions/r{NEXT}_next.py").write_text(MIGRATION, encoding="utf-8")
    upgrade = package / "store" / "upgrade.py"
    text = upgrade.read_text(encoding="utf-8")
    ahead = text.replace(f'NEWEST = "{NEWEST}"', f'NEWEST = "{NEXT}"')
    assert ahead != text
    upgrade.write_text(ahead, encoding="utf-8")
    return package.parent


def card_of(service: Service) -> str:
    answer = service.invoke(CARD)
    assert answer.status_code == 200, service.log()
    return str(answer.json()["cards"][0]["uuid"])


def feedback(service: Service, card: str) -> int:
    said = {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-10T09:30:00Z"}
    path = "/cds-services/sil2r-lab-result/feedback"
    return service.post(path, json.dumps({"feedback": [said]})).status_code


def test_the_old_release_serves_while_and_after_the_new_one_migrates(releases: Releases) -> None:
    releases.old.start()
    before = card_of(releases.old)
    releases.new.start()
    assert releases.rows("SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert card_of(releases.old) == card_of(releases.new) == before
    assert feedback(releases.old, before) == feedback(releases.new, before) == 200
    assert releases.rows("SELECT count(*) FROM evaluations") == [(3,)]
    assert releases.rows("SELECT times_sent FROM cards") == [(3,)]
    assert releases.rows("SELECT matched FROM feedback") == [(True,)]


def test_the_old_release_starts_again_on_the_new_database_and_says_so(releases: Releases) -> None:
    releases.new.start()
    card = card_of(releases.new)
    releases.old.start()
    assert card_of(releases.old) == card
    assert releases.rows("SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert "CDS-L202" in releases.old.log()
    assert "CDS-L202" not in releases.new.log()
