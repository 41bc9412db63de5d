"""A SMART app on the cards of a running service: from the registry to the wire."""

from __future__ import annotations

import json
import time
from pathlib import Path
from uuid import uuid4

import pytest

import fhir_fixtures
from tests.contract.specification import RESPONSE, conforms
from tests.integration.service.running import CARD, Service
from tests.unit.access.minting import EC, FILE_CLIENT, PUBLIC_URL, claims, header, key_set, token

pytestmark = pytest.mark.integration
PATH = f"/cds-services/{fhir_fixtures.story(CARD).service}"
APP = '[[client.smart_app]]\nlabel = "sIL-2R over time"\nurl = "https://apps.example.org/launch"\n'


def test_the_app_of_the_registry_stands_on_the_card_and_is_told_what_the_card_is_about(
    tmp_path: Path,
) -> None:
    (tmp_path / "keys.json").write_bytes(key_set(EC))
    (tmp_path / "clients.toml").write_text(FILE_CLIENT + APP, encoding="utf-8")
    environment = {"CDS_CLIENTS": str(tmp_path / "clients.toml"), "CDS_PUBLIC_URL": PUBLIC_URL}
    with Service(tmp_path, ("--sandbox", "--workers", "1"), environment) as service:
        now = int(time.time())
        said = claims(aud=PUBLIC_URL + PATH, iat=now, exp=now + 300, jti=str(uuid4()))
        answer = service.post(PATH, fhir_fixtures.text(CARD), token(header(), said)).json()
        log = service.log()
    conforms(answer, RESPONSE)
    (card,) = answer["cards"]
    app, *sources = card["links"]
    assert (app["label"], app["type"]) == ("sIL-2R over time", "smart")
    assert {link["type"] for link in sources} == {"absolute"}
    used = card["extension"]["org.sil2r-cds.evaluation"]
    assert json.loads(app["appContext"]) == {
        "card": card["uuid"],
        "evaluation": used["id"],
        "observation": used["inputs"][0]["resource"],
    }
    assert used["inputs"][0]["resource"] not in log
