"""One result and one knowledge: what was said of it before, and the keys of what is said now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Final

from cds_service.core.card import Card
from cds_service.core.knowledge import KnowledgeBase
from cds_service.events.delivery import Courier, TakenBack
from cds_service.fhir.write.resources import evaluation_key, result_key
from cds_service.hooks.request import Trigger
from cds_service.store.work_item import Claimed, NeverEvaluated, Past

DELETED: Final = "deleted"
"""The first word of the version that stands for a result that is there no longer."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """When processing began: as a date and time, and on a clock for durations."""

    at: datetime
    started: float

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since then, to the microsecond."""
        return round((perf_counter() - self.started) * 1000, 3)


@dataclass(frozen=True, slots=True)
class Matter:
    """One result and one knowledge."""

    claimed: Claimed
    knowledge: KnowledgeBase
    past: Past | NeverEvaluated
    watch: Stopwatch
    courier: Courier
    id_secret: str = field(repr=False)
    standing: int = 0
    """How many cards were found where they are delivered to."""

    @property
    def service(self) -> str:
        """The id of the service that its evaluation records name."""
        return Trigger.LAB_RESULT.service_id(self.knowledge.identity.id)

    @property
    def said_before(self) -> int:
        """How many cards stand: reports and panels can contain results, with a card for each."""
        recorded = self.past.said if isinstance(self.past, Past) else 0
        return max(recorded, self.standing)

    @property
    def deleted(self) -> str:
        """What stands for the version of a result that is there no longer."""
        match self.past:
            case Past(version=version):
                return f"{DELETED} after {version}"
            case NeverEvaluated():
                return DELETED

    def result(self, place: int) -> str:
        """The key of the answer in this place: 0 for the first card about the result.

        Each knowledge and each card has a key of its own.
        """
        about = f"{self.claimed.target.reference} {self.knowledge.identity.id} {place}"
        return result_key(str(self.courier.session.base), about)

    def evaluation(self, version: str, place: int = 0) -> str:
        """The key of the evaluation of one version, for the card in this place."""
        return evaluation_key(self.result(place), version, self.knowledge.tag, self.id_secret)

    def evaluation_before(self, place: int) -> str:
        """The key of the evaluation before, for the card in the same place; empty for the first."""
        match self.past:
            # place 0 even where nothing stands: that the last card was taken back was told too
            case Past(said=said, told=True) as past if place < max(said, 1):
                key = self.result(place)
                return evaluation_key(key, past.version, past.knowledge, self.id_secret)
            case _:
                return ""

    def take_back(
        self,
        version: str,
        patient_id: str,
        withdrawals: tuple[Card, ...] = (),
        *,
        but_the_first: int = 0,
    ) -> None:
        """Take back the cards that stood, but the first `but_the_first`. Raises UpstreamFailed.

        The last goes first: if this is stopped on the way, the cards left have the first places,
        where the next try looks for them.
        """
        for place in reversed(range(but_the_first, self.said_before)):
            self.courier.take_back(
                TakenBack(
                    reference=self.claimed.target.reference,
                    result=self.result(place),
                    evaluation=self.evaluation(version, place),
                    replaces=self.evaluation_before(place),
                    patient_id=patient_id,
                    cards=withdrawals,
                )
            )
