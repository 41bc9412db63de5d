"""The service as a user starts it: a process, a port, a database, a signal."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import requests

import fhir_fixtures
from tests.ports import free_port

CARD = "lab_result_minimal"
"""A story whose answer is one card."""


@dataclass
class Service:
    """One `cds-service serve`, with its log; it runs for as long as the `with` block does."""

    folder: Path
    arguments: tuple[str, ...] = ("--sandbox",)
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(self) -> None:
        self._log = (self.folder / "log").open("ab")
        command = [sys.executable, "-m", "cds_service", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, *self.arguments],
            cwd=self.folder,
            env={**bare_environment(), **self.environment},
            stdout=self._log,
            stderr=self._log,
        )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        for _ in range(300):
            assert self.process.poll() is None, self.log()
            try:
                if requests.get(self.url("/health/ready"), timeout=5).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        pytest.fail(f"not ready:\n{self.log()}")

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def post(self, path: str, body: str, token: str = "") -> requests.Response:
        """The answer to this body; a token stands in the header if one is given."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return requests.post(self.url(path), data=body.encode(), headers=headers, timeout=30)

    def invoke(self, name: str) -> requests.Response:
        story = fhir_fixtures.story(name)
        return self.post(f"/cds-services/{story.service}", fhir_fixtures.text(name))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The code it exited with; nothing is done to one that has ended."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout=30)
        finally:
            self._log.close()

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")


def bare_environment() -> dict[str, str]:
    """Our own environment without any setting of the service."""
    return {key: value for key, value in os.environ.items() if not key.startswith("CDS_")}


def rows(folder: Path, query: str) -> list[Any]:
    """What the database in this folder holds."""
    with closing(sqlite3.connect(folder / "cds-service.sqlite3")) as connection:
        return connection.execute(query).fetchall()
