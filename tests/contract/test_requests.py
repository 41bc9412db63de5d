"""Requests: what is malformed, what is tolerated, what the address decides (R-xx, J-xx)."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

import fhir_fixtures
from tests.contract.conftest import (
    CHART_SERVICE,
    DELETE,
    RESULT_SERVICE,
    Post,
    cards_of,
    code_of,
    evaluation_of,
    problem_of,
    request_of,
)

PATHS = ("hook", "hookInstance", "context", "context__patientId", "context__results")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("value", [DELETE, None, 7, True, [], [{}], ""], ids=repr)
def test_r02_a_required_member_missing_or_of_another_type_is_400_and_named(
    post: Post, path: str, value: object
) -> None:
    issue = problem_of(post(request_of("lab_result_minimal", **{path: value})), 400)
    assert issue["expression"] == [path.replace("__", ".")]
    assert code_of(issue) == "CDS-1001"


def test_r02_an_unknown_service_is_404(post: Post) -> None:
    issue = problem_of(post(request_of("lab_result_minimal"), "sil2r-nothing"), 404)
    assert code_of(issue) == "CDS-1006"


def test_r02_tr03_another_hook_than_the_services_is_400(post: Post) -> None:
    issue = problem_of(post(request_of("lab_result_minimal"), CHART_SERVICE), 400)
    assert issue["expression"] == ["hook"]
    assert code_of(issue) == "CDS-1003"


def test_r01_a_charset_may_be_given(post: Post) -> None:
    body = request_of("lab_result_minimal")
    assert cards_of(post(body, content_type="application/json; charset=UTF-8")) == cards_of(
        post(body)
    )


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "text/html"])
def test_t55_another_content_type_is_415(post: Post, content_type: str) -> None:
    body = request_of("lab_result_minimal")
    assert code_of(problem_of(post(body, content_type=content_type), 415)) == "CDS-1004"


def test_t55_a_compressed_body_is_415(post: Post) -> None:
    body = request_of("lab_result_minimal")
    issue = problem_of(post(body, headers={"Content-Encoding": "gzip"}), 415)
    assert code_of(issue) == "CDS-1004"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}{}",
        b'{"hook":"a","hook":"b"}',
        b'{"hook":NaN}',
        b'{"hook":-Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":"\\u0000"}',
        '{"hook":"x"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"hook":"x"}',
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 100_000,
        b'{"a":' + b"1" * 5000 + b"}",
        b"// comment\n{}",
        b"<xml/>",
    ],
    ids=range(20),
)
def test_tr14_j05_t51_t55_a_body_that_is_not_strict_json_is_400_and_an_outcome(
    post: Post, text: bytes
) -> None:
    issue = problem_of(post(text), 400)
    assert code_of(issue) == "CDS-1002"


def test_t54_a_repeated_member_is_refused_wherever_it_stands(post: Post) -> None:
    text = json.dumps(request_of("lab_result_minimal"))
    for name in ('"status": "final"', '"patientId": ', '"unit": '):
        assert name in text
        repeated = text.replace(name, f'{name.partition(":")[0]}: "x", {name}', 1)
        issue = problem_of(post(repeated), 400)
        assert "twice" in issue["details"]["text"]
        assert issue["diagnostics"].startswith("At line 1, column ")


def test_t50_a_body_over_the_limit_is_413(post: Post) -> None:
    issue = problem_of(post(request_of("lab_result_minimal", padding="x" * 10_485_760)), 413)
    assert issue["code"] == "too-long"


def test_r03_tr04_unknown_members_are_ignored(post: Post) -> None:
    plain = cards_of(post(request_of("lab_result_minimal")))
    more = request_of("lab_result_minimal", new={"a": [None]}, context__encounterId="e1")
    assert cards_of(post(more)) == plain


def test_r04_a_patient_reference_is_read_as_the_id(post: Post) -> None:
    bare = request_of("lab_result_minimal")
    reference = f"Patient/{bare['context']['patientId']}"
    prefixed = request_of("lab_result_minimal", context__patientId=reference)
    assert cards_of(post(prefixed)) == cards_of(post(bare))


def test_a_missing_user_is_accepted(post: Post) -> None:
    without = request_of("lab_result_minimal", context__userId=DELETE)
    assert cards_of(post(without)) == cards_of(post(request_of("lab_result_minimal")))


def test_tr05_an_extension_is_an_object(post: Post) -> None:
    extension = {"com.example.x": {"y": 1}}
    extended = request_of("lab_result_minimal", extension=extension)
    assert cards_of(post(extended)) == cards_of(post(request_of("lab_result_minimal")))
    issue = problem_of(post(request_of("lab_result_minimal", extension=[])), 400)
    assert issue["expression"] == ["extension"]


def test_j02_a_resource_as_text_is_400(post: Post) -> None:
    body = request_of("lab_result_minimal", prefetch={"patient": '{"resourceType":"Patient"}'})
    assert problem_of(post(body), 400)["expression"] == ["prefetch.patient"]


def test_r05_a_resource_that_is_not_valid_fhir_is_said_on_a_card_and_is_no_400(post: Post) -> None:
    (card,) = cards_of(post(fhir_fixtures.text("broken_result_in_good_request")))
    assert evaluation_of(card)["reason"] == "fhir-invalid"


@pytest.mark.parametrize("change", [{"effectiveDateTime": "yesterday"}, {"status": "banana"}])
def test_r05_interleukin_2_that_is_not_valid_fhir_is_said_on_a_card_and_never_silence(
    post: Post, change: dict[str, str]
) -> None:
    """It would have had a card, had it been valid: it may have been meant as sIL-2R."""
    result = {**json.loads(fhir_fixtures.text("il2_in_serum")), **change}
    results = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": result}]}
    (card,) = cards_of(post(request_of("lab_result_minimal", context__results=results)))
    assert evaluation_of(card)["reason"] == "fhir-invalid"


@pytest.mark.parametrize(
    "entry", [{"fullUrl": "https://ehr.example.org/Observation/1"}, {"resource": None}, {}]
)
def test_r05_an_address_without_its_result_is_said_on_a_card_and_never_silence(
    post: Post, entry: dict[str, object]
) -> None:
    results = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    (card,) = cards_of(post(request_of("lab_result_minimal", context__results=results)))
    assert evaluation_of(card)["reason"] == "fhir-invalid"


def test_tr17_after_every_kind_of_bad_request_the_next_good_one_is_answered(post: Post) -> None:
    good = request_of("lab_result_minimal")
    wanted = cards_of(post(good))
    for bad in (b"{", b"\xff", "[]", {"hook": None}, request_of("lab_result_minimal", prefetch=[])):
        problem_of(post(bad), 400)
        assert cards_of(post(good)) == wanted


def test_tr16_a_token_that_nobody_asked_for_is_ignored_in_sandbox_mode(post: Post) -> None:
    body = request_of("lab_result_minimal")
    with_token = post(body, headers={"Authorization": "Bearer not.a.token"})
    assert cards_of(with_token) == cards_of(post(body))


def test_t34_d06_h04_methods_and_paths_that_are_not_there(client: FlaskClient) -> None:
    for method in ("GET", "PUT", "PATCH", "DELETE", "TRACE"):
        response = client.open(f"/cds-services/{RESULT_SERVICE}", method=method)
        problem_of(response, 405)
    for path in ("/", "/cds-services/../x", "//cds-services", "/cds-service", "/admin", "/.env"):
        problem_of(client.get(path), 404)
