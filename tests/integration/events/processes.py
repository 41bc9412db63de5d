"""Starting and killing the processes of `process.py`, by their own handles."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass
class Processes:
    """Processes over one database; what still runs at the end is killed."""

    folder: Path
    base: str
    port: int = 0
    queue_url: str = ""
    database_url: str = ""
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, role: str) -> subprocess.Popen[str]:
        """A process that has said that it is ready."""
        program = str(Path(__file__).with_name("process.py"))
        shared = [self.queue_url, self.database_url]
        given = [role, str(self.folder), self.base, str(self.port), *shared]
        with (self.folder / f"{role}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, program, *given],
                cwd=Path(__file__).parents[3],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def kill(self, process: subprocess.Popen[str]) -> None:
        """`kill -9`."""
        process.kill()
        process.communicate(timeout=30)
        self.running.remove(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for process in list(self.running):
            self.kill(process)
