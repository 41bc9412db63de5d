"""What the blueprints share: the parts of one application, made once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from flask import request

from cds_service.config import DiscoveryToken, Settings
from cds_service.errors import Forbidden, StoreUnavailable
from cds_service.hooks.services import Service, ServiceRegistry
from cds_service.metrics import Metrics
from cds_service.web.limits import RateLimit
from cds_service.web.passage import here
from cds_service.web.ports import Caller, Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Everything a view needs."""

    settings: Settings
    registry: ServiceRegistry
    ports: Ports
    metrics: Metrics
    rate: RateLimit

    def read_numbers(self) -> None:
        """Bring the metrics that are read from the database up to date. If it cannot be read they
        stay as they are: the readiness check `database` tells of that.
        """
        with suppress(StoreUnavailable):
            self.metrics.read(self.ports.readings())

    def admit(self) -> Caller:
        """The caller of the request under way, known and within its rate.

        Raises Unauthorised, TooManyRequests.
        """
        given = request.environ.get("HTTP_AUTHORIZATION")
        caller = self.ports.gate.check([] if given is None else [given], request.path)
        here().client = caller.name
        self.rate.count(caller.account)
        return caller

    def admit_reader(self) -> None:
        """Lets anybody read what holds no patient data, unless the site asks for a token there too.

        Raises as `admit`.
        """
        match self.settings.discovery_token:
            case DiscoveryToken.REQUIRED:
                self.admit()
            case DiscoveryToken.OPEN:
                pass

    def admit_to(self, service_id: str) -> tuple[Caller, Service]:
        """The caller, and the service of this id that it calls and was granted.

        Raises as `admit`, NotFound, Forbidden.
        """
        caller = self.admit()
        service = self.registry.find(service_id)
        here().service = service_id
        if not caller.may_call(service_id):
            raise Forbidden(
                "This client was not granted this service.",
                remedy="Ask whoever runs this service to add it to the client registry.",
            )
        return caller, service
