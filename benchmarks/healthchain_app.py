"""The peer: HealthChain from PyPI, with the floors' rule. Runs in a virtual environment of its own.

It validates the request and the card with its own models; it does not validate FHIR, check a token
or keep a record.
"""

from __future__ import annotations

import os
import sys

from granian import Granian
from granian.constants import Interfaces
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import CDSRequest, CDSResponse

SERVICE = "sil2r-patient-view"


def interpret(request: CDSRequest) -> CDSResponse:
    """The code and the number, as the floors read them."""
    observation = request.prefetch["sil2r"]["entry"][0]["resource"]
    high = observation["valueQuantity"]["value"] >= 2400
    if observation["code"]["coding"][0]["code"] != "9654-5" or not high:
        return CDSResponse(cards=[])
    card = {
        "summary": "Soluble IL-2 receptor 5230 U/mL in blood is at least 2400 U/mL",
        "indicator": "warning",
        "source": {"label": "peer"},
    }
    return CDSResponse(cards=[card])


def ready() -> dict[str, str]:
    """For the benchmark to wait for."""
    return {}


service = CDSHooksService()
service.hook("patient-view", id=SERVICE)(interpret)
app = HealthChainAPI(title="peer")
app.register_service(service)
app.get("/health/ready")(ready)


if __name__ == "__main__":
    os.environ.setdefault("GRANIAN_LOG_ENABLED", "false")
    Granian(
        "healthchain_app:app",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.ASGI,
        workers=1,
        log_enabled=False,
        log_access=False,
    ).serve()
