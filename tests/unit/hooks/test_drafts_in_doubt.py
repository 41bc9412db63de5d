"""One id with two contents: each is told, and nothing is offered (decision 116)."""

from __future__ import annotations

import pytest

from cds_service.core.json_object import JsonObject
from tests.unit.hooks.ordering import ANY, CSF, IL2, LOINC, SERUM, actions, answered, draft, said

OTHER_CONTENT = "Another draft with other content came under the id of this one"


def test_of_two_contents_of_a_draft_each_is_told_and_none_is_removed() -> None:
    """Nothing tells which of the two is the newer: whoever removes the one removes both."""
    found = answered(draft(IL2), draft(ANY))
    assert said(found) == ["wrong-analyte", "order-advice"]
    assert actions(found) == []
    assert all(OTHER_CONTENT in card.detail for card in found.cards)
    both = answered(
        draft(CSF), draft(code={"coding": [{"system": LOINC, "code": [IL2]}]}), draft(IL2)
    )
    assert [OTHER_CONTENT in card.detail for card in both.cards] == [True, False, True]
    assert said(both) == ["wrong-analyte", "fhir-invalid", "order-advice"]
    assert actions(both) == []


@pytest.mark.parametrize(
    "other",
    [
        draft(note=[{"text": "as discussed"}]),
        draft(code={"text": "MRI of the head"}),
        draft(status="revoked"),
        draft(code=None),
    ],
    ids=["a note", "another test", "revoked", "nothing is ordered"],
)
def test_a_draft_is_in_doubt_whatever_its_other_content_is(other: JsonObject) -> None:
    for drafts in ([draft(), other], [other, draft()]):
        found = answered(*drafts)
        assert said(found) == ["wrong-analyte"]
        assert OTHER_CONTENT in found.cards[0].detail
        assert actions(found) == []


def test_what_only_its_meta_tells_apart_is_one_draft_and_can_be_replaced() -> None:
    """Versions that are no numbers put nothing in order."""
    versions = [draft(meta={"versionId": version}) for version in ("a", "b")]
    for drafts in (versions, versions[::-1], [draft(), versions[1]]):
        found = answered(*drafts)
        assert [action["type"] for action in actions(found)] == ["delete", "create"]
        assert found.cards[0].extension["inputs"][0]["version"] == "b"
        assert OTHER_CONTENT not in found.cards[0].detail


def test_the_order_of_the_codes_makes_no_other_draft() -> None:
    both = [{"system": LOINC, "code": code} for code in ("4651-6", IL2)]
    drafts = [draft(code={"coding": codes}) for codes in (both, both[::-1])]
    found = answered(*drafts)
    assert [action["type"] for action in actions(found)] == ["delete", "create"]
    assert answered(*drafts[::-1]).as_json() == found.as_json() == answered(drafts[0]).as_json()


def test_a_draft_in_doubt_completes_no_pair_and_replaces_nothing() -> None:
    """It may have been changed into something else since."""
    doubtful = [draft(SERUM, "2"), draft("718-7", "2")]
    beside = answered(draft(CSF), *doubtful)
    (card,) = beside.cards
    assert card.suggestions[0]["label"] == "sIL-2R in serum, same day"
    assert [action["type"] for action in actions(answered(draft(IL2), *doubtful))] == [
        "delete",
        "create",
    ]


def test_another_patient_s_draft_under_the_same_id_is_not_shown() -> None:
    foreign = draft(ANY, subject={"reference": "Patient/q"})
    found = answered(draft(IL2), foreign)
    assert said(found) == ["wrong-analyte"]
    alone = answered(foreign, {**foreign, "priority": "urgent"})
    assert said(alone) == ["subject-mismatch"]
    assert OTHER_CONTENT not in alone.cards[0].detail
