"""How long a key set serves, and how often its address is asked: to the second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore

import pytest
from joserfc.jwk import ECKey

from cds_service.access.key_set import KeySetFault
from cds_service.access.keys import KeyRing, NoKey
from cds_service.access.registry import Client
from cds_service.fhir.calls.fetched import JwksFaultError, UpstreamFault
from tests.unit.access.minting import EC, FILE_CLIENT, JWKS, Clock, Hosts, key_set, registry


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return registry(tmp_path).clients[0]


@pytest.mark.parametrize(("age", "fetches"), [(0, 1), (599, 1), (600, 2)])
def test_a_key_set_is_fetched_again_when_it_is_ten_minutes_old(
    client: Client, age: int, fetches: int
) -> None:
    hosts, clock = Hosts(), Clock()
    ring = KeyRing(hosts, clock)
    ring.key(client, "ec-1")
    clock.at += age
    assert isinstance(ring.key(client, "ec-1"), ECKey)
    assert len(hosts.asked) == fetches


@pytest.mark.parametrize(("age", "serves"), [(3599, True), (3600, False)])
def test_t10_a_key_set_that_cannot_be_renewed_serves_until_it_is_an_hour_old(
    client: Client, age: int, serves: bool
) -> None:
    hosts, clock = Hosts(), Clock()
    ring = KeyRing(hosts, clock)
    ring.key(client, "ec-1")
    hosts.answers[JWKS] = JwksFaultError(UpstreamFault.CONNECT)
    clock.at += age
    found = ring.key(client, "ec-1")
    assert isinstance(found, ECKey) if serves else found is NoKey.UNAVAILABLE


@pytest.mark.parametrize(("later", "fetches"), [(29, 1), (30, 2)])
def test_t06_however_many_strange_kids_come_there_is_one_fetch_in_thirty_seconds(
    client: Client, later: int, fetches: int
) -> None:
    """Whoever invents kids must not make us call the hospital's address for each of them."""
    hosts, clock = Hosts(), Clock()
    ring = KeyRing(hosts, clock)
    for strange in range(5):
        assert ring.key(client, f"strange-{strange}") is NoKey.UNKNOWN
    clock.at += later
    for strange in range(5):
        assert ring.key(client, f"stranger-{strange}") is NoKey.UNKNOWN
    assert len(hosts.asked) == fetches


@pytest.mark.parametrize(("later", "fetches"), [(29, 2), (30, 3)])
def test_t10_an_address_that_failed_is_left_alone_for_thirty_seconds(
    client: Client, later: int, fetches: int
) -> None:
    hosts, clock = Hosts(), Clock()
    ring = KeyRing(hosts, clock)
    ring.key(client, "ec-1")
    hosts.answers[JWKS] = JwksFaultError(UpstreamFault.CONNECT)
    clock.at += 600
    assert isinstance(ring.key(client, "ec-1"), ECKey)
    clock.at += later
    assert isinstance(ring.key(client, "ec-1"), ECKey)
    assert len(hosts.asked) == fetches


class SlowHosts(Hosts):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.may_answer = Semaphore(0), Event()

    def __call__(self, url: str, /) -> bytes:
        answer = super().__call__(url)
        self.reached.release()
        assert self.may_answer.wait(30)
        return answer


def test_while_a_set_still_serves_nobody_waits_for_the_one_who_renews_it(client: Client) -> None:
    hosts, clock = SlowHosts(), Clock()
    ring = KeyRing(hosts, clock)
    hosts.may_answer.set()
    ring.key(client, "ec-1")
    hosts.may_answer.clear()
    assert hosts.reached.acquire(timeout=30)
    clock.at += 600
    with ThreadPoolExecutor(2) as pool:
        renewing = pool.submit(ring.key, client, "ec-1")
        assert hosts.reached.acquire(timeout=30)
        try:
            assert isinstance(pool.submit(ring.key, client, "ec-1").result(timeout=30), ECKey)
        finally:
            hosts.may_answer.set()
        assert isinstance(renewing.result(timeout=30), ECKey)
    assert len(hosts.asked) == 2


def test_callers_that_come_at_once_to_a_new_service_share_one_fetch(client: Client) -> None:
    hosts = SlowHosts()
    ring = KeyRing(hosts, Clock())
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(ring.key, client, "ec-1") for _ in range(8)]
        assert hosts.reached.acquire(timeout=30)
        hosts.may_answer.set()
        assert all(isinstance(each.result(timeout=30), ECKey) for each in found)
    assert len(hosts.asked) == 1


def test_a_key_file_that_is_taken_away_is_reported_and_what_was_read_serves(tmp_path: Path) -> None:
    """As while it is being replaced: no call fails through it before the hour is over."""
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(EC))
    (client,) = registry(tmp_path, FILE_CLIENT).clients
    clock, told = Clock(), list[tuple[str, KeySetFault | UpstreamFault]]()
    ring = KeyRing(Hosts({}), clock, report=lambda *what: told.append(what))
    assert isinstance(ring.key(client, "ec-1"), ECKey)
    file.unlink()
    clock.at += 600
    assert isinstance(ring.key(client, "ec-1"), ECKey)
    assert told == [("hospital", KeySetFault.UNREADABLE)]
    clock.at += 3000
    assert ring.key(client, "ec-1") is NoKey.UNAVAILABLE
