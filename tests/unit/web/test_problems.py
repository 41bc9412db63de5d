"""Every error becomes an OperationOutcome that says what a caller may know, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jsonschema
import pytest
from flask.testing import FlaskClient
from werkzeug import exceptions

from cds_service import errors
from cds_service.errors import CdsError, StoreUnavailable, TooManyRequests, Unauthorised
from cds_service.hooks.call import Call
from cds_service.web import invocation
from cds_service.web.problems import as_designed, outcome
from cds_service.web.schemas import NAMED
from tests.leftovers import errors_without_collector
from tests.unit.web.conftest import Open
from tests.unit.web.rooms import URL, Memory, hook_request

CANARY = "Zyxgarten"
REQUEST_ID = "1f6e2f0c-6f0b-4c7e-9f59-2d5b1c0f7a77"


def every_error(kind: type[CdsError] = CdsError) -> Iterator[type[CdsError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


KINDS = list(every_error())


def instance(kind: type[CdsError]) -> CdsError:
    if kind is Unauthorised:
        return Unauthorised(CANARY)
    if kind is TooManyRequests:
        return TooManyRequests("There were too many calls.", retry_after=7)
    return kind("It happened.", where="context.patientId", remedy="Mend it.", cause=CANARY)


def test_h04_the_codes_are_unique_and_all_in_the_tree_drawn_in_the_module() -> None:
    codes = [kind.code for kind in KINDS if kind is not CdsError]
    assert len(codes) == len(set(codes))
    for kind in KINDS[1:]:
        assert f"{kind.__name__} " in str(errors.__doc__)
        assert kind.code in str(errors.__doc__)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_h04_h05_every_error_has_the_one_shape(
    kind: type[CdsError], sandbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_call: Call) -> object:
        raise instance(kind)

    monkeypatch.setattr(invocation, "answer", fail)
    response = sandbox().post(URL, json=hook_request())
    body = response.get_json(force=True)
    assert response.status_code == kind.status
    assert response.content_type == "application/fhir+json"
    assert response.headers["Knowledge-Version"] == "toy@2026.1"
    jsonschema.validate(body, NAMED["OperationOutcome"])
    assert "cards" not in body
    assert CANARY not in json.dumps(body)


OURS = [kind for kind in KINDS if kind.status == 500]
THE_CALLERS = [kind for kind in KINDS if kind.status != 500]


@pytest.mark.parametrize("kind", THE_CALLERS, ids=lambda kind: kind.__name__)
def test_an_error_of_the_callers_is_told_as_it_is(kind: type[CdsError]) -> None:
    error = instance(kind)
    assert as_designed(error) is error


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_t29_an_error_that_is_not_the_callers_says_the_request_id_and_nothing_else(
    kind: type[CdsError],
) -> None:
    said = outcome(as_designed(instance(kind)), "request-1")
    assert said["issue"][0]["details"]["text"] == "The service failed. Request request-1."
    assert set(said["issue"][0]) == {"severity", "code", "details"}
    assert said["issue"][0]["severity"] == "fatal"


def test_where_and_what_to_do_are_said() -> None:
    issue = outcome(instance(errors.BadRequest), "r")["issue"][0]
    assert issue["diagnostics"] == "At context.patientId. Mend it."
    assert issue["expression"] == ["context.patientId"]


def test_who_called_too_often_is_told_that_the_token_of_the_refused_call_is_used() -> None:
    issue = outcome(instance(TooManyRequests), "r")["issue"][0]
    said = "Wait as Retry-After says. A client's token is good once: send a new one."
    assert issue["diagnostics"] == said


def test_a_place_that_is_no_path_is_not_given_as_one() -> None:
    error = errors.MalformedJson("Not JSON.", where="line 1, column 2")
    issue = outcome(error, "r")["issue"][0]
    assert issue["diagnostics"] == "At line 1, column 2."
    assert "expression" not in issue


@pytest.mark.parametrize("error", [ValueError(CANARY), KeyError(CANARY), RecursionError(CANARY)])
def test_tr02_t29_an_exception_is_500_with_the_request_id_and_never_an_empty_card_list(
    error: Exception,
    sandbox: Open,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_call: Call) -> object:
        raise error

    monkeypatch.setattr(invocation, "answer", fail)
    response = sandbox().post(URL, json=hook_request(), headers={"X-Request-Id": REQUEST_ID})
    text = response.get_data(as_text=True)
    assert response.status_code == 500
    assert REQUEST_ID in text
    assert "Traceback" not in text
    assert ".py" not in text
    logged = capsys.readouterr().err
    (line,) = [line for line in logged.splitlines() if type(error).__name__ in line]
    assert REQUEST_ID in line
    assert '"route":"/cds-services/<service_id>"' in line
    assert CANARY not in text + logged


def test_flask_does_not_debug_whatever_the_environment_says(
    sandbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert not sandbox().application.debug


def test_the_process_lives_after_a_fault(sandbox: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sandbox()
    with monkeypatch.context() as broken:
        broken.setattr(invocation, "answer", lambda *_: 1 / 0)
        assert client.post(URL, json=hook_request()).status_code == 500
    assert client.post(URL, json=hook_request()).status_code == 200


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer north extra", "bearer\tnorth"]
)
def test_h06_every_401_is_the_same(production: FlaskClient, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    response = production.post(URL, json=hook_request(), headers=headers)
    reference = production.post(URL, json=hook_request(), headers={"Authorization": "Bearer y"})
    assert response.status_code == 401
    assert response.data == reference.data
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert b"signature" not in response.data


def test_tr30_a_failed_check_ends_the_request(
    production: FlaskClient, memory: Memory, calls: list[Call]
) -> None:
    production.post(URL, json=hook_request(), headers={"Authorization": "Bearer wrong"})
    assert calls == []
    assert memory.invocations == []


def test_a_store_that_fails_withholds_the_answer(sandbox: Open, memory: Memory) -> None:
    memory.broken = True
    response = sandbox().post(URL, json=hook_request())
    assert response.status_code == 503
    assert "cards" not in response.get_json(force=True)


def test_what_an_operator_must_do_is_not_told_to_callers() -> None:
    lost = StoreUnavailable("The database cannot be used.", remedy="Check CDS_DATABASE_URL.")
    (issue,) = outcome(lost, REQUEST_ID)["issue"]
    assert issue["details"]["text"] == "The database cannot be used."
    assert issue["diagnostics"] == "Call again later."
    assert lost.one_line() == "CDS-4001 The database cannot be used. Check CDS_DATABASE_URL."


def test_a_failure_that_cannot_be_recorded_either_is_still_told_as_what_it_was(
    sandbox: Open, memory: Memory, capsys: pytest.CaptureFixture[str]
) -> None:
    memory.broken = True
    response = sandbox().post(URL, data=b"{", content_type="application/json")
    assert response.status_code == 400
    assert "CDS-L201" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "//cds-services", 404),
        ("GET", "/cds-services;x", 404),
        ("GET", "/cds-services/%2e%2e/metrics", 404),
        ("GET", "/..%2fetc/passwd", 404),
        ("POST", "/cds-services/unknown", 404),
        ("POST", "/cds-services/unknown/feedback", 404),
        ("POST", "/cds-services//toy-patient-view", 404),
        ("GET", "/cds-services/toy-patient-view", 405),
        ("PUT", "/cds-services/toy-patient-view", 405),
        ("DELETE", "/cds-services/toy-patient-view/feedback", 405),
        ("POST", "/cds-services", 405),
        ("TRACE", "/cds-services", 405),
        ("GET", "/admin", 404),
        ("GET", "/debug", 404),
        ("GET", "/static/x", 404),
    ],
)
def test_t34_what_is_not_there_is_404_and_what_does_not_answer_a_method_is_405(
    sandbox: Open, method: str, path: str, status: int
) -> None:
    response = sandbox().open(path, method=method, json={} if method == "POST" else None)
    assert response.status_code == status
    jsonschema.validate(response.get_json(force=True), NAMED["OperationOutcome"])
    assert path not in response.get_data(as_text=True) or path == "/"
    if status == 405:
        assert response.headers["Allow"]


@pytest.mark.parametrize("path", ["//cds-services", "///health/live", f"/{URL}"])
def test_t34_an_address_has_one_slash_at_its_start(sandbox: Open, path: str) -> None:
    method = "POST" if path.endswith(URL) else "GET"
    response = sandbox().open(
        "/", method=method, environ_overrides={"PATH_INFO": path}, json=hook_request()
    )
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("error", "designed"),
    [
        (exceptions.NotFound(), errors.NotFound),
        (exceptions.MethodNotAllowed(), errors.MethodNotAllowed),
        (exceptions.RequestEntityTooLarge(), errors.PayloadTooLarge),
        (exceptions.BadRequest(), errors.BadRequest),
        (exceptions.ImATeapot(), errors.BadRequest),
        (exceptions.HTTPException(), errors.ServiceFault),
        (exceptions.InternalServerError(), errors.ServiceFault),
        (OSError(), errors.ServiceFault),
    ],
)
def test_an_error_of_the_framework_is_one_of_ours(
    error: Exception, designed: type[CdsError]
) -> None:
    assert type(as_designed(error)) is designed


# ------------------------------------------------------------------ what stays in memory


@pytest.mark.parametrize("body", ["{", '{"hook": "x"}', '{"hook": 7}'])
def test_t51_of_a_failed_call_nothing_waits_for_the_garbage_collector(
    sandbox: Open, body: str
) -> None:
    """Bodies of 10 MiB that were refused would fill the memory meanwhile."""
    client = sandbox()
    with errors_without_collector(CdsError, json.JSONDecodeError) as errors:
        response = client.post(URL, data=body, content_type="application/json")
        assert response.status_code == 400
        assert errors.left() == []
