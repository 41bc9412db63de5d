"""The whole service from its settings: knowledge, database, callers and the way out, put together.

Nothing is decided here. `make_app` runs once in every worker process.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from cds_service.config import Mode, Settings
from cds_service.core.review import Pending
from cds_service.fhir.access import NoAccess, ServerAccess, server_access
from cds_service.fhir.addresses import Reach
from cds_service.fhir.client import FhirClient, Network
from cds_service.fhir.deadline import Deadline
from cds_service.fhir.origins import AllowList, FhirBase, LoopbackRule, PlainHttp
from cds_service.hooks.orders import order_advice
from cds_service.hooks.request import HookRequest
from cds_service.journal import StoredFeedback, StoredJournal
from cds_service.knowledge_files import Library, load_configured
from cds_service.logs import Event, log
from cds_service.store.database import Database
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import DataKey, Pseudonymiser, load_or_create_key
from cds_service.store.records import Records
from cds_service.web.app import create_app
from cds_service.web.ports import Caller, Ports

KEY_FILE = "cds-service.key"


def make_app(settings: Settings) -> Flask:
    """The application with everything plugged in. Raises ConfigurationError, KnowledgeError."""
    library = load_configured(settings)
    _tell_void_approvals(library)
    database = Database.open(settings.database_url)
    database.upgrade()
    key = data_key(settings)
    pseudonyms = Pseudonymiser(key)
    ports = Ports(
        reach=FhirReach(settings),
        journal=StoredJournal(Records(database, pseudonyms), pseudonyms),
        shelf=StoredFeedback(Feedback(database, key)),
        order_advice=order_advice,
        checks={"database": database.ping},
    )
    return create_app(settings, library, ports)


def _tell_void_approvals(library: Library) -> None:
    """The knowledge is then pending review again, which every card says."""
    for base in library.bases.values():
        match base.review:
            case Pending(void) if void:
                log(Event.APPROVAL_VOID, knowledge=base.tag)
            case _:
                pass


def data_key(settings: Settings) -> DataKey:
    """The configured key; in sandbox mode one is made at the first start, beside the database."""
    if settings.data_key:
        return DataKey.from_base64(settings.data_key)
    return load_or_create_key(_beside_database(settings.database_url) / KEY_FILE)


def _beside_database(url: str) -> Path:
    parts = urlsplit(url)
    return Path(parts.path[1:]).parent if parts.scheme == "sqlite" else Path()


class FhirReach:
    """Whether and how a caller's FHIR server may be called."""

    def __init__(self, settings: Settings) -> None:
        sandbox = settings.mode is Mode.SANDBOX
        bases = [FhirBase.parse(text, PlainHttp.ALLOWED) for text in settings.fhir_servers]
        loopback = LoopbackRule.ALLOWED if sandbox else LoopbackRule.REFUSED
        self._allowed = AllowList.of(bases, loopback)
        self._deadline_ms = settings.deadline_ms
        network = Network(reach=Reach.ANYWHERE if sandbox else Reach.SITE)
        self._client = FhirClient(self._allowed, network=network)

    def __call__(
        self, caller: Caller, request: HookRequest
    ) -> AbstractContextManager[ServerAccess | NoAccess]:
        """Access for the length of one call, within its deadline."""
        return server_access(
            server=request.fhir.server,
            authorization=request.fhir.authorization,
            patient_id=request.context.patient_id,
            allowed=self._allowed,
            client=self._client,
            deadline=Deadline.after(self._deadline_ms),
        )
