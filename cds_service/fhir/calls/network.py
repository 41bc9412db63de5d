"""How the outside is reached: which addresses, by which names, under whose certificates."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Self

from cds_service.config import Mode
from cds_service.fhir.calls.addresses import Reach, Resolve, system_resolve


@dataclass(frozen=True)
class Network:
    """How the outside is reached. The defaults are those of production."""

    reach: Reach = Reach.SITE
    resolve: Resolve = system_resolve
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    """The system's trust store; `SSL_CERT_FILE` adds to it, as everywhere with OpenSSL."""

    @classmethod
    def of(cls, mode: Mode) -> Self:
        """Registered servers may stand in the hospital's own network, never on this machine."""
        return cls(reach=Reach.ANYWHERE if mode is Mode.SANDBOX else Reach.SITE)
