"""Companion results whose codes or specimen leave in doubt what was measured, or in whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.core.elements import Coding, SpecimenGiven, SpecimenLink, Status
from cds_service.core.knowledge import LOINC
from cds_service.core.model import LabResult
from tests import records
from tests.safety.results import CSF, LOCAL_SPECIMEN, SERUM, URINE
from tests.unit.cards.given import (
    CODES,
    CSF_MASS,
    LABCORP,
    URGENT,
    card,
    card_of,
    drawn,
    named,
    result,
)

LEFT = "could not be used, because of their codes or their specimen: "
UNFIT = replace(SERUM, link=SpecimenLink.UNSATISFACTORY)
ELSES = SpecimenGiven(SpecimenLink.OF_ANOTHER_PATIENT)
WITHDRAWN = SpecimenGiven(SpecimenLink.ENTERED_IN_ERROR)
INVALID_CSF = replace(CSF, link=SpecimenLink.INVALID)


def ferritin(specimen: SpecimenGiven, *, more: str = "") -> LabResult:
    """Ferritin far above its limit, with a further code if there is `more`."""
    (found,) = drawn("ferritin 50000 ng/mL")
    codings = (*found.codings, *([Coding(LOINC, more)] if more else []))
    return replace(found, specimen=specimen, codings=codings)


@pytest.mark.parametrize(
    "doubtful",
    [
        *(ferritin(one) for one in (CSF, URINE, UNFIT, ELSES, WITHDRAWN, INVALID_CSF)),
        ferritin(SERUM, more=CODES["platelets"]),
    ],
    ids=["csf", "urine", "unfit", "another's", "withdrawn", "invalid, of CSF", "two codes"],
)
def test_what_may_not_be_the_test_or_the_patient_counts_for_no_item_and_is_named(
    doubtful: LabResult,
) -> None:
    """Ferritin of CSF met an item of HLH-2004, whose limit is one of blood."""
    told = card("5230 U/mL", ranges=LABCORP, companions=(doubtful, *drawn("fibrinogen 3 g/L")))
    assert "Ferritin at or above 500 ng/mL: unknown" in told.detail
    assert f"{LEFT}ferritin 50000 ng/mL" in told.detail
    assert "ferritin" in told.extension["missing"]
    assert {"resource": "Observation/ferritin", "version": "1"} in told.extension["inputs"]


@pytest.mark.parametrize(
    "sound",
    [
        ferritin(SERUM),
        ferritin(SpecimenGiven()),
        ferritin(SpecimenGiven(SpecimenLink.UNRESOLVED)),
        ferritin(LOCAL_SPECIMEN),
        ferritin(SERUM, more="20567-4"),
        ferritin(SERUM, more="11580-8"),
    ],
    ids=["serum", "none", "not sent", "a local code", "a code of the same test", "one unknown"],
)
def test_what_contradicts_nothing_counts(sound: LabResult) -> None:
    told = card("5230 U/mL", companions=(sound,)).detail
    assert "Ferritin at or above 500 ng/mL: met (ferritin 50000 ng/mL" in told
    assert LEFT not in told


def test_beside_a_doubtful_result_a_sound_one_counts() -> None:
    nearer = ferritin(CSF)
    (sound,) = drawn("ferritin 480 ng/mL", on="2026-02-27")
    told = card("5230 U/mL", companions=(nearer, sound)).detail
    assert "not met (ferritin 480 ng/mL of 2026-02-27)" in told
    assert f"{LEFT}ferritin 50000 ng/mL" in told


def test_a_doubtful_result_that_may_be_the_second_item_says_when_to_call() -> None:
    counts = drawn("platelets 20 10*9/L", "haemoglobin 70 g/L")
    told = card("600 U/mL", ranges=LABCORP, companions=(ferritin(UNFIT), *counts)).detail
    assert URGENT in told


def test_a_preliminary_result_of_a_doubtful_sample_is_named_once() -> None:
    waiting = replace(ferritin(CSF), status=Status.PRELIMINARY)
    assert card("5230 U/mL", companions=(waiting,)).detail.count("ferritin 50000 ng/mL") == 1


def test_albumin_of_the_wrong_specimen_makes_no_index() -> None:
    """Both albumins are of one specimen, so that their quotient says nothing of the barrier."""
    csf, serum = result("212 pg/mL", CSF_MASS), named("serum", "900 pg/mL", "76039-7")
    in_csf, in_serum = drawn("albumin-csf 200 mg/L", "albumin-serum 40 g/L")
    for wrong, said in ((replace(in_serum, specimen=CSF), False), (in_serum, True)):
        record = records.record(csf, history=(serum,), companions=(in_csf, wrong))
        assert ("an albumin of the pair is missing" not in card_of(record).detail) is said
