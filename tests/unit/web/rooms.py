"""Stand-ins for the other rooms, so that the web room is tested by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, cast

from cds_service.core.card import Card, Indicator, SmartApp
from cds_service.core.concepts import ConceptIndex
from cds_service.core.feedback import FeedbackItem, FeedbackOutcome
from cds_service.core.review import PENDING
from cds_service.core.verdict import Evaluation
from cds_service.errors import StoreUnavailable, Unauthorised
from cds_service.fhir.access import NoAccess, NoAccessReason, ServerAccess
from cds_service.hooks.call import Answered
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import Service
from cds_service.knowledge.files import Library
from cds_service.web.ports import Anybody, Caller, Invocation

NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
URL = "/cds-services/toy-patient-view"
SOUTH = {"Authorization": "Bearer south"}
NORTH = {"Authorization": "Bearer north"}
WEST = {"Authorization": "Bearer west"}
"""South may call every service; north may not call this one; west is in shadow."""


def library() -> Library:
    """Knowledge as far as the web room looks at it."""
    knowledge = SimpleNamespace(
        conditions=ConceptIndex(()),
        medications=ConceptIndex(()),
        identity=SimpleNamespace(
            id="toy",
            service_title="Toy result",
            service_description="Reads a toy result.",
            order_service_title="Toy order",
            order_service_description="Reads a toy order.",
            review_status="pending clinical review",
        ),
        review=PENDING,
        tag="toy@2026.1",
        accepted={"0000-0": None},
        companion_loincs=("1111-1",),
        reasons={"unit-unknown": None},
        local_codes={},
        analyte_codes=frozenset(),
        companion_codes=frozenset(),
    )
    return Library(cast("Any", {"toy": knowledge}))


def card(outcome: str = "interpreted", **more: object) -> Card:
    return Card(
        uuid="6f2a52b4-5a0e-5d0c-9d39-3f8e6d1c7a11",
        summary="Toy 12 U/mL (serum/plasma): above the limit.",
        detail="Detail.",
        indicator=Indicator.INFO,
        source={"label": "Toy 2026"},
        links=(),
        override_reasons=(),
        extension={"id": "e", "knowledge": "toy@2026.1", "outcome": outcome, **more},
    )


def answered(*cards: Card, **faults: str) -> Answered:
    return Answered(cards, Evaluation("toy@2026.1", date(2026, 3, 1)), faults)


APP = SmartApp("Toy over time", "https://apps.example.org/toy/launch.html")


@dataclass
class Client:
    """A registered client."""

    name: str
    in_shadow: bool = False
    smart_apps: tuple[SmartApp, ...] = ()

    @property
    def account(self) -> str:
        return self.name.partition("/")[0]

    def may_call(self, service: str) -> bool:
        return not (self.name == "north" and service.endswith("patient-view"))


@dataclass
class TokenGate:
    """Knows clients by their tokens, `group` in two tenants; `north` has one service only."""

    def check(self, authorization: Sequence[str], path: str) -> Caller:
        match list(authorization):
            case ["Bearer north"]:
                return Client("north")
            case ["Bearer south"]:
                return Client("south", smart_apps=(APP,))
            case ["Bearer west"]:
                return Client("west", in_shadow=True)
            case ["Bearer group/east" | "Bearer group/west" as token]:
                return Client(token.removeprefix("Bearer "))
            case _:
                raise Unauthorised("signature")


@dataclass
class Memory:
    """Keeps what it is given; or is broken."""

    broken: bool = False
    id_secret: str = "of-this-installation:"
    invocations: list[Invocation] = field(default_factory=list)
    batches: list[tuple[Caller, Service, Sequence[FeedbackItem]]] = field(default_factory=list)

    def record(self, invocation: Invocation) -> None:
        self._fail_if_broken()
        self.invocations.append(invocation)

    def carded_before(
        self, caller: Caller, patient_id: str, references: Iterable[str]
    ) -> frozenset[str]:
        self._fail_if_broken()
        assert isinstance(caller, (Anybody, Client))
        assert patient_id
        return frozenset(references)

    def save(
        self, caller: Caller, service: Service, items: Sequence[FeedbackItem]
    ) -> Mapping[FeedbackOutcome, int]:
        self._fail_if_broken()
        self.batches.append((caller, service, items))
        return Counter(item.outcome for item in items)

    def _fail_if_broken(self) -> None:
        if self.broken:
            raise StoreUnavailable("The database cannot be used.", cause="SQLITE_FULL")


@dataclass
class OneAccess:
    """Notes who was given access."""

    asked: list[tuple[str, HookRequest]] = field(default_factory=list)

    def __call__(
        self, caller: Caller, request: HookRequest
    ) -> AbstractContextManager[ServerAccess | NoAccess]:
        self.asked.append((caller.name, request))
        return nullcontext(NoAccess(NoAccessReason.NOT_REGISTERED))


def hook_request(**more: object) -> dict[str, object]:
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"patientId": "p1", "userId": "Practitioner/1"},
        "prefetch": {"toy": None},
        **more,
    }
