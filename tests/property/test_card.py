"""A card keeps its limits whatever texts a FHIR server sends."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.core.card import Card
from cds_service.core.elements import (
    Coding,
    Comparator,
    Measured,
    NotNumeric,
    NoValue,
    ResourceRef,
    SpecimenGiven,
    SpecimenLink,
    Status,
    UnitGiven,
    ValueForm,
)
from cds_service.core.knowledge import LOINC
from cds_service.core.model import InvalidResource, LabResult, PatientRecord, Subject
from cds_service.core.quantity import UCUM
from cds_service.core.render import render
from tests.property.situations import SIL2R, Scene, backgrounds, scenes
from tests.reader import as_html, tags, targets
from tests.records import evaluated, moment, number

SOURCES = {f"https://doi.org/{row.doi}" for row in SIL2R.sources.values() if row.doi} | {
    f"https://pubmed.ncbi.nlm.nih.gov/{row.pmid}/" for row in SIL2R.sources.values() if row.pmid
}
OUTCOMES = {"interpreted", "not-interpretable", "wrong-analyte"}

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=y>", "[x](https://evil.example)",
    "https://evil.example", "www.evil.example", "x@evil.example", "**x**", "`x", "|", "\n\n# x",
    "\u202e123", "\u200b", "\x00", "\ud800", "</p>", "{value}", "{", "&lt;b&gt;", "-->", "\\",
    "*" * 500, "a" * 500, "\n- x\n- y", "1. x", "~~x~~", "_" * 90, "![x](y)", "<!--",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(), max_size=150), st.sampled_from(["", "U/mL"])
)
number_texts = st.from_regex(
    r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,30})?([eE][+-]?[0-9])?", fullmatch=True
)
any_codes = st.sampled_from([*SIL2R.accepted, *SIL2R.refused, "9654-4"])


@st.composite
def units(draw: st.DrawFn) -> UnitGiven:
    return UnitGiven(draw(texts), draw(texts), draw(st.sampled_from([UCUM, "", "urn:x"])))


@st.composite
def any_values(draw: st.DrawFn) -> Measured | NoValue | NotNumeric:
    """A value of any kind, with any text in it."""
    measured = Measured(
        draw(st.sampled_from(list(Comparator))),
        number(draw(number_texts)),
        draw(units()),
        draw(st.sampled_from(list(ValueForm))),
    )
    values: list[Measured | NoValue | NotNumeric] = [
        measured,
        NoValue(draw(texts)),
        NotNumeric(draw(texts)),
    ]
    return draw(st.sampled_from(values))


@st.composite
def any_results(draw: st.DrawFn) -> LabResult:
    """A result whose every text is anybody's."""
    codings = [Coding(LOINC, draw(any_codes), draw(texts)), Coding(draw(texts), draw(texts))]
    scene = draw(scenes())
    good = scene.result(draw(st.decimals(0, 9999, places=1)))
    return replace(
        good,
        ref=ResourceRef(f"Observation/{draw(texts)}", draw(texts)),
        codings=draw(st.sampled_from([tuple(codings), tuple(codings[:1]), good.codings])),
        status=draw(st.sampled_from(list(Status))),
        value=draw(st.one_of(any_values(), st.just(good.value))),
        subject=draw(st.sampled_from(list(Subject))),
        specimen=draw(
            st.sampled_from(
                [
                    good.specimen,
                    SpecimenGiven(),
                    SpecimenGiven(SpecimenLink.RESOLVED, (Coding(draw(texts), draw(texts)),)),
                ]
            )
        ),
        collected=moment(draw(st.sampled_from(["2026", "2026-02", "2026-03-01", ""]))),
        laboratory=draw(texts),
        method=draw(texts),
    )


@st.composite
def any_records(draw: st.DrawFn) -> PatientRecord:
    """A patient with some results, some of them unreadable, all with anybody's texts."""
    results: list[LabResult | InvalidResource] = list(
        draw(st.lists(any_results(), min_size=1, max_size=3))
    )
    if draw(st.booleans()):
        results.append(InvalidResource(ResourceRef(draw(texts)), draw(texts), ()))
    return replace(
        draw(backgrounds()),
        results=tuple(results),
        history=tuple(draw(st.lists(any_results(), max_size=3))),
        carded_before=frozenset(
            r.ref.resource for r in results if isinstance(r, LabResult) and draw(st.booleans())
        ),
    )


def cards(given_record: PatientRecord) -> tuple[Card, ...]:
    return render(evaluated(given_record, SIL2R), SIL2R, scope="property")


def keeps_its_limits(card: Card) -> None:
    summary_keeps_its_limits(card.summary)
    page = as_html(card.detail)
    assert tags(page) <= {"p", "strong", "ul", "ol", "li", "a", "em"}
    assert targets(page) <= SOURCES
    assert not invisible(card.detail.replace("\n", ""))
    assert card.detail.endswith("silence is no all-clear.")
    assert card.indicator.value in {"info", "warning"}
    assert UUID(card.uuid).version == 5
    wire = card.as_json()
    assert not [key for key, value in wire.items() if value in (None, "", [], {})]
    assert {link["url"] for link in wire.get("links", [])} <= SOURCES
    assert all(link["type"] == "absolute" for link in wire.get("links", []))


def summary_keeps_its_limits(summary: str) -> None:
    assert 0 < len(summary) <= 139
    assert not invisible(summary)


def invisible(text: str) -> list[str]:
    return [char for char in text if unicodedata.category(char)[0] == "C"]


@given(any_records())
def test_a_card_keeps_its_limits_whatever_was_sent(given_record: PatientRecord) -> None:
    for card in cards(given_record):
        keeps_its_limits(card)
        said = card.as_json()["extension"]["org.sil2r-cds.evaluation"]
        assert said["outcome"] in OUTCOMES
        assert ("reason" in said) is (said["outcome"] == "not-interpretable")


@given(any_records())
def test_the_same_record_gives_the_same_bytes(given_record: PatientRecord) -> None:
    def wire() -> str:
        return json.dumps([card.as_json() for card in cards(given_record)])

    assert wire() == wire()


@given(any_records())
def test_every_result_has_an_answer_or_a_reason_why_there_is_none(
    given_record: PatientRecord,
) -> None:
    """Nothing is passed over in silence: what has no card of its own stands beside one, or is
    left aside with its reason.
    """
    evaluation = evaluated(given_record, SIL2R)
    assert evaluation.answers or evaluation.skipped


@given(scenes(), number_texts.filter(lambda text: len(text) <= 20))
@example(Scene("blood", "U", (), PatientRecord()), "150.10")
@example(Scene("csf", "mass", (), PatientRecord()), "1.5E2")
def test_t53_the_text_of_a_number_that_came_in_is_the_text_that_is_shown(
    scene: Scene, text: str
) -> None:
    result = scene.result(number(text).value)
    assert isinstance(result.value, Measured)
    value = replace(result.value, number=number(text))
    (card,) = cards(replace(scene.background, results=(replace(result, value=value),)))
    unit = scene.canonical
    assert card.summary.startswith(f"sIL-2R {text} {unit} (")
    assert f": {text} {unit}**" in card.detail.split("\n")[0]


@given(scenes(), st.decimals(0, 9999, places=1))
def test_the_summary_names_value_unit_and_specimen(scene: Scene, amount: object) -> None:
    text = f"{amount:f}"
    result = scene.result(number(text).value)
    (card,) = cards(replace(scene.background, results=(result,)))
    words = SIL2R.specimens[scene.specimen].words
    assert card.summary.startswith(f"sIL-2R {text} {scene.canonical} ({words}): ")
