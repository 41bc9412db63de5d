"""The facts of one result, as they are settled from a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.core.elements import Measured
from cds_service.core.fact import Fact
from cds_service.core.facts.result import Facts, facts_of
from cds_service.core.facts.situation import Literature, Situation
from cds_service.core.model import LabResult, PatientRecord
from cds_service.core.quantity import UnitUnderstood, quantity
from cds_service.core.results.reading import shown
from cds_service.core.verdict import Unpaired
from tests import toy
from tests.records import AT, measured, record, result

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
