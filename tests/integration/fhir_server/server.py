"""A real FHIR R4 server (SEKMET) on a free loopback port, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.ports import free_port

JsonObject = dict[str, Any]

FULL_TOKEN = "synthetic-token-for-everything"
CLIENT = ("synthetic-reader", "synthetic-secret")
NARROW_SCOPE = "system/Patient.read system/Observation.read"

GUARDED: JsonObject = {
    "server_auth": {
        "types": ["bearer", "smart"],
        "tokens": [FULL_TOKEN],
        "smart_clients": [
            {"client_id": CLIENT[0], "client_secret": CLIENT[1], "scopes": NARROW_SCOPE}
        ],
        "enforce_scopes": True,
    }
}


@dataclass
class FhirServer:
    """One server with its data in a folder. Ended by its own process, and by nothing else."""

    folder: Path
    settings: JsonObject = field(default_factory=dict)
    """Beside those below, or in their place; without any it asks nobody who they are."""
    port: int = field(default_factory=free_port)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def start(self) -> None:
        given = {
            "base_url": self.base,
            "host": "127.0.0.1",
            "port": self.port,
            "data_dir": f"{self.folder}/data",
            "own_private_key_path": f"{self.folder}/keys/own.pem",
            "server_auth": {"types": ["none"]},
            "validation": {"inbound": "warn"},
            "simulator": {"enabled": False},
        }
        settings = self.folder / "settings.yaml"
        settings.write_text(yaml.safe_dump(given | self.settings), encoding="utf-8")
        self._log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [str(Path(sys.executable).with_name("sekmet")), "serve", "-c", str(settings)],
            cwd=self.folder,
            stdout=self._log,
            stderr=self._log,
        )
        for _ in range(600):
            assert self._process.poll() is None, self.log()
            try:
                if requests.get(f"{self.base}/metadata", timeout=10).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError(self.log())

    def stop(self) -> None:
        """End it; a server that was frozen is woken first."""
        if self._process.poll() is None:
            self.thaw()
            self._process.terminate()
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout=30)
        self._log.close()

    def freeze(self) -> None:
        """It still accepts connections, and answers none of them."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        answer = requests.request(
            method,
            f"{self.base}{path}",
            headers={
                "Content-Type": "application/fhir+json",
                "Authorization": f"Bearer {FULL_TOKEN}",
            },
            timeout=60,
            **more,
        )
        assert answer.ok, answer.text
        return answer

    def load(self, resources: Iterable[JsonObject]) -> None:
        """Put resources under their own ids, all of them or none: one transaction."""
        entries = [
            {
                "resource": resource,
                "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
            }
            for resource in resources
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = self._send("POST", "", data=json.dumps(bundle)).json()
        statuses = [entry["response"]["status"] for entry in answer["entry"]]
        assert all(status.startswith("20") for status in statuses), statuses

    def narrow_token(self) -> str:
        """A token for Patient and Observation alone, from the server's own token endpoint."""
        known = requests.get(f"{self.base}/.well-known/smart-configuration", timeout=10).json()
        granted = requests.post(
            known["token_endpoint"],
            data={"grant_type": "client_credentials", "scope": NARROW_SCOPE},
            auth=CLIENT,
            timeout=10,
        ).json()
        assert granted["scope"] == NARROW_SCOPE
        return str(granted["access_token"])
