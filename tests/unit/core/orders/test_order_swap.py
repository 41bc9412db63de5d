"""What may be ordered in the place of interleukin 2, where its receptor was meant (TR-25)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.core.elements import Coding, ResourceRef, SpecimenGiven, SpecimenLink
from cds_service.core.knowledge import LOINC
from cds_service.core.note import NoteKind
from cds_service.core.orders.order import DraftOrder
from cds_service.core.orders.swap import AlreadyDrafted, NoSwap, Swap
from cds_service.core.schema import OrderCode
from cds_service.core.verdict import WrongAnalyte
from tests.packaged import SIL2R
from tests.unit.core.orders.ordering import (
    ANY,
    CSF,
    FERRITIN,
    IL2_CSF,
    IL2_FLUID,
    IL2_MASS,
    IL2_UNITS,
    SERUM,
    advice_on,
    ids,
    in_specimen,
    order,
)


def swapped(draft: DraftOrder, **more: Any) -> list[tuple[str, str]]:
    """The codes that stand in the place of the draft's."""
    swap = advice_on(draft, **more).swap
    assert isinstance(swap, Swap)
    return [(coding.system, coding.code) for coding in swap.codings]


@pytest.mark.parametrize(
    ("refused", "accepted"), [(IL2_MASS, "76039-7"), (IL2_UNITS, "9654-5"), (IL2_CSF, "99768-4")]
)
def test_interleukin_2_is_swapped_for_the_receptor_of_the_same_specimen_and_property(
    refused: str, accepted: str
) -> None:
    advice = advice_on(order(refused))
    assert advice.verdict == WrongAnalyte(refused)
    assert ids(advice) == ["order-wrong-analyte"]
    assert isinstance(advice.swap, Swap)
    assert [(c.system, c.code) for c in advice.swap.codings] == [(LOINC, accepted)]
    assert "soluble interleukin 2 receptor (sIL-2R)" in advice.swap.text
    old, new = SIL2R.refused[refused].name, SIL2R.accepted[accepted].name
    assert old.split(" [")[1] == new.split(" [")[1], "property and specimen are the same"


def test_interleukin_2_in_a_body_fluid_is_swapped_in_words_alone() -> None:
    swap = advice_on(order(IL2_FLUID)).swap
    assert swap == Swap((), SIL2R.identity.analyte)


@pytest.mark.parametrize("fluids", [("CSF",), ("UR",), ("SER", "CSF")])
def test_a_draft_that_names_another_specimen_than_its_code_gets_no_code_guessed(
    fluids: tuple[str, ...],
) -> None:
    """Beside urine the code for serum would have been one more contradiction."""
    draft = order(IL2_MASS, specimen=in_specimen(*fluids))
    same = order(SERUM, place=1, specimen=draft.specimen)
    for beside in ((), (same,)):
        assert advice_on(draft, beside=beside).swap == Swap((), SIL2R.identity.analyte)


def test_a_draft_that_names_the_specimen_of_its_code_gets_the_code() -> None:
    unread = SpecimenGiven(SpecimenLink.UNRESOLVED)
    assert swapped(order(IL2_MASS, specimen=unread)) == [(LOINC, "76039-7")]
    assert swapped(order(IL2_MASS, specimen=in_specimen("SER"))) == [(LOINC, "76039-7")]


NO_ID = ResourceRef("ServiceRequest")
IN_CSF = in_specimen("CSF")


@pytest.mark.parametrize(
    ("look_alike", "beside", "is_drafted"),
    [
        (order(IL2_MASS), order(SERUM, place=1), True),
        (order(IL2_MASS), order(CSF, place=1), False),
        (order(IL2_MASS, specimen=IN_CSF), order(CSF, place=1), True),
        (order(IL2_MASS, specimen=IN_CSF), order(SERUM, place=1), False),
        (order(IL2_MASS, ref=NO_ID), order(SERUM, place=1, ref=NO_ID), True),
    ],
    ids=[
        "serum, and the receptor in serum",
        "serum, and the receptor in CSF",
        "it names CSF, and the receptor in CSF",
        "it names CSF, and the receptor in serum",
        "both without an id",
    ],
)
def test_the_receptor_is_not_offered_twice_in_the_specimen_that_is_meant(
    look_alike: DraftOrder, beside: DraftOrder, *, is_drafted: bool
) -> None:
    swap = advice_on(look_alike, beside=(beside,)).swap
    assert isinstance(swap, AlreadyDrafted) is is_drafted
    assert isinstance(swap, Swap) is not is_drafted


@pytest.mark.parametrize(
    ("codes", "swap"),
    [
        ((IL2_MASS, IL2_UNITS), Swap((), SIL2R.suggestions["sil2r-blood"].text)),
        ((IL2_MASS, IL2_CSF), Swap((), SIL2R.identity.analyte)),
        ((IL2_CSF, IL2_FLUID), Swap((), SIL2R.identity.analyte)),
        ((IL2_MASS, FERRITIN), NoSwap()),
    ],
    ids=["two properties", "two specimens", "CSF or another fluid", "another test"],
)
def test_what_the_codes_of_a_look_alike_leave_open_is_not_settled_by_their_order(
    codes: tuple[str, str], swap: Swap | NoSwap
) -> None:
    assert advice_on(order(*codes)).swap == advice_on(order(*codes[::-1])).swap == swap


def test_the_site_s_own_ordering_code_stands_for_either_property() -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="SIL2R-S", display="sIL-2R serum")
    knowledge = replace(SIL2R, orders={"sil2r-blood": site})
    assert swapped(order(IL2_MASS, IL2_UNITS), knowledge=knowledge) == [(site.system, site.code)]


@pytest.mark.parametrize("codes", [(IL2_MASS,), (IL2_MASS, SERUM), (ANY,)])
def test_a_draft_in_doubt_says_so_and_is_not_swapped(codes: tuple[str, ...]) -> None:
    advice = advice_on(order(*codes, in_doubt=True))
    assert advice.swap == NoSwap()
    assert [note.kind for note in advice.notes] == [NoteKind.OTHER_DRAFT]
    assert advice_on(order(*codes)).notes == ()


def test_the_site_s_own_ordering_code_stands_alone_since_the_site_knows_its_unit() -> None:
    site = OrderCode(system="urn:oid:2.999.2", code="SIL2R-S", display="sIL-2R serum")
    knowledge = replace(SIL2R, orders={"sil2r-blood": site})
    swap = advice_on(order(IL2_MASS), knowledge=knowledge).swap
    assert isinstance(swap, Swap)
    assert swap.codings == (Coding("urn:oid:2.999.2", "SIL2R-S", "sIL-2R serum"),)
    assert swapped(order(IL2_CSF), knowledge=knowledge) == [(LOINC, "99768-4")]
