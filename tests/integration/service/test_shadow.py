"""Shadow mode: one hospital is shown cards, another tries the service and sees none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

import fhir_fixtures
from tests.integration.service.running import CARD, Service, bare_environment, rows
from tests.unit.access.minting import (
    EC,
    FILE_CLIENT,
    ISSUER,
    OTHER_EC,
    OTHER_ISSUER,
    PUBLIC_URL,
    claims,
    header,
    key_set,
    token,
)

pytestmark = pytest.mark.integration
PATH = f"/cds-services/{fhir_fixtures.story(CARD).service}"
SHADOW = "org.sil2r-cds.shadow"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    (tmp_path / "other.json").write_bytes(key_set(OTHER_EC))
    (tmp_path / "clients.toml").write_text(
        f'{FILE_CLIENT}[[client]]\nname = "trying"\nissuer = "{OTHER_ISSUER}"\n'
        'jwks_file = "other.json"\nrollout = "shadow"\n',
        encoding="utf-8",
    )
    environment = {"CDS_CLIENTS": str(tmp_path / "clients.toml"), "CDS_PUBLIC_URL": PUBLIC_URL}
    with Service(tmp_path, ("--sandbox", "--workers", "1"), environment) as running:
        yield running


def asked_by(service: Service, issuer: str, key: ECKey) -> dict[str, Any]:
    now = int(time.time())
    said = claims(iss=issuer, aud=PUBLIC_URL + PATH, iat=now, exp=now + 300, jti=str(uuid4()))
    minted = token(header(kid=key.kid), said, key)
    response = service.post(PATH, fhir_fixtures.text(CARD), minted)
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def rates(service: Service) -> list[Any]:
    command = [sys.executable, "-m", "cds_service", "records", "rates", "--json"]
    told = subprocess.run(
        command, cwd=service.folder, env=bare_environment(), capture_output=True, check=True
    )
    findings: list[Any] = json.loads(told.stdout)["findings"]
    return findings


def test_t106_one_client_is_shown_the_card_and_the_other_evaluated_recorded_and_shown_none(
    service: Service,
) -> None:
    shown = asked_by(service, ISSUER, EC)
    withheld = asked_by(service, OTHER_ISSUER, OTHER_EC)
    assert shown.keys() == {"cards"}
    assert withheld == {"cards": [], "extension": {SHADOW: {"withheld": len(shown["cards"])}}}
    live, shadow = rows(
        service.folder,
        "select door, client, cards, outcomes, findings, missing, status from evaluations"
        " order by number",
    )
    assert live[:2] == ("hook", "hospital")
    assert shadow[:3] == ("shadow", "trying", "[]")
    assert shadow[3:] == live[3:], "the same was found and missing"
    clients = {told["client"]: (told["shown"], told["withheld"]) for told in rates(service)}
    assert clients == {"hospital": (1, 0), "trying": (0, 1)}
    assert "CDS-L308" in service.log()


def test_t106_no_card_is_remembered_that_nobody_saw(service: Service) -> None:
    asked_by(service, OTHER_ISSUER, OTHER_EC)
    assert rows(service.folder, "select uuid from cards") == []
    assert rows(service.folder, "select result from carded_results") == []
