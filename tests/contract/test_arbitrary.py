"""Whatever is sent, nothing fails by itself, and no failure looks like "nothing to say"."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.conftest import CHART_SERVICE, RESULT_SERVICE, problem_of, request_of
from tests.contract.specification import RESPONSE, conforms

PATHS = (
    f"/cds-services/{RESULT_SERVICE}",
    f"/cds-services/{CHART_SERVICE}",
    f"/cds-services/{RESULT_SERVICE}/feedback",
)
CONTENT_TYPES = ("application/json", "application/fhir+json; charset=utf-8", "text/xml", "")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=15,
)

# The client is shared and keeps nothing between calls.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def answer_is_honest(client: FlaskClient, path: str, body: bytes, content_type: str) -> None:
    response = client.post(path, data=body, content_type=content_type)
    if response.status_code == 200:
        document = response.get_json()
        if not path.endswith("/feedback"):
            conforms(document, RESPONSE)
        else:
            assert document == {}
    else:
        assert response.status_code < 500, response.get_data(as_text=True)
        problem_of(response, response.status_code)


@shared
@given(st.sampled_from(PATHS), st.binary(max_size=300), st.sampled_from(CONTENT_TYPES))
def test_arbitrary_bytes_never_give_a_500(
    client: FlaskClient, path: str, body: bytes, content_type: str
) -> None:
    answer_is_honest(client, path, body, content_type)


@shared
@given(st.sampled_from(PATHS), JSON)
def test_arbitrary_json_never_gives_a_500(client: FlaskClient, path: str, body: object) -> None:
    answer_is_honest(client, path, json.dumps(body).encode(), "application/json")


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a JSON value."""
    found = [path] if path else []
    match value:
        case dict():
            for name, member in value.items():
                found += places(member, (*path, name))
        case list():
            for number, entry in enumerate(value):
                found += places(entry, (*path, number))
        case _:
            pass
    return found


def any_place(body: Any, data: st.DataObject) -> tuple[Any, Any]:
    """What holds some part of a value, and the part's name or number in it."""
    *path, last = data.draw(st.sampled_from(places(body)))
    for step in path:
        body = body[step]
    return body, last


def as_json(body: object) -> tuple[bytes, str]:
    return json.dumps(body).encode(), "application/json"


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("lab_result_full_prefetch", RESULT_SERVICE),
        ("lab_result_with_report_and_specimen", RESULT_SERVICE),
        ("patient_view_full_prefetch", CHART_SERVICE),
    ],
)
@shared
@given(st.data())
def test_a_good_request_with_any_part_replaced_never_gives_a_500(
    client: FlaskClient, name: str, service: str, data: st.DataObject
) -> None:
    body = request_of(name)
    holder, last = any_place(body, data)
    holder[last] = data.draw(JSON)
    answer_is_honest(client, f"/cds-services/{service}", *as_json(body))


@pytest.mark.parametrize(
    ("name", "service"),
    [("lab_result_full_prefetch", RESULT_SERVICE), ("patient_view_full_prefetch", CHART_SERVICE)],
)
@shared
@given(st.data())
def test_a_good_request_with_any_part_taken_out_never_gives_a_500(
    client: FlaskClient, name: str, service: str, data: st.DataObject
) -> None:
    body = request_of(name)
    holder, last = any_place(body, data)
    del holder[last]
    answer_is_honest(client, f"/cds-services/{service}", *as_json(body))
