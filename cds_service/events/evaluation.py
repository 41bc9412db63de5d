"""A result as it stands now, evaluated by every knowledge that is for it, delivered and recorded.

At most once for each (result, version, knowledge), however often it was notified.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, count, islice, takewhile

from cds_service import __version__
from cds_service.core.card import Card
from cds_service.core.elements import FINAL
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.render import render
from cds_service.core.verdict import Reason
from cds_service.evaluate import Looking, evaluate
from cds_service.events.current import Current
from cds_service.events.delivery import Courier
from cds_service.events.faults import TRANSIENT, UpstreamFailed
from cds_service.events.matter import DELETED, Matter, Stopwatch
from cds_service.fhir.access import EVERY_READ, ServerAccess
from cds_service.fhir.calls.fetched import UpstreamFault
from cds_service.fhir.lone_report import is_issued
from cds_service.fhir.read import read_record
from cds_service.fhir.shape import an_id, objects, type_of
from cds_service.fhir.wanted import MAY_BE_OURS, carries, sort_of, wanted_by
from cds_service.fhir.write.resources import Said
from cds_service.hooks.gather import gather
from cds_service.hooks.referred import with_referred
from cds_service.hooks.request import Trigger
from cds_service.hooks.services import prefetch_templates
from cds_service.hooks.suggestions import with_suggestions
from cds_service.kept_cards import inputs_of, kept_card, kept_words
from cds_service.store.events import EventStore
from cds_service.store.pseudonym import Pseudonymiser
from cds_service.store.records import Door, EvaluationRecord
from cds_service.store.work_item import (
    Claimed,
    Evaluated,
    NeverEvaluated,
    Past,
    Target,
    client_name,
)


class Evaluator:
    """Evaluates, delivers, and says what is to be kept of it."""

    def __init__(
        self, knowledge: Sequence[KnowledgeBase], store: EventStore, pseudonyms: Pseudonymiser
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._pseudonyms = pseudonyms

    def bring_into_line(
        self, claimed: Claimed, current: Current, courier: Courier, watch: Stopwatch
    ) -> list[Evaluated]:
        """Bring what was delivered into line with the result. Raises UpstreamFailed."""
        done = []
        for knowledge in self._knowledge:
            for version in self._due(claimed, current, knowledge):
                now = replace(current, version=version)
                matter = self._matter(claimed, knowledge, courier, watch)
                if _is_for(knowledge, now):
                    done.append(self._evaluated(matter, now))
                elif matter.said_before:  # its code was corrected to another test's
                    done.append(self._withdrawn(matter, version, now.patient_id))
        return done

    def _due(self, claimed: Claimed, current: Current, knowledge: KnowledgeBase) -> Iterator[str]:
        """The version as which the result is to be evaluated; none where that was done and holds.

        It holds no longer where the result was taken back since (with its reports, or as deleted)
        and stands again, or the reverse: each such time counts as a version of its own.
        """
        source, item = claimed.source, claimed.item

        def each_time(version: str) -> Iterator[str]:
            """What the version is kept as when it is evaluated first, a second time, a third."""
            times = (f"{version} for the {number}. time" for number in count(2))
            return (self._kept(source, told) for told in chain([version], times))

        for number, version in enumerate(each_time(current.version)):
            if self._store.evaluated.holds(source, item, version, knowledge.tag):
                continue
            if number == 0 or self._has_turned(
                claimed, knowledge, islice(each_time(current.otherwise), number + 1)
            ):
                yield version
            return

    def _has_turned(
        self, claimed: Claimed, knowledge: KnowledgeBase, otherwise: Iterable[str]
    ) -> bool:
        """Whether what was kept last is that the result was deleted, or that its reports did the
        opposite.
        """
        match self._store.evaluated.last(claimed, knowledge.identity.id):
            case Past(version=last):
                return last.partition(" ")[0] == DELETED or last in otherwise
            case NeverEvaluated():
                return False

    def is_evaluated(self, source: str, target: Target, version: str) -> bool:
        """Whether any of the knowledge has evaluated this version of a result."""
        item, kept = self._store.item(source, target), self._kept(source, version)
        return any(
            self._store.evaluated.holds(source, item, kept, knowledge.tag)
            for knowledge in self._knowledge
        )

    def take_back_deleted(
        self, claimed: Claimed, courier: Courier, watch: Stopwatch
    ) -> list[Evaluated]:
        """Take back what was delivered of a result that was deleted. Raises UpstreamFailed."""
        done = []
        for knowledge in self._knowledge:
            matter = self._matter(claimed, knowledge, courier, watch)
            if matter.said_before:
                done.append(self._withdrawn(matter, matter.deleted, patient_id=""))
        return done

    def _matter(
        self, claimed: Claimed, knowledge: KnowledgeBase, courier: Courier, watch: Stopwatch
    ) -> Matter:
        """What was said before. An earlier try may have died between delivery and record: then also
        how many answers are found where they are delivered to.
        """
        past = self._store.evaluated.last(claimed, knowledge.identity.id)
        matter = Matter(claimed, knowledge, past, watch, courier, self._pseudonyms.id_secret)
        return _with_what_stands(matter) if claimed.may_have_been_delivered else matter

    def _evaluated(self, matter: Matter, current: Current) -> Evaluated:
        record = _record(matter, current)
        evaluation = evaluate(
            record, matter.knowledge, matter.watch.at.date(), looking=Looking.RESULT_ARRIVED
        )
        client = client_name(matter.claimed.source)
        scope = f"{matter.id_secret}{client} {matter.service} {current.patient_id}"
        cards = render(evaluation, matter.knowledge, scope=scope)
        cards = with_suggestions(cards, evaluation, matter.knowledge, current.patient_id)
        stands = [card for card in cards if not _is_withdrawal(card)]
        withdrawals = tuple(card for card in cards if _is_withdrawal(card))
        if not stands and isinstance(matter.past, NeverEvaluated):
            matter = _with_what_stands(matter)  # what is known of it may have been purged or erased
        for place, card in enumerate(stands):
            said = _said(matter, current, card, place, is_final=_is_final(record))
            matter.courier.say(said, current.order)
        matter.take_back(
            current.version, current.patient_id, withdrawals, but_the_first=len(stands)
        )
        return self._to_keep(matter, current.version, current.patient_id, cards)

    def _withdrawn(self, matter: Matter, version: str, patient_id: str) -> Evaluated:
        matter.take_back(version, patient_id)
        return self._to_keep(matter, version, patient_id, cards=())

    def _kept(self, source: str, version: str) -> str:
        """The version as it is kept. One that is no plain id may hold all that the result says, and
        is kept as a pseudonym.
        """
        if an_id(version):
            return version
        return f"as {self._pseudonyms.of(client_name(source), 'version', version)}"

    def _to_keep(
        self, matter: Matter, version: str, patient_id: str, cards: Sequence[Card]
    ) -> Evaluated:
        client = client_name(matter.claimed.source)
        sent = cards if matter.courier.shows else ()
        record = EvaluationRecord(
            id=matter.evaluation(version),
            at=matter.watch.at,
            door=Door.EVENT,
            service=matter.service,
            client=client,
            knowledge=matter.knowledge.tag,
            software=__version__,
            **kept_words(cards),
            duration_ms=matter.watch.elapsed_ms,
            patient=self._pseudonyms.of(client, "Patient", patient_id),
            inputs=tuple(self._pseudonyms.of_reference(client, each) for each in inputs_of(cards)),
            cards=tuple(kept_card(card, (matter.claimed.item,)) for card in sent),
        )
        replaces = matter.past.evaluation if isinstance(matter.past, Past) else ""
        return Evaluated(version, replaces, record)


def _with_what_stands(matter: Matter) -> Matter:
    """With how many answers are found where they are delivered to. Raises UpstreamFailed."""
    found = takewhile(matter.courier.stands, map(matter.result, count()))
    return replace(matter, standing=sum(1 for _ in found))


def _record(matter: Matter, current: Current) -> PatientRecord:
    """The patient's record as an evaluation needs it. Raises UpstreamFailed."""
    access = ServerAccess(matter.courier.session, EVERY_READ)
    wanted = wanted_by(matter.knowledge)
    gathered = gather(
        prefetch={},
        templates=prefetch_templates(matter.knowledge, Trigger.LAB_RESULT),
        patient_id=current.patient_id,
        access=access,
    )
    gathered = with_referred(gathered, current.results, wanted, access)
    _require_what_can_be_had(gathered.faults)
    record = read_record(
        patient_id=current.patient_id,
        fhir_base=str(matter.courier.session.base),
        results=current.results,
        parts=gathered.parts,
        wanted=wanted,
    )
    if matter.said_before:
        record = replace(record, carded_before=frozenset({matter.claimed.target.reference}))
    return record


def _require_what_can_be_had(faults: Mapping[str, str]) -> None:
    """Raises UpstreamFailed for data that can be had later: nobody waits here, and this version is
    evaluated only once. What may not be read at all is named in the answer as missing.
    """
    for key, fault in faults.items():
        if fault in TRANSIENT:
            raise UpstreamFailed(UpstreamFault(fault), during=key)


def _is_for(knowledge: KnowledgeBase, current: Current) -> bool:
    """Whether the resource is a result of the analyte, a report that contains one, or a report that
    names no result: then the answer says that the result did not come along.
    """
    wanted, resource = wanted_by(knowledge), current.resource
    candidates = [resource, *objects(resource.get("contained"))]
    is_report = type_of(resource) == "DiagnosticReport" and carries(resource, wanted.accepted)
    if is_report and is_issued(resource) and not current.reported:
        return True
    return any(
        type_of(each) == "Observation" and sort_of(each, wanted) in MAY_BE_OURS
        for each in candidates
    )


def _is_withdrawal(card: Card) -> bool:
    return bool(card.extension.get("reason") == Reason.STATUS_WITHDRAWN)


def _is_final(record: PatientRecord) -> bool:
    statuses = {each.status for each in record.results if isinstance(each, LabResult)}
    return bool(statuses) and statuses <= FINAL


def _said(matter: Matter, current: Current, card: Card, place: int, *, is_final: bool) -> Said:
    identity = matter.knowledge.identity
    return Said(
        reference=matter.claimed.target.reference,
        version=current.version,
        result=matter.result(place),
        evaluation=matter.evaluation(current.version, place),
        replaces=matter.evaluation_before(place),
        patient_id=current.patient_id,
        card=card,
        module=identity.id,
        module_version=identity.version,
        at=matter.watch.at,
        is_final=is_final,
    )
