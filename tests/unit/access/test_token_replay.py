"""A token is good once, and only a sound one is remembered (T-15 to T-18)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Lock

import pytest
from joserfc.jwk import ECKey

from cds_service.access.faults import TokenFault
from cds_service.access.registry import ClientRegistry
from cds_service.access.replay import Remembered
from cds_service.errors import StoreUnavailable, Unauthorised
from tests.unit.access.minting import (
    HOSPITAL,
    ISSUER,
    NOW,
    Memory,
    bearer,
    caller,
    refusal,
    taken,
    token,
    verifier,
)


def test_t15_a_token_is_good_once_however_many_threads_ask(clients: ClientRegistry) -> None:
    class Guarded(Memory):
        lock = Lock()

        def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
            with self.lock:
                return super().remember(issuer, jti, expires)

    checks = verifier(clients, replay=Guarded())
    minted = token()

    def outcome(_: int) -> str:
        try:
            return caller(checks, minted).name
        except Unauthorised as refused:
            return refused.cause

    with ThreadPoolExecutor(8) as pool:
        outcomes = Counter(pool.map(outcome, range(64)))
    assert outcomes == {HOSPITAL: 1, TokenFault.REPLAYED: 63}


def test_t16_a_token_is_remembered_for_as_long_as_it_would_be_taken(
    clients: ClientRegistry,
) -> None:
    """Until `exp` and the leeway are over: not a second less, or it could be used again."""
    asked = []

    class Noting(Memory):
        def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
            asked.append((issuer, jti, expires))
            return super().remember(issuer, jti, expires)

    taken(clients, token(), replay=Noting())
    assert asked == [(ISSUER, "once", datetime.fromtimestamp(NOW + 300 + 60, UTC))]


def test_t17_without_the_store_nobody_passes(clients: ClientRegistry) -> None:
    class Broken:
        def remember(self, issuer: str, jti: str, expires: datetime) -> Remembered:
            raise StoreUnavailable("The database cannot be used.")

    with pytest.raises(StoreUnavailable):
        taken(clients, token(), replay=Broken())


def test_t18_s07_a_forged_token_burns_nothing(clients: ClientRegistry) -> None:
    memory = Memory()
    impostor = ECKey.generate_key("P-384", {"kid": "ec-1"})
    forged = bearer(token(None, None, impostor))
    assert refusal(clients, forged, replay=memory) is TokenFault.BAD_SIGNATURE
    assert memory.seen == set()
    assert taken(clients, token(), replay=memory) == HOSPITAL
