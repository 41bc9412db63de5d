"""What leaves the web room for the store: codes and pseudonyms, whatever a call came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

import fhir_fixtures
from cds_service import __version__
from cds_service.config import Settings
from cds_service.core.elements import Coding
from cds_service.core.feedback import NO_REASON, FeedbackItem, FeedbackOutcome
from cds_service.hooks.answer import answer
from cds_service.hooks.call import Answered
from cds_service.hooks.request import HookRequest
from cds_service.hooks.services import build_registry
from cds_service.journal import StoredFeedback, StoredJournal
from cds_service.store.feedback import Feedback
from cds_service.store.records import Door, EvaluationRecord, Records
from cds_service.web.ports import Anybody, Failed, Invocation, Unread
from tests.kept import PSEUDONYMS
from tests.packaged import SIL2R
from tests.unit.hooks.ordering import call

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
NORTH = Anybody("general-hospital/north", "general-hospital")
WEST = replace(NORTH, in_shadow=True)
HOOK = Settings().lab_result_hook
SERVICE = build_registry([SIL2R], lab_result_hook=HOOK).services["sil2r-lab-result"]
ASKED = call(SERVICE, fhir_fixtures.load("lab_result_full_prefetch"))
ANSWER = answer(ASKED)


class Kept(Records):
    """Records in memory."""

    def __init__(self) -> None:
        self.saved: list[EvaluationRecord] = []
        self.carded: dict[tuple[str, str], frozenset[str]] = {}

    def save(self, record: EvaluationRecord) -> None:
        self.saved.append(record)

    def carded_before(self, patient: str, client: str) -> frozenset[str]:
        return self.carded.get((patient, client), frozenset())


def recorded(
    came_to: Answered | Failed = ANSWER,
    *,
    caller: Anybody = NORTH,
    request: HookRequest | Unread = ASKED.request,
) -> EvaluationRecord:
    """The one record of a call."""
    kept = Kept()
    StoredJournal(kept, PSEUDONYMS).record(
        Invocation(
            at=AT,
            request_id="r",
            caller=caller,
            service=SERVICE,
            request=request,
            came_to=came_to,
            duration_ms=4.5,
        )
    )
    (record,) = kept.saved
    return record


def pseudonym(kind: str, id_: str) -> str:
    return PSEUDONYMS.of(NORTH.name, kind, id_)


def test_a_call_is_recorded_in_codes_and_pseudonyms() -> None:
    (card,) = ANSWER.cards
    record = recorded()
    about = card.extension
    assert (record.id, record.at, record.duration_ms) == (about["id"], AT, 4.5)
    assert (record.door, record.service) == (Door.HOOK, "sil2r-lab-result")
    assert record.client == "general-hospital/north"
    assert record.hook_instance == ASKED.request.hook_instance
    assert (record.knowledge, record.software) == (SIL2R.tag, __version__)
    assert (record.status, record.error) == (200, "")
    assert record.outcomes == ("interpreted",)
    assert record.findings == tuple(about["findings"])
    assert record.patient == pseudonym("Patient", ASKED.request.context.patient_id)
    used = [each["resource"].split("/") for each in about["inputs"]]
    assert record.inputs == tuple(f"{kind}/{pseudonym(kind, id_)}" for kind, id_ in used)
    (kept,) = record.cards
    assert (kept.uuid, kept.findings) == (card.uuid, record.findings)
    result = card.observation.removeprefix("Observation/")
    assert kept.results == (pseudonym("Observation", result),)


def test_a_card_about_no_result_such_as_one_on_a_draft_order_cards_none() -> None:
    (card,) = ANSWER.cards
    about_order = {**card.extension, "inputs": [{"resource": "ServiceRequest/9"}]}
    record = recorded(replace(ANSWER, cards=(replace(card, extension=about_order),)))
    assert record.inputs == (f"ServiceRequest/{pseudonym('ServiceRequest', '9')}",)
    assert [kept.results for kept in record.cards] == [()]


def test_in_shadow_all_is_recorded_but_the_cards_that_were_withheld() -> None:
    shown, withheld = recorded(), recorded(caller=WEST)
    assert withheld == replace(shown, door=Door.SHADOW, cards=())


def test_an_answer_without_cards_is_recorded_under_an_id_of_its_own() -> None:
    first, second = (recorded(replace(ANSWER, cards=())) for _ in "ab")
    assert first.id != second.id
    assert UUID(first.id).version == 4
    assert (first.status, first.outcomes, first.cards, first.inputs) == (200, (), (), ())
    assert first.patient == recorded().patient


def test_a_call_that_failed_is_recorded_with_its_error() -> None:
    record = recorded(Failed(412, "CDS-3001"))
    assert (record.status, record.error) == (412, "CDS-3001")
    assert (record.outcomes, record.cards, record.inputs) == ((), (), ())
    assert record.patient == recorded().patient
    assert record.hook_instance == ASKED.request.hook_instance


def test_a_request_that_could_not_be_read_names_nobody() -> None:
    record = recorded(Failed(400, "CDS-1001"), request=Unread())
    assert (record.patient, record.hook_instance) == ("", "")
    assert (record.client, record.service) == (NORTH.name, "sil2r-lab-result")


def test_a_result_was_carded_before_if_this_caller_had_a_card_about_this_patient() -> None:
    kept = Kept()
    kept.carded[pseudonym("Patient", "p"), NORTH.name] = frozenset(
        {pseudonym("Observation", "a"), pseudonym("Observation", "b")}
    )
    journal = StoredJournal(kept, PSEUDONYMS)
    asked = ["Observation/a", "Observation/c"]
    assert journal.carded_before(NORTH, "p", asked) == {"Observation/a"}
    assert journal.carded_before(NORTH, "q", asked) == frozenset()
    assert journal.carded_before(replace(NORTH, name="south"), "p", asked) == frozenset()


def test_the_secret_of_ids_is_that_of_the_installation() -> None:
    assert StoredJournal(Kept(), PSEUDONYMS).id_secret == PSEUDONYMS.id_secret


# ------------------------------------------------------------------ feedback


class KeptFeedback(Feedback):
    """Feedback in memory."""

    def __init__(self) -> None:
        self.saved: list[tuple[Sequence[FeedbackItem], str, str]] = []

    def save(
        self, items: Sequence[FeedbackItem], client: str, service: str
    ) -> Mapping[FeedbackOutcome, int]:
        self.saved.append((items, client, service))
        return {FeedbackOutcome.OVERRIDDEN: len(items)}


@pytest.mark.parametrize(
    "reason",
    [
        NO_REASON,
        *(Coding(reason["system"], reason["code"]) for reason in SIL2R.wording.override_reasons),
    ],
)
def test_a_reason_that_a_card_offers_is_kept_as_it_is(reason: Coding) -> None:
    assert kept_reason(reason) == reason


def test_any_other_reason_may_say_anything_and_is_kept_as_a_pseudonym() -> None:
    offered = SIL2R.wording.override_reasons[0]
    for reason in (
        Coding("urn:x", "Anna-1970"),
        Coding("urn:x", offered["code"]),
        Coding(offered["system"], "Anna-1970"),
    ):
        said = f"{reason.system}|{reason.code}"
        assert kept_reason(reason) == Coding("", pseudonym("overrideReason", said))


def kept_reason(reason: Coding) -> Coding:
    """The reason as it is kept; all else of the item is as it was."""
    feedback = KeptFeedback()
    item = FeedbackItem(
        card="c", outcome=FeedbackOutcome.OVERRIDDEN, at=AT, reason=reason, comment="words"
    )
    counts = StoredFeedback(feedback, PSEUDONYMS).save(NORTH, SERVICE, [item])
    assert counts == {FeedbackOutcome.OVERRIDDEN: 1}
    (((kept,), client, service),) = feedback.saved
    assert (client, service) == (NORTH.name, "sil2r-lab-result")
    assert replace(kept, reason=reason) == item
    return kept.reason
