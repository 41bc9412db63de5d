"""Other ways of subscribing and of being let in, on the real FHIR server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from joserfc.jwk import ECKey

from cds_service.cli import cli
from cds_service.errors import CdsError
from cds_service.events.subscribing import unsubscribe
from cds_service.knowledge.files import Library
from tests.event_world import observation
from tests.integration.events.hospital import FhirServer, fhir_server, hospital, patient
from tests.lab import registry_of
from tests.processes import eventually

pytestmark = pytest.mark.integration

REPORT_TOPIC = "http://sekmet.dev/fhir/SubscriptionTopic/diagnosticreport-final"
TOPIC_ROW = f'topic = "{REPORT_TOPIC}"\nheartbeat_seconds = 60\ndelivery = "write-back"\n'


@pytest.mark.parametrize("payload", ["id-only", "full-resource"])
def test_a_topic_of_reports_leads_to_their_results(
    server: FhirServer, tmp_path: Path, library: Library, payload: str
) -> None:
    row = f'{TOPIC_ROW}payloads = ["{payload}"]\n'
    with hospital(server, tmp_path, library, row) as site:
        site.subscribe()
        state = eventually(lambda: [s for s in site.room.subscriptions.of("lab") if s.next_number])
        eventually(lambda: [s.there for s in site.subscribe()] == ["active"])
        assert state[0].criteria == REPORT_TOPIC
        result, about = f"t-{payload}", f"Observation/t-{payload}"
        server.put(patient())
        server.put(observation(result))
        server.put(
            {
                "resourceType": "DiagnosticReport",
                "id": f"report-{payload}",
                "status": "final",
                "code": {"text": "Panel"},
                "subject": {"reference": "Patient/p1"},
                "result": [{"reference": about}],
            }
        )
        eventually(site.work)
        issues = server.search("DetectedIssue?_count=100")
        assert [each for each in issues if each["implicated"] == [{"reference": about}]]
        assert site.room.subscriptions.missing("lab") == 0
        source = site.room.source("lab")
        exchange = site.workshop.caretaker.exchange(source)
        assert len(unsubscribe(source, exchange, site.room.subscriptions)) == 1
        assert site.room.subscriptions.of("lab") == ()


def test_an_empty_notification_leads_to_a_search(
    server: FhirServer, tmp_path: Path, library: Library
) -> None:
    with hospital(server, tmp_path, library, 'payloads = ["empty"]\n') as site:
        site.subscribe()
        server.put(patient())
        server.put(observation("e1"))
        eventually(site.work)
        eventually(lambda: site.work() or site.room.store.backlog("lab").evaluated)
        assert site.room.store.waiting() == ()


def test_smart_backend_services_let_us_in(tmp_path: Path, library: Library) -> None:
    key = ECKey.generate_key("P-384", {"kid": "ours"})
    auth = {
        "types": ["smart", "bearer"],
        "tokens": ["static-token-of-the-laboratory"],
        "smart_clients": [
            {
                "client_id": "sil2r",
                "jwks": {"keys": [key.as_dict(private=False)]},
                "scopes": "system/*.read system/*.write",
            }
        ],
        "enforce_scopes": True,
    }
    (tmp_path / "own.jwk").write_text(json.dumps(key.as_dict(private=True)))
    row = (
        'credentials = "backend-services"\ncredentials_file = "own.jwk"\nclient_id = "sil2r"\n'
        'scope = "system/*.read system/*.write"\ndelivery = "write-back"\n'
    )
    with fhir_server(tmp_path, server_auth=auth) as guarded:
        laboratory = FhirServer(
            guarded.base, (("Authorization", "Bearer static-token-of-the-laboratory"),)
        )
        with hospital(guarded, tmp_path, library, row) as site:
            site.subscribe()
            laboratory.put(patient())
            laboratory.put(observation())
            eventually(site.work)
        assert len(laboratory.search("DetectedIssue")) == 1


def test_the_commands_tell_and_exit_as_promised(
    server: FhirServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_CLIENTS", str(registry_of(server.base, tmp_path)))
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path / 'cds.sqlite3'}")
    server.put(patient())
    server.put(observation("c1"))

    def run(*words: str) -> str:
        told = CliRunner().invoke(cli, [*words, "--sandbox"], catch_exceptions=False)
        assert told.exit_code == 0
        return told.output

    made = yaml.safe_load(run("subscribe", "lab", "--json"))
    assert [each["there"] for each in made["subscriptions"]] == ["active"]
    again = yaml.safe_load(run("subscribe", "lab", "--json"))
    assert [each["subscription"] for each in again["subscriptions"]] == [
        each["subscription"] for each in made["subscriptions"]
    ]
    assert "Done." in run("catch-up", "lab", "--since", "2020-01-01")
    told = yaml.safe_load(run("status", "lab", "--json"))
    assert told["evaluated"] >= 1
    assert yaml.safe_load(run("events", "list", "--json")) == {"events": []}
    assert yaml.safe_load(run("events", "retry", "--json")) == {"revived": 0}
    assert len(yaml.safe_load(run("unsubscribe", "lab", "--json"))["ended"]) == 1
    with pytest.raises(CdsError, match="no source 'elsewhere'"):
        run("status", "elsewhere")
