"""Facts: each has a closed domain, is `unknown` where the data do not settle it, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cds_service.core.elements import Measured
from cds_service.core.fact import Fact
from cds_service.core.facts import Facts, fact_domains, facts_of
from cds_service.core.model import Availability, LabResult, PatientRecord
from cds_service.core.quantity import UnitUnderstood, quantity
from cds_service.core.reading import shown
from cds_service.core.situation import Literature, Situation
from cds_service.core.verdict import Unpaired
from tests import toy
from tests.records import (
    AT,
    LOOKED_FOR,
    NOBODY,
    born,
    companions,
    entry,
    measured,
    record,
    result,
    within,
)

TOY = toy.knowledge()


def facts(
    value: str = "250 pt/mL",
    given: PatientRecord | None = None,
    specimen: str = "sap",
    literature: Literature = Literature.APPLIES,
    **changes: Any,
) -> Mapping[str, Fact]:
    """All facts about one result of the toy."""
    return settled(value, given, specimen, literature, **changes).by_name


def settled(
    value: str = "250 pt/mL",
    given: PatientRecord | None = None,
    specimen: str = "sap",
    literature: Literature = Literature.APPLIES,
    **changes: Any,
) -> Facts:
    """The same, with which of them the result and its record settle."""
    main: LabResult = result(value, **changes)
    unit = TOY.units.read(measured(value).unit)
    assert isinstance(main.value, Measured)
    assert isinstance(unit, UnitUnderstood)
    situation = Situation(
        TOY,
        given or record(main),
        main,
        specimen,
        shown(main.value, unit),
        quantity(main.value, unit),
        literature,
        AT,
        Unpaired(),
    )
    return facts_of(situation)


def with_companions(*values: str) -> PatientRecord:
    return record(result(), companions=companions(*values))


# ------------------------------------------------------------------ domains


def test_every_fact_has_a_value_of_its_domain_and_no_other_fact_exists() -> None:
    found = facts(ranges=(within("20", "90"),))
    domains = fact_domains(TOY)
    assert set(found) == set(domains)
    assert {name for name, fact in found.items() if fact.value not in domains[name]} == set()


@pytest.mark.parametrize(
    "given",
    [
        record(result()),
        record(result(), companions=companions("ferritin 600 ng/mL"), entries=(entry("M10"),)),
        record(result(), companions=companions("triglycerides 265 mg/dL")),
    ],
)
def test_the_usual_facts_were_read_from_nothing_and_none_stays_open(given: PatientRecord) -> None:
    found = settled(given=given, ranges=(within("20", "90"),))
    assert {name for name, fact in found.usual.by_name.items() if fact.inputs} == set()
    assert {name for name, fact in found.by_name.items() if fact.name != name} == set()


def test_every_fact_says_why() -> None:
    assert [fact.name for fact in facts().values() if not fact.because] == []


MOULDY = record(result(), entries=(entry("M10"),))


@pytest.mark.parametrize(
    ("settling", "name", "because"),
    [
        ({}, "unit-family", "pt/mL is a unit of the points family"),
        ({}, "laboratory-range", "the result carries no reference range that can be applied"),
        (
            {"ranges": (within("20", "90"),)},
            "laboratory-range",
            "the laboratory's range is 20 to 90 pt/mL",
        ),
        ({}, "panel.toy-items", "no companion result is known"),
        (
            {"specimen": "dew"},
            "panel.toy-items",
            "the panel is for another specimen or unit family",
        ),
        (
            {"literature": Literature.BARRED},
            "panel.toy-items",
            "unit and LOINC code contradict each other",
        ),
        ({"given": record(patient=born(""))}, "age.adult", "the age at collection is not known"),
        ({}, "condition.mould", "mould is not coded in the record"),
        ({"given": MOULDY}, "condition.mould", "mould is coded in the record"),
        (
            {"given": MOULDY},
            "condition.fine-mould",
            "'mould' is coded, which does not tell fine mould",
        ),
        ({}, "pair", "no result of the other specimen that can be paired lies within the window"),
    ],
)
def test_the_words_for_why_are_for_a_reader(
    settling: dict[str, Any], name: str, because: str
) -> None:
    """`explain` shows them beside the value."""
    fact = facts(**settling)[name]
    assert (fact.name, fact.because) == (name, because)


def test_specimen_and_unit_family_are_facts() -> None:
    assert facts()["specimen"].value == "sap"
    assert facts()["unit-family"].value == "points"


# ------------------------------------------------------------------ limits of the analyte itself


@pytest.mark.parametrize(
    ("value", "at_or_above_100", "above_1000"),
    [
        ("99.99 pt/mL", "not-met", "not-met"),
        ("100 pt/mL", "met", "not-met"),
        ("1000 dpt/mL", "met", "not-met"),
        ("1000 pt/mL", "met", "not-met"),
        ("1000.1 pt/mL", "met", "met"),
        (">500 pt/mL", "met", "straddles"),
        ("<100 pt/mL", "not-met", "not-met"),
        ("<=100 pt/mL", "straddles", "not-met"),
        ("1000 pg/mL", "not-applicable", "not-applicable"),
    ],
)
def test_a_limit_is_held_against_its_own_family_only(
    value: str, at_or_above_100: str, above_1000: str
) -> None:
    found = facts(value)
    assert found["limit.sap-100"].value == at_or_above_100
    assert found["limit.sap-1000"].value == above_1000


def test_a_limit_of_one_specimen_is_never_held_against_another() -> None:
    assert facts("1000 pg/mL", specimen="dew")["limit.dew-50"].value == "met"
    assert facts("1000 pg/mL", specimen="sap")["limit.dew-50"].value == "not-applicable"
    assert facts("1000 pt/mL", specimen="dew")["limit.sap-100"].value == "not-applicable"


def test_where_unit_and_code_contradict_each_other_no_limit_of_a_study_applies() -> None:
    found = facts("1000 pt/mL", literature=Literature.BARRED)
    own = [found[f"limit.{name}"] for name, limit in TOY.limits.items() if limit.of == "toy"]
    assert {fact.value for fact in own} == {"not-applicable"}
    assert "unit and LOINC code contradict each other" in {fact.because for fact in own}
    assert found["panel.toy-items"].value == "not-applicable"


# ------------------------------------------------------------------ the laboratory's own range


def test_an_absent_range_is_none_and_names_what_is_missing() -> None:
    fact = facts()["laboratory-range"]
    assert (fact.value, fact.missing) == ("none", ("laboratory-limit",))


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ("95 pt/mL", "above"),
        ("50 pt/mL", "within"),
        ("5 pt/mL", "below"),
        ("<50 pt/mL", "straddles"),
    ],
)
def test_the_place_in_the_range_is_a_fact(value: str, where: str) -> None:
    assert facts(value, ranges=(within("20", "90"),))["laboratory-range"].value == where


# ------------------------------------------------------------------ age


@pytest.mark.parametrize(
    ("birth", "adult", "missing"),
    [
        ("2008-03-01", "yes", ()),
        ("2008-03-02", "no", ()),
        ("2008", "unknown", ("birth-date",)),
        ("2007", "yes", ()),
        ("", "unknown", ("birth-date",)),
        ("2026-03-02", "unknown", ("birth-date",)),
    ],
)
def test_t65_age_counts_at_collection_and_only_as_far_as_it_is_proved(
    birth: str, adult: str, missing: tuple[str, ...]
) -> None:
    fact = facts(given=record(result(), patient=born(birth)))["age.adult"]
    assert (fact.value, fact.missing) == (adult, missing)


@pytest.mark.parametrize(
    ("birth", "words"), [("1986-03-01", "40 completed years"), ("2008", "17 to 18 completed years")]
)
def test_the_age_is_told_as_far_as_it_is_proved(birth: str, words: str) -> None:
    fact = facts(given=record(result(), patient=born(birth)))["age.adult"]
    assert fact.because == f"{words} at collection"


@pytest.mark.parametrize(
    ("birth", "missing"), [("2008-03-02", ()), ("2008", ("birth-date",)), ("", ("birth-date",))]
)
def test_where_the_day_of_the_sample_is_open_only_an_open_birth_date_is_missing(
    birth: str, missing: tuple[str, ...]
) -> None:
    """Drawn some day in March 2026: 17 or 18 years old."""
    given = record(result(), patient=born(birth))
    fact = facts(given=given, on="2026-03")["age.adult"]
    assert (fact.value, fact.missing) == ("unknown", missing)


def test_without_a_patient_the_patient_is_missing_not_the_birth_date() -> None:
    fact = facts(given=record(result(), patient=NOBODY))["age.adult"]
    assert (fact.value, fact.missing) == ("unknown", ("patient",))


# ------------------------------------------------------------------ companions and the panel


@pytest.mark.parametrize(
    ("value", "mass_limit", "mole_limit"),
    [
        ("265 mg/dL", "met", "not-applicable"),
        ("264.9 mg/dL", "not-met", "not-applicable"),
        ("3.0 mmol/L", "not-applicable", "met"),
        ("2.99 mmol/L", "not-applicable", "not-met"),
        ("<300 mg/dL", "straddles", "not-applicable"),
    ],
)
def test_a_companion_meets_the_limit_of_its_own_family(
    value: str, mass_limit: str, mole_limit: str
) -> None:
    found = facts(given=with_companions(f"triglycerides {value}"))
    mass, mole = found["limit.triglycerides-265"], found["limit.triglycerides-3"]
    assert (mass.value, mole.value) == (mass_limit, mole_limit)
    not_held = mass if mass_limit == "not-applicable" else mole
    assert not_held.because == "triglycerides came in another unit family"


def test_ferritin_in_moles_leaves_its_limit_unknown_never_not_met() -> None:
    fact = facts(given=with_companions("ferritin 2000 pmol/L"))["limit.ferritin-500"]
    assert (fact.value, fact.missing) == ("unknown", ("ferritin",))


def test_a_companion_that_is_not_there_is_unknown_and_named() -> None:
    fact = facts()["limit.ferritin-500"]
    assert (fact.value, fact.missing) == ("unknown", ("ferritin",))


def test_companions_that_could_not_be_had_are_named_as_such_too() -> None:
    given = record(result(), availability={**LOOKED_FOR, "labs": Availability.MISSING})
    assert facts(given=given)["limit.ferritin-500"].missing == ("ferritin", "labs")


def panel(value: str, *values: str) -> tuple[str, dict[str, str]]:
    """Value of the panel fact, and item -> met, not-met or unknown."""
    fact = facts(value, given=with_companions(*values))["panel.toy-items"]
    items = dict(item.split(" ", 1) for item in fact.because.split(", ")) if fact.inputs else {}
    return fact.value, items


@pytest.mark.parametrize(
    ("cells", "cytopenia"),
    [
        (("haemoglobin 89 g/L", "platelets 99 10*9/L"), "met"),
        (("haemoglobin 89 g/L", "neutrophils 1.0 10*9/L"), "met"),
        (("haemoglobin 8.9 g/dL", "platelets 99 10*9/L", "neutrophils 3 10*9/L"), "met"),
        (("haemoglobin 89 g/L",), "unknown"),
        (("haemoglobin 89 g/L", "platelets 100 10*9/L"), "unknown"),
        (("haemoglobin 90 g/L", "platelets 100 10*9/L"), "not-met"),
        (("haemoglobin 90 g/L",), "unknown"),
        (("haemoglobin 89 g/L", "platelets 100 10*9/L", "neutrophils 1.1 10*9/L"), "not-met"),
        (("haemoglobin 90 g/L", "platelets <150 10*9/L", "neutrophils 1 10*9/L"), "unknown"),
    ],
)
def test_two_of_three_cell_lines_are_met_not_met_or_still_open(
    cells: tuple[str, ...], cytopenia: str
) -> None:
    assert panel("250 pt/mL", *cells)[1]["cytopenia"] == cytopenia


@pytest.mark.parametrize(
    ("value", "item"),
    [
        ("265 mg/dL", "met"),
        ("3.0 mmol/L", "met"),
        ("2.9 mmol/L", "not-met"),
        ("<3.5 mmol/L", "unknown"),
    ],
)
def test_either_family_can_meet_an_item(value: str, item: str) -> None:
    assert panel("250 pt/mL", f"triglycerides {value}")[1]["triglycerides"] == item


def test_a_panel_is_counted_as_soon_as_one_companion_is_known() -> None:
    assert panel("250 pt/mL") == ("unknown", {})
    assert panel("99 pt/mL", "ferritin 499 ng/mL") == (
        "counted",
        {
            "toyin": "not-met",
            "ferritin": "not-met",
            "triglycerides": "unknown",
            "cytopenia": "unknown",
        },
    )


def test_a_panel_names_what_it_could_not_count() -> None:
    fact = facts(given=with_companions("ferritin 600 ng/mL"))["panel.toy-items"]
    assert fact.missing == ("triglycerides", "haemoglobin", "platelets", "neutrophils")


@pytest.mark.parametrize(("value", "specimen"), [("250 pg/mL", "sap"), ("250 pt/mL", "dew")])
def test_a_panel_is_for_its_own_specimen_and_family(value: str, specimen: str) -> None:
    given = with_companions("ferritin 600 ng/mL")
    assert facts(value, given, specimen)["panel.toy-items"].value == "not-applicable"
