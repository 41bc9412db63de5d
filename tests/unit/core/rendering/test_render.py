"""What a card says of a result: its summary, and its detail from heading to heading."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.card import Indicator
from cds_service.core.elements import Status, UnitGiven
from cds_service.core.knowledge import KnowledgeBase
from cds_service.core.render import render
from tests import toy
from tests.records import (
    AT,
    born,
    companions,
    entry,
    evaluated,
    measured,
    named,
    number,
    record,
    result,
    specimen,
)
from tests.unit.core.rendering.rendering import RANGE, TOY, card


def section(detail: str, heading: str) -> str:
    """The body under a heading, empty if it is not there."""
    for block, body in zip(blocks := detail.split("\n\n"), [*blocks[1:], ""], strict=True):
        if block == f"**{heading}**":
            return body
    return ""


# ------------------------------------------------------------------ summary


def test_the_summary_names_value_unit_and_specimen_before_any_claim() -> None:
    summary = card(result("<=150.10 pg/mL", toy.DEW_MASS)).summary
    assert summary.startswith("Toyin <=150.10 pg/mL (morning dew): ")


def test_the_finding_of_the_highest_rank_speaks_in_the_summary() -> None:
    assert card(result("1500 pt/mL", ranges=RANGE)).summary.endswith(": sap-very-high it is")
    assert card(result("250 pt/mL", ranges=RANGE)).summary.endswith(": sap-high it is")
    assert card(result("50 pt/mL", ranges=RANGE)).summary.endswith(": sap-not-high it is")


def test_what_cannot_be_told_speaks_where_nothing_else_does() -> None:
    said = card(result(">50 pt/mL", ranges=RANGE)).summary
    assert said.endswith(": threshold-indeterminate it is")


def test_where_the_site_has_muted_every_finding_the_summary_claims_nothing() -> None:
    muted = [row.id for row in TOY.findings]
    policy = TOY.policy.model_copy(update={"muted_findings": tuple(muted)})
    said = card(result("250 pt/mL"), replace(TOY, policy=policy))
    assert said.summary == "Toyin 250 pt/mL (sap)"
    assert said.indicator is Indicator.INFO


def test_a_card_that_cannot_interpret_says_why_in_its_summary() -> None:
    assert card(result("250")).summary == "Toyin 250 (sap): unit-missing"


def test_a_look_alike_is_called_by_its_own_name() -> None:
    said = card(named("r", "5 pg/mL", toy.LOOK_ALIKE))
    assert said.summary == "Toyotin (5 pg/mL): no toyin"
    assert said.detail.startswith("**Toyotin: 5 pg/mL**")


def test_a_summary_is_never_longer_than_139_characters() -> None:
    value = replace(measured("1 mg"), number=number("9" * 500), unit=UnitGiven("m" * 500))
    said = card(replace(result(), value=value)).summary
    assert len(said) <= 139
    assert said.startswith("Toyin 99")
    assert "…" in said


# ------------------------------------------------------------------ detail


def test_the_detail_says_finding_and_what_it_does_not_mean() -> None:
    detail = card(result("250 pt/mL", ranges=RANGE)).detail
    assert "250 pt/mL in sap against 100 pt/mL." in section(detail, "Says")
    assert "2.8 times the limit of 20 to 90 pt/mL." in section(detail, "Says")
    assert section(detail, "Does not mean") == (
        "- Is not sap-high.\n- Is not above-laboratory-limit."
    )


def with_words(name: str, old: str, new: str) -> KnowledgeBase:
    """The toy with one passage of a template worded otherwise."""
    return toy.read(toy.edited(f"toy/templates/{name}.md", old, new))


def test_a_placeholder_is_filled_in_whatever_section_of_its_template_it_stands() -> None:
    spoken = card(result("250 pt/mL"), with_words("sap-high", "Is not sap-high", "Of {specimen}"))
    assert "- Of sap." in section(spoken.detail, "Does not mean")
    reason = "reason-unit-missing"
    led = card(
        result("250"), with_words(reason, "## headline\n\nunit-missing", "## headline\n\n{value}?")
    )
    assert led.summary == "Toyin 250 (sap): 250?"
    asked = card(result("250"), with_words(reason, "Ask.", "Ask for the unit of {value}."))
    assert section(asked.detail, "Next") == "- Ask for the unit of 250."


def test_the_first_line_is_the_result_as_it_was_received() -> None:
    given = result("<250.0 pt/mL", ranges=RANGE, status=Status.CORRECTED)
    first = card(given).detail.split("\n\n")[0]
    assert first == (
        "**toyin: &lt;250.0 pt/mL**; specimen sap; collected 2026-03-01; status corrected; "
        "range 20 to 90 pt/mL; laboratory Laboratory A."
    )


def test_a_weakened_finding_speaks_weakly() -> None:
    detail = card(record(result("250 pt/mL"), entries=(entry("M10"),))).detail
    assert "Weakly sap-high." in section(detail, "Says")
    assert "against 100" not in detail
    assert "Says context-mould." in section(detail, "Context")


def test_what_was_used_is_listed_with_version_and_date() -> None:
    given = record(
        result("250 pt/mL", ranges=RANGE),
        companions=companions("ferritin 600 ng/mL", on="2026-02-28"),
        entries=(replace(entry("M10"), since=named("x", "1 pt/mL").collected),),
    )
    assert section(card(given).detail, "Used") == (
        "Observation/r (version 1, 2026-03-01); Condition/m10 (2026-03-01); "
        "Observation/ferritin (version 1, 2026-02-28)"
    )


def test_earlier_results_that_the_card_shows_were_used_and_those_it_only_counts_were_not() -> None:
    earlier = [named(f"day-{n}", f"{n} pt/mL", on=f"2026-02-{n:02}") for n in range(1, 9)]
    only = card(record(result("250 pt/mL"), history=tuple(earlier)))
    shown = [f"Observation/day-{n}" for n in (8, 7, 6, 5, 4, 3)]
    assert [used["resource"] for used in only.extension["inputs"]] == ["Observation/r", *shown]
    used = section(only.detail, "Used")
    assert "Observation/day-8 (version 1, 2026-02-08)" in used
    assert "Observation/day-2" not in used
    assert "2 more" in only.detail


def test_a_card_that_cannot_read_the_newest_result_used_the_earlier_ones_it_shows() -> None:
    earlier = named("before", "100 pt/mL", on="2026-02-01")
    only = card(record(result("250 rubbish"), history=(earlier,)))
    assert section(only.detail, "Used") == (
        "Observation/r (version 1, 2026-03-01); Observation/before (version 1, 2026-02-01)"
    )


@pytest.mark.parametrize(("birth", "is_used"), [("2015-01-01", True), ("1980-01-01", False)])
def test_the_patient_was_used_where_a_statement_rests_on_the_birth_date(
    birth: str, is_used: bool
) -> None:
    only = card(record(result("250 pt/mL"), patient=born(birth)))
    assert ("context-seedling" in only.extension["findings"]) is is_used
    assert ({"resource": "Patient/p"} in only.extension["inputs"]) is is_used
    assert ("Patient/p" in section(only.detail, "Used")) is is_used


def test_what_was_missing_is_listed_in_words() -> None:
    detail = card(record(result("1500 pt/mL"), patient=record().patient)).detail
    assert "laboratory-limit" in section(detail, "Missing")


def test_a_panel_lists_each_item_and_what_it_rests_on() -> None:
    given = record(result("250 pt/mL", ranges=RANGE), companions=companions("ferritin 600 ng/mL"))
    said = section(card(given).detail, "Says")
    assert "Ferritin at or above 500 ng/mL: met (ferritin 600 ng/mL of 2026-03-01)" in said
    assert "Two of three cell lines: not known" in said


def test_a_pair_names_the_other_value_specimen_and_date_and_the_index() -> None:
    given = record(
        named("dew", "100 pg/mL", toy.DEW_MASS),
        history=(named("sap", "1000.0 pg/mL", toy.SAP_MASS, on="2026-03-02"),),
        companions=companions("albumin-csf 0.2 g/L", "albumin-serum 40 g/L"),
    )
    said = section(card(given).detail, "Says")
    assert "Beside 1000.0 pg/mL (sap, 2026-03-02), index 20.00." in said


def test_earlier_results_stand_with_date_value_laboratory_and_direction() -> None:
    given = record(
        named("r3", "300 pt/mL", on="2026-03-01"),
        history=(
            named("r2", "200 pt/mL", on="2026-02-01"),
            named("r1", "100 pt/mL", on="2026-01-01", laboratory="Laboratory B"),
        ),
    )
    assert section(card(given).detail, "Earlier") == (
        "- 2026-02-01: 200 pt/mL, Laboratory A; then rose\n"
        "- 2026-01-01: 100 pt/mL, Laboratory B; not comparable (laboratory changed)"
    )


@pytest.mark.parametrize(("earlier", "told"), [(9, "- 3 more"), (7, "- 1 more")])
def test_a_long_series_is_cut_and_says_so(earlier: int, told: str) -> None:
    days = range(1, earlier + 1)
    history = tuple(named(f"r{n}", f"{n} pt/mL", on=f"2026-01-{n:02}") for n in days)
    lines = section(card(record(result(), history=history)).detail, "Earlier").split("\n")
    assert len(lines) == 7
    assert lines[-1] == told


def test_a_series_that_fits_is_shown_whole_and_names_a_laboratory_only_where_there_is_one() -> None:
    history = tuple(
        named(f"r{n}", f"{n} pt/mL", on=f"2026-01-0{n}", laboratory="") for n in range(1, 7)
    )
    lines = section(card(record(result(), history=history)).detail, "Earlier").split("\n")
    assert len(lines) == 6
    assert lines[-1].startswith("- 2026-01-01: 1 pt/mL; ")


def test_an_interpreted_result_of_a_specimen_given_by_code_says_the_specimen() -> None:
    said = card(named("r", "60 pg/mL", toy.ANY_MASS, specimen=specimen("DEW")))
    assert "(morning dew)" in said.summary


def test_no_answer_gives_no_card() -> None:
    assert render(evaluated(record(), TOY, AT), TOY, scope="s") == ()
