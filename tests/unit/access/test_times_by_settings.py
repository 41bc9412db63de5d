"""How long a token may live, and by how much clocks may differ, is what the operator has set; a
clock that is set right does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cds_service import callers
from cds_service.callers import gate_of, registered_clients
from cds_service.config import Settings
from cds_service.errors import Unauthorised
from cds_service.store.database import Database
from cds_service.web.ports import Gate
from tests.unit.access.minting import EC, ISSUER, OTHER_EC, claims, key_set, token

PATH = "/cds-services/sil2r-patient-view"
CLIENT = f'[[client]]\nname = "hospital"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
MakeGate = Callable[..., Gate]


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[MakeGate]:
    """Makes the gate of a service with these settings."""
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    (tmp_path / "clients.toml").write_text(CLIENT, encoding="utf-8")
    with Database.open(f"sqlite:///{tmp_path}/cds.sqlite3") as database:
        database.upgrade()

        def made(**set_to: Any) -> Gate:
            settings = Settings(clients=tmp_path / "clients.toml", **set_to)
            return gate_of(settings, registered_clients(settings), database)

        yield made


def sent(*, begun: int, ends: int, jti: str = "once") -> list[str]:
    """The header of a token whose times lie so many seconds from now."""
    now = int(time.time())
    body = claims(aud=f"{Settings().public_url}{PATH}", iat=now + begun, exp=now + ends, jti=jti)
    return [f"Bearer {token(None, body)}"]


def test_a_shorter_lifetime_refuses_what_the_default_takes(gate: MakeGate) -> None:
    short = gate(token_lifetime=200)
    assert short.check(sent(begun=0, ends=200), PATH).name == "hospital"
    with pytest.raises(Unauthorised) as refused:
        short.check(sent(begun=0, ends=201, jti="another"), PATH)
    assert refused.value.cause == "lives-too-long"


def test_a_longer_lifetime_takes_what_the_default_refuses(gate: MakeGate) -> None:
    assert gate(token_lifetime=3600).check(sent(begun=0, ends=3600), PATH).name == "hospital"


def test_more_leeway_takes_and_less_refuses_a_token_that_has_just_ended(gate: MakeGate) -> None:
    assert gate(token_leeway=120).check(sent(begun=-300, ends=-90), PATH).name == "hospital"
    with pytest.raises(Unauthorised) as refused:
        gate(token_leeway=10).check(sent(begun=-300, ends=-30, jti="another"), PATH)
    assert refused.value.cause == "expired"


@dataclass
class ClockAhead:
    """In place of the module: until it is set right, two hours ahead of the time it is."""

    passed: float = 0.0
    ahead: float = 7200.0

    def monotonic(self) -> float:
        return self.passed

    def time(self) -> float:
        return time.time() + self.passed + self.ahead


def test_a_new_key_is_taken_though_the_clock_was_ahead_when_it_was_looked_for(
    gate: MakeGate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ClockAhead()
    monkeypatch.setattr(callers, "time", clock)
    (tmp_path / "keys.json").write_bytes(key_set(OTHER_EC))
    made = gate()
    with pytest.raises(Unauthorised) as refused:
        made.check(sent(begun=7200, ends=7500), PATH)
    assert refused.value.cause == "unknown-key"
    clock.ahead = 0
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    clock.passed = 31
    assert made.check(sent(begun=0, ends=300), PATH).name == "hospital"
