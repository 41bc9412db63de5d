"""The clients' public keys: read or fetched when needed, and kept for a while. A stranger cannot
make us fetch them more than twice a minute.

Nothing a token says decides where keys come from: the registry does. A key set is used for ten
minutes; then it is fetched again, and while that fails the old one serves until it is an hour old.
A `kid` that is not in the set may mean that the client has changed its keys, so the set is fetched
at once, but at most every 30 seconds (T-06).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Final

from cds_service.access.key_set import (
    KeySet,
    KeySetFault,
    KeySetRefusedError,
    PublicKey,
    parse_key_set,
    read_key_set,
)
from cds_service.access.registry import Client, KeyFile, KeyUrl
from cds_service.fhir.calls.fetched import JwksFaultError, UpstreamFault
from cds_service.turn import waiting

RENEW_AFTER: Final = 600
"""Age at which a set is fetched again, in seconds."""
USE_UNTIL: Final = 3600
"""Age from which a set is not used any more, even if it cannot be renewed."""
BETWEEN_TRIES: Final = 30
"""Seconds between two fetches for unknown kids, and after a failed one."""

Clock = Callable[[], float]
"""Seconds from any moment on. Not the time of day: a clock that is set back would make a set young
again, and put off the next fetch.
"""

Fetch = Callable[[str], bytes]
"""The bytes at the address of a registered key set, within bounds of time and size and without
redirects. Raises JwksFaultError."""

Report = Callable[[str, KeySetFault | UpstreamFault], None]
"""Told the registered name of a client whose key set could not be renewed: for the log."""


class NoKey(StrEnum):
    """Why there is no key for a `kid`."""

    UNKNOWN = "unknown"
    """The client's set does not hold it."""
    UNAVAILABLE = "unavailable"
    """The client's set cannot be had, and no old one is young enough."""


@dataclass(frozen=True, slots=True)
class NoKeySet:
    """A client's key set cannot be had or used."""

    fault: KeySetFault | UpstreamFault


def key_set_of(client: Client, fetch: Fetch) -> KeySet | NoKeySet:
    """The key set of a client as it is now, from where the registry says."""
    try:
        match client.keys:
            case KeyFile(path):
                return read_key_set(path)
            case KeyUrl(url):
                return parse_key_set(fetch(url))
    except (JwksFaultError, KeySetRefusedError) as error:
        return NoKeySet(error.fault)


def _no_report(_client: str, _fault: KeySetFault | UpstreamFault) -> None:
    """Nobody listens."""


class KeyRing:
    """The key sets of all clients. One per process, shared by its threads."""

    def __init__(self, fetch: Fetch, now: Clock, *, report: Report = _no_report) -> None:
        self._fetch = fetch
        self._now = now
        self._report = report
        self._shelves: dict[str, _Shelf] = {}

    def key(self, client: Client, kid: str) -> PublicKey | NoKey:
        """The client's key of this `kid`, compared as an opaque text.

        May wait for one bounded fetch.
        """
        shelf = self._shelves.get(client.name)
        if shelf is None:
            made = _Shelf(lambda: self._load(client), self._now)
            shelf = self._shelves.setdefault(client.name, made)
        return shelf.key(kid)

    def _load(self, client: Client) -> KeySet | NoKeySet:
        loaded = key_set_of(client, self._fetch)
        if isinstance(loaded, NoKeySet):
            self._report(client.name, loaded.fault)
        return loaded


@dataclass(frozen=True, slots=True)
class _Held:
    """A key set and when it was loaded."""

    keys: KeySet
    since: float


class _Shelf:
    """The key set of one client. Readers take no lock as long as the set is young."""

    def __init__(self, load: Callable[[], KeySet | NoKeySet], now: Clock) -> None:
        self._load = load
        self._now = now
        self._lock = Lock()
        self._held = _Held(KeySet({}), -math.inf)
        self._failed = -math.inf
        self._asked_for_unknown = -math.inf

    def key(self, kid: str) -> PublicKey | NoKey:
        before = self._held
        self._keep_young(before)
        found = self._find(kid)
        if found is not NoKey.UNKNOWN:
            return found
        with waiting(), self._lock:
            now = self._now()
            if self._held is not before:  # loaded while we waited: this set is new enough
                self._asked_for_unknown = now
            elif now >= self._asked_for_unknown + BETWEEN_TRIES:
                self._asked_for_unknown = now
                self._renew()
            return self._find(kid)

    def _find(self, kid: str) -> PublicKey | NoKey:
        held = self._held
        if self._now() - held.since >= USE_UNTIL:
            return NoKey.UNAVAILABLE
        return held.keys.by_kid.get(kid, NoKey.UNKNOWN)

    def _keep_young(self, held: _Held) -> None:
        age = self._now() - held.since
        if age < RENEW_AFTER:
            return
        # While the set may still be used, nobody waits for the thread that renews it.
        with waiting():
            if self._lock.acquire(blocking=age >= USE_UNTIL):
                try:
                    rested = self._now() >= self._failed + BETWEEN_TRIES
                    if self._held is held and rested:
                        self._renew()
                finally:
                    self._lock.release()

    def _renew(self) -> None:
        match self._load():
            case KeySet() as keys:
                self._held = _Held(keys, self._now())
            case NoKeySet():
                self._failed = self._now()
