"""Facts about companion results: met, not met, or unknown, and counted in panels."""

from __future__ import annotations

import pytest

from cds_service.core.model import Availability, PatientRecord
from tests import toy
from tests.records import LOOKED_FOR, companions, record, result
from tests.unit.core.facts.settling import facts

TOY = toy.knowledge()


def with_companions(*values: str) -> PatientRecord:
    """A record of one result, with `ferritin 600 ng/mL` beside it."""
    return record(result(), companions=companions(*values))


def panel(value: str, *values: str) -> tuple[str, dict[str, str]]:
    """Value of the panel fact, and item -> met, not-met or unknown."""
    fact = facts(value, given=with_companions(*values))["panel.toy-items"]
    items = dict(item.split(" ", 1) for item in fact.because.split(", ")) if fact.inputs else {}
    return fact.value, items


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
