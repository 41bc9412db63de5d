"""From the web room to the store: invocations become records, feedback becomes rows.

Patients and results leave here only as pseudonyms; no value, name or token is passed on.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

from cds_service import __version__
from cds_service.core.card import Card
from cds_service.core.elements import Coding
from cds_service.core.feedback import NO_REASON, FeedbackItem, FeedbackOutcome
from cds_service.hooks.call import Answered
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import Service
from cds_service.kept_cards import inputs_of, kept_card, kept_words
from cds_service.store.feedback import Feedback
from cds_service.store.pseudonym import Pseudonymiser
from cds_service.store.records import Door, EvaluationRecord, Records
from cds_service.web.ports import Caller, Failed, Invocation, Unread

_OBSERVATION = "Observation/"


class StoredJournal:
    """Every invocation as one evaluation record, also when no card was shown."""

    def __init__(self, records: Records, pseudonyms: Pseudonymiser) -> None:
        self.id_secret = pseudonyms.id_secret
        self._records = records
        self._pseudonyms = pseudonyms

    def record(self, invocation: Invocation) -> None:
        """Keep one invocation. Raises StoreUnavailable."""
        client = invocation.caller.name
        in_shadow = invocation.caller.in_shadow
        match invocation.request:
            case HookRequest() as request:
                hook_instance, patient_id = request.hook_instance, request.context.patient_id
            case Unread():
                hook_instance = patient_id = ""
        match invocation.came_to:
            case Answered(cards=made):
                status, error = 200, ""
            case Failed(status=status, error=error):
                made = ()
        sent = () if in_shadow else made
        inputs = {used: self._pseudonyms.of_reference(client, used) for used in inputs_of(made)}
        self._records.save(
            EvaluationRecord(
                id=made[0].extension["id"] if made else str(uuid4()),
                at=invocation.at,
                door=Door.SHADOW if in_shadow else Door.HOOK,
                service=invocation.service.id,
                client=client,
                hook_instance=hook_instance,
                knowledge=invocation.service.knowledge.tag,
                software=__version__,
                **kept_words(made),
                status=status,
                error=error,
                duration_ms=invocation.duration_ms,
                patient=self._pseudonyms.of(client, "Patient", patient_id),
                inputs=tuple(inputs.values()),
                cards=tuple([kept_card(card, _results(card, inputs)) for card in sent]),
            )
        )

    def carded_before(
        self, caller: Caller, patient_id: str, observations: Iterable[str]
    ) -> frozenset[str]:
        """Which of these Observations the caller was sent a card about. Raises StoreUnavailable."""
        patient = self._pseudonyms.of(caller.name, "Patient", patient_id)
        carded = self._records.carded_before(patient, caller.name)
        return frozenset(
            reference
            for reference in observations
            if self._pseudonym(caller.name, reference) in carded
        )

    def _pseudonym(self, client: str, reference: str) -> str:
        return self._pseudonyms.of(client, "Observation", reference.removeprefix(_OBSERVATION))


class StoredFeedback:
    """Feedback, kept durably and once."""

    def __init__(self, feedback: Feedback, pseudonyms: Pseudonymiser) -> None:
        self._feedback = feedback
        self._pseudonyms = pseudonyms

    def save(
        self, caller: Caller, service: Service, items: Sequence[FeedbackItem]
    ) -> Mapping[FeedbackOutcome, int]:
        """Keep a batch, all of it or nothing. Raises StoreUnavailable."""
        offered = {
            (reason["system"], reason["code"])
            for reason in service.knowledge.wording.override_reasons
        }
        return self._feedback.save(
            [
                replace(item, reason=self._reason(item.reason, offered, caller.name))
                for item in items
            ],
            caller.name,
            service.id,
        )

    def _reason(self, reason: Coding, offered: Container[tuple[str, str]], client: str) -> Coding:
        """A reason that a card offers is kept as it is. Any other may say anything, also of the
        patient, and is kept as a pseudonym.
        """
        if reason == NO_REASON or (reason.system, reason.code) in offered:
            return reason
        said = f"{reason.system}|{reason.code}"
        return Coding("", self._pseudonyms.of(client, "overrideReason", said))


def _results(card: Card, pseudonyms: Mapping[str, str]) -> tuple[str, ...]:
    """The pseudonym of the Observation that a card is about, if it is about one."""
    about = card.observation
    return (pseudonyms[about].removeprefix(_OBSERVATION),) if about else ()
