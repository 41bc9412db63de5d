"""Every test that asks for `database_url` runs on SQLite and on a real PostgreSQL.

The PostgreSQL cluster is our own: made for the run, reached by a Unix socket only, removed after.
Debian's package is enough (`apt-get install postgresql`); no service of the system is used.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from cds_service.store.database import Database
from tests.kept import put_database

HOW_TO_GET = "no PostgreSQL server programs: `apt-get install postgresql` (Debian, Ubuntu)"


@dataclass(frozen=True)
class Cluster:
    """A running cluster; `socket` is the folder of its Unix socket, `control` runs pg_ctl on it."""

    socket: Path
    control: Callable[..., None]

    def restart(self) -> None:
        """End it at once, as when its machine is lost, and start it again."""
        self.control("restart", "--wait", "--mode=immediate")

    def new_database(self, encoding: str = "UTF8") -> str:
        """The URL of a new, empty database."""
        name = f"test_{uuid4().hex}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 LOCALE 'C' ENCODING {}")
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(create.format(sql.Identifier(name), sql.Literal(encoding)))
        return self._address(name)

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket), safe='')}"


def server_programs() -> Path:
    """The folder of the newest initdb and pg_ctl here; skips the test where there are none."""
    if on_path := shutil.which("pg_ctl"):
        return Path(on_path).resolve().parent
    found = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    versions = sorted(found, key=lambda path: int(path.parts[-3]))
    if not versions:
        pytest.skip(HOW_TO_GET)
    return versions[-1].parent


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A throw-away cluster, stopped by its own pg_ctl, also when this process is killed.

    The server refuses to run as root: there it runs as the user that Debian's package made.
    """
    programs = server_programs()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short: the path of a socket has 107 bytes
    as_user: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def command(program: str, *arguments: str) -> list[str]:
        return [*as_user, str(programs / program), "-D", str(folder / "data"), *arguments]

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            command(program, *arguments),
            cwd=folder,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=120,
            check=True,
        )

    with _removed_after(folder, command("pg_ctl", "stop", "--wait", "--mode=immediate")):
        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        server = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "-o", server)
        yield Cluster(folder, partial(run, "pg_ctl"))


@contextmanager
def _removed_after(folder: Path, stop: Sequence[str]) -> Iterator[None]:
    """Afterwards the server is stopped and its folder is gone. A shell sees to it that waits for a
    line, or for the end of whoever should have written it: a killed run cannot.
    """
    guard = subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; "$@"; rm -rf -- "$0"', str(folder), *stop],
        env={"PATH": os.defpath},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # so that a signal to the whole run does not end it first
    )
    try:
        yield
    finally:
        guard.communicate(b"\n")  # pg_ctl gives up after a minute; a slow disk may take its time


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster of the whole run."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def postgresql_url(cluster: Cluster) -> str:
    """The URL of an empty database on PostgreSQL."""
    return cluster.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cds.sqlite3'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database at the newest revision."""
    if database_url.startswith("sqlite"):
        put_database(tmp_path / "cds.sqlite3")
    with Database.open(database_url) as opened:
        opened.upgrade()
        yield opened


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a task of `process.py`; what still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start_task(task: str, url: str, argument: str = "") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("process.py")), task, url, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_task
    for process in started:
        process.kill()
        process.communicate(timeout=30)


AtOnce = Callable[..., list[str]]


@pytest.fixture
def at_once(start: Start) -> AtOnce:
    """What so many processes say that do one task of `process.py` at one moment; all end well."""

    def outputs(number: int, task: str, url: str, argument: str = "") -> list[str]:
        processes = [start(task, url, argument) for _ in range(number)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * number
        return said

    return outputs
