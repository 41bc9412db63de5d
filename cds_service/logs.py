"""The log: one JSON object a line on standard error, and nothing of a patient in it.

Every line is one event of a closed list, with the fields of a closed list. Any other field is
dropped before the line is written, and so is a field whose value does not look like a code, a count
or a duration. What libraries log is cut down to their name and level: their texts may hold
addresses, tokens or rows.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from threading import Lock
from time import monotonic
from traceback import walk_tb
from types import TracebackType
from typing import Any, Final

import orjson
import structlog


class Event(Enum):
    """Everything there is to log: a public code that is never reused, a level, a fixed text."""

    STARTED = ("CDS-L001", "info", "The service has started.")
    STOPPED = ("CDS-L002", "info", "The service has stopped.")
    GIVEN_UP = ("CDS-L003", "error", "The service has ended, because its workers keep dying.")
    METRICS_AWAY = ("CDS-L004", "error", "The process of /metrics has died; another is started.")
    ANSWERED = ("CDS-L101", "info", "A request was answered.")
    REFUSED = ("CDS-L102", "warning", "A request was refused.")
    FAILED = ("CDS-L103", "error", "A request failed through a fault of the service.")
    NOT_RECORDED = ("CDS-L201", "error", "An answer was given and could not be recorded.")
    DATABASE_NEWER = (
        "CDS-L202",
        "warning",
        "A later release has migrated the database; this release goes on working with it.",
    )
    DATABASE_OPEN = (
        "CDS-L203",
        "warning",
        "Others than owner and group may open the file of the database.",
    )
    SECRET_OPEN = (
        "CDS-L204",
        "warning",
        "Others than owner and group may open a file with a secret.",
    )
    NOT_READY = ("CDS-L301", "warning", "A readiness check has failed.")
    APPROVAL_VOID = ("CDS-L302", "warning", "An approval of the knowledge no longer holds.")
    KEYS_NOT_RENEWED = ("CDS-L303", "warning", "A client's key set could not be renewed.")
    RATE_NOT_SHARED = (
        "CDS-L304",
        "warning",
        "The shared count of calls cannot be reached; each worker counts by itself.",
    )
    QUEUE_AWAY = ("CDS-L305", "warning", "The queue cannot be reached; workers look by themselves.")
    NOT_SOUND = ("CDS-L306", "warning", "Readiness has turned to degraded or not ready.")
    READY_AGAIN = ("CDS-L307", "info", "The service is ready again.")
    IN_SHADOW = (
        "CDS-L308",
        "warning",
        "A client is in shadow mode: its calls are answered without cards.",
    )
    EVENT_DONE = ("CDS-L401", "info", "A notified result was processed.")
    EVENT_LATER = ("CDS-L402", "warning", "A notified result will be tried again later.")
    EVENT_SET_ASIDE = ("CDS-L403", "error", "A notified result was set aside after failing.")
    EVENT_GAP = ("CDS-L404", "warning", "Events did not come and were asked for.")
    SUBSCRIPTION_SILENT = ("CDS-L405", "error", "A subscription has not been heard of in time.")
    SUBSCRIPTION_BROKEN = ("CDS-L406", "error", "A FHIR server says that a subscription failed.")
    EVENT_LOOK_FAILED = (
        "CDS-L407",
        "error",
        "Looking for work that is due, or after the subscriptions, failed.",
    )
    EVENT_DROPPED = ("CDS-L408", "warning", "An event was removed on an operator's word.")
    LIBRARY = ("CDS-L901", "info", "A library has logged something.")


FIELDS = frozenset(
    {
        "attempts",
        "cards",
        "cause",
        "causes",
        "check",
        "client",
        "duration_ms",
        "error",
        "exception",
        "ending",
        "findings",
        "kind",
        "knowledge",
        "library",
        "library_level",
        "missing",
        "mode",
        "number",
        "outcomes",
        "place",
        "reasons",
        "request_id",
        "route",
        "service",
        "software",
        "source",
        "status",
        "upstream",
        "way",
        "withheld",
        "workers",
    }
)
"""The fields a line may have beside `time`, `level`, `code` and `event`."""

_OURS = Path(__file__).parent
_PLAIN = re.compile(r"[A-Za-z0-9 ._:@/+<>{}-]{0,200}", re.ASCII)
"""What a code, a name of ours or a version looks like: no line breaks, no escape sequences."""


def log(event: Event, **said: object) -> None:
    """Write one line."""
    code, level, text = event.value
    getattr(_LOGGER, level)(text, code=code, **said)


def log_fault(event: Event, error: BaseException, **said: object) -> None:
    """Write one line about an exception: its type and our place in the code, never its text."""
    log(event, exception=type(error).__name__, place=_place(error.__traceback__), **said)


QUIET_SECONDS: Final = 60.0
"""How long the same line of a library is not logged again."""


def route_libraries() -> None:
    """Send what libraries log through here; to be called once, when the service starts."""
    root = logging.getLogger()
    root.handlers[:] = [_Cut()]
    root.setLevel(logging.WARNING)
    logging.raiseExceptions = False


class _Cut(logging.Handler):
    """Keeps name and level of a library's record, once a minute: a repeat would say nothing new."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        said = record.name, record.levelname
        if monotonic() >= self._quiet_until.get(said, 0.0):
            self._quiet_until[said] = monotonic() + QUIET_SECONDS
            log(Event.LIBRARY, library=record.name, library_level=record.levelname)


class _StandardError:
    """Writes to standard error as it is at the time, so that it can be redirected and captured.

    One line at a time, whichever threads write.
    """

    _turn = Lock()

    def msg(self, line: str) -> None:
        with self._turn:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    info = warning = error = msg


def _keep_what_is_allowed(
    _logger: object, level: str, said: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "code": said["code"],
        "event": said["event"],
    }
    return line | {
        name: value for name, value in said.items() if name in FIELDS and _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain_text, value))
    return _is_plain_text(value) or isinstance(value, (int, float))


def _is_plain_text(value: object) -> bool:
    return isinstance(value, str) and _PLAIN.fullmatch(value) is not None


def _as_json(line: MutableMapping[str, Any], **_options: object) -> str:
    return orjson.dumps(line).decode()


_LOGGER = structlog.wrap_logger(
    _StandardError(),
    processors=[_keep_what_is_allowed, structlog.processors.JSONRenderer(_as_json)],
    wrapper_class=structlog.BoundLogger,
).bind()


def _place(traceback: TracebackType | None) -> str:
    """The innermost line of our own code on the way there: `cds_service/core/render.py:120`."""
    place = ""
    for frame, line in walk_tb(traceback):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_OURS):
            place = f"{file.relative_to(_OURS.parent)}:{line}"
    return place
