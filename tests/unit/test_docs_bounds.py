"""The bounds that the pages name are those of the code: each is said here from its constant."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cds_service import strict_json
from cds_service.access.tokens import MAX_JTI
from cds_service.config import Settings
from cds_service.event_wiring import BACKLOG_AGE
from cds_service.events.faults import FIRST_DELAY, LONGEST_DELAY, MOST_ATTEMPTS, PATIENCE
from cds_service.events.source import SHORTEST_SECRET
from cds_service.fhir.calls.breaker import FAILURES_TO_OPEN, OPEN_SECONDS
from cds_service.fhir.calls.fetched import UpstreamFault
from cds_service.fhir.calls.session import Limits
from cds_service.fhir.parts import MOST_READ
from cds_service.fhir.validate import MOST_CHECKED, MOST_ELEMENTS
from cds_service.hooks.feedback import MOST_ITEMS
from cds_service.store.engine import CONNECTIONS
from cds_service.store.event_outcomes import LOOKED_AT, OF_LATE
from cds_service.store.event_subscriptions import GAP_WINDOW
from cds_service.store.events import LEASE, LEASES_TO_LOSE
from cds_service.store.lots import LOT
from cds_service.store.replay import GRACE
from cds_service.store.subscription import ACTIVATION, REACH_OF_GAP
from cds_service.web.body import FEW_LARGE, FEW_THREADS, SMALL
from cds_service.web.serve import STOP_SECONDS, THREADS
from tests.documentation import text_of

SETTINGS = Settings()
LIVES_SECONDS = SETTINGS.token_lifetime + 2 * SETTINGS.token_leeway
"""How long a token may be used: its `iat` may lie ahead, and its `exp` behind."""
INTEGRATING = (
    f"at most {strict_json.MAX_DEPTH} levels",
    f"numbers of at most {strict_json.MAX_NUMBER_LENGTH} characters",
    f"an exponent of at most {strict_json.MAX_EXPONENT}",
    f"at most {Limits().pages} pages, {Limits().entries:,} entries",
    f"{Limits().body_bytes // 2**20} MiB are fetched",
    f"at most {MOST_READ} results",
    f"At most {MOST_READ} drafts are read",
    f"more than {MOST_ELEMENTS:,} values",
    f"beyond {MOST_CHECKED:,} values",
    f"holds at most {MOST_ITEMS:,} items",
    f"a text of up to {MAX_JTI} characters",
    f"fails {FAILURES_TO_OPEN} calls in a row is left alone for {OPEN_SECONDS:.0f} seconds",
)
SECURITY = (
    f"threads for {THREADS} slow callers",
    f"callers who were refused hold {FEW_THREADS} at most",
    f"can only be checked with their body {FEW_THREADS},",
    f"{FEW_LARGE} of them for more than {SMALL // 2**20} MiB",
    f"in lots of {LOT} rows",
    f"{GRACE.seconds // 60} minutes after the token's end or more",
)
OPERATIONS = (
    f"{LIVES_SECONDS // 60} minutes after the last at most",
    f"requests under way finish, for at most {STOP_SECONDS} s",
    f"opens up to {CONNECTIONS} connections to PostgreSQL",
    f"work has been due for {BACKLOG_AGE.seconds // 60} minutes",
    f"in the last {OF_LATE // timedelta(hours=1)} hours, among the newest {LOOKED_AT:,} records",
    f"`{UpstreamFault.NOT_ALLOWED}`: nothing was sent",
)
EVENTS = (
    f"at least {SHORTEST_SECRET} characters",
    f"leases its work for {LEASE.seconds // 60} minutes",
    f"ran out {LEASES_TO_LOSE} times",
    f"waited out for {PATIENCE.days} days",
    f"from {FIRST_DELAY.seconds} s to {LONGEST_DELAY.seconds // 60} min",
    f"are tried {MOST_ATTEMPTS} times",
    f"missing for {GAP_WINDOW.seconds} seconds",
    f"changed in the {REACH_OF_GAP.days} days before",
    f"still `requested` after {ACTIVATION.seconds // 60} minutes",
    f"has been due for {BACKLOG_AGE.seconds // 60} minutes",
)
BOUNDS = {
    "docs/integrating.md": INTEGRATING,
    "docs/security.md": SECURITY,
    "docs/operations.md": OPERATIONS,
    "docs/events.md": EVENTS,
}


@pytest.mark.parametrize(
    ("page", "said"), [(page, said) for page, bounds in BOUNDS.items() for said in bounds]
)
def test_a_bound_that_a_page_names_is_that_of_the_code(page: str, said: str) -> None:
    assert said in " ".join(text_of(page).split())
