"""Tokens against the running service: four workers, one use, a restart in between."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

import fhir_fixtures
from tests.integration.service.running import CARD, Service
from tests.unit.access.minting import EC, ISSUER, PUBLIC_URL, claims, key_set, token

pytestmark = pytest.mark.integration
AUDIENCE = f"{PUBLIC_URL}/cds-services/sil2r-lab-result"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    (tmp_path / "clients.toml").write_text(
        f'[[client]]\nname = "hospital"\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n'
        'services = ["sil2r-lab-result"]\n',
        encoding="utf-8",
    )
    environment = {"CDS_CLIENTS": str(tmp_path / "clients.toml"), "CDS_PUBLIC_URL": PUBLIC_URL}
    with Service(tmp_path, ("--sandbox", "--workers", "4"), environment) as running:
        yield running


def mint(jti: str, audience: str = AUDIENCE) -> str:
    now = int(time.time())
    return token(None, claims(jti=jti, aud=audience, iat=now, exp=now + 300))


def call(
    service: Service, minted: str, path: str = "/cds-services/sil2r-lab-result"
) -> requests.Response:
    return service.post(path, fhir_fixtures.text(CARD), minted)


def test_t15_t16_s07_of_64_replays_over_4_workers_one_passes_and_none_after_a_restart(
    service: Service,
) -> None:
    minted = mint("only-once")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: call(service, minted), range(64)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 63}
    assert len({answer.content for answer in answers if answer.status_code == 401}) == 1
    service.stop()
    service.start()
    assert call(service, minted).status_code == 401
    assert call(service, mint("another")).status_code == 200


def test_h06_s02_tr16_tr30_every_refusal_is_the_same_401(service: Service) -> None:
    refused = [
        call(service, mint("a", f"{AUDIENCE}/")),
        call(service, mint("b")[:-4] + "AAAA"),
        call(service, "nonsense"),
        requests.post(
            service.url("/cds-services/sil2r-lab-result"),
            data=b"{}",
            headers={"Content-Type": "application/json", "Host": "cds.example.org"},
            timeout=30,
        ),
    ]
    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.content for answer in refused}) == 1
    assert all(answer.headers["Content-Type"] == "application/fhir+json" for answer in refused)


def test_a_service_that_was_not_granted_is_403(service: Service) -> None:
    path = "/cds-services/sil2r-patient-view"
    assert call(service, mint("c", PUBLIC_URL + path), path).status_code == 403


def test_d07_discovery_stays_open_and_the_log_names_causes_only(service: Service) -> None:
    assert requests.get(service.url("/cds-services"), timeout=30).status_code == 200
    minted = mint("CANARY-JTI")
    call(service, minted)
    call(service, minted)
    assert "replayed" in service.log()
    assert "CANARY" not in service.log()
    assert minted[:60] not in service.log()
