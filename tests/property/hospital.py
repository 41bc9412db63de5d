"""A hospital whose FHIR server answers as it is told, without a network, and calls the service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

import fhir_fixtures
from cds_service.config import Settings
from cds_service.fhir.access import EVERY_READ, ServerAccess
from cds_service.fhir.calls.deadline import Deadline
from cds_service.fhir.calls.fetched import HttpAnswer, Refused, status_fault
from cds_service.fhir.calls.session import FhirSession, Limits
from cds_service.knowledge.files import load_library, with_site
from cds_service.origins import FhirBase
from cds_service.web.app import create_app
from cds_service.web.ports import Ports
from tests.property.wire import BASE, NOW, Json

Answer = Json | Refused | bytes
UNAVAILABLE: list[Json] = [{"status": 412}]
"""Stands for an answer that required data cannot be had."""


@dataclass
class Hospital:
    """What its server answers to what follows its base address; anything else it does not have."""

    answers: dict[str, Answer] = field(default_factory=dict)
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        library = with_site(load_library(), fhir_fixtures.site_path())
        ports = Ports(now=lambda: NOW, reach=self._reach)
        self.client = create_app(Settings(), library, ports).test_client()

    def queries(self, service: str) -> Mapping[str, str]:
        """What the service asks for, by prefetch key, as this patient's server is asked it."""
        discovered = self.client.get("/cds-services").get_json()["services"]
        (found,) = (each["prefetch"] for each in discovered if each["id"] == service)
        return {key: query.replace("{{context.patientId}}", "p") for key, query in found.items()}

    def ask(self, service: str, request: Json) -> list[Json]:
        """The cards, or UNAVAILABLE."""
        answered = self.client.post(f"/cds-services/{service}", json=request)
        if answered.status_code == 412:
            return UNAVAILABLE
        cards: list[Json] = answered.get_json()["cards"]
        return cards

    @contextmanager
    def _reach(self, *_caller_and_request: object) -> Iterator[ServerAccess]:
        session = FhirSession(
            base=FhirBase.parse(BASE),
            deadline=Deadline.after(60_000),
            limits=Limits(),
            get=self._get,
            send=_nothing_is_sent,
            run_all=lambda tasks, _deadline: {key: task() for key, task in tasks.items()},
            close=lambda: None,
        )
        yield ServerAccess(session, EVERY_READ)

    def _get(self, relative: str, _cap: int) -> HttpAnswer | Refused:
        answer = self.answers.get(relative, Refused(status_fault(404)))
        if isinstance(answer, Refused):
            return answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return HttpAnswer("application/fhir+json", body)


def _nothing_is_sent(sending: Any) -> HttpAnswer:
    raise AssertionError(sending)
