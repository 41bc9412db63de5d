"""The whole service from its settings: knowledge, database, callers and the way out, put together.

Nothing is decided here. `prepared` runs once, before any process is started, `make_app` once in
every worker process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cds_service.callers import (
    FhirReach,
    gate_of,
    refuse_unknown_services,
    registered_clients,
    require_clients,
)
from cds_service.config import Review, Settings
from cds_service.core.review import Approved, Pending
from cds_service.errors import ConfigurationError
from cds_service.event_wiring import Workshop, open_event_room, open_workshop
from cds_service.events.source import secret_files
from cds_service.journal import StoredFeedback, StoredJournal
from cds_service.knowledge.files import Library, load_configured
from cds_service.logs import Event, log
from cds_service.store.database import Database, is_open_to_others
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import DataKey, Pseudonymiser, load_or_create_key
from cds_service.store.records import Records
from cds_service.web.app import create_app
from cds_service.web.health import review_check
from cds_service.web.ports import NoInbox, Ports, utc_now

if TYPE_CHECKING:
    from flask import Flask

    from cds_service.access.registry import ClientRegistry

KEY_FILE = "cds-service.key"


def prepared(settings: Settings) -> Library:
    """Brings the database up to date, and looks for all that an operator would have to mend first:
    better said in one line now than by a worker that dies. Returns the knowledge.

    Raises ConfigurationError, KnowledgeError, StoreUnavailable.
    """
    library = _served(settings)
    registry = registered_clients(settings)
    require_clients(registry, settings.mode)
    refuse_unknown_services(registry, library)
    with _database(settings) as database:
        room = open_event_room(settings, registry.sources, database, data_key(settings))
        if room.sources:
            room.queue().open()
    _tell_void_approvals(library)
    _tell_open_secrets(settings, registry)
    for client in registry.clients:
        if client.in_shadow:
            log(Event.IN_SHADOW, client=client.name)
    return library


def make_app(settings: Settings, library: Library) -> Flask:
    """The application with everything plugged in. `library` is what `prepared` returned.

    Raises ConfigurationError.
    """
    registry = registered_clients(settings)
    database = Database.open(settings.database_url)
    key = data_key(settings)
    pseudonyms = Pseudonymiser(key)
    room = open_event_room(settings, registry.sources, database, key)
    ports = Ports(
        gate=gate_of(settings, registry, database),
        reach=FhirReach(settings, registry),
        journal=StoredJournal(Records(database, pseudonyms), pseudonyms),
        shelf=StoredFeedback(Feedback(database, key), pseudonyms),
        inbox=room.inbox(room.queue()) if room.sources else NoInbox(),
        readings=room.readings,
        checks={
            "database": database.check,
            "knowledge": review_check(library.bases.values(), utc_now),
            **({"events": room.check} if room.sources else {}),
        },
    )
    return create_app(settings, library, ports)


def _database(settings: Settings) -> Database:
    """The database, brought up to date unless a later release has migrated it."""
    database = Database.open(settings.database_url)
    database.upgrade()
    if database.is_newer():
        log(Event.DATABASE_NEWER)
    if database.is_open_to_others():
        log(Event.DATABASE_OPEN)
    return database


def open_events(settings: Settings) -> Workshop:
    """What the worker works with, and the commands that bring work in.

    Raises ConfigurationError, KnowledgeError, StoreUnavailable.
    """
    library = _served(settings)
    return _workshop(settings, library, _database(settings), data_key(settings))


def existing_events(settings: Settings) -> Workshop:
    """As `open_events`, for commands about what is there already. Makes no database and no key: a
    mistyped path must not look like a place where nothing waits.

    Raises ConfigurationError, KnowledgeError, StoreUnavailable.
    """
    library = load_configured(settings)
    database = Database.open(settings.database_url)
    database.ping()
    return _workshop(settings, library, database, existing_data_key(settings))


def _workshop(settings: Settings, library: Library, database: Database, key: DataKey) -> Workshop:
    room = open_event_room(settings, registered_clients(settings).sources, database, key)
    return open_workshop(room, library)


def _served(settings: Settings) -> Library:
    """The knowledge to answer from. Raises ConfigurationError if it must be signed and is not
    (T-109).
    """
    library = load_configured(settings)
    match settings.review:
        case Review.ANY:
            return library
        case Review.SIGNED:
            for base in library.bases.values():
                if not isinstance(base.review, Approved):
                    raise ConfigurationError(
                        f"Nobody has signed {base.tag} as it is.",
                        where="CDS_REVIEW",
                        remedy="Have it signed with `cds-service knowledge approve`, and let"
                        " CDS_APPROVAL name the file; `knowledge check` says what holds.",
                    )
            return library


def _tell_void_approvals(library: Library) -> None:
    """Logs approvals that no longer hold: that knowledge is pending review, as every card says."""
    for base in library.bases.values():
        if isinstance(base.review, Pending) and base.review.void:
            log(Event.APPROVAL_VOID, knowledge=base.tag)


def _tell_open_secrets(settings: Settings, registry: ClientRegistry) -> None:
    """Logs files with a secret that others may open. It is no refusal: where secrets are mounted,
    their permissions are not always ours to choose.
    """
    if settings.tls_key and is_open_to_others(settings.tls_key):
        log(Event.SECRET_OPEN, place="CDS_TLS_KEY")
    for source in registry.sources:
        for key, file in secret_files(source).items():
            if is_open_to_others(file):
                log(Event.SECRET_OPEN, source=source.name, place=key)


def data_key(settings: Settings) -> DataKey:
    """The configured key; in sandbox mode one is made at the first start, beside the database."""
    if settings.data_key:
        return DataKey.from_base64(settings.data_key)
    return load_or_create_key(settings.folder / KEY_FILE)


def existing_data_key(settings: Settings) -> DataKey:
    """The same, but never made: with a new key nothing stored would be found.

    Raises ConfigurationError.
    """
    if not settings.data_key and not (settings.folder / KEY_FILE).exists():
        raise ConfigurationError(
            "There is no data key.",
            where="CDS_DATA_KEY",
            remedy="Give the key with which the service runs.",
        )
    return data_key(settings)
