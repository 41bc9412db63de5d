"""What every card keeps to: sources, disclaimer, form, the same bytes, and no text as markup."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from cds_service.core.card import Card, Indicator
from cds_service.core.elements import (
    Coding,
    Measured,
    NotNumeric,
    ResourceRef,
    SpecimenGiven,
    Status,
    UnitGiven,
)
from cds_service.core.knowledge import LOINC
from cds_service.core.model import InvalidResource, LabResult, PatientRecord, RecordKind, Subject
from cds_service.core.note import Note, NoteKind
from cds_service.core.render import render
from cds_service.core.rendering.parts import note_line
from tests import toy
from tests.reader import as_html, tags, targets
from tests.records import entry, evaluated, measured, named, number, record, result
from tests.unit.core.rendering.rendering import RANGE, TOY, card, cards

DISCLAIMER = "A toy (toy@2026.3), unread, and nothing else."


# ------------------------------------------------------------------ sources and disclaimer

EVERY_KIND: dict[str, LabResult | PatientRecord] = {
    "interpreted": result("250 pt/mL", ranges=RANGE),
    "indeterminate": result(">50 pt/mL", ranges=RANGE),
    "no unit": result("250"),
    "moles": result("250 pmol/L", toy.SAP_MOLE),
    "unit against code": result("250 pt/mL", toy.SAP_MASS, ranges=RANGE),
    "no value": replace(result(), value=NotNumeric("valueRatio")),
    "no specimen": result("250 pg/mL", toy.ANY_MASS),
    "look-alike": result("5 pg/mL", toy.LOOK_ALIKE),
    "preliminary": result("250 pt/mL", status=Status.PRELIMINARY),
    "another patient": result("250 pt/mL", subject=Subject.ANOTHER_PATIENT),
    "invalid": replace(
        record(),
        results=(
            InvalidResource(
                ResourceRef("Observation/b"), "Observation.status", (Coding(LOINC, toy.SAP_MASS),)
            ),
        ),
    ),
}
every_kind = pytest.mark.parametrize("given", EVERY_KIND.values(), ids=EVERY_KIND.keys())


def test_a_look_alike_without_a_value_is_told_without_an_empty_bracket() -> None:
    alike = result("5 pg/mL", toy.LOOK_ALIKE)
    with_value, without = card(alike), card(replace(alike, value=NotNumeric("valueRatio")))
    assert " (5 pg/mL)" in with_value.summary
    assert without.summary == with_value.summary.replace(" (5 pg/mL)", "")


@every_kind
def test_no_card_from_knowledge_past_its_review_is_served_silently(
    given: LabResult | PatientRecord,
) -> None:
    """Due on 1 March; today is 2 March 2026."""
    identity = TOY.identity.model_copy(update={"review_by": date(2026, 3, 1)})
    overdue = note_line(Note(NoteKind.REVIEW_OVERDUE, {"date": "2026-03-01"}), TOY)
    assert f"- {overdue}" in card(given, replace(TOY, identity=identity)).detail.splitlines()
    assert overdue not in card(given).detail


@every_kind
def test_every_card_cites_a_source_and_closes_with_the_disclaimer(
    given: LabResult | PatientRecord,
) -> None:
    only = card(given)
    assert only.detail.endswith(f"\n\n{DISCLAIMER}")
    assert "1. Maker T, et al. Toyin in sap and dew. J Toys 2020;1." in only.detail
    assert only.source == {"label": "Toy 2020", "url": "https://doi.org/10.5555/toy.2020"}
    assert only.links == (
        {"label": "Toy 2020", "url": "https://doi.org/10.5555/toy.2020", "type": "absolute"},
    )


@every_kind
def test_every_card_is_complete_and_holds_nothing_empty(given: LabResult | PatientRecord) -> None:
    wire = card(given).as_json()
    assert {"uuid", "summary", "detail", "indicator", "source", "extension"} <= set(wire)
    assert not [key for key, value in wire.items() if value in (None, "", [], {})]
    said = wire["extension"]["org.sil2r-cds.evaluation"]
    assert not [key for key, value in said.items() if value in (None, "", [], {})]
    assert {"id", "knowledge", "outcome"} <= set(said)
    assert ("reason" in said) is (said["outcome"] == "not-interpretable")


@every_kind
def test_the_only_links_of_a_card_lead_to_its_sources(given: LabResult | PatientRecord) -> None:
    page = as_html(card(given).detail)
    assert targets(page) == {"https://doi.org/10.5555/toy.2020"}
    assert tags(page) <= {"p", "strong", "ul", "ol", "li", "a"}


def test_another_patients_card_shows_nothing_of_the_result() -> None:
    foreign = result(
        "98765 pt/mL",
        subject=Subject.ANOTHER_PATIENT,
        ref=ResourceRef("Observation/secret", "7"),
        laboratory="Laboratory Secret",
        ranges=RANGE,
        on="2020-05-05",
    )
    found = evaluated(record(foreign), TOY)
    (answer,) = found.answers
    note = Note(NoteKind.BEFORE_BIRTH, {"date": "2026-01-02"}, inputs=(ResourceRef("Patient/p"),))
    with_a_note = replace(found, answers=(answer.with_notes((*answer.notes, note)),))
    for evaluation in (found, with_a_note):
        (shown,) = render(evaluation, TOY, scope="s")
        wire = json.dumps(shown.as_json())
        for secret in ("98765", "secret", "Secret", "2020-05-05", "pt/mL"):
            assert secret not in wire


# ------------------------------------------------------------------ indicator and extension


@pytest.mark.parametrize(
    ("given", "indicator"),
    [
        (result("100 pt/mL"), Indicator.WARNING),
        (result("99 pt/mL"), Indicator.INFO),
        (result("51 pg/mL", toy.DEW_MASS), Indicator.WARNING),
        (result("99 pt/mL", ranges=RANGE), Indicator.INFO),
        (result(">50 pt/mL"), Indicator.INFO),
        (result("1000000"), Indicator.INFO),
    ],
)
def test_a_card_warns_only_for_findings_that_warn(given: LabResult, indicator: Indicator) -> None:
    assert card(given).indicator is indicator


def test_the_extension_tells_outcome_findings_inputs_and_what_was_missing() -> None:
    said = card(result("100 pt/mL")).as_json()["extension"]["org.sil2r-cds.evaluation"]
    UUID(said.pop("id"))
    assert said == {
        "knowledge": "toy@2026.3",
        "outcome": "interpreted",
        "findings": ["sap-high", "no-laboratory-limit"],
        "inputs": [{"resource": "Observation/r", "version": "1"}],
        "missing": [
            *("laboratory-limit", "ferritin", "haemoglobin", "neutrophils"),
            *("platelets", "triglycerides"),
        ],
    }


def test_an_input_without_a_version_has_none() -> None:
    said = card(result(ref=ResourceRef("Observation/r"))).as_json()["extension"]
    assert said["org.sil2r-cds.evaluation"]["inputs"] == [{"resource": "Observation/r"}]


def test_the_reason_is_the_public_code() -> None:
    said = card(result("250")).as_json()["extension"]["org.sil2r-cds.evaluation"]
    assert (said["outcome"], said["reason"]) == ("not-interpretable", "unit-missing")


# ------------------------------------------------------------------ the same bytes


def test_the_same_evaluation_gives_the_same_bytes() -> None:
    def wire() -> str:
        return json.dumps([only.as_json() for only in cards(result())])

    assert wire() == wire()


def uuids(given: tuple[Card, ...]) -> set[str]:
    return {only.uuid for only in given}


def test_cards_of_another_patient_caller_or_service_have_other_ids() -> None:
    mine, theirs = cards(result(), scope="north p1"), cards(result(), scope="north p2")
    assert uuids(mine).isdisjoint(uuids(theirs))
    assert [replace(c, uuid="", extension={}) for c in mine] == [
        replace(c, uuid="", extension={}) for c in theirs
    ]


@pytest.mark.parametrize(
    "other",
    [
        result("251 pt/mL"),
        result("250.0 pt/mL"),
        result(ref=ResourceRef("Observation/r", "2")),
        result(on="2026-03-02"),
    ],
)
def test_another_content_has_another_id(other: LabResult) -> None:
    assert uuids(cards(result())).isdisjoint(uuids(cards(other)))


def test_two_cards_of_one_evaluation_share_its_id_and_not_their_own() -> None:
    both = cards(record(result(), named("dew", "51 pg/mL", toy.DEW_MASS)))
    assert len({c.extension["id"] for c in both}) == 1
    assert len(uuids(both)) == 2


def test_every_id_is_a_uuid() -> None:
    assert UUID(card(result()).uuid).version == 5


# ------------------------------------------------------------------ text from outside

EVIL = '<b onclick="x">[c](https://evil.example)</b> | a\u202e\u200b www.evil.example @x'


def test_no_text_from_outside_becomes_markup_or_a_link() -> None:
    value = Measured(measured("1").comparator, number("1"), UnitGiven(EVIL))
    evil = replace(
        result(),
        value=value,
        ref=ResourceRef(f"Observation/{EVIL}", EVIL),
        laboratory=EVIL,
        specimen=SpecimenGiven(),
    )
    readable = replace(evil, value=measured("250 pt/mL"))
    for given in (evil, readable):
        whole = record(
            given,
            history=(replace(result(on="2026-01-01"), laboratory=EVIL),),
            entries=(replace(entry("SUN", RecordKind.MEDICATION), ref=ResourceRef(EVIL)),),
        )
        only = card(whole)
        page = as_html(only.detail)
        assert tags(page) <= {"p", "strong", "ul", "ol", "li", "a"}
        assert targets(page) == {"https://doi.org/10.5555/toy.2020"}
        assert not set("\u202e\u200b\n") & set(only.summary)
        assert not set("\u202e\u200b") & set(only.detail)
