"""Putting an answer where clinicians will see it: written back, relayed, or only recorded.

Everything here may be done twice without doing anything twice: a crash between delivery and the
record of it costs a repeat that changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from cds_service.core.card import Card
from cds_service.core.json_object import JsonObject
from cds_service.events.current import read_requester
from cds_service.events.faults import UpstreamFailed, answered, faults_in, unless_refused
from cds_service.events.source import (
    Delivery,
    IssueKind,
    NoticeKind,
    RecordOnly,
    Relay,
    WriteBack,
)
from cds_service.fhir.calls.body import resource_in
from cds_service.fhir.calls.exchange import Exchange, Sending, written
from cds_service.fhir.calls.fetched import Refused, UpstreamFault
from cds_service.fhir.calls.session import FhirSession
from cds_service.fhir.client import FhirClient
from cds_service.fhir.shape import an_id
from cds_service.fhir.write import resources as fhir
from cds_service.fhir.write.back import (
    Existing,
    all_done,
    ours,
    search_of,
    withdrawing,
    writing,
)
from cds_service.fhir.write.resources import Said

_ISSUES: Mapping[IssueKind, Callable[[Said], JsonObject]] = {
    IssueKind.DETECTED_ISSUE: fhir.detected_issue,
    IssueKind.FLAG: fhir.flag,
}
_NOTICES: Mapping[NoticeKind, Callable[[Said], JsonObject]] = {
    NoticeKind.COMMUNICATION: fhir.communication,
    NoticeKind.TASK: fhir.task,
}
_EXTENSION = "org.sil2r-cds.event"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What was said of a result does not stand any longer."""

    reference: str
    result: str
    evaluation: str
    replaces: str
    """The key of the evaluation whose answer is taken back."""
    patient_id: str
    """Empty for a result that was deleted: nobody here knows whose it was."""
    cards: tuple[Card, ...]
    """Cards that say that the result was withdrawn; none that stands."""


@dataclass(frozen=True, slots=True)
class Courier:
    """Delivers for one source, on one session."""

    delivery: Delivery
    client: FhirClient
    session: FhirSession
    hook: str

    @property
    def shows(self) -> bool:
        """Whether what it delivers may be seen by anybody."""
        return not isinstance(self.delivery, RecordOnly)

    def say(self, said: Said, order: str) -> None:
        """Deliver an answer in place of the one before. Raises UpstreamFailed."""
        match self.delivery:
            case RecordOnly():
                pass
            case WriteBack() as write_back:
                self._write(write_back, said, order)
            case Relay() as relay:
                self._post(relay, said)

    def take_back(self, taken_back: TakenBack) -> None:
        """Take back what was delivered. Raises UpstreamFailed."""
        match self.delivery:
            case RecordOnly():
                pass
            case WriteBack() as write_back:
                self._bring_about(partial(self._withdrawing, write_back, taken_back.result))
            case Relay() as relay:
                self._post(relay, taken_back)

    def stands(self, result: str) -> bool:
        """Whether an answer stands under this key, as far as that can be asked for: a relay cannot
        be asked. Raises UpstreamFailed.
        """
        match self.delivery:
            case WriteBack() as write_back:
                return bool(self._withdrawing(write_back, result))
            case _:
                return False

    def _withdrawing(self, write_back: WriteBack, result: str) -> JsonObject:
        return withdrawing(self._existing(write_back, result))

    def _write(self, write_back: WriteBack, said: Said, order: str) -> None:
        resources = [_ISSUES[write_back.issue](said), fhir.guidance_response(said)]
        if write_back.notice is not NoticeKind.NONE and order:
            requester = read_requester(self.session, order, said.patient_id)
            said = replace(said, based_on=order, requester=requester)
            if requester:
                resources.append(_NOTICES[write_back.notice](said))

        def to_be_done() -> JsonObject:
            return writing(said, resources, self._existing(write_back, said.result))

        self._bring_about(to_be_done)

    def _bring_about(self, to_be_done: Callable[[], JsonObject]) -> None:
        """Have it done in one transaction. A server that ignores the condition of a create, or part
        of it, may find another resource; one that takes a transaction for a batch may do a part.
        """
        if not (bundle := to_be_done()):
            return
        answer = self._transact(bundle)
        if not all_done(bundle, answer) and to_be_done():
            raise UpstreamFailed(UpstreamFault.NOT_FHIR, during="write-back")

    def _existing(self, write_back: WriteBack, result: str) -> Existing:
        kinds = [write_back.issue.value, "GuidanceResponse"]
        if write_back.notice is not NoticeKind.NONE:
            kinds.append(write_back.notice.value)
        found: dict[str, list[JsonObject]] = {}
        searches = {kind: search_of(kind, result) for kind in kinds}
        for kind, fetched in self.session.fetch_all(searches).items():
            answer = answered(fetched, during="write-back")
            for fault in faults_in(answer):
                raise UpstreamFailed(fault, during="write-back")
            found[kind] = ours(answer.json, kind, result)
            if not all(an_id(resource.get("id")) for resource in found[kind]):
                raise UpstreamFailed(UpstreamFault.NOT_FHIR, during="write-back")
        return Existing(found)

    def _transact(self, bundle: JsonObject) -> JsonObject:
        """What the server says that it did; `{}` where it does not say."""
        answer = Exchange(self.session.send).transaction(bundle)
        said = resource_in(unless_refused(answer, during="write-back"), "Bundle")
        return {} if isinstance(said, Refused) else said

    def _post(self, relay: Relay, said: Said | TakenBack) -> None:
        """Our own hook with its answer; `hookInstance` is the same however often it is sent.

        A panel has several cards under one `result`: `replaces` tells which one this is about.
        """
        cards: tuple[Card, ...]
        match said:
            case Said(card=card):
                cards, status = (card,), "final" if said.is_final else "preliminary"
            case TakenBack(cards=cards):
                status = "entered-in-error"
        about = {"result": said.reference, "status": status, "replaces": said.replaces}
        body: JsonObject = {
            "hook": self.hook,
            "hookInstance": said.evaluation,
            "cards": [card.as_json() for card in cards],
            "extension": {_EXTENSION: {name: word for name, word in about.items() if word}},
        }
        if said.patient_id:  # the context requires it
            body["context"] = {"patientId": said.patient_id}
        json_type = "application/json"
        sending = Sending("POST", body=written(body), media_type=json_type, accept=json_type)
        answer = self.client.send(relay.address, sending, relay.token, self.session.deadline)
        unless_refused(answer, during="relay")
