"""The transaction that says an answer on a FHIR server, by what stands there already."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cds_service.fhir.calls.query import Search
from cds_service.fhir.write.back import (
    Existing,
    is_of_evaluation,
    ours,
    search_of,
    withdrawing,
    writing,
)
from cds_service.fhir.write.resources import (
    EVALUATION_SYSTEM,
    TAG_SYSTEM,
    Said,
    communication,
    detected_issue,
    evaluation_key,
    guidance_response,
    result_key,
)
from tests.unit.fhir.write.saying import RESULT, said

KEY = result_key("http://127.0.0.1/fhir", RESULT)
FIRST, SECOND = (evaluation_key(KEY, version, "sil2r@1", "secret") for version in "12")
SAID = said(version="1", result=KEY, evaluation=FIRST, based_on="")
CORRECTED = replace(SAID, version="2", evaluation=SECOND, replaces=FIRST)
BUILDERS = {
    "DetectedIssue": detected_issue,
    "GuidanceResponse": guidance_response,
    "Communication": communication,
}


def resources(said: Said, *kinds: str) -> list[Any]:
    return [BUILDERS[kind](said) for kind in kinds or ("DetectedIssue", "GuidanceResponse")]


def standing(said: Said, *kinds: str) -> Existing:
    """What a server has of an answer, under ids that it gave."""
    kept = resources(said, *kinds)
    return Existing({each["resourceType"]: [there(each)] for each in kept})


def there(resource: Any, **changes: Any) -> Any:
    """As a server keeps it: with an id, a version, and a tag and an identifier of its own."""
    kept = {**resource, "id": f"{resource['resourceType']}-1", **changes}
    tags = [{"system": "http://example.org/security", "code": "R"}, *kept["meta"]["tag"]]
    kept["identifier"] = [{"system": "http://example.org", "value": "7"}, *kept["identifier"]]
    return {**kept, "meta": {"versionId": "3", "tag": tags}}


def asked(bundle: Any) -> list[tuple[str, str]]:
    """The requests of a transaction, but the one for its provenance."""
    requests = [entry["request"] for entry in bundle["entry"]]
    return [(each["method"], each["url"]) for each in requests if each["url"] != "Provenance"]


def targets(bundle: Any) -> list[str]:
    """What its provenance is about."""
    (about,) = (
        entry["resource"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Provenance"
    )
    return [each["reference"] for each in about["target"]]


def test_what_was_written_is_searched_for_by_the_tag_of_its_result() -> None:
    tag = f"https%3A%2F%2Fsil2r-cds.org%2FCodeSystem%2Fresult-key%7C{KEY}"
    assert search_of("Flag", KEY) == Search("Flag", f"_tag={tag}&_count=50")


def test_what_was_never_said_is_made_and_its_provenance_names_what_is_made() -> None:
    made = writing(SAID, resources(SAID), Existing())
    assert asked(made) == [("POST", "DetectedIssue"), ("POST", "GuidanceResponse")]
    assert targets(made) == [entry["fullUrl"] for entry in made["entry"][:2]]
    assert len({entry["fullUrl"] for entry in made["entry"]}) == 3
    conditions = [entry["request"]["ifNoneExist"].rpartition("%7C")[2] for entry in made["entry"]]
    assert conditions == [KEY, KEY, FIRST]


def test_what_stands_already_is_left_alone() -> None:
    assert writing(SAID, resources(SAID), standing(SAID)) == {}


def test_a_correction_takes_the_place_of_what_stands_unless_somebody_changed_it() -> None:
    made = writing(CORRECTED, resources(CORRECTED), standing(SAID))
    places = ["DetectedIssue/DetectedIssue-1", "GuidanceResponse/GuidanceResponse-1"]
    assert asked(made) == [("PUT", place) for place in places]
    assert targets(made) == places
    for entry in made["entry"][:2]:
        assert entry["request"]["ifMatch"] == 'W/"3"'
        assert entry["resource"]["id"] in entry["request"]["url"]
        assert is_of_evaluation(entry["resource"], SECOND)
        assert set(entry["resource"]["meta"]) == {"tag"}, "the version is the server's to give"


def test_where_a_server_keeps_no_versions_none_is_insisted_on() -> None:
    (issue,) = resources(SAID, "DetectedIssue")
    unversioned = {**issue, "id": "DetectedIssue-1"}
    made = withdrawing(Existing({"DetectedIssue": [unversioned]}))
    assert made["entry"][0]["request"] == {"method": "PUT", "url": "DetectedIssue/DetectedIssue-1"}
    assert (made["resourceType"], made["type"]) == ("Bundle", "transaction")


def test_what_is_lacking_of_an_answer_is_made_and_its_provenance_names_all_of_it() -> None:
    made = writing(SAID, resources(SAID), standing(SAID, "DetectedIssue"))
    assert asked(made) == [("POST", "GuidanceResponse")]
    assert targets(made) == ["DetectedIssue/DetectedIssue-1", made["entry"][0]["fullUrl"]]


def test_what_was_taken_back_is_said_again_in_its_place() -> None:
    (issue,) = resources(SAID, "DetectedIssue")
    gone = Existing({"DetectedIssue": [there(issue, status="entered-in-error")]})
    assert asked(writing(SAID, [issue], gone)) == [("PUT", "DetectedIssue/DetectedIssue-1")]


def test_a_clinician_who_was_told_is_told_anew_of_a_correction_and_of_a_repeat_not() -> None:
    kinds, told = ("Communication",), standing(SAID, "Communication")
    assert writing(SAID, resources(SAID, *kinds), told) == {}
    anew = writing(CORRECTED, resources(CORRECTED, *kinds), told)
    assert asked(anew) == [("POST", "Communication")]
    assert anew["entry"][0]["request"]["ifNoneExist"].endswith(SECOND), "each is told once"


@pytest.mark.parametrize(
    ("subject", "stays"),
    [
        ({"reference": "Patient/p1"}, True),
        ({"reference": "https://ehr.example.org/fhir/Patient/p1"}, True),
        ({"reference": "Patient/p2"}, False),
        ({"display": "The result names no patient"}, False),
    ],
)
def test_what_was_told_of_another_patient_is_taken_back(subject: Any, stays: bool) -> None:
    (told,) = resources(SAID, "Communication")
    before = Existing({"Communication": [there(told, subject=subject)]})
    made = writing(CORRECTED, resources(CORRECTED, "Communication"), before)
    back = [("PUT", "Communication/Communication-1")]
    assert asked(made) == [("POST", "Communication"), *([] if stays else back)]
    assert targets(made) == [made["entry"][0]["fullUrl"]]


def test_of_two_that_stand_in_one_place_one_is_kept_up_to_date_and_the_other_goes() -> None:
    (issue,) = resources(SAID, "DetectedIssue")
    both = Existing({"DetectedIssue": [there(issue), there(issue, id="DetectedIssue-2")]})
    (back,) = writing(SAID, [issue], both)["entry"]
    assert back["request"]["url"] == "DetectedIssue/DetectedIssue-2"
    assert back["resource"]["status"] == "entered-in-error"


def test_all_that_stands_is_taken_back_and_what_was_taken_back_is_not_again() -> None:
    made = withdrawing(standing(SAID))
    assert [entry["resource"]["status"] for entry in made["entry"]] == ["entered-in-error"] * 2
    assert [entry["request"]["ifMatch"] for entry in made["entry"]] == ['W/"3"'] * 2
    for entry in made["entry"]:
        assert [tag["code"] for tag in entry["resource"]["meta"]["tag"]] == ["R", KEY]
    taken = Existing(
        {entry["resource"]["resourceType"]: [entry["resource"]] for entry in made["entry"]}
    )
    assert withdrawing(taken) == {}


@pytest.mark.parametrize(
    ("changes", "is_ours"),
    [
        ({}, True),
        ({"resourceType": "GuidanceResponse"}, False),
        ({"meta": {"tag": [{"system": TAG_SYSTEM, "code": "another"}]}}, False),
        ({"meta": {"tag": [{"system": "http://example.org", "code": KEY}]}}, False),
        ({"meta": "none"}, False),
    ],
    ids=["ours", "of-another-type", "of-another-result", "of-another-system", "without-tags"],
)
def test_of_what_a_server_answers_that_does_not_know_tags_only_ours_is_taken_for_ours(
    changes: Any, is_ours: bool
) -> None:
    """What somebody else wrote must not be written over."""
    (issue,) = resources(SAID, "DetectedIssue")
    answer = {"entry": [{"resource": {**there(issue), **changes}}, {"resource": "none"}]}
    assert bool(ours(answer, "DetectedIssue", KEY)) is is_ours


@pytest.mark.parametrize(
    ("system", "value", "is_it"),
    [(EVALUATION_SYSTEM, FIRST, True), ("http://example.org", FIRST, False)],
)
def test_an_evaluation_is_known_by_system_and_value(system: str, value: str, is_it: bool) -> None:
    assert is_of_evaluation({"identifier": [{"system": system, "value": value}]}, FIRST) is is_it
    assert not is_of_evaluation({"identifier": [{"system": system, "value": value}]}, SECOND)
